# The layers under the names that `nix flake check` and `cargo xtask` call them by.
#
# STEP-MEMBER for the native target, STEP-MEMBER-TARGET for others; STEP alone is all of them.
{ lib, pkgs }:

{
  facts,
  formatting,
  # Per target: layers of the checked profile, and the members that have tests there.
  targets,
}:

let
  suffix = target: lib.optionalString (target != "native") "-${target}";

  documentedOn = m: if lib.elem "native" m.targets then "native" else lib.head m.targets;

  ofTarget =
    target:
    { layers, tested }:
    let
      named =
        step: members:
        lib.listToAttrs (
          map (member: lib.nameValuePair "${step}-${member}${suffix target}" layers.${step}.${member}) members
        );
      all = lib.attrNames layers.build;
    in
    {
      build = named "build" all;
      test = named "test" tested;
      clippy = named "clippy" all;
      # A member's documentation is the same on all its targets: it is made once.
      doc = named "doc" (lib.filter (member: documentedOn facts.members.${member} == target) all);
    };

  steps =
    lib.foldl' (lib.recursiveUpdateUntil (
      path: _: _:
      lib.length path == 2
    )) { } (lib.mapAttrsToList ofTarget targets)
    // {
      fmt = lib.mapAttrs' (member: lib.nameValuePair "fmt-${member}") formatting;
    };

  together = step: checks: pkgs.linkFarm step checks;
in
lib.foldl' (all: checks: all // checks) { } (lib.attrValues steps) // lib.mapAttrs together steps
