# Merges two sets as cargo merges its configuration files: sets key by key, lists joined, and of two other
# values the second counts.
{ lib }:

let
  merge =
    a: b:
    lib.zipAttrsWith
      (
        _: values:
        if lib.length values == 1 then
          lib.head values
        else if lib.all lib.isAttrs values then
          lib.foldl' merge { } values
        else if lib.all lib.isList values then
          lib.concatLists values
        else
          lib.last values
      )
      [
        a
        b
      ];
in
merge
