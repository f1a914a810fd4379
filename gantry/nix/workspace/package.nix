# What the manifest of one package says, with the fields that it inherits (`workspace = true`) resolved.
{
  lib,
  paths,
  toml,
}:

{
  root,
  # The folder of the package, and of the workspace that it inherits from, with the manifest there.
  dir,
  workspaceDir,
  workspaceManifest,
}:

let
  inherit (lib) optionalAttrs;
  inherit (paths) join;

  manifest = toml.read (paths.at root dir + "/Cargo.toml");
  workspace = workspaceManifest.workspace or { };

  file = "${lib.optionalString (dir != "") "${dir}/"}Cargo.toml";
  rootFile = "${lib.optionalString (workspaceDir != "") "${workspaceDir}/"}Cargo.toml";

  # One dependency in cargo's long form.
  specification =
    key: raw:
    let
      own = if builtins.isString raw then { version = raw; } else raw;
      common =
        workspace.dependencies.${key}
          or (throw "${file} inherits the dependency `${key}`, but [workspace.dependencies] of ${rootFile} has none of that name.");
      base = if builtins.isString common then { version = common; } else common;
      default = table: table.default-features or (table.default_features or null);
      resolved =
        if own.workspace or false then
          base
          // optionalAttrs (base ? path) { path = join workspaceDir base.path; }
          // optionalAttrs (own ? optional) { inherit (own) optional; }
          // {
            features = (base.features or [ ]) ++ (own.features or [ ]);
            # Before edition 2024 cargo does not heed a member's `false` here.
            default-features =
              if default own == false && lib.toInt edition >= 2024 then
                false
              else
                default own == true || default base != false;
          }
        else
          own
          // optionalAttrs (own ? path) { path = join dir own.path; }
          // {
            features = own.features or [ ];
            default-features = default own != false;
          };
    in
    removeAttrs resolved [
      "default_features"
      "workspace"
    ];

  # One entry per kind, platform and name.
  dependencies =
    let
      tables = {
        normal = [ "dependencies" ];
        build = [
          "build-dependencies"
          "build_dependencies"
        ];
        dev = [
          "dev-dependencies"
          "dev_dependencies"
        ];
      };
      fromTable =
        cfg: table:
        lib.concatLists (
          lib.mapAttrsToList (
            kind: names:
            lib.concatMap (
              name:
              lib.mapAttrsToList (key: raw: rec {
                inherit cfg kind key;
                spec = specification key raw;
                package = spec.package or key;
                optional = spec.optional or false;
                inherit (spec) features;
                defaultFeatures = spec.default-features;
                path = spec.path or null;
              }) (table.${name} or { })
            ) names
          ) tables
        );
    in
    fromTable null manifest ++ lib.concatLists (lib.mapAttrsToList fromTable (manifest.target or { }));

  # The [package] table.
  package = lib.mapAttrs (
    key: v:
    if builtins.isAttrs v && v.workspace or false == true then
      let
        inherited =
          workspace.package.${key}
            or (throw "${file} inherits `${key}`, but [workspace.package] of ${rootFile} does not say it.");
        isPath = lib.elem key [
          "readme"
          "license-file"
        ];
      in
      if isPath && builtins.isString inherited then
        paths.up dir + join workspaceDir inherited
      else
        inherited
    else
      v
  ) (removeAttrs manifest.package [ "workspace" ]);

  edition = package.edition or "2015";

  # The lines of [features], a key or a comment each, where the comments document features: macros read them.
  featureLines =
    let
      text = lib.splitString "\n" (builtins.readFile (paths.at root dir + "/Cargo.toml"));
      isHeader = line: lib.hasPrefix "[" (lib.trim line);
      start = lib.lists.findFirstIndex (line: lib.trim line == "[features]") null text;
      rest = lib.drop (start + 1) text;
      end = lib.lists.findFirstIndex isHeader (lib.length rest) rest;
      isDocumentation =
        line:
        lib.any (mark: lib.hasPrefix mark (lib.trim line)) [
          "##"
          "#!"
        ];
      keyOf = line: builtins.match "[ \t]*\"?([^ \t\"=#]+)\"?[ \t]*=.*" line;
      lines = lib.concatMap (
        line:
        if isDocumentation line then
          [ { comment = lib.trim line; } ]
        else
          lib.optional (keyOf line != null) { key = lib.head (keyOf line); }
      ) (lib.take end rest);
    in
    if start == null || !(lib.any (line: line ? comment) lines) then null else lines;

  library = manifest.lib or { };
  crateTypes = library.crate-type or (library.crate_type or [ "lib" ]);
  has = path: builtins.pathExists (paths.at root dir + "/${path}");
in
rec {
  inherit
    crateTypes
    dependencies
    dir
    edition
    featureLines
    manifest
    package
    workspaceDir
    ;
  inherit (package) name;
  version = package.version or "0.0.0";
  targets = package.metadata.ci.targets or [ "native" ];
  # What a release makes programs for that need no Nix, and the features that these have besides.
  releaseTargets = package.metadata.ci.release-targets or [ ];
  releaseFeatures = package.metadata.ci.release-features or [ ];
  # The features that it is built with besides its default ones.
  extraFeatures = [ ];
  lints =
    if manifest.lints.workspace or false == true then
      workspace.lints or (throw "${file} inherits its lints, but ${rootFile} has no [workspace.lints].")
    else
      manifest.lints or { };
  hasLib = manifest ? lib || (package.autolib or true && has "src/lib.rs");
  isProcMacro =
    library.proc-macro or (library.proc_macro or false) || lib.elem "proc-macro" crateTypes;
  isCdylib = lib.elem "cdylib" crateTypes;
  hasPrograms = manifest ? bin || package.autobins or true && (has "src/main.rs" || has "src/bin");
  # Whether it makes what others than cargo can use: programs, and libraries that are not Rust's own.
  hasProducts =
    hasPrograms
    || lib.any (
      type:
      lib.elem type [
        "cdylib"
        "staticlib"
        "dylib"
      ]
    ) crateTypes;
  hasBuildScript = if package ? build then package.build != false else has "build.rs";

  # `[features]` and the features that optional dependencies make.
  features =
    let
      explicit = manifest.features or { };
      values = lib.concatLists (lib.attrValues explicit);
      implicit = lib.filter (d: d.optional && !(lib.elem "dep:${d.key}" values)) dependencies;
    in
    lib.listToAttrs (map (d: lib.nameValuePair d.key [ "dep:${d.key}" ]) implicit) // explicit;
}
