//! How long everybody waits for xtask who runs it for the first time, and for what.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Deserialize;
use xtask::{cargo, output, process};

use crate::command;
use crate::document;
use crate::figures::{self, Measured};
use crate::repository::Repository;

/// What puts the figures into the document.
const COMMAND: &str = "cargo xtask bench compile --write";
/// Crates with less than this share of the work are summed up.
const SMALL: f64 = 0.015;

#[derive(Args)]
pub(crate) struct CompileArguments {
    /// How often it is compiled; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,

    /// Put the figures into docs/benchmarks.md
    #[arg(long)]
    write: bool,
}

/// Compiles xtask with all that it depends on into an empty folder, and says what took how long.
///
/// # Errors
/// [`Failed`](crate::command::Failed), cargo cannot download, or its report on the time cannot be read.
pub(crate) fn run(arguments: &CompileArguments) -> Result<()> {
    let repository = Repository::new();
    if arguments.write {
        document::find(&repository, COMMAND)?;
    }
    // Downloads do not count.
    let mut fetch = cargo::command("fetch");
    process::read(fetch.arg("--locked").current_dir(repository.path("")))
        .context("cannot fetch the crates that xtask depends on")?;
    let mut whole = Measured::default();
    let mut work = BTreeMap::new();
    for _ in 0..arguments.repeat {
        let target = tempfile::tempdir()?;
        let mut build = cargo::command("build");
        build
            .args(["--locked", "--package", "xtask", "--timings"])
            .arg("--target-dir")
            .arg(target.path())
            .current_dir(repository.path(""));
        whole.seconds.push(command::seconds(&mut build)?);
        work = seconds_by_crate(target.path())?;
    }
    let cores = thread::available_parallelism()?.get();
    let table = to_markdown(cores, &whole, work);
    if arguments.write {
        document::write(&repository, COMMAND, &table)?;
    }
    output::print(&table)
}

/// A compiler that ran, in the page that `--timings` writes.
#[derive(Deserialize)]
struct Unit {
    name: String,
    duration: f64,
}

/// How long compilers and build scripts ran for each crate.
fn seconds_by_crate(target: &Path) -> Result<BTreeMap<String, f64>> {
    const FILE: &str = "cargo-timings/cargo-timing.html";
    let page = fs::read_to_string(target.join(FILE)).context(FILE)?;
    let units = || {
        let (_, rest) = page.split_once("const UNIT_DATA = ")?;
        let units: Vec<Unit> = serde_json::from_str(rest.split_once(";\n")?.0).ok()?;
        Some(units)
    };
    let mut crates = BTreeMap::new();
    for unit in units().with_context(|| format!("{FILE} is not what this program expects"))? {
        *crates.entry(unit.name).or_default() += unit.duration;
    }
    Ok(crates)
}

fn to_markdown(cores: usize, whole: &Measured, work: BTreeMap<String, f64>) -> String {
    let all: f64 = work.values().sum();
    let mut crates: Vec<_> = work.into_iter().collect();
    crates.sort_by(|one, other| other.1.total_cmp(&one.1));
    let (large, small): (Vec<_>, Vec<_>) = crates
        .into_iter()
        .partition(|(_, seconds)| seconds / all >= SMALL);
    let mut text = format!(
        "Cold, with {cores} cores: {}.\n\n| crate | share of the work |\n| --- | ---: |\n",
        figures::seconds(whole.median())
    );
    let mut row = |name: &str, seconds: f64| {
        let _ = writeln!(text, "| {name} | {:.0} % |", seconds / all * 100.0);
    };
    for (name, seconds) in &large {
        row(name, *seconds);
    }
    let rest = small.iter().map(|(_, seconds)| seconds).sum();
    row(&format!("{} others", small.len()), rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_that_matter_are_listed_and_the_others_summed_up() {
        let whole = Measured {
            seconds: vec![9.0, 8.0, 9.5],
            ..Measured::default()
        };
        let work = [("a", 7.0), ("b", 12.8), ("c", 0.1), ("d", 0.1)];
        let work = work.map(|(name, seconds)| (name.to_owned(), seconds));
        assert_eq!(
            to_markdown(2, &whole, work.into()),
            "Cold, with 2 cores: 9.0 s.\n\n| crate | share of the work |\n| --- | ---: |\n\
             | b | 64 % |\n| a | 35 % |\n| 2 others | 1 % |\n"
        );
    }

    #[test]
    fn cargos_report_is_read() {
        let target = tempfile::tempdir().unwrap();
        let folder = target.path().join("cargo-timings");
        fs::create_dir(&folder).unwrap();
        let page = "<script>\nconst UNIT_DATA = [\n  {\"i\": 0, \"name\": \"a\", \"duration\": 1.5},\n  \
                    {\"i\": 1, \"name\": \"a\", \"duration\": 0.5}\n];\nconst MORE = 1;\n</script>";
        fs::write(folder.join("cargo-timing.html"), page).unwrap();
        let crates = seconds_by_crate(target.path()).unwrap();
        assert_eq!(crates, [("a".to_owned(), 2.0)].into());
        fs::write(folder.join("cargo-timing.html"), "other").unwrap();
        assert!(seconds_by_crate(target.path()).is_err());
    }
}
