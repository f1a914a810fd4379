# What the facts, features and dependency packages say of a small workspace (./workspace).
{ lib }:

let
  toml = import ../workspace/toml.nix { inherit lib; };
  paths = import ../workspace/paths.nix { inherit lib; };
  platform = import ../workspace/platform.nix { inherit lib; };
  semver = import ../workspace/semver.nix { inherit lib; };
  root = ./workspace;

  facts =
    import ../workspace/facts.nix { inherit lib paths toml; } {
      inherit root;
      config = { };
    }
    // {
      patched = [ ];
    };
  lock = import ../workspace/lock.nix { inherit lib semver toml; } {
    inherit facts;
    cargoLock = root + "/Cargo.lock";
  };

  target = name: triple: {
    inherit name;
    platforms = lib.mapAttrs (_: platform.fromTriple) {
      target = triple;
      host = "x86_64-unknown-linux-gnu";
    };
  };
  native = target "native" "x86_64-unknown-linux-gnu";
  wasm = target "wasm32-unknown-unknown" "wasm32-unknown-unknown";

  graph = target: import ../workspace/graph.nix { inherit lib platform; } { inherit facts target; };
  features =
    target: dev:
    import ../workspace/features.nix { inherit lib platform; } {
      inherit facts dev;
      inherit (graph target) selected;
      inherit (target) platforms;
    };
  dependenciesPackage =
    target:
    import ../workspace/dependencies-package.nix { inherit lib toml; } {
      inherit facts lock;
      inherit (graph target) selected;
      features = lib.genAttrs [ "build" "test" ] (mode: features target (mode == "test"));
    };
  manifest =
    target:
    import ../workspace/manifest.nix { inherit lib paths toml; } {
      inherit facts;
      graph = graph target;
      emptyLibrary = "empty.rs";
    };

  thirdParty =
    target: dev:
    lib.naturalSort (
      map (t: "${t.builtFor} ${t.member} ${t.d.package} ${toString t.features}")
        (features target dev).thirdParty
    );
  inDependenciesPackage =
    target: present:
    fromTOML
      ((dependenciesPackage target).manifests {
        inherit present;
        profile = "dev";
        library = false;
        hostTools = false;
      })."Cargo.toml";

  test = expr: expected: { inherit expr expected; };
in
{
  "members: globs, excludes, the root package and what is used by path" =
    test (lib.mapAttrs (_: m: m.dir) facts.members)
      {
        app = "";
        base = "crates/base";
        macros = "crates/macros";
        nested = "crates/base/nested";
        page = "crates/page";
        tools = "tools";
      };
  "packages that are used by path but excluded are no members" = test (lib.attrNames facts.locals) [
    "vendored"
  ];
  "inherited fields" =
    test
      {
        inherit (facts.members.base) version edition;
        inherit (facts.members.base.package) readme;
      }
      {
        version = "0.4.0";
        edition = "2021";
        readme = "../../README.md";
      };
  "inherited dependencies" =
    test (map (d: d.spec) (lib.filter (d: d.key == "serde") facts.members.base.dependencies))
      [
        {
          version = "1";
          features = [
            "derive"
            "rc"
          ];
          default-features = false;
          optional = true;
        }
      ];
  "targets" = test (lib.mapAttrs (_: t: (graph t).selected) { inherit native wasm; }) {
    native = [
      "app"
      "base"
      "macros"
      "nested"
      "tools"
    ];
    wasm = [
      "base"
      "nested"
      "page"
    ];
  };
  "closures" = test (lib.genAttrs [ "app" "base" "page" "tools" ] (graph native).closure) {
    app = [
      "base"
      "macros"
      "nested"
      "tools"
    ];
    base = [ "nested" ];
    page = [
      "base"
      "nested"
    ];
    tools = [ ];
  };
  "tests need dev-dependencies too, in circles as well" =
    test (lib.genAttrs [ "base" "nested" ] (graph native).testClosure)
      {
        base = [ "nested" ];
        nested = [ "base" ];
      };
  "features that members ask of each other" = test (features native false).members {
    target = {
      app = [
        "default"
        "fast"
      ];
      base = [
        "default"
        "serde"
        "std"
      ];
      macros = [ ];
      nested = [ "extra" ];
      tools = [ ];
    };
    host = {
      macros = [ ];
      tools = [ "host-only" ];
    };
  };
  "a weak feature counts where something else turns the dependency on" =
    test (lib.filter (lib.hasInfix "serde") (thirdParty native false))
      [ "target base serde derive rc alloc" ];
  "platforms and targets divide third-party crates" =
    test
      {
        native = map (d: lib.elemAt (lib.splitString " " d) 2) (thirdParty native false);
        wasm = map (d: lib.elemAt (lib.splitString " " d) 2) (thirdParty wasm false);
      }
      {
        native = [
          "vendored"
          "cc"
          "libc"
          "vendored"
          "serde"
          "vendored"
        ];
        wasm = [
          "js-sys"
        ];
      };
  "the dependencies package pins what is locked, under the names of the crates" =
    test ((inDependenciesPackage native [ ]).dependencies)
      {
        libc = {
          package = "libc";
          version = "=0.2.100";
          features = [ ];
          default-features = true;
        };
        serde = {
          package = "serde";
          version = "=1.0.200";
          features = [
            "alloc"
            "derive"
            "rc"
          ];
          default-features = false;
        };
        vendored = {
          package = "vendored";
          path = "../vendored";
          version = "=0.1.0";
          features = [ ];
          default-features = true;
        };
      };
  "the dependencies package tells the members of a layer what others ask of them" =
    test (inDependenciesPackage native [ "nested" ]).dependencies.nested
      {
        path = "../crates/base/nested";
        default-features = false;
        features = [ "extra" ];
      };
  "the dependencies package's macro finds a path from its own folder" =
    test
      (fromTOML
        ((dependenciesPackage native).manifests {
          present = [ ];
          profile = "dev";
          library = true;
          hostTools = true;
        })."macro/Cargo.toml"
      ).dependencies.vendored.path
      "../../vendored";
  "a dependant's manifest leaves out what it does not build" =
    test
      (lib.intersectAttrs
        {
          dev-dependencies = null;
          features = null;
          test = null;
        }
        (
          (manifest native).member {
            name = "nested";
            tests = false;
            lints = false;
          }
        )
      )
      {
        dev-dependencies = { };
        features = {
          extra = [ ];
          checked = [ ];
        };
      };
  "the lock file of a target holds what it needs" =
    test (map (p: p.name) (lock.needed [ facts.members.page ]))
      [
        "js-sys"
        "serde"
        "serde_derive"
      ];
}
