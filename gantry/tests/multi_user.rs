//! A multi-user installation: a daemon does the work, for a user that it trusts or does not trust.
//!
//! `cargo test --test multi_user -- --ignored`, as root, who may become another user.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::cache::{Key, configure};
use support::checks::{BUILT, SOUND, SUBSTITUTED, flake};
use support::http::Server;
use support::installation::Installation;
use support::{PROGRAM, Report, Workspace, interrupt, isolated, runs, skip, text, wait_until};
use tempfile::TempDir;

/// The user that runs the program; the daemon is root's.
const USER: &str = "nobody";

/// A workspace of [`USER`] on an installation with a daemon.
struct Host {
    workspace: Workspace,
    installation: Installation,
    folder: TempDir,
}

impl Host {
    /// None where this user may not become another.
    fn new(checks: &[(&str, &str, &str)]) -> Option<Self> {
        let workspace = Workspace::new();
        flake(&workspace, checks);
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Where cargo has put it may be closed to others.
        fs::copy(PROGRAM, folder.path().join("gantry")).unwrap();
        let mut host = Self {
            installation: Installation::new(folder.path()),
            workspace,
            folder,
        };
        if !host.give_away() {
            return None;
        }
        host.installation.serve("trusted-users = root");
        Some(host)
    }

    /// Makes the workspace the user's; whether that worked.
    fn give_away(&self) -> bool {
        let mut command = Command::new("chown");
        command
            .args(["--recursive", USER])
            .arg(self.workspace.path());
        command.output().unwrap().status.success()
    }

    /// A command that runs as the user, in the workspace.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let home = self.workspace.path();
        let mut command = isolated("setpriv", home);
        command
            .args([
                "--reuid",
                USER,
                "--regid",
                "nogroup",
                "--clear-groups",
                program,
            ])
            .args(arguments)
            .env("HOME", home)
            .env("USER", USER);
        self.installation.enter(&mut command);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program, arguments).output().unwrap()
    }

    fn gantry_command(&self, arguments: &[&str]) -> Command {
        let program = self.folder.path().join("gantry");
        self.command(program.to_str().unwrap(), arguments)
    }

    /// The exit code, the JSON, and what was shown meanwhile.
    fn gantry(&self, arguments: &[&str]) -> (i32, Value, String) {
        let output = self.gantry_command(arguments).output().unwrap();
        let shown = text(&output.stderr);
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{shown}"));
        (output.status.code().unwrap(), json, shown)
    }

    /// The outcomes of a run that passes, and what was shown meanwhile.
    fn ci(&self) -> (Vec<String>, String) {
        let (code, report, shown) = self.gantry(&["ci", "--json", "-"]);
        assert_eq!(code, 0, "{shown}");
        (Report(report).outcomes(), shown)
    }

    /// What mends `user-not-trusted`, where the doctor finds it.
    fn fix(&self) -> Option<String> {
        let (_, report, _) = self.gantry(&["doctor", "--json"]);
        let findings = report["findings"].as_array().unwrap().iter();
        let mut findings = findings.filter(|finding| finding["code"] == "user-not-trusted");
        let fix = findings.next()?["fix"].as_str().unwrap().to_owned();
        Some(fix)
    }

    /// Takes all checks out of the store.
    fn delete(&self) {
        let (_, status, _) = self.gantry(&["status", "--json"]);
        let outputs = status["outputs"].as_array().unwrap().iter();
        let paths: Vec<&str> = outputs
            .map(|output| output["path"].as_str().unwrap())
            .collect();
        let output = self.run("nix", &[&["store", "delete"], &*paths].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// Where `status` says that the checks are, and its notes.
    fn places(&self) -> (Vec<String>, String) {
        let (_, status, _) = self.gantry(&["status", "--json"]);
        let outputs = status["outputs"].as_array().unwrap().iter();
        let places = outputs.map(|output| output["place"].as_str().unwrap().to_owned());
        (places.collect(), status["notes"].to_string())
    }
}

const SKIPPED: &str = "a daemon's untrusted user: this user may not become another";

#[test]
#[ignore = "needs Nix"]
fn an_untrusted_user_builds_what_the_cache_has_until_nix_is_told_of_it() {
    let Some(mut host) = Host::new(&SOUND) else {
        return skip(SKIPPED);
    };
    let key = Key::new(&host.workspace, "test-1");
    let folder = host.folder.path().join("served");
    let server = Server::start(&folder);
    let info = format!("StoreDir: {}\n", host.installation.store().display());
    fs::write(folder.join("nix-cache-info"), info).unwrap();
    configure(&host.workspace, &format!("url = \"{}\"", server.url), &key);

    let (outcomes, shown) = host.ci();
    assert_eq!(outcomes, BUILT, "{shown}");
    let ignored = format!(
        "does not trust this user, and ignores the cache {}",
        server.url
    );
    assert!(shown.contains(&ignored), "{shown}");
    // Writing to a cache takes nobody's trust.
    let mut push = host.gantry_command(&["cache", "push"]);
    let push = push
        .env("GANTRY_CACHE_SECRET_KEY_FILE", &key.secret)
        .output()
        .unwrap();
    assert!(push.status.success(), "{}", text(&push.stderr));
    assert!(
        text(&push.stdout).contains("3 store paths"),
        "{}",
        text(&push.stdout)
    );

    host.delete();
    let (places, notes) = host.places();
    assert_eq!(places, ["nowhere"; 3]);
    assert!(notes.contains(&ignored), "{notes}");
    let fix = host.fix().unwrap();
    assert_eq!(host.ci().0, BUILT);

    let lines = fix.split_once('\n').unwrap().1;
    host.installation
        .serve(&format!("trusted-users = root\n{lines}"));
    assert_is_used(&host);
    host.installation
        .serve(&format!("trusted-users = root {USER}"));
    assert_is_used(&host);
}

/// What the store lacks comes from the cache, and nothing is said about it.
#[track_caller]
fn assert_is_used(host: &Host) {
    host.delete();
    assert_eq!(host.fix(), None);
    let (places, notes) = host.places();
    assert_eq!(places, ["cache"; 3]);
    assert_eq!(notes, "[]");
    let (outcomes, shown) = host.ci();
    assert_eq!(outcomes, SUBSTITUTED, "{shown}");
    assert!(!shown.contains("trusted"), "{shown}");
}

#[test]
#[ignore = "needs Nix"]
fn what_fails_in_a_daemon_is_told_as_what_fails_without_one() {
    let Some(host) = Host::new(&[
        ("build-app", "", "echo out of order; exit 3"),
        ("test-app", "build-app", "echo tested > $out"),
        ("doc-app", "", "echo documented > $out"),
    ]) else {
        return skip(SKIPPED);
    };
    let (code, report, shown) = host.gantry(&["ci", "--json", "-"]);
    assert_eq!(code, 1, "{shown}");
    assert_eq!(report["notes"].to_string(), "[]");
    assert_eq!(
        Report(report).outcomes(),
        ["build-app failed", "test-app blocked", "doc-app built"]
    );
    let output = host.gantry_command(&["ci"]).output().unwrap();
    let table = text(&output.stdout);
    assert!(
        table.contains("out of order\n  builder failed with exit code 3\n"),
        "{table}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn an_interrupt_leaves_no_build_of_the_daemon_behind() {
    const SCRIPT: &str = "while :; do : daemon; done";
    let Some(host) = Host::new(&[("build-app", "", SCRIPT)]) else {
        return skip(SKIPPED);
    };
    let mut child = host
        .gantry_command(&["ci"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| runs(SCRIPT));
    // setpriv has become the program.
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_until(|| !runs(SCRIPT));
}
