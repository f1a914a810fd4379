//! Running programs. Each has a session of its own: an interrupt ends all that it started, and it has
//! no terminal to ask for a password on, where nobody would see the question.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::Path;
use std::process::{self, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use xshell::Shell;

use crate::interrupt;

const TICK: Duration = Duration::from_millis(100);

/// What a running program says.
pub(crate) enum Output {
    /// A line of one of its streams.
    Line(String),
    /// A tenth of a second passed without a line.
    Tick,
}

/// A shell for commands in `folder`, such as `process::read(cmd!(shell, "git status"))`.
///
/// # Errors
/// The current folder does not exist any more.
pub(crate) fn shell(folder: &Path) -> Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(folder);
    Ok(shell)
}

/// Runs a command to its end, with `input` on its standard input, and hands on its output while it runs.
/// Bytes that are not UTF-8 are replaced.
///
/// # Errors
/// The program cannot be started.
pub(crate) fn run(
    command: impl Into<Command>,
    input: &str,
    mut on_output: impl FnMut(Output),
) -> Result<ExitStatus> {
    let mut command = command.into();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, _running) = interrupt::spawn(command.stdin(Stdio::piped()))?;
    let (sender, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        forward_lines(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward_lines(stderr, sender);
    }
    thread::scope(|scope| {
        let stdin = child.stdin.take();
        scope.spawn(move || feed(stdin, input));
        let mut has_ended = false;
        loop {
            match lines.recv_timeout(TICK) {
                Ok(line) => on_output(Output::Line(line)),
                Err(RecvTimeoutError::Timeout) => {
                    on_output(Output::Tick);
                    // A program that it left behind may hold the pipe open for ever. What it said itself
                    // has come by the next tick.
                    if has_ended {
                        break;
                    }
                    has_ended = child.try_wait()?.is_some();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(child.wait()?)
    })
}

/// All that a command printed, with `input` on its standard input.
///
/// # Errors
/// The program cannot be started, or the interrupt came.
pub(crate) fn output(command: impl Into<Command>, input: &str) -> Result<process::Output> {
    let mut command = command.into();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, _running) = interrupt::spawn(command.stdin(Stdio::piped()))?;
    let output = thread::scope(|scope| {
        let stdin = child.stdin.take();
        scope.spawn(move || feed(stdin, input));
        child.wait_with_output()
    });
    interrupt::check()?;
    Ok(output?)
}

/// Standard output of a command, without the white space around it.
///
/// # Errors
/// What it printed on standard error where it failed; or it cannot be started.
pub(crate) fn read(command: impl Into<Command>) -> Result<String> {
    read_with(command, "")
}

/// The same of a command with `input` on its standard input.
///
/// # Errors
/// As those of [`read`].
pub(crate) fn read_with(command: impl Into<Command>, input: &str) -> Result<String> {
    let output = output(command, input)?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a command to its end, with `input` on its standard input. What it prints goes where it says, or
/// else where this program's own output goes.
///
/// # Errors
/// The program cannot be started, or the interrupt came.
pub(crate) fn show(command: impl Into<Command>, input: &str) -> Result<ExitStatus> {
    let mut command = command.into();
    let (mut child, _running) = interrupt::spawn(command.stdin(Stdio::piped()))?;
    feed(child.stdin.take(), input);
    let status = child.wait()?;
    interrupt::check()?;
    Ok(status)
}

/// Runs a command to its end, with `input` on its standard input, and copies its standard output.
///
/// # Errors
/// The program cannot be started, its output not be copied, which ends it, or the interrupt came.
pub(crate) fn copy_output(
    command: impl Into<Command>,
    input: &str,
    output: &mut impl Write,
) -> Result<ExitStatus> {
    let mut command = command.into();
    command.stdout(Stdio::piped());
    let (mut child, running) = interrupt::spawn(command.stdin(Stdio::piped()))?;
    let copied = thread::scope(|scope| {
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        scope.spawn(move || feed(stdin, input));
        let copied = stdout.map_or(Ok(0), |mut stdout| io::copy(&mut stdout, output));
        copied.inspect_err(|_| running.kill())
    });
    let status = child.wait()?;
    interrupt::check()?;
    copied?;
    Ok(status)
}

/// Writes a program's input. One that ends before it has read all says itself what was wrong.
fn feed(stdin: Option<ChildStdin>, input: &str) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input.as_bytes());
    }
}

fn forward_lines(pipe: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader
            .read_until(b'\n', &mut bytes)
            .is_ok_and(|length| length > 0)
        {
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end_matches(['\n', '\r']).to_owned();
            if sender.send(line).is_err() {
                break;
            }
            bytes.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn lines_of_both_streams_arrive_even_if_not_utf8() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", r"printf 'one\n\377two\n'; printf 'three' >&2; exit 3"]);
        let status = run(command, "", |output| {
            if let Output::Line(line) = output {
                lines.push(line);
            }
        });
        lines.sort();
        assert_eq!(lines, ["one", "three", "\u{fffd}two"]);
        assert_eq!(status.unwrap().code(), Some(3));
    }

    #[test]
    fn the_last_words_of_a_program_that_ends_in_a_tick_are_heard() {
        let folder = tempfile::tempdir().unwrap();
        let go = folder.path().join("go");
        let script = format!(
            "echo $$; until [ -e {} ]; do :; done; echo last",
            go.display()
        );
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        let mut lines = Vec::new();
        let status = run(command, "", |output| match output {
            Output::Line(line) => lines.push(line),
            Output::Tick => {
                let Some(id) = lines.first() else {
                    return;
                };
                std::fs::write(&go, "").unwrap();
                // What has ended is a zombie until its parent asks.
                let stat = || std::fs::read_to_string(format!("/proc/{id}/stat"));
                while stat().is_ok_and(|stat| !stat.contains(") Z ")) {}
            }
        });
        assert!(status.unwrap().success());
        assert_eq!(lines[1..], ["last"]);
    }

    #[test]
    fn a_program_left_behind_does_not_hold_the_run() {
        let started = Instant::now();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 30 & exit 0"]);
        assert!(run(command, "", |_| ()).unwrap().success());
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_program_is_given_its_input_and_its_status_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "read word && exit $word"]);
        assert_eq!(show(command, "3\n").unwrap().code(), Some(3));
        // What does not read its input is no error.
        let input = "x".repeat(1 << 20);
        assert!(show(Command::new("true"), &input).unwrap().success());
    }

    #[test]
    fn output_is_copied_as_it_is() {
        let mut bytes = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", r"printf ' \377\n'; exit 3"]);
        let status = copy_output(command, "", &mut bytes).unwrap();
        assert_eq!((bytes, status.code()), (b" \xff\n".to_vec(), Some(3)));
    }

    #[test]
    fn a_program_whose_output_cannot_be_copied_is_ended() {
        /// A disk that is full, and what should have been written.
        struct Full(Vec<u8>);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.extend(bytes);
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let started = Instant::now();
        let mut full = Full(Vec::new());
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$; sleep 30"]);
        assert!(copy_output(command, "", &mut full).is_err());
        assert!(started.elapsed() < Duration::from_secs(10));
        // It does not wait for its parent either.
        let id = String::from_utf8(full.0).unwrap();
        let mut exists = Command::new("sh");
        exists.args(["-c", &format!("kill -0 {id}")]);
        assert!(!output(exists, "").unwrap().status.success());
    }
}
