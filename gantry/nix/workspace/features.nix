# Which features of members and third-party crates a build of all members of a target turns on.
#
# cargo unifies features over all packages that are built together. A layer builds one member only, so
# it must be told what the others ask for, or every layer would compile the shared crates its own way.
# This is cargo's feature resolver (https://doc.rust-lang.org/cargo/reference/resolver.html#features)
# for the members; what third-party crates ask of each other stays cargo's own business.
#
# A package can be built for the target and, as a build dependency or for a procedural macro, for the
# host: its `builtFor`, "target" or "host".
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
  isBuiltFor =
    builtFor: d: if builtFor == "host" || d.kind == "build" || isProcMacro d then "host" else "target";

  applies =
    builtFor: d:
    (d.kind != "dev" || dev || unified)
    && (
      unified
      || d.cfg == null
      || platform.matches platforms.${if d.kind == "build" then "host" else builtFor} d.cfg
    );

  applicable = lib.genAttrs [ "target" "host" ] (
    builtFor: lib.mapAttrs (_: lib.filter (applies builtFor)) indexed
  );
  named =
    builtFor: member: key:
    lib.filter (d: d.key == key) applicable.${builtFor}.${member};

  # The states of the resolution are items of a closure; each kind of item leads to others.
  item =
    kind: parts: attrs:
    {
      key = lib.concatStringsSep " " ([ kind ] ++ parts);
      inherit kind;
    }
    // attrs;
  package = builtFor: member: item "package" [ builtFor member ] { inherit builtFor member; };
  feature =
    builtFor: member: name:
    item "feature" [ builtFor member name ] { inherit builtFor member name; };
  edge =
    builtFor: member: d:
    item "edge" [ builtFor member (toString d.index) ] { inherit builtFor member d; };
  # A feature that a member asks of one of its dependencies in its [features] table.
  request =
    builtFor: member: d: name:
    item "request" [ builtFor member (toString d.index) name ] {
      inherit
        builtFor
        member
        d
        name
        ;
    };
  # `dependency?/feature`: a request that counts only where something else turns the dependency on.
  weak =
    builtFor: member: d: name:
    item "weak" [ builtFor member (toString d.index) name ] {
      inherit
        builtFor
        member
        d
        name
        ;
    };

  value =
    builtFor: member: text:
    let
      slash = builtins.match "([^/?]+)(\\??)/(.+)" text;
      key = lib.elemAt slash 0;
      isWeak = lib.elemAt slash 1 == "?";
      name = lib.elemAt slash 2;
    in
    if lib.hasPrefix "dep:" text then
      map (edge builtFor member) (named builtFor member (lib.removePrefix "dep:" text))
    else if slash != null then
      lib.concatMap (
        d:
        if d.optional && isWeak then
          [ (weak builtFor member d name) ]
        else
          [ (request builtFor member d name) ]
          ++ lib.optional d.optional (edge builtFor member d)
          ++ lib.optional (d.optional && members.${member}.features ? ${key}) (feature builtFor member key)
      ) (named builtFor member key)
    else
      [ (feature builtFor member text) ];

  defaults =
    builtFor: member:
    lib.optional (members.${member}.features ? default) (feature builtFor member "default");

  expand =
    i:
    {
      package = map (edge i.builtFor i.member) (
        lib.filter (d: !d.optional) applicable.${i.builtFor}.${i.member}
      );
      feature = lib.concatMap (value i.builtFor i.member) (
        members.${i.member}.features.${i.name}
          or (throw "`${i.member}` has no feature `${i.name}`, but one of its dependants or its `release-features` ask for it.")
      );
      edge =
        let
          member = memberOf i.d;
          builtFor = isBuiltFor i.builtFor i.d;
        in
        lib.optionals (member != null) (
          [ (package builtFor member) ]
          ++ map (feature builtFor member) i.d.features
          ++ lib.optionals i.d.defaultFeatures (defaults builtFor member)
        );
      request = lib.optional (memberOf i.d != null) (
        feature (isBuiltFor i.builtFor i.d) (memberOf i.d) i.name
      );
      weak = [ ];
    }
    .${i.kind};

  roots = lib.concatMap (
    member:
    lib.concatMap
      (
        builtFor:
        [ (package builtFor member) ]
        ++ defaults builtFor member
        ++ map (feature builtFor member) members.${member}.extraFeatures
      )
      (
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
      due = map (i: request i.builtFor i.member i.d i.name) (
        lib.filter (i: i.kind == "weak" && known ? ${(edge i.builtFor i.member i.d).key}) items
      );
      new = lib.filter (i: !(known ? ${i.key})) due;
    in
    if new == [ ] then items else resolve (start ++ new);

  items = lib.groupBy (i: i.kind) (resolve roots);

  requests = lib.groupBy (i: "${i.builtFor} ${i.member} ${toString i.d.index}") (
    items.request or [ ]
  );
in
{
  # builtFor → member → its features
  members =
    let
      byBuiltFor = lib.groupBy (i: i.builtFor) (items.package or [ ]);
      features = lib.groupBy (i: "${i.builtFor} ${i.member}") (items.feature or [ ]);
    in
    lib.genAttrs [ "target" "host" ] (
      builtFor:
      lib.listToAttrs (
        map (
          i:
          lib.nameValuePair i.member (
            lib.naturalSort (map (f: f.name) (features."${builtFor} ${i.member}" or [ ]))
          )
        ) (byBuiltFor.${builtFor} or [ ])
      )
    );

  # Every dependency on something that is no member: who asks, for which builtFor, with which features.
  thirdParty =
    map (i: {
      inherit (i) builtFor member d;
      features =
        i.d.features ++ map (r: r.name) (requests."${i.builtFor} ${i.member} ${toString i.d.index}" or [ ]);
      cfg = if unified then i.d.cfg else null;
    }) (lib.filter (i: memberOf i.d == null) (items.edge or [ ]))
    # Patched members are built like third-party crates, and are selected like members.
    ++ map (member: {
      builtFor = "target";
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
