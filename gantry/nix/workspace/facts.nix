# What the manifests say together: which packages are members, and what the root says of all.
#
# Everything else in this folder is computed from these facts; nobody writes a member's name in Nix.
# Inherited fields (`workspace = true`) are resolved in package.nix, so that a change of the root
# manifest touches only the members that use what was changed.
{
  lib,
  paths,
  toml,
}:

{
  root,
  # What cargo's own configuration says in the place of the root manifest: profiles and patches.
  config,
}:

let
  inherit (paths) inside normalise;

  # As it is written, and with what cargo's configuration adds.
  written = toml.read (root + "/Cargo.toml");
  rootManifest = lib.recursiveUpdate written config;
  workspace = rootManifest.workspace or { };

  manifestIn = dir: paths.at root dir + "/Cargo.toml";
  isPackage = dir: builtins.pathExists (manifestIn dir);

  isPattern = text: builtins.match ".*[*?[].*" text != null;

  # The folders that a pattern of `members` means.
  expand =
    pattern:
    let
      step =
        dirs: part:
        lib.concatMap (
          dir:
          let
            below = paths.under dir;
            # The path of a folder, or of a link to one.
            isFolder = path: builtins.pathExists "${toString path}/.";
            entries = lib.optionalAttrs (isFolder (paths.at root dir)) (builtins.readDir (paths.at root dir));
            named = types: lib.attrNames (lib.filterAttrs (_: type: lib.elem type types) entries);
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
            # Without links, which may lead back up.
            [ dir ] ++ lib.concatMap (name: step [ (below name) ] "**") (named [ "directory" ])
          else if isPattern part then
            map below (
              lib.filter (name: builtins.match regex name != null) (named [
                "directory"
                "symlink"
              ])
            )
          else
            [ (below part) ]
        ) dirs;
    in
    # Like cargo: a folder that a wildcard finds need not be a package, one that is named must be.
    if isPattern pattern then
      lib.filter isPackage (lib.foldl' step [ "" ] (paths.parts (normalise pattern)))
    else if isPackage (normalise pattern) then
      [ (normalise pattern) ]
    else
      throw "the root Cargo.toml names the member `${pattern}`, but there is no ${pattern}/Cargo.toml that Nix can see. Flakes see tracked files only: `git add ${pattern}`.";

  listed = lib.unique (lib.concatMap expand (workspace.members or [ ]));
  excluded = map normalise (workspace.exclude or [ ]);
  # What `members` names without a wildcard is a member even where `exclude` covers it.
  named = map normalise (lib.filter (pattern: !isPattern pattern) (workspace.members or [ ]));
  isExcluded = dir: lib.any (parent: inside parent dir) excluded && !(lib.elem dir named);

  read =
    dir: workspaceDir:
    import ./package.nix { inherit lib paths toml; } {
      inherit root dir workspaceDir;
      # The root's is read once for all members.
      workspaceManifest = if workspaceDir == "" then written else toml.read (manifestIn workspaceDir);
    };

  # A package below the root that is no member may belong to a workspace of its own.
  readLocal =
    dir:
    let
      parts = paths.parts dir;
      ancestors = lib.genList (i: lib.concatStringsSep "/" (lib.take (lib.length parts - i) parts)) (
        lib.length parts
      );
      isWorkspace = dir: isPackage dir && toml.read (manifestIn dir) ? workspace;
    in
    read dir (lib.findFirst isWorkspace dir ancestors);

  item = local: dir: {
    key = dir;
    inherit local;
    package = if local then readLocal dir else read dir "";
  };

  # These packages and, like cargo, all that they depend on by path. Of two with one folder the first counts.
  closure =
    start:
    builtins.genericClosure {
      startSet = start;
      operator =
        { package, local, ... }:
        map (
          d:
          if isPackage d.path then
            item (local || isExcluded d.path || !(rootManifest ? workspace)) d.path
          else
            throw "${package.dir}/Cargo.toml depends on `${d.key}` in ${d.path}, but there is no ${d.path}/Cargo.toml that Nix can see. Flakes see tracked files only: `git add ${d.path}`."
        ) (lib.filter (d: d.path != null && !(local && d.kind == "dev")) package.dependencies);
    };

  # What a member depends on by path is a member too, unless it is excluded. A member stays one where
  # it is a [patch], too.
  found = closure (
    closure (
      map (item false) (
        lib.optional (rootManifest ? package) "" ++ lib.filter (dir: dir != "" && !isExcluded dir) listed
      )
    )
    ++ map (patch: item true (normalise patch.path)) (
      lib.filter (patch: patch ? path) (
        lib.concatMap lib.attrValues (lib.attrValues (rootManifest.patch or { }))
      )
    )
  );

  byName =
    packages:
    lib.mapAttrs (
      name: same:
      if lib.length same == 1 then
        lib.head same
      else
        throw "the packages in ${lib.concatMapStringsSep " and " (m: m.dir) same} are both named `${name}`."
    ) (lib.groupBy (m: m.name) packages);

  packagesThat = predicate: byName (map (f: f.package) (lib.filter predicate found));
in
rec {
  inherit root rootManifest;

  members = packagesThat (f: !f.local);

  # Packages below the root that are used by path or as a [patch] and are no members: built like any
  # third-party crate.
  locals = packagesThat (f: f.local);

  # The members that cargo takes where none is named.
  defaultMembers =
    if workspace ? default-members then
      lib.filter (name: name != null) (
        map (dir: memberAt.${dir} or null) (lib.unique (lib.concatMap expand workspace.default-members))
      )
    else if memberAt ? ${""} then
      [ memberAt.${""} ]
    else
      lib.attrNames members;

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

  resolver =
    let
      edition =
        if members ? ${rootManifest.package.name or ""} then
          members.${rootManifest.package.name}.edition
        else
          "2015";
      byEdition = {
        "2021" = "2";
        "2024" = "3";
      };
    in
    workspace.resolver or (rootManifest.package.resolver or (byEdition.${edition} or "1"));
}
