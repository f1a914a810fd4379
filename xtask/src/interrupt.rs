//! Ctrl-C: the running programs and all that they started are ended, then the run says how far it
//! came.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{process, thread};

use anyhow::{Context as _, Result};
use libc::{SIGHUP, SIGINT, SIGKILL, SIGTERM, c_int, pid_t};
use signal_hook::iterator::Signals;

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// The process groups of the running programs.
static GROUPS: Mutex<Vec<pid_t>> = Mutex::new(Vec::new());

/// Handles SIGINT, SIGTERM and SIGHUP from here on. A second one ends everything at once.
///
/// # Errors
/// The system refuses.
pub fn install() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot handle Ctrl-C")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            let groups = groups();
            if REQUESTED.swap(true, Ordering::SeqCst) {
                groups.iter().for_each(|&group| signal(group, SIGKILL));
                process::exit(130);
            }
            groups.iter().for_each(|&group| signal(group, SIGTERM));
        }
    });
    Ok(())
}

/// Whether the user asked for the end.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Names a process group that an interrupt ends, for as long as the value lives.
pub(crate) struct Running {
    group: pid_t,
}

impl Running {
    /// `group` is the process id of the group's first process.
    pub(crate) fn new(group: u32) -> Self {
        let group = group.cast_signed();
        groups().push(group);
        // The interrupt may have come before there was a group to end.
        if requested() {
            signal(group, SIGTERM);
        }
        Self { group }
    }

    /// Ends what did not heed the first signal.
    pub(crate) fn kill(&self) {
        signal(self.group, SIGKILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        groups().retain(|&group| group != self.group);
    }
}

fn groups() -> MutexGuard<'static, Vec<pid_t>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a signal to a process group, which may be gone already.
#[expect(
    unsafe_code,
    reason = "the crates that wrap this call take longer to compile than all that is done here"
)]
fn signal(group: pid_t, signal: c_int) {
    // SAFETY: it touches no memory of this process.
    unsafe { libc::killpg(group, signal) };
}
