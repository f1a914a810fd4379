# lib.mkWorkspace: crate-level build layers for any cargo workspace. See docs/caching.md and docs/nix.md.
{
  lib,
  # The crane that is used where none is named.
  crane,
}:

let
  defaultCrane = crane;
in

{
  # The package set to build with.
  pkgs,
  # crane: its flake, or anything with `mkLib`.
  crane ? defaultCrane,
  # The folder of the root Cargo.toml, as a path.
  root,
  # Files and folders that every member reads, or path dependencies that are no members, and that are in none:
  # paths from the root.
  files ? [ ],
  # The lock file, where it is not the one at the root.
  cargoLock ? root + "/Cargo.lock",
  # The Rust toolchain; without one, nixpkgs'.
  toolchain ? null,
  # How crane gets third-party crates: arguments of its vendorMultipleCargoDeps, such as `outputHashes`
  # of git dependencies or `overrideVendorCargoPackage`.
  vendoring ? { },
  # What every layer is built with, for all targets.
  nativeBuildInputs ? [ ],
  env ? { },
  # Per target: buildInputs, nativeBuildInputs, env; for its tests testInputs, testEnv, and `testedWith`:
  # where given, only members with that dev-dependency have tests that can run there. For
  # wasm32-unknown-unknown also `bindgen`, a package with the programs of wasm-bindgen; what wasm.nix
  # says of that target is added to. `cfg`: the lines of `rustc --print cfg`, for a target that targets.json
  # does not have.
  targets ? { },
  # What programs for people without Nix are built with besides, for all of `release-targets`:
  # buildInputs, nativeBuildInputs, env.
  release ? { },
  # Per member: files and testFiles (paths from the root that it reads outside its folder), programs (members
  # whose programs its tests run without depending on them), testsReadWorkspace, source, nativeBuildInputs,
  # buildInputs, env, testInputs, testEnv.
  members ? { },
  # The profile that is tested and linted.
  checkProfile ? "dev",
  profiles ? [
    "dev"
    "release"
  ],
  # Whether warnings of clippy and rustdoc are errors.
  denyWarnings ? true,
  # What becomes of a layer that compiles more than its own crate: "report" says so in its log, "require"
  # makes it an error.
  freshness ? "report",
  # What a member's layers are made of: "member", its own files and those of its dependencies, or "workspace",
  # all files with manifests as they are; for single members `members.NAME.source`. What depends on a member
  # that is built from the workspace is built from it, too.
  source ? "member",
  # What clippy looks at; for single members `members.NAME.lintTargets`.
  lintTargets ? "--all-targets",
}:

let
  toml = import ./toml.nix { inherit lib; };
  merge = import ./merge.nix { inherit lib; };
  paths = import ./paths.nix { inherit lib; };
  platform = import ./platform.nix { inherit lib; };
  semver = import ./semver.nix { inherit lib; };

  cargoConfig = import ./config.nix { inherit lib paths toml; } { inherit root; };

  manifests = import ./facts.nix { inherit lib paths toml; } {
    inherit root;
    config = cargoConfig.manifest;
  };
  lock = import ./lock.nix { inherit lib semver toml; } {
    inherit cargoLock;
    facts = linked;
  };
  # A [patch] may put a member in the place of what others name by its version or repository alone: the lock
  # file says so. They depend on it by path then.
  linked = manifests // {
    members = lib.mapAttrs (
      _: m:
      m
      // {
        dependencies = map (
          d:
          if d.path == null && manifests.members ? ${d.package} && lock.isMember (lock.locked m d) then
            let
              path = manifests.members.${d.package}.dir;
            in
            d
            // {
              inherit path;
              spec = removeAttrs d.spec lock.sourceKeys // {
                inherit path;
              };
            }
          else
            d
        ) m.dependencies;
      }
    ) manifests.members;
  };
  # Whoever depends on a patched member depends on a third-party crate.
  facts = linked // {
    inherit (lock) patched;
    # Whether the package at the root is patched. It is a member in every layer, since cargo takes it for one
    # wherever it is.
    isRootPatched = lib.elem (manifests.memberAt.${""} or null) lock.patched;
    memberOf =
      d:
      let
        member = manifests.memberOf d;
      in
      if lib.elem member lock.patched then null else member;
  };

  craneLib =
    if toolchain == null then crane.mkLib pkgs else (crane.mkLib pkgs).overrideToolchain toolchain;

  unknown = lib.filter (name: !(facts.members ? ${name})) (lib.attrNames members);
  settings =
    if unknown == [ ] then
      members
    else
      throw "mkWorkspace: `members` names `${lib.head unknown}`, which is no member of the workspace. Its members are ${lib.concatStringsSep ", " (lib.attrNames facts.members)}.";

  sources = import ./sources.nix { inherit lib paths; } {
    inherit
      facts
      root
      files
      settings
      ;
  };

  vendor =
    packages:
    craneLib.vendorMultipleCargoDeps (
      {
        cargoConfigs = cargoConfig.files;
        cargoLockParsedList = [ { package = lib.filter (p: !(cargoConfig.isCommitted p)) packages; } ];
      }
      // vendoring
    );

  wasm = import ./wasm.nix { inherit lib pkgs; } {
    inherit facts lock;
    bindgen = targets.wasm32-unknown-unknown.bindgen or null;
    programs = programs.${checkProfile};
    modules = byTarget.wasm32-unknown-unknown.profiles.release.build or { };
  };

  released = import ./release.nix { inherit lib pkgs; } { inherit facts; };

  # What is said of a target: by wasm.nix and release.nix, and by the project.
  saidOf =
    target:
    merge (
      if target == "wasm32-unknown-unknown" then
        wasm.target
      else if lib.hasInfix "-linux-musl" target && isHosts target then
        released.musl target
      else
        { }
    ) (targets.${target} or { });

  platformOf =
    triple:
    let
      said = targets.${triple} or { };
    in
    if said ? cfg then platform.fromCfgs triple said.cfg else platform.fromTriple triple;
  host = platformOf pkgs.stdenv.hostPlatform.rust.rustcTarget;
  # Whether this machine compiles for the target without a compiler for another processor or system.
  isHosts =
    target:
    target == "native"
    || lib.all (key: (platformOf target).values.${key} or [ ] == host.values.${key}) [
      "target_arch"
      "target_os"
    ];

  # The member's tests can be run on the target: on this machine, with the test harness that is named for
  # it, or by the runner that cargo knows for it.
  isTestedOn =
    target: m:
    let
      said = saidOf target;
      triple =
        if target != "native" then
          target
        else if cargoConfig.target != null then
          cargoConfig.target
        else
          host.triple;
      runner = "CARGO_TARGET_${lib.toUpper (lib.replaceStrings [ "-" "." ] [ "_" "_" ] triple)}_RUNNER";
    in
    target == "native" && isHosts triple
    || (
      if said ? testedWith then
        lib.any (d: d.kind == "dev" && d.package == said.testedWith) m.dependencies
      else
        said ? testEnv.${runner} || cargoConfig.config ? target.${triple}.runner
    );

  # The layers for one target.
  forTarget =
    {
      # As manifests name it.
      name,
      # cargo's `--target`; without one it builds for the host.
      triple ? null,
      facts,
      profiles,
      # The profile whose tests and lints there are.
      checkProfile,
      # What is said of the target.
      own ? saidOf name,
    }:
    let
      withFlags = import ./rustflags.nix { inherit lib platform; } {
        inherit (cargoConfig) config;
        inherit (target) env;
      };
      target = {
        inherit name triple;
        # cargo hands flags to tools on the host only where it is told no target.
        platforms =
          if triple == null then
            lib.genAttrs [ "target" "host" ] (_: withFlags host)
          else
            {
              target = withFlags (platformOf triple);
              inherit host;
            };
        nativeBuildInputs = nativeBuildInputs ++ own.nativeBuildInputs or [ ];
        buildInputs = own.buildInputs or [ ];
        env = env // own.env or { };
        testInputs = own.testInputs or [ ];
        testEnv = own.testEnv or { };
      };
      graph = import ./graph.nix { inherit lib platform; } { inherit facts target; };
      resolve =
        dev:
        import ./features.nix { inherit lib platform; } {
          inherit facts dev;
          inherit (graph) selected;
          inherit (target) platforms;
        };
      dependenciesPackage = import ./dependencies-package.nix { inherit lib toml; } {
        inherit facts lock;
        inherit (graph) selected;
        features = {
          build = resolve false;
          test = resolve true;
        };
      };
      manifest = import ./manifest.nix { inherit lib paths toml; } {
        inherit facts graph;
        emptyLibrary = "${dependenciesPackage.directory}/lib.rs";
      };
    in
    {
      inherit target;
      tested = lib.filter (member: isTestedOn name facts.members.${member}) graph.selected;
      profiles = lib.genAttrs profiles (
        profile:
        import ./layers.nix
          {
            inherit
              lib
              pkgs
              craneLib
              platform
              toml
              ;
          }
          {
            inherit
              facts
              graph
              lock
              manifest
              dependenciesPackage
              sources
              cargoConfig
              target
              profile
              vendor
              settings
              source
              denyWarnings
              freshness
              lintTargets
              ;
            checked = profile == checkProfile;
          }
      );
    };

  # A member that names a target besides native can be used there. That is no reason to build for the
  # target before one makes something for it, is tested there or is not for native at all.
  isNeeded =
    target:
    target == "native"
    || lib.any (
      m:
      lib.elem target m.targets && (m.isCdylib || isTestedOn target m || !(lib.elem "native" m.targets))
    ) (lib.attrValues facts.members);
  targetNames = lib.filter isNeeded (
    lib.unique (lib.concatMap (m: m.targets) (lib.attrValues facts.members))
  );
  byTarget = lib.genAttrs targetNames (
    name:
    forTarget {
      inherit
        name
        facts
        profiles
        checkProfile
        ;
      triple = if name == "native" then cargoConfig.target else name;
    }
  );

  # The workspace as if these members, and what they are made of, were all that is for `target`.
  only =
    target: names: members:
    let
      parts = map (i: i.key) (
        builtins.genericClosure {
          startSet = map (key: { inherit key; }) names;
          operator =
            i:
            map (key: { inherit key; }) (
              lib.filter (other: other != null) (
                map facts.memberOf (lib.filter (d: d.kind != "dev") facts.members.${i.key}.dependencies)
              )
            );
        }
      );
    in
    facts
    // {
      members = lib.mapAttrs (
        name: m: m // { targets = lib.optional (lib.elem name parts) target; }
      ) members;
    };

  # A member that names no target at all is a tool of the workspace: built on the host for those who run
  # it, apart from all others, and neither tested nor linted.
  tools = lib.mapAttrs (
    name: _:
    forTarget {
      inherit name;
      facts = only name [ name ] facts.members;
      profiles = [ checkProfile ];
      checkProfile = null;
    }
  ) (lib.filterAttrs (_: m: m.targets == [ ]) facts.members);

  # Those of the `release-targets` that this machine compiles for. They have layers of their own: other
  # members, and other features, than those of a target that CI checks.
  releaseTargets = lib.filter isHosts (
    lib.unique (lib.concatMap (m: m.releaseTargets) (lib.attrValues facts.members))
  );
  releases = lib.mergeAttrsList (
    map (
      triple:
      let
        names = lib.attrNames (lib.filterAttrs (_: m: lib.elem triple m.releaseTargets) facts.members);
        layers = forTarget {
          name = triple;
          inherit triple;
          facts = only triple names (
            lib.mapAttrs (_: m: m // { extraFeatures = m.releaseFeatures; }) facts.members
          );
          profiles = [ "release" ];
          checkProfile = null;
          own = merge (saidOf triple) release;
        };
      in
      lib.listToAttrs (
        map (
          name:
          lib.nameValuePair "${name}-${triple}" (
            withProgram name (released.package triple name layers.profiles.release.build.${name})
          )
        ) names
      )
    ) releaseTargets
  );

  withProgram =
    name: layer:
    layer
    // {
      inherit (facts.members.${name}) version;
      meta = layer.meta or { } // {
        mainProgram = name;
        description = facts.members.${name}.package.description or name;
      };
    };

  deps = lib.concatMapAttrs (
    target: t:
    lib.mapAttrs' (profile: l: lib.nameValuePair "deps-${target}-${profile}" l.deps) t.profiles
  ) (byTarget // tools);

  programs =
    lib.mapAttrs (_: l: lib.mapAttrs withProgram l.build) byTarget.native.profiles or { }
    // lib.optionalAttrs (tools != { }) {
      ${checkProfile} =
        lib.mapAttrs withProgram byTarget.native.profiles.${checkProfile}.build or { }
        // lib.mapAttrs (name: t: withProgram name t.profiles.${checkProfile}.build.${name}) tools;
    };
in
{
  # What the manifests say (see facts.nix), and crane's library with the toolchain.
  inherit facts craneLib;

  # The lock file, as a path.
  inherit cargoLock;

  # target → what all its layers are built with: nativeBuildInputs, buildInputs, env
  targets = lib.mapAttrs (_: t: t.target) byTarget;

  # Every third-party crate of the lock file.
  cargoVendorDir = vendor lock.packages;

  # The workspace without its code, for tools that read manifests only.
  manifests = import ./manifests.nix { inherit lib pkgs toml; } {
    inherit facts lock;
    manifest = import ./manifest.nix { inherit lib paths toml; } {
      inherit facts;
      graph.present = _: true;
      emptyLibrary = "empty.rs";
    };
  };

  # target → profile → layer → member; see layers.nix
  layers = lib.mapAttrs (_: t: t.profiles) byTarget;

  # profile → member → what it installs: its native programs and C libraries
  inherit programs;

  # MEMBER-TRIPLE → the program for people without Nix, and the triples that there are of them
  inherit releases releaseTargets;

  # folder's name → the page of a wasm module: its bindings, optimised, and the files of its folder `www`
  inherit (wasm) pages;

  # deps-TARGET-PROFILE, and `deps` with all of them
  deps = deps // {
    deps = pkgs.linkFarm "deps" deps;
  };

  checks =
    import ./checks.nix { inherit lib pkgs; } {
      inherit facts;
      profile = checkProfile;
      formatting = import ./formatting.nix { inherit lib craneLib toml; } { inherit facts sources; };
      targets = lib.mapAttrs (_: t: {
        layers = t.profiles.${checkProfile};
        inherit (t) tested;
      }) byTarget;
    }
    // wasm.checks;
}
