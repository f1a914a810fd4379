# Prints Nix values as TOML, and reads TOML without string context.
#
# nixpkgs and crane print TOML in a derivation of its own. The manifests of the layers are printed at
# evaluation instead: no derivation to build first, and no import from derivation to read them back.
{ lib }:

let
  plain = import ./toml-plain.nix { inherit lib; };

  # JSON does not escape this one control character.
  delete = builtins.fromJSON ''"\u007f"'';
  string = text: builtins.replaceStrings [ delete ] [ "\\u007F" ] (builtins.toJSON text);

  key = name: if builtins.match "[A-Za-z0-9_-]+" name == null then string name else name;

  value =
    v:
    if builtins.isAttrs v then
      if plain.isLiteral v then
        plain.literal v
      else
        "{ ${lib.concatStringsSep ", " (lib.mapAttrsToList pair (lib.filterAttrs (_: v: v != null) v))} }"
    else if builtins.isFunction v then
      v null
    else if builtins.isList v then
      "[${lib.concatMapStringsSep ", " value v}]"
    else if builtins.isString v then
      string v
    else
      # Numbers and booleans are written alike in JSON and TOML.
      builtins.toJSON v;

  pair = name: v: "${key name} = ${value v}";
  line = name: v: if v == null then "" else "${pair name v}\n";
  pairs = lib.concatMapAttrsStringSep "" line;

  isTable = v: builtins.isAttrs v && !(plain.isLiteral v);
  linesKey = "toml lines";
in
{
  inherit pair;

  # A table as its text, for one that many documents have. A function: nothing can be added to it by mistake.
  printed =
    table:
    let
      text = value table;
    in
    _: text;

  # A table as its lines.
  lines = list: { ${linesKey} = lib.concatMapStrings (line: "${line}\n") list; };

  # An attribute set as a document; `null` leaves a key out. Tables have headers, as in manifests that
  # people write: build scripts and macros read them line by line.
  print =
    attrs:
    lib.concatMapAttrsStringSep "" (name: v: if isTable v then "" else line name v) attrs
    + lib.concatMapAttrsStringSep "" (
      name: v: if isTable v then "\n[${key name}]\n${v.${linesKey} or (pairs v)}" else ""
    ) attrs;

  read =
    path:
    builtins.addErrorContext "while reading ${toString path}" (
      fromTOML (plain.text (builtins.unsafeDiscardStringContext (builtins.readFile path)))
    );
}
