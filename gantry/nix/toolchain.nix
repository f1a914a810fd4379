# The toolchain that the project's rust-toolchain.toml names; without such a file nixpkgs' own is used.
{
  lib,
  pkgs,
  root,
  # What a release makes programs for on this system; rustup need not have the standard library of these.
  releaseTargets,
}:

let
  toml = import ./workspace/toml.nix { inherit lib; };
  file = lib.findFirst builtins.pathExists null [
    (root + "/rust-toolchain.toml")
    (root + "/rust-toolchain")
  ];
  named = toml.read file;

  # The same toolchain with more of what lists in the file name.
  extended =
    key: more:
    builtins.toFile "rust-toolchain.toml" (
      toml.print (
        named
        // {
          toolchain = named.toolchain // {
            ${key} = lib.unique (named.toolchain.${key} or [ ] ++ more);
          };
        }
      )
    );
in
lib.mapAttrs (_: from: if file == null then null else pkgs.rust-bin.fromRustupToolchainFile from) {
  forBuilds = if releaseTargets == [ ] then file else extended "targets" releaseTargets;
  # With what an editor wants.
  forShell = extended "components" [
    "rust-analyzer"
    "rust-src"
  ];
}
