//! A store path as one file that is downloaded.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Result, bail};
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tar::{Builder, HeaderMode};
use xshell::{Shell, cmd};

use crate::nix::PathInfo;
use crate::{file, process};

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
        let name_of_file = format!("{name}.{extension}");
        // It goes with the value where something fails.
        let partial = file::partial(folder)?;
        let mut encoder = GzEncoder::new(partial, Compression::default());
        match format {
            Format::Tar => write_tar(Path::new(path), name, &mut encoder)?,
            Format::Closure => write_closure(path, &mut encoder)?,
        }
        let partial = encoder.finish()?;
        let (bytes, sha256) = measure(partial.path())?;
        partial.persist(folder.join(&name_of_file))?;
        Ok(Self {
            file: name_of_file,
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
    let shell = Shell::new()?;
    let closure = process::read(cmd!(shell, "nix-store --query --requisites {path}"))?;
    let export = cmd!(shell, "nix-store --export --stdin");
    let status = process::copy_output(export, &closure, output)?;
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
    Ok((bytes, HEXLOWER.encode(&hash.finalize())))
}
