//! A cache in a bucket: `s3://` with real Nix, and with moto as S3.
//!
//! `cargo test --test bucket -- --ignored`, where `moto_server` is installed. The
//! bucket is everybody's: signed requests are not tried here.

mod support;

use std::process::{Command, Output};

use support::assert_exit;
use support::bucket::Bucket;
use support::cache::{Key, configure, copy};
use support::checks::{BUILT, CACHED, SOUND, SUBSTITUTED, build, flake, path, sound_paths};
use support::nix::delete;
use support::{Workspace, skip};

/// A bucket, and a workspace whose checks are built and whose cache the bucket is to be.
fn workspace() -> Option<(Bucket, Workspace)> {
    let workspace = Workspace::new();
    let bucket = Bucket::start(workspace.path())?;
    flake(&workspace, &SOUND);
    build(&workspace);
    Some((bucket, workspace))
}

const SKIPPED: &str = "a cache in a bucket: `moto_server` is not installed";

fn with_key(workspace: &Workspace, key: &Key, arguments: &[&str]) -> Output {
    let mut command: Command = workspace.command(arguments);
    command
        .env("GANTRY_CACHE_SECRET_KEY_FILE", &key.secret)
        .output()
        .unwrap()
}

#[test]
#[ignore = "needs Nix"]
fn a_bucket_is_pushed_to_verified_and_taken_from() {
    let Some((bucket, workspace)) = workspace() else {
        return skip(SKIPPED);
    };
    let key = Key::new(&workspace, "test-1");
    let url = bucket.url("");
    configure(&workspace, &format!("url = \"{url}\""), &key);
    assert_exit(
        &with_key(&workspace, &key, &["cache", "push"]),
        0,
        &format!("pushed 3 store paths to {url}"),
    );
    let objects = bucket.list();
    assert_eq!(objects.matches(".nar.zst</Key>").count(), 3, "{objects}");
    assert_eq!(objects.matches(".narinfo</Key>").count(), 3, "{objects}");
    // It is no other cache, from which nothing needs to be pushed.
    assert_exit(
        &with_key(&workspace, &key, &["cache", "push"]),
        0,
        "has 3 store paths, signed by test-1",
    );
    assert_exit(
        &workspace.gantry(&["cache", "verify"]),
        0,
        "has 3 store paths, signed by test-1",
    );

    let paths = sound_paths(&workspace);
    delete(&workspace, &paths);
    let status = workspace.gantry(&["status"]);
    assert_exit(&status, 0, "0 in store, 3 in a cache");
    let (code, report, shown) = workspace.ci(&["--skip-cached"]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(report.outcomes(), CACHED);
    let (code, report, shown) = workspace.ci(&[]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(report.outcomes(), SUBSTITUTED);
    let from = report.0["activities"][0]["from"].as_str().unwrap();
    assert!(from.starts_with("s3://acme-nix"), "{from}");

    let lost = path(&workspace, "doc-app");
    bucket.remove(&lost);
    assert_exit(
        &workspace.gantry(&["cache", "verify"]),
        1,
        &format!("missing    {lost}"),
    );
}

#[test]
#[ignore = "needs Nix"]
fn what_another_key_signed_is_found_and_mended() {
    let Some((bucket, workspace)) = workspace() else {
        return skip(SKIPPED);
    };
    let (key, stranger) = (
        Key::new(&workspace, "test-1"),
        Key::new(&workspace, "stranger-1"),
    );
    let url = bucket.url("&compression=xz");
    configure(&workspace, &format!("url = \"{url}\""), &key);
    let paths = sound_paths(&workspace);
    copy(&workspace, &url, Some(&stranger), &paths[..2]);
    assert_exit(
        &workspace.gantry(&["cache", "verify"]),
        1,
        "1 missing, 2 not signed by it",
    );
    assert_exit(
        &with_key(&workspace, &key, &["cache", "push"]),
        0,
        "pushed 1 store path to",
    );
    assert_exit(
        &workspace.gantry(&["cache", "verify"]),
        0,
        "3 store paths, signed by test-1",
    );
    let objects = bucket.list();
    assert_eq!(objects.matches(".nar.xz</Key>").count(), 3, "{objects}");
}

#[test]
#[ignore = "needs Nix"]
fn a_bucket_that_does_not_answer_is_an_error_for_verify_and_a_remark_for_a_run() {
    let Some((bucket, workspace)) = workspace() else {
        return skip(SKIPPED);
    };
    let key = Key::new(&workspace, "test-1");
    let url = bucket.url("");
    configure(&workspace, &format!("url = \"{url}\""), &key);
    drop(bucket);
    assert_exit(
        &workspace.gantry(&["cache", "verify"]),
        2,
        &format!("cannot ask {url}"),
    );
    delete(&workspace, &sound_paths(&workspace));
    let (code, report, shown) = workspace.ci(&["--skip-cached"]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(report.outcomes(), BUILT);
    assert!(shown.contains("cannot be asked"), "{shown}");
}
