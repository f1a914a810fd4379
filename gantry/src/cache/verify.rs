//! `gantry cache verify`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};

use super::{Cache, Contents};
use crate::nix::{self, Program};

/// What the cache has of what belongs into it.
pub(super) struct Verdict {
    url: String,
    public_key: String,
    /// Paths that it has, signed by its key.
    trusted: Vec<String>,
    /// Paths that it has, not signed by its key.
    pub(super) untrusted: Vec<String>,
    /// Paths that are here alone.
    pub(super) missing: Vec<String>,
    /// Outputs that are neither here nor there.
    pub(super) not_built: Vec<String>,
    is_named: bool,
}

/// # Errors
/// The cache cannot be asked, or has no key yet.
pub(super) fn run(program: &Program, cache: &Cache, contents: &Contents) -> Result<Verdict> {
    match &cache.public_key {
        Some(key) => Verdict::of(program, cache, key, contents),
        None => bail!(
            "nothing was pushed to {} yet: run `gantry cache push`",
            cache.url
        ),
    }
}

impl Verdict {
    /// # Errors
    /// The cache cannot be asked.
    pub(super) fn of(
        program: &Program,
        cache: &Cache,
        public_key: &str,
        contents: &Contents,
    ) -> Result<Self> {
        let absent = contents.absent.iter().map(|output| &output.path);
        let paths: Vec<String> = contents.paths.iter().chain(absent).cloned().collect();
        let found = if cache.is_absent() {
            BTreeMap::new()
        } else {
            nix::ask(program, &cache.url, Some(public_key), &paths)
                .with_context(|| format!("cannot ask {}", cache.url))?
        };
        let (mut trusted, mut untrusted) = (Vec::new(), Vec::new());
        for (path, found) in &found {
            let list = if found.is_trusted {
                &mut trusted
            } else {
                &mut untrusted
            };
            list.push(path.clone());
        }
        let is_missing = |path: &&String| !found.contains_key(*path);
        let not_built = contents.absent.iter();
        Ok(Self {
            url: cache.url.clone(),
            public_key: public_key.to_owned(),
            trusted,
            untrusted,
            missing: contents.paths.iter().filter(is_missing).cloned().collect(),
            not_built: not_built
                .filter(|output| is_missing(&&output.path))
                .map(|output| output.installable.clone())
                .collect(),
            is_named: contents.is_named,
        })
    }

    /// Whether all is there and signed.
    pub(super) fn is_good(&self) -> bool {
        let has_all = self.not_built.is_empty() || !self.is_named && !self.trusted.is_empty();
        self.missing.is_empty() && self.untrusted.is_empty() && has_all
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for path in &self.missing {
            let _ = writeln!(text, "missing    {path}");
        }
        for path in &self.untrusted {
            let _ = writeln!(text, "not signed {path}");
        }
        if self.is_named {
            for output in &self.not_built {
                let _ = writeln!(text, "not built  {output}");
            }
        } else if !self.not_built.is_empty() {
            let count = outputs(self.not_built.len());
            let _ = writeln!(text, "note: {count} neither here nor there");
        }
        let key = self.public_key.split(':').next().unwrap_or_default();
        let _ = writeln!(
            text,
            "{} has {}, signed by {key}; {} missing, {} not signed by it",
            self.url,
            paths(self.trusted.len()),
            self.missing.len(),
            self.untrusted.len(),
        );
        text
    }
}

pub(super) fn paths(count: usize) -> String {
    match count {
        1 => "1 store path".into(),
        _ => format!("{count} store paths"),
    }
}

fn outputs(count: usize) -> String {
    match count {
        1 => "1 output is".into(),
        _ => format!("{count} outputs are"),
    }
}
