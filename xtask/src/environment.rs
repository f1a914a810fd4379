//! What this machine has, and what is done where it lacks something.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::cargo;
use crate::event::Event;
use crate::plan::{Profile, Step, Target, What};
use crate::process;
use crate::wasm_linker::WasmLinker;
use crate::wasm_std::{self, WasmStd};
use crate::workspace::Workspace;

pub(crate) struct Environment {
    /// Whether cargo-nextest runs the tests.
    pub(crate) has_nextest: bool,
    pub(crate) has_wasm_opt: bool,
    /// Whether members that can compile OpenSSL have to.
    pub(crate) vendor_openssl: bool,
    wasm_std: WasmStd,
    wasm_linker: WasmLinker,
    missing_node: Option<String>,
    missing_browser: Option<String>,
}

impl Environment {
    /// Looks at what `steps` need, and closes the gaps that can be closed, each with a note.
    ///
    /// # Errors
    /// Something is missing without which a step cannot even be skipped in good conscience.
    pub(crate) fn prepare(
        workspace: &Workspace,
        steps: &[Step],
        emit: &mut dyn FnMut(Event),
    ) -> Result<Self> {
        let any = |test: &dyn Fn(&Step) -> bool| steps.iter().any(test);
        let is_for = |step: &Step, what, target| step.what == what && step.target == Some(target);
        let mut note = |text: &str| emit(Event::Note(text.to_owned()));

        for (what, component, subcommand) in [
            (What::Fmt, "rustfmt", "fmt"),
            (What::Clippy, "clippy", "clippy"),
        ] {
            if any(&|step| step.what == what)
                && !succeeds(cargo::command(subcommand).arg("--version"))
            {
                bail!(
                    "cargo has no `{subcommand}`: run `rustup component add {component}`, or install your distribution's package of it"
                );
            }
        }

        let has_nextest = any(&|step| is_for(step, What::Test, Target::Native))
            && succeeds(cargo::command("nextest").arg("--version"));
        if any(&|step| is_for(step, What::Test, Target::Native)) && !has_nextest {
            note("cargo-nextest is not installed: `cargo test` runs the tests");
        }

        let vendor_openssl = any(&|step| {
            step.target == Some(Target::Native)
                && workspace
                    .member(&step.member)
                    .is_some_and(|member| member.can_vendor_openssl)
        }) && !has_openssl();
        if vendor_openssl {
            note(
                "OpenSSL's headers are not installed: it is compiled from source (feature vendored-openssl)",
            );
        }

        let optimises =
            any(&|step| step.what == What::Bindgen && step.profile == Some(Profile::Release));
        let has_wasm_opt = optimises && succeeds(Command::new("wasm-opt").arg("--version"));
        if optimises && !has_wasm_opt {
            note("wasm-opt is not installed: the page works, but is larger than it need be");
        }

        let (wasm_std, wasm_linker) = if any(&|step| step.target == Some(Target::Wasm)) {
            (
                wasm_std::provide(workspace, &mut note)?,
                WasmLinker::find()?,
            )
        } else {
            (WasmStd::Installed, WasmLinker::Default)
        };
        Ok(Self {
            has_nextest,
            has_wasm_opt,
            vendor_openssl,
            wasm_std,
            wasm_linker,
            missing_node: missing(
                "node",
                "Node.js runs the wasm tests: install the package nodejs",
            ),
            missing_browser: missing(
                "chromedriver",
                "ChromeDriver runs the wasm tests in Chromium: install the packages chromium and chromium-driver",
            ),
        })
    }

    /// Why `step` cannot run here, with the command that mends it.
    pub(crate) fn skip_reason(&self, step: &Step) -> Option<&str> {
        if step.target != Some(Target::Wasm) {
            return None;
        }
        let missing_linker = match self.wasm_linker {
            WasmLinker::Missing(reason) if step.what != What::Clippy => Some(reason),
            _ => None,
        };
        let missing_runner = match step.what {
            What::Test => self.missing_node.as_deref(),
            What::Browser => self.missing_browser.as_deref(),
            _ => None,
        };
        self.wasm_std
            .missing()
            .or(missing_linker)
            .or(missing_runner)
    }

    /// The linker of wasm32, where that is not the toolchain's own.
    pub(crate) fn wasm_linker(&self) -> Option<&'static str> {
        matches!(self.wasm_linker, WasmLinker::WasmLd).then_some("wasm-ld")
    }

    /// The folder that holds the wasm32 standard library, where that is not the toolchain's own.
    pub(crate) fn wasm_sysroot(&self) -> Option<&Path> {
        self.wasm_std.sysroot()
    }
}

/// Whether the program runs and exits with 0.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What rustc prints when it is asked.
///
/// # Errors
/// It cannot be run.
pub(crate) fn rustc(arguments: &[&str]) -> Result<String> {
    process::read(Command::new("rustc").args(arguments)).context("cannot run rustc")
}

/// The file that `PATH` names this program by.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

fn missing(program: &str, cure: &str) -> Option<String> {
    find_program(program).is_none().then(|| cure.to_owned())
}

/// Whether openssl-sys will find OpenSSL, by the ways in which it looks for it.
///
/// Specified at <https://docs.rs/openssl/latest/openssl/#automatic>.
fn has_openssl() -> bool {
    ["OPENSSL_DIR", "OPENSSL_LIB_DIR"]
        .iter()
        .any(|name| env::var_os(name).is_some())
        || succeeds(Command::new("pkg-config").args(["--exists", "openssl"]))
        || (cfg!(target_os = "macos")
            && ["/opt/homebrew/opt/openssl@3", "/usr/local/opt/openssl@3"]
                .iter()
                .any(|folder| Path::new(folder).exists()))
}
