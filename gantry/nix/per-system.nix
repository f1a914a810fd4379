# The outputs of a flake around one cargo workspace, for one system.
{ gantry }:

{
  inputs,
  root,
  system,
  workspace,
  outputs,
}:

let
  input = name: inputs.${name} or gantry.inputs.${name};
  inherit (input "nixpkgs") lib;
  pkgs = (input "nixpkgs").legacyPackages.${system}.extend (input "rust-overlay").overlays.default;

  toolchain = import ./toolchain.nix {
    inherit lib pkgs root;
    inherit (made) releaseTargets;
  };
  mkWorkspace =
    settings:
    gantry.lib.mkWorkspace (
      {
        inherit pkgs;
        crane = input "crane";
        toolchain = toolchain.forBuilds;
      }
      // settings
    );

  # What a project's own functions are given.
  arguments = {
    inherit
      pkgs
      lib
      system
      mkWorkspace
      ;
    workspace = made;
  };
  settings = workspace arguments;
  made = mkWorkspace ({ inherit root; } // settings);

  # What a release leaves out.
  unreleased = package: package // { release = false; };

  own = outputs arguments;
  add = kind: base: base // own.${kind} or { };
in
{
  packages = add "packages" (
    import ./packages.nix { inherit lib pkgs unreleased; } made
    // {
      gantry = unreleased gantry.packages.${system}.gantry;
    }
  );

  checks = add "checks" (
    made.checks
    // import ./policy.nix
      {
        inherit lib pkgs;
        advisory-db = input "advisory-db";
      }
      {
        workspace = made;
        file = root + "/deny.toml";
      }
  );

  devShells = add "devShells" {
    default = import ./shell.nix { inherit lib pkgs; } {
      inherit (made) targets;
      toolchain = if settings ? toolchain then settings.toolchain else toolchain.forShell;
    };
  };

  apps = own.apps or { };

  formatter = own.formatter or pkgs.nixfmt;
}
