//! `mkWorkspace` takes what cargo takes: files that build scripts watch and write, links, paths, manifests and
//! configuration of all kinds. Where a file has to be named, the failure names it. See docs/tolerance.md.
//!
//! `cargo test --test tolerance -- --ignored`

mod support;

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use support::layers::{Flake, STEPS, package};

fn passes(flake: &Flake) {
    flake.lock();
    flake.build(STEPS).unwrap_or_else(|log| panic!("{log}"));
}

/// A workspace with resolver 3 and these members.
fn root(members: &str, rest: &str) -> String {
    format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n{rest}")
}

/// `app` on `library`, whose manifest ends in `rest`, with these files.
fn pair(arguments: &str, rest: &str, files: &[(&str, &str)]) -> Flake {
    let manifests = [
        ("Cargo.toml", root("\"app\", \"library\"", "")),
        ("library/Cargo.toml", package("library", rest)),
        (
            "app/Cargo.toml",
            package(
                "app",
                "\n[dependencies]\nlibrary = { path = \"../library\" }\n",
            ),
        ),
    ];
    let manifests = manifests
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        // A file of the test's own takes the place of one that is the same everywhere.
        .filter(|(path, _)| files.iter().all(|(own, _)| own != path));
    Flake::new(
        arguments,
        &manifests.chain(files.iter().copied()).collect::<Vec<_>>(),
    )
}

/// What makes cargo lay out its build folder as cargo 1.100 does by default.
const NEW_LAYOUT: &str =
    "{ env = { CARGO_UNSTABLE_BUILD_DIR_NEW_LAYOUT = \"true\"; RUSTC_BOOTSTRAP = \"1\"; }; }";

/// A build script that watches what no layer of a dependant holds, writes beside the code, and leaves a link, an
/// empty folder, an old file and a large one in `OUT_DIR`.
fn watched_and_written(arguments: &str) {
    let flake = pair(
        arguments,
        "links = \"library\"\n\n[dependencies]\nlocal = { path = \"../forks/local\" }\nryu = \"1\"\n",
        &[
            (
                "Cargo.toml",
                &root(
                    "\"app\", \"library\"",
                    "exclude = [\"forks\", \"vendored\"]\n",
                ),
            ),
            (
                ".cargo/config.toml",
                "[source.crates-io]\nreplace-with = \"committed\"\n\n[source.committed]\ndirectory = \"vendored\"\n",
            ),
            (
                "vendored/ryu/Cargo.toml",
                &package("ryu", "").replace("0.1.0", "1.0.99"),
            ),
            (
                "vendored/ryu/.cargo-checksum.json",
                "{\"files\":{},\"package\":null}",
            ),
            (
                "vendored/ryu/build.rs",
                "fn main() {\n    println!(\"cargo::rerun-if-changed=never.there\");\n}\n",
            ),
            ("vendored/ryu/src/lib.rs", ""),
            ("forks/local/Cargo.toml", &package("local", "")),
            (
                "forks/local/build.rs",
                "fn main() {\n    println!(\"cargo::rerun-if-changed=never.there\");\n}\n",
            ),
            ("forks/local/src/lib.rs", "pub static LOCAL: u8 = 1;\n"),
            ("library/words.txt", "one two\n"),
            (
                "library/build.rs",
                r#"//! Watches and writes.
use std::{env, fs, os::unix, path::PathBuf, time};

fn main() {
    for watched in ["words.txt", "../.git/HEAD", "tests/all.rs", "../Cargo.lock", "never there"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    assert!(fs::read_to_string("../Cargo.lock").unwrap().contains("library"));
    let words = fs::read_to_string("words.txt").unwrap();
    fs::write("src/words.rs", format!("{:?}\n", words.trim())).unwrap();
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let include = out.join("an include");
    fs::create_dir_all(include.join("empty")).unwrap();
    fs::write(include.join("old.h"), "old").unwrap();
    let old = time::SystemTime::UNIX_EPOCH + time::Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(include.join("old.h")).unwrap().set_modified(old).unwrap();
    fs::write(include.join("large"), vec![0; 100_000]).unwrap();
    // Named like folders of cargo's that no layer stores.
    for cargos in ["examples", "incremental", ".fingerprint"] {
        fs::create_dir_all(include.join(cargos)).unwrap();
        fs::write(include.join(cargos).join("invoked.timestamp"), cargos).unwrap();
    }
    let link = out.join("link");
    if !link.exists() {
        unix::fs::symlink(&include, &link).unwrap();
    }
    println!("cargo::metadata=include={}", link.display());
}
"#,
            ),
            (
                "library/src/lib.rs",
                "//! Library.\n/// Words.\npub const WORDS: &str = include!(\"words.rs\");\n\
                 /// More than cargo is given a copy of.\npub static LARGE: [u8; 100_000] = [1; 100_000];\n\
                 /// Crates that are no members.\npub use {local::LOCAL, ryu as third_party};\n",
            ),
            (
                "library/tests/all.rs",
                "//! Tests.\n#[test]\nfn has_words() {\n    assert_eq!(library::WORDS, \"one two\");\n}\n",
            ),
            (
                "app/build.rs",
                r#"//! Reads what another script left.
use std::{env, fs, path::PathBuf};

fn main() {
    let include = PathBuf::from(env::var("DEP_LIBRARY_INCLUDE").unwrap());
    assert_eq!(fs::read_to_string(include.join("old.h")).unwrap(), "old");
    assert_eq!(fs::read(include.join("large")).unwrap().len(), 100_000);
    assert!(include.join("empty").is_dir());
    for cargos in ["examples", "incremental", ".fingerprint"] {
        assert_eq!(fs::read_to_string(include.join(cargos).join("invoked.timestamp")).unwrap(), cargos);
    }
    println!("cargo::rerun-if-changed=build.rs");
    // What stands in for a file that is watched elsewhere is none that a script can take for it.
    assert!(fs::read_to_string("../.git/HEAD").is_err() || !cfg!(target_os = "linux"));
}
"#,
            ),
            (
                "app/src/main.rs",
                "//! App.\n\nfn main() {\n    println!(\"{}\", library::WORDS);\n}\n",
            ),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "one two");
    flake.edit("library/words.txt", "one", "three");
    assert_eq!(flake.run("dev", "app"), "three two");
}

#[test]
#[ignore = "needs Nix"]
fn files_that_build_scripts_watch_and_write() {
    watched_and_written("{ }");
}

#[test]
#[ignore = "needs Nix"]
fn files_that_build_scripts_watch_and_write_in_cargo_s_new_layout() {
    watched_and_written(NEW_LAYOUT);
}

/// Members, files and folders that are links, and targets whose path is in another folder.
#[test]
#[ignore = "needs Nix"]
fn modules_in_the_folder_of_a_dependency() {
    let flake = pair(
        "{ }",
        "",
        &[
            ("library/src/lib.rs", "//! Library.\n"),
            (
                "library/shared.rs",
                "pub(crate) const WORD: &str = \"word\";\n",
            ),
            ("app/src/main.rs", "//! App.\n\nfn main() {}\n"),
            (
                "app/tests/word.rs",
                "//! Words.\n\n#[path = \"../../library/shared.rs\"]\nmod shared;\n\n\
                 #[test]\nfn is_a_word() {\n    assert_eq!(shared::WORD, \"word\");\n}\n",
            ),
        ],
    );
    passes(&flake);
    // rustfmt follows the module, too.
    flake
        .build(&["checks.fmt"])
        .unwrap_or_else(|log| panic!("{log}"));
}

#[test]
#[ignore = "needs Nix"]
fn links_in_linked_folders() {
    let flake = pair(
        "{ }",
        "",
        &[
            ("library/src/lib.rs", "//! Library.\n"),
            ("common/note.txt", "note"),
            ("data/word.txt", "word"),
            (
                "app/src/main.rs",
                "//! App.\nuse library as _;\n\nfn main() {\n    \
                 println!(\"{}\", include_str!(\"linked/inner/word.txt\"));\n}\n",
            ),
        ],
    );
    symlink("../../common", flake.path().join("app/src/linked")).unwrap();
    symlink("../data", flake.path().join("common/inner")).unwrap();
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "word");
    flake.edit("data/word.txt", "word", "edited");
    assert_eq!(flake.run("dev", "app"), "edited");
}

#[test]
#[ignore = "needs Nix"]
fn links_and_paths() {
    let flake = Flake::new(
        "{ }",
        &[
            ("Cargo.toml", &*root("\"crates/*\"", "")),
            ("README.md", "Read me\n"),
            (
                "common/word.rs",
                "//! Shared.\n\n/// Word.\npub const WORD: &str = include_str!(\"word.txt\");\n",
            ),
            ("common/word.txt", "word"),
            (
                "common/main.rs",
                "//! Program.\n\nfn main() {\n    println!(\"{}\", env!(\"CARGO_PKG_NAME\"));\n}\n",
            ),
            (
                "elsewhere/one/Cargo.toml",
                &package(
                    "one",
                    "\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\npath = \"../../common/word.rs\"\n",
                ),
            ),
            ("elsewhere/one/tests/data/words.txt", "of one's tests\n"),
            ("elsewhere/one/tests/data/no-text.rs", "\0"),
            ("elsewhere/one/fixtures/no-text.rs", "\0"),
            (
                "crates/two/Cargo.toml",
                &package(
                    "two",
                    "\n[[bin]]\nname = \"two\"\npath = \"examples/two.rs\"\n\n[[bin]]\nname = \"more\"\n\
                     path = \"../../common/main.rs\"\n\n[dependencies]\none = { path = \"../one\" }\n",
                ),
            ),
            (
                "crates/two/examples/two.rs",
                "//! Program.\n\nfn main() {\n    println!(\"{}\", two::WORD);\n}\n",
            ),
            (
                "crates/two/src/lib.rs",
                "#![doc = include_str!(\"../README.md\")]\nmod linked;\npub use linked::WORD;\n\
                 /// How it is measured.\npub const BENCH: &str = include_str!(\"../benches/measure.rs\");\n",
            ),
            (
                "crates/two/benches/measure.rs",
                "//! Benchmark.\nfn main() {}\n",
            ),
            (
                "crates/three/Cargo.toml",
                &package(
                    "three",
                    "\n[dependencies]\none = { path = \"../one\" }\ntwo = { path = \"../two\" }\n",
                ),
            ),
            (
                "crates/three/src/lib.rs",
                "//! Three.\npub use two::WORD;\n",
            ),
            (
                "crates/three/tests/surroundings.rs",
                r#"//! Tests.
use std::{env, fs, process::Command};

#[test]
fn finds_programs_and_libraries_of_others() {
    let test = env::current_exe().unwrap();
    let folder = test.ancestors().find(|folder| folder.ends_with("debug")).unwrap();
    let output = Command::new(folder.join("two")).output().unwrap();
    assert_eq!(output.stdout, b"word\n");
    let library = format!("{}one{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    assert!(folder.join(library).is_file());
}

#[test]
fn finds_files() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../one/tests/data/words.txt");
    assert_eq!(fs::read_to_string(fixture).unwrap(), "of one's tests\n");
    assert_eq!(include_str!("data/word.txt"), "word");
    assert!(two::BENCH.contains("fn main"));
    assert!(fs::symlink_metadata("tests/broken").unwrap().is_symlink());
}
"#,
            ),
        ],
    );
    for (target, link) in [
        ("../elsewhere/one", "crates/one"),
        ("../../README.md", "crates/two/README.md"),
        ("../../../common/word.rs", "crates/two/src/linked.rs"),
        ("../../../common/word.txt", "crates/two/src/word.txt"),
        ("../../../common", "crates/three/tests/data"),
        ("/nowhere/at/all", "crates/three/tests/broken"),
    ] {
        symlink(target, flake.path().join(link)).unwrap();
    }
    passes(&flake);
    assert_eq!(flake.run("dev", "two"), "word");
}

/// Manifests that Nix cannot read as they are, and what build scripts and macros find in them.
#[test]
#[ignore = "needs Nix"]
fn manifests_as_cargo_reads_them() {
    let flake = pair(
        "{ }",
        "\n[features]\ndefault = [\"fast\"]\n\n#! Speed.\n\n## Is fast.\nfast = []\n\
         ## Needs more.\nmore = [\n  \"fast\", # as well\n]\n\n\
         [package.metadata.\"odd name\"]\nsince = 1979-05-27T07:32:00-07:00\nday = 1979-05-27\nhour = 07:32:00.5\n\
         numbers = [9223372036854775807, -0.5e-300, inf, -nan]\n\"ключ\" = {\n  \"a b\" = 'c\\d', # TOML 1.1\n  \
         escape = \"\\x41\\e\",\n}\n",
        &[
            (
                "Cargo.toml",
                &format!(
                    "\u{feff}{}",
                    root(
                        "\"app\", \"library\"",
                        "[workspace.metadata.limits]\nusers = 40\nsince = 2024-01-01\n"
                    )
                ),
            ),
            (
                "library/build.rs",
                r###"//! Reads manifests.
use std::fs;

fn main() {
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed=../Cargo.toml");
    let own = fs::read_to_string("Cargo.toml").unwrap();
    for part in [
        "[features]\n", "#! Speed.", "## Is fast.\nfast = []", "1979-05-27T07:32:00-07:00", "07:32:00.5",
        "9223372036854775807", "-nan", "ключ", "\"a b\"",
    ] {
        assert!(own.contains(part), "{part} is not in {own}");
    }
    let workspace = fs::read_to_string("../Cargo.toml").unwrap();
    assert!(workspace.contains("metadata") && workspace.contains("2024-01-01"), "{workspace}");
}
"###,
            ),
            ("library/src/lib.rs", "//! Library.\n"),
            (
                "app/Cargo.toml",
                &package(
                    "app",
                    "description = \"Tab\\tand \\u0001 and \\u007F\"\n\n[dependencies]\n\
                     library = { path = \"../library\", features = [\n  \"more\",\n], }\n",
                ),
            ),
            (
                "app/src/main.rs",
                "//! App.\nuse library as _;\n\nfn main() {\n    println!(\"{:?}\", env!(\"CARGO_PKG_DESCRIPTION\"));\n}\n",
            ),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), r#""Tab\tand \u{1} and \u{7f}""#);
}

/// Profiles, patches, included files, committed sources and files that flags name.
#[test]
#[ignore = "needs Nix"]
fn configuration_of_cargo() {
    let flake = pair(
        "{ }",
        "\n[dependencies]\nitoa = \"1\"\nryu = \"1\"\n\n[lints.rust]\n\
         unexpected_cfgs = { level = \"warn\", check-cfg = [\"cfg(special)\"] }\n",
        &[
            (
                "Cargo.toml",
                &root(
                    "\"app\", \"library\"",
                    "exclude = [\"forks\", \"vendored\"]\n",
                ),
            ),
            (
                ".cargo/config.toml",
                "include = [\"more.toml\"]\n\n[build]\nrustflags = [\"--cfg\", \"special\"]\n\n\
                 [patch.crates-io]\nitoa = { path = \"forks/itoa\" }\n\n\
                 [source.crates-io]\nreplace-with = \"committed\"\n\n[source.committed]\ndirectory = \"vendored\"\n",
            ),
            (
                ".cargo/more.toml",
                "[profile.dev]\noverflow-checks = false\n\n[profile.test]\nopt-level = 1\n\n[env]\nSAID = \"here\"\n\n\
                 [target.'cfg(unix)']\nrustflags = [\"--cfg\", \"special\", \"-Clink-arg=@link/arguments.txt\"]\n",
            ),
            ("link/arguments.txt", ""),
            (
                "forks/itoa/Cargo.toml",
                &package("itoa", "").replace("0.1.0", "1.0.99"),
            ),
            (
                "forks/itoa/src/lib.rs",
                "pub fn forked() -> u8 {\n    255\n}\n",
            ),
            (
                "vendored/ryu/Cargo.toml",
                &package("ryu", "").replace("0.1.0", "1.0.99"),
            ),
            (
                "vendored/ryu/.cargo-checksum.json",
                "{\"files\":{},\"package\":null}",
            ),
            (
                "vendored/ryu/src/lib.rs",
                "pub fn committed() -> u8 {\n    2\n}\n",
            ),
            (
                "library/src/lib.rs",
                "//! Library.\n/// Sum.\n#[must_use]\npub fn sum() -> u8 {\n    \
                 itoa::forked() + ryu::committed() + u8::from(cfg!(special))\n}\n",
            ),
            (
                "app/src/main.rs",
                "//! App.\n\nfn main() {\n    println!(\"{} {}\", library::sum(), env!(\"SAID\"));\n}\n",
            ),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "2 here");
}

/// Neither member compiles for the host.
#[test]
#[ignore = "needs Nix"]
fn the_target_that_cargo_s_configuration_names() {
    let flake = pair(
        "{ targets.native = { nativeBuildInputs = [ pkgs.lld ]; \
         env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER = \"wasm-ld\"; }; }",
        "",
        &[
            (
                ".cargo/config.toml",
                "[build]\ntarget = \"wasm32-unknown-unknown\"\n",
            ),
            (
                "library/src/lib.rs",
                "//! Library.\n#![no_std]\n#[cfg(not(target_arch = \"wasm32\"))]\ncompile_error!(\"the host\");\n",
            ),
            (
                "app/src/lib.rs",
                "//! App.\n#![no_std]\nuse library as _;\n\n/// Grows the memory.\n#[must_use]\n\
                 pub fn grow() -> usize {\n    core::arch::wasm32::memory_grow(0, 1)\n}\n",
            ),
        ],
    );
    flake.lock();
    flake
        .build(&["checks.build", "checks.clippy", "checks.doc"])
        .unwrap_or_else(|log| panic!("{log}"));
    // This machine cannot run their tests, until there is something that can.
    let has_tests = |flake: &Flake| flake.checks().contains("test-app");
    assert!(!has_tests(&flake));
    flake.edit(
        "flake.nix",
        "\"wasm-ld\";",
        "\"wasm-ld\"; testEnv.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER = \"true\";",
    );
    assert!(has_tests(&flake));
}

/// `build.target` is what the table of targets does not have, or what is no target.
#[test]
#[ignore = "needs Nix"]
fn other_targets_that_cargo_s_configuration_names() {
    let flake = pair(
        "{ }",
        "",
        &[
            ("library/src/lib.rs", "//! Library.\n"),
            ("app/src/lib.rs", "//! App.\n"),
        ],
    );
    flake.lock();
    for (target, refusal) in [
        (
            "[\"host-tuple\", \"wasm32-unknown-unknown\"]",
            ".cargo/config.toml names several targets",
        ),
        (
            "\"targets/mine.json\"",
            "leave it out there, and give it to cargo (`--target targets/mine.json`)",
        ),
        (
            "\"mine.v1-unknown-mine\"",
            "targets.\"mine.v1-unknown-mine\".cfg = [ … ];",
        ),
    ] {
        let configuration = format!("[build]\ntarget = {target}\n");
        flake.write(".cargo/config.toml", &configuration);
        let log = flake.build(&["checks.build"]).unwrap_err();
        assert!(log.contains(refusal), "{log}");
    }
    flake.edit(
        "flake.nix",
        "// { })",
        "// { targets.\"mine.v1-unknown-mine\".cfg = [ \"unix\" \"target_os=\\\"mine\\\"\" ]; })",
    );
    let checks = flake.checks();
    assert!(
        checks.contains("build-app") && !checks.contains("test-app"),
        "{checks:?}"
    );
    flake.derivations();
    // The host's own name is the host.
    flake.write(".cargo/config.toml", "[build]\ntarget = [\"host-tuple\"]\n");
    assert!(flake.checks().contains("test-app"));
}

/// A member beside the published crate that has its name, of which both have a version that would do.
#[test]
#[ignore = "needs Nix and the registry"]
fn a_member_beside_the_crate_of_its_name() {
    beside_the_crate_of_its_name("1");
}

#[test]
#[ignore = "needs Nix and the registry"]
fn a_member_beside_the_crate_of_its_name_and_version() {
    beside_the_crate_of_its_name("=1.0.1");
}

fn beside_the_crate_of_its_name(published: &str) {
    let flake = Flake::new(
        "{ }",
        &[
            ("Cargo.toml", &*root("\"app\", \"its folder\"", "")),
            (
                "its folder/Cargo.toml",
                &package(
                    "itoa",
                    &format!(
                        "\n[dev-dependencies]\nbefore = {{ package = \"itoa\", version = \"{published}\" }}\n"
                    ),
                )
                .replace("0.1.0", "1.0.1"),
            ),
            (
                "its folder/src/lib.rs",
                "//! Member.\n/// New.\npub const NEW: u8 = 9;\n",
            ),
            (
                "its folder/tests/before.rs",
                "//! Tests.\n#[test]\nfn before() {\n    assert_eq!(before::Buffer::new().format(itoa::NEW), \"9\");\n}\n",
            ),
            (
                "app/Cargo.toml",
                &package(
                    "app",
                    &format!(
                        "\n[dependencies]\nitoa = {{ path = \"../its folder\" }}\n\
                         old = {{ package = \"itoa\", version = \"{published}\" }}\n\n\
                         [target.'cfg(all(target_has_atomic = \"ptr\", panic = \"unwind\"))'.dependencies]\ncfg-if = \"1\"\n",
                    ),
                ),
            ),
            (
                "app/src/main.rs",
                "//! App.\nuse cfg_if as _;\n\nfn main() {\n    println!(\"{}\", old::Buffer::new().format(itoa::NEW));\n}\n",
            ),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "9");
}

/// What tests print, and macros while they expand, is not taken for what cargo says.
#[test]
#[ignore = "needs Nix"]
fn output_that_looks_like_messages_of_cargo() {
    let print = "    let mut out = std::io::stdout();\n    \
         out.write_all(b\"\\0\\xff\\n{\\\"reason\\\":\\\"compiler-artifact\\\",\\\"fresh\\\":false}\\n{\\\"reason\\\":\\\"cut off\").unwrap();\n";
    let flake = pair(
        "{ }",
        "\n[lib]\nproc-macro = true\n\n[[test]]\nname = \"prints\"\nharness = false\n",
        &[
            (
                "library/src/lib.rs",
                &format!(
                    "//! Library.\nuse std::io::Write as _;\n\n/// Prints.\n#[proc_macro]\n\
                     pub fn printing(input: proc_macro::TokenStream) -> proc_macro::TokenStream {{\n{print}    input\n}}\n"
                ),
            ),
            (
                "library/tests/prints.rs",
                &format!("//! Prints.\nuse std::io::Write as _;\n\nfn main() {{\n{print}}}\n"),
            ),
            (
                "app/src/main.rs",
                "//! App.\nlibrary::printing! {\n    fn main() {}\n}\n",
            ),
        ],
    );
    passes(&flake);
}

/// They read manifests as they are, files of others, and what cargo says of the workspace.
#[test]
#[ignore = "needs Nix"]
fn tests_that_look_at_the_workspace() {
    let flake = pair(
        "{ }",
        "description = 'Of # use' # kept\n\n[dev-dependencies]\ncargo_metadata = \"0.23\"\n",
        &[
            ("library/src/lib.rs", "//! Library.\n"),
            (
                "library/tests/metadata.rs",
                r#"//! What cargo says, as a crate asks it.
#[test]
fn finds_app() {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().unwrap();
    assert!(metadata.packages.iter().any(|package| package.name == "app"));
}
"#,
            ),
            ("README.md", "About app\n"),
            (
                ".cargo/config.toml",
                "[target.'cfg(unix)']\nrunner = \"tools/run --\"\n\n\
                 [target.thumbv6m-none-eabi]\nrunner = \"none\"\n",
            ),
            ("tools/run", "#!/bin/sh\nshift\nSAID=here exec \"$@\"\n"),
            (
                "app/src/main.rs",
                "//! App.\nuse library as _;\n\nfn main() {}\n",
            ),
            (
                "app/tests/workspace.rs",
                r#"//! Workspace.
use library as _;
use std::env::var;
use std::fs::{exists, read_to_string};
use std::process::Command;

#[test]
fn looks() {
    let manifest = read_to_string("../library/Cargo.toml").unwrap();
    assert!(manifest.contains("description = 'Of # use' # kept"));
    assert_eq!(read_to_string("../README.md").unwrap(), "About app\n");
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--no-deps", "--format-version=1"])
        .output()
        .unwrap();
    let metadata = String::from_utf8(metadata.stdout).unwrap();
    assert!(metadata.contains("/library#0.1.0"));
    assert!(!exists("../gantry-dependencies").unwrap());
    // The runner of the configuration has started it.
    assert_eq!(var("SAID").unwrap(), "here");
}
"#,
            ),
        ],
    );
    let runner = flake.path().join("tools/run");
    set_permissions(runner, Permissions::from_mode(0o755)).unwrap();
    passes(&flake);
    flake.edit("README.md", "app", "it");
    let log = flake.build(&["checks.test-app"]).unwrap_err();
    assert!(log.contains("test looks ... FAILED"), "{log}");
    assert!(
        log.contains("since app/tests/workspace.rs names a manifest or runs cargo")
            && log.contains("note:   members.app.testsReadWorkspace = false;"),
        "{log}"
    );
    flake
        .build(&["checks.test-library", "checks.clippy-app"])
        .unwrap();

    flake.edit("README.md", "it", "app");
    flake.edit(
        "flake.nix",
        "// { })",
        "// { members.app.source = \"workspace\"; })",
    );
    flake.build(&["checks.test-app"]).unwrap();
    flake.edit(
        "flake.nix",
        "source = \"workspace\"",
        "testsReadWorkspace = false",
    );
    let log = flake.build(&["checks.test-app"]).unwrap_err();
    assert!(
        log.contains("test looks ... FAILED") && !log.contains("testsReadWorkspace"),
        "{log}"
    );
    flake.edit("flake.nix", "Workspace = false", "Workspace = \"no\"");
    let log = flake.build(&["checks.test-app"]).unwrap_err();
    assert!(
        log.contains("members.app.testsReadWorkspace is true or false"),
        "{log}"
    );
}

/// Code, a build script and tests that name files outside their member by paths that can be read there.
#[test]
#[ignore = "needs Nix"]
fn files_that_paths_name() {
    let flake = pair(
        "{ }",
        "",
        &[
            ("README.md", "first"),
            ("proto/one.proto", "message"),
            ("data/one.txt", "data"),
            ("other/Cargo.toml", &package("other", "")),
            ("other/src/lib.rs", "//! Other.\n"),
            ("other/data/two.txt", "two"),
            ("Cargo.toml", &root("\"app\", \"library\", \"other\"", "")),
            ("library/src/lib.rs", "//! Library.\n"),
            (
                "app/build.rs",
                r#"//! Reads a folder of no member.
fn main() {
    println!("cargo::rerun-if-changed=../proto");
    assert_eq!(std::fs::read("../proto/one.proto").unwrap(), b"message");
}
"#,
            ),
            (
                "app/src/main.rs",
                r#"//! App.
use library as _;

fn main() {
    println!("{}", include_str!("../../README.md"));
}
"#,
            ),
            (
                "app/tests/all.rs",
                r#"//! Tests.
#[test]
fn files_of_others() {
    let name = "one";
    let path = format!("{}/../data/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(std::fs::read(path).unwrap(), b"data");
    assert_eq!(std::fs::read("../other/data/two.txt").unwrap(), b"two");
}
"#,
            ),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "first");
    flake.edit("README.md", "first", "second");
    assert_eq!(flake.run("dev", "app"), "second");
}

/// `app` reads files of no member while it is compiled and while it is tested.
fn reads_files_of_no_member(arguments: &str) -> Flake {
    let flake = pair(
        arguments,
        "",
        &[
            ("library/src/lib.rs", "//! Library.\n"),
            ("data/one.txt", "one"),
            ("more/two.txt", "two"),
            (
                "app/src/main.rs",
                r#"//! App.
use library as _;

macro_rules! data {
    ($name:literal) => {
        include_str!(concat!("../../", $name))
    };
}

fn main() {
    println!("{} {}", data!("data/one.txt"), data!("more/two.txt"));
}
"#,
            ),
        ],
    );
    flake.lock();
    flake
}

#[test]
#[ignore = "needs Nix"]
fn a_failure_names_all_files_that_were_missed() {
    let flake = reads_files_of_no_member("{ }");
    let log = flake.build(&["checks.build-app"]).unwrap_err();
    assert!(
        log.contains("note:   members.app.files = [ \"data\" \"more\" ];"),
        "{log}"
    );
    assert!(log.contains("files = [ \"data\" \"more\" ];"), "{log}");
    for arguments in [
        "{ members.app.files = [ \"data\" \"more\" ]; }",
        "{ files = [ \"data\" \"more\" ]; }",
        "{ members.app.source = \"workspace\"; }",
        "{ source = \"workspace\"; }",
    ] {
        let flake = reads_files_of_no_member(arguments);
        flake.build(STEPS).unwrap_or_else(|log| panic!("{log}"));
        assert_eq!(flake.run("dev", "app"), "one two");
    }
}

/// As macros and build scripts of crates say it that embed pages, schemas, migrations and queries.
#[test]
#[ignore = "needs Nix"]
fn a_failure_names_what_was_missed_in_other_words() {
    let flake = pair(
        "{ }",
        "",
        &[
            ("library/src/lib.rs", "//! Library.\n"),
            (".sqlx/query.json", "{}"),
            ("migrations/one.sql", ""),
            ("proto/one.proto", ""),
            ("schema/one.graphql", ""),
            ("ui/index.html", ""),
            (
                "app/build.rs",
                r#"//! Looks for what it embeds.
use std::path::Path;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut complete = true;
    for (path, words) in [
        (".sqlx", "there is no cached data for this query, run `cargo sqlx prepare` to update the query cache"),
        ("migrations", "Unable to find migrations directory in {}"),
        ("proto/one.proto", "file '{}' is not in any include path"),
        ("schema/one.graphql", "Could not find file with path: {}"),
        ("ui", "folder '{}' does not exist"),
    ] {
        let path = root.join(path);
        if !path.exists() {
            eprintln!("{}", words.replace("{}", path.to_str().unwrap()));
            complete = false;
        }
    }
    assert!(complete);
}
"#,
            ),
            ("app/src/lib.rs", "//! App.\n"),
        ],
    );
    flake.lock();
    let files = "files = [ \".sqlx\" \"migrations\" \"proto\" \"schema\" \"ui\" ];";
    let log = flake.build(&["checks.build-app"]).unwrap_err();
    assert!(
        log.contains(&format!("note:   members.app.{files}")),
        "{log}"
    );
    flake.edit("flake.nix", "// { })", &format!("// {{ {files} }})"));
    flake.build(STEPS).unwrap_or_else(|log| panic!("{log}"));
}

/// A package that is used by path, is no member, and reads what is beside its folder.
#[test]
#[ignore = "needs Nix"]
fn a_path_dependency_that_reads_files_of_no_member() {
    let flake = pair(
        "{ }",
        "\n[dependencies]\nlocal = { path = \"../forks/local\" }\n",
        &[
            (
                "Cargo.toml",
                &root("\"app\", \"library\"", "exclude = [\"forks\"]\n"),
            ),
            ("forks/local/Cargo.toml", &package("local", "")),
            (
                "forks/local/build.rs",
                r#"//! Reads a file by a path from its own folder.
fn main() {
    let path = "../shared/text";
    std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
}
"#,
            ),
            (
                "forks/local/src/lib.rs",
                "pub static WORDS: &str = include_str!(\"../../words/one\");\n",
            ),
            ("forks/shared/text", ""),
            ("forks/words/one", ""),
            (
                "library/src/lib.rs",
                "//! Library.\npub use local::WORDS;\n",
            ),
            ("app/src/lib.rs", "//! App.\n"),
        ],
    );
    flake.lock();
    let log = flake.build(&["checks.build-app"]).unwrap_err();
    assert!(
        log.contains("note:   files = [ \"forks/shared\" ];"),
        "{log}"
    );
    let shared = "// { files = [ \"forks/shared\" ]; })";
    flake.edit("flake.nix", "// { })", shared);
    let log = flake.build(&["checks.build-app"]).unwrap_err();
    assert!(
        log.contains("note:   files = [ \"forks/words\" ];"),
        "{log}"
    );
    flake.edit(
        "flake.nix",
        shared,
        "// { files = [ \"forks/shared\" \"forks/words\" ]; })",
    );
    flake.build(STEPS).unwrap_or_else(|log| panic!("{log}"));
}

/// A test that runs the program of a member that its own does not depend on.
#[test]
#[ignore = "needs Nix"]
fn programs_of_members_that_are_no_dependencies() {
    let flake = Flake::new(
        "{ }",
        &[
            ("Cargo.toml", &*root("\"app\", \"checks\"", "")),
            ("app/Cargo.toml", &package("app", "")),
            ("app/src/main.rs", "//! App.\n\nfn main() {}\n"),
            ("checks/Cargo.toml", &package("checks", "")),
            (
                "checks/tests/app.rs",
                r#"//! Tests.
#[test]
fn runs() {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().find(|folder| folder.ends_with("debug")).unwrap();
    let app = folder.join("app");
    assert!(app.exists(), "not found: {}", app.display());
    assert!(std::process::Command::new(app).status().unwrap().success());
}
"#,
            ),
        ],
    );
    flake.lock();
    let log = flake.build(&["checks.test-checks"]).unwrap_err();
    assert!(
        log.contains("note:   members.checks.programs = [ \"app\" ];"),
        "{log}"
    );
    flake.edit(
        "flake.nix",
        "// { })",
        "// { members.checks.programs = [ \"app\" ]; })",
    );
    flake
        .build(&["checks.test-checks"])
        .unwrap_or_else(|log| panic!("{log}"));
}

/// Errors of evaluation name the file.
#[test]
#[ignore = "needs Nix"]
fn a_manifest_that_is_no_toml_is_named() {
    let flake = pair("{ }", "\nthis is no TOML\n", &[]);
    flake.write("Cargo.lock", "version = 4\n");
    let log = flake.build(&["checks.build-app"]).unwrap_err();
    assert!(
        log.contains("library/Cargo.toml") && log.contains("this is no TOML"),
        "{log}"
    );
}
