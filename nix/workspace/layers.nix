# The layers: the derivations that run cargo.
#
#   deps                 third-party crates, through the skeleton
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
  toml,
}:

{
  facts,
  graph,
  lock,
  manifest,
  skeleton,
  sources,
  # { name, triple, platforms, nativeBuildInputs, buildInputs, env, testEnv, … }
  target,
  profile,
  # The sources of locked packages, as a folder for cargo.
  vendor,
  # Whether tests and lints are run in this profile.
  checked,
  # Arguments of mkWorkspace for single members.
  settings,
  denyWarnings,
  lintTargets,
}:

let
  inherit (facts) members;
  file = builtins.toFile;

  packages = lock.needed (
    map (name: members.${name}) (
      lib.unique (lib.concatMap (name: [ name ] ++ graph.testClosure name) graph.selected)
    )
  );

  cargoVendorDir = vendor packages;

  lockFile = file "Cargo.lock" (lock.text packages);

  entries = lib.mapAttrs (_: lock.entry) members;

  config = file "config.toml" sources.cargoConfig;

  # The environment that members ask for; two members of one layer must not disagree.
  environment = lib.foldl' (
    env: name:
    lib.mapAttrs (
      variable: value:
      if
        env ? ${variable}
        && (settings.${name}.env or { }) ? ${variable}
        && env.${variable} != settings.${name}.env.${variable}
      then
        throw "`${name}` and another member of its closure set ${variable} to different values. A crate that both need cannot be built for both: set it for the workspace."
      else
        value
    ) (env // settings.${name}.env or { })
  ) { };

  # Build scripts of third-party crates look at the inputs of the build: they are the same in every layer.
  inputs =
    kind: target.${kind} ++ lib.concatMap (name: settings.${name}.${kind} or [ ]) graph.selected;

  layer =
    {
      name,
      real,
      unpack,
      # Arguments of skeleton.manifests.
      stand,
      directories,
      commands,
      install,
      inherits ? [ ],
      env ? { },
      nativeBuildInputs ? [ ],
      # The manifest of a package at the root, and what cargo is told to build besides the skeleton.
      rootPackage ? { },
      selects ? [ ],
      ...
    }@args:
    let
      manifests = skeleton.manifests (
        {
          inherit profile;
          present = real;
        }
        // stand
      );
      hasMacro = manifests ? "macro/Cargo.toml";
    in
    craneLib.mkCargoDerivation (
      {
        inherit name;
        pname = name;
        version = "";
        src = null;
        inherit cargoVendorDir;
        cargoArtifacts = null;
        doInstallCargoArtifacts = false;
        strictDeps = true;
        dontFixup = true;
        nativeBuildInputs = inputs "nativeBuildInputs" ++ [ pkgs.jq ] ++ nativeBuildInputs;
        buildInputs = inputs "buildInputs";
        # Of what would make the next compilation in the same folder faster, nothing is left.
        env = {
          CARGO_INCREMENTAL = "0";
        }
        // target.env
        // environment real
        // env;

        layerProfile = profile;
        layerPackages = toString (
          map (p: "-p ${p}") (
            selects ++ [ skeleton.directory ] ++ lib.optional (hasMacro && facts.resolver == "1") skeleton.macro
          )
        );
        layerMacro = lib.optionalString (hasMacro && facts.resolver != "1") "-p ${skeleton.macro}";
        layerTarget = if target.triple == null then "" else target.triple;

        # The folder has the same name in every layer: cargo and rustc note where things were.
        unpackPhase = ''
          runHook preUnpack
          source ${./layer.sh}
          export CARGO_HOME=$NIX_BUILD_TOP/cargo-home
          mkdir source
          cd source
          ${unpack}
          mkdir -p .cargo ${skeleton.directory}/macro
          touch ${skeleton.directory}/lib.rs
          echo 'fn main() {}' >${skeleton.directory}/build.rs
          cp --no-preserve=mode ${config} .cargo/config.toml
          ${lib.concatStrings (
            lib.mapAttrsToList (
              name: text: "cp --no-preserve=mode ${file "Cargo.toml" text} ${skeleton.directory}/${name}\n"
            ) manifests
          )}
          cp --no-preserve=mode ${
            file "Cargo.toml" (
              toml.print (
                manifest.workspace {
                  inherit profile packages;
                  directories =
                    directories ++ [ skeleton.directory ] ++ lib.optional hasMacro "${skeleton.directory}/macro";
                }
                // rootPackage
              )
            )
          } Cargo.toml
          cat ${lockFile} ${
            file "Cargo.lock" (
              lib.concatMapStrings (name: entries.${name}) (lib.subtractLists facts.patched real)
            )
          } >Cargo.lock
          runHook postUnpack
        '';
        # As old as everything in the store, whatever was written here.
        postPatch = ''
          find . -exec touch -h -d @1 {} +
        '';
        buildPhase = ''
          runHook preBuild
          ${lib.optionalString (lib.any (
            name: members.${name}.dir == "" && members.${name}.hasBuildScript
          ) real) "settleLockFile"}
          inheritArtifacts ${lib.concatMapStringsSep " " (l: "${l.artifacts or l}") inherits}
          ${commands}
          runHook postBuild
        '';
        buildPhaseCargoCommand = "";
        installPhaseCommand = install;
      }
      # The rest is the derivation's own.
      // removeAttrs args (lib.attrNames (lib.functionArgs layer))
    );

  inherit (sources) place;

  # Every form of every member's manifest, made once for all layers.
  variant = tests: lints: "${lib.boolToString tests} ${lib.boolToString lints}";
  manifests = lib.mapAttrs (
    name: _:
    lib.listToAttrs (
      map
        (
          { tests, lints }@form:
          let
            value = manifest.member (form // { inherit name; });
          in
          lib.nameValuePair (variant tests lints) {
            inherit value;
            file = file "Cargo.toml" (toml.print value);
          }
        )
        (
          lib.cartesianProduct {
            tests = [
              true
              false
            ];
            lints = [
              true
              false
            ];
          }
        )
    )
  ) members;

  # What third-party crates are made of besides the vendored sources, in every layer.
  placeThirdParty =
    real:
    let
      patched = lib.subtractLists real facts.patched;
    in
    place (
      sources.locals
      ++ lib.concatMap (
        name:
        sources.member {
          inherit name;
          tests = false;
        }
      ) patched
    )
    + placeManifests (name: manifests.${name}.${variant false false}) patched;

  placeManifests =
    manifestOf:
    lib.concatMapStrings (
      name:
      "cp --no-preserve=mode ${(manifestOf name).file} ${
        lib.escapeShellArg members.${name}.dir
      }/Cargo.toml\n"
    );

  suffix = lib.optionalString (target.triple != null) "-${target.name}";

  # A layer of one member, on the `build` or the `check` layers of what it is made of.
  memberLayer =
    kind: on: name:
    {
      # Whether it holds the member's tests, and what they depend on.
      tests ? false,
      # Whether later layers inherit its artifacts.
      stored ? false,
      commands,
      ...
    }@args:
    let
      m = members.${name};
      others = if tests then graph.testClosure name else graph.closure name;
      real = [ name ] ++ others;
      nested = lib.filter (other: members.${other}.dir != "") real;
      # Members that are not built for this target themselves have no layer to inherit from.
      isLayered = other: lib.elem other graph.selected;
      linted = on == "check";
      # What no other member waits for, its tests and lints do not wait for either: they compile it at
      # the same time.
      inheritsItself = !stored && graph.isDependency name;
      manifestOf = other: manifests.${other}.${variant (tests && other == name) linted};
    in
    layer (
      {
        name = "${kind}-${name}${suffix}-${profile}";
        inherit real;
        unpack =
          place (
            lib.concatMap (
              other:
              sources.member {
                name = other;
                tests = tests && other == name;
              }
            ) real
            ++ lib.optionals linted (
              sources.configuration [
                "clippy.toml"
                ".clippy.toml"
              ] real
            )
          )
          + placeManifests manifestOf nested
          + placeThirdParty real;
        rootPackage = lib.optionalAttrs (lib.length nested < lib.length real) (
          (manifestOf facts.memberAt.${""}).value
        );
        stand = {
          library = false;
          hostTools = stored && skeleton.isHostTool name;
          checked = kind == "cargo-check";
        };
        directories = map (other: members.${other}.dir) nested;

        inherits = [
          self.deps
        ]
        ++ map (other: self.${on}.${other}) (
          lib.filter isLayered (lib.optional inheritsItself name ++ others)
        );
        commands = lib.optionalString linted clippyEnvironment + commands;

        layerMember = name;
        # What the layer may compile: its member, what has no layer of its own, and the skeleton.
        layerOwn = lib.concatStringsSep "\n" (
          map (other: members.${other}.dir) ([ name ] ++ lib.filter (other: !(isLayered other)) others)
          ++ [
            skeleton.directory
            "${skeleton.directory}/macro"
          ]
        );
        # Third-party crates that depend on a patched member are compiled again where it is a member.
        layerMayRebuild = lib.optionalString (lib.elem name facts.patched) "1";
        selects = [ "${name}@${m.version}" ];
      }
      // removeAttrs args [
        "tests"
        "stored"
        "commands"
      ]
    );

  # clippy's own wrapper and arguments, so that every cargo command on check layers agrees on them.
  clippyEnvironment = ''
    printf '#!%s\nexport -p | grep -E " (RUSTC_WORKSPACE_WRAPPER|CLIPPY_ARGS)="\n' "$SHELL" >"$NIX_BUILD_TOP/print-environment"
    chmod +x "$NIX_BUILD_TOP/print-environment"
    eval "$(CARGO=$NIX_BUILD_TOP/print-environment cargo-clippy clippy${lib.optionalString denyWarnings " -- --cap-lints warn"})"
  '';

  # Shared crates are compiled once more for tests where features or the profile differ there.
  testProfile = if profile == "dev" then "test" else profile;
  testsDiffer =
    skeleton.testsDiffer
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

  self = {
    deps = layer {
      name = "deps-${target.name}-${profile}";
      real = [ ];
      unpack = placeThirdParty [ ];
      stand = {
        library = true;
        hostTools = true;
        inherit checked;
      };
      directories = [ ];
      # Everything that it compiles is its own.
      layerOwn = "";
      layerMember = skeleton.directory;
      commands = ''
        layerCargo build
        ${lib.optionalString checked ''
          layerCargo check
          checkMacro
          layerProfile=${testProfile} layerCargo test --no-run --lib
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
        commands = "layerProfile=${testProfile} layerCargo test --no-fail-fast";
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
