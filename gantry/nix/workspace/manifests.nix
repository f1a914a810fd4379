# The workspace without its code: every member's manifest around an empty library, and Cargo.lock.
#
# For tools that read manifests only, so that they are not run again for every change of code.
{
  lib,
  pkgs,
  toml,
}:

{
  facts,
  lock,
  manifest,
}:

let
  withoutCode =
    name:
    removeAttrs
      (manifest.member {
        inherit name;
        tests = true;
        lints = false;
      })
      [
        "bin"
        "test"
        "bench"
        "example"
      ]
    // {
      lib.path = "empty.rs";
    };
  nested = lib.filter (m: m.dir != "") (lib.attrValues facts.members);
  rootPackage = lib.optionalAttrs (facts.memberAt ? ${""}) (withoutCode facts.memberAt.${""});
  file = builtins.toFile;
in
pkgs.runCommand "manifests" { } ''
  mkdir $out
  cd $out
  ${lib.concatMapStrings (
    m:
    let
      dir = lib.escapeShellArg "./${m.dir}";
    in
    ''
      mkdir -p ${dir}
      cp ${file "Cargo.toml" (toml.print (withoutCode m.name))} ${dir}/Cargo.toml
      touch ${dir}/empty.rs
    ''
  ) nested}
  touch empty.rs
  cp ${file "Cargo.lock" lock.all} Cargo.lock
  cp ${
    file "Cargo.toml" (
      toml.print (
        manifest.workspace {
          isRead = false;
          directories = map (m: m.dir) nested;
          profile = "dev";
          inherit (lock) packages;
        }
        // rootPackage
      )
    )
  } Cargo.toml
''
