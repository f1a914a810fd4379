# The benchmark's workspace, built in two ways: by layers, and by one derivation a step.
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

      packagesFor =
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system}.extend rust-overlay.overlays.default;
          toolchain = pkgs.rust-bin.fromRustupToolchainFile ./rust-toolchain.toml;

          # Reaches every derivation that runs cargo, and no other. With a new nonce nothing of
          # what runs cargo is in any store or cache yet.
          env.BENCHMARK_NONCE = lib.fileContents ./nonce;

          layers =
            (gantry.lib.mkWorkspace {
              inherit
                pkgs
                crane
                toolchain
                env
                ;
              root = ./.;
            }).layers.native.dev;

          monolith =
            let
              craneLib = (crane.mkLib pkgs).overrideToolchain toolchain;
              common = {
                pname = "benchmark";
                version = "0.1.0";
                src = craneLib.cleanCargoSource ./.;
                strictDeps = true;
                CARGO_PROFILE = "dev";
                inherit env;
              };
              # The last of a chain: nothing reads its artifacts.
              last = {
                doInstallCargoArtifacts = false;
              };
            in
            rec {
              deps = craneLib.buildDepsOnly common;
              build = craneLib.cargoBuild (common // { cargoArtifacts = deps; });
              test = craneLib.cargoTest (common // last // { cargoArtifacts = build; });
              clippy = craneLib.cargoClippy (
                common
                // last
                // {
                  cargoArtifacts = deps;
                  cargoClippyExtraArgs = "--all-targets -- --deny warnings";
                }
              );
            };

          leavesOf = {
            layers = lib.concatMap (step: lib.attrValues layers.${step}) [
              "build"
              "test"
              "clippy"
            ];
            monolith = [
              monolith.build
              monolith.test
              monolith.clippy
            ];
          };
          depsOf = {
            layers = layers.deps;
            monolith = monolith.deps;
          };
        in
        lib.concatMapAttrs (side: leaves: {
          # All that a side builds.
          ${side} = pkgs.writeText side (lib.concatLines leaves);
          # All that it needs to begin: toolchain, tools, the sources of third-party crates.
          "${side}-inputs" = pkgs.linkFarmFromDrvs "${side}-inputs" (
            lib.unique (
              [ depsOf.${side}.inputDerivation ] ++ lib.concatMap (leaf: leaf.nativeBuildInputs) leaves
            )
          );
        }) leavesOf;
    in
    {
      packages = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ] packagesFor;
    };
}
