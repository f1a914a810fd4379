//! The flake's checks as they were evaluated last, for as long as the flake is as it was.
//!
//! Evaluating takes most of the time of a run that has nothing to build, and Nix's own memory serves
//! `nix build` alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::outputs::Check;
use super::program::Program;
use crate::file;

pub(super) type Checks = BTreeMap<String, Check>;

/// Where the checks of a workspace are kept, and what they depend on.
pub(super) struct Remembered {
    file: PathBuf,
    key: String,
}

/// The form of the file.
#[derive(Deserialize, Serialize)]
struct Content<C> {
    key: String,
    checks: C,
}

impl Remembered {
    /// What `function` makes of the flake; nothing where Nix does not say what the flake is made of, or
    /// has its derivations in a store that is not looked into here.
    pub(super) fn of(program: &Program, function: &str) -> Option<Self> {
        if !program.evaluates_here() {
            return None;
        }
        let metadata = program.read(&["flake", "metadata", "--json"]).ok()?;
        let metadata: Value = serde_json::from_str(&metadata).ok()?;
        let fingerprint = metadata["fingerprint"].as_str()?;
        let folder = file::user_cache().ok()?.join("checks");
        Some(Self {
            file: folder.join(hash(&program.folder().to_string_lossy())),
            key: hash(&format!("{fingerprint} {function}")),
        })
    }

    /// The checks, where none of their derivations has been deleted since.
    pub(super) fn read(&self) -> Option<Checks> {
        let text = fs::read_to_string(&self.file).ok()?;
        let Content::<Checks> { key, checks } = serde_json::from_str(&text).ok()?;
        let is_there = |check: &Check| Path::new(&check.output.derivation).exists();
        (key == self.key && checks.values().all(is_there)).then_some(checks)
    }

    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, checks: &Checks) -> Result<()> {
        fs::create_dir_all(self.file.parent().unwrap_or(Path::new(".")))?;
        let key = self.key.clone();
        file::write(
            &self.file,
            &serde_json::to_string(&Content { key, checks })?,
        )
    }
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}
