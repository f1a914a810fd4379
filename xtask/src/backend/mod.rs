//! What runs a plan.

mod attribution;
mod batch;
mod bindings;
mod cargo;

use anyhow::{Result, bail};

use crate::arguments::BackendChoice;
use crate::event::Event;
use crate::plan::Step;
use crate::workspace::Workspace;

pub(crate) use cargo::Cargo;

/// How to run the plan, beyond what the plan says.
pub(crate) struct Options {
    /// Whether a failed step ends the run.
    pub(crate) keep_going: bool,
    /// Whether the programs that run may colour their output.
    pub(crate) color: bool,
}

pub(crate) trait Backend {
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

/// The backend for `choice`, and why it was taken where the choice was left open.
pub(crate) fn choose(choice: BackendChoice) -> Result<(Box<dyn Backend>, Option<&'static str>)> {
    match choice {
        BackendChoice::Cargo => Ok((Box::new(Cargo), None)),
        BackendChoice::Auto => Ok((
            Box::new(Cargo),
            Some(
                "backend cargo: xtask does not drive Nix yet; `nix flake check` runs the same steps there",
            ),
        )),
        BackendChoice::Nix => bail!(
            "there is no backend `nix` yet: run `nix flake check`, or `cargo xtask ci --backend cargo`"
        ),
    }
}
