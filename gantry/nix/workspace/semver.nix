# Cargo's version requirements: https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html
#
# Needed only where a member depends on several versions of one crate (under different names): then
# the lock file does not say which dependency is which version.
{ lib }:

let
  # "1.2.3-rc.1+build" as numbers and pre-release
  parse =
    text:
    let
      parts = builtins.match "([0-9]+)\\.?([0-9]*)\\.?([0-9]*)(-[^+]*)?(\\+.*)?" text;
      number = i: if lib.elemAt parts i == "" then null else lib.toInt (lib.elemAt parts i);
    in
    if parts == null then
      throw "`${text}` is no version"
    else
      {
        numbers = lib.filter (n: n != null) [
          (number 0)
          (number 1)
          (number 2)
        ];
        pre = lib.elemAt parts 3;
      };

  # A pre-release comes before its release.
  compare =
    a: b:
    let
      left = parse a;
      right = parse b;
      order = lib.compareLists lib.compare left.numbers right.numbers;
    in
    if order != 0 then
      order
    else if left.pre == right.pre then
      0
    else if left.pre == null then
      1
    else if right.pre == null then
      -1
    else
      builtins.compareVersions left.pre right.pre;

  # Whether the numbers of a version begin with these.
  startsWith = prefix: version: lib.take (lib.length prefix) (parse version).numbers == prefix;

  # How many leading numbers a caret requirement holds fixed.
  caret =
    numbers:
    let
      leading = lib.lists.findFirstIndex (n: n != 0) null numbers;
    in
    if leading == null then lib.length numbers else leading + 1;

  comparator =
    text: version:
    let
      parts = builtins.match " *(\\^|~|=|>=|<=|>|<)? *([0-9][^ ]*|\\*) *" text;
      operator = if lib.head parts == null then "^" else lib.head parts;
      wanted = lib.elemAt parts 1;
      wildcard = builtins.match "([0-9.]*)\\.[*xX](\\.[*xX])?" wanted;
      inherit (parse wanted) numbers;
    in
    if parts == null then
      throw "`${text}` is no version requirement"
    else if wanted == "*" then
      true
    else if wildcard != null then
      startsWith (parse (lib.head wildcard)).numbers version
    else if operator == "=" then
      if lib.length numbers == 3 then compare version wanted == 0 else startsWith numbers version
    else if operator == "^" then
      compare version wanted >= 0 && startsWith (lib.take (caret numbers) numbers) version
    else if operator == "~" then
      compare version wanted >= 0 && startsWith (lib.take 2 numbers) version
    else
      {
        ">=" = compare version wanted >= 0;
        ">" = compare version wanted > 0 && !(startsWith numbers version && lib.length numbers < 3);
        "<=" = compare version wanted <= 0 || startsWith numbers version;
        "<" = compare version wanted < 0;
      }
      .${operator};
in
{
  satisfies =
    requirement: version: lib.all (text: comparator text version) (lib.splitString "," requirement);
}
