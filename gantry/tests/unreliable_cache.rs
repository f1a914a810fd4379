//! Binary caches that promise what they do not keep: what they do not give is built instead.
//!
//! `cargo test --test unreliable_cache -- --ignored`

mod support;

use support::Workspace;
use support::cache::{Key, copy, corrupt, flags};
use support::checks::{BUILT, SOUND, build, flake, sound_paths};
use support::http::Server;
use support::nix::delete;

/// A workspace whose checks are in the cache in its folder `cache`, and no longer in the store.
fn cached() -> (Workspace, Key) {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    build(&workspace);
    let key = Key::new(&workspace, "test-1");
    let paths = sound_paths(&workspace);
    let url = format!("file://{}", workspace.path().join("cache").display());
    copy(&workspace, &url, Some(&key), &paths);
    delete(&workspace, &paths);
    (workspace, key)
}

#[test]
#[ignore = "needs Nix"]
fn a_corrupted_archive_is_not_accepted() {
    let (workspace, key) = cached();
    corrupt(&workspace.path().join("cache"));
    let url = format!("file://{}", workspace.path().join("cache").display());
    let (code, report, error) = workspace.ci(&flags(&url, &key));
    assert_eq!(code, 0, "{error}");
    assert_eq!(report.outcomes(), BUILT, "{error}");
    assert!(error.contains("archive"), "{error}");
}

#[test]
#[ignore = "needs Nix"]
fn a_cache_that_stops_in_the_middle_of_a_download_is_done_without() {
    let (workspace, key) = cached();
    let server = Server::start(&workspace.path().join("cache"));
    server.stop_in_the_middle();
    let (code, report, error) = workspace.ci(&flags(&server.url, &key));
    assert_eq!(code, 0, "{error}");
    assert_eq!(report.outcomes(), BUILT, "{error}");
    assert!(error.contains("unable to download"), "{error}");
    let requests = server.requests();
    let is_archive = |request: &String| request.starts_with("GET /nar/");
    assert!(requests.iter().any(is_archive), "{requests:?}");
}
