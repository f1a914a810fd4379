# What a flake has for a system, as data. `nix eval --apply` applies this to the flake's outputs.
system: outputs:
let
  ofKind = kind: outputs.${kind}.${system} or { };
  output = derivation: {
    derivation = derivation.drvPath;
    path = derivation.outPath;
  };
in
{
  checks = builtins.mapAttrs (
    name: check:
    output check
    // {
      # mkWorkspace says what its checks do, and null of those that only gather others.
      step = check.step or { kind = name; };
    }
  ) (ofKind "checks");

  packages = builtins.mapAttrs (
    _: package:
    output package
    // {
      version = package.version or null;
      archive = package.archiveName or null;
      release = package.release or true;
    }
  ) (ofKind "packages");
}
