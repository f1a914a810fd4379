//! `acme` prints and verifies lists of SHA-256 checksums, hashing with OpenSSL.

use std::{
    ffi::OsStr,
    fmt::Display,
    fs::File,
    io::{self, Read, Write as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use acme_core::{Entry, Verdict};
use clap::Parser;
use openssl::hash::{Hasher, MessageDigest};
use serde_json::{Value, json};

/// Prints and verifies lists of SHA-256 checksums, as sha256sum does
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Exit status: 0, or 1 if a file differs or cannot be read, 2 if a list cannot or the usage is wrong.

Examples:
  acme sum *.tar.gz > SHA256SUMS
  acme check SHA256SUMS
  curl https://example.org/SHA256SUMS | acme check --json -"
)]
enum Command {
    /// Print a list of the checksums of files
    Sum {
        /// Files; `-` is standard input
        #[arg(required = true)]
        file: Vec<PathBuf>,
    },
    /// Verify the files that lists name
    Check {
        /// Print a JSON object per file; a name that is not UTF-8 is an array of bytes
        #[arg(long)]
        json: bool,
        /// Lists; `-` is standard input
        #[arg(required = true)]
        list: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let status = match Command::parse() {
        Command::Sum { file } => sum(&file),
        Command::Check { json, list } => check(&list, json),
    };
    ExitCode::from(status.unwrap_or_else(|error| fail(2, Path::new("standard output"), error)))
}

/// Says what cannot be read or written, and returns the exit status.
fn fail(status: u8, path: &Path, error: impl Display) -> u8 {
    eprintln!("acme: {}: {error}", path.display());
    status
}

fn sum(files: &[PathBuf]) -> io::Result<u8> {
    let mut status = 0;
    for file in files {
        match digest(file) {
            Ok(digest) => {
                let entry = Entry { digest, name: file.as_os_str().as_bytes().to_vec() };
                io::stdout().write_all(&entry.line())?;
            }
            Err(error) => status = fail(1, file, error),
        }
    }
    Ok(status)
}

fn check(lists: &[PathBuf], json: bool) -> io::Result<u8> {
    let mut status = 0;
    for path in lists {
        let mut list = Vec::new();
        if let Err(error) = open(path).and_then(|mut file| file.read_to_end(&mut list)) {
            status = fail(2, path, error);
            continue;
        }
        let mut is_list = false;
        for line in acme_core::parse(&list) {
            is_list |= line.is_ok();
            match line {
                Ok(entry) => status = status.max(check_entry(&entry, json)?),
                Err(number) => eprintln!("acme: {}:{number}: no checksum", path.display()),
            }
        }
        if !is_list {
            status = fail(2, path, "no list of SHA-256 checksums");
        }
    }
    Ok(status)
}

fn check_entry(entry: &Entry, json: bool) -> io::Result<u8> {
    let file = Path::new(OsStr::from_bytes(&entry.name));
    let digest = digest(file).inspect_err(|error| _ = fail(1, file, error));
    let verdict = entry.compare(digest.ok());
    if json {
        let name = str::from_utf8(&entry.name).map_or_else(|_| json!(entry.name), Value::from);
        let object = json!({ "name": name, "verdict": verdict.to_string() });
        writeln!(io::stdout(), "{object}")?;
    } else {
        io::stdout().write_all(&entry.report(verdict))?;
    }
    Ok(u8::from(verdict != Verdict::Matches))
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path == "-" {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path)?))
}

/// Hashes piece by piece: however large a file is, little of it is in memory.
fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut hasher = Hasher::new(MessageDigest::sha256())?;
    io::copy(&mut open(path)?, &mut hasher)?;
    let digest = hasher.finish()?;
    digest.as_ref().try_into().map_err(io::Error::other)
}
