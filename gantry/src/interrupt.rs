//! Ctrl-C: the running programs and all that they started are ended, then the run says how far it
//! came.

use std::os::unix::process::CommandExt as _;
use std::process::{self, Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use anyhow::{Context as _, Result, bail};
use libc::{SIGHUP, SIGINT, SIGKILL, SIGTERM, c_int, pid_t};
use signal_hook::iterator::Signals;

/// How long an interrupted program may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// The process groups of the running programs.
static GROUPS: Mutex<Vec<pid_t>> = Mutex::new(Vec::new());

/// Handles SIGINT, SIGTERM and SIGHUP from here on. A second one ends everything at once.
///
/// # Errors
/// The system refuses.
pub(crate) fn install() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot handle Ctrl-C")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if REQUESTED.swap(true, Ordering::SeqCst) {
                signal_all(SIGKILL);
                process::exit(130);
            }
            signal_all(SIGTERM);
            thread::spawn(|| {
                thread::sleep(GRACE);
                signal_all(SIGKILL);
            });
        }
    });
    Ok(())
}

/// Whether the user asked for the end.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// # Errors
/// The user asked for the end.
pub(crate) fn check() -> Result<()> {
    if requested() {
        bail!("interrupted");
    }
    Ok(())
}

/// Takes from a command what a hook of git says of its own repository, which need not be the one that the
/// command is about.
pub(crate) fn leave_hook(command: &mut Command) {
    for variable in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"] {
        if command.get_envs().all(|(name, _)| name != variable) {
            command.env_remove(variable);
        }
    }
}

/// Starts a program in a session of its own, which an interrupt ends for as long as the second value lives.
///
/// # Errors
/// It cannot be started, or the interrupt came before.
pub(crate) fn spawn(command: &mut Command) -> Result<(Child, Running)> {
    // Or git would tell of the missing terminal, and not of the missing password.
    command.env("GIT_TERMINAL_PROMPT", "0");
    leave_hook(command);
    start_session(command);
    // An interrupt finds no group here, or this one: it waits meanwhile.
    let mut groups = groups();
    check()?;
    let child = command.spawn().with_context(|| {
        let program = command.get_program().to_string_lossy();
        format!("{program} does not run")
    })?;
    let group = child.id().cast_signed();
    groups.push(group);
    Ok((child, Running { group }))
}

/// A process group that an interrupt ends.
pub(crate) struct Running {
    group: pid_t,
}

impl Running {
    /// Ends it at once.
    pub(crate) fn kill(&self) {
        signal(self.group, SIGKILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        groups().retain(|&group| group != self.group);
        // An interrupted program may have left others behind.
        if requested() {
            self.kill();
        }
    }
}

fn groups() -> MutexGuard<'static, Vec<pid_t>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signal_all(kind: c_int) {
    groups().iter().for_each(|&group| signal(group, kind));
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

/// Makes a command the first of a session, and so of a process group, without a terminal.
#[expect(unsafe_code, reason = "the standard library has no stable call for it")]
fn start_session(command: &mut Command) {
    let start = || match unsafe { libc::setsid() } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    };
    // SAFETY: between fork and exec it makes one system call, which touches no memory.
    unsafe { command.pre_exec(start) };
}
