//! `cargo xtask release`: the packages of a version, built, pushed, pinned, and written into a folder.
//!
//! docs/releasing.md describes what it makes. Every part of it can be done again, so that a release
//! that was interrupted is finished by running it again.

mod archive;
mod conditions;
mod manifest;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use tempfile::NamedTempFile;
use xtask::arguments::{Arguments, Command, ReleaseArguments};
use xtask::process::{self, Output};
use xtask::workspace::Workspace;
use xtask::{ci, file, interrupt, output};

use self::archive::Archive;
use self::manifest::{Manifest, Package};
use crate::backend::Nix;
use crate::cache::{self, Cache};
use crate::nix::{self, Check, Program};

/// What is released, and where it goes.
struct Release {
    workspace: Workspace,
    program: Program,
    cache: Cache,
    /// The repository's name, which pins and files start with.
    name: String,
    version: String,
    revision: String,
    system: String,
    /// The flake's packages, by name, without layers and what is for development.
    packages: BTreeMap<String, Check>,
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
    let verdict = release.run_ci(&arguments.nix.flags)?;
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
        cache::keep(&release.cache, &release.pin(name), &package.path)?;
    }
    release.write()?;
    output::print(&format!(
        "released {} in {}\n",
        release.tag(),
        release.folder.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The last part of the repository's URL; without one, the folder's name.
fn repository_name(workspace: &Workspace) -> String {
    let mut product = workspace.members.iter().filter(|member| member.is_default);
    let url = product.find_map(|member| member.repository.clone());
    let url = url.unwrap_or_else(|| workspace.root.to_string_lossy().into_owned());
    let name = url.trim_end_matches('/').trim_end_matches(".git");
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

fn failure() -> ExitCode {
    ExitCode::from(if interrupt::requested() { 130 } else { 1 })
}

impl Release {
    /// Checks that `arguments` can be done, and changes nothing.
    fn plan(arguments: &ReleaseArguments) -> Result<Self> {
        let workspace = Workspace::load()?;
        let version = arguments.version.clone();
        let revision = conditions::check(&workspace, &version)?;
        let program = Program::find(&workspace, &arguments.nix.flags)?;
        let mut packages = nix::evaluate(&program, "packages")?;
        packages.retain(|name, _| name != "dev" && name != "deps" && !name.starts_with("deps-"));
        if packages.is_empty() {
            bail!("the flake has no package to release: `nix flake show` lists them");
        }
        let folder = match &arguments.out {
            Some(folder) => folder.clone(),
            None => workspace
                .target_directory
                .join(format!("release-{version}")),
        };
        Ok(Self {
            cache: Cache::of(&workspace)?,
            name: repository_name(&workspace),
            system: program.system()?,
            workspace,
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

    /// What a file of a package is called, up to its extension.
    fn file(&self, package: &str) -> String {
        let package = match package {
            "default" => String::new(),
            package => format!("-{package}"),
        };
        format!("{}{package}-{}-{}", self.name, self.tag(), self.system)
    }

    /// Runs the whole plan, as `cargo xtask ci` does.
    fn run_ci(&self, flags: &[String]) -> Result<ExitCode> {
        const CI: [&str; 6] = [
            "xtask",
            "ci",
            "--backend",
            "nix",
            "--strict",
            "--skip-cached",
        ];
        let Command::Run(command) = Arguments::parse_from(CI).command else {
            bail!("`ci` is no run of steps");
        };
        let (arguments, steps) = command.into_steps();
        let nix = Nix::find(&self.workspace, flags)?;
        ci::run(&self.workspace, &arguments, &steps, &nix, None)
    }

    /// Builds the packages; whether that went well.
    fn build(&self) -> Result<bool> {
        let derivations = self.packages.values().map(|package| &package.derivation);
        let mut build = self.program.build();
        build
            .arg("--print-build-logs")
            .args(derivations.map(|derivation| format!("{derivation}^out")));
        let status = process::run(&mut build, |output| {
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
            .map(|package| package.path.clone())
            .collect();
        let infos = nix::path_infos(&self.program, None, &paths)?;
        let mut packages = Vec::new();
        let mut sums = String::new();
        for (name, package) in &self.packages {
            let path = &package.path;
            let info = infos
                .get(path)
                .with_context(|| format!("{path} is gone from the store: run the command again"))?;
            let archive = Archive::write(path, info, folder, &self.file(name))
                .with_context(|| format!("cannot archive {path} in {}", folder.display()))?;
            let _ = writeln!(sums, "{}  {}", archive.sha256, archive.file);
            let pin = self.cache.has_pins().then(|| self.pin(name));
            packages.push(Package::new(name, path, info, pin, archive));
        }
        let manifest = Manifest {
            version: manifest::VERSION,
            name: &self.name,
            release: &self.version,
            tag: self.tag(),
            revision: &self.revision,
            system: &self.system,
            cache: &self.cache.url,
            packages,
        };
        file::write(&folder.join("SHA256SUMS"), &sums)?;
        file::write(&folder.join("manifest.json"), &manifest.to_json()?)
    }

    /// What `--dry-run` prints.
    fn to_text(&self) -> String {
        let mut text = format!(
            "{} of {} for {}, at {}\n  $ cargo xtask ci --backend nix --strict\n",
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
            "  $ cargo xtask cache push {}\n    to {}",
            names.join(" "),
            self.cache.url
        );
        if self.cache.has_pins() {
            for name in names {
                let _ = writeln!(text, "  $ cargo xtask cache pin {} {name}", self.pin(name));
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

/// Gives a file that is written to its end its name, and lets everybody read it.
fn persist(partial: NamedTempFile, file: &Path) -> Result<()> {
    let permissions = Permissions::from_mode(0o644);
    partial.as_file().set_permissions(permissions)?;
    partial.persist(file)?;
    Ok(())
}
