# What `cfg(…)` in a manifest means for a target triple.
#
# Which dependencies a member has depends on the platform, and Nix must know it before cargo runs. What a
# platform is, rustc says (`rustc --print cfg`): targets.json has it for every target, see targets.sh.
{ lib }:

let
  table = lib.importJSON ./targets.json;

  fromCfgs =
    triple: cfgs:
    lib.foldl' withCfg {
      inherit triple;
      flags = [ "true" ];
      values = { };
    } cfgs;

  fromTriple =
    triple:
    fromCfgs triple (
      table.${triple}
        or (throw "rustc ${table.rustc} has no target `${triple}`. Say what `rustc --print cfg --target ${triple}` prints: targets.${lib.strings.escapeNixIdentifier triple}.cfg = [ … ];")
    );

  # The platform with one line of that more: `flag` or `name="value"`.
  withCfg =
    platform: cfg:
    let
      parts = builtins.match "([^=]+)=\"(.*)\"" cfg;
      name = lib.elemAt parts 0;
    in
    if parts == null then
      platform // { flags = platform.flags ++ [ cfg ]; }
    else
      platform
      // {
        values = platform.values // {
          ${name} = platform.values.${name} or [ ] ++ [ (lib.elemAt parts 1) ];
        };
      };

  tokens =
    text:
    map lib.head (
      lib.filter builtins.isList (builtins.split "([(),=]|\"[^\"]*\"|[A-Za-z_][A-Za-z0-9_]*)" text)
    );

  # Reads one predicate off a list of tokens; gives its value and the tokens behind it.
  predicate =
    platform: input:
    let
      name = lib.head input;
      rest = lib.tail input;
      next = if rest == [ ] then "" else lib.head rest;
    in
    if next == "(" then
      let
        list = predicates platform (lib.tail rest);
      in
      {
        inherit (list) rest;
        value =
          {
            all = lib.all lib.id list.values;
            any = lib.any lib.id list.values;
            not = !(lib.head list.values);
          }
          .${name} or (throw "cfg: `${name}(…)` is none of all(…), any(…), not(…)");
      }
    else if next == "=" then
      {
        value = lib.elem (lib.removePrefix "\"" (lib.removeSuffix "\"" (lib.elemAt rest 1))) (
          platform.values.${name} or [ ]
        );
        rest = lib.drop 2 rest;
      }
    else
      {
        value = lib.elem name platform.flags;
        inherit rest;
      };

  # Reads predicates up to the closing parenthesis.
  predicates =
    platform: input:
    if lib.head input == ")" then
      {
        values = [ ];
        rest = lib.tail input;
      }
    else if lib.head input == "," then
      predicates platform (lib.tail input)
    else
      let
        first = predicate platform input;
        others = predicates platform first.rest;
      in
      {
        values = [ first.value ] ++ others.values;
        inherit (others) rest;
      };
in
{
  inherit fromCfgs fromTriple withCfg;

  # The platform without a value that it has.
  without =
    platform: name: value:
    platform
    // {
      values = platform.values // {
        ${name} = lib.remove value (platform.values.${name} or [ ]);
      };
    };

  # Whether a key of a manifest's `[target]` table, `cfg(…)` or a triple, means this platform.
  matches =
    platform: key:
    if lib.hasPrefix "cfg(" key then
      (predicate platform (tokens (lib.removePrefix "cfg(" (lib.removeSuffix ")" (lib.trim key))))).value
    else
      key == platform.triple;
}
