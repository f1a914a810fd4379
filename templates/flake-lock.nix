# The file flake.lock of a new project: this repository at the revision that hands it out, with the inputs
# that it has itself. Where the revision is not known there is none, and Nix makes it.
#
# Format: https://nix.dev/manual/nix/latest/command-ref/new-cli/nix3-flake#lock-files
{ self }:

let
  inherit (builtins)
    elemAt
    filter
    fromJSON
    isList
    isString
    mapAttrs
    match
    readFile
    removeAttrs
    split
    toJSON
    ;

  own = fromJSON (readFile ../flake.lock);
  inputs = (import ./project/flake.nix).inputs;
  github = match "github:([^/]+)/([^/?]+)" inputs.gantry.url;

  original = {
    type = "github";
    owner = elemAt github 0;
    repo = elemAt github 1;
  };

  # An input is a node, or follows another input, whose path begins at the project.
  ofGantry = mapAttrs (_: input: if isList input then [ "gantry" ] ++ input else input);
  nodes = mapAttrs (
    _: node: if node ? inputs then node // { inputs = ofGantry node.inputs; } else node
  ) (removeAttrs own.nodes [ own.root ]);
in
if self ? rev && github != null then
  {
    "flake.lock" = toJSON {
      inherit (own) version;
      root = "root";
      nodes = nodes // {
        root.inputs = mapAttrs (
          name: input: if input ? follows then filter isString (split "/" input.follows) else name
        ) inputs;
        gantry = {
          inputs = ofGantry own.nodes.${own.root}.inputs;
          locked = original // {
            inherit (self) rev narHash lastModified;
          };
          inherit original;
        };
      };
    };
  }
else
  { }
