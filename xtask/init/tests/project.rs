//! Projects that are made of this repository, by the program that users run.

mod support;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use support::project::{assert_holds_none_of, assert_is_project};
use support::{commit, content, copy_template, git, program, run, text};
use tempfile::TempDir;

/// A key of the right form.
const KEY: &str = "acme.cachix.org-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A copy of the template, in a folder of this name.
fn template(folder: &str) -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join(folder);
    copy_template(&root);
    (parent, root)
}

/// `cargo xtask init` in `folder`, by a user whom git does not know.
fn init(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program("xtask-init"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("CARGO", env!("CARGO"))
        .env("HOME", folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null());
    keep_homes(&mut command);
    command
}

/// cargo and rustup keep their folders, wherever the user's home is.
fn keep_homes(command: &mut Command) {
    let Some(home) = std::env::home_dir() else {
        return;
    };
    for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        if std::env::var_os(variable).is_none() {
            command.env(variable, home.join(folder));
        }
    }
}

#[test]
fn a_project_has_its_name_everywhere_and_nothing_of_the_templates_own() {
    let (_parent, root) = template("acme");
    let output = run(&mut init(&root, &["--name", "acme"]));
    assert!(text(&output.stderr).is_empty(), "{}", text(&output.stderr));
    assert_is_project(&root, "acme");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("repository = \"https://github.com/ORG/acme\""));
    assert!(root.join("crates/web").exists() && !root.join("xtask/init").exists());
}

#[test]
fn every_answer_reaches_its_place() {
    let (_parent, root) = template("a folder with spaces");
    let revision = commit(&root, "Template");
    git(&root, &["rm", "--quiet", "-r", "--cached", "."]);
    git(&root, &["update-ref", "-d", "HEAD"]);
    let target = root.join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
    fs::write(target.join("built"), "").unwrap();
    let arguments = [
        "--name=my-app2",
        "--repository=acme/my-app2",
        "--author=Jane Doe <jane@example.org>",
        "--license=MIT",
        "--cache=acme",
        &format!("--public-key={KEY}"),
        "--without=web",
        &format!("--revision={revision}"),
    ];
    run(&mut init(&root, &arguments));
    assert_is_project(&root, "my-app2");

    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for line in [
        "repository = \"https://github.com/acme/my-app2\"",
        "license = \"MIT\"",
        "authors = [\"Jane Doe <jane@example.org>\"]",
        "name = \"acme\"",
        "name = \"my-app2\"",
        "without = [\"web\"]",
        &format!("public-key = \"{KEY}\""),
        &format!("revision = \"{revision}\""),
    ] {
        assert!(
            manifest.lines().any(|other| other == line),
            "{line} is not in\n{manifest}"
        );
    }
    let flake = fs::read_to_string(root.join("flake.nix")).unwrap();
    assert!(flake.contains("extra-substituters = [ \"https://acme.cachix.org\" ];"));
    assert!(flake.contains(&format!("extra-trusted-public-keys = [ \"{KEY}\" ];")));
    let license = fs::read_to_string(root.join("LICENSE-MIT")).unwrap();
    assert!(license.contains("Jane Doe\n") && !root.join("LICENSE-APACHE").exists());
    assert!(root.join("target/built").exists());

    // The wasm crate is gone, and all that named it but the driver, which can build others.
    let left_out = [
        "crates/web",
        "my-app2-web",
        "my_app2_web",
        "web.nix",
        "xtask/bindgen",
    ];
    assert_holds_none_of(&root, &left_out, |file| !file.starts_with("xtask/"));
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    assert!(!lock.contains("wasm-bindgen"));
}

#[test]
fn a_repository_around_the_project_gets_its_files() {
    let (parent, root) = template("project");
    git(parent.path(), &["init", "--quiet"]);
    run(&mut init(&root, &["--name", "acme"]));
    assert!(!root.join(".git").exists());
    assert!(git(&root, &["ls-files"]).contains("crates/core/Cargo.toml"));
}

#[test]
fn a_name_that_cannot_be_is_refused_and_nothing_is_touched() {
    let (parent, root) = template("project");
    let before = content(&root);
    for (arguments, message) in [
        (&["--name", "My App"][..], "`my-app` could"),
        (
            &["--name", "serde"],
            "the project depends on the package `serde`",
        ),
        (&["--name", "test"], "it is reserved"),
        (&["--name", "gantry"], "it is the template's own"),
        (&[], "--name is missing: `cargo xtask init --name project`"),
        (&["--name", "acme", "--cache", "acme"], "--public-key"),
        (
            &["--name", "acme", "--cache", "acme", "--public-key", "x"],
            "is no public key",
        ),
        (
            &["--name", "acme", "--repository", "x"],
            "neither ORG/NAME at GitHub nor a URL",
        ),
        (
            &["--name", "acme", "--without", "wasm"],
            "[possible values: web]",
        ),
    ] {
        let output = init(&root, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let error = text(&output.stderr);
        assert!(error.contains(message), "{arguments:?}: {error}");
        assert!(content(&root) == before, "{arguments:?} changed something");
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
}

/// Starts `command` on a terminal, and gives the terminal's other end.
fn spawn_on_terminal(command: &mut Command) -> (Child, File) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = || {
        let path = Path::new(name.to_str().unwrap());
        File::options().read(true).write(true).open(path).unwrap()
    };
    let child = command.stdin(end()).stdout(Stdio::null()).stderr(end());
    (child.spawn().unwrap(), File::from(terminal))
}

#[test]
fn what_is_missing_is_asked_for_on_a_terminal() {
    let (_parent, root) = template("project");
    let command = &mut init(&root, &["--repository", "acme/acme"]);
    let (mut child, mut terminal) = spawn_on_terminal(command);
    // Name, author, licence, cache, and whether to keep the wasm crate.
    terminal
        .write_all(b"My App\nmy-app\nJane\n\n\nleave out\n")
        .unwrap();
    assert!(child.wait().unwrap().success());
    let mut asked = [0; 4096];
    let length = terminal.read(&mut asked).unwrap();
    let asked = text(&asked[..length]);
    for question in [
        "Name [project]: ",
        "`My App` cannot be the name",
        "Author: ",
        "Licence [MIT OR Apache-2.0]: ",
        "Binary cache",
        "wasm crate",
    ] {
        assert!(asked.contains(question), "{question} is not in {asked}");
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"my-app\"\nwithout = [\"web\"]\n"));
    assert!(manifest.contains("authors = [\"Jane\"]\n"));
}

#[test]
fn an_interrupt_ends_a_question() {
    let (_parent, root) = template("project");
    let before = content(&root);
    let (mut child, mut terminal) = spawn_on_terminal(&mut init(&root, &[]));
    let mut asked = [0; 64];
    let length = terminal.read(&mut asked).unwrap();
    assert!(text(&asked[..length]).starts_with("Name"));

    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > Duration::from_secs(10) => {
                child.kill().unwrap();
                panic!("it still waits for an answer");
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    assert!(!status.success());
    assert_eq!(content(&root), before);
}

#[test]
fn a_killed_run_leaves_the_folder_untouched_or_done() {
    let (_parent, root) = template("project");
    let before = content(&root);
    let start = Instant::now();
    run(&mut init(&root, &["--name", "acme"]));
    let duration = start.elapsed();
    let done = content(&root);

    let mut ended = 0;
    for part in 0..12 {
        let (parent, root) = template("project");
        let mut child = init(&root, &["--name", "acme"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        if part % 2 == 0 {
            thread::sleep(duration * part / 12);
        } else {
            // At its heart: the folders have been exchanged, and its own content is being replaced.
            while root.join("xtask/init").exists() && child.try_wait().unwrap().is_none() {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(part.into()));
        }
        child.kill().unwrap();
        ended += u32::from(child.wait().unwrap().success());

        let found = content(&root);
        assert!(
            found == before || found == done,
            "killed in part {part} of {duration:?}"
        );
        if found == before {
            // What it left behind is in nobody's way.
            run(&mut init(&root, &["--name", "acme"]));
            assert_eq!(content(&root), done);
            assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
        }
    }
    assert!(ended < 6, "{ended} of 12 runs came to their end");
}
