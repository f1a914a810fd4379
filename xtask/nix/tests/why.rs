//! `cargo xtask why` with real Nix: each row of the invalidation matrix, on a copy of this repository.
//!
//! Run with `cargo test -p xtask-nix --test why -- --ignored` where Nix is installed.

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use serde_json::Value;
use support::git::{commit, copy_repository, git};
use support::{Workspace, text};

/// An edit of a file: this text becomes that one. Nothing becomes a new file, or the end of one.
type Edit = (&'static str, &'static str, &'static str);

/// In place of a text: cargo brings the file up to date.
const RENEWED: &str = "renewed";

struct Row {
    edit: &'static str,
    edits: &'static [Edit],
    /// An output, and the causes that are named for it.
    outputs: &'static [(&'static str, &'static [&'static str])],
}

const MATRIX: &[Row] = &[
    Row {
        edit: "a file that is no source, a workflow, Nix code that decides nothing",
        edits: &[
            ("README.md", "", "more\n"),
            (".github/workflows/more.yml", "", "on: push\n"),
            ("nix/shell.nix", "", "# more\n"),
        ],
        outputs: &[("test-gantry-core", &[]), ("default", &[]), ("deps", &[])],
    },
    Row {
        edit: "a leaf's code",
        edits: &[("crates/cli/src/main.rs", "", "// more\n")],
        outputs: &[
            (
                "test-gantry",
                &["file crates/cli/src/main.rs changed (gantry)"],
            ),
            ("default", &["file crates/cli/src/main.rs changed (gantry)"]),
            ("test-gantry-core", &[]),
            ("deps", &[]),
        ],
    },
    Row {
        edit: "a tracked file that is new, and one that is gone",
        edits: &[
            ("crates/core/src/more.rs", "", "//! More.\n"),
            ("crates/core/tests/narinfos/text.narinfo", "*", ""),
        ],
        outputs: &[
            (
                "build-gantry",
                &["file crates/core/src/more.rs is new (gantry-core)"],
            ),
            (
                "test-gantry-core",
                &[
                    "file crates/core/src/more.rs is new (gantry-core)",
                    "file crates/core/tests/narinfos/text.narinfo was removed (gantry-core)",
                ],
            ),
        ],
    },
    Row {
        edit: "the code that others depend on",
        edits: &[("crates/core/src/hash.rs", "", "// more\n")],
        outputs: &[
            (
                "test-gantry-core",
                &["file crates/core/src/hash.rs changed (gantry-core)"],
            ),
            (
                "test-gantry",
                &["file crates/core/src/hash.rs changed (gantry-core)"],
            ),
            ("test-xtask-bindgen", &[]),
        ],
    },
    Row {
        edit: "a test's code",
        edits: &[("crates/core/tests/narinfo.rs", "", "// more\n")],
        outputs: &[
            (
                "test-gantry-core",
                &["file crates/core/tests/narinfo.rs changed (gantry-core)"],
            ),
            ("build-gantry-core", &[]),
            ("test-gantry", &[]),
        ],
    },
    Row {
        edit: "the wasm member's code",
        edits: &[("crates/web/src/lib.rs", "", "// more\n")],
        outputs: &[
            (
                "build-gantry-web-wasm32-unknown-unknown",
                &["file crates/web/src/lib.rs changed (gantry-web)"],
            ),
            ("test-gantry", &[]),
        ],
    },
    Row {
        edit: "a member's description",
        edits: &[("crates/core/Cargo.toml", "without I/O", "with none")],
        outputs: &[
            (
                "build-gantry",
                &[
                    "manifest crates/core/Cargo.toml: package.description: \"Store paths, hashes, narinfo files and signatures of Nix binary caches, without I/O\" → \"Store paths, hashes, narinfo files and signatures of Nix binary caches, with none\" (gantry-core)",
                ],
            ),
            ("test-xtask-bindgen", &[]),
            ("deps", &[]),
        ],
    },
    Row {
        edit: "a member's version",
        edits: &[
            (
                "crates/core/Cargo.toml",
                "version.workspace = true\nedition",
                "version = \"0.2.0\"\nedition",
            ),
            (
                "Cargo.lock",
                "name = \"gantry-core\"\nversion = \"0.1.0\"",
                "name = \"gantry-core\"\nversion = \"0.2.0\"",
            ),
        ],
        outputs: &[
            (
                "test-gantry",
                &[
                    "manifest crates/core/Cargo.toml: package.version: unset → \"0.2.0\" (gantry-core)",
                    "manifest crates/core/Cargo.toml: package.version.workspace: true → unset (gantry-core)",
                ],
            ),
            ("deps", &[]),
        ],
    },
    Row {
        edit: "the version of all members",
        edits: &[
            (
                "Cargo.toml",
                "version = \"0.1.0\"\nedition",
                "version = \"0.2.0\"\nedition",
            ),
            ("Cargo.lock", RENEWED, ""),
        ],
        outputs: &[
            (
                "test-gantry",
                &["manifest Cargo.toml: workspace.package.version: \"0.1.0\" → \"0.2.0\""],
            ),
            ("deps", &[]),
        ],
    },
    Row {
        edit: "a new member without new dependencies",
        edits: &[
            (
                "crates/more/Cargo.toml",
                "",
                "[package]\nname = \"more\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
            ),
            ("crates/more/src/lib.rs", "", "//! More.\n"),
            (
                "Cargo.lock",
                "[[package]]\nname = \"multipart\"",
                "[[package]]\nname = \"more\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"multipart\"",
            ),
        ],
        outputs: &[
            ("test-more", &["output the flake had no output `test-more`"]),
            ("test-gantry", &[]),
            ("deps", &[]),
        ],
    },
    Row {
        edit: "a dependency that the lock file did not have",
        edits: &[
            (
                "crates/core/Cargo.toml",
                "[dependencies]\n",
                "[dependencies]\nhex = \"0.4\"\n",
            ),
            (
                "Cargo.lock",
                " \"data-encoding\",\n \"proptest\"",
                " \"data-encoding\",\n \"hex\",\n \"proptest\"",
            ),
            (
                "Cargo.lock",
                "[[package]]\nname = \"itoa\"",
                "[[package]]\nname = \"hex\"\nversion = \"0.4.3\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"7f24254aa9a54b5c858eaee2f5bccdb46aaf0e486a595ed5fd8f86ba55232a70\"\n\n[[package]]\nname = \"itoa\"",
            ),
        ],
        outputs: &[
            (
                "test-gantry",
                &[
                    "dependency crates/core/Cargo.toml: dependencies.hex: unset → \"0.4\" (gantry-core)",
                    "dependency hex 0.4.3 is new (Cargo.lock)",
                ],
            ),
            (
                "deps-native-dev",
                &[
                    "dependency crates/core/Cargo.toml: dependencies.hex: unset → \"0.4\" (gantry-core)",
                    "dependency hex 0.4.3 is new (Cargo.lock)",
                ],
            ),
        ],
    },
    Row {
        edit: "a dependency that is there in two versions",
        // The hashes that tell them apart both begin with a letter, as no version does.
        edits: &[
            (
                "crates/core/Cargo.toml",
                "[dependencies]\n",
                "[dependencies]\nbase64 = \"0.13\"\n",
            ),
            (
                "crates/cli/Cargo.toml",
                "[dependencies]\n",
                "[dependencies]\nbase64 = \"0.22\"\n",
            ),
            (
                "Cargo.lock",
                " \"data-encoding\",\n \"proptest\"",
                " \"base64 0.13.1\",\n \"data-encoding\",\n \"proptest\"",
            ),
            (
                "Cargo.lock",
                " \"clap\",\n \"gantry-core\"",
                " \"base64 0.22.1\",\n \"clap\",\n \"gantry-core\"",
            ),
        ],
        outputs: &[(
            "deps-native-dev",
            &[
                "dependency crates/cli/Cargo.toml: dependencies.base64: unset → \"0.22\" (gantry)",
                "dependency crates/core/Cargo.toml: dependencies.base64: unset → \"0.13\" (gantry-core)",
            ],
        )],
    },
    Row {
        edit: "a feature of a dependency",
        edits: &[(
            "Cargo.toml",
            "features = [\"derive\"] }",
            "features = [\"derive\", \"rc\"] }",
        )],
        outputs: &[
            (
                "build-gantry",
                &[
                    "feature Cargo.toml: workspace.dependencies.serde: {\"features\":[\"derive\"],\"version\":\"1.0.229\"} → {\"features\":[\"derive\",\"rc\"],\"version\":\"1.0.229\"}",
                ],
            ),
            (
                "deps-native-dev",
                &[
                    "feature Cargo.toml: workspace.dependencies.serde: {\"features\":[\"derive\"],\"version\":\"1.0.229\"} → {\"features\":[\"derive\",\"rc\"],\"version\":\"1.0.229\"}",
                ],
            ),
            ("build-gantry-web-wasm32-unknown-unknown", &[]),
        ],
    },
    Row {
        edit: "a dev-dependency",
        edits: &[
            (
                "crates/core/Cargo.toml",
                "[lints]",
                "[dev-dependencies]\ntempfile = \"3.27.0\"\n\n[lints]",
            ),
            (
                "Cargo.lock",
                " \"proptest\",\n \"thiserror",
                " \"proptest\",\n \"tempfile\",\n \"thiserror",
            ),
        ],
        outputs: &[(
            "test-gantry-core",
            &[
                "dependency crates/core/Cargo.toml: dev-dependencies.tempfile: unset → \"3.27.0\" (gantry-core)",
            ],
        )],
    },
    Row {
        edit: "the dev profile",
        edits: &[("Cargo.toml", "debug = \"line-tables-only\"", "debug = true")],
        outputs: &[
            (
                "test-gantry",
                &["profile Cargo.toml: profile.dev.debug: \"line-tables-only\" → true"],
            ),
            (
                "deps-native-dev",
                &["profile Cargo.toml: profile.dev.debug: \"line-tables-only\" → true"],
            ),
            ("default", &[]),
        ],
    },
    Row {
        edit: "the release profile",
        edits: &[("Cargo.toml", "lto = \"thin\"", "lto = \"fat\"")],
        outputs: &[
            (
                "default",
                &["profile Cargo.toml: profile.release.lto: \"thin\" → \"fat\""],
            ),
            ("test-gantry", &[]),
        ],
    },
    Row {
        edit: "the lints",
        edits: &[(
            "Cargo.toml",
            "unsafe_code = \"deny\"",
            "unsafe_code = \"warn\"",
        )],
        outputs: &[
            (
                "clippy-gantry",
                &["lint Cargo.toml: workspace.lints.rust.unsafe_code: \"deny\" → \"warn\""],
            ),
            ("test-gantry", &[]),
            ("deps", &[]),
        ],
    },
    Row {
        edit: "the lock file alone",
        edits: &[(
            "Cargo.lock",
            "name = \"clap_lex\"\nversion = \"1.1.1\"",
            "name = \"clap_lex\"\nversion = \"1.1.2\"",
        )],
        outputs: &[
            (
                "test-gantry",
                &["dependency clap_lex 1.1.1 → 1.1.2 (Cargo.lock)"],
            ),
            (
                "deps-native-dev",
                &["dependency clap_lex 1.1.1 → 1.1.2 (Cargo.lock)"],
            ),
            ("build-gantry-web-wasm32-unknown-unknown", &[]),
        ],
    },
    Row {
        edit: "an environment variable",
        edits: &[(
            "nix/settings.nix",
            "    native = openssl;",
            "    native = openssl // { env.GREETING = \"hello\"; };",
        )],
        outputs: &[(
            "build-gantry-core",
            &[
                "environment GREETING: unset → \"hello\" in cargo-build-gantry-core-dev, deps-native-dev (nix/settings.nix)",
            ],
        )],
    },
    Row {
        edit: "what a layer runs",
        edits: &[("nix/workspace/layer.sh", "", "# more\n")],
        outputs: &[(
            "build-gantry-core",
            &["file nix/workspace/layer.sh changed"],
        )],
    },
    Row {
        edit: "Nix files at once, of which one decides nothing",
        edits: &[
            (
                "nix/settings.nix",
                "    native = openssl;",
                "    native = openssl // { env.GREETING = \"hello\"; };",
            ),
            ("nix/shell.nix", "", "# more\n"),
            (
                "nix/workspace/layers.nix",
                "        dontFixup = true;",
                "        dontFixup = true;\n        PARTING = \"goodbye\";",
            ),
        ],
        outputs: &[(
            "deps-native-dev",
            &[
                "environment GREETING: unset → \"hello\" in deps-native-dev (nix/settings.nix)",
                "environment PARTING: unset → \"goodbye\" in deps-native-dev (nix/workspace/layers.nix)",
            ],
        )],
    },
    Row {
        edit: "several at once, of which some decide nothing",
        edits: &[
            ("README.md", "", "more\n"),
            ("nix/shell.nix", "", "# more\n"),
            ("crates/cli/src/main.rs", "", "// more\n"),
            ("crates/core/src/hash.rs", "", "// more\n"),
            ("Cargo.toml", "lto = \"thin\"", "lto = \"fat\""),
        ],
        outputs: &[(
            "test-gantry-core",
            &["file crates/core/src/hash.rs changed (gantry-core)"],
        )],
    },
];

/// A copy of this repository, as the only commit of another one.
fn copy_of_repository() -> Workspace {
    let workspace = Workspace::empty("gantry-why-");
    copy_repository(workspace.path());
    commit(workspace.path(), "Begin");
    workspace
}

fn apply(workspace: &Workspace, (file, from, to): &Edit) {
    let path = workspace.path().join(file);
    match *from {
        "" => workspace.write(file, &(fs::read_to_string(path).unwrap_or_default() + to)),
        "*" => fs::remove_file(path).unwrap(),
        RENEWED => {
            let status = Command::new("cargo")
                .args(["update", "--quiet", "--workspace"])
                .current_dir(workspace.path())
                .status();
            assert!(status.unwrap().success());
        }
        _ => workspace.edit(file, from, to),
    }
}

/// The causes that `why` names, as it prints them.
fn why(workspace: &Workspace, arguments: &[&str]) -> Vec<String> {
    let mut command = workspace.command(&[&["why"], arguments].concat());
    // Where this repository's own inputs have to come from.
    command.envs(env::var("XTASK_NIX_FLAGS").map(|flags| ("XTASK_NIX_FLAGS", flags)));
    let output = command.output().unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    if stdout.starts_with("nothing: ") {
        return Vec::new();
    }
    assert!(
        stdout.contains(" is built again, because since "),
        "{stdout}"
    );
    stdout
        .lines()
        .skip(1)
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
#[ignore = "needs Nix"]
fn each_row_of_the_invalidation_matrix_is_told_by_its_cause() {
    let workspace = copy_of_repository();
    let mut wrong = String::new();
    for row in MATRIX {
        for edit in row.edits {
            apply(&workspace, edit);
        }
        git(workspace.path(), &["add", "--all", "--intent-to-add"]);
        for (output, causes) in row.outputs {
            let named = why(&workspace, &[output]);
            if named != *causes {
                writeln!(
                    wrong,
                    "{}: {output}\n  named {named:#?}\n  not {causes:#?}",
                    row.edit
                )
                .unwrap();
            }
        }
        git(workspace.path(), &["reset", "--quiet", "--hard"]);
        git(workspace.path(), &["clean", "--quiet", "--force", "-d"]);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A flake whose one check is made of what `value` says.
fn flake(workspace: &Workspace, value: &str) {
    workspace.write(
        "flake.nix",
        &format!(
            "{{ outputs = {{ self }}: {{ checks = builtins.listToAttrs (map (system: {{ name = system; value.it = \
             derivation {{ name = \"it\"; inherit system; builder = \"/bin/sh\"; what = {value}; }}; }}) \
             [ \"x86_64-linux\" \"aarch64-linux\" \"aarch64-darwin\" ]); }}; }}\n"
        ),
    );
}

#[test]
#[ignore = "needs Nix"]
fn the_toolchain_is_named() {
    let workspace = Workspace::new();
    workspace.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.90.0\"\n");
    flake(
        &workspace,
        "(fromTOML (builtins.readFile ./rust-toolchain.toml)).toolchain.channel",
    );
    commit(workspace.path(), "Begin");
    assert_eq!(why(&workspace, &["it"]), [""; 0]);
    workspace.edit("rust-toolchain.toml", "1.90", "1.91");
    assert_eq!(
        why(&workspace, &["it"]),
        ["toolchain rust-toolchain.toml: toolchain.channel: \"1.90.0\" → \"1.91.0\""]
    );
}

#[test]
#[ignore = "needs Nix"]
fn an_input_of_the_flake_is_named() {
    let workspace = Workspace::new();
    let input = tempfile::tempdir().unwrap();
    let reference = format!("path:{}", input.path().display());
    fs::write(input.path().join("word"), "one").unwrap();
    workspace.write(
        "flake.nix",
        &format!(
            "{{ inputs.words = {{ url = \"{reference}\"; flake = false; }}; outputs = {{ self, words }}: {{ packages = \
             builtins.listToAttrs (map (system: {{ name = system; value.it = derivation {{ name = \"it\"; inherit system; \
             builder = \"/bin/sh\"; what = builtins.readFile \"${{words}}/word\"; }}; }}) [ \"x86_64-linux\" \"aarch64-linux\" \
             \"aarch64-darwin\" ]); }}; }}\n"
        ),
    );
    commit(workspace.path(), "Begin");
    let lock = || {
        let status = Command::new("nix")
            .args(["flake", "update", "--quiet"])
            .current_dir(workspace.path())
            .status();
        assert!(status.unwrap().success());
    };
    lock();
    commit(workspace.path(), "Begin");
    assert_eq!(why(&workspace, &["it"]), [""; 0]);
    fs::write(input.path().join("word"), "two").unwrap();
    lock();
    let causes = why(&workspace, &["it"]);
    assert!(
        causes.len() == 1 && causes[0].starts_with("flake input words sha256-"),
        "{causes:?}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn an_output_made_of_the_flakes_own_revision_is_told_apart() {
    let workspace = Workspace::new();
    flake(&workspace, "toString self.lastModified");
    commit(workspace.path(), "Begin");
    workspace.write("notes", "more\n");
    git(workspace.path(), &["add", "notes"]);
    let causes = why(&workspace, &["it"]);
    assert!(
        causes.len() == 1 && causes[0].contains("self.rev"),
        "{causes:?}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn the_branch_is_compared_with_where_it_left_main() {
    let workspace = Workspace::new();
    flake(&workspace, "./core/src");
    commit(workspace.path(), "Begin");
    git(
        workspace.path(),
        &["switch", "--quiet", "--create", "topic"],
    );
    workspace.write("core/src/lib.rs", "//! Other.\n");
    commit(workspace.path(), "Begin");
    let output = workspace.xtask(&["why", "it", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["since"]["name"], "the merge-base with main");
    assert_eq!(report["rebuilt"], true);
    assert_eq!(
        report["causes"],
        serde_json::json!([{ "kind": "file", "file": "core/src/lib.rs", "change": "changed", "member": "core-library" }])
    );
    assert_eq!(why(&workspace, &["it", "--since", "HEAD"]), [""; 0]);
}

#[test]
#[ignore = "needs Nix"]
fn wrong_usage_is_answered() {
    let workspace = Workspace::new();
    flake(&workspace, "1");
    let message = |arguments: &[&str]| {
        let output = workspace.xtask(&[&["why"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        text(&output.stderr)
    };
    assert!(message(&["it"]).contains("no git repository with a commit"));
    commit(workspace.path(), "Begin");
    assert!(message(&["its"]).contains("did you mean `it`?"));
    assert!(message(&["it", "--since", "never"]).contains("git knows no revision `never`"));
    assert!(message(&["it\"; throw"]).contains("is no name of an output"));
}
