//! Rules of this repository, as tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The repository. A build that holds a part of it only says where the whole is.
fn root() -> PathBuf {
    std::env::var_os("XTASK_REPOSITORY").map_or_else(
        || {
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .parent()
                .unwrap()
                .to_owned()
        },
        PathBuf::from,
    )
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// `cargo metadata` of the workspace alone.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn packages(metadata: &Value) -> &[Value] {
    metadata["packages"].as_array().unwrap()
}

/// Calls `check` with the path and the text of every file below `folder`.
fn for_each_file(folder: &Path, check: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if ![".git", "target", "node_modules"].contains(&&*name) {
                for_each_file(&path, check);
            }
        } else if let Ok(text) = fs::read_to_string(&path) {
            check(&path, &text);
        }
    }
}

/// What follows `key = "` on a line of its own in a manifest, up to the next quote.
fn value<'a>(manifest: &'a str, key: &str) -> &'a str {
    let start = format!("{key} = \"");
    let rest = manifest
        .lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap();
    rest.split('"').next().unwrap()
}

/// The version of a package in Cargo.lock.
fn locked(name: &str) -> Option<String> {
    let lock = read("Cargo.lock");
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\n"))?;
    Some(value(rest, "version").to_owned())
}

#[test]
fn every_member_inherits_the_lints() {
    for package in packages(&metadata()) {
        let path = package["manifest_path"].as_str().unwrap();
        let manifest = fs::read_to_string(path).unwrap();
        assert!(
            manifest.contains("\n[lints]\nworkspace = true\n"),
            "{path} does not say: [lints] workspace = true"
        );
    }
}

#[test]
fn every_member_inherits_what_the_workspace_says_of_all() {
    let metadata = metadata();
    let workspace = read("Cargo.toml");
    for package in packages(&metadata) {
        for key in ["edition", "license", "repository"] {
            assert_eq!(
                package[key].as_str(),
                Some(value(&workspace, key)),
                "{}: {key}",
                package["name"]
            );
        }
    }
}

#[test]
fn one_file_names_the_toolchain() {
    let channel = value(&read("rust-toolchain.toml"), "channel").to_owned();
    let oldest = value(&read("Cargo.toml"), "rust-version").to_owned();
    assert!(
        channel.starts_with(&format!("{oldest}.")),
        "rust-version is {oldest}, the channel {channel}"
    );
    for_each_file(&root(), &mut |path, text| {
        let may_name_it = path.ends_with("rust-toolchain.toml") || path.ends_with("Cargo.lock");
        assert!(
            may_name_it || !text.contains(&channel),
            "{} names the toolchain {channel}; only rust-toolchain.toml does",
            path.display()
        );
    });
}

#[test]
fn the_driver_stands_apart() {
    let metadata = metadata();
    let default = metadata["workspace_default_members"].as_array().unwrap();
    let is_in = |package: &Value, folder: &str| {
        package["manifest_path"]
            .as_str()
            .unwrap()
            .starts_with(&*root().join(folder).to_string_lossy())
    };
    for package in packages(&metadata)
        .iter()
        .filter(|package| is_in(package, "xtask/"))
    {
        assert!(!default.contains(&package["id"]), "{}", package["name"]);
        for dependency in package["dependencies"].as_array().unwrap() {
            let path = dependency["path"].as_str().unwrap_or_default();
            assert!(
                !path.contains("/crates/"),
                "{} depends on {path}",
                package["name"]
            );
        }
    }
}

#[test]
fn bindings_are_made_by_the_version_that_the_crate_is_compiled_with() {
    if let Some(used) = locked("wasm-bindgen") {
        assert_eq!(locked("wasm-bindgen-cli-support"), Some(used));
    }
}

// begin web
#[test]
fn both_backends_optimise_the_page_alike() {
    let options = |file: &str| {
        let text = read(file);
        let words = text.split(|character: char| character.is_whitespace() || character == '"');
        let is_option = |word: &&str| word.starts_with("-O") || word.starts_with("--enable-");
        let mut options: Vec<_> = words.filter(is_option).map(str::to_owned).collect();
        options.sort_unstable();
        assert!(options.len() > 1, "{file}: {options:?}");
        options
    };
    assert_eq!(
        options("nix/web.nix"),
        options("xtask/src/backend/bindings.rs")
    );
}

// end web
/// The flake's nixConfig must be literal.
#[test]
fn the_flake_names_the_cache_that_the_manifest_names() {
    let metadata = metadata();
    let cache = &metadata["metadata"]["cache"];
    let flake = fs::read_to_string(root().join("flake.nix")).unwrap_or_default();
    let (_, config) = flake.split_once("nixConfig").unwrap_or_default();
    if cache.is_null() {
        assert_eq!(
            config, "",
            "flake.nix has a nixConfig, and Cargo.toml no cache"
        );
        return;
    }
    let url = match cache["name"].as_str() {
        Some(name) => format!("https://{name}.cachix.org"),
        None => cache["url"].as_str().unwrap().to_owned(),
    };
    let key = cache["public-key"].as_str().unwrap();
    for line in [
        format!("extra-substituters = [ \"{url}\" ];"),
        format!("extra-trusted-public-keys = [ \"{key}\" ];"),
    ] {
        assert!(config.contains(&line), "flake.nix: nixConfig lacks {line}");
    }
}

#[test]
fn every_command_in_the_documents_exists() {
    let mut commands = Vec::new();
    for_each_file(&root(), &mut |path, text| {
        if path.extension().is_some_and(|extension| extension == "md") {
            for block in text
                .split("```sh\n")
                .skip(1)
                .filter_map(|rest| rest.split("```").next())
            {
                // A block in a list is indented.
                let lines = block.lines().map(str::trim_start);
                commands.extend(lines.map(|line| (path.to_owned(), line.to_owned())));
            }
        }
    });
    let xtask: Vec<_> = commands
        .iter()
        .filter_map(|(path, line)| Some((path, line.strip_prefix("cargo xtask ")?)))
        .collect();
    assert!(
        xtask.iter().any(|(_, command)| command.starts_with("ci")),
        "the README runs CI"
    );
    assert!(
        xtask
            .iter()
            .any(|(_, command)| command.starts_with("release")),
        "docs/releasing.md releases, in a list"
    );
    // These are programs of their own, which would be compiled to answer.
    let xtask = xtask.into_iter();
    let xtask = xtask.filter(|(_, command)| !command.starts_with("bench ")); // only template
    let xtask = xtask.filter(|(_, command)| !command.starts_with("init "));
    let xtask = xtask.filter(|(_, command)| !command.starts_with("template "));
    for (path, command) in xtask {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(command.split_whitespace())
            .arg("--help")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}: cargo xtask {command}: {error}",
            path.display()
        );
    }
}

#[test]
fn the_map_names_every_file_of_the_driver() {
    let map = read("docs/architecture.md");
    let tables: Vec<_> = map.split("| file | what it does |\n").skip(1).collect();
    let folders = ["xtask/src", "xtask/nix/src"];
    assert_eq!(tables.len(), folders.len());
    for (folder, table) in folders.into_iter().zip(tables) {
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let named: Vec<_> = rows
            .filter_map(|row| row.split('|').nth(1))
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .collect();
        for name in &named {
            let path = root().join(folder).join(name);
            assert!(path.exists(), "the map names {folder}/{name}");
        }
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let entry = entry.unwrap();
            let mut name = entry.file_name().into_string().unwrap();
            if entry.path().is_dir() {
                name.push('/');
            }
            let is_root = ["lib.rs", "main.rs"].contains(&&*name);
            assert!(
                is_root || named.contains(&&*name),
                "docs/architecture.md does not name {folder}/{name}"
            );
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    for_each_file(&root(), &mut |path, text| {
        if path.extension().is_none_or(|extension| extension != "md") {
            return;
        }
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = target.split('#').next().unwrap();
            if !target.contains("://") && !file.is_empty() {
                let linked = path.parent().unwrap().join(file);
                assert!(linked.exists(), "{} links to {target}", path.display());
            }
        }
    });
}
