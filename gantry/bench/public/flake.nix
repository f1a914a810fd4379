# One public workspace, built in two ways: by layers, and by crane's own chain for a whole workspace.
{
  inputs = {
    nixpkgs.url = "@nixpkgs@";
    crane.url = "@crane@";
    rust-overlay = {
      url = "@rust-overlay@";
      inputs.nixpkgs.follows = "nixpkgs";
    };
    gantry = {
      url = "@gantry@";
      inputs.nixpkgs.follows = "nixpkgs";
      inputs.crane.follows = "crane";
      inputs.rust-overlay.follows = "rust-overlay";
    };
  };

  outputs =
    {
      nixpkgs,
      crane,
      rust-overlay,
      gantry,
      ...
    }:
    let
      inherit (nixpkgs) lib;
      name = lib.fileContents ./name;

      sidesFor =
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system}.extend rust-overlay.overlays.default;
          said = {
            lintTargets = "--all-targets";
            files = [ ];
            inputs = _: [ ];
          }
          // (import ./workspaces.nix).${name};

          toolchain = pkgs.rust-bin.fromRustupToolchainFile ./rust-toolchain.toml;
          craneLib = (crane.mkLib pkgs).overrideToolchain toolchain;

          # Reaches every derivation that runs cargo, and no other. With a new nonce nothing of
          # what runs cargo is in any store or cache yet.
          env.BENCHMARK_NONCE = lib.fileContents ./nonce;

          layers = gantry.lib.mkWorkspace {
            inherit
              pkgs
              crane
              toolchain
              env
              ;
            inherit (said) files lintTargets;
            root = ./workspace;
            targets.native = {
              buildInputs = said.inputs pkgs;
              nativeBuildInputs = [ pkgs.pkg-config ];
            };
            # Which lints a workspace heeds is its own matter, and changes with every version of clippy.
            denyWarnings = false;
            profiles = [ "dev" ];
          };

          chain =
            let
              common = {
                pname = name;
                version = "0";
                src = ./workspace;
                strictDeps = true;
                CARGO_PROFILE = "dev";
                cargoExtraArgs = "--locked --workspace";
                buildInputs = said.inputs pkgs;
                nativeBuildInputs = [ pkgs.pkg-config ];
                inherit env;
              };
              # The last of a chain: nothing reads its artifacts.
              last = common // {
                doInstallCargoArtifacts = false;
              };
            in
            rec {
              deps = craneLib.buildDepsOnly common;
              build = craneLib.cargoBuild (common // { cargoArtifacts = deps; });
              test = craneLib.cargoTest (
                last
                // {
                  cargoArtifacts = build;
                  cargoTestExtraArgs = "--no-fail-fast";
                }
              );
              clippy = craneLib.cargoClippy (
                last
                // {
                  cargoArtifacts = deps;
                  cargoClippyExtraArgs = said.lintTargets;
                }
              );
              doc = craneLib.cargoDoc (last // { cargoArtifacts = deps; });
            };

          steps = [
            "build"
            "test"
            "clippy"
            "doc"
          ];
          # side → step → its derivations
          checks = {
            layers = lib.genAttrs steps (
              step: lib.filter (check: check.step.kind or null == step) (lib.attrValues layers.checks)
            );
            crane = lib.genAttrs steps (step: [ chain.${step} ]);
          };
          depsOf = {
            layers = layers.layers.native.dev.deps;
            crane = chain.deps;
          };
        in
        lib.mapAttrs (
          side: checksOf:
          let
            all = lib.concatLists (lib.attrValues checksOf);
          in
          {
            all = pkgs.writeText side (lib.concatLines all);
            # All that it needs to begin: toolchain, tools, the sources of third-party crates.
            inputs = pkgs.linkFarmFromDrvs "${side}-inputs" (
              lib.unique ([ depsOf.${side}.inputDerivation ] ++ lib.concatMap (check: check.nativeBuildInputs) all)
            );
            paths = lib.mapAttrs (_: map (check: check.outPath)) checksOf;
            members = lib.length (lib.attrNames layers.facts.members);
          }
        ) checks;
    in
    {
      sides = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ] sidesFor;
    };
}
