//! The standard library of wasm32-unknown-unknown, where the toolchain lacks it.
//!
//! rustup adds it. Where rustup is absent or cannot download, the library is compiled from the
//! source of exactly this toolchain into a sysroot of its own below the target directory: the
//! toolchain itself belongs to rustup or to the distribution and stays as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::environment::rustc;
use crate::process::{self, Output};
use crate::workspace::Workspace;
use crate::{cargo, environment, interrupt};

const TARGET: &str = "wasm32-unknown-unknown";

pub(crate) enum WasmStd {
    /// The toolchain has it.
    Installed,
    /// It is in this sysroot.
    Built(PathBuf),
    /// Why not, and the command that mends it.
    Missing(String),
}

impl WasmStd {
    pub(crate) fn sysroot(&self) -> Option<&Path> {
        match self {
            Self::Built(sysroot) => Some(sysroot),
            Self::Installed | Self::Missing(_) => None,
        }
    }

    pub(crate) fn missing(&self) -> Option<&str> {
        match self {
            Self::Missing(reason) => Some(reason),
            Self::Installed | Self::Built(_) => None,
        }
    }
}

/// Finds the library, or makes it, and says in a line what was done.
///
/// # Errors
/// rustc cannot be run, or the interrupt came.
pub(crate) fn provide(workspace: &Workspace, note: &mut dyn FnMut(&str)) -> Result<WasmStd> {
    if has_std(&target_libraries()?) {
        return Ok(WasmStd::Installed);
    }
    let toolchain = Toolchain::query()?;
    let sysroot = workspace
        .target_directory
        .join(format!("{TARGET}-sysroot"))
        .join(&toolchain.commit);
    if has_std(&libraries_in(&sysroot)) {
        return Ok(WasmStd::Built(sysroot));
    }
    if toolchain.rustup_adds_target() && has_std(&target_libraries()?) {
        note(&format!(
            "the standard library of {TARGET} was missing: `rustup target add` installed it"
        ));
        return Ok(WasmStd::Installed);
    }
    note(&format!(
        "the standard library of {TARGET} is missing: it is compiled from its source, once for this toolchain (about a minute)"
    ));
    match build(&toolchain, &sysroot) {
        Ok(()) => Ok(WasmStd::Built(sysroot)),
        Err(error) if interrupt::requested() => Err(error),
        Err(error) => Ok(WasmStd::Missing(format!(
            "the standard library of {TARGET} is missing ({error:#}): run `rustup target add {TARGET}`, or install the package rust-src {}",
            toolchain.release
        ))),
    }
}

/// What identifies the compiler; a standard library works with the one that compiled it alone.
struct Toolchain {
    sysroot: PathBuf,
    /// `1.70.0`
    release: String,
    /// The commit, or the release where a distribution's rustc does not tell it.
    commit: String,
}

impl Toolchain {
    fn query() -> Result<Self> {
        let version = rustc(&["--version", "--verbose"])?;
        let field = |name: &str| {
            let value = version
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.map(str::to_owned)
        };
        let release = field("release").context("`rustc --version --verbose` names no release")?;
        let commit = field("commit-hash")
            .filter(|hash| hash != "unknown")
            .unwrap_or_else(|| release.clone());
        let sysroot = rustc(&["--print", "sysroot"])?.into();
        Ok(Self {
            sysroot,
            release,
            commit,
        })
    }

    /// Whether this toolchain is rustup's, and rustup could add the target to it.
    fn rustup_adds_target(&self) -> bool {
        let Some(name) = self.sysroot.file_name() else {
            return false;
        };
        let is_rustups = self
            .sysroot
            .parent()
            .and_then(Path::file_name)
            .is_some_and(|folder| folder == "toolchains");
        is_rustups
            && environment::succeeds(
                Command::new("rustup")
                    .args(["target", "add", TARGET, "--toolchain"])
                    .arg(name),
            )
    }
}

fn target_libraries() -> Result<PathBuf> {
    Ok(rustc(&["--print", "target-libdir", "--target", TARGET])?.into())
}

fn libraries_in(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

fn has_std(folder: &Path) -> bool {
    rlibs(folder).is_ok_and(|files| {
        files.iter().any(|file| {
            file.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("libstd-"))
        })
    })
}

fn rlibs(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "rlib")
        {
            files.push(path);
        }
    }
    Ok(files)
}

/// Compiles the library into `sysroot`, which appears only when it is complete.
fn build(toolchain: &Toolchain, sysroot: &Path) -> Result<()> {
    let work = sysroot.with_extension("partial");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(work.join("empty/src"))?;
    let source = source(toolchain, &work)?;
    fs::write(
        work.join("empty/Cargo.toml"),
        "[workspace]\n[package]\nname = \"empty\"\nedition = \"2024\"\n",
    )?;
    fs::write(work.join("empty/src/lib.rs"), "#![no_std]\n")?;

    // The feature is unstable, so stable toolchains need the variable; `test` is what
    // `cargo test` and `clippy --all-targets` link.
    let mut command = cargo::command("build");
    command
        .current_dir(work.join("empty"))
        .args([
            "--release",
            "--target",
            TARGET,
            "-Zbuild-std=std,panic_abort,test",
            "--target-dir",
        ])
        .arg(work.join("target"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", &source)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(&mut command)?;

    let libraries = libraries_in(&work.join("sysroot"));
    fs::create_dir_all(&libraries)?;
    for file in rlibs(&work.join("target").join(TARGET).join("release/deps"))? {
        let name = file.file_name().context("a library without a name")?;
        if !name.to_string_lossy().starts_with("libempty-") {
            fs::copy(&file, libraries.join(name))?;
        }
    }
    if sysroot.exists() {
        fs::remove_dir_all(sysroot)?;
    }
    fs::rename(work.join("sysroot"), sysroot)?;
    fs::remove_dir_all(work)?;
    Ok(())
}

/// The folder `library` of the source of exactly this toolchain: the sysroot's, or that of the
/// distribution's package rust-src, unpacked below `work`.
fn source(toolchain: &Toolchain, work: &Path) -> Result<PathBuf> {
    let installed = toolchain.sysroot.join("lib/rustlib/src/rust/library");
    if installed.join("std").exists() {
        return Ok(installed);
    }
    let release = &toolchain.release;
    let versions = process::read(Command::new("apt-cache").args(["madison", "rust-src"]));
    let versions = versions.unwrap_or_default();
    let Some(version) = package_version(&versions, release) else {
        bail!("neither the toolchain nor apt has its source, rust-src {release}");
    };
    let folder = work.join("package");
    fs::create_dir_all(&folder)?;
    run(Command::new("apt-get")
        .args(["download", &format!("rust-src={version}")])
        .current_dir(&folder))?;
    let package = fs::read_dir(&folder)?
        .next()
        .context("apt-get downloaded nothing")??
        .path();
    run(Command::new("dpkg-deb").arg("-x").arg(package).arg(&folder))?;
    let library = folder.join(format!("usr/src/rustc-{release}/library"));
    if !library.join("std").exists() {
        bail!(
            "the package rust-src {version} holds no {}",
            library.display()
        );
    }
    Ok(library)
}

/// The version of the package that is of this release, in the lines `name | version | source` of
/// `apt-cache madison`.
fn package_version<'a>(madison: &'a str, release: &str) -> Option<&'a str> {
    madison
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|version| {
            version
                .strip_prefix(release)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-', '~']))
        })
}

fn run(command: &mut Command) -> Result<()> {
    let mut last = String::new();
    let status = process::run(command, |output| {
        if let Output::Line(line) = output {
            last = line;
        }
    })?;
    if !status.success() {
        bail!("`{}` failed: {last}", process::describe(command));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_of_exactly_the_toolchains_release() {
        let madison = "\
  rust-src | 1.70.10+dfsg1-1 | http://example.org trixie-backports/main amd64 Packages
  rust-src | 1.70.1+dfsg1-2~bpo13+1 | http://example.org trixie-backports/main amd64 Packages
  rust-src | 1.63.0+dfsg1-2 | http://example.org bookworm/main amd64 Packages";
        assert_eq!(
            package_version(madison, "1.70.1"),
            Some("1.70.1+dfsg1-2~bpo13+1")
        );
        assert_eq!(package_version(madison, "1.70.0"), None);
        assert_eq!(package_version("", "1.70.0"), None);
    }
}
