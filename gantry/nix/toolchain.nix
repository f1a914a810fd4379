# The toolchain that the project's rust-toolchain.toml names; without such a file nixpkgs' own is used.
{
  lib,
  pkgs,
  root,
}:

let
  toml = import ./workspace/toml.nix { inherit lib; };
  file = lib.findFirst builtins.pathExists null [
    (root + "/rust-toolchain.toml")
    (root + "/rust-toolchain")
  ];
  named = toml.read file;

  # The same toolchain with what an editor wants.
  extended = named // {
    toolchain = named.toolchain // {
      components = lib.unique (
        named.toolchain.components or [ ]
        ++ [
          "rust-analyzer"
          "rust-src"
        ]
      );
    };
  };
in
lib.mapAttrs (_: from: if file == null then null else pkgs.rust-bin.fromRustupToolchainFile from) {
  forBuilds = file;
  forShell = builtins.toFile "rust-toolchain.toml" (toml.print extended);
}
