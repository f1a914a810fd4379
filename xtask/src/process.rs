//! Running programs, each in a process group of its own, so that an interrupt ends all that it started.

use std::io::{self, BufRead as _, BufReader, Read, Write};
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
    let mut child = spawn_piped(command, Stdio::null())?;
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
    let mut child = spawn_piped(command, Stdio::piped())?;
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

/// Runs `command` to its end, which gets `input` on its standard input. What it prints goes where it
/// says, or else where this program's own output goes.
///
/// # Errors
/// The program cannot be started, or the interrupt came.
pub fn show(command: &mut Command, input: &str) -> Result<ExitStatus> {
    let mut child = spawn(command.stdin(Stdio::piped()))?;
    let running = interrupt::Running::new(child.id());
    if let Some(mut stdin) = child.stdin.take() {
        // Where it ends before it has read all, its status tells.
        let _ = stdin.write_all(input.as_bytes());
    }
    end(&mut child, &running)
}

/// Runs `command` to its end, and copies its standard output while it runs.
///
/// # Errors
/// The program cannot be started, its output not be copied, which ends it, or the interrupt came.
pub fn copy_output(command: &mut Command, output: &mut impl Write) -> Result<ExitStatus> {
    let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let running = interrupt::Running::new(child.id());
    let stdout = child.stdout.take();
    let copied = stdout.map_or(Ok(0), |mut stdout| io::copy(&mut stdout, output));
    if copied.is_err() {
        running.kill();
    }
    let status = end(&mut child, &running)?;
    copied?;
    Ok(status)
}

/// Waits for a program, and ends what an interrupted one has left behind.
fn end(child: &mut Child, running: &interrupt::Running) -> Result<ExitStatus> {
    let status = child.wait()?;
    if interrupt::requested() {
        running.kill();
        bail!("interrupted");
    }
    Ok(status)
}

fn spawn_piped(command: &mut Command, stdin: Stdio) -> Result<Child> {
    let command = command.stdin(stdin).stdout(Stdio::piped());
    spawn(command.stderr(Stdio::piped()))
}

fn spawn(command: &mut Command) -> Result<Child> {
    command
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
    fn a_program_is_given_its_input_and_its_status_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "read word && exit $word"]);
        assert_eq!(show(&mut command, "3\n").unwrap().code(), Some(3));
        // What does not read its input is no error.
        let input = "x".repeat(1 << 20);
        assert!(show(&mut Command::new("true"), &input).unwrap().success());
    }

    #[test]
    fn output_is_copied_as_it_is() {
        let mut bytes = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", r"printf ' \377\n'; exit 3"]);
        let status = copy_output(&mut command, &mut bytes).unwrap();
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
        assert!(copy_output(&mut command, &mut full).is_err());
        assert!(started.elapsed() < Duration::from_secs(10));
        // It does not wait for its parent either.
        let id = String::from_utf8(full.0).unwrap();
        let mut exists = Command::new("sh");
        exists.args(["-c", &format!("kill -0 {id}")]);
        assert!(!output(&mut exists, "").unwrap().status.success());
    }

    #[test]
    fn a_command_is_described_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["build", "-p", "a b", "it's"]);
        assert_eq!(describe(&command), r"cargo build -p 'a b' 'it'\''s'");
    }
}
