//! A store path as one file that is downloaded.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tar::{Builder, HeaderMode};
use tempfile::NamedTempFile;
use xtask::process;

use super::persist;
use crate::nix::PathInfo;

/// A file that holds a package.
#[derive(Serialize)]
pub(super) struct Archive {
    pub(super) file: String,
    format: Format,
    /// The size of the file.
    bytes: u64,
    pub(super) sha256: String,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// The files of a package that refers to nothing else in the store, for any machine.
    Tar,
    /// A package with all that it refers to, for `nix-store --import`.
    Closure,
}

impl Archive {
    /// Writes the store path `path` into `folder`, as a file whose name starts with `name`.
    ///
    /// The same path gives the same bytes.
    ///
    /// # Errors
    /// The path cannot be read, or the file not be written.
    pub(super) fn write(path: &str, info: &PathInfo, folder: &Path, name: &str) -> Result<Self> {
        let stands_alone = info.references.iter().all(|reference| reference == path);
        let (format, extension) = if stands_alone {
            (Format::Tar, "tar.gz")
        } else {
            (Format::Closure, "closure.gz")
        };
        let file = format!("{name}.{extension}");
        // It goes with the value where something fails.
        let partial = NamedTempFile::new_in(folder)?;
        let mut encoder = GzEncoder::new(partial, Compression::default());
        match format {
            Format::Tar => write_tar(Path::new(path), name, &mut encoder)?,
            Format::Closure => write_closure(path, &mut encoder)?,
        }
        let partial = encoder.finish()?;
        let (bytes, sha256) = measure(partial.path())?;
        persist(partial, &folder.join(&file))?;
        Ok(Self {
            file,
            format,
            bytes,
            sha256,
        })
    }
}

/// Writes what is at `path` as `name`, without times, owners and the order of the folder's entries.
fn write_tar(path: &Path, name: &str, output: &mut impl io::Write) -> Result<()> {
    let mut builder = Builder::new(output);
    builder.mode(HeaderMode::Deterministic);
    builder.follow_symlinks(false);
    append(&mut builder, path, Path::new(name))?;
    builder.finish()?;
    Ok(())
}

fn append(builder: &mut Builder<impl io::Write>, path: &Path, name: &Path) -> Result<()> {
    builder.append_path_with_name(path, name)?;
    if path.symlink_metadata()?.is_dir() {
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            append(builder, &entry.path(), &name.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Format: <https://nix.dev/manual/nix/latest/protocols/nix-archive/>, behind one another.
fn write_closure(path: &str, output: &mut impl io::Write) -> Result<()> {
    let mut query = Command::new("nix-store");
    let closure = process::read(query.args(["--query", "--requisites", path]))?;
    let mut export = Command::new("nix-store");
    let status = process::copy_output(export.arg("--export").args(closure.lines()), output)?;
    if !status.success() {
        bail!("nix-store --export: {status}");
    }
    Ok(())
}

/// The size of a file, and its hash.
fn measure(file: &Path) -> Result<(u64, String)> {
    let mut file = File::open(file)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        hash.update(&buffer[..length]);
        bytes += length as u64;
    }
    let mut sha256 = String::new();
    for byte in hash.finalize() {
        let _ = write!(sha256, "{byte:02x}");
    }
    Ok((bytes, sha256))
}
