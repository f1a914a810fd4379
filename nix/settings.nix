# What cargo's manifests cannot say of this workspace: the programs and libraries around it.
#
# One set of arguments for every layer and the development shell. openssl-sys, for one, is compiled
# again wherever a variable that its build script reads differs.
{
  lib,
  pkgs,
  workspace,
}:

let
  openssl = {
    buildInputs = [ pkgs.openssl ];
    nativeBuildInputs = [ pkgs.pkg-config ];
  };

  # Both verifiers are held to the same cases.
  auditCases = [
    "crates/core/tests/audit_cases"
    "crates/core/tests/narinfos"
  ];

  # The repository around tests that look at all of it.
  inRepository = repository: {
    testInputs = [ pkgs.git ];
    testEnv.XTASK_REPOSITORY = "${repository}";
  };

  # begin template
  # All of it, for tests that make projects of it, with the crates of all targets.
  makingProjects = lib.recursiveUpdate (inRepository ../.) {
    testEnv.XTASK_VENDORED_CRATES = workspace.cargoVendorDir;
  };
  # end template

  # Its rules are not about the product's code: an edit there is no reason to check them again.
  withoutCode =
    let
      # cargo looks whether these are there.
      places = lib.concatMap (
        m:
        lib.filter (place: builtins.pathExists (../. + "/${place}")) [
          "${m.dir}/src/lib.rs"
          "${m.dir}/src/main.rs"
        ]
      ) (lib.attrValues workspace.facts.members);
      isCode = path: lib.hasPrefix "${toString ../crates}/" path && lib.hasSuffix ".rs" path;
    in
    pkgs.runCommand "repository" { } ''
      cp -r --no-preserve=mode ${
        builtins.path {
          name = "repository";
          path = ../.;
          filter = path: _: !isCode path;
        }
      } $out
      cd $out
      for place in ${lib.escapeShellArgs places}; do
        mkdir -p "$(dirname "$place")"
        touch "$place"
      done
    '';
in
{
  targets = {
    native = openssl;

    # begin web
    wasm32-unknown-unknown = {
      nativeBuildInputs = [ pkgs.lld ];
      env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER = "wasm-ld";
      # libtest cannot run on this target: tests are those of wasm-bindgen-test, under Node.js.
      testedWith = "wasm-bindgen-test";
      testInputs = [
        pkgs.nodejs
        workspace.programs.dev.xtask-bindgen
      ];
      testEnv.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER = "xtask-bindgen test";
    };
    # end web
  };

  # What single members need; a workspace without one of them has no use for its line.
  members = lib.intersectAttrs workspace.facts.members {
    gantry.testFiles = auditCases;
    gantry-web.testFiles = auditCases; # only web
    # Its tests hold the rules of the whole repository.
    xtask = inRepository withoutCode // {
      testFiles = [ "docs" ];
    };
    # begin template
    # Their tests make projects of the whole repository.
    xtask-init = makingProjects;
    xtask-template = makingProjects // {
      testFiles = [ "xtask/init/tests" ];
    };
    # end template
    xtask-nix = {
      testFiles = [
        ".github"
        "docs"
        "flake.nix"
        "xtask/tests/support"
      ];
      testInputs = [ pkgs.git ];
    };
  };
}
