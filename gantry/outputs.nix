# The engine's part of its repository's flake: the program, and its checks as gantry-STEP.
{
  pkgs,
  lib,
  mkWorkspace,
  advisory-db,
  ...
}:

let
  engine = mkWorkspace {
    root = ./.;
    freshness = "require";
    members.gantry.testInputs = [ pkgs.git ];
  };
  steps = lib.filterAttrs (_: check: check.step != null) engine.checks;
  policy = import ./nix/policy.nix { inherit lib pkgs advisory-db; } {
    workspace = engine;
    file = ../deny.toml;
  };
in
{
  packages = {
    inherit (engine.programs.release) gantry;
  };

  checks =
    lib.mapAttrs' (_: check: lib.nameValuePair "gantry-${check.step.kind}" check) steps
    // lib.mapAttrs' (name: lib.nameValuePair "gantry-${name}") policy
    // {
      gantry-nix = import ./nix/tests { inherit lib pkgs; };
    };
}
