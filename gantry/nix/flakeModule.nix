# flakeModules.default: what mkFlake makes, for a flake that is made with flake-parts.
{ perSystem }:

{
  config,
  inputs,
  lib,
  ...
}:

let
  inherit (lib) mkOption types;
  function = types.functionTo (types.lazyAttrsOf types.raw);
in
{
  options.gantry = {
    root = mkOption {
      type = types.path;
      description = "The folder of the root Cargo.toml.";
    };
    workspace = mkOption {
      type = function;
      default = _: { };
      description = "{ pkgs, lib, system, workspace } → arguments of mkWorkspace.";
    };
  };

  config.perSystem =
    { system, ... }:
    let
      made = perSystem {
        inherit inputs system;
        inherit (config.gantry) root workspace;
        outputs = _: { };
      };
      # What the project itself says wins.
      defaults = lib.mapAttrs (_: lib.mkDefault);
    in
    {
      packages = defaults made.packages;
      checks = defaults made.checks;
      devShells = defaults made.devShells;
      apps = defaults made.apps;
      formatter = lib.mkDefault made.formatter;
    };
}
