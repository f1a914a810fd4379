# What the manifests say: members, their dependencies, features and targets.
#
# Everything else in this folder is computed from these facts; nobody writes a member's name in Nix.
# Inherited fields (`workspace = true`) are resolved here, so that a change of the root manifest
# touches only the members that use what was changed.
{ lib, toml }:

{ root }:

let
  inherit (lib) optionalAttrs;

  rootManifest = toml.read (root + "/Cargo.toml");
  workspace = rootManifest.workspace or { };

  # "crates/a" of "crates/./b/../a"; an error where the path leaves the workspace.
  normalise =
    path:
    lib.concatStringsSep "/" (
      lib.foldl' (
        done: part:
        if part == "" || part == "." then
          done
        else if part != ".." then
          done ++ [ part ]
        else if done == [ ] then
          throw "`${path}` is outside the workspace. Move what it names below the workspace's root."
        else
          lib.init done
      ) [ ] (lib.splitString "/" path)
    );
  join = dir: path: normalise "${dir}/${path}";
  at = dir: if dir == "" then root else root + "/${dir}";
  inside = parent: dir: parent == dir || parent == "" || lib.hasPrefix "${parent}/" dir;
  isPackage = dir: builtins.pathExists (at dir + "/Cargo.toml");

  # The folders that a pattern of `members` means.
  expand =
    pattern:
    let
      step =
        dirs: part:
        lib.concatMap (
          dir:
          let
            below = name: if dir == "" then name else "${dir}/${name}";
            folders = lib.attrNames (
              lib.filterAttrs (_: type: type == "directory") (builtins.readDir (at dir))
            );
            regex =
              lib.replaceStrings
                [
                  "."
                  "*"
                  "?"
                  "[!"
                  "+"
                  "("
                  ")"
                ]
                [
                  "\\."
                  "[^/]*"
                  "[^/]"
                  "[^"
                  "\\+"
                  "\\("
                  "\\)"
                ]
                part;
          in
          if part == "**" then
            [ dir ] ++ lib.concatMap (name: step [ (below name) ] "**") folders
          else if builtins.match ".*[*?[].*" part == null then
            [ (below part) ]
          else
            map below (lib.filter (name: builtins.match regex name != null) folders)
        ) dirs;
      wild = builtins.match ".*[*?[].*" pattern != null;
      found = lib.foldl' step [ "" ] (lib.splitString "/" (normalise pattern));
    in
    # Like cargo: a folder that a wildcard finds need not be a package, one that is named must be.
    if wild then
      lib.filter isPackage found
    else if isPackage (normalise pattern) then
      [ (normalise pattern) ]
    else
      throw "the root Cargo.toml names the member `${pattern}`, but there is no ${pattern}/Cargo.toml that Nix can see. Flakes see tracked files only: `git add ${pattern}`.";

  excluded = map normalise (workspace.exclude or [ ]);
  listed = lib.unique (lib.concatMap expand (workspace.members or [ ]));
  isExcluded = dir: lib.any (parent: inside parent dir) excluded && !(lib.elem dir named);
  # What `members` names without a wildcard is a member even where `exclude` covers it.
  named = map normalise (
    lib.filter (p: builtins.match ".*[*?[].*" p == null) (workspace.members or [ ])
  );

  # One dependency of a manifest in cargo's long form, with inherited fields resolved.
  specification =
    dir: key: raw:
    let
      own = if builtins.isString raw then { version = raw; } else raw;
      common =
        workspace.dependencies.${key}
          or (throw "${dir}/Cargo.toml inherits the dependency `${key}`, but [workspace.dependencies] of the root Cargo.toml has none of that name.");
      base = if builtins.isString common then { version = common; } else common;
      default = table: table.default-features or (table.default_features or null);
      resolved =
        if own.workspace or false then
          base
          // optionalAttrs (base ? path) { path = normalise base.path; }
          // optionalAttrs (own ? optional) { inherit (own) optional; }
          // {
            features = (base.features or [ ]) ++ (own.features or [ ]);
            default-features = default own == true || default base != false;
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

  # The dependencies of a manifest as a list: one entry per kind, platform and name.
  dependenciesOf =
    dir: manifest:
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
                spec = specification dir key raw;
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

  # The [package] table with inherited fields resolved.
  packageOf =
    dir: manifest:
    lib.mapAttrs (
      key: v:
      if builtins.isAttrs v && v.workspace or false == true then
        let
          inherited =
            workspace.package.${key}
              or (throw "${dir}/Cargo.toml inherits `${key}`, but [workspace.package] of the root Cargo.toml does not say it.");
          isPath = lib.elem key [
            "readme"
            "license-file"
          ];
          up = lib.concatMapStrings (_: "../") (lib.filter (part: part != "") (lib.splitString "/" dir));
        in
        if isPath && builtins.isString inherited then up + inherited else inherited
      else
        v
    ) (removeAttrs manifest.package [ "workspace" ]);

  readPackage =
    dir:
    let
      manifest = toml.read (at dir + "/Cargo.toml");
      has = path: builtins.pathExists (at dir + "/${path}");
      package = packageOf dir manifest;
      library = manifest.lib or { };
      crateTypes = library.crate-type or (library.crate_type or [ "lib" ]);
      dependencies = dependenciesOf dir manifest;
      autobins = package.autobins or true;
    in
    rec {
      inherit
        dir
        manifest
        package
        dependencies
        ;
      inherit (package) name;
      version = package.version or "0.0.0";
      edition = package.edition or "2015";
      targets = package.metadata.ci.targets or [ "native" ];
      lints =
        if manifest.lints.workspace or false == true then
          workspace.lints
            or (throw "${dir}/Cargo.toml inherits its lints, but the root Cargo.toml has no [workspace.lints].")
        else
          manifest.lints or { };
      hasLib = manifest ? lib || (package.autolib or true && has "src/lib.rs");
      isProcMacro =
        library.proc-macro or (library.proc_macro or false) || lib.elem "proc-macro" crateTypes;
      inherit crateTypes;
      hasBins = manifest ? bin || autobins && (has "src/main.rs" || has "src/bin");
      hasCdylib =
        hasLib
        && lib.any (
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
    };

  # Like cargo: what a member depends on by path is a member too, unless it is excluded.
  found = builtins.genericClosure {
    startSet =
      map
        (dir: {
          key = dir;
          member = readPackage dir;
          local = false;
        })
        (lib.optional (rootManifest ? package) "" ++ lib.filter (dir: dir != "" && !isExcluded dir) listed);
    operator =
      { member, ... }@from:
      map (d: {
        key =
          if isPackage d.path then
            d.path
          else
            throw "${member.dir}/Cargo.toml depends on `${d.key}` in ${d.path}, but there is no ${d.path}/Cargo.toml that Nix can see. Flakes see tracked files only: `git add ${d.path}`.";
        member = readPackage d.path;
        local = from.local || isExcluded d.path || !(rootManifest ? workspace);
      }) (lib.filter (d: d.path != null) member.dependencies);
  };
  byName =
    packages:
    lib.mapAttrs (
      name: same:
      if lib.length same == 1 then
        lib.head same
      else
        throw "the packages in ${lib.concatMapStringsSep " and " (m: m.dir) same} are both named `${name}`."
    ) (lib.groupBy (m: m.name) packages);

  patches = lib.concatMap (table: lib.attrValues table) (lib.attrValues (rootManifest.patch or { }));
  patchDirs = map (p: normalise p.path) (lib.filter (p: p ? path) patches);
in
rec {
  inherit rootManifest inside;

  members = byName (map (f: f.member) (lib.filter (f: !f.local) found));

  # Packages below the root that are used by path and are no members: built like any third-party crate.
  locals =
    let
      used = map (f: f.member) (lib.filter (f: f.local) found);
      patched = map readPackage (
        lib.filter (dir: !(lib.any (m: m.dir == dir) used)) (
          map (
            dir:
            let
              member = lib.findFirst (m: m.dir == dir) null (lib.attrValues members);
            in
            if member != null then
              throw "the member `${member.name}` is also a [patch]: crates of others depend on it, so it cannot have layers of its own. List its folder in `exclude` of [workspace]."
            else
              dir
          ) patchDirs
        )
      );
    in
    byName (used ++ patched);

  memberAt = lib.listToAttrs (map (m: lib.nameValuePair m.dir m.name) (lib.attrValues members));

  # The member that a dependency names, or null.
  memberOf = d: if d.path == null then null else memberAt.${d.path} or null;

  # What a profile says of a key itself or through those it inherits from; null where that is cargo's default.
  profileSetting =
    profile: key:
    let
      table = rootManifest.profile.${profile} or { };
    in
    if table ? ${key} then
      table.${key}
    else if table ? inherits then
      profileSetting table.inherits key
    else
      null;

  # Resolver 3 resolves features as 2 does.
  resolver =
    let
      edition = rootManifest.package.edition or "2015";
      byEdition =
        if !(rootManifest ? package) then
          "1"
        else if builtins.isAttrs edition then
          resolverOf workspace.package.edition
        else
          resolverOf edition;
      resolverOf =
        e:
        if e == "2024" then
          "3"
        else if e == "2021" then
          "2"
        else
          "1";
    in
    workspace.resolver or (rootManifest.package.resolver or byEdition);
}
