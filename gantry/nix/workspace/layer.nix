# One layer: a derivation that runs cargo in a folder of unpack.nix.
{
  lib,
  pkgs,
  craneLib,
}:

# What layers.nix was given.
{
  facts,
  graph,
  target,
  profile,
  settings,
  freshness,
  ...
}:

let
  inherit (facts) members;

  # The environment that members ask for; two members of one layer must not disagree.
  environment = lib.foldl' (
    env: name:
    lib.mapAttrs (
      variable: value:
      if
        env ? ${variable}
        && (settings.${name}.env or { }) ? ${variable}
        && env.${variable} != settings.${name}.env.${variable}
      then
        throw "`${name}` and another member of its closure set ${variable} to different values. A crate that both need cannot be built for both: set it for the workspace."
      else
        value
    ) (env // settings.${name}.env or { })
  ) { };

  # Build scripts of third-party crates look at the inputs of the build: they are the same in every layer.
  inputs = lib.genAttrs [ "nativeBuildInputs" "buildInputs" ] (
    kind: target.${kind} ++ lib.concatMap (name: settings.${name}.${kind} or [ ]) graph.selected
  );

  layer =
    {
      name,
      # The members that it compiles or inherits.
      included,
      # What unpack.nix gives.
      folder,
      commands,
      install,
      inherits ? [ ],
      env ? { },
      nativeBuildInputs ? [ ],
      ...
    }@args:
    craneLib.mkCargoDerivation (
      {
        name = lib.strings.sanitizeDerivationName name;
        pname = name;
        version = "";
        src = null;
        inherit (folder) cargoVendorDir layerMacro;
        cargoArtifacts = null;
        doInstallCargoArtifacts = false;
        strictDeps = true;
        dontFixup = true;
        nativeBuildInputs = inputs.nativeBuildInputs ++ [ pkgs.jq ] ++ nativeBuildInputs;
        buildInputs = inputs.buildInputs;
        # Of what would make the next compilation in the same folder faster, nothing is left.
        env = {
          CARGO_INCREMENTAL = "0";
        }
        // target.env
        // environment included
        // env;

        layerFreshness = freshness;
        layerProfile = profile;
        layerTarget = if target.triple == null then "" else target.triple;

        # The folder has the same name in every layer: cargo and rustc note where things were.
        unpackPhase = ''
          runHook preUnpack
          source ${./layer.sh}
          source ${./cargo.sh}
          export CARGO_HOME=$NIX_BUILD_TOP/cargo-home
          mkdir source
          cd source
          layerPackages="${folder.layerPackages}"
          ${folder.unpack}
          runHook postUnpack
        '';
        postPatch = "makeOld";
        buildPhase = ''
          runHook preBuild
          ownVendoredFolders
          ${lib.optionalString (lib.any (
            name: members.${name}.dir == "" && members.${name}.hasBuildScript
          ) (included ++ facts.patched)) "settleLockFile"}
          inheritArtifacts ${lib.concatMapStringsSep " " (l: "${l.artifacts or l}") inherits}
          ${commands}
          runHook postBuild
        '';
        buildPhaseCargoCommand = "";
        installPhaseCommand = install;
      }
      # The rest is the derivation's own.
      // removeAttrs args (lib.attrNames (lib.functionArgs layer))
    );
in
layer
