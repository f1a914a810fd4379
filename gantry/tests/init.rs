//! Projects that are made of this repository and of what it hands out, by the program that users run.

#[path = "support/init.rs"]
mod init;
#[path = "support/project.rs"]
mod project;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use init::{
    assert_same, commit, content, copy_repository, git, hand_out, init, read, run, text, write,
};
use project::{assert_is_project, assert_lock_is_as_cargo_writes_it, assert_names_none_of};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A key of the right form.
const KEY: &str = "cache.cachix.org-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn a_project_has_its_name_everywhere() {
    let (_parent, root) = hand_out("a folder", false);
    let output = run(&mut init(&root, &["--name", "my-app2"]));
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).contains("Next: cargo xtask ci"));
    assert_is_project(&root, "my-app2");
    let manifest = read(&root, "Cargo.toml");
    assert!(manifest.contains("repository = \"https://github.com/ORG/my-app2\""));
    assert!(read(&root, "LICENSE-MIT").contains(" The my-app2 authors\n"));

    let before = content(&root);
    let output = run(&mut init(&root, &["--name", "my-app2"]));
    assert!(text(&output.stdout).contains("This is my-app2 already"));
    assert_same(&root, &before);
}

#[test]
fn the_name_of_what_is_handed_out_can_stay() {
    let (_parent, root) = hand_out("acme", false);
    run(&mut init(&root, &["--name", "acme"]));
    assert_lock_is_as_cargo_writes_it(&root);
    assert!(read(&root, "Cargo.toml").contains("[workspace.metadata.template]\nname = \"acme\"\n"));
}

#[test]
fn every_answer_reaches_its_place() {
    let (_parent, root) = hand_out("project", false);
    // It pins what the input was.
    write(&root, "flake.lock", b"{}");
    let arguments = [
        "--name=my-app2",
        "--repository=org/my-app2",
        "--author=Jane Doe <jane@example.org>",
        "--license=MIT",
        "--cache=cache",
        &format!("--public-key={KEY}"),
        "--gantry=path:/a/folder",
    ];
    run(&mut init(&root, &arguments));
    assert_is_project(&root, "my-app2");

    let manifest = read(&root, "Cargo.toml");
    for line in [
        "repository = \"https://github.com/org/my-app2\"",
        "license = \"MIT\"",
        "authors = [\"Jane Doe <jane@example.org>\"]",
        "name = \"cache\"",
        "name = \"my-app2\"",
        &format!("public-key = \"{KEY}\""),
    ] {
        assert!(
            manifest.lines().any(|other| other == line),
            "{line} is not in\n{manifest}"
        );
    }
    let flake = read(&root, "flake.nix");
    assert!(flake.contains("extra-substituters = [ \"https://cache.cachix.org\" ];"));
    assert!(flake.contains(&format!("extra-trusted-public-keys = [ \"{KEY}\" ];")));
    assert!(flake.contains("gantry.url = \"path:/a/folder\";"));
    assert!(!root.join("flake.lock").exists());
    assert!(read(&root, "LICENSE-MIT").contains("Copyright (c) 2026 Jane Doe\n"));
    assert!(!root.join("LICENSE-APACHE").exists());
}

#[test]
fn without_web_is_the_minimal_template() {
    let (_parent, default) = hand_out("project", false);
    run(&mut init(&default, &["--name=app", "--without=web"]));
    assert_is_project(&default, "app");
    assert_names_none_of(
        &default,
        &["crates/web", "xtask/bindgen", "app-web", "app_web"],
    );
    assert!(!read(&default, "Cargo.lock").contains("wasm-bindgen"));

    let (_parent, minimal) = hand_out("project", true);
    run(&mut init(&minimal, &["--name=app"]));
    assert_same(&minimal, &content(&default));
}

#[test]
fn a_fork_becomes_what_is_handed_out() {
    let (_parent, expected) = hand_out("project", false);
    run(&mut init(&expected, &["--name=app"]));

    let (_parent, fork) = copy_repository("project");
    commit(&fork, "The repository");
    git(
        &fork,
        &["remote", "add", "origin", "git@github.com:ORG/gantry.git"],
    );
    write(&fork, "gantry/target/CACHEDIR.TAG", b"");
    write(&fork, "gantry/target/debug/gantry", b"built");
    write(&fork, "target/CACHEDIR.TAG", b"");
    run(&mut init(&fork, &["--name=app"]));
    assert_is_project(&fork, "app");
    assert_same(&fork, &content(&expected));
    assert!(!fork.join("gantry").exists() && fork.join("target").exists());
}

#[test]
fn a_fork_can_keep_the_engine() {
    let (_parent, fork) = copy_repository("project");
    let before = content(&fork);
    run(&mut init(&fork, &["--name=app", "--keep-engine"]));
    assert_lock_is_as_cargo_writes_it(&fork);
    let is_engine = |file: &&String| file.starts_with("gantry/");
    let after = content(&fork);
    for file in before
        .keys()
        .filter(is_engine)
        .chain([&"flake.lock".to_owned()])
    {
        assert_eq!(after.get(file), before.get(file), "{file}");
    }
    assert!(read(&fork, "flake.nix").contains("./gantry/nix"));
    assert!(!fork.join("templates").exists() && !fork.join(".ci").exists());
    for (file, content) in after.iter().filter(|(file, _)| !is_engine(file)) {
        assert!(!text(content).to_lowercase().contains("acme"), "{file}");
    }
}

#[test]
fn a_repository_around_the_project_gets_its_files() {
    let (parent, root) = hand_out("project", false);
    git(parent.path(), &["init", "--quiet"]);
    run(&mut init(&root, &["--name", "app"]));
    assert!(!root.join(".git").exists());
    assert!(git(&root, &["ls-files"]).contains("crates/core/Cargo.toml"));
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_touched() {
    let (_parent, root) = hand_out("project", false);
    let before = content(&root);
    for (arguments, message) in [
        (&["--name", "My App"][..], "`my-app` could"),
        (
            &["--name", "serde"],
            "the project depends on the package `serde`",
        ),
        (&["--name", "test"], "it is reserved"),
        (&[], "--name is missing: `gantry init --name project`"),
        (&["--name", "app", "--cache", "cache"], "--public-key"),
        (
            &["--name", "app", "--cache", "cache", "--public-key", "x"],
            "is no public key",
        ),
        (
            &["--name", "app", "--repository", "x"],
            "neither ORG/NAME at GitHub nor a URL",
        ),
        (
            &["--name", "app", "--without", "wasm"],
            "[possible values: web]",
        ),
        (
            &["--name", "app", "--gantry", "folder"],
            "is no URL of a flake",
        ),
        (
            &["--name", "app", "--keep-engine"],
            "there is no engine here",
        ),
    ] {
        let output = init(&root, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let error = text(&output.stderr);
        assert!(error.contains(message), "{arguments:?}: {error}");
        assert_same(&root, &before);
        assert!(!root.join(".git").exists());
    }

    let other = tempfile::tempdir().unwrap();
    for (manifest, message) in [
        (None, "has a Cargo.toml with [workspace]"),
        (Some("[workspace]\n"), "is not what gantry hands out"),
    ] {
        manifest.inspect(|manifest| write(other.path(), "Cargo.toml", manifest.as_bytes()));
        let output = init(other.path(), &["--name", "app"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(message), "{output:?}");
    }
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
    let (_parent, root) = hand_out("project", false);
    let command = &mut init(&root, &["--repository", "org/my-app"]);
    let (mut child, mut terminal) = spawn_on_terminal(command);
    // Name, author, licence, cache, and whether to keep the page.
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
        "The page in WebAssembly",
    ] {
        assert!(asked.contains(question), "{question} is not in {asked}");
    }
    let manifest = read(&root, "Cargo.toml");
    assert!(manifest.contains("name = \"my-app\"\nwithout = [\"web\"]\n"));
    assert!(manifest.contains("authors = [\"Jane\"]\n"));
}

#[test]
fn an_interrupt_ends_a_question() {
    let (_parent, root) = hand_out("project", false);
    let before = content(&root);
    let (mut child, mut terminal) = spawn_on_terminal(&mut init(&root, &[]));
    let mut asked = [0; 64];
    let length = terminal.read(&mut asked).unwrap();
    assert!(text(&asked[..length]).starts_with("Name"));

    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    // Without an end it would wait for an answer, and this test for it.
    assert!(!child.wait().unwrap().success());
    assert_same(&root, &before);
}

#[test]
fn a_killed_run_is_finished_by_the_next() {
    let (_parent, root) = hand_out("project", false);
    let start = Instant::now();
    run(&mut init(&root, &["--name", "app"]));
    let duration = start.elapsed();
    let done = content(&root);

    let mut killed = 0;
    let mut decided = 0;
    for round in 0..8 {
        let (_parent, root) = hand_out("project", false);
        for attempt in 0.. {
            let mut child = init(&root, &["--name", "app"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            if round % 2 == 0 {
                thread::sleep(duration * (round + attempt * 4) / 8);
            } else {
                // At its heart: it is decided, and the files are being changed.
                while !root.join(".gantry-init").exists() && child.try_wait().unwrap().is_none() {
                    thread::yield_now();
                }
                thread::sleep(Duration::from_micros(u64::from(
                    300 * round + 2000 * attempt,
                )));
            }
            // It has no children that would go on changing files.
            child.kill().unwrap();
            if child.wait().unwrap().success() {
                break;
            }
            killed += 1;
            decided += u32::from(root.join(".gantry-init").exists());
        }
        assert_same(&root, &done);
        let status = git(&root, &["status", "--porcelain"]);
        assert!(
            status.lines().all(|line| line.starts_with("A  ")),
            "{status}"
        );
    }
    assert!(
        killed > 0 && decided > 0,
        "{killed} runs were killed, {decided} of them late"
    );
}

#[test]
fn what_an_interrupted_run_decided_is_done_whatever_the_next_is_told() {
    let (_parent, root) = hand_out("project", false);
    git(&root, &["init", "--quiet"]);
    // Changing files fails where a folder is in the way.
    let lock = read(&root, "deny.toml");
    git(&root, &["add", "--all"]);
    fs::remove_file(root.join("deny.toml")).unwrap();
    write(
        &root,
        ".gantry-init/new/Cargo.toml",
        read(&root, "Cargo.toml")
            .replace(
                "[profile.dev]\n",
                "[workspace.metadata.template]\nname = \"app\"\n\n[profile.dev]\n",
            )
            .as_bytes(),
    );
    write(
        &root,
        ".gantry-init/old/Cargo.toml",
        read(&root, "Cargo.toml").as_bytes(),
    );
    write(&root, ".gantry-init/new/deny.toml", lock.as_bytes());
    let output = run(&mut init(&root, &["--name", "other"]));
    assert!(
        text(&output.stderr).contains("an earlier run was interrupted"),
        "{output:?}"
    );
    assert!(
        text(&output.stdout).contains("This is app now"),
        "{output:?}"
    );
    assert_eq!(read(&root, "deny.toml"), lock);
    assert!(!root.join(".gantry-init").exists());
}
