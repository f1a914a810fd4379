//! The report as annotations of GitHub: a failed step is shown where in the code it failed.

use crate::github::annotation;

use super::Report;

/// More of a step GitHub does not show.
const SHOWN: usize = 10;

/// A place in the code that a compiler, a linter or a test complains of.
#[derive(Debug, PartialEq)]
struct Complaint {
    /// From the workspace's root.
    file: String,
    line: String,
    message: String,
}

impl Report {
    /// Lines that GitHub makes annotations of: one for each place that a failed step names, or one for the step.
    pub(crate) fn to_annotations(&self) -> String {
        let mut text = String::new();
        for (index, activity) in self.activities.iter().enumerate() {
            if !activity.failed {
                continue;
            }
            let steps: Vec<_> = self.steps_of(index).map(|step| &*step.step.name).collect();
            let title = if steps.is_empty() {
                self.activity_title(index)
            } else {
                steps.join(", ")
            };
            let complaints = complaints(&activity.output);
            for Complaint {
                file,
                line,
                message,
            } in complaints.iter().take(SHOWN)
            {
                let properties = [("file", &**file), ("line", line), ("title", &title)];
                text += &annotation("error", &properties, message);
            }
            if complaints.is_empty() {
                let last = activity.output.last().map_or("failed", String::as_str);
                let message = anstream::adapter::strip_str(last).to_string();
                text += &annotation("error", &[("title", &title)], &message);
            }
        }
        text
    }
}

/// The places that a build's log names, each once.
fn complaints(log: &[String]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut message: Option<String> = None;
    let mut lines = log
        .iter()
        .map(|line| anstream::adapter::strip_str(line).to_string())
        .peekable();
    while let Some(line) = lines.next() {
        let complaint = if line.starts_with("error: ") || line.starts_with("error[") {
            // The place is on one of the next lines.
            message = Some(line);
            None
        } else if let Some(place) = line.trim_start().strip_prefix("--> ") {
            message
                .take()
                .and_then(|message| Complaint::at(place, message))
        } else if let Some((_, place)) = line.split_once(" panicked at ") {
            let message = lines.peek().cloned().unwrap_or_default();
            Complaint::at(place.trim_end_matches(':'), message)
        } else {
            None
        };
        complaints.extend(complaint.filter(|complaint| !complaints.contains(complaint)));
    }
    complaints
}

impl Complaint {
    /// At `FILE:LINE:COLUMN`; nothing where that is outside of the workspace, as the code of a dependency is.
    fn at(place: &str, message: String) -> Option<Self> {
        let mut parts = place.rsplitn(3, ':');
        let (_column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
        let is_place = line.parse::<u32>().is_ok() && !file.starts_with('/');
        is_place.then(|| Self {
            file: file.to_owned(),
            line: line.to_owned(),
            message,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(log: &str) -> Vec<String> {
        let log: Vec<_> = log.lines().map(str::to_owned).collect();
        let complaints = complaints(&log).into_iter();
        complaints
            .map(
                |Complaint {
                     file,
                     line,
                     message,
                 }| format!("{file}:{line} {message}"),
            )
            .collect()
    }

    #[test]
    fn places_of_compilers_and_linters_are_found() {
        let log = "   Compiling a v0.1.0
warning: unused
 --> crates/a/src/lib.rs:1:1
\u{1b}[1m\u{1b}[91merror[E0308]\u{1b}[0m\u{1b}[1m: mismatched types\u{1b}[0m
  \u{1b}[94m--> \u{1b}[0mcrates/a/src/lib.rs:10:5
   |
error: this can be simpler
  --> crates/a/src/main.rs:3:1
error: could not compile `a` (lib) due to 2 previous errors";
        assert_eq!(
            found(log),
            [
                "crates/a/src/lib.rs:10 error[E0308]: mismatched types",
                "crates/a/src/main.rs:3 error: this can be simpler",
            ]
        );
    }

    #[test]
    fn places_of_failed_tests_are_found_once() {
        let log = "thread 'tests::one' (12) panicked at crates/a/src/lib.rs:10:5:
one is not two
thread 'tests::one' (12) panicked at crates/a/src/lib.rs:10:5:
one is not two
thread 'main' panicked at /build/vendor/b/src/lib.rs:1:1:
far away";
        assert_eq!(found(log), ["crates/a/src/lib.rs:10 one is not two"]);
    }
}
