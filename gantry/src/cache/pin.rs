//! `gantry cache pin`.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use super::Cache;
use super::contents::{self, Contents};
use super::push::{self, cachix};
use super::verify::Verdict;
use crate::nix::Program;
use crate::output;

/// Pushes an output, and has the cache keep it under this name, if it has pins.
///
/// # Errors
/// The output is not built, or cachix fails.
pub(super) fn run(program: &Program, cache: &Cache, name: &str, output: &str) -> Result<Verdict> {
    if name.is_empty() || name.starts_with('-') {
        bail!("`{name}` is no name for a pin");
    }
    let outputs = contents::select(program, &[output.to_owned()], false)?;
    let contents = Contents::of(program, cache, &outputs, true)?;
    if let Some(output) = contents.absent.first() {
        let output = &output.installable;
        bail!("what is pinned is pushed from the store: run `nix build --no-link {output}`");
    }
    // The server refuses to pin a path that it does not have.
    let verdict = push::run(program, cache, &contents)?;
    if verdict.is_good() {
        for output in &outputs {
            keep(cache, name, &output.path)?;
        }
        if !cache.has_pins() {
            output::print(&format!(
                "{} has no pins: what collects paths there decides what is kept\n",
                cache.url
            ))?;
        }
    }
    Ok(verdict)
}

/// Has the cache keep a path that it has under this name; nothing where it has no pins.
///
/// # Errors
/// cachix fails.
pub(crate) fn keep(cache: &Cache, name: &str, path: &str) -> Result<()> {
    if let Some(cache_name) = &cache.cachix {
        let shell = Shell::new()?;
        cachix(cmd!(shell, "cachix pin {cache_name} {name} {path}"), "")?;
        output::print(&format!("pinned {name} in {}\n", cache.url))?;
    }
    Ok(())
}
