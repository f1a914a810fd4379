# TOML as cargo reads it, of which Nix reads less, and what is printed of it.
{ lib }:

let
  toml = import ../workspace/toml.nix { inherit lib; };
  read = text: toml.read (builtins.toFile "Cargo.toml" text);
  # What is read is printed so that it reads the same.
  printed = text: toml.print (read text);

  test = expr: expected: { inherit expr expected; };
in
{
  "dates and times stay what they were" =
    test (printed "[a]\nb = 1979-05-27T07:32:00-07:00 # c\nc = [ 1979-05-27, 07:32:00.5 ]\n2024-01-01 = '2024-01-01'\n") "\n[a]\n2024-01-01 = \"2024-01-01\"\nb = 1979-05-27T07:32:00-07:00\nc = [1979-05-27, 07:32:00.5]\n";
  "numbers of all sizes" =
    test (printed "a = [ 9223372036854775807, 0xff, 3.141592653589793, 1.0, 5e-324, -inf, +nan ]\n") "a = [9223372036854775807, 255, 3.141592653589793, 1.0, 5e-324, -inf, +nan]\n";
  "inline tables over several lines, with a comma and comments" =
    test (read "a = {\n  b = [ 1,\n 2, ], # c\n  d = { e = \"}\", },\n}\nf = 1\n")
      {
        a = {
          b = [
            1
            2
          ];
          d.e = "}";
        };
        f = 1;
      };
  "a table over several lines, behind an array of several lines and a table of one" =
    test (read "a = { b = [\n  1,\n], c = { d = 2 },\n  e = inf }\n") {
      a = {
        b = [ 1 ];
        c.d = 2;
        e."toml literal" = "inf";
      };
    };
  "a table over several lines behind one of one line" =
    test (read "a = { b = { c = 1 },\n  d = 2 }\n") {
      a = {
        b.c = 1;
        d = 2;
      };
    };
  # A list that was copied for each token would take gigabytes.
  "a file of ten thousand lines, with a date" =
    test
      (lib.length (
        lib.attrNames (
          read (
            "a = 1979-05-27\n" + lib.concatMapStrings (i: "k${toString i} = [ 1, 2 ]\n") (lib.range 1 10000)
          )
        )
      ))
      10001;
  "escapes of TOML 1.1" =
    test (read ''a = "\x41 \\x41 \e[0m"'').a "A \\x41 ${builtins.fromJSON ''"\u001b"''}[0m";
  "strings that look like something else" =
    test
      (read "a = '''\n{ # 1979-05-27\n''' # b\nc = \"\"\"\n\"{\" \\\n  d\"\"\"\ne = \"2024-01-01, }\"\n")
      {
        a = "{ # 1979-05-27\n";
        c = "\"{\" d";
        e = "2024-01-01, }";
      };
  "control characters and odd keys" =
    test (printed "\"k\\\"ey\" = \"\\u0001\\u007f\\t\"\n") "\"k\\\"ey\" = \"\\u0001\\u007F\\t\"\n";
  "a byte order mark" = test (read (builtins.fromJSON ''"\ufeffa = 1"'')) { a = 1; };
}
