# The layer of one member, on the layers of what it is made of.
{ lib }:

# What layers.nix was given, with `layer` of layer.nix and `unpack` of unpack.nix.
{
  facts,
  graph,
  dependenciesPackage,
  target,
  profile,
  settings,
  source,
  clippyEnvironment,
  layer,
  unpack,
  # The layers that there are.
  layers,
  ...
}:

let
  inherit (facts) members;

  suffix = lib.optionalString (target.triple != null) "-${target.name}";

  # Members that are built from the whole workspace.
  fromWorkspace = lib.filter (name: sourceOf name == "workspace") (lib.attrNames members);
  sourceOf =
    name:
    let
      said = settings.${name}.source or source;
    in
    if
      lib.elem said [
        "member"
        "workspace"
      ]
    then
      said
    else
      throw "mkWorkspace: `source` is \"member\" or \"workspace\", not \"${said}\".";

  # All members of the target, built in the whole workspace. Layers of single members start with it.
  workspace = lib.genAttrs [ "build" "check" ] (
    on:
    layer {
      name = "cargo-${on}-workspace${suffix}-${profile}";
      included = [ ];
      folder = unpack.whole graph.selected;
      inherits = [ layers.deps ];
      commands = lib.optionalString (on == "check") clippyEnvironment + "layerCargo ${on}";
      install = "installArtifacts $out";
      layerOwn = "";
    }
  );
in
# `on` says whether it links `build` or `check` layers.
kind: on: name:
{
  # Whether it holds the member's tests, and what they depend on.
  tests ? false,
  # Whether later layers inherit its artifacts.
  stored ? false,
  # Has its tests find the whole workspace, where the layer holds a part of it.
  showWorkspace ? "",
  commands,
  ...
}@args:
let
  m = members.${name};
  others = if tests then graph.testClosure name else graph.closure name;
  included = [ name ] ++ others;
  # Members that are not built for this target themselves have no layer to inherit from.
  isLayered = other: lib.elem other graph.selected;
  lints = on == "check";
  # What no other member waits for, its tests and lints do not wait for either: they compile it at
  # the same time.
  inheritsItself = !stored && graph.isDependency name;

  parted = {
    inherit included;
    folder = unpack.withMembers {
      inherit
        name
        included
        tests
        lints
        ;
      dependencies = {
        library = false;
        hostTools = stored && dependenciesPackage.isHostTool name;
        checked = kind == "cargo-check";
      };
    };
    inherits = [
      layers.deps
    ]
    ++ map (other: layers.${on}.${other}) (
      lib.filter isLayered (lib.optional inheritsItself name ++ others)
    );
    commands = showWorkspace + commands;
    # What the layer may compile: its member, what has no layer of its own, and the dependencies package.
    layerOwn = lib.concatStringsSep "\n" (
      map (other: members.${other}.dir) ([ name ] ++ lib.filter (other: !(isLayered other)) others)
      ++ [
        dependenciesPackage.directory
        "${dependenciesPackage.directory}/macro"
      ]
    );
    # Third-party crates that depend on a patched member are compiled again where it is a member.
    layerMayRebuild = lib.optionalString (lib.elem name facts.patched) "1";
  };

  # In the whole workspace features resolve for the member alone, so that crates may be compiled again. Its
  # tests find the programs of all members.
  whole = {
    included = [ name ];
    folder = unpack.whole [ name ];
    inherits = [
      layers.deps
      workspace.${on}
    ];
    commands =
      lib.optionalString (tests && on == "build") ''
        layerPackages="${(unpack.whole graph.selected).layerPackages}" layerCargo build
      ''
      + commands;
    layerOwn = m.dir;
    layerMayRebuild = "1";
  };
  chosen = if lib.any (name: lib.elem name fromWorkspace) included then whole else parted;
in
layer (
  {
    name = "${kind}-${name}${suffix}-${profile}";
    layerMember = name;
    layerFolder = m.dir;
    # The argument that brings it what it does not find.
    layerFiles = if tests then "testFiles" else "files";
  }
  // chosen
  // {
    commands = lib.optionalString lints clippyEnvironment + chosen.commands;
  }
  // removeAttrs args [
    "tests"
    "stored"
    "showWorkspace"
    "commands"
  ]
)
