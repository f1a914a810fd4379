//! `gantry release`: the packages of a version, built, pushed, pinned, and written into a folder.
//!
//! docs/releasing.md describes what it makes. Every part of it can be done again, so that a release
//! that was interrupted is finished by running it again.

mod archive;
mod conditions;
mod manifest;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use self::archive::Archive;
use self::manifest::{Manifest, Released};
use crate::arguments::{ReleaseArguments, RunArguments};
use crate::cache::{self, Cache};
use crate::nix::{self, Outputs, Package, Program};
use crate::plan::Step;
use crate::process::{self, Output};
use crate::workspace::Workspace;
use crate::{ci, file, interrupt, output};

/// What is released, and where it goes.
struct Release {
    program: Program,
    cache: Cache,
    /// The repository's name, which pins and files start with.
    name: String,
    version: String,
    revision: String,
    system: String,
    /// All steps of CI.
    steps: Vec<Step>,
    /// The flake's packages that are to be released, by name.
    packages: BTreeMap<String, Package>,
    folder: PathBuf,
}

/// Releases a version.
///
/// # Errors
/// What speaks against releasing this commit as that version, or an environment in which it cannot be
/// built or pushed; failed steps and builds are an exit code.
pub(crate) fn run(arguments: &ReleaseArguments) -> Result<ExitCode> {
    let release = Release::plan(arguments)?;
    if arguments.dry_run {
        output::print(&release.to_text())?;
        return Ok(ExitCode::SUCCESS);
    }
    let verdict = release.run_ci()?;
    if verdict != ExitCode::SUCCESS {
        output::print_error("nothing was released: CI did not pass\n");
        return Ok(verdict);
    }
    if !release.build()? {
        return Ok(failure());
    }
    let names: Vec<String> = release.packages.keys().cloned().collect();
    if !cache::publish(&release.program, &release.cache, &names)? {
        return Ok(failure());
    }
    for (name, package) in &release.packages {
        cache::keep(&release.cache, &release.pin(name), &package.output.path)?;
    }
    release.write()?;
    output::print(&format!(
        "released {} in {}\n",
        release.tag(),
        release.folder.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn failure() -> ExitCode {
    ExitCode::from(if interrupt::requested() { 130 } else { 1 })
}

impl Release {
    /// Checks that `arguments` can be done, and changes nothing.
    fn plan(arguments: &ReleaseArguments) -> Result<Self> {
        let workspace = Workspace::find()?;
        let version = arguments.version.clone();
        let revision = conditions::check_commit(&workspace, &version)?;
        let program = Program::find(&workspace, &arguments.nix.flags)?;
        if let Some(store) = program.foreign_store() {
            bail!(
                "packages are archived from this machine's own store, and these would be built in {store}: \
                 leave --store out; --builders hands builds to other machines, and brings back what they made"
            );
        }
        let Outputs {
            checks,
            mut packages,
        } = Outputs::evaluate(&program)?;
        packages.retain(|_, package| package.release);
        conditions::check_versions(&packages, &version)?;
        if packages.is_empty() {
            bail!("the flake has no package to release: `nix flake show` lists them");
        }
        let folder = match &arguments.out {
            Some(folder) => folder.clone(),
            None => workspace.target_folder().join(format!("release-{version}")),
        };
        Ok(Self {
            cache: Cache::of(&workspace)?,
            name: workspace.repository_name(),
            system: program.system().to_owned(),
            steps: Step::all(checks),
            program,
            version,
            revision,
            packages,
            folder,
        })
    }

    fn tag(&self) -> String {
        format!("v{}", self.version)
    }

    /// The name that the cache keeps a package under.
    fn pin(&self, package: &str) -> String {
        format!("{}-{}-{package}-{}", self.name, self.tag(), self.system)
    }

    /// What the file of a package is called, up to its extension.
    fn file(&self, name: &str, package: &Package) -> String {
        let part = match name {
            "default" => String::new(),
            name => format!("-{name}"),
        };
        let usual = || format!("{}{part}-{}-{}", self.name, self.tag(), self.system);
        package.archive.clone().unwrap_or_else(usual)
    }

    /// Runs the whole plan, as `gantry ci` does.
    fn run_ci(&self) -> Result<ExitCode> {
        let arguments = RunArguments {
            strict: true,
            skip_cached: true,
            ..RunArguments::default()
        };
        ci::run_steps(&self.program, &self.steps, &arguments)
    }

    /// Builds the packages; whether that went well.
    fn build(&self) -> Result<bool> {
        let derivations = self
            .packages
            .values()
            .map(|package| &package.output.derivation);
        let mut build = self.program.build();
        build.arg("--print-build-logs");
        let status = process::run(build, &nix::installables(derivations), |output| {
            if let Output::Line(line) = output {
                output::print_error(&format!("{line}\n"));
            }
        })?;
        Ok(status.success())
    }

    /// Writes the archives, their checksums and the manifest, each whole or not at all.
    fn write(&self) -> Result<()> {
        let folder = &self.folder;
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let paths: Vec<String> = self
            .packages
            .values()
            .map(|package| package.output.path.clone())
            .collect();
        let infos = nix::path_infos(&self.program, None, &paths)?;
        let mut packages = Vec::new();
        let mut sums = String::new();
        for (name, package) in &self.packages {
            let path = &package.output.path;
            let info = infos
                .get(path)
                .with_context(|| format!("{path} is gone from the store: run the command again"))?;
            let archive = Archive::write(path, info, folder, &self.file(name, package))
                .with_context(|| format!("cannot archive {path} in {}", folder.display()))?;
            let _ = writeln!(sums, "{}  {}", archive.sha256, archive.file);
            let pin = self.cache.has_pins().then(|| self.pin(name));
            packages.push(Released {
                name,
                path,
                nar_hash: &info.nar_hash,
                nar_size: info.nar_size,
                references: &info.references,
                pin,
                archive,
            });
        }
        let manifest = Manifest {
            version: 1,
            name: &self.name,
            release: &self.version,
            tag: self.tag(),
            revision: &self.revision,
            system: &self.system,
            cache: &self.cache.url,
            packages,
        };
        file::write(&folder.join("SHA256SUMS"), &sums)?;
        file::write(
            &folder.join("manifest.json"),
            &(serde_json::to_string_pretty(&manifest)? + "\n"),
        )
    }

    /// What `--dry-run` prints.
    fn to_text(&self) -> String {
        let mut text = format!(
            "{} of {} for {}, at {}\n  $ gantry ci --strict\n",
            self.tag(),
            self.name,
            self.system,
            self.revision
        );
        for name in self.packages.keys() {
            let _ = writeln!(text, "  $ nix build .#packages.{}.{name}", self.system);
        }
        let names: Vec<&str> = self.packages.keys().map(String::as_str).collect();
        let _ = writeln!(
            text,
            "  $ gantry cache push {}\n    to {}",
            names.join(" "),
            self.cache.url
        );
        if self.cache.has_pins() {
            for name in names {
                let _ = writeln!(text, "  $ gantry cache pin {} {name}", self.pin(name));
            }
        }
        let _ = writeln!(
            text,
            "  archives, SHA256SUMS and manifest.json in {}",
            self.folder.display()
        );
        text
    }
}
