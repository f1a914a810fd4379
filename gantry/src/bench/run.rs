//! The measurement: scenarios, each of both variants, in turn.

use std::collections::BTreeSet;
use std::path::{self, Path, PathBuf};
use std::process;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::document;
use super::figures::{Figures, Measured, Row};
use super::generate::{Member, Size, Workspace};
use super::nix::Nix;
use super::repository::Repository;
use crate::{file, output};

/// The members of the workspace that is evaluated alone.
const EVALUATED_MEMBERS: usize = 50;
/// What puts the figures into the document.
const COMMAND: &str = "gantry bench run --write";

#[derive(Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    size: Size,

    /// How often what is not cold is measured; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,

    /// Measure these scenarios alone; what they start from is built all the same
    #[arg(
        long,
        value_name = "SCENARIO",
        value_delimiter = ',',
        conflicts_with = "write"
    )]
    only: Vec<Scenario>,

    /// Where the workspace is written [default: target/bench of the repository]
    #[arg(long)]
    folder: Option<PathBuf>,

    /// Write the figures to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Put the figures into docs/benchmarks.md
    #[arg(long)]
    write: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    Cold,
    Unchanged,
    Leaf,
    Middle,
    Bottom,
    Evaluation,
}

impl Scenario {
    fn title(self) -> String {
        match self {
            Self::Cold => "everything, third-party crates included".into(),
            Self::Unchanged => "nothing, for nothing changed".into(),
            Self::Leaf => "an edited leaf".into(),
            Self::Middle => "an edited member in the middle".into(),
            Self::Bottom => "the edited member that all others depend on".into(),
            Self::Evaluation => format!("evaluation alone, with {EVALUATED_MEMBERS} members"),
        }
    }
}

/// The two ways to build the workspace: outputs of its flake.
const VARIANTS: [&str; 2] = ["layers", "monolith"];

/// Measures, and prints or writes what `arguments` ask for.
///
/// # Errors
/// A build failed, or this machine has not what the benchmark needs.
pub(crate) fn run(arguments: &RunArguments) -> Result<()> {
    let repository = Repository::find()?;
    let nix = Nix::new()?;
    let folder = match &arguments.folder {
        Some(folder) => path::absolute(folder)?,
        None => repository.path("target/bench"),
    };
    let workspace = Workspace::new(&folder.join("workspace"), arguments.size)?;
    workspace.write(&repository, &nonce()?)?;
    // What is wrong with the document is said before the hours, not after.
    if arguments.write {
        document::find(&repository, COMMAND)?;
    }

    let mut bench = Bench {
        nix,
        workspace: &workspace,
        arguments,
        revision: 0,
        rows: Vec::new(),
    };
    bench.prepare()?;
    // The others start from what it builds.
    if arguments.only != [Scenario::Evaluation] {
        bench.measure_cold()?;
    }
    bench.measure_edits(Scenario::Unchanged, None)?;
    for (scenario, member) in [
        (Scenario::Leaf, workspace.leaf()),
        (Scenario::Middle, workspace.middle()),
        (Scenario::Bottom, workspace.bottom()),
    ] {
        bench.measure_edits(scenario, Some(member))?;
    }
    bench.measure_evaluation(&repository, &folder)?;

    let figures = Figures {
        cores: thread::available_parallelism()?.get(),
        nix: bench.nix.version,
        members: workspace.members().len(),
        layers: arguments.size.layers,
        packages: workspace.locked_packages()?,
        repetitions: arguments.repeat,
        rows: bench.rows,
    };
    if let Some(file) = &arguments.json {
        file::write(file, &figures.to_json()?)?;
    }
    if arguments.write {
        document::write(&repository, COMMAND, &figures.to_markdown())?;
    }
    output::print(&figures.to_markdown())
}

struct Bench<'a> {
    nix: Nix,
    workspace: &'a Workspace,
    arguments: &'a RunArguments,
    /// Of the edits so far; each is new to both variants.
    revision: u64,
    rows: Vec<Row>,
}

impl Bench<'_> {
    /// Provides all that does not count: evaluated flake inputs, tools, sources of third-party crates.
    fn prepare(&self) -> Result<()> {
        for variant in VARIANTS {
            note(&format!("prepares the inputs of: {variant}"));
            self.nix
                .build(self.workspace.folder(), &format!("{variant}-inputs"))?;
        }
        Ok(())
    }

    fn measure_cold(&mut self) -> Result<()> {
        let mut row = Row::new(&Scenario::Cold.title());
        for (variant, measured) in VARIANTS.iter().zip(row.variants()) {
            let before = self.stored(variant)?;
            self.build(Scenario::Cold, variant, measured)?;
            measured.stored_bytes = Some(self.added_bytes(variant, &before)?);
        }
        self.keep(Scenario::Cold, row);
        Ok(())
    }

    /// Builds each variant, after an edit of `member` if there is one, as often as asked for.
    fn measure_edits(&mut self, scenario: Scenario, member: Option<&Member>) -> Result<()> {
        if !self.is_wanted(scenario) {
            return Ok(());
        }
        let mut row = Row::new(&scenario.title());
        for repetition in 0..self.arguments.repeat {
            if let Some(member) = member {
                self.revision += 1;
                self.workspace.edit(member, self.revision)?;
            }
            let mut variants: Vec<_> = VARIANTS.iter().zip(row.variants()).collect();
            // Whoever comes first finds colder caches of the file system.
            if repetition % 2 == 1 {
                variants.reverse();
            }
            for (variant, measured) in variants {
                let before = self.stored(variant)?;
                self.build(scenario, variant, measured)?;
                if member.is_some() {
                    measured.stored_bytes = Some(self.added_bytes(variant, &before)?);
                }
            }
        }
        self.keep(scenario, row);
        Ok(())
    }

    /// Evaluates a larger workspace after edits, as `nix build` does before it builds.
    fn measure_evaluation(&mut self, repository: &Repository, folder: &Path) -> Result<()> {
        if !self.is_wanted(Scenario::Evaluation) {
            return Ok(());
        }
        let size = Size {
            members: EVALUATED_MEMBERS,
            ..self.arguments.size
        };
        let workspace = Workspace::new(&folder.join("evaluated"), size)?;
        workspace.write(repository, &nonce()?)?;
        let mut row = Row::new(&Scenario::Evaluation.title());
        // The first round writes derivations that edits leave as they are: it does not count.
        for repetition in 0..=self.arguments.repeat {
            workspace.edit(workspace.leaf(), repetition)?;
            for (variant, measured) in VARIANTS.iter().zip(row.variants()) {
                let seconds = self.nix.evaluate(workspace.folder(), variant)?;
                if repetition > 0 {
                    report(Scenario::Evaluation, variant, seconds);
                    measured.seconds.push(seconds);
                }
            }
        }
        self.keep(Scenario::Evaluation, row);
        Ok(())
    }

    fn build(&self, scenario: Scenario, variant: &str, measured: &mut Measured) -> Result<()> {
        let seconds = self.nix.build(self.workspace.folder(), variant)?;
        report(scenario, variant, seconds);
        measured.seconds.push(seconds);
        Ok(())
    }

    fn stored(&self, variant: &str) -> Result<BTreeSet<String>> {
        self.nix.stored(self.workspace.folder(), variant)
    }

    /// What a variant has stored since, compressed.
    fn added_bytes(&self, variant: &str, before: &BTreeSet<String>) -> Result<u64> {
        let after = self.stored(variant)?;
        let added: Vec<&str> = after.difference(before).map(String::as_str).collect();
        self.nix.compressed_bytes(&added)
    }

    fn is_wanted(&self, scenario: Scenario) -> bool {
        self.arguments.only.is_empty() || self.arguments.only.contains(&scenario)
    }

    fn keep(&mut self, scenario: Scenario, row: Row) {
        if self.is_wanted(scenario) {
            self.rows.push(row);
        }
    }
}

impl Row {
    fn new(scenario: &str) -> Self {
        Self {
            scenario: scenario.to_owned(),
            layers: Measured::default(),
            monolith: Measured::default(),
        }
    }

    /// In the order of [`VARIANTS`].
    fn variants(&mut self) -> [&mut Measured; 2] {
        [&mut self.layers, &mut self.monolith]
    }
}

/// A text that no earlier run had.
fn nonce() -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(format!("{}-{}\n", now.as_nanos(), process::id()))
}

fn note(text: &str) {
    output::print_error(&format!("bench: {text}\n"));
}

fn report(scenario: Scenario, variant: &str, seconds: f64) {
    note(&format!("{}; {variant}: {seconds:.1} s", scenario.title()));
}
