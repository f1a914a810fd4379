//! Which changed files, manifests among them, reach an output through the sources of its derivations.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

use super::cause::Cause;
use super::lock::{self, Packages};
use super::manifests::{self, LayerManifests};
use super::revision::Change;
use super::sources;
use crate::nix::Closure;
use crate::toml;

/// The files of two states, and the sources that only the derivations of one of them are given.
pub(super) struct Files<'a> {
    before: &'a Path,
    after: &'a Path,
    /// The folders of the members, from the workspace's root, by the members' names.
    members: &'a BTreeMap<String, String>,
    removed: Vec<PathBuf>,
    added: Vec<PathBuf>,
}

impl<'a> Files<'a> {
    pub(super) fn new(
        before: &'a Path,
        after: &'a Path,
        members: &'a BTreeMap<String, String>,
        old: &Closure,
        new: &Closure,
    ) -> Self {
        let (old, new) = (old.sources(), new.sources());
        Self {
            before,
            after,
            members,
            removed: old.difference(&new).cloned().collect(),
            added: new.difference(&old).cloned().collect(),
        }
    }

    /// Those of these changes that the sources hold.
    ///
    /// # Errors
    /// A manifest cannot be read.
    pub(super) fn causes(&self, changes: &[&Change]) -> Result<Vec<Cause>> {
        let mut causes = Vec::new();
        let mut manifests: Vec<&str> = Vec::new();
        for Change { file, kind } in changes {
            let name = file.rsplit('/').next().unwrap_or(file);
            if name == "Cargo.toml" || file.starts_with(".cargo/config") {
                manifests.push(file);
            } else if name != "Cargo.lock" && self.is_source(file) {
                causes.push(Cause::File {
                    file: file.clone(),
                    change: *kind,
                    member: self.member_around(file),
                });
            }
        }
        if !manifests.is_empty() {
            causes.extend(self.edited_manifests(&manifests)?);
        }
        causes.extend(self.moved_packages());
        Ok(causes)
    }

    /// Whether a source holds the file as it is.
    fn is_source(&self, file: &str) -> bool {
        sources::contain(&self.removed, self.before, file)
            || sources::contain(&self.added, self.after, file)
    }

    fn edited_manifests(&self, files: &[&str]) -> Result<Vec<Cause>> {
        let read = |files: Vec<PathBuf>| -> Result<Vec<Value>> {
            files.iter().map(|file| toml::read(file)).collect()
        };
        let layers = LayerManifests::new(
            &read(named(&self.removed, ".toml"))?,
            &read(named(&self.added, ".toml"))?,
        );
        let read = |tree: &Path| read(files.iter().map(|file| tree.join(file)).collect());
        let (before, after) = (read(self.before)?, read(self.after)?);

        let package =
            |manifest: &Value| Some(manifest.pointer("/package/name")?.as_str()?.to_owned());
        let members = self.members.keys().cloned();
        let members: Vec<String> = members.chain(before.iter().filter_map(package)).collect();
        let mut causes = Vec::new();
        for ((file, old), new) in files.iter().zip(&before).zip(&after) {
            let package = package(new).or_else(|| package(old));
            let is_source = self.is_source(file);
            for edit in manifests::edits(old, new) {
                if is_source || layers.show(&edit, package.as_deref(), &members) {
                    causes.push(edit.cause(file, package.as_deref()));
                }
            }
        }
        Ok(causes)
    }

    /// What moved in Cargo.lock, as far as the layers were given another lock file for it.
    fn moved_packages(&self) -> Vec<Cause> {
        let packages = |locks: &[PathBuf]| {
            let mut packages = Packages::default();
            for lock in locks {
                packages.add(&fs::read_to_string(lock).unwrap_or_default());
            }
            packages
        };
        let own = |tree: &Path| packages(&[tree.join("Cargo.lock")]);
        let layers = |sources| packages(&named(sources, "Cargo.lock"));
        let in_layers = layers(&self.removed).moves(&layers(&self.added));
        let is_source = self.is_source("Cargo.lock");
        let mut moves = own(self.before).moves(&own(self.after));
        moves.retain(|own| is_source || in_layers.iter().any(|other| lock::is_same(own, other)));
        moves
    }

    /// The member in whose folder the file is.
    fn member_around(&self, file: &str) -> Option<String> {
        let around = self.members.iter().filter(|(_, folder)| {
            let is_root = ["", "."].contains(&folder.as_str());
            Path::new(file).starts_with(folder) && !is_root
        });
        let innermost = around.max_by_key(|(_, folder)| Path::new(folder).components().count());
        innermost.map(|(name, _)| name.clone())
    }
}

/// The files of the store whose names, behind their hashes, end so.
fn named(sources: &[PathBuf], end: &str) -> Vec<PathBuf> {
    let sources = sources.iter();
    sources
        .filter(|source| source.to_string_lossy().ends_with(end) && source.is_file())
        .cloned()
        .collect()
}
