//! What a run shows while it runs, on standard error: a line for each program that starts and
//! ends, and on a terminal one more that tells what is being done.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use anstyle::{AnsiColor, Style};

use crate::event::Event;
use crate::report::{self, Report};

/// Keeps the terminal from wrapping the line of progress, which is redrawn in place.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";
const CLEAR_LINE: &str = "\r\x1b[2K";

pub(crate) struct Display {
    is_terminal: bool,
    /// Whether the programs' output is shown while they run.
    verbose: bool,
    running: Option<Running>,
}

struct Running {
    title: String,
    started: Instant,
    last_line: String,
}

impl Display {
    pub(crate) fn new(verbose: bool) -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            verbose,
            running: None,
        }
    }

    /// Shows `event`, which `report` holds already.
    pub(crate) fn show(&mut self, event: &Event, report: &Report) {
        match event {
            Event::Started { .. } => {
                let title = report.running();
                if !self.is_terminal {
                    self.print("running", AnsiColor::Cyan.on_default(), &title);
                }
                self.running = Some(Running {
                    title,
                    started: Instant::now(),
                    last_line: String::new(),
                });
            }
            Event::Line(text) if self.verbose => {
                self.clear();
                anstream::eprintln!("{text}");
            }
            Event::Line(text) => {
                if let Some(running) = &mut self.running {
                    let plain = anstream::adapter::strip_str(text).to_string();
                    plain.trim().clone_into(&mut running.last_line);
                }
            }
            Event::Compiled(name) => {
                if let Some(running) = &mut self.running {
                    running.last_line = format!("compiled {name}");
                }
            }
            Event::Tick => {}
            Event::Finished { .. } => {
                self.running = None;
                for (outcome, line) in report.finished() {
                    self.print(outcome.name(), report::color(outcome), &line);
                }
            }
            Event::NotRun { steps, outcome } => {
                let line = format!(
                    "{}: {}",
                    report.title(steps),
                    outcome.reason().unwrap_or_default()
                );
                self.print(outcome.name(), report::color(outcome), &line);
            }
            Event::Note(text) => self.print("note", AnsiColor::Yellow.on_default(), text),
        }
        self.draw();
    }

    fn print(&self, word: &str, style: Style, text: &str) {
        self.clear();
        anstream::eprintln!("{style}{word:>11}{style:#} {text}");
    }

    fn clear(&self) {
        if self.is_terminal {
            eprint!("{CLEAR_LINE}");
        }
    }

    fn draw(&self) {
        if let (true, Some(running)) = (self.is_terminal, &self.running) {
            let Running {
                title,
                started,
                last_line,
            } = running;
            let style = AnsiColor::Cyan.on_default();
            anstream::eprint!(
                "{CLEAR_LINE}{NO_WRAP}{style}{:>11}{style:#} {title} ({} s) {last_line}{WRAP}",
                "running",
                started.elapsed().as_secs()
            );
            // A terminal that went away is no reason to stop.
            let _ = io::stderr().flush();
        }
    }
}
