# A folder with these texts, made while Nix evaluates: `files` is path → text.
#
# `nix flake init` copies what is there when it evaluates, for no system in particular, and the
# language itself makes files only. The unpacker of `nix-channel` runs on every system: it is given
# an archive of the oldest format of tar, which is all text. Paths have at most 90 characters.
{ name, files }:

let
  inherit (builtins)
    bitAnd
    concatStringsSep
    foldl'
    genList
    stringLength
    substring
    ;

  ascii = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
  characters = text: genList (i: substring i 1 text) (stringLength text);
  codes = builtins.listToAttrs (
    genList (i: {
      name = substring i 1 ascii;
      value = 32 + i;
    }) (stringLength ascii)
  );

  repeat = text: times: concatStringsSep "" (genList (_: text) times);
  # As many digits of a number in base 8.
  octal =
    digits: number:
    if digits == 0 then "" else octal (digits - 1) (number / 8) + toString (bitAnd number 7);

  # A header is fields of fixed widths around the sum of its own characters, which counts as spaces.
  header =
    path: size:
    let
      # Further slashes fill the field, which would end in NUL otherwise.
      location = name + repeat "/" (100 - stringLength name - stringLength path) + path;
      mode = "0000644 ";
      owner = "0000000 ";
      group = "0000000 ";
      modified = octal 11 0 + " ";
      before = location + mode + owner + group + octal 11 size + " " + modified;
      regularFile = "0";
      after = regularFile + repeat " " 355;
      sum = foldl' (sum: character: sum + codes.${character}) (8 * codes." ") (
        characters (before + after)
      );
    in
    before + octal 6 sum + "  " + after;

  # A header and a text are blocks of 512 characters, of which the last is filled.
  entry =
    path: text:
    let
      size = stringLength text;
    in
    header path size + text + repeat " " (bitAnd (512 - bitAnd size 511) 511);

  made = derivation {
    inherit name;
    system = "builtin";
    builder = "builtin:unpack-channel";
    channelName = name;
    src = builtins.toFile "${name}.tar" (
      concatStringsSep "" (builtins.attrValues (builtins.mapAttrs entry files))
    );
  };
in
# Reading it has Nix make it.
builtins.seq (builtins.readDir made) "${made}/${name}"
