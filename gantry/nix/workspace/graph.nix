# Which members a layer of a member needs, on one target.
{ lib, platform }:

{ facts, target }:

let
  inherit (facts) members memberOf;

  # Whether cargo may look at a dependency when it builds for this target or for the host.
  present =
    d:
    facts.resolver == "1"
    || d.cfg == null
    || platform.matches target.platforms.target d.cfg
    || platform.matches target.platforms.host d.cfg;

  edges =
    kinds: name:
    lib.unique (
      map memberOf (
        lib.filter (
          d: memberOf d != null && lib.elem d.kind kinds && present d
        ) members.${name}.dependencies
      )
    );

  reach =
    start: next:
    map (i: i.key) (
      builtins.genericClosure {
        startSet = map (key: { inherit key; }) start;
        operator = i: map (key: { inherit key; }) (next i.key);
      }
    );

  # Looked up once for each member.
  codeOf = lib.mapAttrs (
    name: _:
    edges [
      "normal"
      "build"
    ] name
  ) members;
  code = name: codeOf.${name};

  closures = lib.mapAttrs (name: _: lib.naturalSort (reach (code name) code)) members;

  selected = lib.attrNames (lib.filterAttrs (_: m: lib.elem target.name m.targets) members);

  dependencies = lib.concatMap (edges [
    "normal"
    "build"
    "dev"
  ]) (lib.attrNames members);

  # A member that is compiled for the target must say that it can be.
  builtFor =
    name:
    map memberOf (
      lib.filter (
        d:
        memberOf d != null
        && d.kind == "normal"
        && (d.cfg == null || platform.matches target.platforms.target d.cfg)
        && !members.${memberOf d}.isProcMacro
        && !d.optional
      ) members.${name}.dependencies
    );
  missing = lib.concatMap (
    name:
    lib.optionals (!members.${name}.isProcMacro) (
      map (dependency: { inherit name dependency; }) (
        lib.filter (dependency: !(lib.elem dependency selected)) (builtFor name)
      )
    )
  ) selected;
in
{
  inherit present;

  # The members that are built for this target.
  selected =
    if missing == [ ] then
      selected
    else
      let
        inherit (lib.head missing) name dependency;
      in
      throw "`${name}` is built for ${target.name} and depends on `${dependency}`, which does not name this target. Add \"${target.name}\" to `targets` of [package.metadata.ci] in ${members.${dependency}.dir}/Cargo.toml.";

  # What a member's library and programs are made of, without itself.
  closure = name: closures.${name};

  # Whether a member depends on this one.
  isDependency = name: lib.elem name dependencies;

  # What a member's tests are made of, without itself.
  testClosure =
    name:
    lib.naturalSort (
      lib.filter (other: other != name) (
        reach (edges [
          "normal"
          "build"
          "dev"
        ] name) code
      )
    );
}
