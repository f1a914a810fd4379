//! Reading TOML files.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

/// The file as a value; one that does not exist is an empty table.
///
/// # Errors
/// It cannot be read, or is no TOML.
pub(crate) fn read(file: &Path) -> Result<Value> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Value::Object(Map::new())),
        text => text.with_context(|| format!("cannot read {}", file.display()))?,
    };
    toml_edit::de::from_str(&text).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_empty_and_what_is_broken_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Cargo.toml");
        assert_eq!(read(&file).unwrap(), serde_json::json!({}));
        fs::write(&file, "[package]\nname = \"a\"\n").unwrap();
        assert_eq!(read(&file).unwrap()["package"]["name"], "a");
        fs::write(&file, "[package\n").unwrap();
        assert!(format!("{:#}", read(&file).unwrap_err()).contains("Cargo.toml: "));
    }
}
