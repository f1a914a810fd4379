//! Which steps there are, in the order in which they run, and the commands of each.

use std::collections::BTreeSet;
use std::env;

use anyhow::{Result, ensure};
use serde::Serialize;
use xshell::{Cmd, Shell, cmd};

use crate::Arguments;
use crate::engine::find_program;
use crate::wasm::WASM;
use crate::workspace::{Member, NATIVE, Workspace};

/// The workspace, and what is asked of it.
pub(crate) struct Project<'a> {
    pub(crate) sh: Shell,
    pub(crate) workspace: Workspace,
    pub(crate) arguments: &'a Arguments,
}

/// What is done at once for some members, and what came of it.
#[derive(Serialize)]
pub(crate) struct Step {
    /// What it is called, for each of its members.
    pub(crate) names: Vec<String>,
    pub(crate) kind: &'static str,
    /// Empty where it is the same for every target.
    pub(crate) target: String,
    /// Empty for a step of the whole project.
    pub(crate) members: Vec<String>,
    /// As one would type it: what failed, or else all of it.
    pub(crate) command: String,
    /// `passed`, `failed`, `skipped`, `not run`, `interrupted`, or `planned` by a dry run.
    pub(crate) outcome: &'static str,
    pub(crate) reason: String,
    pub(crate) seconds: f64,
}

/// One after the other; or what the machine lacks for them, with the command that mends it.
pub(crate) type Commands<'a> = Result<Vec<Cmd<'a>>>;

impl Step {
    fn new(kind: &'static str, target: &str, members: &[&Member], commands: &Commands<'_>) -> Self {
        let members: Vec<_> = members.iter().map(|it| it.name.clone()).collect();
        let name = |member| match target {
            "" | NATIVE => format!("{kind}-{member}"),
            triple => format!("{kind}-{member}-{triple}"),
        };
        let names = members.iter().map(name).chain(members.is_empty().then(|| kind.into()));
        let commands: Vec<_> = commands.iter().flatten().map(ToString::to_string).collect();
        Self {
            names: names.collect(),
            kind,
            target: target.to_owned(),
            members,
            command: commands.join(" && "),
            outcome: "planned",
            reason: String::new(),
            seconds: 0.0,
        }
    }

    /// Whether the arguments ask for it, in a run of these kinds; none are all.
    fn is_asked(&self, asked: &Arguments, kinds: &[&str]) -> bool {
        let is_in = |list: &[String]| list.iter().any(|kind| kind == self.kind);
        let by_default = asked.only.is_empty() && (self.kind != "browser" || asked.browser);
        let target = asked.target.as_ref().unwrap_or(&self.target);
        (by_default || is_in(&asked.only))
            && !is_in(&asked.skip)
            && (kinds.is_empty() || kinds.contains(&self.kind))
            && (self.target.is_empty() || self.target == *target && !self.members.is_empty())
    }
}

impl Project<'_> {
    /// The steps that the arguments leave, of these kinds, or of all where none is named.
    pub(crate) fn plan(&self, kinds: &[&str]) -> Result<Vec<(Step, Commands<'_>)>> {
        let (sh, asked) = (&self.sh, self.arguments);
        let mut steps = Vec::new();
        let mut add = |kind, target: &str, members: &[&Member], commands| {
            steps.push((Step::new(kind, target, members, &commands), commands));
        };
        let members = self.workspace.select(&asked.package)?;
        let packages = members.iter().flat_map(|it| ["--package", &it.name]);
        add("fmt", "", &members, Ok(vec![cmd!(sh, "cargo fmt --check {packages...}")]));
        if asked.package.is_empty() {
            let xtask = env::current_exe()?;
            add("links", "", &[], Ok(vec![cmd!(sh, "{xtask} links")]));
        }
        let all = asked.keep_going.then_some("--no-fail-fast");
        for (target, group) in self.groups(&members) {
            let select = &self.select(target, &group);
            let having = |has: &dyn Fn(&Member) -> bool| -> Vec<&Member> {
                group.iter().copied().filter(|it| has(it)).collect()
            };
            let clippy = cmd!(sh, "cargo clippy --all-targets {select...} -- -D warnings");
            add("clippy", target, &group, Ok(vec![clippy]));
            add("build", target, &group, Ok(vec![cmd!(sh, "cargo build {select...}")]));
            if target == WASM {
                let pages = having(&|it| it.artifact("cdylib").is_some());
                add("bindgen", WASM, &pages, self.make_pages(&pages, select));
                let tested = having(&|it| it.depends_on("wasm-bindgen-test"));
                let select = &self.select(WASM, &tested);
                add("test", WASM, &tested, self.test_in_node(select));
                add("browser", WASM, &tested, self.test_in_browser(select));
            } else if target == NATIVE && find_program("cargo-nextest").is_some() {
                let select = select.iter().map(|it| it.replace("--prof", "--cargo-prof"));
                let test = cmd!(sh, "cargo nextest run --tests --no-tests pass {all...}");
                add("test", NATIVE, &group, Ok(vec![test.args(select)]));
            } else if target == NATIVE || self.has_runner(target) {
                let test = cmd!(sh, "cargo test --tests {all...} {select...}");
                add("test", target, &group, Ok(vec![test]));
            }
            if target == NATIVE {
                // It selects members without doc tests too, so that features are resolved as above.
                let doctest = cmd!(sh, "cargo test --doc {all...} {select...}");
                add("doctest", NATIVE, &having(&Member::has_doctests), Ok(vec![doctest]));
            }
            let documented = having(&|it| target == NATIVE || !it.is_for(NATIVE));
            let select = self.select(target, &documented);
            let flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
            let flags = format!("RUSTDOCFLAGS={flags} -Dwarnings");
            let doc = cmd!(sh, "env {flags} cargo doc --no-deps {select...}");
            add("doc", target, &documented, Ok(vec![doc]));
        }
        for word in asked.only.iter().chain(&asked.skip) {
            let is_known = steps.iter().any(|(step, _)| step.kind == word);
            ensure!(is_known, "there is no step `{word}`");
        }
        steps.retain(|(step, _)| step.is_asked(asked, kinds));
        ensure!(!steps.is_empty(), "nothing to do: `ci --dry-run` lists all steps");
        Ok(steps)
    }

    /// The members that a command selects together, with the target that it compiles them for.
    ///
    /// Cargo resolves features over the packages that a command selects, and compiles a dependency
    /// once more for every set of features. So the groups are what people select by hand: the default
    /// members, and every other one alone. Then `cargo build` after `ci` compiles nothing.
    fn groups<'a>(&'a self, members: &[&'a Member]) -> Vec<(&'a str, Vec<&'a Member>)> {
        let Workspace { packages, default_members: default, .. } = &self.workspace;
        let mut targets: BTreeSet<_> = packages.iter().flat_map(Member::targets).collect();
        targets.remove(NATIVE);
        // A library that names a target beside native can be compiled for it, and need not be.
        let makes = |it: &Member| it.artifact("bin").or(it.artifact("cdylib")).is_some();
        let needs = |target, it: &Member| it.is_for(target) && (makes(it) || !it.is_for(NATIVE));
        targets.retain(|it| packages.iter().any(|one| needs(it, one)) || self.has_runner(it));
        let mut groups = Vec::new();
        for target in [NATIVE].into_iter().chain(targets) {
            let members = members.iter().copied().filter(|it| it.is_for(target));
            let is_together = |it: &&Member| target != NATIVE || default.contains(&it.id);
            let (together, alone): (Vec<_>, Vec<_>) = members.partition(is_together);
            groups.push((target, together));
            groups.extend(alone.into_iter().map(|it| (target, vec![it])));
        }
        groups.retain(|(_, group)| !group.is_empty());
        groups
    }

    /// What a command is told about the packages.
    fn select(&self, target: &str, group: &[&Member]) -> Vec<String> {
        let sh = &self.sh;
        let mut words = vec!["--locked".to_owned(), "--profile".to_owned()];
        words.push(self.arguments.profile().to_owned());
        if target != NATIVE {
            words.extend(["--target".to_owned(), target.to_owned()]);
        }
        let find = cmd!(sh, "pkg-config --exists openssl").quiet();
        let is_found = || target == NATIVE && find.run().is_ok();
        let has_openssl = env::var_os("OPENSSL_DIR").is_some() || is_found();
        for Member { name, features, .. } in group {
            words.extend(["--package".to_owned(), name.clone()]);
            // Where OpenSSL's headers are missing, or are another target's, it is compiled too.
            if !has_openssl && features.contains_key("vendored-openssl") {
                words.extend(["--features".to_owned(), format!("{name}/vendored-openssl")]);
            }
        }
        words
    }

    /// Whether cargo's configuration names a runner for tests of this target.
    fn has_runner(&self, target: &str) -> bool {
        let sh = &self.sh;
        // The command is unstable, so stable toolchains need the variable.
        let get = cmd!(sh, "cargo -Zunstable-options config get target.{target}.runner");
        get.env("RUSTC_BOOTSTRAP", "1").ignore_stderr().read().is_ok()
    }
}
