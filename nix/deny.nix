# The dependency policy of deny.toml: cargo-deny over the manifests and Cargo.lock.
{ cargo-deny, workspace }:

workspace.craneLib.mkCargoDerivation {
  name = "deny";
  pname = "deny";
  version = "";
  src = workspace.manifests;
  inherit (workspace) cargoVendorDir;
  cargoArtifacts = null;
  doInstallCargoArtifacts = false;
  nativeBuildInputs = [ cargo-deny ];
  buildPhaseCargoCommand = ''
    cargo deny --offline --config ${../deny.toml} check bans licenses sources
  '';
  installPhaseCommand = "touch $out";
}
