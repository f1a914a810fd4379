# Cargo.lock: which version a dependency means, and the part of it that a target needs.
{
  lib,
  semver,
  toml,
}:

# `cargoLock`: the file.
{ facts, cargoLock }:

let
  lock =
    if builtins.pathExists cargoLock then
      toml.read cargoLock
    else
      throw "there is no ${baseNameOf cargoLock} that Nix can see. Make it with `cargo generate-lockfile` and track it (`git add Cargo.lock`), or give mkWorkspace a `cargoLock` from elsewhere.";

  packages =
    if (lock.version or 1) < 3 && lock ? metadata then
      throw "Cargo.lock has an old format without checksums. Renew it with `cargo update --workspace`."
    else
      lock.package or [ ];
  byName = lib.groupBy (p: p.name) packages;

  # The packages that an entry of a `dependencies` list means: "name", "name version" or "name version (source)".
  referenced =
    text:
    let
      words = lib.splitString " " text;
      version = lib.elemAt words 1;
      source = lib.removePrefix "(" (lib.removeSuffix ")" (lib.elemAt words 2));
      # A reference to a git repository leaves out the commit.
      repository = p: lib.head (lib.splitString "#" p.source or "");
    in
    lib.filter (
      p:
      (lib.length words < 2 || p.version == version) && (lib.length words < 3 || repository p == source)
    ) (byName.${lib.head words} or [ ]);

  id = p: "${p.name} ${p.version} ${p.source or ""}";

  # Whether a locked package is a member, and not what is from elsewhere and has its name.
  isMember = p: !(p ? source) && facts.members.${p.name}.version or null == p.version;

  # The entry of a package of this workspace.
  own =
    member:
    let
      entries = lib.filter (p: !(p ? source) && p.version == member.version) (
        byName.${member.name} or [ ]
      );
    in
    if entries == [ ] then
      throw "Cargo.lock has no entry for `${member.name}` ${member.version}: it is out of date. Renew it with `cargo metadata >/dev/null`."
    else
      lib.head entries;

  # Per member, what its entry says that it depends on: by the name of the package.
  listed = lib.mapAttrs (
    _: member:
    lib.groupBy (text: lib.head (lib.splitString " " text)) ((own member).dependencies or [ ])
  ) facts.members;

  print =
    p:
    lib.concatStrings (
      [ "[[package]]\n" ]
      ++ map (key: lib.optionalString (p ? ${key}) "${key} = ${builtins.toJSON p.${key}}\n") [
        "name"
        "version"
        "source"
        "checksum"
      ]
      ++ lib.optional (p.dependencies or [ ] != [ ]) (
        "dependencies = [\n" + lib.concatMapStrings (d: " ${builtins.toJSON d},\n") p.dependencies + "]\n"
      )
      ++ [ "\n" ]
    );
in
rec {
  # Names of the members that third-party crates depend on, by a [patch] or by path, and of those that
  # they are made of. They are built before all members, with the third-party crates.
  patched =
    let
      start = lib.filter isMember (
        lib.concatMap (p: lib.concatMap referenced (p.dependencies or [ ])) (
          lib.filter (p: !isMember p) packages
        )
      );
      item = name: { key = name; };
      dependencies =
        name:
        lib.filter (other: other != null) (
          map facts.memberOf (lib.filter (d: d.kind != "dev") facts.members.${name}.dependencies)
        );
    in
    map (i: i.key) (
      builtins.genericClosure {
        startSet = map (p: item p.name) start;
        operator = i: map item (dependencies i.key);
      }
    );

  # The keys of a dependency that say where its package is from.
  sourceKeys = [
    "git"
    "branch"
    "tag"
    "rev"
    "registry"
    "registry-index"
  ];

  # Every locked package, and the text of the whole lock file.
  inherit isMember packages;
  all = text packages;

  # The lock file as it is.
  file = builtins.readFile cargoLock;

  # Whether NAME@VERSION means another package, too.
  isAmbiguous =
    member: lib.length (lib.filter (p: p.version == member.version) byName.${member.name} or [ ]) > 1;

  # The locked package that a dependency of a member means.
  locked =
    member: d:
    let
      candidates = lib.concatMap referenced (listed.${member.name}.${d.package} or [ ]);
      fitting = lib.filter (
        p: !(d.spec ? version) || semver.satisfies d.spec.version p.version
      ) candidates;
      # Of one version from several sources: a [patch] may have put another in the place of what is asked for.
      fromThere = lib.filter (
        p:
        if d.path != null then
          !(p ? source)
        else
          p ? source && lib.hasPrefix "git+" p.source == d.spec ? git
      ) fitting;
    in
    if d.path == member.dir then
      own member
    else if lib.length candidates == 1 then
      lib.head candidates
    else if fromThere != [ ] then
      lib.head fromThere
    else if fitting != [ ] then
      lib.head fitting
    else
      throw "`${member.name}` depends on `${d.package}`, but Cargo.lock has no version of it for `${member.name}`: it is out of date. Renew it with `cargo metadata >/dev/null`.";

  # The locked packages that some members need, however indirectly, without the members. Those that
  # are patched count as third-party crates.
  needed =
    start:
    let
      item = p: {
        key = id p;
        inherit p;
      };
    in
    lib.filter (p: !isMember p || lib.elem p.name patched) (
      map (i: i.p) (
        builtins.genericClosure {
          startSet = map (member: item (own member)) start;
          operator = i: map item (lib.concatMap referenced (i.p.dependencies or [ ]));
        }
      )
    );

  # The text of a lock file for these packages.
  text = list: "version = ${toString (lock.version or 3)}\n\n" + lib.concatMapStrings print list;
  # What is appended to it for a member.
  entry = member: print (own member);
}
