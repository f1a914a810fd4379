# Paths as manifests name them, relative to the root of the workspace; "" is the root itself.
{ lib }:

rec {
  parts = path: lib.filter (part: part != "" && part != ".") (lib.splitString "/" path);

  # "crates/a" of "crates/./b/../a"; an error where the path leaves the workspace.
  normalise =
    path:
    lib.concatStringsSep "/" (
      lib.foldl' (
        done: part:
        if part != ".." then
          done ++ [ part ]
        else if done == [ ] then
          throw "`${path}` is outside the workspace. Move what it names below the workspace's root."
        else
          lib.init done
      ) [ ] (parts path)
    );

  # What a manifest in `dir` calls `path`.
  join = dir: path: normalise "${dir}/${path}";

  # The folder that `path` is in.
  parent =
    path:
    let
      all = parts path;
    in
    lib.concatStringsSep "/" (lib.take (lib.length all - 1) all);

  # What is called `name` in `dir`; both have no dots.
  under = dir: name: if dir == "" then name else "${dir}/${name}";

  # The way from `dir` up to the root: "../../" of "crates/a".
  up = dir: lib.concatMapStrings (_: "../") (parts dir);

  # The folders that `dir` is in, the root first.
  above =
    dir:
    let
      all = parts dir;
    in
    lib.genList (depth: lib.concatStringsSep "/" (lib.take depth all)) (lib.length all);

  # Whether `dir` is `parent` or below it.
  inside = parent: dir: parent == "" || dir == parent || lib.hasPrefix "${parent}/" dir;

  # The folder, below the path of the root.
  at = root: dir: if dir == "" then root else root + "/${dir}";
}
