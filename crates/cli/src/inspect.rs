//! `gantry inspect`.

use std::path::Path;

use gantry_core::{Hash, NarInfo};
use serde::Serialize;

use crate::{Failure, print, print_json, read};

/// Prints one narinfo.
pub(crate) fn run(file: &Path, json: bool) -> Result<(), Failure> {
    let narinfo: NarInfo = read(file)?
        .parse()
        .map_err(|error| Failure::Found(format!("{}: {error}", file.display())))?;
    if json {
        print_json(&Json::of(&narinfo))
    } else {
        print(&describe(&narinfo))
    }
}

/// A narinfo with the names that `nix path-info --json` has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    path: String,
    url: String,
    compression: String,
    download_hash: Option<String>,
    download_size: Option<u64>,
    nar_hash: String,
    nar_size: u64,
    references: Vec<String>,
    deriver: Option<String>,
    signatures: Vec<String>,
    ca: Option<String>,
}

impl Json {
    fn of(narinfo: &NarInfo) -> Self {
        Self {
            path: narinfo.store_path.to_string(),
            url: narinfo.url.clone(),
            compression: narinfo.compression.clone(),
            download_hash: narinfo.file_hash.as_ref().map(Hash::to_sri),
            download_size: narinfo.file_size,
            nar_hash: narinfo.nar_hash.to_sri(),
            nar_size: narinfo.nar_size,
            references: texts(&narinfo.references),
            deriver: narinfo.deriver.as_ref().map(ToString::to_string),
            signatures: texts(&narinfo.signatures),
            ca: narinfo.content_address.as_ref().map(ToString::to_string),
        }
    }
}

/// A narinfo for people: one aligned row a value.
fn describe(narinfo: &NarInfo) -> String {
    let mut rows = vec![
        ("path", narinfo.store_path.to_string()),
        ("contents", narinfo.nar_hash.to_string()),
        ("", bytes(narinfo.nar_size)),
        (
            "archive",
            format!("{} ({})", narinfo.url, narinfo.compression),
        ),
    ];
    rows.extend(narinfo.file_hash.iter().map(|hash| ("", hash.to_string())));
    rows.extend(narinfo.file_size.map(|size| ("", bytes(size))));
    rows.extend(
        narinfo
            .deriver
            .iter()
            .map(|path| ("deriver", path.to_string())),
    );
    rows.extend(labelled("references", texts(&narinfo.references)));
    let signers = narinfo
        .signatures
        .iter()
        .map(|signature| signature.name().to_owned());
    rows.extend(labelled("signed by", signers.collect()));
    rows.extend(
        narinfo
            .content_address
            .iter()
            .map(|address| ("address", address.to_string())),
    );

    let lines = rows
        .iter()
        .map(|(label, value)| format!("{label:<12}{value}\n"));
    lines.collect::<Vec<_>>().concat()
}

/// The label beside the first value, or beside `none`.
fn labelled(label: &'static str, values: Vec<String>) -> Vec<(&'static str, String)> {
    if values.is_empty() {
        return vec![(label, "none".into())];
    }
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    labels.zip(values).collect()
}

fn texts(values: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

/// A size, exactly and in binary units where that is shorter to read.
fn bytes(size: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let Some(exponent) = size
        .checked_ilog2()
        .map(|log| log / 10)
        .filter(|exponent| *exponent > 0)
    else {
        return format!("{size} bytes");
    };
    let unit = 1_u128 << (10 * exponent);
    let tenths = u128::from(size) * 10 / unit;
    let name = UNITS[exponent as usize - 1];
    format!("{size} bytes ({}.{} {name})", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_exact_and_readable() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1024), "1024 bytes (1.0 KiB)");
        assert_eq!(bytes(205_968), "205968 bytes (201.1 KiB)");
        assert_eq!(bytes(u64::MAX), "18446744073709551615 bytes (15.9 EiB)");
    }
}
