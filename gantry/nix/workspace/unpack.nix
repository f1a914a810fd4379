# What a layer's folder holds: a part of the workspace, or all of it. As shell code that lays it out with
# functions of layer.sh, and with what cargo is told to build there.
{ lib, toml }:

# What layers.nix was given.
{
  facts,
  graph,
  lock,
  manifest,
  dependenciesPackage,
  sources,
  cargoConfig,
  target,
  profile,
  vendor,
  ...
}:

let
  inherit (facts) members;
  inherit (sources) place;
  inherit (dependenciesPackage) directory;

  # `to` is shell code: quoting it here would take a regex for each of many hundred files.
  copy =
    name: text: to:
    "cp --no-preserve=mode ${builtins.toFile name text} ${to}\n";

  select = package: "-p ${package}";
  # What cargo calls a member, as shell code.
  specification =
    name:
    let
      inherit (members.${name}) dir version;
      path =
        lib.optionalString (dir != "") "/"
        + builtins.replaceStrings [ "%" " " "#" "?" ] [ "%25" "%20" "%23" "%3F" ] dir;
    in
    lib.optionalString (lock.isAmbiguous members.${name}) "path+file://$PWD${path}#" + "${name}@${version}";
  selectMember =
    name:
    toString (
      [ (select (specification name)) ]
      ++ map (feature: "--features ${name}/${feature}") members.${name}.extraFeatures
    );

  # Every form of every member's manifest, made once for all layers.
  variant = { tests, lints }: "${lib.boolToString tests} ${lib.boolToString lints}";
  forms = lib.cartesianProduct {
    tests = [
      true
      false
    ];
    lints = [
      true
      false
    ];
  };
  manifests = lib.mapAttrs (
    name: m:
    let
      folder = lib.escapeShellArg "./${m.dir}";
    in
    lib.listToAttrs (
      map (
        form:
        let
          value = manifest.member (form // { inherit name; });
        in
        lib.nameValuePair (variant form) {
          inherit value;
          place = "mkdir -p ${folder}\n" + copy "Cargo.toml" (toml.print value) "${folder}/Cargo.toml";
        }
      ) forms
    )
  ) members;

  plain = variant {
    tests = false;
    lints = false;
  };

  # A package at the root that third-party crates depend on is a member of every layer.
  patchedRoot = lib.optionalAttrs facts.isRootPatched manifests.${facts.memberAt.${""}}.${plain}.value;

  # What third-party crates are made of besides the vendored sources: the same in every layer.
  thirdParty =
    included:
    let
      patched = lib.subtractLists included facts.patched;
    in
    place sources.locals
    + lib.concatMapStrings (
      name:
      sources.member {
        inherit name;
        tests = false;
      }
    ) patched
    + lib.concatMapStrings (name: manifests.${name}.${plain}.place) patched;

  # What cargo's configuration and the flags of a build name, such as linker scripts.
  named = place (
    sources.mentioned (cargoConfig.words ++ cargoConfig.wordsOf (lib.attrValues target.env))
  );

  # The locked packages that the target needs.
  packages = lock.needed (
    map (name: members.${name}) (
      lib.unique (lib.concatMap (name: [ name ] ++ graph.testClosure name) graph.selected)
    )
  );
  vendored = vendor packages;
  lockFile = builtins.toFile "Cargo.lock" (lock.text packages);
  entries = lib.mapAttrs (_: lock.entry) members;

  # A folder with these members, the dependencies package, and what both need.
  part =
    {
      included,
      members ? "",
      # Arguments of dependenciesPackage.manifests.
      dependencies,
      directories ? [ ],
      # The manifest of a package at the root.
      rootPackage ? { },
      selects ? [ ],
    }:
    let
      dependenciesManifests = dependenciesPackage.manifests (
        {
          inherit profile;
          present = included;
        }
        // dependencies
      );
      hasMacro = dependenciesManifests ? "macro/Cargo.toml";
      isUnified = facts.resolver == "1";
      root = manifest.workspace {
        inherit profile packages;
        isRead = lib.any (
          name: facts.members.${name}.hasBuildScript || facts.members.${name}.isProcMacro
        ) included;
        directories = directories ++ [ directory ] ++ lib.optional hasMacro "${directory}/macro";
      };
      ownEntries = builtins.toFile "Cargo.lock" (
        lib.concatMapStrings (name: entries.${name}) (lib.subtractLists facts.patched included)
      );
    in
    {
      cargoVendorDir = vendored;
      layerPackages = toString (
        selects
        ++ map select ([ directory ] ++ lib.optional (hasMacro && isUnified) dependenciesPackage.macro)
      );
      layerMacro = lib.optionalString (hasMacro && !isUnified) (select dependenciesPackage.macro);
      unpack =
        named
        + members
        + thirdParty included
        + ''
          mkdir -p .cargo ${directory}/macro
          touch ${directory}/lib.rs
          echo 'fn main() {}' >${directory}/build.rs
        ''
        + copy "config.toml" cargoConfig.text ".cargo/config.toml"
        + lib.concatStrings (
          lib.mapAttrsToList (name: text: copy "Cargo.toml" text "${directory}/${name}") dependenciesManifests
        )
        + copy "Cargo.toml" (toml.print (
          root // (if rootPackage == { } then patchedRoot else rootPackage)
        )) "Cargo.toml"
        + "cat ${lockFile} ${ownEntries} >Cargo.lock\n";
    };
in
{
  # For a layer without members.
  withoutMembers =
    dependencies:
    part {
      included = [ ];
      inherit dependencies;
    };

  # For a layer of the member `name` that holds the members `included`.
  withMembers =
    {
      name,
      included,
      dependencies,
      # Whether it holds the tests of `name`.
      tests,
      # Whether it is linted.
      lints,
    }:
    let
      nested = lib.filter (other: members.${other}.dir != "") included;
      holdsTests = other: tests && other == name;
      manifestOf =
        other:
        manifests.${other}.${
          variant {
            tests = holdsTests other;
            inherit lints;
          }
        };
    in
    part {
      inherit included dependencies;
      members =
        lib.concatMapStrings (
          other:
          sources.member {
            name = other;
            tests = holdsTests other;
          }
        ) included
        + lib.optionalString lints (
          place (
            sources.configuration [
              "clippy.toml"
              ".clippy.toml"
            ] included
          )
        )
        + lib.concatMapStrings (other: (manifestOf other).place) nested;
      rootPackage = lib.optionalAttrs (lib.length nested < lib.length included) (
        (manifestOf facts.memberAt.${""}).value
      );
      directories = map (other: members.${other}.dir) nested;
      selects = [ (selectMember name) ];
    };

  # For a layer that holds the whole workspace with its manifests as they are, and builds these members.
  whole = names: {
    cargoVendorDir = vendor lock.packages;
    layerPackages = toString (map selectMember names);
    layerMacro = "";
    unpack =
      place [ sources.workspace ]
      + ''
        mkdir -p .cargo
        rm -f .cargo/config
      ''
      + copy "config.toml" cargoConfig.whole ".cargo/config.toml"
      + copy "Cargo.lock" lock.file "Cargo.lock";
  };
}
