//! Pages and tests of wasm32-unknown-unknown. Both are wasm-bindgen's, whose programs must have the
//! very version of the crate: where `PATH` has none of it, the member `xtask-bindgen` makes them.

use anyhow::{Context as _, Result};
use xshell::{Cmd, cmd};

use crate::engine::find_program;
use crate::steps::{Commands, Project};
use crate::workspace::Member;

pub(crate) const WASM: &str = "wasm32-unknown-unknown";

impl Project<'_> {
    /// Makes the page of each member from its module: the bindings, and the files of the member's
    /// folder `www`. It appears complete or not at all.
    pub(crate) fn make_pages(&self, members: &[&Member], select: &[String]) -> Commands<'_> {
        let (sh, folder) = (&self.sh, &self.workspace.target_directory);
        let profile = self.arguments.profile().replace("dev", "debug");
        let (mut commands, bindgen) = self.bindgen("wasm-bindgen")?;
        commands.push(cmd!(sh, "cargo build {select...}"));
        for member in members {
            let library = member.artifact("cdylib").context("it makes no module")?;
            let name = library.name.replace('-', "_");
            let module = folder.join(format!("{WASM}/{profile}/{name}.wasm"));
            let page = folder.join("web").join(&member.name);
            let partial = page.with_extension("partial");
            commands.push(cmd!(sh, "rm -rf {partial}"));
            commands.push(cmd!(sh, "{bindgen} --target web {module} --out-dir {partial}"));
            if profile != "debug" && find_program("wasm-opt").is_some() {
                // rustc emits these two by default, and wasm-opt expects neither.
                let features = ["--enable-bulk-memory", "--enable-nontrapping-float-to-int"];
                let file = partial.join(format!("{name}_bg.wasm"));
                commands.push(cmd!(sh, "wasm-opt -Oz {features...} {file} -o {file}"));
            }
            let files = member.manifest_path.with_file_name("www");
            if files.is_dir() {
                commands.push(cmd!(sh, "cp -R {files}/. {partial}"));
            }
            commands.push(cmd!(sh, "rm -rf {page}"));
            commands.push(cmd!(sh, "mv {partial} {page}"));
        }
        Ok(commands)
    }

    pub(crate) fn test_in_node(&self, select: &[String]) -> Commands<'_> {
        find_program("node").context("Node.js is missing: install the package nodejs")?;
        self.test_with(&[], select)
    }

    pub(crate) fn test_in_browser(&self, select: &[String]) -> Commands<'_> {
        let missing = "ChromeDriver is missing: install the packages chromium and chromium-driver";
        let driver = find_program("chromedriver").context(missing)?;
        let driver = format!("CHROMEDRIVER={}", driver.display());
        self.test_with(&["WASM_BINDGEN_USE_BROWSER=1", &driver], select)
    }

    fn test_with(&self, variables: &[&str], select: &[String]) -> Commands<'_> {
        let sh = &self.sh;
        let (mut commands, runner) = self.bindgen("wasm-bindgen-test-runner")?;
        let runner = format!("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER={runner}");
        commands.push(cmd!(sh, "env {variables...} {runner} cargo test --tests {select...}"));
        Ok(commands)
    }

    /// What compiles this program of wasm-bindgen, if anything, and where it is.
    fn bindgen(&self, name: &str) -> Result<(Vec<Cmd<'_>>, String)> {
        let sh = &self.sh;
        let id = cmd!(sh, "cargo pkgid --locked wasm-bindgen").read()?;
        let version = id.rsplit(['@', '#']).next().unwrap_or_default();
        let installed = cmd!(sh, "wasm-bindgen --version").ignore_stderr().read();
        if installed.is_ok_and(|it| it == format!("wasm-bindgen {version}")) {
            return Ok((Vec::new(), name.to_owned()));
        }
        let mend = format!("run `cargo install --locked wasm-bindgen-cli@{version}`");
        let member = self.workspace.select(&["xtask-bindgen".to_owned()]);
        member.with_context(|| format!("wasm-bindgen {version} is missing: {mend}"))?;
        let compile = cmd!(sh, "cargo build --locked --package xtask-bindgen");
        let program = self.workspace.target_directory.join("debug").join(name);
        // cargo splits a runner at spaces, which the folders above the workspace may have.
        let program = program.strip_prefix(&self.workspace.root).unwrap_or(&program);
        Ok((vec![compile], program.display().to_string()))
    }
}
