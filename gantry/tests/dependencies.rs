//! Third-party crates from everywhere: git repositories, patches, folders that are no members.
//!
//! `cargo test --test dependencies -- --ignored`

mod support;

use std::fs;

use support::git::{commit, git};
use support::layers::{Flake, STEPS, package};
use tempfile::TempDir;

/// A git repository of these files, with one commit on the branch `topic/one`.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let branch = ["--initial-branch", "topic/one"];
    git(folder.path(), &[&["init", "--quiet"], &branch[..]].concat());
    commit(folder.path(), "Begin");
    folder
}

fn url(repository: &TempDir) -> String {
    format!("file://{}", repository.path().display())
}

const PRINTS_TEXT: &str = "//! App.\nfn main() {\n    println!(\"{}\", text());\n}\n\n";

/// A workspace of one member, `app`, whose `main` prints this expression of type `String`.
fn app(root: &str, dependencies: &str, text: &str, others: &[(&str, &str)]) -> Flake {
    let manifest = package("app", &format!("\n[dependencies]\n{dependencies}"));
    let root = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\"app\"]\nexclude = [\"vendored\"]\n\n{root}"
    );
    let main = format!("{PRINTS_TEXT}fn text() -> String {{\n    {text}\n}}\n");
    let mut files = vec![
        ("Cargo.toml", &*root),
        ("app/Cargo.toml", &*manifest),
        ("app/src/main.rs", &*main),
    ];
    files.extend(others);
    let flake = Flake::new("{ }", &files);
    flake.lock();
    flake
}

fn prints(flake: &Flake, text: &str) {
    flake.build(STEPS).unwrap_or_else(|log| panic!("{log}"));
    assert_eq!(flake.run("dev", "app"), text);
    assert_eq!(flake.run_with_cargo("app", &[]), text);
}

#[test]
#[ignore = "needs Nix"]
fn a_member_of_a_workspace_in_a_git_repository() {
    let repository = repository(&[
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"outer\", \"inner\"]\n\n\
             [workspace.package]\nversion = \"0.3.0\"\nedition = \"2024\"\n\n\
             [workspace.dependencies]\ninner = { path = \"inner\" }\n",
        ),
        (
            "outer/Cargo.toml",
            "[package]\nname = \"outer\"\nversion.workspace = true\nedition.workspace = true\n\n\
             [features]\nloud = []\n\n[dependencies]\ninner.workspace = true\n",
        ),
        (
            "outer/src/lib.rs",
            "pub fn word() -> String {\n    \
             if cfg!(feature = \"loud\") { inner::WORD.to_uppercase() } else { inner::WORD.to_owned() }\n}\n",
        ),
        (
            "inner/Cargo.toml",
            "[package]\nname = \"inner\"\nversion.workspace = true\nedition.workspace = true\n",
        ),
        ("inner/src/lib.rs", "pub const WORD: &str = \"inner\";\n"),
    ]);
    let flake = app(
        "",
        &format!(
            "outer = {{ git = \"{}\", branch = \"topic/one\", features = [\"loud\"] }}",
            url(&repository)
        ),
        "outer::word()",
        &[],
    );
    prints(&flake, "INNER");
}

#[test]
#[ignore = "needs Nix and the registry"]
fn one_version_from_git_and_from_the_registry() {
    let repository = repository(&[
        (
            "Cargo.toml",
            "[package]\nname = \"itoa\"\nversion = \"1.0.11\"\nedition = \"2024\"\n",
        ),
        ("src/lib.rs", "pub const WORD: &str = \"git\";\n"),
    ]);
    let flake = app(
        "",
        &format!(
            "itoa = \"=1.0.11\"\nother = {{ package = \"itoa\", git = \"{}\", version = \"1\" }}",
            url(&repository)
        ),
        "format!(\"{} {}\", itoa::Buffer::new().format(7), other::WORD)",
        &[],
    );
    prints(&flake, "7 git");
}

#[test]
#[ignore = "needs Nix and the registry"]
fn a_patch_from_git() {
    let repository = repository(&[
        (
            "Cargo.toml",
            "[package]\nname = \"ryu\"\nversion = \"1.0.99\"\nedition = \"2024\"\n",
        ),
        // Asks cargo about its own crate, which is no part of the workspace that it is built for.
        (
            "build.rs",
            r#"use std::{env, process::Command};

fn main() {
    let manifest = format!("{}/Cargo.toml", env::var("CARGO_MANIFEST_DIR").unwrap());
    let mut metadata = Command::new(env::var("CARGO").unwrap());
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path", &manifest]);
    let output = metadata.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("cargo::rerun-if-changed=Cargo.toml");
}
"#,
        ),
        ("src/lib.rs", "pub const WORD: &str = \"patched\";\n"),
    ]);
    let flake = app(
        &format!(
            "[patch.crates-io]\nryu = {{ git = \"{}\" }}\n",
            url(&repository)
        ),
        "ryu = \"1\"",
        "ryu::WORD.to_owned()",
        &[],
    );
    prints(&flake, "patched");
}

#[test]
#[ignore = "needs Nix and the registry"]
fn a_patch_in_a_workspace_of_its_own() {
    let flake = app(
        "[patch.crates-io]\nryu = { path = \"vendored/ryu\" }\n",
        "ryu = \"1\"",
        "ryu::word()",
        &[
            (
                "vendored/Cargo.toml",
                "[workspace]\nmembers = [\"ryu\", \"helper\"]\n\n\
                 [workspace.package]\nversion = \"1.0.99\"\nedition = \"2024\"\n\n\
                 [workspace.dependencies]\nhelper = { path = \"helper\" }\n",
            ),
            (
                "vendored/ryu/Cargo.toml",
                "[package]\nname = \"ryu\"\nversion.workspace = true\nedition.workspace = true\n\n\
                 [dependencies]\nhelper.workspace = true\n",
            ),
            (
                "vendored/ryu/src/lib.rs",
                "pub fn word() -> String {\n    helper::WORD.to_owned()\n}\n",
            ),
            (
                "vendored/helper/Cargo.toml",
                "[package]\nname = \"helper\"\nversion.workspace = true\nedition.workspace = true\n",
            ),
            (
                "vendored/helper/src/lib.rs",
                "pub const WORD: &str = \"helped\";\n",
            ),
        ],
    );
    prints(&flake, "helped");
}

/// `ryu` is a member, and a package outside `members` that a [patch] names.
#[test]
#[ignore = "needs Nix"]
fn a_patch_with_the_name_of_a_member() {
    let flake = app(
        "[patch.crates-io]\nryu = { path = \"vendored\" }\n",
        "other = { path = \"../other\" }\nryu = \"1\"",
        "format!(\"{} {}\", other::WORD, ryu::WORD)",
        &[
            (
                "other/Cargo.toml",
                &package("other", "\n[dependencies]\nryu = { path = \"../ryu\" }\n"),
            ),
            (
                "other/src/lib.rs",
                "//! Other.\n/// A word.\npub const WORD: &str = ryu::WORD;\n",
            ),
            ("ryu/Cargo.toml", &package("ryu", "")),
            (
                "ryu/src/lib.rs",
                "//! Word.\n/// A word.\npub const WORD: &str = \"member\";\n",
            ),
            (
                "vendored/Cargo.toml",
                &package("ryu", "").replace("0.1.0", "1.0.99"),
            ),
            (
                "vendored/src/lib.rs",
                "pub const WORD: &str = \"patched\";\n",
            ),
        ],
    );
    prints(&flake, "member patched");
}

/// As in workspaces that patch their own crates, so that whatever depends on them gets these.
#[test]
#[ignore = "needs Nix"]
fn a_member_that_is_a_patch_no_other_crate_needs() {
    let flake = app(
        "[patch.crates-io]\nryu = { path = \"ryu\" }\n",
        "ryu = { path = \"../ryu\" }",
        "ryu::WORD.to_owned()",
        &[
            ("ryu/Cargo.toml", &package("ryu", "")),
            (
                "ryu/src/lib.rs",
                "//! Word.\n/// A word.\npub const WORD: &str = \"member\";\n",
            ),
        ],
    );
    prints(&flake, "member");
}

/// A [patch] in the root manifest, one in cargo's configuration, and one of a git repository: `app` names all
/// three members as if they were somewhere else.
#[test]
#[ignore = "needs Nix and the registry"]
fn members_in_the_place_of_what_others_name_by_version_or_repository() {
    let replaced = repository(&[
        ("Cargo.toml", &package("digits", "")),
        ("src/lib.rs", "pub const WORD: &str = \"replaced\";\n"),
    ]);
    let member = |name, version| {
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n")
    };
    let word = |word| format!("//! Word.\n/// A word.\npub const WORD: &str = \"{word}\";\n");
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                &*format!(
                    "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"digits\", \"itoa\", \"ryu\"]\n\n\
                     [patch.crates-io]\nnumbers = {{ package = \"ryu\", path = \"ryu\" }}\n\n\
                     [patch.\"{0}\"]\ndigits = {{ path = \"digits\" }}\n",
                    url(&replaced)
                ),
            ),
            (
                ".cargo/config.toml",
                "[patch.crates-io]\nitoa = { path = \"itoa\" }\n",
            ),
            (
                "app/Cargo.toml",
                &package(
                    "app",
                    &format!(
                        "\n[dependencies]\nryu = \"1\"\nother = {{ package = \"itoa\", version = \"1\" }}\n\
                         digits = {{ git = \"{}\", branch = \"topic/one\" }}\n",
                        url(&replaced)
                    ),
                ),
            ),
            (
                "app/src/main.rs",
                &format!(
                    "{PRINTS_TEXT}fn text() -> String {{\n    \
                     format!(\"{{}} {{}} {{}}\", ryu::WORD, other::WORD, digits::WORD)\n}}\n"
                ),
            ),
            ("ryu/Cargo.toml", &member("ryu", "1.0.99")),
            ("ryu/src/lib.rs", &word("ryu")),
            ("itoa/Cargo.toml", &member("itoa", "1.0.99")),
            ("itoa/src/lib.rs", &word("itoa")),
            ("digits/Cargo.toml", &member("digits", "0.1.0")),
            ("digits/src/lib.rs", &word("digits")),
        ],
    );
    flake.lock();
    prints(&flake, "ryu itoa digits");
    flake.edit("ryu/src/lib.rs", "\"ryu\"", "\"edited\"");
    prints(&flake, "edited itoa digits");
}

#[test]
#[ignore = "needs Nix"]
fn a_lock_file_from_elsewhere() {
    let flake = app("", "", "\"locked\".to_owned()", &[]);
    flake.edit(
        "flake.nix",
        "// { }",
        "// { cargoLock = ./locks/app.lock; }",
    );
    fs::create_dir(flake.path().join("locks")).unwrap();
    fs::rename(
        flake.path().join("Cargo.lock"),
        flake.path().join("locks/app.lock"),
    )
    .unwrap();
    flake.build(STEPS).unwrap_or_else(|log| panic!("{log}"));
    assert_eq!(flake.run("dev", "app"), "locked");
}

/// `base` is a member that a crate outside `members` depends on by path; `ryu` one that a crate from git
/// depends on by a patch, and `digits` one that `ryu` is made of.
#[test]
#[ignore = "needs Nix"]
fn members_that_third_party_crates_depend_on() {
    let user = repository(&[
        (
            "Cargo.toml",
            &package("user", "\n[dependencies]\nryu = \"1\"\n"),
        ),
        ("src/lib.rs", "pub use ryu::WORD;\n"),
    ]);
    let flake = app(
        "[patch.crates-io]\nryu = { path = \"ryu\" }\n",
        &format!(
            "base = {{ path = \"../base\" }}\nryu = {{ path = \"../ryu\" }}\n\
             user = {{ git = \"{}\" }}\nvendored = {{ path = \"../vendored\" }}",
            url(&user)
        ),
        "format!(\"{} {} {} {}\", base::WORD, vendored::WORD, ryu::WORD, user::WORD)",
        &[
            ("base/Cargo.toml", &package("base", "")),
            (
                "base/src/lib.rs",
                "//! Base.\n/// A word.\npub const WORD: &str = \"base\";\n",
            ),
            (
                "vendored/Cargo.toml",
                &package(
                    "vendored",
                    "\n[dependencies]\nbase = { path = \"../base\" }\n",
                ),
            ),
            ("vendored/src/lib.rs", "pub use base::WORD;\n"),
            (
                "ryu/Cargo.toml",
                &format!(
                    "[package]\nname = \"ryu\"\nversion = \"1.0.99\"\nedition = \"2024\"\n\n\
                     [dependencies]\ndigits = {{ path = \"../digits\" }}\n\n\
                     [dev-dependencies]\nbase = {{ path = \"../base\" }}\nuser = {{ git = \"{}\" }}\n",
                    url(&user)
                ),
            ),
            (
                "ryu/src/lib.rs",
                "//! Numbers.\n/// A word.\npub const WORD: &str = digits::WORD;\n",
            ),
            (
                "ryu/tests/words.rs",
                "//! Tests.\n#[test]\nfn words() {\n    assert_eq!(ryu::WORD, user::WORD);\n    \
                 assert_eq!(base::WORD, \"base\");\n}\n",
            ),
            ("digits/Cargo.toml", &package("digits", "")),
            (
                "digits/src/lib.rs",
                "//! Digits.\n/// A word.\npub const WORD: &str = \"digits\";\n",
            ),
        ],
    );
    prints(&flake, "base base digits digits");
    flake.edit("digits/src/lib.rs", "\"digits\"", "\"edited\"");
    prints(&flake, "base base edited edited");
    // Their own tests and lints are run.
    for member in ["base", "ryu", "digits"] {
        flake.build(&[&format!("checks.test-{member}")]).unwrap();
        flake.build(&[&format!("checks.clippy-{member}")]).unwrap();
    }
    flake.edit("ryu/tests/words.rs", "\"base\"", "\"other\"");
    let log = flake.build(&["checks.test-ryu"]).unwrap_err();
    assert!(log.contains("test words ... FAILED"), "{log}");
}

/// It has a build script and lints, and so has what depends on it: all are compiled once.
#[test]
#[ignore = "needs Nix"]
fn a_root_package_that_third_party_crates_depend_on() {
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"app\"]\nexclude = [\"vendored\"]\n\n\
                 [package]\nname = \"base\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                 [dev-dependencies]\nvendored = { path = \"vendored\" }\n\n\
                 [lints.clippy]\nall = \"warn\"\n",
            ),
            (
                "build.rs",
                "//! Sets a word.\nfn main() {\n    println!(\"cargo::rustc-env=WORD=base\");\n}\n",
            ),
            (
                "src/lib.rs",
                "//! Base.\n/// A word.\npub const WORD: &str = env!(\"WORD\");\n",
            ),
            (
                "tests/words.rs",
                "//! Tests.\n#[test]\nfn words() {\n    assert_eq!(base::WORD, vendored::WORD);\n}\n",
            ),
            (
                "app/Cargo.toml",
                &package(
                    "app",
                    "\n[dependencies]\nbase = { path = \"..\" }\nvendored = { path = \"../vendored\" }\n",
                ),
            ),
            (
                "app/src/main.rs",
                &format!(
                    "{PRINTS_TEXT}fn text() -> String {{\n    \
                     format!(\"{{}} {{}}\", base::WORD, vendored::WORD)\n}}\n"
                ),
            ),
            (
                "vendored/Cargo.toml",
                &package("vendored", "\n[dependencies]\nbase = { path = \"..\" }\n"),
            ),
            (
                "vendored/build.rs",
                "fn main() {\n    println!(\"cargo::rustc-env=WORD=vendored\");\n}\n",
            ),
            ("vendored/src/lib.rs", "pub use base::WORD;\n"),
        ],
    );
    flake.lock();
    prints(&flake, "base base");
    flake.edit("build.rs", "WORD=base", "WORD=edited");
    prints(&flake, "edited edited");
    flake.edit("tests/words.rs", "base::WORD", "\"other\"");
    let log = flake.build(&["checks.test-base"]).unwrap_err();
    assert!(log.contains("test words ... FAILED"), "{log}");
}
