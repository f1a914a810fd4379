//! What was edited is what runs, along every edge between members, whatever the store already holds.
//!
//! `cargo test --test staleness -- --ignored`

mod support;

use support::layers::Flake;

/// `app` prints a word of each kind of dependency: a library, a library behind it, a procedural macro,
/// its build script and a library of that. Its test asserts the same line.
///
/// All members have the version 0.0.0, as the skeleton has: nothing but the source tells them apart.
fn workspace() -> Flake {
    let member = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n{rest}\n")
    };
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\nexclude = [\"nix\"]\n".to_owned(),
        ),
        ("deep/Cargo.toml", member("deep", "")),
        ("deep/src/lib.rs", "pub fn word() -> &'static str {\n    \"deep\"\n}\n".to_owned()),
        (
            "near/Cargo.toml",
            member("near", "[dependencies]\ndeep = { path = \"../deep\" }"),
        ),
        (
            "near/src/lib.rs",
            "#[must_use]\npub fn words() -> String {\n    format!(\"near {}\", deep::word())\n}\n".to_owned(),
        ),
        ("macros/Cargo.toml", member("macros", "[lib]\nproc-macro = true")),
        (
            "macros/src/lib.rs",
            "use proc_macro::TokenStream;\n\n#[proc_macro]\npub fn word(_: TokenStream) -> TokenStream {\n    \
             \"\\\"macro\\\"\".parse().unwrap()\n}\n"
                .to_owned(),
        ),
        ("tool/Cargo.toml", member("tool", "")),
        ("tool/src/lib.rs", "pub fn word() -> &'static str {\n    \"tool\"\n}\n".to_owned()),
        (
            "app/Cargo.toml",
            member(
                "app",
                "[dependencies]\nnear = { path = \"../near\" }\nmacros = { path = \"../macros\" }\n\n\
                 [build-dependencies]\ntool = { path = \"../tool\" }",
            ),
        ),
        (
            "app/build.rs",
            "fn main() {\n    println!(\"cargo::rustc-env=BUILT=script {}\", tool::word());\n}\n".to_owned(),
        ),
        (
            "app/src/main.rs",
            "fn main() {\n    println!(\n        \"main {} {} {} {}\",\n        near::words(),\n        macros::word!(),\n        \
             env!(\"BUILT\"),\n        cfg!(debug_assertions)\n    );\n}\n"
                .to_owned(),
        ),
        (
            "app/tests/line.rs",
            "use std::process::Command;\n\n#[test]\nfn line() {\n    \
             let output = Command::new(env!(\"CARGO_BIN_EXE_app\")).output().unwrap();\n    \
             assert_eq!(\n        String::from_utf8(output.stdout).unwrap().trim(),\n        \
             \"main near deep macro script tool true\"\n    );\n}\n"
                .to_owned(),
        ),
    ];
    let flake = Flake::new("{ }", &files);
    flake.lock();
    flake
}

const LINE: &str = "main near deep macro script tool";

#[test]
#[ignore = "needs Nix"]
fn an_edit_shows_along_every_edge() {
    let flake = workspace();
    assert_eq!(flake.run("dev", "app"), format!("{LINE} true"));
    flake.build(&["checks.test"]).unwrap();
    for (path, word) in [
        ("deep/src/lib.rs", "deep"),
        ("near/src/lib.rs", "near"),
        ("macros/src/lib.rs", "macro"),
        ("tool/src/lib.rs", "tool"),
        ("app/build.rs", "script"),
        ("app/src/main.rs", "main"),
    ] {
        // In macros' source the word has its quotes, which tell it from `proc_macro`.
        let (from, to) = match word {
            "macro" => ("\"\\\"macro".to_owned(), "\"\\\"edited".to_owned()),
            "main" => ("\"main".to_owned(), "\"edited".to_owned()),
            "near" => ("\"near".to_owned(), "\"edited".to_owned()),
            "script" => ("=script".to_owned(), "=edited".to_owned()),
            _ => (format!("\"{word}"), "\"edited".to_owned()),
        };
        flake.edit(path, &from, &to);
        let line = format!("{} true", LINE.replace(word, "edited"));
        assert_eq!(flake.run("dev", "app"), line, "after an edit of {path}");
        let log = flake
            .build(&["checks.test-app"])
            .expect_err("the test asserts the old line");
        assert!(log.contains("test line ... FAILED"), "{log}");

        // Back to a source whose artifacts the store already has.
        flake.edit(path, &to, &from);
        assert_eq!(flake.run("dev", "app"), format!("{LINE} true"));
        flake.build(&["checks.test-app"]).unwrap();
    }
}

#[test]
#[ignore = "needs Nix"]
fn profiles_are_what_they_say() {
    let flake = workspace();
    assert_eq!(flake.run("dev", "app"), format!("{LINE} true"));
    assert_eq!(flake.run("release", "app"), format!("{LINE} false"));
}
