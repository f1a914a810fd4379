//! `gantry status` and `--skip-cached` with real Nix and real binary caches.
//!
//! Run with `cargo test --test status -- --ignored` where Nix is installed.

mod support;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::cache::{Key, copy, flags};
use support::checks::{BUILT, CACHED, SOUND, build, flake, path, sound_paths};
use support::http::Server;
use support::nix::delete;
use support::{Report, Workspace, text};

/// A workspace with three checks, none of them built.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    workspace
}

fn status(workspace: &Workspace, arguments: &[&str]) -> Output {
    workspace.gantry(&[&["status"], arguments].concat())
}

/// The exit code, each output as `NAME PLACE`, and all of the JSON.
fn status_json(workspace: &Workspace, flags: &[&str]) -> (i32, Vec<String>, Value) {
    let output = status(workspace, &[&["--json"], flags].concat());
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let outputs = json["outputs"].as_array().unwrap().iter();
    let places = outputs.map(|output| {
        let word = |key: &str| output[key].as_str().unwrap();
        format!("{} {}", word("name"), word("place"))
    });
    (output.status.code().unwrap(), places.collect(), json)
}

#[test]
#[ignore = "needs Nix"]
fn outputs_are_to_be_built_then_in_the_store_then_in_a_cache() {
    let workspace = workspace();
    let (code, places, json) = status_json(&workspace, &[]);
    assert_eq!(
        places,
        ["build-app nowhere", "test-app nowhere", "doc-app nowhere"]
    );
    assert_eq!((code, &json["version"]), (1, &Value::from(1)));

    build(&workspace);
    let (code, places, _) = status_json(&workspace, &[]);
    assert_eq!(
        places,
        ["build-app store", "test-app store", "doc-app store"]
    );
    assert_eq!(code, 0);

    let key = Key::new(&workspace, "test-1");
    let cache = format!("file://{}", workspace.path().join("cache").display());
    let paths = sound_paths(&workspace);
    copy(&workspace, &cache, Some(&key), &paths[..2]);
    delete(&workspace, &paths);
    let (code, places, json) = status_json(&workspace, &flags(&cache, &key));
    assert_eq!(
        places,
        ["build-app cache", "test-app cache", "doc-app nowhere"]
    );
    assert_eq!(code, 1);
    assert_eq!(json["outputs"][0]["url"], cache);
    assert!(json["outputs"][0]["bytes"].as_u64().unwrap() > 0, "{json}");

    let table = text(&status(&workspace, &flags(&cache, &key)).stdout);
    assert!(table.contains("to build"), "{table}");
    assert!(table.contains("0 in store, 2 in a cache ("), "{table}");
    assert!(
        paths
            .iter()
            .all(|path| !std::path::Path::new(path).exists())
    );
}

/// The keys of objects below a value, as `docs/caches.md` writes them.
fn fields(value: &Value, prefix: &str, fields: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        fields.insert(format!("{prefix}{key}"));
        for item in value.as_array().into_iter().flatten() {
            self::fields(item, &format!("{prefix}{key}[]."), fields);
        }
    }
}

#[test]
#[ignore = "needs Nix"]
fn the_json_is_the_documented_one() {
    let workspace = workspace();
    build(&workspace);
    let (key, stranger) = (
        Key::new(&workspace, "test-1"),
        Key::new(&workspace, "stranger-1"),
    );
    let cache = format!("file://{}", workspace.path().join("cache").display());
    let paths = sound_paths(&workspace);
    copy(&workspace, &cache, Some(&key), &paths[..1]);
    copy(&workspace, &cache, Some(&stranger), &paths[1..]);
    delete(&workspace, &paths);
    let (_, _, json) = status_json(&workspace, &flags(&cache, &key));
    let mut printed = BTreeSet::new();
    fields(&json, "", &mut printed);

    let document = include_str!("../docs/caches.md");
    let (_, table) = document.split_once("## The JSON of `status`").unwrap();
    let documented: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(printed, documented);
}

#[test]
#[ignore = "needs Nix"]
fn a_cache_whose_key_is_not_trusted_counts_for_nothing() {
    let workspace = workspace();
    build(&workspace);
    let paths = sound_paths(&workspace);
    let (key, stranger) = (
        Key::new(&workspace, "test-1"),
        Key::new(&workspace, "stranger-1"),
    );
    let cache = format!("file://{}", workspace.path().join("cache").display());
    copy(&workspace, &cache, Some(&stranger), &paths);
    delete(&workspace, &paths);

    let (json, _) = assert_counts_for_nothing(&workspace, &cache, &key);
    assert_eq!(json["outputs"][0]["untrusted"], cache);
}

/// All is to be built, and a run that skips what is cached builds it. What `status` says, and what
/// the run shows.
#[track_caller]
fn assert_counts_for_nothing(workspace: &Workspace, cache: &str, key: &Key) -> (Value, String) {
    let flags = flags(cache, key);
    let (code, places, json) = status_json(workspace, &flags);
    assert_eq!(
        places,
        ["build-app nowhere", "test-app nowhere", "doc-app nowhere"]
    );
    assert_eq!(code, 1);
    let (code, report, shown) = workspace.ci(&[&["--skip-cached"], &flags[..]].concat());
    assert_eq!(code, 0, "{shown}");
    assert_eq!(report.outcomes(), BUILT);
    (json, shown)
}

#[test]
#[ignore = "needs Nix"]
fn what_an_http_cache_has_is_neither_downloaded_nor_built_in_ci() {
    let workspace = workspace();
    build(&workspace);
    let paths = sound_paths(&workspace);
    let key = Key::new(&workspace, "test-1");
    let server = Server::start(&workspace.path().join("cache"));
    copy(&workspace, &server.url, Some(&key), &paths);
    delete(&workspace, &paths);
    let flags = flags(&server.url, &key);

    let started = Instant::now();
    let mut command = workspace.command(&[&["ci", "--json", "-"], &flags[..]].concat());
    let output = command.env("CI", "true").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = Report::of(&output);
    assert_eq!(report.outcomes(), CACHED);
    assert_eq!(report.0["steps"][0]["reason"], format!("in {}", server.url));
    assert_eq!(report.activities().len(), 0);
    assert!(
        paths
            .iter()
            .all(|path| !std::path::Path::new(path).exists())
    );
    assert!(started.elapsed() < Duration::from_secs(30));
    let requests = server.requests();
    assert!(requests.iter().any(|request| request.contains(".narinfo")));
    let downloads = requests
        .iter()
        .filter(|request| request.starts_with("GET /nar/"));
    assert_eq!(downloads.count(), 0);

    // A part of it is gone: that part is built, with what it needs.
    server.remove(&path(&workspace, "test-app"));
    let (code, report, error) = workspace.ci(&[&["--skip-cached"], &flags[..]].concat());
    assert_eq!(code, 0, "{error}");
    assert_eq!(
        report.outcomes(),
        ["build-app cached", "test-app built", "doc-app cached"]
    );

    // Without the flag, and without CI=true, all of it is fetched.
    let (code, report, error) = workspace.ci(&flags);
    assert_eq!(code, 0, "{error}");
    assert_eq!(
        report.outcomes(),
        ["build-app cached", "test-app cached", "doc-app substituted"]
    );
}

#[test]
#[ignore = "needs Nix"]
fn a_cache_that_cannot_be_reached_is_left_out_with_a_warning() {
    let workspace = workspace();
    let key = Key::new(&workspace, "test-1");
    let (json, shown) = assert_counts_for_nothing(&workspace, "http://127.0.0.1:1", &key);
    let note = json["notes"][0].as_str().unwrap();
    assert!(
        note.starts_with("http://127.0.0.1:1 cannot be asked"),
        "{note}"
    );
    assert!(shown.contains("cannot be asked"), "{shown}");
}

#[test]
#[ignore = "needs Nix"]
fn a_cache_that_never_answers_is_not_waited_for() {
    let workspace = workspace();
    let key = Key::new(&workspace, "test-1");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let started = Instant::now();
    let (code, _, json) = status_json(&workspace, &flags(&url, &key));
    assert_eq!(code, 1);
    let note = json["notes"][0].as_str().unwrap();
    assert!(note.contains("cannot be asked"), "{note}");
    assert!(started.elapsed() < Duration::from_secs(40));
}
