# What the flake offers to other flakes. docs/nix.md describes all of it.
#
# `gantry` is the flake itself: its inputs are used where a project has none of its own.
{ gantry }:

let
  perSystem = import ./per-system.nix { inherit gantry; };
in
{
  lib = {
    mkFlake = import ./mkFlake.nix { inherit gantry perSystem; };
    mkWorkspace = import ./workspace {
      inherit (gantry.inputs.nixpkgs) lib;
      inherit (gantry.inputs) crane;
    };
  };

  flakeModules.default = import ./flakeModule.nix { inherit perSystem; };
}
