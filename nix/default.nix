# The flake's outputs for one system: this workspace, through lib.mkWorkspace.
{
  lib,
  pkgs,
  crane,
  mkWorkspace,
}:

let
  toolchain = pkgs.rust-bin.fromRustupToolchainFile ../rust-toolchain.toml;
  settings = import ./settings.nix { inherit lib pkgs workspace; };

  workspace = mkWorkspace (
    settings
    // {
      inherit pkgs crane toolchain;
      root = ../.;
    }
  );
  inherit (workspace) programs;

  web = pkgs.callPackage ./web.nix { inherit workspace; };
  deny = pkgs.callPackage ./deny.nix { inherit workspace; };
in
{
  packages =
    workspace.deps
    // {
      default = programs.release.gantry;
      dev = programs.dev.gantry;
      inherit (programs.release) xtask;
    }
    // lib.optionalAttrs (web != null) { inherit web; };

  checks =
    workspace.checks
    // {
      inherit deny;
      nix = import ./tests { inherit lib pkgs; };
    }
    // lib.optionalAttrs (web != null) { ${web.check} = web; };

  devShells.default = import ./shell.nix {
    inherit
      lib
      pkgs
      settings
      toolchain
      ;
  };

  apps =
    lib.mapAttrs
      (_: program: {
        type = "app";
        program = lib.getExe program;
        inherit (program) meta;
      })
      {
        default = programs.release.gantry;
        inherit (programs.release) xtask;
      };

  formatter = pkgs.nixfmt;
}
