//! Running programs that an interrupt ends, with all that they started.

use std::os::unix::process::CommandExt as _;
use std::process::{self, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// The process group of the running program; 0 is none.
static GROUP: AtomicI32 = AtomicI32::new(0);

/// Handles SIGINT, SIGTERM and SIGHUP from here on. A second one ends everything at once.
pub(crate) fn handle_interrupts() -> Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            signal(Signal::SIGKILL);
            process::exit(130);
        }
        signal(Signal::SIGTERM);
    })
    .context("cannot handle Ctrl-C")
}

pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Runs `command` to its end, in a process group of its own.
///
/// # Errors
/// The program cannot be started, or the run was interrupted.
pub(crate) fn run(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run `{name}`: is it installed?"))?;
    GROUP.store(i32::try_from(child.id())?, Ordering::SeqCst);
    // The interrupt may have come before there was a group to end.
    if interrupted() {
        signal(Signal::SIGTERM);
    }
    let output = child.wait_with_output();
    GROUP.store(0, Ordering::SeqCst);
    if interrupted() {
        bail!("interrupted");
    }
    output.with_context(|| format!("cannot read the output of `{name}`"))
}

fn signal(signal: Signal) {
    let group = GROUP.load(Ordering::SeqCst);
    if group > 0 {
        // The group may be gone already.
        let _ = killpg(Pid::from_raw(group), signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_output_and_status_are_read() {
        let output =
            run(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap();
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(error.to_string().contains("`no-such-program`"));
    }
}
