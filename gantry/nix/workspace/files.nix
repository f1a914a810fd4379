# The files below a folder, and store paths of some of them.
{ lib, paths }:

{ root }:

let
  at = paths.at root;

  # Whether the path is there, behind the links that it is made of. Of all functions that look behind a link,
  # this is the only one whose failure can be caught.
  exists =
    path:
    (builtins.tryEval (
      builtins.findFile [
        {
          prefix = "path";
          path = toString path;
        }
      ] "path"
    )).success;

  isLink = dir: dir != "" && (builtins.readFileType (at dir) == "symlink" || isLink (parent dir));
  inherit (paths) parent;
in
rec {
  # A file or folder of the workspace, whole; of a link, what it means.
  whole =
    path:
    builtins.path {
      name = "source";
      path = at path;
    };

  # The whole workspace as it is.
  everything = {
    to = "";
    from = builtins.path {
      name = "source";
      path = root;
      filter =
        path: _:
        !(lib.elem path [
          (toString (at ".git"))
          (toString (at "target"))
        ]);
    };
  };

  # Every file below `dir`, as { path, type } with the path from `dir`; without those folders and files that
  # `skips` names by their path and type.
  below =
    dir: skips:
    let
      walk =
        prefix:
        lib.concatLists (
          lib.mapAttrsToList (
            name: type:
            let
              path = prefix + name;
            in
            if skips path type then
              [ ]
            else if type == "directory" then
              walk "${path}/"
            else
              [ { inherit path type; } ]
          ) (builtins.readDir (at "${dir}/${prefix}"))
        );
    in
    walk "";

  # What to copy where for these files of `dir`: a list of { from, to }. What a link means is copied in its
  # place, since that may be anywhere in the workspace.
  pick = pickWithin 2;

  # Links in linked folders are taken for what they mean in their own place, so often.
  pickWithin =
    depth: dir: files:
    let
      isLinked = file: file.type == "symlink" && exists (at "${dir}/${file.path}");
      linked = lib.filter isLinked files;
      plain = lib.filter (file: !isLinked file) files;
      folders = path: lib.optionals (parent path != "") ([ (parent path) ] ++ folders (parent path));
      wanted = lib.genAttrs (
        map (file: file.path) plain ++ lib.unique (lib.concatMap (file: folders file.path) plain)
      ) (_: true);
      # What is below a link has other paths than these.
      base = at dir;
    in
    lib.optional (plain != [ ]) {
      to = dir;
      from =
        if isLink dir then
          whole dir
        else
          builtins.path {
            name = "source";
            path = base;
            filter = path: _: wanted ? ${lib.removePrefix "${toString base}/" path};
          };
    }
    ++ lib.concatMap (
      file:
      let
        to = paths.join dir file.path;
        isFolder = builtins.pathExists "${toString (at to)}/.";
        inner = lib.filter (inner: inner.type == "symlink") (below to (_: _: false));
      in
      [
        {
          inherit to;
          from = whole to;
        }
      ]
      ++ lib.optionals (isFolder && depth > 0) (pickWithin (depth - 1) to inner)
    ) linked;
}
