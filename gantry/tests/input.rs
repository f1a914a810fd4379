//! Projects that have the engine as an input of their flake, with real Nix.
//!
//! `cargo test --test input -- --ignored`

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use support::cache::{Key, configure};
use support::git::{commit, copy_repository};
use support::http::Server;
use support::nix::{environment_flags, nix, system};
use support::{Report, Workspace, assert_exit, isolated, skip, text};
use tempfile::TempDir;

/// A project of one program, whose input `gantry` is a copy of this repository.
struct Project {
    workspace: Workspace,
    _engine: TempDir,
}

impl Project {
    /// With these inputs beside `gantry`, and these outputs.
    fn new(inputs: &str, outputs: &str) -> Self {
        let (workspace, engine) = (
            Workspace::empty("gantry-input-"),
            tempfile::tempdir().unwrap(),
        );
        copy_repository(engine.path());
        workspace.write(
            "flake.nix",
            &format!(
                "{{\n  inputs.gantry.url = \"path:{}\";\n{inputs}\n  outputs = inputs: {outputs};\n}}\n",
                engine.path().display()
            ),
        );
        workspace.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"app\"]\n",
        );
        workspace.add_member("app", "");
        workspace.write(
            "app/src/main.rs",
            "//! App.\n\nfn main() {\n    println!(\"app\");\n}\n",
        );
        workspace.lock();
        workspace.write(
            ".gitignore",
            "/.cache\n/cache\n/*.secret\n/result\n/target\n",
        );
        let project = Self {
            workspace,
            _engine: engine,
        };
        project.lock_inputs();
        project
    }

    /// Writes flake.lock, in which the engine's inputs are what the tests' flags say.
    fn lock_inputs(&self) {
        commit(self.workspace.path(), "Begin");
        let flags = environment_flags().replace("--no-write-lock-file", "");
        let flags = flags.replace("--override-input ", "--override-input gantry/");
        let words = flags.split_whitespace();
        let words: Vec<_> = ["flake", "lock"].into_iter().chain(words).collect();
        nix(&self.workspace, &words);
        commit(self.workspace.path(), "Lock the inputs");
    }

    /// The names of these outputs for this system.
    fn names(&self, kind: &str) -> Vec<String> {
        let attribute = format!(".#{kind}.{}", system());
        let names = nix(
            &self.workspace,
            &[
                "eval",
                "--json",
                &attribute,
                "--apply",
                "builtins.attrNames",
            ],
        );
        serde_json::from_str(&names).unwrap()
    }
}

#[test]
#[ignore = "needs Nix and GitHub"]
fn flake_parts() {
    const URL: &str = "https://github.com/hercules-ci/flake-parts";
    let reached = isolated("git", Path::new("/"))
        .args(["ls-remote", "--exit-code", URL, "HEAD"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .unwrap();
    if !reached.status.success() {
        return skip(&format!("flake-parts: {}", text(&reached.stderr).trim()));
    }
    let system = system();
    let project = Project::new(
        &format!(
            "  inputs.flake-parts.url = \"git+{URL}?shallow=1\";\n  \
             inputs.flake-parts.inputs.nixpkgs-lib.follows = \"gantry/nixpkgs\";"
        ),
        &format!(
            "inputs.flake-parts.lib.mkFlake {{ inherit inputs; }} {{
               imports = [ inputs.gantry.flakeModules.default ];
               systems = [ \"{system}\" ];
               gantry.root = ./.;
               gantry.workspace = _: {{ env.GREETING = \"hello\"; }};
               perSystem = {{ config, ... }}: {{
                 packages.mine = config.packages.default;
                 checks.mine = config.packages.default // {{ step.kind = \"mine\"; }};
                 checks.doc-app = config.checks.build-app;
               }};
             }}"
        ),
    );
    let packages = project.names("packages");
    for name in ["default", "deps", "dev", "gantry", "mine"] {
        assert!(packages.iter().any(|other| other == name), "{packages:?}");
    }
    // The flake's own check is a step, and what it says of one that is there wins.
    let plan = project.workspace.gantry(&["ci", "--dry-run"]);
    let plan = text(&plan.stdout);
    let names: Vec<_> = plan
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        names,
        [
            "fmt-app",
            "clippy-app",
            "build-app",
            "doc-app",
            "test-app",
            "audit",
            "mine"
        ]
    );
    let (code, _, shown) = project.workspace.ci(&["--only", "test,mine"]);
    assert_eq!(code, 0, "{shown}");
}

/// The programs that compile or link.
const COMPILERS: [&str; 7] = ["rustc", "cargo", "cc", "gcc", "clang", "ld", "as"];

/// Runs a script where the store is this empty folder; none where this user may not mount.
fn with_store(store: &Path, workspace: &Workspace, script: &str) -> Option<Output> {
    let mut command = isolated("unshare", workspace.path());
    command.args(["--mount", "sh", "-ec"]);
    command.arg("mount --bind \"$STORE\" /nix || exit 99; unset STORE; eval \"$SCRIPT\"");
    command
        .env("STORE", store)
        .env("SCRIPT", script)
        .env("HOME", store.parent().unwrap());
    let output = command.output().ok()?;
    let is_denied =
        output.status.code() == Some(99) || text(&output.stderr).starts_with("unshare:");
    (!is_denied).then_some(output)
}

#[test]
#[ignore = "needs Nix"]
fn on_an_empty_store_nothing_but_the_program_is_downloaded() {
    let project = Project::new(
        "",
        "inputs.gantry.lib.mkFlake { inherit inputs; root = ./.; }",
    );
    let workspace = &project.workspace;
    let key = Key::new(workspace, "test-1");
    let cache = workspace.path().join("cache");
    let server = Server::start(&cache);
    configure(workspace, &format!("url = \"{}\"", server.url), &key);
    commit(workspace.path(), "Name a cache");
    assert_exit(&workspace.gantry(&["ci"]), 0, "");
    nix(workspace, &["build", "--no-link", ".#gantry"]);
    let mut push = workspace.command(&["cache", "push"]);
    push.env("GANTRY_CACHE_SECRET_KEY_FILE", &key.secret);
    assert_exit(&push.output().unwrap(), 0, "");
    let program = nix(workspace, &["path-info", "--recursive", ".#gantry"]);
    let program: BTreeSet<_> = program.lines().collect();
    server.requests();

    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("nix");
    fs::create_dir(&store).unwrap();
    let script = format!(
        "nix run --extra-substituters {} --extra-trusted-public-keys {} .#gantry -- ci --skip-cached --json -",
        server.url, key.public
    );
    let Some(output) = with_store(&store, workspace, &script) else {
        return skip("an empty store: this user may not mount one");
    };
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = Report::of(&output);
    for outcome in report.outcomes() {
        assert!(outcome.ends_with(" cached"), "{outcome}");
    }

    let requests = server.requests();
    let archives: BTreeSet<_> = requests
        .iter()
        .filter_map(|request| request.strip_prefix("GET /nar/"))
        .collect();
    let narinfos: Vec<_> = fs::read_dir(&cache)
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok())
        .collect();
    let field = |narinfo: &'_ str, name: &str| {
        let mut lines = narinfo.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.to_owned()))
    };
    let downloaded: BTreeSet<_> = narinfos
        .iter()
        .filter(|narinfo| {
            let url = field(narinfo, "URL: nar/");
            url.is_some_and(|url| archives.contains(&*url))
        })
        .filter_map(|narinfo| field(narinfo, "StorePath: "))
        .collect();
    let downloaded: BTreeSet<_> = downloaded.iter().map(String::as_str).collect();
    assert_eq!(downloaded, program);
    for (path, compiler) in program
        .iter()
        .flat_map(|path| COMPILERS.map(|name| (path, name)))
    {
        assert!(
            !Path::new(path).join("bin").join(compiler).exists(),
            "{path}"
        );
    }
    let sizes = archives
        .iter()
        .map(|name| cache.join("nar").join(name).metadata().unwrap().len());
    eprintln!(
        "{} bytes in {} archives",
        sizes.sum::<u64>(),
        archives.len()
    );
}

/// An advisory of a database that this test makes.
const ADVISORY: &str = "```toml
[advisory]
id = \"RUSTSEC-2026-9999\"
package = \"leaky\"
date = \"2026-01-01\"

[versions]
patched = [\">= 1.0.1\"]
```

# It leaks
";

#[test]
#[ignore = "needs Nix"]
fn a_new_advisory_fails_until_it_is_ignored_with_a_reason() {
    let project = Project::new(
        "  inputs.advisory-db = { follows = \"gantry/advisory-db\"; flake = false; };",
        "inputs.gantry.lib.mkFlake { inherit inputs; root = ./.; }",
    );
    let workspace = &project.workspace;
    workspace.add_member("app", "leaky = \"1\"");
    workspace.write(
        "Cargo.lock",
        &format!(
            "version = 4\n\n\
             [[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"leaky\",\n]\n\n\
             [[package]]\nname = \"leaky\"\nversion = \"1.0.0\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\n",
            "1".repeat(64)
        ),
    );
    commit(workspace.path(), "Depend on what leaks");
    let database = Workspace::empty("gantry-advisories-");
    database.write("crates/leaky/RUSTSEC-2026-9999.md", ADVISORY);
    let audit = || {
        // As the nightly run of CI calls it.
        let url = format!("path:{}", database.path().display());
        workspace
            .command(&["ci", "--only", "audit"])
            .env(
                "GANTRY_NIX_FLAGS",
                format!("--override-input advisory-db {url}"),
            )
            .env("GITHUB_ACTIONS", "true")
            .output()
            .unwrap()
    };

    // The state of the database that is locked knows nothing of it.
    assert_exit(&workspace.gantry(&["ci", "--only", "audit"]), 0, "passed");
    let output = audit();
    let finding = "error: leaky 1.0.0: It leaks (RUSTSEC-2026-9999): update to >=1.0.1";
    assert_exit(
        &output,
        1,
        &format!("::error file=Cargo.lock,line=11,title=audit::{finding}\n"),
    );
    let table = text(&output.stdout);
    assert!(table.contains(&format!("  {finding}\n")), "{table}");

    for (ignored, code) in [
        ("\"RUSTSEC-2026-9999\"", 1),
        ("{ id = \"RUSTSEC-2026-9999\" }", 1),
        ("{ id = \"RUSTSEC-2026-9999\", reason = \"\" }", 1),
        ("{ id = \"RUSTSEC-2026-9999\", reason = \"only here\" }", 0),
    ] {
        let policy = format!("[advisories]\nignore = [{ignored}]\n");
        workspace.write("deny.toml", &policy);
        commit(workspace.path(), "Ignore it");
        assert_exit(&audit(), code, "audit");
    }
    // A policy that says nothing else is no reason to check anything else.
    let plan = text(&workspace.gantry(&["ci", "--dry-run"]).stdout);
    assert!(
        plan.contains("\naudit ") && !plan.contains("deny"),
        "{plan}"
    );

    // What nobody maintains any more has no better version.
    database.write(
        "crates/leaky/RUSTSEC-2026-9998.md",
        &ADVISORY
            .replace("9999", "9998")
            .replace("\">= 1.0.1\"", "")
            .replace("\ndate", "\ninformational = \"unmaintained\"\ndate"),
    );
    assert_exit(
        &audit(),
        1,
        "leaky 1.0.0: It leaks (RUSTSEC-2026-9998): no version is without it",
    );
}
