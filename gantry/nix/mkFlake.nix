# lib.mkFlake: all outputs of a flake around one cargo workspace.
{ gantry, perSystem }:

{
  # The inputs of the flake. Of these, nixpkgs, crane and rust-overlay are used in the place of gantry's own.
  inputs ? { },
  # The folder of the root Cargo.toml, as a path.
  root,
  systems ? [
    "x86_64-linux"
    "aarch64-linux"
    "aarch64-darwin"
  ],
  # { pkgs, lib, system, mkWorkspace, workspace } → arguments of mkWorkspace. `mkWorkspace` has these pkgs
  # and the toolchain already, and `workspace` is what it makes of this very project.
  workspace ? _: { },
  # The same → outputs of the project's own: packages, checks, devShells, apps, formatter. They are added to
  # what is made here, and take the place of what has their name.
  outputs ? _: { },
}:

let
  inherit (inputs.nixpkgs or gantry.inputs.nixpkgs) lib;
  bySystem = lib.genAttrs systems (
    system:
    perSystem {
      inherit
        inputs
        root
        system
        workspace
        outputs
        ;
    }
  );
in
# The names without nixpkgs, which a flake's other outputs, such as templates, may have no need for.
builtins.mapAttrs (kind: _: lib.mapAttrs (_: made: made.${kind}) bySystem) {
  packages = null;
  checks = null;
  devShells = null;
  apps = null;
  formatter = null;
}
