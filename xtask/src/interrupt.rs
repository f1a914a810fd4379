//! Ctrl-C: the running program and all that it started are ended, then the run says how far it came.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use ::nix::sys::signal::{Signal, killpg};
use ::nix::unistd::Pid;
use anyhow::{Context as _, Result};

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// The process group of the running program; 0 is none.
static GROUP: AtomicI32 = AtomicI32::new(0);

/// Handles SIGINT, SIGTERM and SIGHUP from here on. A second one ends everything at once.
pub(crate) fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        let group = GROUP.load(Ordering::SeqCst);
        if REQUESTED.swap(true, Ordering::SeqCst) {
            signal(group, Signal::SIGKILL);
            process::exit(130);
        }
        signal(group, Signal::SIGTERM);
    })
    .context("cannot handle Ctrl-C")
}

pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Names the process group that an interrupt ends, for as long as the value lives.
pub(crate) struct Running {
    group: i32,
}

impl Running {
    /// `group` is the process id of the group's first process.
    pub(crate) fn new(group: u32) -> Self {
        let group = i32::try_from(group).unwrap_or(0);
        GROUP.store(group, Ordering::SeqCst);
        // The interrupt may have come before there was a group to end.
        if requested() {
            signal(group, Signal::SIGTERM);
        }
        Self { group }
    }

    /// Ends what did not heed the first signal.
    pub(crate) fn kill(&self) {
        signal(self.group, Signal::SIGKILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        GROUP.store(0, Ordering::SeqCst);
    }
}

fn signal(group: i32, signal: Signal) {
    if group > 0 {
        // The group may be gone already.
        let _ = killpg(Pid::from_raw(group), signal);
    }
}
