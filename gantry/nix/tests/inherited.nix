# Default features of inherited dependencies (./inherited). A member's `false` counts since edition 2024; cargo
# before 1.99 refuses such a manifest.
{ lib }:

let
  toml = import ../workspace/toml.nix { inherit lib; };
  paths = import ../workspace/paths.nix { inherit lib; };

  defaultFeatures =
    dir:
    let
      member = import ../workspace/package.nix { inherit lib paths toml; } {
        root = ./inherited;
        inherit dir;
        workspaceDir = "";
        workspaceManifest = toml.read ./inherited/Cargo.toml;
      };
    in
    lib.listToAttrs (
      map (d: lib.nameValuePair "${d.kind} ${d.key}" d.defaultFeatures) member.dependencies
    );
in
{
  "before edition 2024" = {
    expr = defaultFeatures "before";
    expected = {
      "normal off" = false;
      "normal on" = true;
      "dev off" = true;
      "dev on" = true;
    };
  };
  "since edition 2024" = {
    expr = defaultFeatures "now";
    expected = {
      "normal off" = false;
      "normal on" = true;
      "dev off" = true;
      "dev on" = false;
    };
  };
}
