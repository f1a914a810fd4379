# Programs for people without Nix: static on Linux, and on macOS with no libraries but the system's.
{ lib, pkgs }:

{ facts }:

let
  # The files at the root that say what the programs are, and who may use them.
  isPaper =
    name: type:
    type == "regular"
    && lib.any (start: lib.hasPrefix start (lib.toUpper name)) [
      "COPYING"
      "LICENCE"
      "LICENSE"
      "README"
    ];
  papers = lib.attrNames (lib.filterAttrs isPaper (builtins.readDir facts.root));
  copyPaper = name: "cp ${facts.root + "/${name}"} $out/${lib.escapeShellArg name}\n";
in
{
  # What every layer for musl on this machine's own processor is built with. The compiler is called by
  # its name: libraries in C keep the command that compiled them.
  musl =
    triple:
    let
      compiler = pkgs.pkgsStatic.stdenv.cc;
      named = program: "${compiler}/bin/${compiler.targetPrefix}${program}";
      variable = lib.replaceStrings [ "-" ] [ "_" ] triple;
    in
    {
      # A package set without compilers leaves it to the machine.
      nativeBuildInputs = lib.optional (compiler != null) (
        pkgs.linkFarm "musl-gcc" {
          "bin/musl-gcc" = named "cc";
          "bin/musl-g++" = named "c++";
        }
      );
      env = {
        "CC_${variable}" = "musl-gcc";
        "CXX_${variable}" = "musl-g++";
        "CARGO_TARGET_${lib.toUpper variable}_LINKER" = "musl-gcc";
      };
    };

  # What `layer` built of a member, as others unpack it. It fails where that needs more than they have.
  package =
    triple: name: layer:
    let
      m = facts.members.${name};
    in
    if m.hasPrograms then
      pkgs.runCommandCC "${name}-${triple}-${m.version}" { } ''
        source ${./release.sh}
        install -D --target-directory $out/bin ${layer}/bin/*
        ${lib.concatMapStrings copyPaper papers}
        for program in $out/bin/*; do
          checkProgram "$program"
        done
      ''
      // {
        # What a release calls the file.
        archiveName = "${name}-v${m.version}-${triple}";
      }
    else
      throw "`${name}` names `release-targets` in ${m.dir}/Cargo.toml, but it has no program to release.";
}
