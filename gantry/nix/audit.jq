# Of what `cargo audit --json` prints: each advisory with its crate, version and cure, and the line of `$lock`, the
# text of Cargo.lock, where the crate stands.

def line:
  "name = \"\(.name)\"\nversion = \"\(.version)\"\n" as $entry
  | $lock | split($entry)[0] | split("\n") | length;

def cure:
  .patched // []
  | if . == [] then "no version is without it, do without the crate" else "update to \(join(" or "))" end;

.vulnerabilities.list + .warnings.unmaintained + .warnings.unsound
| (.[]
    | "error: \(.package.name) \(.package.version): \(.advisory.title) (\(.advisory.id)): \(.versions | cure)",
      "  --> Cargo.lock:\(.package | line):1"),
  (.[:1][]
    | "help: what has to stay is ignored in deny.toml: [advisories] ignore = [{ id = \"\(.advisory.id)\", reason = \"why\" }]")
