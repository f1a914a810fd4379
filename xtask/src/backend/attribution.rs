//! Which of a batch's members a failed command failed for.

use std::path::Path;

use crate::event::Outcome;
use crate::plan::What;
use crate::workspace::Workspace;

use super::batch::Batch;

/// The member that a line of test output names as failed, if it does.
///
/// cargo: ``error: test failed, to rerun pass `-p NAME --lib` ``, and with `--no-fail-fast` a list
/// of such words. nextest: `FAIL [   0.006s] (1/3) NAME::BINARY test`.
pub(super) fn failed_test_member<'a>(batch: &Batch<'a>, line: &str) -> Option<&'a str> {
    let name = failed_test_name(line)?;
    let mut members = batch.members.iter();
    members
        .find(|member| member.name == name)
        .map(|member| &*member.name)
}

fn failed_test_name(line: &str) -> Option<&str> {
    let end_of_name =
        |character: char| character.is_whitespace() || character == '`' || character == ':';
    if let Some((_, rest)) = line.split_once("`-p ") {
        return rest.split(end_of_name).next();
    }
    let (status, rest) = line.split_once('[')?;
    let status = status.split_whitespace().next_back()?;
    if !(["FAIL", "TIMEOUT", "ABORT"].contains(&status) || status.starts_with("SIG")) {
        return None;
    }
    let (_seconds, rest) = rest.split_once(']')?;
    rest.split_whitespace()
        .find(|word| !word.starts_with('(') && !word.ends_with(')'))?
        .split(end_of_name)
        .next()
}

/// The member that a line of rustfmt's output is about: it names a file of it, as in
/// `Diff in /x/core/src/lib.rs:1:`.
pub(super) fn unformatted_member<'a>(batch: &Batch<'a>, line: &str) -> Option<&'a str> {
    let is_in = |directory: &Path| line.contains(&format!("{}/", directory.display()));
    batch
        .members
        .iter()
        .filter(|member| is_in(&member.directory))
        // A member may be inside another one's folder.
        .max_by_key(|member| member.directory.as_os_str().len())
        .map(|member| &*member.name)
}

/// What became of each of the batch's steps, in their order, after its command failed.
///
/// `failed` names the members whose code or tests failed; where it is empty, the fault lies in
/// what they all need, such as a dependency. `others_ran` says whether the command went on with
/// all members that do not depend on these.
pub(super) fn outcomes(
    workspace: &Workspace,
    batch: &Batch<'_>,
    failed: &[&str],
    others_ran: bool,
) -> Vec<Outcome> {
    let needs_dependencies = !batch.runs_tests() && batch.what != What::Fmt;
    let outcome = |name: &str| {
        if failed.is_empty() || failed.contains(&name) {
            Outcome::Failed
        } else if others_ran && !(needs_dependencies && workspace.depends_on(name, failed)) {
            Outcome::Passed
        } else {
            Outcome::Blocked(blocked_by(batch.what, failed))
        }
    };
    batch
        .members
        .iter()
        .map(|member| outcome(&member.name))
        .collect()
}

/// Why something did not run after `what` failed for these members.
pub(super) fn blocked_by(what: What, failed: &[&str]) -> String {
    format!("after {what} of {} failed", failed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Step;
    use crate::workspace::Member;

    fn workspace() -> Workspace {
        let member = |name: &str, dependencies: &[&str]| Member {
            name: name.into(),
            dependencies: dependencies.iter().map(|&name| name.into()).collect(),
            ..Member::default()
        };
        Workspace {
            members: vec![
                member("core", &[]),
                member("app", &["core"]),
                member("other", &[]),
            ],
            ..Workspace::default()
        }
    }

    fn batch(workspace: &Workspace, what: What) -> Batch<'_> {
        let plan: Vec<_> = workspace
            .members
            .iter()
            .map(|member| Step {
                what,
                member: member.name.clone(),
                target: None,
                profile: None,
            })
            .collect();
        Batch::of_plan(workspace, &plan).remove(0)
    }

    #[test]
    fn a_failed_test_is_its_members() {
        let workspace = workspace();
        let batch = batch(&workspace, What::Test);
        for (line, member) in [
            (
                "error: test failed, to rerun pass `-p core --lib`",
                Some("core"),
            ),
            ("    `-p app --test cli`", Some("app")),
            (
                "        FAIL [   0.006s] (1/3) core tests::works",
                Some("core"),
            ),
            (
                "     SIGABRT [   0.006s] ( 2/30) app::bin/app tests::works",
                Some("app"),
            ),
            ("        PASS [   0.006s] (1/3) core tests::works", None),
            ("test tests::works ... FAILED", None),
        ] {
            assert_eq!(failed_test_member(&batch, line), member, "{line}");
        }
    }

    #[test]
    fn an_unformatted_file_is_the_innermost_members() {
        let member = |name: &str, directory: &str| Member {
            name: name.into(),
            directory: directory.into(),
            ..Member::default()
        };
        let workspace = Workspace {
            members: vec![member("root", "/x y"), member("inner", "/x y/inner")],
            ..Workspace::default()
        };
        let batch = batch(&workspace, What::Fmt);
        let line = "Diff in /x y/inner/src/lib.rs:1:";
        assert_eq!(unformatted_member(&batch, line), Some("inner"));
        assert_eq!(
            unformatted_member(&batch, " --> /x y/src/main.rs:1:8"),
            Some("root")
        );
        assert_eq!(unformatted_member(&batch, "-fn  main() {}"), None);
    }

    #[test]
    fn with_keep_going_only_dependants_are_blocked() {
        let workspace = workspace();
        let batch = batch(&workspace, What::Clippy);
        let names = |others_ran| {
            outcomes(&workspace, &batch, &["core"], others_ran)
                .iter()
                .map(Outcome::name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(true), ["failed", "blocked", "passed"]);
        assert_eq!(names(false), ["failed", "blocked", "blocked"]);
    }

    #[test]
    fn a_fault_that_is_no_members_fails_them_all() {
        let workspace = workspace();
        let outcomes = outcomes(&workspace, &batch(&workspace, What::Build), &[], true);
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Failed));
    }
}
