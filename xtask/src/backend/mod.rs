//! What runs a plan.

mod attribution;
mod batch;
mod bindings;
mod cargo;
mod nix;

use anyhow::Result;

use crate::arguments::BackendChoice;
use crate::event::Event;
use crate::plan::Step;
use crate::workspace::Workspace;

use self::cargo::Cargo;
use self::nix::Nix;

/// How to run the plan, beyond what the plan says.
pub(crate) struct Options {
    /// Whether a failed step ends the run.
    pub(crate) keep_going: bool,
    /// Whether a result in a trusted binary cache is as good as one here.
    pub(crate) skip_cached: bool,
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
///
/// `nix_flags` are for every command of Nix.
///
/// # Errors
/// Nix is asked for and cannot run the plan here.
pub(crate) fn choose(
    choice: BackendChoice,
    workspace: &Workspace,
    nix_flags: &[String],
) -> Result<(Box<dyn Backend>, Option<String>)> {
    let nix = || Nix::find(workspace, nix_flags);
    Ok(match choice {
        BackendChoice::Cargo => (Box::new(Cargo), None),
        BackendChoice::Nix => (Box::new(nix()?), None),
        BackendChoice::Auto => match nix() {
            Ok(nix) => (
                Box::new(nix),
                Some("backend nix: it is installed, and this is a flake".into()),
            ),
            Err(reason) => (Box::new(Cargo), Some(format!("backend cargo: {reason:#}"))),
        },
    })
}
