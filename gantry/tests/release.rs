//! `gantry release` with real Nix, on a folder, and with a stand-in for cachix.
//!
//! Run with `cargo test --test release -- --ignored` where Nix is installed.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::slice;

use serde_json::Value;
use support::cache::{Key, copy, corrupt, flags};
use support::cachix::Cachix;
use support::checks::flake;
use support::git::{commit, git};
use support::nix::{delete, nix, system};
use support::{Workspace, assert_exit, repository, text};

/// A committed workspace whose CI passes, with two packages to release, of which `default` refers to
/// `page`, and two that are not.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    let steps = ["fmt", "clippy", "build", "test", "doc"];
    let names = steps.map(|step| ["app", "core-library"].map(|member| format!("{step}-{member}")));
    let mut checks: Vec<(&str, &str, &str)> = names
        .iter()
        .flatten()
        .map(|name| (&**name, "", "echo passed > $out"))
        .collect();
    checks.push(("page", "", "echo page > $out"));
    checks.push(("program", "page", "echo $needs > $out"));
    flake(&workspace, &checks);
    let system = system();
    workspace.edit(
        "flake.nix",
        "{ outputs = { self }: {",
        &format!(
            "{{ outputs = {{ self }}: {{ packages.\"{system}\" = let all = self.checks.\"{system}\"; in {{\n\
             default = all.program // {{ version = \"0.1.0\"; }}; page = all.page;\n\
             dev = all.build-app // {{ release = false; }}; }};\n"
        ),
    );
    workspace.write(
        ".gitignore",
        ".cache\n/bin\n/cachix.log\n/served\n/target\n*.secret\n/flake.lock\n",
    );
    commit(workspace.path(), "Begin");
    workspace
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap()
}

/// The names of the files in a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What a shell script prints in a folder.
fn shell(folder: &Path, script: &str) -> String {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{script}: {}",
        text(&output.stderr)
    );
    text(&output.stdout).trim().to_owned()
}

/// The folder's name, which stands for that of a repository.
fn name(workspace: &Workspace) -> String {
    let name = workspace.path().file_name().unwrap();
    name.to_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs Nix"]
fn a_release_is_in_the_cache_and_in_a_folder() {
    let workspace = workspace();
    let output = workspace.gantry(&["release", "0.1.0"]);
    assert_exit(&output, 0, "released v0.1.0");

    let folder = workspace.path().join("target/release-0.1.0");
    let (name, system) = (name(&workspace), system());
    let program = format!("{name}-v0.1.0-{system}.closure.gz");
    let page = format!("{name}-page-v0.1.0-{system}.tar.gz");
    let mut expected = vec![
        "SHA256SUMS".to_owned(),
        page.clone(),
        program.clone(),
        "manifest.json".to_owned(),
    ];
    expected.sort();
    assert_eq!(files(&folder), expected);
    shell(&folder, "sha256sum --check --strict SHA256SUMS");
    let unpacked = shell(&folder, &format!("tar -xzOf {page}"));
    assert_eq!(unpacked, "page");

    let manifest = manifest(&folder);
    let [first, second] = &**manifest["packages"].as_array().unwrap() else {
        panic!("{manifest:#}");
    };
    assert_eq!(manifest["version"], 1);
    assert_eq!(manifest["name"], *name);
    assert_eq!(manifest["release"], "0.1.0");
    assert_eq!(manifest["system"], *system);
    assert_eq!(
        manifest["revision"],
        *shell(workspace.path(), "git rev-parse HEAD")
    );
    assert_eq!(first["name"], "default");
    assert_eq!(first["archive"]["format"], "closure");
    assert_eq!(first["references"], serde_json::json!([second["path"]]));
    assert_eq!(second["archive"]["format"], "tar");
    assert_eq!(second["pin"], Value::Null);
    let bytes = fs::metadata(folder.join(&page)).unwrap().len();
    assert_eq!(second["archive"]["bytes"], bytes);

    // The closure brings back what the store has lost.
    let paths = [first, second].map(|package| package["path"].as_str().unwrap().to_owned());
    delete(&workspace, &paths);
    shell(&folder, &format!("zcat {program} | nix-store --import"));
    assert_eq!(fs::read_to_string(&paths[0]).unwrap().trim(), paths[1]);

    assert_exit(
        &workspace.gantry(&["cache", "verify", "default", "page"]),
        0,
        "0 missing, 0 not signed",
    );
    let before: Vec<_> = files(&folder)
        .iter()
        .map(|file| fs::read(folder.join(file)).unwrap())
        .collect();
    assert_exit(
        &workspace.gantry(&["release", "0.1.0"]),
        0,
        "pushed 0 store",
    );
    let after: Vec<_> = files(&folder)
        .iter()
        .map(|file| fs::read(folder.join(file)).unwrap())
        .collect();
    assert!(before == after, "the second run wrote something else");
}

#[test]
#[ignore = "needs Nix"]
fn what_is_not_to_be_released_is_refused() {
    let workspace = workspace();
    let release = |version: &str| workspace.gantry(&["release", version, "--dry-run"]);
    assert_exit(
        &release("0.2.0"),
        2,
        "the package `default` is at version 0.1.0, not at 0.2.0",
    );
    workspace.write("README.md", "Changed.\n");
    assert_exit(&release("0.1.0"), 2, "?? README.md");
    commit(workspace.path(), "Change");
    git(workspace.path(), &["tag", "v0.1.0", "HEAD~"]);
    assert_exit(&release("0.1.0"), 2, "git switch --detach v0.1.0");
    git(workspace.path(), &["tag", "--force", "v0.1.0", "HEAD"]);
    let output = release("0.1.0");
    assert_exit(&output, 0, "cache push default page");
    assert!(text(&output.stdout).contains("gantry/nix-cache"));
    for folder in ["target", ".cache/gantry"] {
        assert!(
            !workspace.path().join(folder).exists(),
            "{folder} was written"
        );
    }

    workspace.edit("flake.nix", "echo page > $out", "exit 1");
    commit(workspace.path(), "Break a package");
    git(workspace.path(), &["tag", "--delete", "v0.1.0"]);
    assert_eq!(
        workspace.gantry(&["release", "0.1.0"]).status.code(),
        Some(1)
    );
    workspace.edit("flake.nix", "echo passed > $out", "exit 1");
    commit(workspace.path(), "Break CI");
    assert_exit(
        &workspace.gantry(&["release", "0.1.0"]),
        1,
        "nothing was released: CI did not pass",
    );
    assert!(!workspace.path().join(".cache/gantry/nix-cache").exists());
    fs::remove_dir_all(workspace.path().join(".git")).unwrap();
    assert_exit(&release("0.1.0"), 2, "run `git commit`");
}

/// A workspace with a cache at cachix.org, committed.
fn with_cachix() -> (Cachix, PathBuf) {
    let cachix = Cachix::new(workspace());
    commit(cachix.workspace.path(), "Name a cache");
    let folder = cachix.workspace.path().join("target/release-0.1.0");
    (cachix, folder)
}

#[test]
#[ignore = "needs Nix"]
fn a_release_that_was_killed_is_finished_by_the_next_run() {
    let (cachix, folder) = with_cachix();
    let stand_in = cachix.workspace.path().join("bin/cachix");
    let script = fs::read_to_string(&stand_in).unwrap();
    let call = "case \"$1\" in\n  push)";
    assert!(script.contains(call));
    let (name, system) = (name(&cachix.workspace), system());
    let pins = ["default", "page"].map(|package| format!("{name}-v0.1.0-{package}-{system}"));

    // At the push, after the push, between the pins.
    for (moment, killed_at) in [
        ("push", "push"),
        ("first pin", &pins[0]),
        ("second pin", &pins[1]),
    ] {
        let kill = format!("case \"$*\" in *{killed_at}*) kill -9 $PPID; exit 1 ;; esac\n{call}");
        fs::write(&stand_in, script.replace(call, &kill)).unwrap();
        let output = cachix.run(&["release", "0.1.0"]);
        assert_eq!(
            output.status.code(),
            None,
            "{moment}: {}",
            text(&output.stderr)
        );
        assert!(!folder.exists(), "{moment}");
    }
    fs::write(&stand_in, &script).unwrap();
    let output = cachix.run(&["release", "0.1.0"]);
    assert_exit(&output, 0, "released v0.1.0");
    let calls = cachix.calls();
    let last: Vec<_> = calls[calls.len() - 2..].iter().collect();
    for (call, pin) in last.into_iter().zip(&pins) {
        assert!(
            call.starts_with(&format!("pin acme {pin} /nix/store/")),
            "{call}"
        );
    }
    let pushed = calls.iter().position(|call| call.starts_with("push acme"));
    let pinned = calls.iter().position(|call| call.starts_with("pin acme "));
    assert!(pushed.unwrap() < pinned.unwrap(), "{calls:?}");
    let manifest = manifest(&folder);
    let named: Vec<_> = manifest["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["pin"].as_str().unwrap())
        .collect();
    assert_eq!(named, pins);
    assert_eq!(manifest["cache"], "https://acme.cachix.org");
}

#[test]
#[ignore = "needs Nix"]
fn files_that_cannot_be_written_leave_nothing_behind() {
    let workspace = workspace();
    workspace.write("target/file", "");
    let out = workspace.path().join("target/file/folder");
    let output = workspace.gantry(&["release", "0.1.0", "--out", out.to_str().unwrap()]);
    assert_exit(&output, 2, "cannot make the folder");
    let out = workspace.path().join("target/out");
    fs::create_dir_all(out.join("manifest.json")).unwrap();
    let output = workspace.gantry(&["release", "0.1.0", "--out", out.to_str().unwrap()]);
    assert_exit(&output, 2, "cannot write");
    assert_eq!(files(&out).len(), 4, "{:?}", files(&out));
    fs::remove_dir(out.join("manifest.json")).unwrap();
    let output = workspace.gantry(&["release", "0.1.0", "--out", out.to_str().unwrap()]);
    assert_exit(&output, 0, "released v0.1.0");
    assert_eq!(files(&out).len(), 4, "{:?}", files(&out));
}

#[test]
#[ignore = "needs Nix"]
fn what_a_cache_promises_and_does_not_give_is_built() {
    let workspace = workspace();
    let page = format!(".#packages.{}.page", system());
    nix(&workspace, &["build", "--no-link", &page]);
    let path = nix(&workspace, &["eval", "--raw", &format!("{page}.outPath")]);
    let folder = workspace.path().join("target/cache");
    let (url, key) = (
        format!("file://{}", folder.display()),
        Key::new(&workspace, "test-1"),
    );
    copy(&workspace, &url, Some(&key), slice::from_ref(&path));
    delete(&workspace, &[path]);
    corrupt(&folder);
    let release = [&["release", "0.1.0"], &flags(&url, &key)[..]].concat();
    assert_exit(&workspace.gantry(&release), 0, "released v0.1.0");
}

/// docs/releasing.md names each field of the manifest, and no other.
#[test]
#[ignore = "needs Nix"]
fn the_manifest_is_as_documented() {
    let workspace = workspace();
    assert_exit(&workspace.gantry(&["release", "0.1.0"]), 0, "released");
    let manifest = manifest(&workspace.path().join("target/release-0.1.0"));
    let mut fields = Vec::new();
    collect(&manifest, "", &mut fields);
    fields.sort();
    fields.dedup();
    let document = fs::read_to_string(repository().join("gantry/docs/releasing.md")).unwrap();
    let (_, table) = document.split_once("| field | what it holds |").unwrap();
    let mut documented: Vec<_> = table
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    documented.sort_unstable();
    assert_eq!(fields, documented);
}

fn collect(value: &Value, path: &str, fields: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                let field = format!("{path}{name}");
                collect(value, &format!("{field}."), fields);
                fields.push(field);
            }
        }
        Value::Array(items) => {
            let path = format!("{}[].", path.trim_end_matches('.'));
            for item in items {
                collect(item, &path, fields);
            }
        }
        _ => {}
    }
}
