//! The standard library of another target: rustup adds it.
//!
//! That of wasm32-unknown-unknown is compiled where rustup is absent or cannot download: from the
//! source of exactly this toolchain, into a sysroot of its own below the target directory. The
//! toolchain itself belongs to rustup or to the distribution, and stays as it is.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use xshell::{Shell, cmd};

use crate::engine::find_program;
use crate::process::run;
use crate::steps::Project;
use crate::wasm::WASM;

impl Project<'_> {
    /// Finds the library, or makes it; returns the variables by which cargo uses it. The error is
    /// what is missing, with the command that mends it.
    pub(crate) fn provide_std(&self, target: &str) -> Result<Vec<(String, String)>> {
        let sh = &self.sh;
        let libraries = cmd!(sh, "rustc --print target-libdir --target {target}").read()?;
        let mut is_there = Path::new(&libraries).exists();
        if !is_there && env::var_os("RUSTUP_TOOLCHAIN").is_some() {
            let _ = cmd!(sh, "rustup target add {target}").ignore_stderr().run();
            is_there = Path::new(&libraries).exists();
        }
        let missing = format!(
            "the standard library of {target} is missing: run `rustup target add {target}`"
        );
        let name = |option: &str| format!("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_{option}");
        let mut variables = Vec::new();
        if !is_there {
            ensure!(target == WASM, missing);
            let sysroot = self.sysroot().context(missing)?.display().to_string();
            ensure!(!sysroot.contains(' '), "cargo takes no space in {sysroot}");
            // RUSTFLAGS would make cargo ignore this variable, so it becomes a part of it.
            let flags = [env::var("RUSTFLAGS"), env::var(name("RUSTFLAGS"))];
            let flags = flags.map(Result::unwrap_or_default).join(" ");
            variables.push(("RUSTFLAGS".to_owned(), format!("{flags} --sysroot={sysroot}")));
        }
        let own = cmd!(sh, "rustc --print target-libdir").read()?;
        let own = Path::new(&own).with_file_name("bin/rust-lld");
        if target == WASM && !own.exists() && env::var_os(name("LINKER")).is_none() {
            // A distribution's toolchain leaves it to the package of LLVM's linker.
            let missing = format!("the linker of {WASM} is missing: install the package lld");
            let linker = find_program("rust-lld").or(find_program("wasm-ld")).context(missing)?;
            variables.push((name("LINKER"), linker.display().to_string()));
        }
        Ok(variables)
    }

    /// The sysroot that holds the library of wasm32.
    fn sysroot(&self) -> Result<PathBuf> {
        let sh = &self.sh;
        let version = cmd!(sh, "rustc --version --verbose").read()?;
        let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name));
        let release = field("release: ").context("rustc names no release")?;
        // The library works with the very compiler alone that compiled it.
        let commit = field("commit-hash: ").unwrap_or(release);
        let sysroot = self.workspace.target_directory.join(format!("{WASM}-sysroot-{commit}"));
        if !sysroot.exists() {
            eprintln!("The standard library of {WASM} is compiled, once for this toolchain.");
            build(sh, release, &sysroot)?;
        }
        Ok(sysroot)
    }
}

/// Compiles the library into `sysroot`, which appears only when it is complete.
fn build(sh: &Shell, release: &str, sysroot: &Path) -> Result<()> {
    let work = sysroot.with_extension("partial");
    sh.remove_path(&work)?;
    let manifest = "[workspace]\n[package]\nname = \"empty\"\nedition = \"2024\"\n";
    sh.write_file(work.join("Cargo.toml"), manifest)?;
    sh.write_file(work.join("src/lib.rs"), "#![no_std]\n")?;
    let _folder = sh.push_dir(&work);
    let source = source(sh, release)?;
    // The option is unstable, so stable toolchains need the variable; `test` is what tests link.
    let std = ["-Zbuild-std=std,panic_abort,test", "--target-dir=target"];
    let build = cmd!(sh, "cargo build --release --target {WASM} {std...}");
    let build = build.env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTFLAGS");
    ensure!(run(build.env("__CARGO_TESTS_ONLY_SRC_ROOT", source))?, "it does not compile");
    let libraries = sh.create_dir(format!("sysroot/lib/rustlib/{WASM}/lib"))?;
    for file in sh.read_dir(format!("target/{WASM}/release/deps"))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".rlib") && !name.starts_with("libempty-") {
            sh.copy_file(&file, &libraries)?;
        }
    }
    fs::rename(work.join("sysroot"), sysroot)?;
    Ok(sh.remove_path(&work)?)
}

/// The folder `library` of the toolchain's source: its own, or that of Debian's package rust-src of
/// the same release, unpacked here.
fn source(sh: &Shell, release: &str) -> Result<PathBuf> {
    let sysroot = cmd!(sh, "rustc --print sysroot").read()?;
    let installed = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
    if installed.join("std").exists() {
        return Ok(installed);
    }
    let unpack = format!("apt-get download 'rust-src={release}*' && dpkg-deb -x rust-src_*.deb .");
    let has_package = run(cmd!(sh, "sh -c {unpack}"))?;
    ensure!(has_package, "neither the toolchain nor apt has rust-src {release}");
    Ok(sh.current_dir().join(format!("usr/src/rustc-{release}/library")))
}
