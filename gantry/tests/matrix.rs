//! What an edit rebuilds: derivation paths before and after it, nothing is built.
//!
//! `cargo test --test matrix -- --ignored`

mod support;

use std::collections::BTreeSet;

use support::layers::Flake;

/// `core` for both targets; `util` and `macros` on it; `app` on both; `web` for wasm32 alone; `other`
/// stands apart.
fn workspace() -> Flake {
    let member = |name: &str, rest: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion.workspace = true\nedition = \"2024\"\n\
             description = \"About {name}\"\n\n[lints]\nworkspace = true\n\n{rest}\n"
        )
    };
    let both = "[package.metadata.ci]\ntargets = [\"native\", \"wasm32-unknown-unknown\"]\n";
    let wasm = "[package.metadata.ci]\ntargets = [\"wasm32-unknown-unknown\"]\n";
    let files = [
        ("README.md", "A workspace\n".to_owned()),
        (".github/workflows/ci.yml", "on: push\n".to_owned()),
        ("nix/other.nix", "{ }\n".to_owned()),
        (
            "rust-toolchain.toml",
            "[toolchain]\nchannel = \"1.90.0\"\n".to_owned(),
        ),
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\n\
             [workspace.package]\nversion = \"0.1.0\"\n\n\
             [workspace.dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n\n\
             [workspace.lints.clippy]\nall = \"warn\"\n\n\
             [profile.dev]\ndebug = 1\n\n[profile.release]\nstrip = false\n"
                .to_owned(),
        ),
        ("Cargo.lock", lock(&["itoa"], &["itoa"])),
        ("clippy.toml", "# Thresholds\n".to_owned()),
        ("rustfmt.toml", "# Widths\n".to_owned()),
        (
            "crates/core/Cargo.toml",
            member(
                "core-library",
                &format!("[dependencies]\nitoa = \"1\"\n\n{both}"),
            ),
        ),
        ("crates/core/src/lib.rs", "//! Core\n".to_owned()),
        ("crates/core/tests/all.rs", "//! Tests\n".to_owned()),
        (
            "crates/util/Cargo.toml",
            member(
                "util",
                "[dependencies]\ncore-library = { path = \"../core\" }\nserde.workspace = true\n",
            ),
        ),
        ("crates/util/src/lib.rs", "//! Util\n".to_owned()),
        (
            "crates/app/Cargo.toml",
            member(
                "app",
                "[dependencies]\nutil = { path = \"../util\" }\nserde = \"1\"\n",
            ),
        ),
        (
            "crates/app/src/main.rs",
            "//! App\nfn main() {}\n".to_owned(),
        ),
        (
            "crates/web/Cargo.toml",
            member(
                "web",
                &format!("[dependencies]\ncore-library = {{ path = \"../core\" }}\n\n{wasm}"),
            ),
        ),
        ("crates/web/src/lib.rs", "//! Web\n".to_owned()),
        ("crates/other/Cargo.toml", member("other", "")),
        ("crates/other/src/lib.rs", "//! Other\n".to_owned()),
    ];
    // Any derivation that depends on the file may stand for the toolchain, as nothing is built.
    Flake::new(
        "{ toolchain = pkgs.writeText \"toolchain\" (builtins.readFile ./rust-toolchain.toml); }",
        &files,
    )
}

/// The lock file; `app` and `core` are the third-party crates that these members depend on besides.
fn lock(core: &[&str], third_party: &[&str]) -> String {
    let members = [
        ("app", vec!["serde", "util"]),
        ("core-library", core.to_vec()),
        ("other", vec![]),
        ("util", vec!["core-library", "serde"]),
        ("web", vec!["core-library"]),
    ];
    let mut text = "version = 4\n".to_owned();
    for (name, dependencies) in members {
        text += &entry(name, "0.1.0", false, &dependencies);
    }
    text += &entry("serde", "1.0.200", true, &["serde_derive"]);
    text += &entry("serde_derive", "1.0.200", true, &[]);
    for name in third_party {
        text += &entry(name, "1.0.10", true, &[]);
    }
    text
}

fn entry(name: &str, version: &str, registry: bool, dependencies: &[&str]) -> String {
    let source = if registry {
        format!(
            "source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\n",
            "0123456789abcdef".repeat(4)
        )
    } else {
        String::new()
    };
    format!(
        "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}dependencies = {dependencies:?}\n"
    )
}

const CODE: &[&str] = &["build", "check", "clippy", "doc", "test"];
const LINTED: &[&str] = &["check", "clippy", "doc"];

/// Layers of a member in the checked profile, and its build in release.
fn layers(target: &str, member: &str, kinds: &[&str]) -> Vec<String> {
    kinds
        .iter()
        .map(|kind| format!("{target}/dev/{kind}/{member}"))
        .chain(
            kinds
                .contains(&"build")
                .then(|| format!("{target}/release/build/{member}")),
        )
        .collect()
}

fn native(members: &[&str], kinds: &[&str]) -> Vec<String> {
    members
        .iter()
        .flat_map(|member| layers("native", member, kinds))
        .collect()
}

fn wasm(members: &[&str], kinds: &[&str]) -> Vec<String> {
    members
        .iter()
        .flat_map(|member| layers("wasm32-unknown-unknown", member, kinds))
        .collect()
}

fn formatting(members: &[&str]) -> Vec<String> {
    members
        .iter()
        .map(|member| format!("fmt-{member}"))
        .collect()
}

fn deps(target: &str, profiles: &[&str]) -> Vec<String> {
    profiles
        .iter()
        .map(|profile| format!("{target}/{profile}/deps"))
        .collect()
}

/// Every layer of a target.
fn all(target: &str) -> Vec<String> {
    let members: &[&str] = if target == "native" {
        &["app", "core-library", "other", "util"]
    } else {
        &["core-library", "web"]
    };
    members
        .iter()
        .flat_map(|member| layers(target, member, CODE))
        .chain(deps(target, &["dev", "release"]))
        .collect()
}

/// The derivations that mean something to the matrix: every layer that a check or a package is made of.
fn derivations(flake: &Flake) -> BTreeSet<(String, String)> {
    flake
        .derivations()
        .into_iter()
        .filter_map(|(name, path)| {
            let name = name
                .strip_prefix("layers/")
                .or_else(|| {
                    name.strip_prefix("checks/")
                        .filter(|name| name.starts_with("fmt-"))
                })?
                .to_owned();
            let of_release = name.contains("/release/");
            let is_built = name.contains("/build/") || name.ends_with("/deps");
            (!of_release || is_built).then_some((name, path))
        })
        .collect()
}

fn moved(
    before: &BTreeSet<(String, String)>,
    after: &BTreeSet<(String, String)>,
) -> BTreeSet<String> {
    before
        .symmetric_difference(after)
        .map(|(layer, _)| layer.clone())
        .collect()
}

type Row = (&'static str, Box<dyn Fn(&Flake)>, Vec<String>);

fn row(name: &'static str, edit: impl Fn(&Flake) + 'static, moved: Vec<Vec<String>>) -> Row {
    (name, Box::new(edit), moved.into_iter().flatten().collect())
}

fn append(path: &'static str) -> impl Fn(&Flake) {
    move |flake| {
        let text = std::fs::read_to_string(flake.path().join(path)).unwrap();
        flake.write(path, &(text + "// More\n"));
    }
}

#[allow(
    clippy::too_many_lines,
    reason = "one line after another, as a matrix is"
)]
fn rows() -> Vec<Row> {
    let native_all = || all("native");
    let wasm_all = || all("wasm32-unknown-unknown");
    let on_core = ["app", "core-library", "util"];
    vec![
        row("the README", |f| f.write("README.md", "Other\n"), vec![]),
        row(
            "a .github file",
            |f| f.write(".github/workflows/ci.yml", "on: pull_request\n"),
            vec![],
        ),
        row(
            "a Nix file that does not matter",
            |f| f.write("nix/other.nix", "{ more = true; }\n"),
            vec![],
        ),
        row(
            "a leaf's code",
            append("crates/app/src/main.rs"),
            vec![native(&["app"], CODE), formatting(&["app"])],
        ),
        row(
            "core's code",
            append("crates/core/src/lib.rs"),
            vec![
                native(&on_core, CODE),
                wasm(&["core-library", "web"], CODE),
                formatting(&["core-library"]),
            ],
        ),
        row(
            "core's tests",
            append("crates/core/tests/all.rs"),
            vec![
                native(&["core-library"], &["clippy", "test"]),
                wasm(&["core-library"], &["clippy", "test"]),
                formatting(&["core-library"]),
            ],
        ),
        row(
            "a member's description",
            |f| f.edit("crates/util/Cargo.toml", "About util", "Of util"),
            vec![native(&["app", "util"], CODE)],
        ),
        row(
            "a member's targets",
            |f| {
                f.edit(
                    "crates/other/Cargo.toml",
                    "[lints]",
                    "[package.metadata.ci]\nextra = 1\n\n[lints]",
                );
            },
            vec![],
        ),
        row(
            "a member's version",
            |f| {
                f.edit(
                    "crates/util/Cargo.toml",
                    "version.workspace = true",
                    "version = \"0.2.0\"",
                );
                f.edit(
                    "Cargo.lock",
                    "name = \"util\"\nversion = \"0.1.0\"",
                    "name = \"util\"\nversion = \"0.2.0\"",
                );
            },
            vec![native(&["app", "util"], CODE), formatting(&["util"])],
        ),
        row(
            "the workspace's version",
            |f| {
                f.edit("Cargo.toml", "version = \"0.1.0\"", "version = \"0.2.0\"");
                let text = lock(&["itoa"], &["itoa"]).replace("\"0.1.0\"", "\"0.2.0\"");
                f.write("Cargo.lock", &text);
            },
            vec![
                native(&["app", "core-library", "other", "util"], CODE),
                wasm(&["core-library", "web"], CODE),
                formatting(&["app", "core-library", "other", "util", "web"]),
            ],
        ),
        row(
            "a new member without new dependencies",
            |f| {
                f.write(
                    "crates/new/Cargo.toml",
                    "[package]\nname = \"new\"\nversion = \"0.1.0\"\n\n[dependencies]\nserde.workspace = true\n\
                     core-library = { path = \"../core\" }\n",
                );
                f.write("crates/new/src/lib.rs", "");
                let text = lock(&["itoa"], &["itoa"])
                    + &entry("new", "0.1.0", false, &["core-library", "serde"]);
                f.write("Cargo.lock", &text);
            },
            vec![native(&["new"], CODE), formatting(&["new"])],
        ),
        row(
            "a removed member",
            |f| f.remove("crates/other"),
            vec![native(&["other"], CODE), formatting(&["other"])],
        ),
        row(
            "a member's new third-party dependency",
            |f| {
                f.edit(
                    "crates/app/Cargo.toml",
                    "serde = \"1\"",
                    "serde = \"1\"\nryu = \"1\"",
                );
                let text = lock(&["itoa"], &["itoa", "ryu"])
                    .replace("[\"serde\", \"util\"]", "[\"ryu\", \"serde\", \"util\"]");
                f.write("Cargo.lock", &text);
            },
            vec![native_all()],
        ),
        row(
            "a feature of a third-party dependency",
            |f| {
                f.edit(
                    "crates/app/Cargo.toml",
                    "serde = \"1\"",
                    "serde = { version = \"1\", features = [\"rc\"] }",
                );
            },
            vec![native_all()],
        ),
        row(
            "a feature that another member asks for already",
            |f| {
                f.edit(
                    "crates/app/Cargo.toml",
                    "serde = \"1\"",
                    "serde = { version = \"1\", features = [\"derive\"] }",
                );
            },
            vec![native(&["app"], CODE)],
        ),
        row(
            "a dev-dependency",
            |f| {
                f.edit(
                    "crates/app/Cargo.toml",
                    "[dependencies]",
                    "[dev-dependencies]\nryu = \"1\"\n\n[dependencies]",
                );
                let text = lock(&["itoa"], &["itoa", "ryu"])
                    .replace("[\"serde\", \"util\"]", "[\"ryu\", \"serde\", \"util\"]");
                f.write("Cargo.lock", &text);
            },
            vec![native_all()],
        ),
        row(
            "[profile.dev]",
            |f| f.edit("Cargo.toml", "debug = 1", "debug = 2"),
            vec![only_profile(&[native_all(), wasm_all()].concat(), "/dev/")],
        ),
        row(
            "[profile.release]",
            |f| f.edit("Cargo.toml", "strip = false", "strip = true"),
            vec![only_profile(
                &[native_all(), wasm_all()].concat(),
                "/release/",
            )],
        ),
        row(
            "[workspace.lints]",
            |f| f.edit("Cargo.toml", "all = \"warn\"", "all = \"deny\""),
            vec![
                native(&["app", "core-library", "other", "util"], LINTED),
                wasm(&["core-library", "web"], LINTED),
            ],
        ),
        row(
            "clippy.toml",
            |f| f.write("clippy.toml", "# Other\n"),
            vec![
                native(&["app", "core-library", "other", "util"], LINTED),
                wasm(&["core-library", "web"], LINTED),
            ],
        ),
        row(
            "rustfmt.toml",
            |f| f.write("rustfmt.toml", "# Other\n"),
            vec![formatting(&["app", "core-library", "other", "util", "web"])],
        ),
        row(
            "Cargo.lock alone",
            |f| {
                let text = lock(&["itoa"], &["itoa"]).replace("\"1.0.200\"", "\"1.0.201\"");
                f.write("Cargo.lock", &text);
            },
            // `serde` is a dependency of native members only.
            vec![native_all()],
        ),
        row(
            "the wasm crate's code",
            append("crates/web/src/lib.rs"),
            vec![wasm(&["web"], CODE), formatting(&["web"])],
        ),
        row(
            "the toolchain",
            |f| f.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.91.0\"\n"),
            vec![
                native_all(),
                wasm_all(),
                formatting(&["app", "core-library", "other", "util", "web"]),
            ],
        ),
    ]
}

fn only_profile(layers: &[String], profile: &str) -> Vec<String> {
    layers
        .iter()
        .filter(|layer| layer.contains(profile))
        .cloned()
        .collect()
}

#[test]
#[ignore = "needs Nix"]
fn an_edit_moves_what_it_must_and_nothing_else() {
    let before = derivations(&workspace());
    let mut wrong = Vec::new();
    for (name, edit, expected) in rows() {
        let flake = workspace();
        edit(&flake);
        let after = derivations(&flake);
        let moved = moved(&before, &after);
        let expected: BTreeSet<_> = expected.into_iter().collect();
        for layer in moved.difference(&expected) {
            wrong.push(format!("{name}: {layer} moves and should not"));
        }
        for layer in expected.difference(&moved) {
            wrong.push(format!("{name}: {layer} should move and does not"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "needs Nix"]
fn any_edit_moves_tests_that_look_at_the_workspace() {
    let flake = workspace();
    flake.write(
        "crates/other/tests/manifest.rs",
        "const PATH: &str = \"../Cargo.toml\";\n",
    );
    let moved_by_an_edit = || {
        flake.write("README.md", "One\n");
        let before = derivations(&flake);
        flake.write("README.md", "Other\n");
        moved(&before, &derivations(&flake))
    };
    let expected = BTreeSet::from(["native/dev/test/other".to_owned()]);
    assert_eq!(moved_by_an_edit(), expected);
    flake.edit(
        "flake.nix",
        "{ toolchain =",
        "{ members.other.testsReadWorkspace = false; toolchain =",
    );
    assert_eq!(moved_by_an_edit(), BTreeSet::new());
}
