//! What runs a plan.

mod attribution;
mod batch;
mod bindings;
mod cargo;

use anyhow::{Result, bail};

use crate::environment::find_program;
use crate::event::Event;
use crate::plan::Step;
use crate::workspace::Workspace;

pub use self::cargo::Cargo;

/// How to run the plan, beyond what the plan says.
pub struct Options {
    /// Whether the run goes on after a failed step.
    pub keep_going: bool,
    /// Whether a result in a trusted binary cache is as good as one here.
    pub skip_cached: bool,
    /// Whether the programs that run may colour their output.
    pub color: bool,
}

/// Runs plans.
pub trait Backend {
    /// As `--backend` spells it.
    fn name(&self) -> &'static str;

    /// The commands that would run the plan, with the steps that each runs.
    fn commands(&self, workspace: &Workspace, plan: &[Step]) -> Vec<(Vec<usize>, String)>;

    /// Runs the plan; every step gets its outcome as an event.
    ///
    /// # Errors
    /// The plan cannot be run here; a failed step is no error.
    fn run(
        &self,
        workspace: &Workspace,
        plan: &[Step],
        options: &Options,
        emit: &mut dyn FnMut(Event),
    ) -> Result<()>;
}

/// Whether the Nix backend can be tried, as far as that can be told without asking Nix.
///
/// # Errors
/// The workspace is no flake, or `nix` is not on `PATH`.
pub fn require_nix(workspace: &Workspace) -> Result<()> {
    if !workspace.root.join("flake.nix").exists() {
        bail!("there is no flake.nix in {}", workspace.root.display());
    }
    if find_program("nix").is_none() {
        bail!("nix is not on PATH: install it from https://nixos.org/download");
    }
    Ok(())
}
