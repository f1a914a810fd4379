//! What a run shows while it runs, on standard error: a line for each program that starts and
//! ends, and on a terminal one more that tells what is being done.

use std::io::{self, IsTerminal as _};
use std::time::Instant;

use anstyle::{AnsiColor, Style};

use crate::event::Event;
use crate::output::print_error;
use crate::report::{self, Report};

/// Keeps the terminal from wrapping the line of progress, which is redrawn in place.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";
const CLEAR_LINE: &str = "\r\x1b[2K";

pub(crate) struct Display {
    is_terminal: bool,
    /// Whether the programs' output is shown while they run.
    verbose: bool,
    /// In the order of their start.
    running: Vec<Running>,
}

struct Running {
    activity: usize,
    title: String,
    started: Instant,
    last_line: String,
}

impl Display {
    pub(crate) fn new(verbose: bool) -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            verbose,
            running: Vec::new(),
        }
    }

    /// Shows `event`, which `report` holds already.
    pub(crate) fn show(&mut self, event: &Event, report: &Report) {
        match event {
            Event::Started { activity, .. } => {
                let title = report.activity_title(*activity);
                if !self.is_terminal {
                    self.print("running", AnsiColor::Cyan.on_default(), &title);
                }
                self.running.push(Running {
                    activity: *activity,
                    title,
                    started: Instant::now(),
                    last_line: String::new(),
                });
            }
            Event::Line { text, .. } if self.verbose => {
                self.clear();
                print_error(&format!("{text}\n"));
            }
            Event::Line { activity, text } => {
                let plain = anstream::adapter::strip_str(text).to_string();
                self.set_last_line(*activity, plain.trim().to_owned());
            }
            Event::Compiled { activity, name } => {
                self.set_last_line(*activity, format!("compiled {name}"));
            }
            Event::Transferred { .. }
            | Event::Tick
            | Event::Failed { .. }
            | Event::Needs { .. } => {}
            Event::Finished { activity, .. } => {
                self.running.retain(|running| running.activity != *activity);
                for (word, style, line) in report.finished(*activity) {
                    self.print(word, style, &line);
                }
            }
            Event::Settled { steps, outcome } => {
                for title in report.titles(steps) {
                    let line = match outcome.reason() {
                        Some(reason) => format!("{title}: {reason}"),
                        None => title,
                    };
                    self.print(outcome.name(), report::color(outcome), &line);
                }
            }
            Event::Note(text) => self.print("note", AnsiColor::Yellow.on_default(), text),
        }
        if self.is_terminal
            && let Some(line) = self.progress(&report.downloaded())
        {
            print_error(&format!("{CLEAR_LINE}{NO_WRAP}{line}{WRAP}"));
        }
    }

    fn set_last_line(&mut self, activity: usize, line: String) {
        if let Some(running) = self
            .running
            .iter_mut()
            .find(|running| running.activity == activity)
        {
            running.last_line = line;
        }
    }

    fn print(&self, word: &str, style: Style, text: &str) {
        self.clear();
        print_error(&format!("{style}{word:>11}{style:#} {text}\n"));
    }

    fn clear(&self) {
        if self.is_terminal {
            print_error(CLEAR_LINE);
        }
    }

    /// The line that tells what is being done; `downloaded` says how much came from which cache.
    fn progress(&self, downloaded: &str) -> Option<String> {
        // The one that runs longest is the one that is waited for.
        let Running {
            title,
            started,
            last_line,
            ..
        } = self.running.first()?;
        let style = AnsiColor::Cyan.on_default();
        let others = match self.running.len() - 1 {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        let seconds = started.elapsed().as_secs();
        let parts = [downloaded, last_line].into_iter();
        let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
        Some(format!(
            "{style}{:>11}{style:#} {title}{others} ({seconds} s) {}",
            "running",
            parts.join(" · ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Work;

    #[test]
    fn downloads_are_summed_up_by_cache_while_they_run() {
        let mut report = Report::new(&[]);
        let caches = ["https://one", "file:///two", "https://one"];
        for (activity, (from, bytes)) in caches.into_iter().zip([1500, 700, 500]).enumerate() {
            let work = Work::Substitution {
                path: "/nix/store/x-it".into(),
                from: from.into(),
            };
            let steps = Vec::new();
            report.fold(&Event::Started {
                activity,
                work,
                steps,
            });
            report.fold(&Event::Transferred { activity, bytes });
        }
        let running = |activity| Running {
            activity,
            title: report.activity_title(activity),
            started: Instant::now(),
            last_line: String::new(),
        };
        let display = Display {
            is_terminal: true,
            verbose: false,
            running: [0, 1, 2].map(running).into(),
        };
        let line = display.progress(&report.downloaded()).unwrap();
        let line = anstream::adapter::strip_str(&line).to_string();
        assert_eq!(
            line,
            "    running it from https://one and 2 more (0 s) 2.0 kB from https://one, 700.0 B from file:///two"
        );
    }
}
