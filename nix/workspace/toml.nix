# Prints Nix values as TOML and reads TOML without string context.
#
# nixpkgs and crane print TOML in a derivation of its own. The manifests of the layers are printed at
# evaluation instead: no derivation to build first, and no import from derivation to read them back.
{ lib }:

let
  value =
    v:
    if builtins.isAttrs v then
      "{ ${lib.concatStringsSep ", " (pairs v)} }"
    else if builtins.isList v then
      "[${lib.concatMapStringsSep ", " value v}]"
    else
      # Strings, numbers and booleans are written alike in JSON and TOML.
      builtins.toJSON v;

  pairs =
    attrs:
    lib.mapAttrsToList (name: v: "${builtins.toJSON name} = ${value v}") (
      lib.filterAttrs (_: v: v != null) attrs
    );
in
{
  # An attribute set as a document; `null` leaves a key out.
  print = attrs: lib.concatMapStrings (line: "${line}\n") (pairs attrs);

  read = path: fromTOML (builtins.unsafeDiscardStringContext (builtins.readFile path));
}
