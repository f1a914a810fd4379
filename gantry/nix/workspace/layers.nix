# The layers: the derivations that run cargo.
#
#   deps                 third-party crates, through the dependencies package
#   build   a member     its library and programs; from the build layers of its closure
#   check   a member     its library under clippy, lints capped; from the check layers of its closure
#   test    a member     its tests, run; from build layers
#   clippy  a member     all its targets under clippy; from check layers
#   doc     a member     its documentation; from check layers
#
# deps, check and, where another member depends on it, build store artifacts.
#
# Of derivations that are ready, Nix starts that with the first name: `cargo-build` and `cargo-check`, which
# others wait for, then `cargo-test`, which takes longest, then the rest.
{
  lib,
  pkgs,
  craneLib,
  platform,
  toml,
}:

{
  facts,
  graph,
  lock,
  manifest,
  dependenciesPackage,
  sources,
  # See config.nix.
  cargoConfig,
  # { name, triple, platforms, nativeBuildInputs, buildInputs, env, testEnv, … }
  target,
  profile,
  # The sources of locked packages, as a folder for cargo.
  vendor,
  # Whether tests and lints are run in this profile.
  checked,
  # Arguments of mkWorkspace for single members.
  settings,
  source,
  denyWarnings,
  freshness,
  lintTargets,
}@context:

let
  inherit (facts) members;

  layer = import ./layer.nix {
    inherit lib pkgs craneLib;
  } context;
  unpack = import ./unpack.nix { inherit lib toml; } context;
  memberLayer = import ./member-layer.nix { inherit lib; } (
    context
    // {
      inherit clippyEnvironment layer unpack;
      layers = self;
    }
  );

  # Shared crates are compiled once more for tests where features or the profile differ there.
  testProfile = if profile == "dev" then "test" else profile;
  testsDiffer =
    dependenciesPackage.testsDiffer
    || facts.rootManifest ? profile.${testProfile} && testProfile != profile
    || facts.profileSetting profile "panic" == "abort";
  # The command that does that. cargo heeds `--examples` although there are none: with them
  # dev-dependencies count for features. Tests unwind, whatever the profile says.
  sharedForTests =
    name: command:
    lib.optionalString (checked && testsDiffer && members.${name}.hasLib && graph.isDependency name) (
      let
        variable = "CARGO_PROFILE_${lib.toUpper (lib.replaceStrings [ "-" ] [ "_" ] profile)}_PANIC";
      in
      "${variable}=unwind ${command} --lib --examples"
    );

  # clippy's own wrapper and arguments, so that every cargo command on check layers agrees on them.
  clippyEnvironment = ''
    printf '#!%s\nexport -p | grep -E " (RUSTC_WORKSPACE_WRAPPER|CLIPPY_ARGS)="\n' "$SHELL" >"$NIX_BUILD_TOP/print-environment"
    chmod +x "$NIX_BUILD_TOP/print-environment"
    eval "$(CARGO=$NIX_BUILD_TOP/print-environment cargo-clippy clippy${lib.optionalString denyWarnings " -- --cap-lints warn"})"
  '';

  # Puts the programs there that a member's tests run without depending on their members.
  programsFor =
    name:
    let
      programs = settings.${name}.programs or [ ];
      folder =
        {
          dev = "debug";
          bench = "release";
        }
        .${profile} or profile;
    in
    lib.optionalString (programs != [ ]) ''
      placePrograms target/${lib.optionalString (target.triple != null) "${target.triple}/"}${folder} ${
        toString (
          map (
            program:
            self.build.${program}
              or (throw "members.${name}.programs names `${program}`, which is no member that is built for ${target.name}.")
          ) programs
        )
      }
    '';

  # How cargo's configuration says that tests are started, in words.
  runner =
    let
      tables = lib.filterAttrs (
        key: table: table ? runner && platform.matches target.platforms.target key
      ) (cargoConfig.config.target or { });
      # What it says of a triple counts more than what it says of a `cfg(…)`.
      said =
        (tables.${target.platforms.target.triple}
          or (lib.head (lib.attrValues tables ++ [ { runner = [ ]; } ]))
        ).runner;
    in
    if builtins.isString said then lib.filter (word: word != "") (lib.splitString " " said) else said;

  # Has a member's tests find the whole workspace, where they look at it.
  showWorkspaceTo =
    name:
    let
      file = sources.looksAround name;
      said = settings.${name}.testsReadWorkspace or null;
      says = text: "echo ${lib.escapeShellArg "note: ${text}"}\n";
    in
    if said != null && !builtins.isBool said then
      throw "mkWorkspace: members.${name}.testsReadWorkspace is true or false."
    else
      lib.optionalString (target.name == "native" && (if said == null then file != null else said)) (
        lib.optionalString (said == null) (
          says "the tests of `${name}` find the whole workspace, since ${file} names a manifest or runs cargo: any edit of any file runs them again. Without that, in the arguments of mkWorkspace:"
          + says "  members.${name}.testsReadWorkspace = false;"
        )
        + "showWorkspace ${sources.workspace.from} ${lib.escapeShellArgs runner}\n"
      );

  self = {
    deps = layer {
      name = "deps-${target.name}-${profile}";
      included = [ ];
      folder = unpack.withoutMembers {
        library = true;
        hostTools = true;
        inherit checked;
      };
      # Everything that it compiles is its own.
      layerOwn = "";
      layerMember = "";
      # A patched package at the root is a member here, and so goes through clippy in check layers: here, too. For
      # tests it must not, so that they come first.
      commands = ''
        layerCargo build
        ${lib.optionalString checked ''
          layerProfile=${testProfile} layerCargo test --no-run --lib
          ${lib.optionalString facts.isRootPatched clippyEnvironment}
          layerCargo check
          checkMacro
          layerCargo check --all-targets
        ''}
      '';
      install = "installArtifacts $out";
    };

    build = lib.genAttrs graph.selected (
      name:
      memberLayer "cargo-build" "build" name {
        stored = true;
        commands = ''
          layerCargo build
          ${sharedForTests name "layerProfile=${testProfile} layerCargo build"}
        '';
        outputs = [ "out" ] ++ lib.optional (graph.isDependency name) "artifacts";
        install = ''
          mkdir -p $out
          ${lib.optionalString (graph.isDependency name) "installArtifacts $artifacts"}
          installProducts $out ''${artifacts-}
        '';
        nativeBuildInputs = lib.optionals members.${name}.hasProducts [
          craneLib.removeReferencesToRustToolchainHook
          craneLib.removeReferencesToVendoredSourcesHook
        ];
      }
    );

    test = lib.genAttrs graph.selected (
      name:
      memberLayer "cargo-test" "build" name {
        tests = true;
        showWorkspace = showWorkspaceTo name;
        commands = programsFor name + "layerProfile=${testProfile} layerTest";
        install = "touch $out";
        env = target.testEnv // settings.${name}.testEnv or { };
        nativeBuildInputs = target.testInputs ++ settings.${name}.testInputs or [ ];
      }
    );

    check = lib.genAttrs graph.selected (
      name:
      memberLayer "cargo-check" "check" name {
        stored = true;
        commands = ''
          layerCargo check
          checkMacro
          ${sharedForTests name "layerCargo check"}
        '';
        install = "installArtifacts $out";
      }
    );

    clippy = lib.genAttrs graph.selected (
      name:
      memberLayer "clippy" "check" name {
        tests = true;
        commands = ''
          layerCargo check ${settings.${name}.lintTargets or lintTargets}
          ${lib.optionalString denyWarnings "denyLints"}
        '';
        install = "touch $out";
      }
    );

    doc = lib.genAttrs graph.selected (
      name:
      memberLayer "doc" "check" name {
        commands = ''
          ${lib.optionalString denyWarnings ''export RUSTDOCFLAGS="''${RUSTDOCFLAGS-} -D warnings"''}
          layerCargo doc --no-deps
        '';
        # A member may say that none of it is to be documented.
        install = ''
          documentation=target/${lib.optionalString (target.triple != null) "${target.triple}/"}doc
          mkdir -p $documentation
          cp -r $documentation $out
        '';
      }
    );
  };
in
self
