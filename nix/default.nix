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

  # xtask finds the program that asks Nix beside itself.
  xtask =
    pkgs.runCommand programs.release.xtask.name
      {
        inherit (programs.release.xtask) meta;
      }
      ''
        install -D -t $out/bin ${programs.release.xtask}/bin/* ${programs.release.xtask-nix}/bin/*
      '';

  # It asks cargo for the workspace, which a machine that has Nix may not have.
  runXtask = lib.addMetaAttrs { inherit (xtask.meta) description; } (
    pkgs.writeShellScriptBin "xtask" ''
      PATH=${toolchain}/bin:$PATH exec ${lib.getExe xtask} "$@"
    ''
  );

  web = pkgs.callPackage ./web.nix { inherit workspace; }; # only web
  deny = pkgs.callPackage ./deny.nix { inherit workspace; };
in
{
  packages =
    workspace.deps
    // web.packages or { } # only web
    // {
      default = programs.release.gantry;
      dev = programs.dev.gantry;
      inherit xtask;
    };

  checks =
    workspace.checks
    // web.checks or { } # only web
    // {
      inherit deny;
      nix = import ./tests { inherit lib pkgs; };
    };

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
        xtask = runXtask;
      };

  formatter = pkgs.nixfmt;
}
