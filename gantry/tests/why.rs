//! `gantry why` with real Nix: each row of the invalidation matrix is told by its cause.
//!
//! Run with `cargo test --test why -- --ignored` where Nix is installed.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use serde_json::Value;
use support::git::{commit, git};
use support::layers::Flake;
use support::nix::environment_flags;
use support::{Workspace, text};

/// An edit of a file: this text becomes that one. Nothing becomes a new file, or the end of one.
type Edit = (&'static str, &'static str, &'static str);

struct Row {
    edit: &'static str,
    edits: &'static [Edit],
    /// An output, and the causes that are named for it.
    outputs: &'static [(&'static str, &'static [&'static str])],
}

const LEAF: &str = "crates/app/src/main.rs";
const CORE: &str = "crates/core/src/lib.rs";

const MATRIX: &[Row] = &[
    Row {
        edit: "a file that is no source, a workflow, Nix code that decides nothing",
        edits: &[
            ("README.md", "", "more\n"),
            (".github/workflows/more.yml", "", "on: push\n"),
            ("nix/other.nix", "", "# more\n"),
        ],
        outputs: &[("test-core-library", &[]), ("deps-native-dev", &[])],
    },
    Row {
        edit: "a leaf's code",
        edits: &[(LEAF, "", "// more\n")],
        outputs: &[
            ("test-app", &["file crates/app/src/main.rs changed (app)"]),
            ("test-core-library", &[]),
            ("deps-native-dev", &[]),
        ],
    },
    Row {
        edit: "a tracked file that is new, and one that is gone",
        edits: &[
            ("crates/core/src/more.rs", "", "//! More.\n"),
            ("crates/core/tests/all.rs", "*", ""),
        ],
        outputs: &[
            (
                "build-app",
                &["file crates/core/src/more.rs is new (core-library)"],
            ),
            (
                "test-core-library",
                &[
                    "file crates/core/src/more.rs is new (core-library)",
                    "file crates/core/tests/all.rs was removed (core-library)",
                ],
            ),
        ],
    },
    Row {
        edit: "the code that others depend on",
        edits: &[(CORE, "", "// more\n")],
        outputs: &[
            (
                "test-app",
                &["file crates/core/src/lib.rs changed (core-library)"],
            ),
            (
                "build-web-wasm32-unknown-unknown",
                &["file crates/core/src/lib.rs changed (core-library)"],
            ),
            ("test-other", &[]),
        ],
    },
    Row {
        edit: "a test's code",
        edits: &[("crates/core/tests/all.rs", "", "// more\n")],
        outputs: &[
            (
                "test-core-library",
                &["file crates/core/tests/all.rs changed (core-library)"],
            ),
            ("build-core-library", &[]),
            ("test-app", &[]),
        ],
    },
    Row {
        edit: "a member's description",
        edits: &[("crates/core/Cargo.toml", "About core", "Of core")],
        outputs: &[
            (
                "build-app",
                &[
                    "manifest crates/core/Cargo.toml: package.description: \"About core\" → \"Of core\" (core-library)",
                ],
            ),
            ("test-other", &[]),
        ],
    },
    Row {
        edit: "a member's version",
        edits: &[
            (
                "crates/core/Cargo.toml",
                "version.workspace = true",
                "version = \"0.2.0\"",
            ),
            (
                "Cargo.lock",
                "name = \"core-library\"\nversion = \"0.1.0\"",
                "name = \"core-library\"\nversion = \"0.2.0\"",
            ),
        ],
        outputs: &[
            (
                "test-app",
                &[
                    "manifest crates/core/Cargo.toml: package.version: unset → \"0.2.0\" (core-library)",
                    "manifest crates/core/Cargo.toml: package.version.workspace: true → unset (core-library)",
                ],
            ),
            ("deps-native-dev", &[]),
        ],
    },
    Row {
        edit: "the version of all members",
        edits: &[
            ("Cargo.toml", "version = \"0.1.0\"", "version = \"0.2.0\""),
            ("Cargo.lock", "version = \"0.1.0\"", "version = \"0.2.0\""),
        ],
        outputs: &[
            (
                "test-app",
                &["manifest Cargo.toml: workspace.package.version: \"0.1.0\" → \"0.2.0\""],
            ),
            ("deps-native-dev", &[]),
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
                "",
                "\n[[package]]\nname = \"more\"\nversion = \"0.1.0\"\n",
            ),
        ],
        outputs: &[
            ("test-more", &["output the flake had no output `test-more`"]),
            ("test-app", &[]),
            ("deps-native-dev", &[]),
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
            ("Cargo.lock", "[\"itoa\"]", "[\"hex\", \"itoa\"]"),
            ("Cargo.lock", "", HEX),
        ],
        outputs: &[
            (
                "test-app",
                &[
                    "dependency crates/core/Cargo.toml: dependencies.hex: unset → \"0.4\" (core-library)",
                    "dependency hex 0.4.3 is new (Cargo.lock)",
                ],
            ),
            (
                "deps-native-dev",
                &[
                    "dependency crates/core/Cargo.toml: dependencies.hex: unset → \"0.4\" (core-library)",
                    "dependency hex 0.4.3 is new (Cargo.lock)",
                ],
            ),
        ],
    },
    Row {
        edit: "a dependency that is there in two versions",
        edits: &[
            (
                "crates/other/Cargo.toml",
                "[dependencies]\n",
                "[dependencies]\nitoa = \"0.4\"\n",
            ),
            (
                "Cargo.lock",
                "name = \"other\"\nversion = \"0.1.0\"\ndependencies = []",
                "name = \"other\"\nversion = \"0.1.0\"\ndependencies = [\"itoa 0.4.8\"]",
            ),
            ("Cargo.lock", "[\"itoa\"]", "[\"itoa 1.0.10\"]"),
        ],
        outputs: &[(
            "deps-native-dev",
            &["dependency crates/other/Cargo.toml: dependencies.itoa: unset → \"0.4\" (other)"],
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
                "build-app",
                &[
                    "feature Cargo.toml: workspace.dependencies.serde: {\"features\":[\"derive\"],\"version\":\"1\"} → {\"features\":[\"derive\",\"rc\"],\"version\":\"1\"}",
                ],
            ),
            ("build-web-wasm32-unknown-unknown", &[]),
        ],
    },
    Row {
        edit: "a dev-dependency",
        edits: &[
            (
                "crates/core/Cargo.toml",
                "[dependencies]\n",
                "[dev-dependencies]\nserde.workspace = true\n\n[dependencies]\n",
            ),
            ("Cargo.lock", "[\"itoa\"]", "[\"itoa\", \"serde\"]"),
        ],
        outputs: &[(
            "test-core-library",
            &[
                "dependency crates/core/Cargo.toml: dev-dependencies.serde: unset → {\"workspace\":true} (core-library)",
            ],
        )],
    },
    Row {
        edit: "the dev profile",
        edits: &[("Cargo.toml", "debug = 1", "debug = true")],
        outputs: &[
            (
                "test-app",
                &["profile Cargo.toml: profile.dev.debug: 1 → true"],
            ),
            ("deps-native-release", &[]),
        ],
    },
    Row {
        edit: "the release profile",
        edits: &[("Cargo.toml", "lto = \"thin\"", "lto = \"fat\"")],
        outputs: &[
            (
                "deps-native-release",
                &["profile Cargo.toml: profile.release.lto: \"thin\" → \"fat\""],
            ),
            ("test-app", &[]),
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
                "clippy-app",
                &["lint Cargo.toml: workspace.lints.rust.unsafe_code: \"deny\" → \"warn\""],
            ),
            ("test-app", &[]),
        ],
    },
    Row {
        edit: "the lock file alone",
        edits: &[("Cargo.lock", "1.0.200", "1.0.201")],
        outputs: &[
            (
                "deps-native-dev",
                &[
                    "dependency serde 1.0.200 → 1.0.201 (Cargo.lock)",
                    "dependency serde_derive 1.0.200 → 1.0.201 (Cargo.lock)",
                ],
            ),
            ("build-web-wasm32-unknown-unknown", &[]),
        ],
    },
    Row {
        edit: "what a layer runs",
        edits: &[("nix/workspace/layer.sh", "", "# more\n")],
        outputs: &[(
            "build-core-library",
            &["file nix/workspace/layer.sh changed"],
        )],
    },
    Row {
        edit: "variables of the environment from two Nix files, beside a file that decides nothing",
        edits: &[
            ("nix/some.nix", "{ }", "{ GREETING = \"hello\"; }"),
            ("nix/more.nix", "{ }", "{ PARTING = \"goodbye\"; }"),
            ("nix/other.nix", "", "# more\n"),
        ],
        outputs: &[(
            "deps-native-dev",
            &[
                "environment PARTING: unset → \"goodbye\" in deps-native-dev (nix/more.nix)",
                "environment GREETING: unset → \"hello\" in deps-native-dev (nix/some.nix)",
            ],
        )],
    },
    Row {
        edit: "several at once, of which some decide nothing",
        edits: &[
            ("README.md", "", "more\n"),
            (LEAF, "", "// more\n"),
            (CORE, "", "// more\n"),
            ("Cargo.toml", "lto = \"thin\"", "lto = \"fat\""),
        ],
        outputs: &[(
            "test-core-library",
            &["file crates/core/src/lib.rs changed (core-library)"],
        )],
    },
];

/// An entry of Cargo.lock. No crate is ever downloaded, so no checksum is a real one.
const HEX: &str = "\n[[package]]\nname = \"hex\"\nversion = \"0.4.3\"\n\
    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
    checksum = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n";

/// `app` and, for wasm32, `web` on `core-library`; `other` stands apart.
fn workspace() -> Flake {
    let member = |name: &str, rest: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion.workspace = true\nedition = \"2024\"\n\
             description = \"About {name}\"\n\n[lints]\nworkspace = true\n\n{rest}\n"
        )
    };
    let both = "[package.metadata.ci]\ntargets = [\"native\", \"wasm32-unknown-unknown\"]\n";
    let wasm = "[package.metadata.ci]\ntargets = [\"wasm32-unknown-unknown\"]\n";
    let entry = |name: &str, version: &str, dependencies: &str| {
        let registry = HEX.split_once("source").unwrap().1;
        let source = if version == "0.1.0" {
            String::new()
        } else {
            format!("source{registry}")
        };
        format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = [{dependencies}]\n{source}"
        )
    };
    let lock = [
        "version = 4\n".to_owned(),
        entry("app", "0.1.0", "\"core-library\", \"serde\""),
        entry("core-library", "0.1.0", "\"itoa\""),
        // Members depend on the later one of these two, unless they say otherwise.
        entry("itoa", "0.4.8", ""),
        entry("itoa", "1.0.10", ""),
        entry("other", "0.1.0", ""),
        entry("serde", "1.0.200", "\"serde_derive\""),
        entry("serde_derive", "1.0.200", ""),
        entry("web", "0.1.0", "\"core-library\""),
    ];
    let core = "core-library = { path = \"../core\" }";
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\n[workspace.package]\nversion = \"0.1.0\"\n\n\
             [workspace.dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n\n\
             [workspace.lints.rust]\nunsafe_code = \"deny\"\n\n\
             [profile.dev]\ndebug = 1\n\n[profile.release]\nlto = \"thin\"\n"
                .to_owned(),
        ),
        ("Cargo.lock", lock.concat()),
        ("nix/some.nix", "{ }\n".to_owned()),
        ("nix/more.nix", "{ }\n".to_owned()),
        ("nix/other.nix", "{ }\n".to_owned()),
        (
            "crates/core/Cargo.toml",
            member("core-library", &format!("[dependencies]\nitoa = \"1\"\n\n{both}"))
                .replace("About core-library", "About core"),
        ),
        (CORE, "//! Core.\n".to_owned()),
        ("crates/core/tests/all.rs", "//! Tests.\n".to_owned()),
        (
            "crates/app/Cargo.toml",
            member("app", &format!("[dependencies]\n{core}\nserde.workspace = true\n")),
        ),
        (LEAF, "//! App.\nfn main() {}\n".to_owned()),
        (
            "crates/web/Cargo.toml",
            member("web", &format!("[dependencies]\n{core}\n\n{wasm}")),
        ),
        ("crates/web/src/lib.rs", "//! Web.\n".to_owned()),
        ("crates/other/Cargo.toml", member("other", "[dependencies]\n")),
        ("crates/other/src/lib.rs", "//! Other.\n".to_owned()),
    ];
    Flake::new(
        "{ env = import ./nix/some.nix // import ./nix/more.nix; }",
        &files,
    )
}

fn apply(workspace: &Workspace, (file, from, to): &Edit) {
    let path = workspace.path().join(file);
    match *from {
        "" => workspace.write(file, &(fs::read_to_string(path).unwrap_or_default() + to)),
        "*" => fs::remove_file(path).unwrap(),
        _ => workspace.edit(file, from, to),
    }
}

/// The causes that `why` names, as it prints them.
fn why(workspace: &Workspace, arguments: &[&str]) -> Vec<String> {
    let mut command = workspace.command(&[&["why"], arguments].concat());
    let output = command
        .env("GANTRY_NIX_FLAGS", environment_flags())
        .output()
        .unwrap();
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
    let flake = workspace();
    let workspace = &*flake;
    commit(workspace.path(), "Begin");
    let mut wrong = String::new();
    for row in MATRIX {
        for edit in row.edits {
            apply(workspace, edit);
        }
        git(workspace.path(), &["add", "--all", "--intent-to-add"]);
        for (output, causes) in row.outputs {
            let named = why(workspace, &[output]);
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
             derivation {{ name = \"it\"; inherit system; builder = \"/bin/sh\"; what = {value}; }} // {{ step = {{ kind = \"it\"; member = \"core-library\"; directory = \"core\"; }}; }}; }}) \
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
    let output = workspace.gantry(&["why", "it", "--json"]);
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
        let output = workspace.gantry(&[&["why"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        text(&output.stderr)
    };
    assert!(message(&["it"]).contains("no git repository with a commit"));
    commit(workspace.path(), "Begin");
    assert!(message(&["its"]).contains("did you mean `it`?"));
    assert!(message(&["it", "--since", "never"]).contains("git knows no revision `never`"));
    assert!(message(&["it\"; throw"]).contains("is no name of an output"));
}
