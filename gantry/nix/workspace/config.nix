# cargo's own configuration: the file below `.cargo`, with what it includes.
#
# What cargo heeds in it as it heeds the root manifest (profiles, patches) is handed to facts.nix; the rest
# goes into every layer.
{
  lib,
  paths,
  toml,
}:

{ root }:

let
  merge = import ./merge.nix { inherit lib; };

  exists = file: builtins.pathExists (root + "/${file}");

  # cargo prefers the older name.
  first = lib.take 1 (
    lib.filter exists [
      ".cargo/config"
      ".cargo/config.toml"
    ]
  );

  # The files that a file includes come before it.
  included =
    file: content:
    map (entry: paths.join (paths.parent file) entry.path) (
      lib.filter (entry: !(entry.optional or false) || exists (paths.join (paths.parent file) entry.path))
        (
          map (entry: if builtins.isString entry then { path = entry; } else entry) (
            lib.toList (content.include or [ ])
          )
        )
    );
  filesFrom =
    file: lib.concatMap filesFrom (included file (toml.read (root + "/${file}"))) ++ [ file ];
  files = lib.concatMap filesFrom first;

  # Paths of these are meant from the folder above that of the file.
  withPathsFromRoot =
    file: content:
    let
      base = paths.parent (paths.parent file);
      rebase =
        key:
        lib.mapAttrs (
          _: entry: if entry ? ${key} then entry // { ${key} = paths.join base entry.${key}; } else entry
        );
    in
    content
    // lib.optionalAttrs (content ? patch) { patch = lib.mapAttrs (_: rebase "path") content.patch; }
    // lib.optionalAttrs (content ? source) {
      source = rebase "directory" (rebase "local-registry" content.source);
    };

  config = lib.foldl' merge { } (
    map (file: withPathsFromRoot file (toml.read (root + "/${file}"))) files
  );

  # Sources that are committed in the workspace.
  isCommitted =
    name:
    let
      source = config.source.${name} or { };
    in
    source ? directory
    || source ? local-registry
    || source ? replace-with && isCommitted source.replace-with;
  committed = lib.filter isCommitted (lib.attrNames (config.source or { }));

  store =
    path:
    builtins.path {
      name = "source";
      path = paths.at root path;
    };

  # The keys that can change no artifact; the target is the layer's own matter.
  unused = [
    "alias"
    "cache"
    "cargo-new"
    "future-incompat-report"
    "http"
    "include"
    "install"
    "net"
    "source"
    "term"
  ];
  used =
    removeAttrs config unused
    // lib.optionalAttrs (config ? build) {
      build = removeAttrs config.build [
        "build-dir"
        "jobs"
        "target"
        "target-dir"
      ];
    }
    // lib.optionalAttrs (committed != [ ]) {
      source = lib.mapAttrs (
        _: source:
        source
        // lib.optionalAttrs (source ? directory) { directory = store source.directory; }
        // lib.optionalAttrs (source ? local-registry) { local-registry = store source.local-registry; }
      ) config.source;
    };
  # What is in the root manifest of a layer.
  inManifest = {
    patch = null;
    profile = null;
  };
  layer = removeAttrs used (lib.attrNames inManifest);

  strings =
    value:
    if builtins.isString value then
      [ value ]
    else if builtins.isList value then
      lib.concatMap strings value
    else if builtins.isAttrs value then
      lib.concatMap strings (lib.attrValues value)
    else
      [ ];

  # What may be the name of a file in values like these: flags name linker scripts and the like, `linker` and
  # `runner` programs.
  wordsOf =
    values:
    lib.concatMap (
      text:
      let
        pieces = lib.filter builtins.isString (builtins.split "[ =,@]+" text);
      in
      [ text ] ++ pieces ++ map (lib.removePrefix "-T") pieces ++ map (lib.removePrefix "-L") pieces
    ) (strings values);
in
{
  inherit config;

  files = map (file: root + "/${file}") files;

  # What cargo builds for where it is told nothing; null is the host.
  target =
    let
      targets = lib.toList (config.build.target or [ ]);
      only = lib.head targets;
      file = lib.findFirst (file: (toml.read (root + "/${file}")).build or { } ? target) "" files;
    in
    if targets == [ ] || targets == [ "host-tuple" ] then
      null
    else if lib.length targets > 1 then
      throw "${file} names several targets as `build.target`. Leave one there, or none, and name the others in the members that are built for them: `targets` of [package.metadata.ci]."
    else if lib.hasSuffix ".json" only then
      throw "${file} names a target of its own, ${only}, as `build.target`. mkWorkspace builds for those that rustc knows by name: leave it out there, and give it to cargo (`--target ${only}`) where you need it."
    else
      only;

  # What takes precedence over the same tables of the root manifest.
  manifest = lib.intersectAttrs inManifest config;

  # Whether cargo finds a locked package's source in the workspace, so that nobody has to fetch it.
  isCommitted =
    package:
    lib.any (
      name:
      let
        source = config.source.${name};
      in
      lib.any (url: lib.hasInfix url (package.source or "")) (
        lib.optional (name == "crates-io") "github.com/rust-lang/crates.io-index"
        ++ lib.optional (source ? registry) source.registry
        ++ lib.optional (source ? git) source.git
      )
    ) committed;

  # The configuration of a layer, and of one whose manifests are as they are.
  text = toml.print layer;
  whole = toml.print used;

  inherit wordsOf;
  words = wordsOf (removeAttrs layer [ "source" ]);
}
