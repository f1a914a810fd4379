//! What a store has: this machine's, or a binary cache.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use xshell::{Shell, cmd};

use super::log::Entry;
use super::program::Program;
use crate::process;

/// Of a path that a store lacks, Nix would ask all substituters.
const ALONE: [&str; 3] = ["--option", "substitute", "false"];

/// A cache that gives no answer soon is as good as none.
const IMPATIENT: [&str; 6] = [
    "--connect-timeout",
    "5",
    "--stalled-download-timeout",
    "5",
    "--download-attempts",
    "2",
];

/// What `nix path-info --json` says of a path that the store has.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PathInfo {
    /// As `sha256-BASE64`.
    pub(crate) nar_hash: String,
    /// The bytes of its archive, not compressed.
    pub(crate) nar_size: u64,
    /// The store paths in its files; itself may be among them.
    pub(crate) references: Vec<String>,
    /// The bytes of its archive, in a binary cache.
    download_size: Option<u64>,
}

/// A path in a binary cache.
#[derive(Clone)]
pub(crate) struct Found {
    /// The size of its archive.
    pub(crate) bytes: u64,
    /// Whether one of its signatures is by a trusted key, or it needs none.
    pub(crate) is_trusted: bool,
}

/// Those of `paths` that this machine's store has, or that of the URL `store`.
///
/// # Errors
/// The store cannot be asked.
pub(crate) fn path_infos(
    program: &Program,
    store: Option<&str>,
    paths: &[String],
) -> Result<BTreeMap<String, PathInfo>> {
    if paths.is_empty() {
        return Ok(BTreeMap::new());
    }
    let read = |format: &[&str]| {
        let mut command = program.command(&["path-info", "--json", "--stdin"]);
        command.args(ALONE).args(format);
        if let Some(store) = store {
            command.args(["--store", store]);
            // Nix remembers answers; here they are wanted as they are now.
            command.arg("--refresh").args(IMPATIENT);
        }
        process::read_with(command, &paths.join("\n"))
    };
    let infos = match read(&["--json-format", "1"]) {
        // This form was the only one before Nix 2.33.
        Err(error) if error.to_string().contains("--json-format") => read(&[])?,
        infos => infos?,
    };
    let infos: BTreeMap<String, Option<PathInfo>> =
        serde_json::from_str(&infos).context("cannot read the output of `nix path-info`")?;
    Ok(infos
        .into_iter()
        .filter_map(|(path, info)| Some((path, info?)))
        .collect())
}

/// What `nix-store --query` answers of these store paths, line by line.
///
/// # Errors
/// A path is not in the store.
pub(crate) fn query<'a>(
    question: &[&str],
    paths: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>> {
    let paths: Vec<&str> = paths.into_iter().collect();
    let shell = Shell::new()?;
    let query = cmd!(shell, "nix-store --query --stdin {question...}");
    let answer = process::read_with(query, &paths.join("\n"))?;
    Ok(answer.lines().map(str::to_owned).collect())
}

/// Those of `paths` that the binary cache at `url` has.
///
/// Trusted are the keys that Nix trusts, or `public_key` alone. The signatures are checked by Nix.
///
/// # Errors
/// The cache cannot be asked.
pub(crate) fn ask(
    program: &Program,
    url: &str,
    public_key: Option<&str>,
    paths: &[String],
) -> Result<BTreeMap<String, Found>> {
    let infos = path_infos(program, Some(url), paths)?;
    let untrusted = untrusted(program, url, public_key, infos.keys())?;
    let found = infos.into_iter().map(|(path, info)| {
        let found = Found {
            bytes: info.download_size.unwrap_or_default(),
            is_trusted: !untrusted.contains(&path),
        };
        (path, found)
    });
    Ok(found.collect())
}

/// What each of these caches answers, all asked at once; by URL, in their order.
pub(crate) fn ask_all(
    program: &Program,
    urls: Vec<String>,
    paths: &[String],
) -> Vec<(String, Result<BTreeMap<String, Found>>)> {
    let answers: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = urls
            .iter()
            .map(|url| scope.spawn(|| ask(program, url, None, paths)))
            .collect();
        threads.into_iter().map(ScopedJoinHandle::join).collect()
    });
    urls.into_iter()
        .zip(answers)
        .map(|(url, answer)| (url, answer.unwrap_or_else(|panic| resume_unwind(panic))))
        .collect()
}

/// What to say of a cache that gave no answer.
pub(crate) fn unanswered(url: &str, error: &anyhow::Error) -> String {
    // The last of Nix's lines is what it gave up for.
    let text = error.to_string();
    let reason = text.lines().rfind(|line| !line.trim().is_empty());
    let reason = reason.unwrap_or_default().trim();
    let reason = reason.trim_start_matches("error: ");
    format!("{url} cannot be asked, and is left out: {reason}")
}

/// Those of `paths`, which the cache has, that Nix would not accept from it.
fn untrusted<'a>(
    program: &Program,
    url: &str,
    public_key: Option<&str>,
    paths: impl Iterator<Item = &'a String>,
) -> Result<BTreeSet<String>> {
    let paths: Vec<&str> = paths.map(String::as_str).collect();
    if paths.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut command = program.command(&["store", "verify", "--no-contents", "--stdin"]);
    command.args(["--store", url, "--log-format", "internal-json"]);
    command.args(ALONE).args(IMPATIENT);
    if let Some(key) = public_key {
        command.args(["--trusted-public-keys", key]);
    }
    let output = process::output(command, &paths.join("\n"))?;
    let mut untrusted = BTreeSet::new();
    let mut errors = Vec::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        match Entry::parse(line) {
            Entry::Untrusted { path } => drop(untrusted.insert(path)),
            Entry::Error(error) => errors.push(error),
            _ => (),
        }
    }
    // 2 says that some are not trusted, and nothing else.
    if ![Some(0), Some(2)].contains(&output.status.code()) {
        bail!("{}", errors.join("; "));
    }
    Ok(untrusted)
}
