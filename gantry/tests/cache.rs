//! `gantry cache` with real Nix, on a folder and over HTTP, and with a stand-in for cachix.
//!
//! Run with `cargo test --test cache -- --ignored` where Nix is installed.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use support::cache::{Key, configure, copy};
use support::cachix::Cachix;
use support::checks::{SOUND, SUBSTITUTED, build, flake, path, sound_paths};
use support::http::Server;
use support::nix::{delete, nix, system};
use support::{Workspace, assert_exit, interrupt, text, wait_until};

/// A workspace whose three checks are built; its test was built with a layer, and does not refer to it.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    build(&workspace);
    workspace
}

fn cache_with(workspace: &Workspace, key: &Key, arguments: &[&str]) -> Output {
    workspace
        .command(&[&["cache"], arguments].concat())
        .env("GANTRY_CACHE_SECRET_KEY_FILE", &key.secret)
        .output()
        .unwrap()
}

fn cache(workspace: &Workspace, arguments: &[&str]) -> Output {
    workspace.gantry(&[&["cache"], arguments].concat())
}

/// The outcomes of a run after the store has lost the checks.
fn outcomes_on_an_empty_store(workspace: &Workspace) -> Vec<String> {
    delete(workspace, &sound_paths(workspace));
    workspace.ci(&[]).1.outcomes()
}

#[test]
#[ignore = "needs Nix"]
fn a_workspace_that_names_no_cache_has_one_all_the_same() {
    let workspace = workspace();
    assert_exit(
        &cache(&workspace, &["verify"]),
        2,
        "run `gantry cache push`",
    );
    assert_exit(
        &cache(&workspace, &["push"]),
        0,
        "pushed 3 store paths to file:///",
    );
    assert_exit(&cache(&workspace, &["push"]), 0, "pushed 0 store paths");
    assert_exit(
        &cache(&workspace, &["verify"]),
        0,
        "has 3 store paths, signed by gantry-local-1",
    );

    let key = workspace.path().join(".cache/gantry/nix-cache.secret-key");
    let mode = fs::metadata(key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(outcomes_on_an_empty_store(&workspace), SUBSTITUTED);
}

#[test]
#[ignore = "needs Nix"]
fn a_named_output_takes_along_what_it_was_built_with() {
    let workspace = workspace();
    assert_exit(
        &cache(&workspace, &["push", "test-app"]),
        0,
        "pushed 2 store paths",
    );
    let narinfo = |check: &str| {
        let path = path(&workspace, check);
        let hash = path.rsplit('/').next().unwrap().split('-').next().unwrap();
        workspace
            .path()
            .join(format!(".cache/gantry/nix-cache/{hash}.narinfo"))
    };
    assert!(narinfo("test-app").exists());
    // The layer that the test inherits is not in its runtime closure.
    let closure = nix(
        &workspace,
        &["path-info", "--recursive", &path(&workspace, "test-app")],
    );
    assert!(!closure.contains("build-app"), "{closure}");
    assert!(narinfo("build-app").exists());
    assert!(!narinfo("doc-app").exists());

    assert_exit(
        &cache(&workspace, &["push", "oops"]),
        2,
        "no package or check `oops`",
    );
    delete(&workspace, &[path(&workspace, "doc-app")]);
    assert_exit(
        &cache(&workspace, &["push", "doc-app"]),
        2,
        "is not built: run `nix build",
    );
    assert_exit(&cache(&workspace, &["verify", "doc-app"]), 1, "not built");
    assert_exit(
        &cache(&workspace, &["push"]),
        0,
        "1 output is neither here nor there",
    );
}

#[test]
#[ignore = "needs Nix"]
fn the_layers_of_dependencies_are_pushed_alone() {
    let workspace = workspace();
    let system = system();
    workspace.edit(
        "flake.nix",
        "{ outputs = { self }: {",
        &format!(
            "{{ outputs = {{ self }}: {{ packages.\"{system}\".deps-native-dev = self.checks.\"{system}\".build-app;"
        ),
    );
    assert_exit(
        &cache(&workspace, &["push", "--deps"]),
        0,
        "pushed 1 store path to",
    );
    assert_exit(
        &cache(&workspace, &["push", "--deps", "doc-app"]),
        0,
        "pushed 1 store path to",
    );
}

#[test]
#[ignore = "needs Nix"]
fn an_http_cache_is_pushed_to_and_verified() {
    let workspace = workspace();
    let key = Key::new(&workspace, "test-1");
    let server = Server::start(&workspace.path().join("served"));
    configure(&workspace, &format!("url = \"{}\"", server.url), &key);
    assert_exit(&cache(&workspace, &["push"]), 2, "GANTRY_CACHE_SECRET_KEY");
    assert_exit(
        &cache_with(&workspace, &key, &["push"]),
        0,
        "pushed 3 store paths to http://",
    );
    assert_exit(
        &cache(&workspace, &["verify"]),
        0,
        "has 3 store paths, signed by test-1",
    );
    assert_eq!(outcomes_on_an_empty_store(&workspace), SUBSTITUTED);

    // Named once more, it is no other cache that has everything already.
    let again = format!("{}/?priority=10", server.url);
    assert_exit(
        &cache(
            &workspace,
            &["verify", "--", "--extra-substituters", &again],
        ),
        0,
        "has 3 store paths, signed by test-1",
    );

    let lost = path(&workspace, "doc-app");
    server.remove(&lost);
    assert_exit(
        &cache(&workspace, &["verify"]),
        1,
        &format!("missing    {lost}"),
    );
}

#[test]
#[ignore = "needs Nix"]
fn what_another_key_signed_is_found_and_mended() {
    let workspace = workspace();
    let (key, stranger) = (
        Key::new(&workspace, "test-1"),
        Key::new(&workspace, "stranger-1"),
    );
    let url = format!("file://{}", workspace.path().join("c a").display());
    let url = url.replace(' ', "%20");
    configure(&workspace, &format!("url = \"{url}\""), &key);
    let signed = format!("{url}?secret-key={}", stranger.secret.display());
    let paths = sound_paths(&workspace);
    nix(
        &workspace,
        &["copy", "--to", &signed, &paths[0], &paths[1], &paths[2]],
    );

    assert_exit(
        &cache(&workspace, &["verify"]),
        1,
        &format!("not signed {}", paths[0]),
    );
    let refused = cache_with(&workspace, &stranger, &["push"]);
    assert_exit(&refused, 2, "use the key that belongs to the cache");
    let secret = fs::read_to_string(&stranger.secret).unwrap();
    let secret = secret.split(':').nth(1).unwrap().trim();
    assert!(
        !text(&refused.stderr).contains(secret),
        "a secret key is printed"
    );

    assert_exit(
        &cache_with(&workspace, &key, &["push"]),
        0,
        "pushed 0 store paths",
    );
    assert_exit(
        &cache(&workspace, &["verify"]),
        0,
        "3 store paths, signed by test-1",
    );
    assert_exit(
        &cache_with(&workspace, &key, &["pin", "v1", "doc-app"]),
        0,
        "has no pins",
    );
}

#[test]
#[ignore = "needs Nix"]
fn a_key_in_a_variable_signs_and_a_broken_one_is_not_repeated() {
    let workspace = workspace();
    let key = Key::new(&workspace, "test-1");
    let url = format!("file://{}", workspace.path().join("cache").display());
    configure(&workspace, &format!("url = \"{url}\""), &key);
    let push = |secret: &str| {
        let mut command = workspace.command(&["cache", "push"]);
        command
            .env("GANTRY_CACHE_SECRET_KEY", secret)
            .output()
            .unwrap()
    };
    let broken = push("test-1:c2VjcmV0");
    assert_exit(&broken, 2, "GANTRY_CACHE_SECRET_KEY holds no secret key");
    assert!(!text(&broken.stderr).contains("c2VjcmV0"));
    assert_exit(
        &push(&fs::read_to_string(&key.secret).unwrap()),
        0,
        "pushed 3 store paths",
    );
}

#[test]
#[ignore = "needs Nix"]
fn only_what_an_upstream_cache_of_the_project_has_is_not_pushed() {
    let workspace = workspace();
    let [own, other] = ["own-1", "other-1"].map(|name| Key::new(&workspace, name));
    let url = |name: &str| format!("file://{}", workspace.path().join(name).display());
    let built = [path(&workspace, "build-app")];
    copy(&workspace, &url("other"), Some(&other), &built);
    // The person who pushes reads it, and whether others do, the project says.
    let flags = ["--", "--substituters", &url("other")];
    let flags = [&flags[..], &["--trusted-public-keys", &other.public]].concat();
    let manifest = workspace.read("Cargo.toml");
    for (place, upstream, count) in [("one", String::new(), 3), ("two", url("other"), 2)] {
        workspace.write("Cargo.toml", &manifest);
        let table = format!(
            "url = \"{}\"\nupstream-caches = [\"{upstream}\"]",
            url(place)
        );
        configure(&workspace, &table.replace("[\"\"]", "[]"), &own);
        for command in ["push", "verify"] {
            let output = cache_with(&workspace, &own, &[&[command], &flags[..]].concat());
            assert_exit(
                &output,
                0,
                &format!("has {count} store paths, signed by own-1"),
            );
        }
    }
}

#[test]
#[ignore = "needs Nix"]
fn cachix_gets_the_push_before_the_pin() {
    let cachix = Cachix::new(workspace());
    let pinned = path(&cachix.workspace, "test-app");
    let layer = path(&cachix.workspace, "build-app");
    let output = cachix.run(&["cache", "pin", "v1", "test-app"]);
    assert_exit(&output, 0, "pinned v1 in https://acme.cachix.org");
    let mut paths = [&*pinned, &*layer];
    paths.sort_unstable();
    assert_eq!(
        cachix.calls(),
        [
            format!("push acme {}", paths.join(" ")),
            format!("pin acme v1 {pinned}"),
        ]
    );
    assert_exit(&cachix.run(&["cache", "push"]), 0, "pushed 1 store path to");
    assert_exit(
        &cachix.run(&["cache", "verify"]),
        0,
        "has 3 store paths, signed by acme.cachix.org-1",
    );
}

#[test]
#[ignore = "needs Nix"]
fn an_interrupt_ends_the_program_that_pushes() {
    let cachix = Cachix::new(workspace());
    let script = "#!/bin/sh\necho $$ >> \"$CACHIX_LOG\"\nexec sleep 300\n";
    cachix.workspace.write("bin/cachix", script);
    let mut command = cachix.command(&["cache", "push"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| !cachix.calls().is_empty());
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let is_left = Command::new("kill")
        .args(["-0", &cachix.calls()[0]])
        .output();
    assert!(!is_left.unwrap().status.success());
}

#[test]
#[ignore = "needs Nix"]
fn what_cachix_refuses_is_no_success() {
    let cachix = Cachix::new(workspace());
    let output = cachix
        .command(&["cache", "push"])
        .env("CACHIX_AUTH_TOKEN", "")
        .output()
        .unwrap();
    assert_exit(&output, 2, "cachix push acme failed");
    let output = cachix.run(&["cache", "pin", "v1", "oops"]);
    assert_exit(&output, 2, "no package or check `oops`");
    delete(&cachix.workspace, &[path(&cachix.workspace, "doc-app")]);
    assert_exit(
        &cachix.run(&["cache", "pin", "v1", "doc-app"]),
        2,
        "run `nix build",
    );
    assert_eq!(cachix.calls().len(), 1);

    fs::remove_file(cachix.workspace.path().join("bin/cachix")).unwrap();
    assert_exit(
        &cachix.run(&["cache", "push"]),
        2,
        "nix profile install nixpkgs#cachix",
    );
}
