# The files of a member, as store paths that depend on nothing but these files.
{
  lib,
  paths,
  toml,
}:

{
  facts,
  root,
  # Arguments of mkWorkspace for single members.
  settings,
}:

let
  # These folders of a package hold its tests, benchmarks and examples: no dependant needs them.
  testFolders = [
    "benches"
    "examples"
    "tests"
  ];

  packageDirs = map (m: m.dir) (lib.attrValues facts.members ++ lib.attrValues facts.locals);

  at = paths.at root;

  # Files around a root package that are no part of it.
  aroundRoot =
    name:
    lib.hasPrefix "." name
    || lib.hasPrefix "result" name
    || lib.hasSuffix ".nix" name
    || lib.elem name [
      "Cargo.lock"
      "clippy.toml"
      "flake.lock"
      "nix"
      "rustfmt.toml"
    ];

  # The files of a package below `dir` whose top entry `keep` wants, without the packages nested in it.
  select =
    dir: keep:
    builtins.path {
      name = "source";
      path = at dir;
      filter =
        path: type:
        let
          relative = lib.removePrefix "${toString (at dir)}/" (toString path);
          top = lib.head (lib.splitString "/" relative);
          inRoot = if dir == "" then relative else "${dir}/${relative}";
        in
        keep top
        && !(type == "directory" && lib.elem inRoot packageDirs)
        && relative != "target"
        && !(dir == "" && aroundRoot top);
    };

  isTestFolder = top: lib.elem top testFolders;

  perMember = lib.mapAttrs (_: m: {
    code = select m.dir (top: !isTestFolder top && top != "Cargo.toml");
    tests = lib.optional (lib.any (name: builtins.pathExists (at m.dir + "/${name}")) testFolders) (
      select m.dir isTestFolder
    );
  }) facts.members;

  added = map (file: {
    to = file;
    from = builtins.path {
      name = "source";
      path = root + "/${file}";
    };
  });

  # cargo's own configuration, if there is such a file. cargo prefers the older name.
  configFiles = lib.take 1 (
    lib.filter builtins.pathExists (
      map (name: root + "/.cargo/${name}") [
        "config"
        "config.toml"
      ]
    )
  );
  config = lib.mergeAttrsList (map toml.read configFiles);
in
{
  inherit config configFiles;

  # Shell code that copies such a list into the source of a layer (with functions of layer.sh).
  place = lib.concatMapStrings (
    { from, to }: "placeSource ${from} ${lib.escapeShellArg "./${to}"}\n"
  );

  # What to copy where for a member: a list of { from, to }.
  member =
    { name, tests }:
    let
      inherit (facts.members.${name}) dir;
      files = perMember.${name};
    in
    map (from: {
      inherit from;
      to = dir;
    }) ([ files.code ] ++ lib.optionals tests files.tests)
    ++ added (settings.${name}.files or [ ] ++ lib.optionals tests (settings.${name}.testFiles or [ ]));

  # The same for a tool that looks for its configuration, a file of one of these names, in the folders
  # above these members.
  configuration =
    names: members:
    added (
      lib.filter (file: builtins.pathExists (root + "/${file}")) (
        lib.concatMap (dir: map (paths.join dir) names) (
          lib.unique ([ "" ] ++ lib.concatMap (name: paths.above facts.members.${name}.dir) members)
        )
      )
    );

  # Packages that are used by path without being members: in every layer, as they are, with the
  # manifest of a workspace that they inherit from.
  locals =
    map (l: {
      from = select l.dir (_: true);
      to = l.dir;
    }) (lib.attrValues facts.locals)
    ++ added (
      map (dir: "${dir}/Cargo.toml") (
        lib.unique (
          lib.filter (dir: !(lib.elem dir packageDirs)) (
            map (l: l.workspaceDir) (lib.attrValues facts.locals)
          )
        )
      )
    );

  # cargo's configuration, without what can change no artifact; the target is the layer's own matter.
  cargoConfig = toml.print (
    removeAttrs config [
      "alias"
      "cache"
      "cargo-new"
      "future-incompat-report"
      "http"
      "install"
      "net"
      "term"
    ]
    // lib.optionalAttrs (config ? build) {
      build = removeAttrs config.build [
        "build-dir"
        "jobs"
        "target"
        "target-dir"
      ];
    }
  );
}
