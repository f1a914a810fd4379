# A workspace's packages: its programs, also those for people without Nix, its pages, and the layers of its
# dependencies.
{
  lib,
  pkgs,
  # Marks a package as one that is for development, and no part of a release.
  unreleased,
}:

workspace:

let
  inherit (workspace) facts programs;

  # Those of the members that `cargo build` takes.
  names = lib.filter (name: facts.members.${name}.hasPrograms) facts.defaultMembers;
  together =
    profile:
    if lib.length names == 1 then
      programs.${profile}.${lib.head names}
    else
      pkgs.symlinkJoin {
        name = "programs-${profile}";
        paths = map (name: programs.${profile}.${name}) names;
      };
in
lib.optionalAttrs (names != [ ] && programs ? release) (
  {
    default = together "release";
  }
  // lib.optionalAttrs (lib.length names > 1) (lib.getAttrs names programs.release)
)
// lib.optionalAttrs (names != [ ] && programs ? dev) { dev = unreleased (together "dev"); }
// workspace.releases
// workspace.pages
// lib.mapAttrs (_: unreleased) workspace.deps
