# The layers under the names that `nix flake check` and `gantry` call them by.
#
# STEP-MEMBER for the native target, STEP-MEMBER-TARGET for others; STEP alone is all of them. Each says
# in its attribute `step` what it is, which `gantry` reads as its plan: docs/report.md. What only gathers
# others is no step.
{ lib, pkgs }:

{
  facts,
  formatting,
  # The checked profile.
  profile,
  # Per target: layers of that profile, and the members that have tests there.
  targets,
}:

let
  suffix = target: lib.optionalString (target != "native") "-${target}";

  documentedOn = m: if lib.elem "native" m.targets then "native" else lib.head m.targets;

  check =
    kind: member: compiled: derivation:
    derivation
    // {
      step = {
        inherit kind member;
        directory = facts.members.${member}.dir;
      }
      // compiled;
    };

  ofTarget =
    target:
    { layers, tested }:
    let
      named =
        kind: members:
        lib.listToAttrs (
          map (
            member:
            lib.nameValuePair "${kind}-${member}${suffix target}" (
              check kind member { inherit target profile; } layers.${kind}.${member}
            )
          ) members
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
      fmt = lib.mapAttrs' (
        member: derivation: lib.nameValuePair "fmt-${member}" (check "fmt" member { } derivation)
      ) formatting;
    };

  together = kind: checks: pkgs.linkFarm kind checks // { step = null; };
in
lib.foldl' (all: checks: all // checks) { } (lib.attrValues steps) // lib.mapAttrs together steps
