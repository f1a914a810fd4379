# Pure tests of what gantry/nix computes: `nix flake check` evaluates them, nothing is built.
{ lib, pkgs }:

let
  tests =
    lib.concatMapAttrs
      (
        file: _:
        lib.mapAttrs' (name: lib.nameValuePair "test ${lib.removeSuffix ".nix" file}: ${name}") (
          import (./. + "/${file}") { inherit lib; }
        )
      )
      (
        removeAttrs (lib.filterAttrs (_: type: type == "regular") (builtins.readDir ./.)) [ "default.nix" ]
      );
  failures = lib.runTests tests;
in
if failures == [ ] then
  pkgs.runCommand "nix-tests" { }
    "echo ${toString (lib.length (lib.attrNames tests))} tests passed >$out"
else
  throw (
    "tests of gantry/nix failed:\n"
    + lib.concatMapStringsSep "\n" (
      f:
      "${f.name}\n  expected ${lib.generators.toPretty { } f.expected}\n  got      ${
        lib.generators.toPretty { } f.result
      }"
    ) failures
  )
