{
  description = "A native program, a web page and the library that they share";

  # It brings nixpkgs, crane and rust-overlay at the versions that it is tested with. An input of the project's
  # own of one of these names takes the place of it.
  inputs.gantry.url = "github:ORG/gantry";

  # RUSTSEC's advisories, of which the nightly CI takes the newest.
  inputs.advisory-db = {
    follows = "gantry/advisory-db";
    flake = false;
  };

  outputs =
    inputs:
    inputs.gantry.lib.mkFlake {
      inherit inputs;
      root = ./.;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      workspace = import ./nix/settings.nix;

      # Packages and checks of the project's own, which `cargo xtask ci` runs like the others.
      outputs =
        { pkgs, workspace, ... }:
        {
          checks.links = pkgs.runCommand "links" {
            nativeBuildInputs = [ workspace.programs.dev.xtask ];
          } "cd ${./.} && xtask links && touch $out";
        };
    };
}
