# The development shell: what the layers are built with, so that cargo finds there what it finds in them.
{ lib, pkgs }:

{
  # What mkWorkspace knows of each target.
  targets,
  # With rust-analyzer and rust-src, which no layer has; null for nixpkgs' own.
  toolchain,
}:

let
  all = lib.attrValues targets;
  ofAll = kind: lib.concatMap (target: target.${kind}) all;
in
pkgs.mkShell {
  strictDeps = true;
  nativeBuildInputs = ofAll "nativeBuildInputs";
  buildInputs = ofAll "buildInputs";
  env = lib.mergeAttrsList (map (target: target.env) all);
  packages =
    if toolchain == null then
      [
        pkgs.cargo
        pkgs.clippy
        pkgs.rust-analyzer
        pkgs.rustc
        pkgs.rustfmt
      ]
    else
      [ toolchain ];
}
