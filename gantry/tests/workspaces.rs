//! `mkWorkspace` on workspaces of many shapes: each builds, passes its tests and its lints.
//!
//! `cargo test --test workspaces -- --ignored`

mod support;

use support::layers::{Flake, STEPS, package};

fn passes(flake: &Flake) {
    flake.lock();
    flake.build(STEPS).unwrap_or_else(|log| panic!("{log}"));
}

const WORD: &str = "/// A word.\n#[must_use]\npub fn word() -> &'static str {\n    \"word\"\n}\n";

#[test]
#[ignore = "needs Nix"]
fn a_root_package_with_nested_renamed_and_excluded_packages() {
    let flake = Flake::new(
        "{ members.outer.files = [ \"data/outside.txt\" ]; members.app.testFiles = [ \"data/expected.txt\" ]; }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"vendored\", \"crates/broken\"]\n\
                 default-members = [\"crates/outer\"]\n\n[workspace.package]\nversion = \"0.3.0\"\nedition = \"2024\"\n\n\
                 [workspace.dependencies]\ninner = { path = \"crates/outer/inner\", default-features = false }\n\n"
                    .to_owned()
                    + "[package]\nname = \"app\"\nversion.workspace = true\nedition.workspace = true\nautobins = false\n\n\
                       [[bin]]\nname = \"app\"\npath = \"program.rs\"\n\n\
                       [[bin]]\nname = \"more\"\npath = \"program.rs\"\nrequired-features = [\"more\"]\n\n\
                       [[test]]\nname = \"named\"\npath = \"checks/named.rs\"\n\n\
                       [features]\ndefault = [\"deep/shout\"]\nmore = []\n\n\
                       [dependencies]\nrenamed = { package = \"outer\", path = \"crates/outer\" }\n\
                       deep = { package = \"inner\", path = \"crates/outer/inner\" }\nvendored = { path = \"vendored\" }\n",
            ),
            (
                "program.rs",
                "//! The program.\nfn main() {\n    println!(\"{} {} {}\", renamed::text(), deep::word(), vendored::word());\n}\n"
                    .to_owned(),
            ),
            ("src/bin/ignored.rs", "this is no Rust\n".to_owned()),
            ("build.rs", "//! Asks for nothing.\nfn main() {}\n".to_owned()),
            (
                "checks/named.rs",
                "//! Tests.\n#[test]\nfn prints() {\n    \
                 let output = std::process::Command::new(env!(\"CARGO_BIN_EXE_app\")).output().unwrap();\n    \
                 let expected = std::fs::read_to_string(\"data/expected.txt\").unwrap();\n    \
                 assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);\n}\n"
                    .to_owned(),
            ),
            ("data/outside.txt", "outside".to_owned()),
            ("data/expected.txt", "outside WORD word\n".to_owned()),
            (
                "crates/outer/Cargo.toml",
                package("outer", "\n[lib]\npath = \"code.rs\"\n\n[dependencies]\ninner.workspace = true\n"),
            ),
            (
                "crates/outer/code.rs",
                "//! Outer.\n/// A file outside.\n#[must_use]\npub fn text() -> &'static str {\n    \
                 let _ = inner::word();\n    include_str!(\"../../data/outside.txt\")\n}\n"
                    .to_owned(),
            ),
            (
                "crates/outer/inner/Cargo.toml",
                package("inner", "\n[features]\ndefault = []\nshout = []\n"),
            ),
            (
                "crates/outer/inner/src/lib.rs",
                "//! Inner.\n/// A word.\n#[must_use]\npub fn word() -> &'static str {\n    \
                 if cfg!(feature = \"shout\") { \"WORD\" } else { \"word\" }\n}\n"
                    .to_owned(),
            ),
            ("crates/broken/Cargo.toml", "this is no TOML".to_owned()),
            ("vendored/Cargo.toml", package("vendored", "\n[workspace]\n")),
            ("vendored/src/lib.rs", format!("//! Vendored.\n{WORD}")),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "outside WORD word");
    assert_eq!(flake.run_with_cargo("app", &[]), "outside WORD word");
}

#[test]
#[ignore = "needs Nix"]
fn macros_build_scripts_and_what_they_share() {
    let flake = Flake::new(
        "{ members.native.env.ASKED = \"yes\"; members.app.testInputs = [ pkgs.jq ]; \
           members.app.testEnv.SAID = \"here\"; }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"2\"\nmembers = [\"app\", \"macros\", \"native\", \"shared\"]\n".to_owned(),
            ),
            ("shared/Cargo.toml", package("shared", "\n[features]\nhost = []\n")),
            (
                "shared/src/lib.rs",
                format!(
                    "//! Shared.\n{WORD}/// Whether a tool on the host asked for more.\n#[must_use]\n\
                     pub fn host() -> bool {{\n    cfg!(feature = \"host\")\n}}\n"
                ),
            ),
            (
                "macros/Cargo.toml",
                package(
                    "macros",
                    "\n[lib]\nproc-macro = true\n\n[dependencies]\nshared = { path = \"../shared\", features = [\"host\"] }\n",
                ),
            ),
            (
                "macros/src/lib.rs",
                "//! Macros.\n/// Whether the macro has the feature.\n#[proc_macro]\n\
                 pub fn host(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    \
                 shared::host().to_string().parse().unwrap()\n}\n"
                    .to_owned(),
            ),
            (
                "native/Cargo.toml",
                package("native", "links = \"native\"\n\n[build-dependencies]\nshared = { path = \"../shared\" }\n"),
            ),
            (
                "native/build.rs",
                "//! Says something to dependants.\nfn main() {\n    \
                 println!(\"cargo::metadata=word={}-{}\", shared::word(), std::env::var(\"ASKED\").unwrap_or_default());\n    \
                 println!(\"cargo::rerun-if-env-changed=ASKED\");\n}\n"
                    .to_owned(),
            ),
            ("native/src/lib.rs", "//! Native.\n".to_owned()),
            (
                "app/Cargo.toml",
                package(
                    "app",
                    "\n[dependencies]\nmacros = { path = \"../macros\" }\nnative = { path = \"../native\" }\n\
                     shared = { path = \"../shared\" }\n\n\
                     [target.'cfg(windows)'.dependencies]\nabsent = { path = \"../absent\" }\n\n\
                     [[example]]\nname = \"shown\"\n\n[[bench]]\nname = \"timed\"\nharness = false\n",
                ),
            ),
            // Without rerun-if-changed: cargo looks at all files of the package.
            (
                "app/build.rs",
                "//! Hands on what it heard.\nfn main() {\n    \
                 println!(\"cargo::rustc-env=HEARD={}\", std::env::var(\"DEP_NATIVE_WORD\").unwrap());\n}\n"
                    .to_owned(),
            ),
            (
                "app/src/main.rs",
                "//! App.\nuse native as _;\n\nfn main() {\n    \
                 println!(\"{} {} {}\", env!(\"HEARD\"), macros::host!(), shared::host());\n}\n"
                    .to_owned(),
            ),
            ("app/examples/shown.rs", "//! Example.\nfn main() {}\n".to_owned()),
            ("app/benches/timed.rs", "//! Benchmark.\nfn main() {}\n".to_owned()),
            (
                "app/tests/surroundings.rs",
                "//! Tests.\n#[test]\nfn finds_its_tools() {\n    \
                 assert!(std::process::Command::new(\"jq\").arg(\"--version\").output().is_ok());\n    \
                 assert_eq!(std::env::var(\"SAID\").unwrap(), \"here\");\n}\n"
                    .to_owned(),
            ),
            ("absent/Cargo.toml", package("absent", "")),
            ("absent/src/lib.rs", "compile_error!(\"only for Windows\");\n".to_owned()),
        ],
    );
    flake.edit(
        "Cargo.toml",
        "\"shared\"]",
        "\"shared\"]\nexclude = [\"absent\"]",
    );
    passes(&flake);
    assert_eq!(
        flake.run("dev", "app"),
        flake.run_with_cargo("app", &[("ASKED", "yes")])
    );
}

/// What a build script asks of a crate changes nothing of that crate in a program, a macro beside it or not.
#[test]
#[ignore = "needs Nix"]
fn features_on_the_host_alone() {
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"macros\"]\nexclude = [\"vendored\"]\n"
                    .to_owned(),
            ),
            ("vendored/Cargo.toml", package("vendored", "\n[features]\nloud = []\n")),
            (
                "vendored/src/lib.rs",
                "#[must_use]\npub fn word() -> &'static str {\n    \
                 if cfg!(feature = \"loud\") { \"LOUD\" } else { \"quiet\" }\n}\n"
                    .to_owned(),
            ),
            ("macros/Cargo.toml", package("macros", "\n[lib]\nproc-macro = true\n")),
            (
                "macros/src/lib.rs",
                "//! Macros.\n/// One.\n#[proc_macro]\n\
                 pub fn one(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    \
                 \"1\".parse().unwrap()\n}\n"
                    .to_owned(),
            ),
            (
                "app/Cargo.toml",
                package(
                    "app",
                    "\n[dependencies]\nmacros = { path = \"../macros\" }\nvendored = { path = \"../vendored\" }\n\n\
                     [build-dependencies]\nvendored = { path = \"../vendored\", features = [\"loud\"] }\n",
                ),
            ),
            (
                "app/build.rs",
                "//! Speaks.\nfn main() {\n    println!(\"cargo::rustc-env=SAID={}\", vendored::word());\n}\n"
                    .to_owned(),
            ),
            (
                "app/src/main.rs",
                "//! App.\nfn main() {\n    println!(\"{} {} {}\", macros::one!(), env!(\"SAID\"), vendored::word());\n}\n"
                    .to_owned(),
            ),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "1 LOUD quiet");
    assert_eq!(flake.run_with_cargo("app", &[]), "1 LOUD quiet");
}

#[test]
#[ignore = "needs Nix"]
fn dev_dependencies_in_circles_and_features_of_tests() {
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"base\", \"helpers\", \"app\"]\n".to_owned(),
            ),
            (
                "base/Cargo.toml",
                package(
                    "base",
                    "\n[features]\ntesting = []\n\n[dev-dependencies]\nhelpers = { path = \"../helpers\" }\n",
                ),
            ),
            (
                "base/src/lib.rs",
                "//! Base.\n/// One.\n#[must_use]\npub fn one() -> u8 {\n    1\n}\n\n\
                 /// Whether tests asked for more.\n#[must_use]\npub fn testing() -> bool {\n    cfg!(feature = \"testing\")\n}\n"
                    .to_owned(),
            ),
            (
                "base/tests/helped.rs",
                "//! Tests.\n#[test]\nfn helped() {\n    assert_eq!(helpers::two(), base::one() + 1);\n}\n".to_owned(),
            ),
            (
                "helpers/Cargo.toml",
                package("helpers", "\n[dependencies]\nbase = { path = \"../base\" }\n"),
            ),
            (
                "helpers/src/lib.rs",
                "//! Helpers.\n/// Two.\n#[must_use]\npub fn two() -> u8 {\n    base::one() + 1\n}\n".to_owned(),
            ),
            (
                "app/Cargo.toml",
                package(
                    "app",
                    "\n[dependencies]\nbase = { path = \"../base\" }\n\n\
                     [dev-dependencies]\nbase = { path = \"../base\", features = [\"testing\"] }\n",
                ),
            ),
            (
                "app/src/main.rs",
                "//! App.\nfn main() {\n    println!(\"{}\", base::testing());\n}\n\n\
                 #[cfg(test)]\nmod tests {\n    #[test]\n    fn has_more() {\n        assert!(base::testing());\n    }\n}\n"
                    .to_owned(),
            ),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "false");
    assert_eq!(flake.run_with_cargo("app", &[]), "false");
}

#[test]
#[ignore = "needs Nix and the registry"]
fn third_party_crates_patched_optional_and_in_two_versions() {
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"library\"]\nexclude = [\"patched\"]\n\n\
                 [patch.crates-io]\nryu = { path = \"patched\" }\n\n[profile.release]\nlto = \"thin\"\n"
                    .to_owned(),
            ),
            (
                "patched/Cargo.toml",
                "[package]\nname = \"ryu\"\nversion = \"1.0.99\"\nedition = \"2024\"\n".to_owned(),
            ),
            ("patched/src/lib.rs", format!("//! Patched.\n{WORD}")),
            (
                "library/Cargo.toml",
                package(
                    "library",
                    "\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
                     [features]\nnumbers = [\"dep:itoa\"]\n\n[dependencies]\n\
                     itoa = { version = \"1\", optional = true }\nold = { package = \"itoa\", version = \"0.4\" }\nryu = \"1\"\n",
                ),
            ),
            (
                "library/src/lib.rs",
                "//! Library.\n/// Text.\n#[must_use]\npub fn text() -> String {\n    let mut old = String::new();\n    \
                 old::fmt(&mut old, 4).unwrap();\n    #[cfg(feature = \"numbers\")]\n    \
                 old.push_str(itoa::Buffer::new().format(2));\n    format!(\"{} {old}\", ryu::word())\n}\n"
                    .to_owned(),
            ),
            (
                "app/Cargo.toml",
                package(
                    "app",
                    "\n[dependencies]\nlibrary = { path = \"../library\", features = [\"numbers\"] }\n",
                ),
            ),
            (
                "app/src/main.rs",
                "//! App.\nfn main() {\n    println!(\"{}\", library::text());\n}\n".to_owned(),
            ),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "word 42");
    // Optimised at link time, with a library that needs objects and bitcode of its dependencies.
    assert_eq!(flake.run("release", "app"), "word 42");
}

/// Resolver 1 unifies the features of all kinds of dependencies, those for other platforms too.
#[test]
#[ignore = "needs Nix"]
fn the_first_resolver() {
    let flake = Flake::new(
        "{ }",
        &[
            // No resolver in a virtual workspace: the first.
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"app\", \"macros\", \"shared\", \"absent\"]\nexclude = [\"vendored\"]\n".to_owned(),
            ),
            (
                "shared/Cargo.toml",
                package(
                    "shared",
                    "\n[features]\nbuild = []\nmacros = []\ntests = []\nwindows = []\n\n\
                     [dependencies]\nvendored = { path = \"../vendored\" }\n",
                ),
            ),
            (
                "shared/src/lib.rs",
                "//! Shared.\n/// The features that are on.\n#[must_use]\npub fn features() -> Vec<&'static str> {\n    \
                 let mut on = vec![vendored::word()];\n    \
                 if cfg!(feature = \"build\") { on.push(\"build\"); }\n    \
                 if cfg!(feature = \"macros\") { on.push(\"macros\"); }\n    \
                 if cfg!(feature = \"tests\") { on.push(\"tests\"); }\n    \
                 if cfg!(feature = \"windows\") { on.push(\"windows\"); }\n    on\n}\n"
                    .to_owned(),
            ),
            ("vendored/Cargo.toml", package("vendored", "\n[features]\nloud = []\n")),
            (
                "vendored/src/lib.rs",
                "#[must_use]\npub fn word() -> &'static str {\n    \
                 if cfg!(feature = \"loud\") { \"LOUD\" } else { \"quiet\" }\n}\n"
                    .to_owned(),
            ),
            (
                "macros/Cargo.toml",
                package(
                    "macros",
                    "\n[lib]\nproc-macro = true\n\n\
                     [dependencies]\nshared = { path = \"../shared\", features = [\"macros\"] }\n\
                     vendored = { path = \"../vendored\", features = [\"loud\"] }\n",
                ),
            ),
            (
                "macros/src/lib.rs",
                "//! Macros.\n/// How many features the macro sees.\n#[proc_macro]\n\
                 pub fn count(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    \
                 let _ = vendored::word();\n    shared::features().len().to_string().parse().unwrap()\n}\n"
                    .to_owned(),
            ),
            (
                "app/Cargo.toml",
                package(
                    "app",
                    "\n[dependencies]\nmacros = { path = \"../macros\" }\nshared = { path = \"../shared\" }\n\n\
                     [build-dependencies]\nshared = { path = \"../shared\", features = [\"build\"] }\n\n\
                     [dev-dependencies]\nshared = { path = \"../shared\", features = [\"tests\"] }\n\n\
                     [target.'cfg(windows)'.dependencies]\nabsent = { path = \"../absent\" }\n\
                     shared = { path = \"../shared\", features = [\"windows\"] }\n",
                ),
            ),
            (
                "app/build.rs",
                "//! Counts.\nfn main() {\n    \
                 println!(\"cargo::rustc-env=BUILT={}\", shared::features().len());\n}\n"
                    .to_owned(),
            ),
            (
                "app/src/main.rs",
                "//! App.\nfn main() {\n    \
                 println!(\"{:?} {} {}\", shared::features(), macros::count!(), env!(\"BUILT\"));\n}\n"
                    .to_owned(),
            ),
            ("absent/Cargo.toml", package("absent", "")),
            ("absent/src/lib.rs", "//! For Windows alone.\n".to_owned()),
        ],
    );
    passes(&flake);
    let line = flake.run("dev", "app");
    assert_eq!(line, flake.run_with_cargo("app", &[]));
    assert!(
        line.contains("\"windows\"") && line.contains("LOUD"),
        "{line}"
    );
}

/// Programs abort; tests, and what they are linked with, must unwind.
#[test]
#[ignore = "needs Nix"]
fn panics_that_abort() {
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"kit\", \"library\", \"macros\"]\nexclude = [\"vendored\", \"helper\"]\n\n\
                 [profile.dev]\npanic = \"abort\"\n\n[profile.release]\npanic = \"abort\"\n"
                    .to_owned(),
            ),
            ("helper/Cargo.toml", package("helper", "")),
            ("helper/src/lib.rs", format!("//! Helper.\n{WORD}")),
            ("kit/Cargo.toml", package("kit", "")),
            ("kit/src/lib.rs", format!("//! Kit.\n{WORD}")),
            ("vendored/Cargo.toml", package("vendored", "")),
            ("vendored/src/lib.rs", format!("//! Vendored.\n{WORD}")),
            ("macros/Cargo.toml", package("macros", "\n[lib]\nproc-macro = true\n")),
            (
                "macros/src/lib.rs",
                "//! Macros.\n/// How panics end.\n#[proc_macro]\n\
                 pub fn unwinds(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    \
                 cfg!(panic = \"unwind\").to_string().parse().unwrap()\n}\n"
                    .to_owned(),
            ),
            (
                "library/Cargo.toml",
                package("library", "\n[dependencies]\nvendored = { path = \"../vendored\" }\n"),
            ),
            (
                "library/src/lib.rs",
                "//! Library.\n\n/// Panics.\n///\n/// # Panics\n/// Always.\n///\n/// ```should_panic\n\
                 /// library::fail();\n/// ```\npub fn fail() {\n    panic!(\"{}\", vendored::word());\n}\n\n\
                 /// How panics end.\n#[must_use]\npub fn unwinds() -> bool {\n    cfg!(panic = \"unwind\")\n}\n\n\
                 #[cfg(test)]\nmod tests {\n    #[test]\n    #[should_panic(expected = \"word\")]\n    \
                 fn fails() {\n        super::fail();\n    }\n}\n"
                    .to_owned(),
            ),
            (
                "app/Cargo.toml",
                package(
                    "app",
                    "\n[dependencies]\nlibrary = { path = \"../library\" }\nmacros = { path = \"../macros\" }\n\n\
                     [dev-dependencies]\nhelper = { path = \"../helper\" }\nkit = { path = \"../kit\" }\n",
                ),
            ),
            (
                "app/src/main.rs",
                "//! App.\nfn main() {\n    println!(\"{} {}\", library::unwinds(), macros::unwinds!());\n}\n".to_owned(),
            ),
            (
                "app/examples/words.rs",
                "//! Examples.\nfn main() {\n    println!(\"{} {}\", helper::word(), kit::word());\n}\n".to_owned(),
            ),
            (
                "app/tests/unwinding.rs",
                "//! Tests.\n#[test]\nfn unwinds() {\n    assert_eq!(helper::word(), kit::word());\n    assert!(library::unwinds());\n    \
                 assert!(std::panic::catch_unwind(library::fail).is_err());\n}\n"
                    .to_owned(),
            ),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "false true");
    assert_eq!(flake.run("release", "app"), "false true");
}

#[test]
#[ignore = "needs Nix"]
fn members_without_a_library_or_documentation() {
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"base\", \"suite\", \"shown\", \"tool\"]\n"
                    .to_owned(),
            ),
            ("base/Cargo.toml", package("base", "")),
            ("base/src/lib.rs", format!("//! Base.\n{WORD}")),
            (
                "suite/Cargo.toml",
                package(
                    "suite",
                    "\n[dev-dependencies]\nbase = { path = \"../base\" }\n",
                ),
            ),
            (
                "suite/tests/words.rs",
                "//! Tests.\n#[test]\nfn words() {\n    assert_eq!(base::word(), \"word\");\n}\n"
                    .to_owned(),
            ),
            (
                "shown/Cargo.toml",
                package(
                    "shown",
                    "\n[dev-dependencies]\nbase = { path = \"../base\" }\n\n\
                     [[example]]\nname = \"words\"\npath = \"words.rs\"\n",
                ),
            ),
            (
                "shown/words.rs",
                "//! Example.\nfn main() {\n    println!(\"{}\", base::word());\n}\n".to_owned(),
            ),
            (
                "tool/Cargo.toml",
                package(
                    "tool",
                    "\n[[bin]]\nname = \"tool\"\npath = \"tool.rs\"\ndoc = false\n",
                ),
            ),
            ("tool/tool.rs", "//! Tool.\nfn main() {}\n".to_owned()),
        ],
    );
    passes(&flake);
    flake.edit("suite/tests/words.rs", "\"word\"", "\"other\"");
    let log = flake.build(&["checks.test-suite"]).unwrap_err();
    assert!(log.contains("test words ... FAILED"), "{log}");
}

/// clippy and rustfmt look for their configuration in all folders above a member.
#[test]
#[ignore = "needs Nix"]
fn configuration_of_tools_above_a_member() {
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n".to_owned(),
            ),
            (
                ".clippy.toml",
                "disallowed-methods = [\"std::process::abort\"]\n".to_owned(),
            ),
            ("crates/rustfmt.toml", "tab_spaces = 2\n".to_owned()),
            ("crates/base/Cargo.toml", package("base", "")),
            (
                "crates/base/src/lib.rs",
                "//! Base.\n/// Ends.\npub fn end() {\n  std::process::abort();\n}\n".to_owned(),
            ),
            (
                "crates/app/Cargo.toml",
                package("app", "\n[dependencies]\nbase = { path = \"../base\" }\n"),
            ),
            (
                "crates/app/src/main.rs",
                "//! App.\nfn main() {\n  base::end();\n}\n".to_owned(),
            ),
        ],
    );
    flake.lock();
    let log = flake.build(&["checks.clippy-base"]).unwrap_err();
    assert!(
        log.contains("use of a disallowed method `std::process::abort`"),
        "{log}"
    );
    flake
        .build(&["checks.clippy-app", "checks.doc", "checks.fmt"])
        .unwrap_or_else(|log| panic!("{log}"));
}

#[test]
#[ignore = "needs Nix"]
fn dependencies_that_flags_of_rustc_turn_on() {
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"extra\"]\nexclude = [\"vendored\"]\n"
                    .to_owned(),
            ),
            (
                ".cargo/config.toml",
                "[build]\nrustflags = [\"--cfg\", \"special\"]\n".to_owned(),
            ),
            (
                "app/Cargo.toml",
                package(
                    "app",
                    "\n[target.'cfg(special)'.dependencies]\nextra = { path = \"../extra\" }\n\
                     vendored = { path = \"../vendored\" }\n",
                ),
            ),
            (
                "app/src/main.rs",
                "//! App.\nfn main() {\n    println!(\"{} {}\", extra::word(), vendored::word());\n}\n".to_owned(),
            ),
            ("extra/Cargo.toml", package("extra", "")),
            ("extra/src/lib.rs", format!("//! Extra.\n{WORD}")),
            ("vendored/Cargo.toml", package("vendored", "")),
            ("vendored/src/lib.rs", format!("//! Vendored.\n{WORD}")),
        ],
    );
    passes(&flake);
    assert_eq!(flake.run("dev", "app"), "word word");
}

#[test]
#[ignore = "needs Nix"]
fn one_member_alone() {
    let virtual_root = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\"]\n".to_owned(),
            ),
            ("app/Cargo.toml", package("app", "")),
            (
                "app/src/main.rs",
                "//! App.\nfn main() {\n    println!(\"alone\");\n}\n".to_owned(),
            ),
        ],
    );
    passes(&virtual_root);
    assert_eq!(virtual_root.run("release", "app"), "alone");

    let single = Flake::new(
        "{ }",
        &[
            ("Cargo.toml", package("app", "")),
            (
                "src/main.rs",
                "//! App.\nfn main() {\n    println!(\"single\");\n}\n".to_owned(),
            ),
        ],
    );
    passes(&single);
    assert_eq!(single.run("dev", "app"), "single");
}

#[test]
#[ignore = "needs Nix"]
fn one_member_s_failure_leaves_the_others() {
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"good\", \"bad\", \"after\"]\n".to_owned(),
            ),
            ("good/Cargo.toml", package("good", "")),
            ("good/src/lib.rs", format!("//! Good.\n{WORD}")),
            ("bad/Cargo.toml", package("bad", "")),
            (
                "bad/src/lib.rs",
                "//! Bad.\n/// Lints.\npub fn lints() {\n    let _ = vec![1].len() == 0;\n}\n\n\
                 #[cfg(test)]\nmod tests {\n    #[test]\n    fn fails() {\n        assert_eq!(1, 2);\n    }\n}\n"
                    .to_owned(),
            ),
            ("after/Cargo.toml", package("after", "\n[dependencies]\nbad = { path = \"../bad\" }\n")),
            ("after/src/lib.rs", "//! After.\npub use bad::lints;\n".to_owned()),
        ],
    );
    flake.lock();
    let test = flake.build(&["checks.test"]).unwrap_err();
    assert!(test.contains("test tests::fails ... FAILED"), "{test}");
    let clippy = flake.build(&["checks.clippy"]).unwrap_err();
    assert!(
        clippy.contains("clippy found the above in `bad`"),
        "{clippy}"
    );
    // Those that use the failing member are tested and linted all the same.
    flake
        .build(&[
            "checks.test-good",
            "checks.test-after",
            "checks.clippy-good",
            "checks.clippy-after",
        ])
        .unwrap_or_else(|log| panic!("{log}"));
}

#[test]
#[ignore = "needs Nix"]
fn what_cannot_be_done_is_refused() {
    let lib = |name: &str, rest: &str| (format!("{name}/Cargo.toml"), package(name, rest));
    let cases = [
        (
            "{ members.typo = { }; }",
            lib("a", ""),
            "`members` names `typo`, which is no member of the workspace",
        ),
        (
            "{ }",
            lib("a", "\n[dependencies]\nb = { path = \"../../b\" }\n"),
            "is outside the workspace",
        ),
        (
            "{ }",
            lib("a", "\n[dependencies]\nb = { path = \"../b\" }\n"),
            "there is no b/Cargo.toml that Nix can see",
        ),
        (
            "{ }",
            lib("a", "\n[dependencies]\nserde.workspace = true\n"),
            "a/Cargo.toml inherits the dependency `serde`",
        ),
        (
            "{ }",
            lib("a", "\n[dependencies]\nserde = \"1\"\n"),
            "Cargo.lock has no version of it for `a`",
        ),
    ];
    for (arguments, (path, manifest), refusal) in cases {
        let flake = Flake::new(
            arguments,
            &[
                (
                    "Cargo.toml",
                    "[workspace]\nresolver = \"3\"\nmembers = [\"a\"]\n".to_owned(),
                ),
                (&path, manifest),
                ("a/src/lib.rs", String::new()),
                (
                    "Cargo.lock",
                    "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\n".to_owned(),
                ),
            ],
        );
        let log = flake.build(&["checks.build-a"]).unwrap_err();
        assert!(log.contains(refusal), "{refusal}:\n{log}");
    }
}

#[test]
#[ignore = "needs Nix"]
fn a_member_for_wasm_needs_dependencies_for_wasm() {
    let wasm = "\n[package.metadata.ci]\ntargets = [\"wasm32-unknown-unknown\"]\n";
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"page\", \"base\"]\n".to_owned(),
            ),
            (
                "page/Cargo.toml",
                package(
                    "page",
                    &format!("{wasm}\n[dependencies]\nbase = {{ path = \"../base\" }}\n"),
                ),
            ),
            ("page/src/lib.rs", String::new()),
            ("base/Cargo.toml", package("base", "")),
            ("base/src/lib.rs", String::new()),
        ],
    );
    flake.lock();
    let log = flake
        .build(&["checks.build-page-wasm32-unknown-unknown"])
        .unwrap_err();
    assert!(
        log.contains("`page` is built for wasm32-unknown-unknown and depends on `base`, which does not name this target")
            && log.contains("base/Cargo.toml"),
        "{log}"
    );
}
