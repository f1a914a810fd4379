//! A layer compiles its own crate and nothing else, or fails.
//!
//! `cargo test -p xtask-nix --test freshness -- --ignored`

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use support::layers::Flake;

/// `app` on `library`, whose build script looks at the environment.
fn workspace(arguments: &str) -> Flake {
    let flake = Flake::new(
        arguments,
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"library\"]\n",
            ),
            (
                "library/Cargo.toml",
                "[package]\nname = \"library\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
            ),
            (
                "library/src/lib.rs",
                "pub const SEEN: &str = env!(\"SEEN\");\n",
            ),
            (
                "library/build.rs",
                "fn main() {\n    println!(\"cargo::rerun-if-env-changed=LOOK\");\n    \
                 println!(\"cargo::rustc-env=SEEN={}\", std::env::var(\"LOOK\").unwrap_or_default());\n}\n",
            ),
            (
                "app/Cargo.toml",
                "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                 [dependencies]\nlibrary = { path = \"../library\" }\n",
            ),
            (
                "app/src/main.rs",
                "fn main() {\n    println!(\"{}\", library::SEEN);\n}\n",
            ),
        ],
    );
    flake.lock();
    flake
}

#[test]
#[ignore = "needs Nix"]
fn a_layer_that_compiles_another_crate_fails_and_names_it() {
    let flake = workspace("{ }");
    flake.edit(
        "flake.nix",
        "in mkWorkspace",
        "in (workspace: workspace // { strange = workspace.layers.native.dev.build.app.overrideAttrs { LOOK = \"now\"; }; }) (mkWorkspace",
    );
    flake.edit("flake.nix", "// { });", "// { }));");
    let log = flake.build(&["strange"]).unwrap_err();
    assert!(
        log.contains("the layer build-app-dev compiled more than its own crate")
            && log.contains("path+file:///build/source/library#0.1.0"),
        "{log}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn a_member_s_environment_reaches_every_layer_that_holds_it() {
    let flake = workspace("{ members.library.env.LOOK = \"here\"; }");
    assert_eq!(flake.run("dev", "app"), "here");
    flake.build(&["checks.test", "checks.clippy"]).unwrap();
}

#[test]
#[ignore = "needs Nix"]
fn members_that_disagree_about_the_environment_are_refused() {
    let flake = workspace("{ members.library.env.LOOK = \"a\"; members.app.env.LOOK = \"b\"; }");
    let log = flake.build(&["checks.build-app"]).unwrap_err();
    assert!(log.contains("set LOOK to different values"), "{log}");
}
