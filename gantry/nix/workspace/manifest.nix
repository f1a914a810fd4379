# The manifests that a layer gets: those of the members in it, written anew from the facts.
#
# Written anew because a layer holds a part of the workspace only. What is left out is what this part
# does not need, so that a change of it does not rebuild the layer; the rest is said as it was.
{
  lib,
  paths,
  toml,
}:

{
  facts,
  graph,
  # A file without code, from the root.
  emptyLibrary,
}:

let
  # Whether a value of a member's [features] names something that is there: "feature", "dep:key",
  # "key/feature" or "key?/feature".
  isThere =
    m: dependencies: value:
    let
      parts = builtins.match "(dep:)?([^/?]+)\\??(/.+)?" value;
      key = lib.elemAt parts 1;
    in
    lib.any (d: d.key == key) dependencies
    || lib.elemAt parts 0 == null && lib.elemAt parts 2 == null && m.manifest.features ? ${key};
in
{
  # A member's manifest. `tests`: with dev-dependencies and the targets that need them; `lints`: with
  # its lints, which a build does not need.
  member =
    {
      name,
      tests,
      lints,
    }:
    let
      m = facts.members.${name};
      dependencies = lib.filter (
        d: (d.kind != "dev" || tests) && (facts.memberOf d == null || graph.present d)
      ) m.dependencies;
      table =
        kind: list:
        lib.listToAttrs (
          map (
            d:
            lib.nameValuePair d.key (
              d.spec // lib.optionalAttrs (d.path != null) { path = paths.up m.dir + d.path; }
            )
          ) (lib.filter (d: d.kind == kind) list)
        );
      tables = list: {
        dependencies = table "normal" list;
        build-dependencies = table "build" list;
        dev-dependencies = table "dev" list;
      };
      cfgs = lib.unique (lib.filter (cfg: cfg != null) (map (d: d.cfg) dependencies));
      metadata = removeAttrs (m.package.metadata or { }) [ "ci" ];
      features = lib.mapAttrs (_: lib.filter (isThere m dependencies)) (m.manifest.features or { });
    in
    {
      package =
        m.package
        // {
          metadata = if metadata == { } then null else metadata;
        }
        # Without a list of its own, cargo runs a build script again when *any* file of the package is
        # newer. Layers hold different files of a package, but all of the same time: one is enough.
        // lib.optionalAttrs m.hasBuildScript {
          include = [ "/Cargo.toml" ];
          exclude = null;
        }
        // lib.optionalAttrs (!tests) {
          autotests = false;
          autobenches = false;
          autoexamples = false;
        };
      features =
        if m.featureLines == null then
          features
        else
          toml.lines (
            map (line: line.comment or (toml.pair line.key features.${line.key})) (
              lib.filter (line: line ? comment || features ? ${line.key}) m.featureLines
            )
          );
    }
    // lib.filterAttrs (
      key: _:
      lib.elem key (
        [
          "lib"
          "bin"
          "cargo-features"
        ]
        ++ lib.optionals tests [
          "test"
          "bench"
          "example"
        ]
      )
    ) m.manifest
    # A package of tests alone has an empty library where they are left out: cargo wants one target.
    // lib.optionalAttrs (!tests && !m.hasLib && !m.hasPrograms) {
      lib.path = "${paths.up m.dir}${emptyLibrary}";
    }
    // tables (lib.filter (d: d.cfg == null) dependencies)
    // lib.optionalAttrs (cfgs != [ ]) {
      target = lib.genAttrs cfgs (cfg: tables (lib.filter (d: d.cfg == cfg) dependencies));
    }
    // lib.optionalAttrs (lints && m.lints != { }) { inherit (m) lints; };

  # The root manifest: the workspace's settings around these members' folders.
  workspace =
    {
      directories,
      profile,
      # The locked packages of the target: a [patch] of anything else is left out.
      packages,
      # Whether build scripts or macros run that may read it.
      isRead,
    }:
    let
      root = facts.rootManifest;
      profiles = root.profile or { };
      # A profile, those it inherits from and the one that cargo takes for its tests.
      family =
        name:
        [ name ]
        ++ lib.optional (name == "dev") "test"
        ++ lib.optional (name == "release") "bench"
        ++ lib.optionals (profiles.${name} or { } ? inherits) (family profiles.${name}.inherits);
      # Unless told, cargo chooses the debug information of build dependencies by whether the same crate
      # is built for the target too. That is another choice in every layer: it is made here for all.
      hostTools = {
        debug = false;
      }
      // (
        let
          said = facts.profileSetting profile "build-override";
        in
        if said == null then { } else said
      );
      isUsed =
        key: patch:
        lib.any (
          p:
          p.name == patch.package or key
          && (
            if patch ? path then !(p ? source) else p ? source && lib.hasPrefix "git+" p.source == patch ? git
          )
        ) packages;
    in
    {
      workspace = {
        members = directories;
        # What `members` names is a member all the same, and so is the package at the root.
        exclude = lib.filter (dir: dir != "") (
          map (l: l.dir) (lib.attrValues facts.locals ++ map (name: facts.members.${name}) facts.patched)
        );
        # Resolver 3 differs from 2 in how it chooses versions, and these are locked.
        resolver = if facts.resolver == "3" then "2" else facts.resolver;
      }
      // lib.optionalAttrs isRead {
        package = root.workspace.package or null;
        metadata = removeAttrs (root.workspace.metadata or { }) [
          "cache"
          "ci"
        ];
      };
      profile = lib.filterAttrs (name: _: lib.elem name (family profile)) profiles // {
        ${profile} = profiles.${profile} or { } // {
          build-override = hostTools;
        };
      };
      patch = lib.mapAttrs (_: lib.filterAttrs isUsed) (root.patch or { });
    };
}
