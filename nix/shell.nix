# The development shell: the toolchain and inputs of the layers, so that cargo finds there what it
# finds in them.
{
  lib,
  pkgs,
  settings,
  toolchain,
}:

let
  targets = lib.attrValues settings.targets;
  ofTargets = kind: lib.concatMap (target: target.${kind} or [ ]) targets;
in
pkgs.mkShell {
  strictDeps = true;
  nativeBuildInputs = ofTargets "nativeBuildInputs";
  buildInputs = ofTargets "buildInputs";
  env = lib.foldl' (all: target: all // target.env or { }) { } targets;
  packages = [
    toolchain
    pkgs.binaryen
    pkgs.cargo-nextest
    pkgs.nodejs
    pkgs.rust-analyzer
  ];
}
