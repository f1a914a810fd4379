//! `gantry` prints and audits the narinfo files of Nix binary caches.

mod crypto;
mod inspect;
mod verify;

use std::{
    fmt, fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use gantry_core::PublicKey;

/// Audits the narinfo files of Nix binary caches.
#[derive(Parser)]
#[command(version, long_version = crypto::LONG_VERSION.as_str())]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print what a narinfo says.
    ///
    /// Exit status: 0, or 1 where FILE is not a narinfo, 2 where it cannot be read.
    #[command(after_help = "\
Examples:
  gantry inspect hello.narinfo
  curl -s https://cache.nixos.org/w9yy7v61ipb5rx6i35zq1mvc2iqfmps1.narinfo | gantry inspect -")]
    Inspect {
        /// The narinfo; `-` for standard input.
        file: PathBuf,
        /// Print JSON, with the names that `nix path-info --json` has.
        #[arg(long)]
        json: bool,
    },
    /// Check signatures and content addresses.
    ///
    /// A narinfo passes when a key given here has signed it, or its store path follows from its
    /// contents, and no such claim is wrong. Signatures by other keys say nothing.
    ///
    /// Exit status: 0, or 1 where a narinfo fails, 2 where a file cannot be read.
    #[command(after_help = "\
Examples:
  gantry verify --key cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY= *.narinfo
  gantry verify --json --key \"$(cat cache.pub)\" hello.narinfo")]
    Verify {
        /// A public key to trust. Can be given several times.
        #[arg(long = "key", value_name = "NAME:BASE64", required = true)]
        keys: Vec<PublicKey>,
        /// The narinfos; `-` for standard input.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Print JSON: an array with one object per file.
        #[arg(long)]
        json: bool,
    },
}

/// Why the command did not pass.
enum Failure {
    /// What was looked at is wrong.
    Found(String),
    /// What was found is printed already.
    Reported,
    /// The command could not do its work.
    Environment(String),
}

impl Failure {
    fn environment(what: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::Environment(format!("{what}: {error}"))
    }
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Inspect { file, json } => inspect::run(&file, json),
        Command::Verify { keys, files, json } => verify::run(&keys, &files, json),
    };
    let (status, message) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Reported) => return ExitCode::from(1),
        Err(Failure::Found(message)) => (1, message),
        Err(Failure::Environment(message)) => (2, message),
    };
    eprintln!("gantry: {message}");
    ExitCode::from(status)
}

/// Reads a file, or standard input for `-`.
fn read(file: &Path) -> Result<String, Failure> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    let bytes = bytes.map_err(|error| Failure::environment(file.display(), error))?;
    // A narinfo is ASCII; what is not shows up as a wrong value, with its line.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Prints to standard output. A reader that has seen enough, such as `head`, is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::environment("standard output", error))
        }
        _ => Ok(()),
    }
}

/// Prints one value as indented JSON.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let json =
        serde_json::to_string_pretty(value).map_err(|error| Failure::environment("JSON", error))?;
    print(&format!("{json}\n"))
}
