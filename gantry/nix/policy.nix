# The checks of third-party crates: `deny` holds them to the policy in deny.toml, `audit` to RUSTSEC's advisories.
{
  lib,
  pkgs,
  # The database of RUSTSEC, as a folder.
  advisory-db,
}:

{
  # What mkWorkspace makes of the workspace.
  workspace,
  # Its deny.toml, which need not be there.
  file,
}:

let
  inherit (workspace) craneLib;
  toml = import ./workspace/toml.nix { inherit lib; };
  policy = lib.optionalAttrs (builtins.pathExists file) (toml.read file);

  # cargo-deny allows no licence where a file says nothing of licences.
  named = lib.filter (check: policy ? ${check}) [
    "bans"
    "licenses"
    "sources"
  ];

  # What is ignored without a reason is not ignored.
  ignored = lib.filter (entry: entry ? id && entry.reason or "" != "") (
    policy.advisories.ignore or [ ]
  );
  # cargo-audit's own file, whose settings all its versions know.
  settings = builtins.toFile "audit.toml" (
    toml.print {
      advisories.ignore = map (entry: entry.id) ignored;
      # Which versions are yanked only the registry knows.
      yanked.enabled = false;
    }
  );

  lockFile = builtins.path {
    name = "Cargo.lock";
    path = workspace.cargoLock;
  };

  common = {
    pname = "workspace";
    version = "";
    installPhaseCommand = "touch $out";
  };
in
lib.optionalAttrs (named != [ ]) {
  deny = craneLib.cargoDeny (
    common
    // {
      src = workspace.manifests;
      inherit (workspace) cargoVendorDir;
      cargoDenyExtraArgs = "--config ${file}";
      cargoDenyChecks = lib.concatStringsSep " " named;
    }
  );
}
// {
  audit = craneLib.cargoAudit (
    common
    // {
      inherit advisory-db;
      src = lockFile;
      dontUnpack = true;
      cargoAuditExtraArgs = "--file ${lockFile} --deny unmaintained --deny unsound";
      nativeBuildInputs = [ pkgs.jq ];
      preBuild = "mkdir .cargo && cp ${settings} .cargo/audit.toml";
      # The log ends with what was found as compilers say it, which annotations and whoever reads the end see.
      failureHook = ''
        cargo audit --no-fetch --db ${advisory-db} --file ${lockFile} --quiet --json \
          | jq --raw-output --rawfile lock ${lockFile} --from-file ${./audit.jq}
      '';
    }
  );
}
