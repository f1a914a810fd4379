# rustfmt, one check per member: its own files are all it needs, and those of its dependencies where it has modules
# there.
{
  lib,
  craneLib,
  toml,
}:

{
  facts,
  sources,
}:

lib.mapAttrs (
  name: m:
  let
    others = lib.optionals (sources.hasModulesElsewhere name) (
      lib.filter (other: other != null && other != name) (lib.unique (map facts.memberOf m.dependencies))
    );
  in
  craneLib.mkCargoDerivation {
    name = "fmt-${name}";
    pname = "fmt-${name}";
    version = "";
    src = null;
    cargoArtifacts = null;
    cargoVendorDir = null;
    doInstallCargoArtifacts = false;
    dontFixup = true;
    unpackPhase = ''
      source ${./layer.sh}
      mkdir source
      cd source
      ${
        lib.concatMapStrings (
          other:
          sources.member {
            name = other;
            tests = other == name;
          }
        ) ([ name ] ++ others)
      }${
        sources.place (
          sources.configuration
            [
              "rustfmt.toml"
              ".rustfmt.toml"
            ]
            [ name ]
        )
      }
      mkdir -p ${lib.escapeShellArg "./${m.dir}"}
      cd ${lib.escapeShellArg "./${m.dir}"}
      cp --no-preserve=mode ${
        builtins.toFile "Cargo.toml" (
          toml.print (
            {
              package = {
                inherit (m) name edition version;
              };
              workspace = { };
            }
            // lib.filterAttrs (
              key: _:
              lib.elem key [
                "lib"
                "bin"
                "test"
                "bench"
                "example"
              ]
            ) m.manifest
          )
        )
      } Cargo.toml
    '';
    buildPhaseCargoCommand = "cargo fmt --check";
    installPhaseCommand = "touch $out";
  }
) facts.members
