//! The page of a wasm member, and the runner of its tests: both by `xtask-bindgen`, a member that
//! holds wasm-bindgen's own library at the version of the lock file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::cargo::Run;
use crate::cargo;
use crate::environment;
use crate::plan::{Profile, Target, What};
use crate::workspace::Member;

const BINDGEN: &str = "xtask-bindgen";

/// Makes the page of each of the batch's members in `target/web/MEMBER`: the bindings, the
/// optimised module, and the files of the member's folder `www`. Whether it succeeded.
pub(super) fn make(run: &mut Run<'_>) -> Result<bool> {
    let modules: Vec<(&Member, PathBuf)> = run
        .batch
        .members
        .iter()
        .map(|&member| Ok((member, module_of(member, &run.files)?)))
        .collect::<Result<_>>()?;
    let Some(bindgen) = compile_bindgen(run)? else {
        return Ok(false);
    };
    for (member, module) in modules {
        let page = run
            .workspace
            .target_directory
            .join("web")
            .join(&member.name);
        // The page appears complete or not at all.
        let partial = page.with_extension("partial");
        recreate(&partial)?;
        let mut command = Command::new(&bindgen);
        command
            .args(["build", "--target", "web", "--out-dir"])
            .arg(&partial)
            .arg(&module);
        if !run.execute(&mut command)? || !optimise(run, &partial)? {
            return Ok(false);
        }
        let static_files = member.directory.join("www");
        if static_files.is_dir() {
            copy_files(&static_files, &partial)?;
        }
        if page.exists() {
            fs::remove_dir_all(&page)
                .with_context(|| format!("cannot replace {}", page.display()))?;
        }
        fs::rename(&partial, &page).with_context(|| format!("cannot write {}", page.display()))?;
        run.note(format!(
            "the page of {} is in {}",
            member.name,
            page.display()
        ));
    }
    Ok(true)
}

/// Lets `command`, a `cargo test`, run its wasm modules in Node.js, or in Chromium for the
/// browser's tests. Whether the runner could be compiled.
pub(super) fn use_runner(run: &mut Run<'_>, command: &mut Command) -> Result<bool> {
    let Some(bindgen) = compile_bindgen(run)? else {
        return Ok(false);
    };
    let runner = vec![bindgen.to_string_lossy().into_owned(), "test".into()];
    cargo::configure(command, &format!("target.{}.runner", Target::Wasm), runner);
    if run.batch.what == What::Browser {
        command.env("WASM_BINDGEN_USE_BROWSER", "1");
        if let Some(driver) = environment::find_program("chromedriver") {
            command.env("CHROMEDRIVER", driver);
        }
    }
    Ok(true)
}

/// The compiled `xtask-bindgen`, or nothing where it does not compile.
fn compile_bindgen(run: &mut Run<'_>) -> Result<Option<PathBuf>> {
    let Some(member) = run.workspace.member(BINDGEN) else {
        bail!(
            "no member is called `{BINDGEN}`: wasm members need it for their JavaScript bindings"
        );
    };
    let mut command = cargo::command("build");
    command.args([
        "--locked",
        "--message-format",
        "json-diagnostic-rendered-ansi",
        "--package",
        BINDGEN,
    ]);
    if !run.execute(&mut command)? {
        return Ok(None);
    }
    let program = run
        .files
        .iter()
        .rev()
        .find(|(id, file)| *id == member.id && file.file_stem().is_some_and(|stem| stem == BINDGEN))
        .map(|(_, file)| file.clone());
    Ok(Some(
        program.context("cargo compiled no program `xtask-bindgen`")?,
    ))
}

fn module_of(member: &Member, files: &[(String, PathBuf)]) -> Result<PathBuf> {
    let module = files.iter().find(|(id, file)| {
        *id == member.id
            && file
                .extension()
                .is_some_and(|extension| extension == "wasm")
    });
    let (_, file) = module.with_context(|| {
        format!(
            "cargo compiled no wasm module of {}: its library is to be a cdylib",
            member.name
        )
    })?;
    Ok(file.clone())
}

/// Shrinks the modules in `folder` where the profile is for release and wasm-opt is installed.
fn optimise(run: &mut Run<'_>, folder: &Path) -> Result<bool> {
    if run.batch.profile != Some(Profile::Release) || !run.environment.has_wasm_opt {
        return Ok(true);
    }
    for entry in fs::read_dir(folder)? {
        let module = entry?.path();
        if module
            .extension()
            .is_none_or(|extension| extension != "wasm")
        {
            continue;
        }
        let optimised = module.with_extension("optimised");
        let mut command = Command::new("wasm-opt");
        // rustc emits these two by default, and wasm-opt expects neither. nix/web.nix says the same.
        command
            .args([
                "-Oz",
                "--enable-bulk-memory",
                "--enable-nontrapping-float-to-int",
                "-o",
            ])
            .arg(&optimised)
            .arg(&module);
        if !run.execute(&mut command)? {
            return Ok(false);
        }
        fs::rename(optimised, module)?;
    }
    Ok(true)
}

fn recreate(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_files(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_cargo_did_not_make_is_missed() {
        let member = Member {
            name: "page".into(),
            id: "page-id".into(),
            ..Member::default()
        };
        let file = |id: &str, path: &str| (id.to_owned(), PathBuf::from(path));
        let mut files = vec![
            file("page-id", "/target/libpage.rlib"),
            file("other-id", "/target/other.wasm"),
        ];
        let error = module_of(&member, &files).unwrap_err().to_string();
        assert!(error.contains("no wasm module of page"), "{error}");
        files.push(file("page-id", "/target/page.wasm"));
        assert_eq!(
            module_of(&member, &files).unwrap(),
            Path::new("/target/page.wasm")
        );
    }
}
