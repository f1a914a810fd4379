//! Running programs so that Ctrl-C ends them with all that they started: each is in a process group
//! of its own, and a signal that is to end xtask ends that group. A second one kills it.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::{env, io, thread};

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use xshell::Cmd;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// The process group of the running program; 0 while there is none.
static GROUP: AtomicU32 = AtomicU32::new(0);

pub(crate) fn handle_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot handle Ctrl-C")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            end_group(if INTERRUPTED.swap(true, SeqCst) { "KILL" } else { "TERM" });
        }
    });
    Ok(())
}

/// Whether the user asked for the end.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(SeqCst)
}

/// Runs a program; whether it exited with 0. Standard output is the report's, so what it prints goes to
/// standard error.
pub(crate) fn run(command: Cmd<'_>) -> Result<bool> {
    let failed = format!("cannot run `{command}`");
    let mut command = without_cargo_variables(command);
    command.stdin(Stdio::null()).stdout(io::stderr()).process_group(0);
    let mut child = command.spawn().context(failed)?;
    GROUP.store(child.id(), SeqCst);
    if interrupted() {
        // The signal came before there was a group to end.
        end_group("TERM");
    }
    let status = child.wait()?;
    if interrupted() {
        // What did not heed the first signal.
        end_group("KILL");
    }
    GROUP.store(0, SeqCst);
    Ok(status.success())
}

/// The command without what `cargo run` set for this program: build scripts watch some of it, and
/// would run again for each change of caller.
pub(crate) fn without_cargo_variables(command: Cmd<'_>) -> Command {
    let mut command = Command::from(command);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Signals the running program's group. The shell does it, for the system's own call is unsafe code.
fn end_group(signal: &str) {
    let group = GROUP.load(SeqCst);
    if group != 0 {
        let kill = format!("kill -s {signal} -- -{group}");
        // A group that is gone already is what was wanted.
        let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
    }
}
