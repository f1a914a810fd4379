//! Flakes whose checks are small derivations, for tests with real Nix.

use std::fmt::Write as _;

use super::Workspace;
use super::git::git;
use super::nix::{nix, system};

/// Checks of `app` that pass.
pub(crate) const SOUND: [(&str, &str, &str); 3] = [
    (
        "build-app",
        "",
        "echo '   Compiling app v0.1.0'; echo built > $out",
    ),
    ("test-app", "build-app", "echo tested > $out"),
    ("doc-app", "build-app", "echo documented > $out"),
];

/// The outcomes of a run of [`SOUND`].
pub(crate) const BUILT: [&str; 3] = ["build-app built", "test-app built", "doc-app built"];
pub(crate) const CACHED: [&str; 3] = ["build-app cached", "test-app cached", "doc-app cached"];
pub(crate) const SUBSTITUTED: [&str; 3] = [
    "build-app substituted",
    "test-app substituted",
    "doc-app substituted",
];

/// Writes a flake with these checks, and has git track the workspace.
///
/// A check is its name, the names of those that it needs, and a shell script. The one called
/// `KIND-MEMBER` says that it is such a step, as those of `mkWorkspace` do.
pub(crate) fn flake(workspace: &Workspace, checks: &[(&str, &str, &str)]) {
    let salt = workspace.path().file_name().unwrap().to_string_lossy();
    let mut text = format!(
        "{{ outputs = {{ self }}: {{ checks = builtins.listToAttrs (map (system: {{ name = system; value = let\n\
         step = name: let words = builtins.match \"([a-z]+)-(.*)\" name; member = builtins.elemAt words 1; in\n\
         if words == null then {{ }} else {{ step = {{ kind = builtins.head words; inherit member;\n\
         directory = member; target = \"native\"; profile = \"dev\"; }}; }};\n\
         check = name: needs: script: derivation {{ inherit name system needs; salt = \"{salt}\";\n\
         builder = \"/bin/sh\"; args = [ \"-c\" script ]; }} // step name;\n in rec {{\n"
    );
    for (name, needs, script) in checks {
        write!(text, "{name} = check \"{name}\" [ {needs} ] ''{script}'';").unwrap();
    }
    text += "}; }) [ \"x86_64-linux\" \"aarch64-linux\" \"aarch64-darwin\" ]); }; }\n";
    workspace.write("flake.nix", &text);
    git(workspace.path(), &["init", "--quiet"]);
    git(workspace.path(), &["add", "--all"]);
}

/// Builds the checks in [`SOUND`].
pub(crate) fn build(workspace: &Workspace) {
    for (check, ..) in SOUND {
        let check = format!(".#checks.{}.{check}", system());
        nix(workspace, &["build", "--no-link", &check]);
    }
}

/// The store path of a check.
pub(crate) fn path(workspace: &Workspace, check: &str) -> String {
    let attribute = format!(".#checks.{}.{check}.outPath", system());
    nix(workspace, &["eval", "--raw", &attribute])
}

/// The store paths of the checks in [`SOUND`].
pub(crate) fn sound_paths(workspace: &Workspace) -> Vec<String> {
    SOUND
        .iter()
        .map(|(name, ..)| path(workspace, name))
        .collect()
}
