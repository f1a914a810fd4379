//! `manifest.json`: what was released. docs/releasing.md specifies it.

use serde::Serialize;

use super::archive::Archive;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest<'a> {
    /// Moves when a field changes or goes.
    pub(super) version: u32,
    pub(super) name: &'a str,
    pub(super) release: &'a str,
    pub(super) tag: String,
    pub(super) revision: &'a str,
    pub(super) system: &'a str,
    pub(super) cache: &'a str,
    pub(super) packages: Vec<Released<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Released<'a> {
    pub(super) name: &'a str,
    pub(super) path: &'a str,
    pub(super) nar_hash: &'a str,
    pub(super) nar_size: u64,
    pub(super) references: &'a [String],
    pub(super) pin: Option<String>,
    pub(super) archive: Archive,
}
