# The files of a new project, path → text: those of this repository without what belongs to `parts`.
#
# xtask/init does the same for a project that exists; xtask/init/parts says what belongs to a part.
{
  root,
  parts,
  # Of this repository; null where there is none.
  revision,
}:

let
  inherit (builtins)
    concatStringsSep
    elem
    elemAt
    filter
    foldl'
    isString
    match
    readFile
    ;

  lines = text: filter isString (builtins.split "\n" text);

  # What belongs to the parts: a file or folder a line, or `Cargo.lock PACKAGE DEPENDENCY`.
  listed = builtins.concatMap (
    part: map words (lines (readFile ../xtask/init/parts/${part}.txt))
  ) parts;
  words = line: filter isString (builtins.split " " line);
  leftOut = map builtins.head (filter (line: builtins.length line == 1) listed);
  unneeded = filter (line: builtins.length line == 3) listed;

  # Paths of all files below a folder.
  walk =
    folder:
    let
      entries = builtins.readDir (root + "/${folder}");
      inside =
        name:
        let
          path = if folder == "" then name else "${folder}/${name}";
        in
        if elem path leftOut then
          [ ]
        else if entries.${name} == "directory" then
          walk path
        else
          [ path ];
    in
    builtins.concatMap inside (builtins.attrNames entries);

  # Takes out the lines of left-out parts: those that end in a comment `only PART`, and those from a
  # comment `begin PART` to `end PART`.
  part = concatStringsSep "|" parts;
  mark = word: match "(.* )?(#|//|<!--) ${word} (${part})( -->)?";
  withoutParts =
    text:
    let
      step =
        state: line:
        if state.inside then
          state // { inside = mark "end" line == null; }
        else if mark "begin" line != null then
          state // { inside = true; }
        else if mark "only" line != null then
          state
        else
          state // { kept = state.kept ++ [ line ]; };
      kept =
        (foldl' step {
          inside = false;
          kept = [ ];
        } (lines text)).kept;
    in
    if builtins.length (builtins.split "(only|begin) (${part})" text) == 1 then
      text
    else
      concatStringsSep "\n" kept;

  texts = builtins.listToAttrs (
    map (path: {
      name = path;
      value = withoutParts (readFile (root + "/${path}"));
    }) (walk "")
  );

  manifests = map (path: builtins.fromTOML texts.${path}) (
    filter (path: match "(.*/)?Cargo.toml" path != null) (builtins.attrNames texts)
  );
  packages = map (manifest: manifest.package.name or null) manifests;

  # Cargo.lock with what the remaining members need, however indirectly.
  lock =
    let
      separator = "\n[[package]]\n";
      blocks = filter isString (builtins.split "\n\\[\\[package]]\n" texts."Cargo.lock");
      entries = map entry (builtins.tail blocks);

      entry =
        block:
        let
          package = builtins.fromTOML block;
          isUnneeded =
            line:
            let
              dependency = match " \"([^ \"]+).*" line;
            in
            dependency != null
            && elem (
              [
                "Cargo.lock"
                package.name
              ]
              ++ dependency
            ) unneeded;
          text = concatStringsSep "\n" (filter (line: !isUnneeded line) (lines block));
        in
        builtins.fromTOML text // { inherit text; };

      byName = builtins.groupBy (entry: entry.name) entries;
      # "name", "name version" or "name version (source)"
      named =
        dependency:
        let
          name = elemAt (words dependency) 0;
          version = elemAt (words dependency) 1;
        in
        filter (entry: words dependency == [ name ] || entry.version == version) byName.${name};

      identified = entry: {
        key = entry.name + " " + entry.version;
        inherit entry;
      };
      needed = builtins.genericClosure {
        startSet = map identified (filter (entry: !(entry ? source) && elem entry.name packages) entries);
        operator = item: map identified (builtins.concatMap named (item.entry.dependencies or [ ]));
      };
      isNeeded = entry: elem (identified entry).key (map (item: item.key) needed);
      kept = filter isNeeded entries;
      keptByName = builtins.groupBy (entry: entry.name) kept;

      # A dependency's line as cargo writes it: with no more than tells the package apart.
      shortened =
        line:
        let
          dependency = match " \"([^ \"]+) ([^ \"]+).*\"," line;
          name = elemAt dependency 0;
          version = elemAt dependency 1;
          sameName = keptByName.${name};
          sameVersion = filter (entry: entry.version == version) sameName;
        in
        if dependency == null || builtins.length sameVersion > 1 then
          line
        else if builtins.length sameName > 1 then
          " \"${name} ${version}\","
        else
          " \"${name}\",";
      printed = entry: concatStringsSep "\n" (map shortened (lines entry.text));
    in
    concatStringsSep separator ([ (builtins.head blocks) ] ++ map printed kept);

  # By this an update finds what the project was made of.
  manifest =
    texts."Cargo.toml"
    + (
      if revision == null then
        ""
      else
        "\n[workspace.metadata.template]\nrevision = ${builtins.toJSON revision}\n"
    );
in
texts
// {
  "Cargo.lock" = lock;
  "Cargo.toml" = manifest;
}
