# The files of a package, as store paths that depend on nothing but these files.
{ lib, paths }:

{
  facts,
  root,
  # Arguments of mkWorkspace: paths that every member reads, and what single members say.
  files,
  settings,
}:

let
  tree = import ./files.nix { inherit lib paths; } { inherit root; };

  # Rust files in these folders of a package are its tests, benchmarks and examples: no dependant needs them.
  testFolders = [
    "benches"
    "examples"
    "tests"
  ];

  packageDirs = lib.genAttrs (map (m: m.dir) (
    lib.attrValues facts.members ++ lib.attrValues facts.locals
  )) (_: true);

  # Files around a root package that are no part of it, or come into a layer in another way.
  aroundRoot =
    path: type:
    lib.hasSuffix ".nix" path
    && lib.elem (dirOf path) [
      "."
      "nix"
    ]
    || lib.hasPrefix "result" path && type == "symlink"
    || lib.elem path [
      ".cargo"
      ".clippy.toml"
      ".direnv"
      ".git"
      ".github"
      ".rustfmt.toml"
      "Cargo.lock"
      "clippy.toml"
      "flake.lock"
      "rustfmt.toml"
    ];

  # The files below `dir`, without the packages nested in it.
  below =
    dir:
    tree.below dir (
      path: type:
      packageDirs ? ${paths.under dir path}
      || path == "target"
      || path == "Cargo.toml" && packageDirs ? ${dir}
      || dir == "" && aroundRoot path type
    );

  top = path: lib.head (lib.splitString "/" path);

  # The files that a package's own code says are parts of it: paths from the root.
  named =
    m:
    map (t: paths.join m.dir t.path) (
      lib.filter (t: t ? path) (
        [ (m.manifest.lib or { }) ]
        ++ m.manifest.bin or [ ]
        ++ lib.optional (builtins.isString (m.package.build or null)) { path = m.package.build; }
      )
    );

  # Of a target outside the package the folder counts whole, since its modules are there.
  outside =
    m: targets:
    lib.concatMap (dir: tree.pick dir (below dir)) (
      lib.unique (map paths.parent (lib.filter (path: !(paths.inside m.dir path)) targets))
    );

  # Whether a text has any of these in it.
  contains = needles: text: text != builtins.replaceStrings needles (map (_: "") needles) text;

  # The Rust files of a package that its targets consist of, as far as names say, with their text. What else ends
  # so may be no text at all, such as a test's fixture, and Nix does not read that.
  modules =
    m: all:
    let
      exists = lib.genAttrs (map (f: f.path) all) (_: true);
      starts = [
        ""
        "src"
        "src/bin"
      ]
      ++ testFolders;
      ofTargets = map paths.parent (named m);
      isOfModules =
        folder:
        lib.elem folder starts
        || lib.elem (paths.under m.dir folder) ofTargets
        ||
          lib.any (file: exists ? ${file}) [
            "${folder}.rs"
            "${folder}/main.rs"
            "${folder}/mod.rs"
          ]
          && isOfModules (paths.parent folder);
    in
    map (f: f // { text = builtins.readFile (root + "/${paths.under m.dir f.path}"); }) (
      lib.filter (
        f: lib.hasSuffix ".rs" f.path && f.type == "regular" && isOfModules (paths.parent f.path)
      ) all
    );

  # The test folders that the code of a package takes files from.
  shared =
    m: all: rust:
    let
      used = lib.filter (
        folder: lib.any (f: top f.path == folder && lib.hasSuffix ".rs" f.path) all
      ) testFolders;
      texts = map (f: f.text) (lib.filter (f: !(lib.elem (top f.path) testFolders)) rust);
      isNamed = folder: lib.any (path: paths.inside (paths.join m.dir folder) path) (named m);
      # As code names them: "../tests/…", or behind CARGO_MANIFEST_DIR "/tests/…".
      isMentioned =
        folder:
        lib.any (
          text:
          contains [ "${folder}/" ] text
          && contains [
            "\"/${folder}/"
            "\"${folder}/"
            "../${folder}/"
          ] text
        ) texts;
    in
    lib.filter (folder: isNamed folder || isMentioned folder) used;

  # What Rust files of a package name outside its folder: files, and folders without packages, as paths from the
  # root. A path in their text counts from the file, as for `include_str!`, and from the package's folder, as behind
  # CARGO_MANIFEST_DIR or in tests. It ends where something is to be filled in. A longer text is no path, and Nix
  # fails where it asks for a file of such a name.
  elsewhere =
    m: rust:
    let
      isPath = piece: contains [ "../" ] piece && !(contains [ "\n" ] piece) && lib.stringLength piece < 256;
      cut =
        piece:
        let
          behind = lib.concatStringsSep "../" (lib.tail (lib.splitString "../" piece));
        in
        "../" + lib.head (builtins.split "[{*]" behind);
      pathsIn = text: map cut (lib.filter isPath (lib.splitString "\"" text));
      resolved =
        dir: path:
        let
          whole = builtins.tryEval (paths.join dir path);
        in
        lib.optional whole.success whole.value;
      isMeant =
        path:
        !(paths.inside m.dir path)
        && !(lib.elem (top path) [
          ""
          ".git"
          "target"
        ])
        && !(lib.elem (baseNameOf path) [
          "Cargo.lock"
          "Cargo.toml"
        ])
        && isPlain path;
    in
    lib.unique (
      lib.filter isMeant (
        lib.concatMap (
          f:
          lib.concatMap (
            path: resolved (paths.under m.dir (paths.parent f.path)) path ++ resolved m.dir path
          ) (pathsIn f.text)
        ) (lib.filter (f: contains [ "../" ] f.text) rust)
      )
    );

  isFolder = path: builtins.readFileType (root + "/${path}") == "directory";

  # Whether this is a file, or a folder without packages, and not behind a link.
  isPlain =
    path:
    builtins.pathExists (root + "/${path}")
    && lib.all isFolder (lib.tail (paths.above path))
    && !(isFolder path && lib.any (paths.inside path) (lib.attrNames packageDirs));

  perMember = lib.mapAttrs (
    _: m:
    let
      all = below m.dir;
      # Read once.
      rust = modules m all;
      kept = shared m all rust;
      isTest =
        f: lib.elem (top f.path) (lib.subtractLists kept testFolders) && lib.hasSuffix ".rs" f.path;
      ofTests = lib.partition isTest rust;
    in
    {
      inherit rust;
      code =
        tree.pick m.dir (lib.filter (f: !isTest f) all)
        ++ outside m (named m)
        ++ added (elsewhere m ofTests.wrong);
      tests =
        tree.pick m.dir (lib.filter isTest all)
        ++ added (elsewhere m ofTests.right)
        ++ outside m (
          map (t: paths.join m.dir t.path) (
            lib.filter (t: t ? path) (
              m.manifest.test or [ ] ++ m.manifest.bench or [ ] ++ m.manifest.example or [ ]
            )
          )
        );
    }
  ) facts.members;

  added = map (file: {
    to = file;
    from = tree.whole file;
  });

  existing = lib.filter (file: builtins.pathExists (root + "/${file}"));

  # Shell code that copies such a list into the source of a layer (with functions of layer.sh).
  place = lib.concatMapStrings ({ from, to }: "placeFiles ${from} ${lib.escapeShellArg "./${to}"}\n");

  # Written once for all layers that hold a member.
  placed = lib.mapAttrs (
    name: m:
    let
      own = settings.${name} or { };
      code = place (m.code ++ added (files ++ own.files or [ ]));
    in
    {
      inherit code;
      withTests = code + place (m.tests ++ added (own.testFiles or [ ]));
    }
  ) perMember;
in
{
  inherit place;

  # The code that places what belongs to a member.
  member = { name, tests }: if tests then placed.${name}.withTests else placed.${name}.code;

  # Whether the code of a member has modules that may be in the folder of another.
  hasModulesElsewhere = name: lib.any (f: contains [ "#[path = \"../" ] f.text) perMember.${name}.rust;

  # The first file of a member's tests that looks at the workspace itself, from the root, or null: it names
  # manifests or runs cargo.
  looksAround =
    name:
    let
      found = lib.filter (
        f:
        top f.path == "tests"
        && contains [
          "Cargo.toml\""
          "\"cargo "
          "\"cargo\""
          "\"CARGO\""
          "MetadataCommand"
        ] f.text
      ) perMember.${name}.rust;
    in
    if found == [ ] then null else paths.under facts.members.${name}.dir (lib.head found).path;

  # What to copy where for a tool that looks for its configuration, a file of one of these names, in the folders
  # above these members.
  configuration =
    names: members:
    added (
      existing (
        lib.concatMap (dir: map (paths.join dir) names) (
          lib.unique ([ "" ] ++ lib.concatMap (name: paths.above facts.members.${name}.dir) members)
        )
      )
    );

  # Packages that are used by path without being members: in every layer, as they are, with the
  # manifest of a workspace that they inherit from, and with what all packages read.
  locals =
    lib.concatMap (l: tree.pick l.dir (below l.dir)) (lib.attrValues facts.locals)
    ++ added (
      map (dir: paths.join dir "Cargo.toml") (
        lib.unique (
          lib.concatMap (l: [
            l.dir
            l.workspaceDir
          ]) (lib.attrValues facts.locals)
        )
      )
      ++ lib.optionals (facts.locals != { }) files
    );

  workspace = tree.everything;

  # Those of these words that name a file of the workspace, or a folder without packages. Beside what names a
  # store path, a word counts as text.
  mentioned =
    words:
    added (
      lib.filter (
        word:
        word != ""
        && !(lib.hasPrefix "/" word)
        && !(lib.hasInfix ".." word)
        && isPlain word
        && !(isFolder word && lib.any (dir: paths.inside dir word) (lib.attrNames packageDirs))
      ) (lib.unique (map builtins.unsafeDiscardStringContext words))
    );
}
