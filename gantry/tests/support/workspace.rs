//! Small workspaces in temporary folders, and the program that is tested run in them.

use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs};

use serde_json::Value;
use tempfile::TempDir;

use super::text;

/// The program that is tested.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_gantry");

/// A real workspace that is removed when the value goes.
pub(crate) struct Workspace {
    folder: TempDir,
}

impl Workspace {
    /// A workspace of `core`, a library, and `app`, a program that uses it. Both pass every step.
    pub(crate) fn new() -> Self {
        Self::with_prefix("gantry-test-")
    }

    /// The same in a folder whose name starts with `prefix`.
    pub(crate) fn with_prefix(prefix: &str) -> Self {
        let workspace = Self::empty(prefix);
        workspace.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"core\", \"app\"]\n",
        );
        workspace.add_member("core", "");
        workspace.write(
            "core/src/lib.rs",
            "//! Core.\n\n/// Adds one.\n///\n/// ```\n/// assert_eq!(core_library::next(1), 2);\n/// ```\n\
             #[must_use]\npub fn next(number: u32) -> u32 {\n    number + 1\n}\n\n\
             #[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {\n        assert_eq!(super::next(1), 2);\n    }\n}\n",
        );
        workspace.write(
            "core/Cargo.toml",
            "[package]\nname = \"core-library\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        );
        workspace.add_member("app", "core-library = { path = \"../core\" }");
        workspace.write(
            "app/src/main.rs",
            "//! App.\n\nfn main() {\n    println!(\"{}\", core_library::next(1));\n}\n",
        );
        workspace.lock();
        workspace
    }

    /// A folder with nothing in it yet, whose name starts with `prefix`.
    pub(crate) fn empty(prefix: &str) -> Self {
        Self {
            folder: tempfile::Builder::new().prefix(prefix).tempdir().unwrap(),
        }
    }

    /// Writes a manifest of that name in a folder of that name.
    pub(crate) fn add_member(&self, name: &str, dependencies: &str) {
        self.write(
            &format!("{name}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n"
            ),
        );
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }

    /// Replaces text in a file; it must be there.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} has no {from:?}");
        self.write(file, &text.replace(from, to));
    }

    /// Brings Cargo.lock up to date.
    pub(crate) fn lock(&self) {
        let output = self.cargo(&["generate-lockfile", "--offline"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Output {
        isolated(env!("CARGO"), self.path())
            .args(arguments)
            .output()
            .unwrap()
    }

    /// A command that runs the program here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = isolated(PROGRAM, self.path());
        command.args(arguments);
        command
    }

    pub(crate) fn gantry(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs all checks: the exit code, the report, and what was shown meanwhile.
    pub(crate) fn ci(&self, arguments: &[&str]) -> (i32, Report, String) {
        let output = self.gantry(&[&["ci", "--json", "-"], arguments].concat());
        let shown = text(&output.stderr);
        (output.status.code().unwrap(), Report::of(&output), shown)
    }
}

/// What `ci --json` writes.
pub(crate) struct Report(pub(crate) Value);

impl Report {
    /// That of a run which wrote it to standard output.
    #[track_caller]
    pub(crate) fn of(output: &Output) -> Self {
        let report = serde_json::from_slice(&output.stdout);
        Self(report.unwrap_or_else(|_| panic!("{}", text(&output.stderr))))
    }

    /// The outcome of each step, as `NAME OUTCOME`.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        let steps = self.0["steps"].as_array().unwrap().iter();
        let word = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
        steps
            .map(|step| word(step, "name") + " " + &word(step, "outcome"))
            .collect()
    }

    /// The derivations that were built and the paths that were downloaded.
    pub(crate) fn activities(&self) -> &[Value] {
        self.0["activities"].as_array().unwrap()
    }

    /// Names and versions of all crates that were compiled.
    pub(crate) fn compiled(&self) -> Vec<&str> {
        let activities = self.activities().iter();
        activities
            .flat_map(|activity| activity["compiled"].as_array().unwrap())
            .map(|name| name.as_str().unwrap())
            .collect()
    }
}

/// A command without what the test's own run was configured with.
pub(crate) fn isolated(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    // The user's own binary cache is no part of a test.
    command.env("XDG_CACHE_HOME", folder.join(".cache"));
    for name in [
        "CARGO_TARGET_DIR",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "CARGO_TERM_COLOR",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "CI",
        "GANTRY_NIX_FLAGS",
        "GANTRY_CACHE_SECRET_KEY",
        "GANTRY_CACHE_SECRET_KEY_FILE",
        "GITHUB_ACTIONS",
        "GITHUB_STEP_SUMMARY",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    ] {
        command.env_remove(name);
    }
    // What nextest and cargo set for the tests that they run.
    let is_set = |name: &str| {
        ["NEXTEST", "CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    for (name, _) in env::vars().filter(|(name, _)| is_set(name)) {
        command.env_remove(name);
    }
    command
}
