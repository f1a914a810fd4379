//! The benchmark's workspace: members in layers, each of which depends on members of the one below.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use xshell::cmd;

use super::repository::Repository;
use crate::process;

/// How many members of the layer below a member depends on.
const BREADTH: usize = 3;

const MANIFEST: &str = include_str!("../../bench/workspace.toml");
const RECORD: &str = include_str!("../../bench/record.rs");
const BOTTOM: &str = include_str!("../../bench/bottom.rs");
const MIDDLE: &str = include_str!("../../bench/middle.rs");
const LEAF: &str = include_str!("../../bench/leaf.rs");
const MAIN: &str = include_str!("../../bench/main.rs");
const FLAKE: &str = include_str!("../../bench/flake.nix");

/// Third-party dependencies, by the layers whose members use them.
const BOTTOM_DEPENDENCIES: &[&str] = &["serde", "serde_json", "thiserror"];
const MIDDLE_DEPENDENCIES: &[&str] = &["indexmap", "serde", "serde_json", "tokio", "tracing"];
const LEAF_DEPENDENCIES: &[&str] = &["anyhow", "clap", "regex", "serde", "serde_json"];

/// The size of the workspace.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Size {
    /// How many members it has
    #[arg(long, default_value_t = 19)]
    pub(crate) members: usize,

    /// In how many layers: one member at the bottom, the rest evenly in those above
    #[arg(long, default_value_t = 4)]
    pub(crate) layers: usize,

    /// How many records, with serde's code and three tests each, a member has
    #[arg(long, default_value_t = 24)]
    pub(crate) records: usize,
}

pub(crate) struct Workspace {
    folder: PathBuf,
    size: Size,
    members: Vec<Member>,
}

pub(crate) struct Member {
    pub(crate) name: String,
    /// 0 is the bottom.
    pub(crate) layer: usize,
    /// Names of other members.
    pub(crate) dependencies: Vec<String>,
}

impl Workspace {
    /// A workspace of this size, to be written to `folder`.
    ///
    /// # Errors
    /// No such workspace can be.
    pub(crate) fn new(folder: &Path, size: Size) -> Result<Self> {
        if size.layers < 2 || size.members < size.layers || size.records == 0 {
            bail!(
                "a workspace has at least two layers, a member in each and a record in a member: not {} members in {} layers with {} records",
                size.members,
                size.layers,
                size.records
            );
        }
        Ok(Self {
            folder: folder.to_owned(),
            size,
            members: arrange(size.members, size.layers),
        })
    }

    /// Its members, the bottom first.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The member that all others depend on.
    pub(crate) fn bottom(&self) -> &Member {
        &self.members[0]
    }

    /// The first member of the layer in the middle.
    pub(crate) fn middle(&self) -> &Member {
        self.first_of((self.size.layers - 1) / 2)
    }

    /// A member that none depends on.
    pub(crate) fn leaf(&self) -> &Member {
        self.first_of(self.size.layers - 1)
    }

    fn first_of(&self, layer: usize) -> &Member {
        self.members
            .iter()
            .find(|member| member.layer == layer)
            .unwrap_or_else(|| self.bottom())
    }

    /// Writes the workspace in place of what is in its folder, the lock file by cargo.
    ///
    /// # Errors
    /// The folder holds something else, cannot be written, or cargo cannot reach its registry.
    pub(crate) fn write(&self, repository: &Repository, nonce: &str) -> Result<()> {
        self.write_files(repository, nonce)?;
        let shell = process::shell(&self.folder)?;
        let lock = process::read(cmd!(shell, "cargo generate-lockfile --quiet"));
        lock.map(drop).with_context(|| {
            let folder = self.folder.display();
            format!("cargo cannot lock the dependencies of {folder}")
        })
    }

    /// All but the lock file.
    fn write_files(&self, repository: &Repository, nonce: &str) -> Result<()> {
        self.clear()?;
        self.put("Cargo.toml", MANIFEST)?;
        self.put(
            "rust-toolchain.toml",
            &repository.read("rust-toolchain.toml")?,
        )?;
        self.put("flake.nix", &repository.fill_inputs(FLAKE)?)?;
        self.put("nonce", nonce)?;
        for member in &self.members {
            self.write_member(member)?;
        }
        Ok(())
    }

    /// Changes a member's code: what it and its tests compile to depends on `revision`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn edit(&self, member: &Member, revision: u64) -> Result<()> {
        self.put(
            &format!("crates/{}/src/revision.rs", member.name),
            &format!("pub(crate) const REVISION: u64 = {revision};\n"),
        )
    }

    /// How many packages its lock file names.
    ///
    /// # Errors
    /// The lock file cannot be read.
    pub(crate) fn locked_packages(&self) -> Result<usize> {
        let path = self.folder.join("Cargo.lock");
        let lock =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(lock.lines().filter(|line| *line == "[[package]]").count())
    }

    fn write_member(&self, member: &Member) -> Result<()> {
        let file = |path: &str| format!("crates/{}/{path}", member.name);
        let is_leaf = member.layer == self.size.layers - 1;
        let (third_party, own_code) = match member.layer {
            0 => (BOTTOM_DEPENDENCIES, BOTTOM),
            _ if is_leaf => (LEAF_DEPENDENCIES, LEAF),
            _ => (MIDDLE_DEPENDENCIES, MIDDLE),
        };
        let mut manifest = format!(
            "[package]\nname = \"{}\"\nversion.workspace = true\nedition.workspace = true\n\n[dependencies]\n",
            member.name
        );
        for dependency in &member.dependencies {
            let _ = writeln!(manifest, "{dependency} = {{ path = \"../{dependency}\" }}");
        }
        for dependency in third_party {
            let _ = writeln!(manifest, "{dependency}.workspace = true");
        }
        self.put(&file("Cargo.toml"), &manifest)?;
        self.put(&file("src/lib.rs"), &self.library(member, own_code))?;
        self.edit(member, 0)?;
        if is_leaf {
            let main = MAIN.replace("LIBRARY", &identifier(&member.name));
            self.put(&file("src/main.rs"), &main)?;
        }
        Ok(())
    }

    fn library(&self, member: &Member, own_code: &str) -> String {
        let mut code = String::from(
            "//! A member of the benchmark's workspace.\n\nmod revision;\n\nuse std::collections::BTreeMap;\n\nuse revision::REVISION;\nuse serde::{Deserialize, Serialize};\n",
        );
        code.push_str(own_code);
        if !member.dependencies.is_empty() {
            code.push_str("\n/// What the members below make of a seed.\n#[must_use]\npub fn below(seed: u64) -> u64 {\n    [\n");
            for dependency in &member.dependencies {
                let _ = writeln!(
                    code,
                    "        {}::Record0::sample(seed).size(),",
                    identifier(dependency)
                );
            }
            code.push_str("    ]\n    .iter()\n    .sum()\n}\n");
        }
        for record in 0..self.size.records {
            let text = RECORD
                .replace("Record0", &format!("Record{record}"))
                .replace("record0", &format!("record{record}"))
                .replace("State0", &format!("State{record}"));
            code.push_str(&text);
        }
        code
    }

    /// Removes what an earlier run wrote, and refuses to remove anything else.
    fn clear(&self) -> Result<()> {
        let folder = &self.folder;
        let is_empty = !folder.exists()
            || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        if is_empty {
            return Ok(());
        }
        if !folder.join("nonce").is_file() {
            bail!(
                "{} is not empty and holds no benchmark: name another folder",
                folder.display()
            );
        }
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
    }

    fn put(&self, path: &str, text: &str) -> Result<()> {
        let path = self.folder.join(path);
        let write = || {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, text)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The members of a workspace: one at the bottom, the others evenly in the layers above.
fn arrange(members: usize, layers: usize) -> Vec<Member> {
    let mut arranged = vec![Member {
        name: "bottom".into(),
        layer: 0,
        dependencies: Vec::new(),
    }];
    let mut below: Vec<String> = Vec::new();
    for layer in 1..layers {
        let left = members - arranged.len();
        let width = left / (layers - layer);
        let names: Vec<String> = (1..=width)
            .map(|number| {
                if layer == layers - 1 {
                    format!("leaf-{number}")
                } else {
                    format!("middle-{layer}-{number}")
                }
            })
            .collect();
        for (position, name) in names.iter().enumerate() {
            let mut dependencies = vec!["bottom".to_owned()];
            dependencies.extend(
                (0..BREADTH.min(below.len()))
                    .map(|offset| below[(position + offset) % below.len()].clone()),
            );
            dependencies.sort();
            arranged.push(Member {
                name: name.clone(),
                layer,
                dependencies,
            });
        }
        below = names;
    }
    arranged
}

/// The name of a package as code spells it.
fn identifier(package: &str) -> String {
    package.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::process::Command;

    use serde_json::Value;
    use tempfile::TempDir;

    use super::super::repository::tests::repository;
    use super::*;

    fn size(members: usize, layers: usize) -> Size {
        Size {
            members,
            layers,
            records: 1,
        }
    }

    fn workspace(folder: &TempDir, members: usize, layers: usize) -> Workspace {
        Workspace::new(&folder.path().join("workspace"), size(members, layers)).unwrap()
    }

    /// Standard output of cargo in the workspace.
    fn cargo(workspace: &Workspace, arguments: &[&str]) -> String {
        let output = Command::new("cargo")
            .args(arguments)
            .current_dir(workspace.folder())
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "cargo {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The members that cargo compiles in a run of `cargo check`.
    fn checked(workspace: &Workspace) -> BTreeSet<String> {
        cargo(
            workspace,
            &["check", "--locked", "--message-format", "json"],
        )
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|message| message["reason"] == "compiler-artifact" && message["fresh"] == false)
        .filter_map(|message| Some(message["target"]["name"].as_str()?.replace('_', "-")))
        .filter(|name| {
            workspace
                .members()
                .iter()
                .any(|member| member.name == *name)
        })
        .collect()
    }

    #[test]
    fn cargo_reads_members_in_layers() {
        let folder = TempDir::new().unwrap();
        let workspace = workspace(&folder, 19, 4);
        let (_repository, repository) = repository();
        workspace.write_files(&repository, "nonce\n").unwrap();
        let metadata: Value = serde_json::from_str(&cargo(
            &workspace,
            &[
                "metadata",
                "--offline",
                "--no-deps",
                "--format-version",
                "1",
            ],
        ))
        .unwrap();
        let packages: BTreeMap<&str, &Value> = metadata["packages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|package| (package["name"].as_str().unwrap(), package))
            .collect();
        assert_eq!(packages.len(), 19);
        let layer_of = |name: &str| {
            let member = workspace
                .members()
                .iter()
                .find(|member| member.name == name);
            member.unwrap().layer
        };
        assert_eq!(
            packages.keys().filter(|name| layer_of(name) == 0).count(),
            1
        );
        for (name, package) in &packages {
            let below: Vec<&str> = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["path"].is_string())
                .map(|dependency| dependency["name"].as_str().unwrap())
                .collect();
            assert!(below.iter().all(|other| layer_of(other) < layer_of(name)));
            assert_eq!(layer_of(name) > 0, below.contains(&"bottom"), "{name}");
        }
        assert!(packages.values().any(|package| {
            let targets = package["targets"].as_array().unwrap();
            targets.iter().any(|target| target["kind"][0] == "bin")
        }));
    }

    #[test]
    fn every_size_has_as_many_members_and_layers_as_asked_for() {
        for (members, layers) in [(2, 2), (4, 4), (7, 3), (50, 4), (19, 19)] {
            let arranged = arrange(members, layers);
            assert_eq!(arranged.len(), members);
            let used: BTreeSet<_> = arranged.iter().map(|member| member.layer).collect();
            assert_eq!(used, (0..layers).collect());
        }
    }

    #[test]
    fn a_workspace_that_cannot_be_is_refused() {
        for (members, layers) in [(3, 4), (1, 1), (0, 0)] {
            assert!(Workspace::new(Path::new("unused"), size(members, layers)).is_err());
        }
    }

    #[test]
    fn nothing_is_removed_that_was_not_generated() {
        let folder = TempDir::new().unwrap();
        let workspace = workspace(&folder, 4, 4);
        let (_repository, repository) = repository();
        workspace.write_files(&repository, "first\n").unwrap();
        workspace.edit(workspace.leaf(), 7).unwrap();
        workspace.write_files(&repository, "second\n").unwrap();
        let revision = workspace.folder().join("crates/leaf-1/src/revision.rs");
        assert!(fs::read_to_string(revision).unwrap().contains("= 0;"));

        fs::remove_file(workspace.folder().join("nonce")).unwrap();
        let error = workspace.write_files(&repository, "third\n").unwrap_err();
        assert!(error.to_string().contains("name another folder"), "{error}");
        assert!(workspace.folder().join("Cargo.toml").exists());
    }

    #[test]
    #[ignore = "needs crates.io"]
    fn it_compiles_and_an_edit_compiles_what_depends_on_it() {
        let folder = TempDir::new().unwrap();
        let workspace = workspace(&folder, 7, 4);
        let (_repository, repository) = repository();
        workspace.write(&repository, "nonce\n").unwrap();
        let packages = workspace.locked_packages().unwrap();
        assert!((60..=100).contains(&packages), "{packages}");
        assert_eq!(checked(&workspace).len(), 7);
        assert_eq!(checked(&workspace).len(), 0);

        workspace.edit(workspace.leaf(), 1).unwrap();
        assert_eq!(checked(&workspace), ["leaf-1".to_owned()].into());
        workspace.edit(workspace.middle(), 1).unwrap();
        let of_middle = checked(&workspace);
        assert!(of_middle.contains("middle-1-1") && of_middle.contains("leaf-1"));
        assert!(!of_middle.contains("bottom"));
        workspace.edit(workspace.bottom(), 1).unwrap();
        assert_eq!(checked(&workspace).len(), 7);

        cargo(
            &workspace,
            &["clippy", "--all-targets", "--", "--deny", "warnings"],
        );
        cargo(&workspace, &["test"]);
    }
}
