//! What moved in flake.lock.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::cause::Cause;

/// The inputs that two states of the flake lock at different commits.
///
/// # Errors
/// A flake.lock is no JSON.
pub(super) fn causes(before: &Path, after: &Path) -> Result<Vec<Cause>> {
    let (old, new) = (locked_inputs(before)?, locked_inputs(after)?);
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let moved = names
        .into_iter()
        .filter(|&name| old.get(name) != new.get(name));
    Ok(moved
        .map(|name| Cause::Input {
            name: name.clone(),
            from: old.get(name).cloned(),
            to: new.get(name).cloned(),
        })
        .collect())
}

/// The commits of a flake's inputs, shortened; or other hashes.
fn locked_inputs(tree: &Path) -> Result<BTreeMap<String, String>> {
    let Ok(text) = fs::read_to_string(tree.join("flake.lock")) else {
        return Ok(BTreeMap::new());
    };
    let lock: Value = serde_json::from_str(&text).context("cannot read flake.lock")?;
    let nodes = lock["nodes"].as_object().into_iter().flatten();
    Ok(nodes
        .filter_map(|(name, node)| {
            let locked = &node["locked"];
            let commit = locked["rev"].as_str().or(locked["narHash"].as_str())?;
            let commit = if locked["rev"].is_string() {
                commit.get(..7)?
            } else {
                commit
            };
            Some((name.clone(), commit.to_owned()))
        })
        .collect())
}
