# Which features of members and third-party crates a build of all members of a target turns on.
#
# cargo unifies features over all packages that are built together. A layer builds one member only, so
# it must be told what the others ask for, or every layer would compile the shared crates its own way.
# This is cargo's feature resolver (https://doc.rust-lang.org/cargo/reference/resolver.html#features)
# for the members; what third-party crates ask of each other stays cargo's own business.
#
# A package can be built for the target and, as a build dependency or for a procedural macro, for the
# host: its `side`, "target" or "host".
{ lib, platform }:

{
  facts,
  # Names of the members that are built.
  selected,
  # What `platform.fromTriple` gives for the target and for the host.
  platforms,
  # Whether tests are built, so that dev-dependencies count.
  dev,
}:

let
  inherit (facts) members memberOf;

  # Resolver 1 heeds neither platforms nor the kind of a dependency.
  unified = facts.resolver == "1";

  indexed = lib.mapAttrs (_: m: lib.imap0 (index: d: d // { inherit index; }) m.dependencies) members;

  isProcMacro = d: memberOf d != null && members.${memberOf d}.isProcMacro;
  sideOf = side: d: if side == "host" || d.kind == "build" || isProcMacro d then "host" else "target";

  applies =
    side: d:
    (d.kind != "dev" || dev || unified)
    && (
      unified
      || d.cfg == null
      || platform.matches platforms.${if d.kind == "build" then "host" else side} d.cfg
    );

  applicable = lib.genAttrs [ "target" "host" ] (
    side: lib.mapAttrs (_: lib.filter (applies side)) indexed
  );
  named =
    side: member: key:
    lib.filter (d: d.key == key) applicable.${side}.${member};

  # The states of the resolution are items of a closure; each kind of item leads to others.
  item =
    kind: parts: attrs:
    {
      key = lib.concatStringsSep " " ([ kind ] ++ parts);
      inherit kind;
    }
    // attrs;
  package = side: member: item "package" [ side member ] { inherit side member; };
  feature =
    side: member: name:
    item "feature" [ side member name ] { inherit side member name; };
  edge =
    side: member: d:
    item "edge" [ side member (toString d.index) ] { inherit side member d; };
  # A feature that a member asks of one of its dependencies in its [features] table.
  request =
    side: member: d: name:
    item "request" [ side member (toString d.index) name ] {
      inherit
        side
        member
        d
        name
        ;
    };
  # `dependency?/feature`: a request that counts only where something else turns the dependency on.
  weak =
    side: member: d: name:
    item "weak" [ side member (toString d.index) name ] {
      inherit
        side
        member
        d
        name
        ;
    };

  value =
    side: member: text:
    let
      slash = builtins.match "([^/?]+)(\\??)/(.+)" text;
      key = lib.elemAt slash 0;
      isWeak = lib.elemAt slash 1 == "?";
      name = lib.elemAt slash 2;
    in
    if lib.hasPrefix "dep:" text then
      map (edge side member) (named side member (lib.removePrefix "dep:" text))
    else if slash != null then
      lib.concatMap (
        d:
        if d.optional && isWeak then
          [ (weak side member d name) ]
        else
          [ (request side member d name) ]
          ++ lib.optional d.optional (edge side member d)
          ++ lib.optional (d.optional && members.${member}.features ? ${key}) (feature side member key)
      ) (named side member key)
    else
      [ (feature side member text) ];

  defaults =
    side: member: lib.optional (members.${member}.features ? default) (feature side member "default");

  expand =
    i:
    {
      package = map (edge i.side i.member) (lib.filter (d: !d.optional) applicable.${i.side}.${i.member});
      feature = lib.concatMap (value i.side i.member) (
        members.${i.member}.features.${i.name}
          or (throw "`${i.member}` has no feature `${i.name}`, but one of its dependants asks for it.")
      );
      edge =
        let
          member = memberOf i.d;
          side = sideOf i.side i.d;
        in
        lib.optionals (member != null) (
          [ (package side member) ]
          ++ map (feature side member) i.d.features
          ++ lib.optionals i.d.defaultFeatures (defaults side member)
        );
      request = lib.optional (memberOf i.d != null) (feature (sideOf i.side i.d) (memberOf i.d) i.name);
      weak = [ ];
    }
    .${i.kind};

  roots = lib.concatMap (
    member:
    lib.concatMap (side: [ (package side member) ] ++ defaults side member) (
      # A procedural macro's own tests run on the host but are built as the target's.
      [ "target" ] ++ lib.optional members.${member}.isProcMacro "host"
    )
  ) selected;

  # Weak requests may turn features on that turn on the dependencies of others: until nothing is new.
  resolve =
    start:
    let
      items = builtins.genericClosure {
        startSet = start;
        operator = expand;
      };
      known = lib.genAttrs (map (i: i.key) items) (_: true);
      due = map (i: request i.side i.member i.d i.name) (
        lib.filter (i: i.kind == "weak" && known ? ${(edge i.side i.member i.d).key}) items
      );
      new = lib.filter (i: !(known ? ${i.key})) due;
    in
    if new == [ ] then items else resolve (start ++ new);

  items = lib.groupBy (i: i.kind) (resolve roots);

  requests = lib.groupBy (i: "${i.side} ${i.member} ${toString i.d.index}") (items.request or [ ]);
in
{
  # side → member → its features
  members =
    let
      bySide = lib.groupBy (i: i.side) (items.package or [ ]);
      features = lib.groupBy (i: "${i.side} ${i.member}") (items.feature or [ ]);
    in
    lib.genAttrs [ "target" "host" ] (
      side:
      lib.listToAttrs (
        map (
          i:
          lib.nameValuePair i.member (
            lib.naturalSort (map (f: f.name) (features."${side} ${i.member}" or [ ]))
          )
        ) (bySide.${side} or [ ])
      )
    );

  # Every dependency on something that is no member: who asks, for which side, with which features.
  thirdParty =
    map (i: {
      inherit (i) side member d;
      features =
        i.d.features ++ map (r: r.name) (requests."${i.side} ${i.member} ${toString i.d.index}" or [ ]);
      cfg = if unified then i.d.cfg else null;
    }) (lib.filter (i: memberOf i.d == null) (items.edge or [ ]))
    # Patched members are built like third-party crates, and are selected like members.
    ++ map (member: {
      side = "target";
      inherit member;
      d = {
        kind = "normal";
        package = member;
        path = members.${member}.dir;
        spec = { };
        defaultFeatures = true;
      };
      features = [ ];
      cfg = null;
    }) (lib.filter (member: lib.elem member facts.patched && members.${member}.hasLib) selected);
}
