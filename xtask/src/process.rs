//! Running programs, each in a process group of its own, so that an interrupt ends all that it started.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use std::{process, thread};

use anyhow::{Context as _, Result, bail};

use crate::interrupt;

/// How long an interrupted program may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(100);

/// What a running program says.
pub enum Output {
    /// A line of one of its streams.
    Line(String),
    /// A tenth of a second passed without a line.
    Tick,
}

/// Runs `command` to its end, and hands on its output while it runs. Bytes that are not UTF-8 are
/// replaced.
///
/// # Errors
/// The program cannot be started.
pub fn run(command: &mut Command, mut on_output: impl FnMut(Output)) -> Result<ExitStatus> {
    let mut child = spawn(command, Stdio::null())?;
    let running = interrupt::Running::new(child.id());
    let (sender, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        forward_lines(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward_lines(stderr, sender);
    }

    let mut interrupted: Option<Instant> = None;
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => on_output(Output::Line(line)),
            Err(RecvTimeoutError::Timeout) => {
                on_output(Output::Tick);
                // A program that it left behind may hold the pipe open for ever.
                if child.try_wait()?.is_some() {
                    break;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if interrupt::requested() && interrupted.get_or_insert_with(Instant::now).elapsed() > GRACE
        {
            running.kill();
        }
    }
    let status = child.wait()?;
    if interrupt::requested() {
        running.kill();
    }
    Ok(status)
}

/// All that `command` printed, which gets `input` on its standard input.
///
/// # Errors
/// The program cannot be started, or the interrupt came.
pub fn output(command: &mut Command, input: &str) -> Result<process::Output> {
    let mut child = spawn(command, Stdio::piped())?;
    let _running = interrupt::Running::new(child.id());
    let output = thread::scope(|scope| {
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends before it has read all says itself what was wrong.
            scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        }
        child.wait_with_output()
    });
    if interrupt::requested() {
        bail!("interrupted");
    }
    Ok(output?)
}

/// Standard output of `command`, without the white space around it.
///
/// # Errors
/// What it printed on standard error where it failed; or it cannot be started.
pub fn read(command: &mut Command) -> Result<String> {
    read_with(command, "")
}

/// The same of a command that gets `input` on its standard input.
///
/// # Errors
/// As those of [`read`].
pub fn read_with(command: &mut Command, input: &str) -> Result<String> {
    let output = output(command, input)?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn spawn(command: &mut Command, stdin: Stdio) -> Result<Child> {
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run {}", describe(command)))
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
            if sender
                .send(line.trim_end_matches(['\n', '\r']).to_owned())
                .is_err()
            {
                break;
            }
            bytes.clear();
        }
    });
}

/// The command as one would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let arguments = command
        .get_args()
        .map(|argument| quote(&argument.to_string_lossy()));
    [name]
        .into_iter()
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

fn quote(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_=./,:+@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_streams_arrive_even_if_not_utf8() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", r"printf 'one\n\377two\n'; printf 'three' >&2; exit 3"]);
        let status = run(&mut command, |output| {
            if let Output::Line(line) = output {
                lines.push(line);
            }
        });
        lines.sort();
        assert_eq!(lines, ["one", "three", "\u{fffd}two"]);
        assert_eq!(status.unwrap().code(), Some(3));
    }

    #[test]
    fn a_program_left_behind_does_not_hold_the_run() {
        let started = Instant::now();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 30 & exit 0"]);
        assert!(run(&mut command, |_| ()).unwrap().success());
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_command_is_described_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["build", "-p", "a b", "it's"]);
        assert_eq!(describe(&command), r"cargo build -p 'a b' 'it'\''s'");
    }
}
