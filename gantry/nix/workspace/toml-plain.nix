# Writes TOML so that Nix can read it.
#
# Nix reads TOML 1.0 without dates and times, cargo TOML 1.1 with them. What Nix has no value for becomes a
# table with one odd key, which toml.nix prints as it was.
{ lib }:

let
  literalKey = "toml literal";

  byteOrderMark = builtins.fromJSON ''"\ufeff"'';

  time = "[0-9][0-9]:[0-9][0-9](:[0-9][0-9](\\.[0-9]+)?)?";
  date = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]([Tt ]${time}([Zz]|[+-][0-9][0-9]:[0-9][0-9])?)?";
  basicString = "\"([^\"\\\\\n]|\\\\.)*\"";
  literalString = "'[^'\n]*'";
  longBasicString = "\"\"\"([^\"\\\\]|\\\\.|\\\\\n|\"\"?[^\"\\\\])*\"\"\"\"?\"?";
  longLiteralString = "'''([^']|''?[^'])*'''?'?'?";
  comment = "#[^\n]*";

  # Whether there may be anything of the kind: most manifests need not be looked at any closer.
  isSuspicious =
    text:
    contains
      "[=[, \t\n][0-9][0-9]([0-9][0-9]-[0-9][0-9]-|:[0-9])|\\\\[xe]|,[ \t]*[}]|[=[,][ \t\r\n]*[+-]?(inf|nan)([^a-z]|$)"
      text
    || contains "[{]" (withoutClosed text);
  # Without arrays, which may always have several lines, and tables that end on the line on which they begin.
  withoutClosed =
    text:
    let
      rest = lib.concatStrings (
        lib.filter builtins.isString (builtins.split "\\[[^][{}]*]|[{][^][{}\n]*[}]" text)
      );
    in
    if rest == text then text else withoutClosed rest;
  contains = regex: text: lib.length (builtins.split regex text) > 1;

  tokens =
    text:
    lib.filter (token: token != "") (
      map (part: if builtins.isList part then lib.head part else part) (
        builtins.split "(${longBasicString}|${longLiteralString}|${basicString}|${literalString}|${comment}|${date}|${time}|[+-]?inf|[+-]?nan|[][{}=,\n]|[ \t\r]+|[^][{}=,\n\"'# \t\r]+)" text
      )
    );

  # `\xHH` and `\e` of TOML 1.1.
  escapes =
    text:
    lib.concatMapStrings (
      part:
      if builtins.isString part then
        part
      else
        {
          "x" = "\\u00";
          "e" = "\\u001B";
        }
        .${lib.head part} or "\\${lib.head part}"
    ) (builtins.split "\\\\(.|\n)" text);

  isUnreadable = token: builtins.match "${date}|${time}|[+-]?(inf|nan)" token != null;
  isSpace = token: builtins.match "[ \t\r]+|\n|${comment}" token != null;

  # Reads a token: `open` are the brackets around it, `isValue` whether a value is expected, `comma` one
  # that is held back until it is clear that it does not end a table. `text` is what is written for it.
  step =
    state: token:
    let
      inTable = lib.head (state.open ++ [ "" ]) == "{";
      inArray = lib.head (state.open ++ [ "" ]) == "[";
      emit =
        text: change:
        state
        // {
          text = state.comma + text;
          comma = "";
        }
        // change;
    in
    if inTable && isSpace token then
      state // { text = " "; }
    else if isSpace token then
      emit token { isValue = state.isValue && token != "\n" || inArray; }
    else if token == "," then
      emit "" {
        comma = ",";
        isValue = inArray;
      }
    else if token == "=" then
      emit token { isValue = true; }
    else if token == "{" then
      emit token {
        open = [ "{" ] ++ state.open;
        isValue = false;
      }
    else if token == "}" then
      state
      // {
        text = token;
        comma = "";
        open = lib.drop 1 state.open;
        isValue = false;
      }
    else if token == "[" && state.isValue then
      emit token { open = [ "[" ] ++ state.open; }
    else if token == "]" && inArray then
      emit token {
        open = lib.drop 1 state.open;
        isValue = false;
      }
    else if state.isValue && isUnreadable token then
      emit "{ \"${literalKey}\" = \"${token}\" }" { isValue = false; }
    else if lib.hasPrefix "\"" token then
      emit (escapes token) { isValue = false; }
    else
      emit token { isValue = false; };

  # The states after each token, in a list that Nix makes without copying it for each of them.
  rewrite =
    text:
    let
      all = tokens text;
    in
    lib.concatMapStrings (state: state.text) (
      builtins.genericClosure {
        startSet = [
          {
            key = 0;
            text = "";
            open = [ ];
            isValue = false;
            comma = "";
          }
        ];
        operator =
          state:
          lib.optional (state.key < lib.length all) (
            step state (lib.elemAt all state.key) // { key = state.key + 1; }
          );
      }
    );
in
{
  isLiteral = v: builtins.isAttrs v && v ? ${literalKey};
  literal = v: v.${literalKey};

  # The text of a TOML file, for fromTOML.
  text =
    original:
    let
      text = lib.removePrefix byteOrderMark original;
    in
    if isSuspicious text then rewrite text else text;
}
