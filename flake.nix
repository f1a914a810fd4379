{
  description = "Crate-level caching for the CI of cargo workspaces, and a workspace to start from";

  inputs = {
    advisory-db = {
      url = "github:rustsec/advisory-db";
      flake = false;
    };
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    crane.url = "github:ipetkov/crane";
    rust-overlay = {
      url = "github:oxalica/rust-overlay";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    inputs@{ self, ... }:
    let
      gantry = import ./gantry/nix { gantry = self; };
    in
    {
      inherit (gantry) lib flakeModules;
      # A fork that has become a project hands nothing out.
      ${if builtins.pathExists ./templates then "templates" else null} = import ./templates {
        inherit self;
      };
    }
    // gantry.lib.mkFlake {
      inherit inputs;
      root = ./.;
      # A layer here that compiles more than its own crate is a defect of the library.
      workspace = arguments: import ./nix/settings.nix arguments // { freshness = "require"; };
      outputs =
        { pkgs, workspace, ... }@arguments:
        let
          engine = import ./gantry/outputs.nix (arguments // { inherit (inputs) advisory-db; });
        in
        {
          inherit (engine) packages;
          checks = engine.checks // {
            links = pkgs.runCommand "links" {
              nativeBuildInputs = [ workspace.programs.dev.xtask ];
            } "cd ${./.} && xtask links && touch $out";
          };
        };
    };
}
