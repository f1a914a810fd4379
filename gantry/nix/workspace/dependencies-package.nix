# The dependencies package: one package that stands for all members that a layer does not compile.
#
# It depends on every third-party crate that the members of a target depend on, at the locked version
# and with the features that they ask for together. In the deps layer it has an empty library, so that
# cargo compiles those crates and nothing else. In a member's layers it has nothing to compile (its only
# program needs a feature that nothing turns on) and still takes part in cargo's resolution: features
# resolve there as they did in the deps layer. No layer stores what was compiled of a dependencies package, so that
# it can never pass for a member.
#
# Because it is one package and not one per member, nothing of a member that is no third-party
# dependency can move the deps layer: not its name, version, code or metadata, nor that it exists.
{ lib, toml }:

{
  facts,
  lock,
  # What features.nix gives for builds and for tests.
  features,
  # The members that are built.
  selected,
}:

let
  directory = "gantry-dependencies";
  macro = "${directory}-macro";

  # One third-party dependency as the dependencies package says it.
  requirement =
    record:
    let
      package = lock.locked facts.members.${record.member} record.d;
    in
    {
      inherit (record) cfg;
      id = "${package.name} ${package.version} ${package.source or ""}";
      name = package.name;
      inherit (package) version;
      spec =
        lib.intersectAttrs (lib.genAttrs lock.sourceKeys (_: null)) record.d.spec
        // lib.optionalAttrs (record.d.path != null) { path = "../${record.d.path}"; }
        // {
          version = "=${package.version}";
        };
      inherit (record) features;
      inherit (record.d) defaultFeatures;
    };

  # How many packages have a name: versions, or sources of one version. cargo wants one key for a
  # package in all tables.
  packages = lib.mapAttrs (_: same: lib.length (lib.unique (map (r: r.id) same))) (
    lib.groupBy (r: r.name) (map requirement (features.build.thirdParty ++ features.test.thirdParty))
  );

  # The dependencies of one table, each crate once.
  merge =
    records:
    let
      one =
        same:
        let
          first = lib.head same;
        in
        lib.nameValuePair
          (
            # A member may have the name of a third-party crate.
            if packages.${first.name} == 1 && !(facts.members ? ${first.name}) then
              first.name
            else
              "${first.name}-${lib.substring 0 8 (builtins.hashString "sha256" first.id)}"
          )
          (
            first.spec
            // {
              package = first.name;
              features = lib.naturalSort (lib.unique (lib.concatMap (r: r.features) same));
              default-features = lib.any (r: r.defaultFeatures) same;
            }
          );
    in
    lib.listToAttrs (map one (lib.attrValues (lib.groupBy (r: r.id) (map requirement records))));

  onHost = record: record.builtFor == "host" || record.d.kind == "build";
  records = mode: predicate: lib.filter predicate features.${mode}.thirdParty;

  # What crates for the target are built with, for builds and for tests.
  target =
    mode: cfg:
    merge (records mode (r: !onHost r && (mode == "test" || r.d.kind != "dev") && r.cfg == cfg));
  # Tools on the host get the same features for builds and tests: no binary ever contains them.
  host =
    cfg:
    merge (
      records "build" (r: onHost r && r.cfg == cfg) ++ records "test" (r: onHost r && r.cfg == cfg)
    );

  memberTable =
    mode: builtFor: present:
    lib.listToAttrs (
      lib.concatMap (
        name:
        lib.optional
          (
            features.${mode}.members.${builtFor} ? ${name}
            && facts.members.${name}.hasLib
            && !(lib.elem name facts.patched)
          )
          (
            lib.nameValuePair name {
              path = "../${facts.members.${name}.dir}";
              default-features = false;
              features = features.${mode}.members.${builtFor}.${name};
            }
          )
      ) present
    );

  tablesOf = build: test: host: {
    dependencies = build;
    build-dependencies = host;
    dev-dependencies = lib.filterAttrs (key: spec: build.${key} or null != spec) test;
  };
  # The same in every layer, so printed once.
  thirdParty = lib.genAttrs cfgs (
    cfg: toml.printed (tablesOf (target "build" cfg) (target "test" cfg) (host cfg))
  );
  always = lib.mapAttrs (_: lib.mapAttrs (_: toml.printed)) (
    tablesOf (target "build" null) (target "test" null) hostAlways
  );
  hostAlways = host null;
  tables =
    present:
    lib.zipAttrsWith (_: lib.mergeAttrsList) [
      always
      (tablesOf (memberTable "build" "target" present) (memberTable "test" "target" present) (
        memberTable "test" "host" present
      ))
    ];

  cfgs = lib.filter (cfg: cfg != null) (lib.unique (map (r: r.cfg) features.test.thirdParty));

  anyMacro = lib.any (name: facts.members.${name}.isProcMacro) selected;

  package = name: {
    inherit name;
    version = "0.0.0";
    edition = "2021";
    publish = false;
  };

  # With link-time optimisation cargo compiles crates to bitcode alone, unless one of the packages that
  # it builds is a library that needs objects too. So that it chooses alike in every layer, the dependencies package
  # is such a library wherever a member is.
  needsObjects =
    profile:
    lib.elem (facts.profileSetting profile "lto") [
      true
      "fat"
      "thin"
    ]
    && lib.any (
      name:
      let
        types = facts.members.${name}.crateTypes;
        optimised = lib.filter (
          type:
          lib.elem type [
            "cdylib"
            "staticlib"
          ]
        ) types;
        dynamic = lib.elem "dylib" types;
      in
      dynamic || optimised != [ ] && optimised != types
    ) selected;
in
{
  inherit directory macro needsObjects;

  # Whether tests are built with other features than programs, so that shared crates are needed twice.
  testsDiffer =
    (tables (lib.attrNames facts.members)).dev-dependencies != { }
    || features.build.members.target != features.test.members.target;

  # Whether others need a member on the host, for a build script or a procedural macro.
  # cargo builds it with another profile there than where it is selected itself.
  isHostTool = name: features.test.members.host ? ${name};

  # The dependencies package's manifests: file name → text. `present` are the members in the layer.
  manifests =
    {
      present,
      # The optimised profile that is built, or null.
      profile,
      # With something to compile, and so all that it depends on: for the target, and for the host.
      library,
      hostTools,
      # Whether it is checked, too.
      checked ? true,
    }:
    {
      "Cargo.toml" = toml.print (
        {
          package = package directory // {
            build = if hostTools then "build.rs" else false;
          };
        }
        // (
          if library || hostTools || needsObjects profile then
            {
              lib = {
                path = "lib.rs";
              }
              // lib.optionalAttrs (needsObjects profile) {
                crate-type = [
                  "cdylib"
                  "rlib"
                ];
              };
            }
            # Lints of examples need dev-dependencies that abort where the profile says so, those of tests never do.
            // lib.optionalAttrs (library && checked) {
              example = [
                {
                  name = directory;
                  path = "build.rs";
                }
              ];
            }
          else
            {
              features.nothing = [ ];
              bin = [
                {
                  name = directory;
                  path = "main.rs";
                  required-features = [ "nothing" ];
                }
              ];
            }
        )
        // tables present
        // lib.optionalAttrs (cfgs != [ ]) { target = thirdParty; }
      );
    }
    # cargo *checks* what a procedural macro depends on when it checks the macro itself.
    // lib.optionalAttrs (hostTools && checked && anyMacro) {
      "macro/Cargo.toml" = toml.print {
        package = package macro;
        lib = {
          path = "../lib.rs";
          proc-macro = true;
        };
        dependencies = lib.mapAttrs (
          _: spec: spec // lib.optionalAttrs (spec ? path) { path = "../${spec.path}"; }
        ) (hostAlways // memberTable "test" "host" present);
      };
    };
}
