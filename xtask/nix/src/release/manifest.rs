//! `manifest.json`: what was released. docs/releasing.md specifies it.

use anyhow::Result;
use serde::Serialize;

use super::archive::Archive;
use crate::nix::PathInfo;

/// Moves when a field changes or goes.
pub(super) const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest<'a> {
    pub(super) version: u32,
    pub(super) name: &'a str,
    pub(super) release: &'a str,
    pub(super) tag: String,
    pub(super) revision: &'a str,
    pub(super) system: &'a str,
    pub(super) cache: &'a str,
    pub(super) packages: Vec<Package<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package<'a> {
    name: &'a str,
    path: &'a str,
    nar_hash: &'a str,
    nar_size: u64,
    references: &'a [String],
    pin: Option<String>,
    archive: Archive,
}

impl<'a> Package<'a> {
    pub(super) fn new(
        name: &'a str,
        path: &'a str,
        info: &'a PathInfo,
        pin: Option<String>,
        archive: Archive,
    ) -> Self {
        Self {
            name,
            path,
            nar_hash: &info.nar_hash,
            nar_size: info.nar_size,
            references: &info.references,
            pin,
            archive,
        }
    }
}

impl Manifest<'_> {
    pub(super) fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
