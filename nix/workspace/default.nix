# lib.mkWorkspace: crate-level build layers for any cargo workspace. See docs/caching.md.
{ lib }:

{
  # The package set to build with.
  pkgs,
  # crane: its flake, or anything with `mkLib`.
  crane,
  # The folder of the root Cargo.toml, as a path.
  root,
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
  # where given, only members with that dev-dependency have tests that can run there.
  targets ? { },
  # Per member: files and testFiles (paths from the root that it reads outside its folder),
  # nativeBuildInputs, buildInputs, env, testInputs, testEnv.
  members ? { },
  # The profile that is tested and linted.
  checkProfile ? "dev",
  profiles ? [
    "dev"
    "release"
  ],
  # Whether warnings of clippy and rustdoc are errors.
  denyWarnings ? true,
  # What clippy looks at; for single members `members.NAME.lintTargets`.
  lintTargets ? "--all-targets",
}:

let
  toml = import ./toml.nix { inherit lib; };
  paths = import ./paths.nix { inherit lib; };
  platform = import ./platform.nix { inherit lib; };
  semver = import ./semver.nix { inherit lib; };

  manifests = import ./facts.nix { inherit lib paths toml; } { inherit root; };
  lock = import ./lock.nix { inherit lib semver toml; } {
    inherit cargoLock;
    facts = manifests;
  };
  # Whoever depends on a patched member depends on a third-party crate.
  facts = manifests // {
    inherit (lock) patched;
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

  sources = import ./sources.nix { inherit lib paths toml; } { inherit facts root settings; };

  vendor =
    packages:
    craneLib.vendorMultipleCargoDeps (
      {
        cargoConfigs = sources.configFiles;
        cargoLockParsedList = [ { package = packages; } ];
      }
      // vendoring
    );

  # The member's tests can be run on the target.
  isTestedOn =
    target: m:
    !(targets.${target} or { } ? testedWith)
    || lib.any (d: d.kind == "dev" && d.package == targets.${target}.testedWith) m.dependencies;

  forTarget =
    name:
    let
      host = pkgs.stdenv.hostPlatform.rust.rustcTarget;
      own = targets.${name} or { };
      withFlags = import ./rustflags.nix { inherit lib platform; } {
        inherit (sources) config;
        inherit (target) env;
      };
      target = {
        inherit name;
        # cargo's `--target`; without one it builds for the host.
        triple = if name == "native" then null else name;
        # cargo hands flags to tools on the host only where it is told no target.
        platforms =
          if name == "native" then
            lib.genAttrs [ "target" "host" ] (_: withFlags (platform.fromTriple host))
          else
            {
              target = withFlags (platform.fromTriple name);
              host = platform.fromTriple host;
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
      skeleton = import ./skeleton.nix { inherit lib toml; } {
        inherit facts lock;
        inherit (graph) selected;
        features = {
          build = resolve false;
          test = resolve true;
        };
      };
      manifest = import ./manifest.nix { inherit lib paths; } {
        inherit facts graph;
        emptyLibrary = "${skeleton.directory}/lib.rs";
      };
    in
    {
      inherit graph skeleton;
      tested = lib.filter (member: isTestedOn name facts.members.${member}) graph.selected;
      profiles = lib.genAttrs profiles (
        profile:
        import ./layers.nix
          {
            inherit
              lib
              pkgs
              craneLib
              toml
              ;
          }
          {
            inherit
              facts
              graph
              lock
              manifest
              skeleton
              sources
              target
              profile
              vendor
              settings
              denyWarnings
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
  byTarget = lib.genAttrs targetNames forTarget;

  withProgram =
    name: layer:
    layer
    // {
      meta = layer.meta or { } // {
        mainProgram = name;
        description = facts.members.${name}.package.description or name;
      };
    };

  deps = lib.concatMapAttrs (
    target: t:
    lib.mapAttrs' (profile: l: lib.nameValuePair "deps-${target}-${profile}" l.deps) t.profiles
  ) byTarget;
in
{
  # What the manifests say (see facts.nix), and crane's library with the toolchain.
  inherit facts craneLib;

  # Every third-party crate of the lock file.
  cargoVendorDir = vendor lock.packages;

  # The workspace without its code, for tools that read manifests only.
  manifests = import ./manifests.nix { inherit lib pkgs toml; } {
    inherit facts lock;
    manifest = import ./manifest.nix { inherit lib paths; } {
      inherit facts;
      graph.present = _: true;
      emptyLibrary = "empty.rs";
    };
  };

  # target → profile → layer → member; see layers.nix
  layers = lib.mapAttrs (_: t: t.profiles) byTarget;

  # profile → member → what it installs: its native programs and C libraries
  programs = lib.mapAttrs (_: l: lib.mapAttrs withProgram l.build) byTarget.native.profiles or { };

  # deps-TARGET-PROFILE, and `deps` with all of them
  deps = deps // {
    deps = pkgs.linkFarm "deps" deps;
  };

  checks = import ./checks.nix { inherit lib pkgs; } {
    inherit facts;
    formatting = import ./formatting.nix { inherit lib craneLib toml; } { inherit facts sources; };
    targets = lib.mapAttrs (_: t: {
      layers = t.profiles.${checkProfile};
      inherit (t) tested;
    }) byTarget;
  };
}
