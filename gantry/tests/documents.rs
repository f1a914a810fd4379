//! What the documents show: commands exist and pass, links lead somewhere, variables are read.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::git::git;
use support::runner::{Runner, printed};
use support::{PROGRAM, repository};

/// Files of this repository, by their URLs in the project's documents.
const FILES: [&str; 2] = [
    "https://github.com/ORG/gantry/blob/main/",
    "https://github.com/ORG/gantry/tree/main/",
];

struct Document {
    path: PathBuf,
    text: String,
}

/// The Markdown files for people who use the project or the engine, or work on them.
fn documents() -> Vec<Document> {
    let tracked = git(&repository(), &["ls-files", "*.md"]);
    let documents: Vec<_> = tracked
        .lines()
        .map(|name| repository().join(name))
        .filter(|path| path.exists())
        .map(|path| Document {
            text: fs::read_to_string(&path).unwrap(),
            path,
        })
        .collect();
    assert!(documents.len() > 10);
    documents
}

/// A fenced block of commands in a document.
struct Block {
    commands: Vec<String>,
    /// Why it is not run, from the comment in front of it.
    not_run: Option<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut before = "";
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "```sh" {
            let not_run = before.strip_prefix("<!-- not run: ");
            blocks.push(Block {
                commands: lines
                    .by_ref()
                    .take_while(|line| *line != "```")
                    .map(str::to_owned)
                    .collect(),
                not_run: not_run.map(|rest| rest.trim_end_matches(" -->").to_owned()),
            });
        }
        if !line.is_empty() {
            before = line;
        }
    }
    blocks
}

#[test]
fn commands_are_found_with_what_is_said_of_them() {
    let text = "a\n\n   ```sh\n   one\n   two\n   ```\n<!-- not run: why -->\n```sh\nthree\n```\n";
    let blocks = blocks(text);
    assert_eq!(blocks[0].commands, ["one", "two"]);
    assert!(blocks[0].not_run.is_none());
    assert_eq!(blocks[1].commands, ["three"]);
    assert_eq!(blocks[1].not_run.as_deref(), Some("why"));
    assert_eq!(blocks.len(), 2);
}

/// The commands of gantry in a text, in blocks and between backticks, as words; all that a synopsis
/// has in brackets is taken.
fn commands_of_gantry(text: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for start in [
        "nix run .#gantry -- ",
        "cargo xtask ",
        "`gantry ",
        "\ngantry ",
    ] {
        for rest in text.split(start).skip(1) {
            let end = rest.find(['`', '\n', '|', '>', '&', ';', '#', ',']);
            let words: Vec<_> = rest[..end.unwrap_or(rest.len())]
                .split_whitespace()
                .map(|word| {
                    word.trim_matches(['[', ']', '"', '\'', '…', '.'])
                        .to_owned()
                })
                .take_while(|word| word != "--" && word != "\\")
                .collect();
            commands.push(words);
        }
    }
    commands
}

/// The project's driver hands these over to gantry, so that they are the same to both.
#[test]
fn every_command_of_gantry_exists() {
    /// Those that xtask has by itself.
    const OWN: [&str; 3] = ["--help", "completions", "links"];
    let mut count = 0;
    let mut unknown = Vec::new();
    for document in documents() {
        for mut words in commands_of_gantry(&document.text) {
            // What only xtask understands: it never gets to gantry.
            if let Some(position) = words.iter().position(|word| word == "--backend") {
                words.drain(position..(position + 2).min(words.len()));
            }
            let is_own = |word: &String| OWN.contains(&&**word) || word == "COMMAND";
            if words.first().is_none_or(is_own) {
                continue;
            }
            let output = Command::new(PROGRAM).args(&words).arg("--help").output();
            let output = output.unwrap();
            if !output.status.success() {
                let path = document.path.display();
                unknown.push(format!("{path}: gantry {words:?}\n{}", printed(&output)));
            }
            count += 1;
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    assert!(count > 20, "{count}");
}

/// How GitHub calls a heading in a link.
fn anchor(heading: &str) -> String {
    let kept = |&character: &char| character.is_alphanumeric() || "-_ ".contains(character);
    let name: String = heading.chars().filter(kept).collect();
    name.to_lowercase().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect()
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let mut count = 0;
    // What is laid over a project is at its root, beside the root's own files.
    let laid_over = repository().join("templates/project");
    for Document { path, text } in documents() {
        let folder = match path.parent().unwrap() {
            folder if folder == laid_over => repository(),
            folder => folder.to_owned(),
        };
        for rest in text.split("](").skip(1) {
            let target = &rest[..rest.find(')').unwrap()];
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let own = FILES.iter().find_map(|start| file.strip_prefix(start));
            let linked = match own {
                Some(own) => repository().join(own),
                None if file.contains("://") => continue,
                None if file.is_empty() => path.clone(),
                None => folder.join(file),
            };
            assert!(linked.exists(), "{}: {target}", path.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(linked).unwrap();
                assert!(
                    anchors(&text).contains(heading),
                    "{}: {target}",
                    path.display()
                );
            }
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

/// Every page is reached from the README.
#[test]
fn no_page_is_left_out() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    for Document { path, .. } in documents() {
        if path.parent().unwrap().ends_with("gantry/docs") {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(readme.contains(&format!("](gantry/docs/{name})")), "{name}");
        }
    }
}

/// Names of environment variables in a text.
fn variables(text: &str) -> BTreeSet<&str> {
    let is_part = |character: char| character.is_ascii_uppercase() || character == '_';
    text.split(|character| !is_part(character))
        .filter(|word| word.starts_with("GANTRY_"))
        .collect()
}

#[test]
fn variables_that_are_read_are_documented_and_no_others() {
    fn add(folder: &Path, texts: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, texts);
            } else {
                *texts += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let mut source = String::new();
    add(&repository().join("gantry/src"), &mut source);
    let documents: String = documents().iter().map(|document| &*document.text).collect();
    let mut documented = variables(&documents);
    // The tests' own.
    documented.remove("GANTRY_STRICT");
    let mut read = variables(&source);
    // An example in a test of names.
    read.remove("GANTRY_LOG");
    assert_eq!(documented, read);
}

/// The map names every module, and no file or folder that there is not.
#[test]
fn the_map_is_complete() {
    let map = fs::read_to_string(repository().join("gantry/docs/architecture.md")).unwrap();
    let (_, map) = map.split_once("\n## The program: `gantry/src`\n").unwrap();
    let table = map.lines().skip_while(|line| !line.starts_with("| ---"));
    let rows = table.skip(1).take_while(|line| line.starts_with('|'));
    let named: BTreeSet<_> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .map(|name| name.trim_end_matches('/').to_owned())
        .collect();
    let entries = fs::read_dir(repository().join("gantry/src")).unwrap();
    let existing: BTreeSet<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(named, existing);
}

/// `FILE.rs`: `NAME`, of tests that show what security.md says.
#[test]
fn the_tests_that_are_named_exist() {
    let page = fs::read_to_string(repository().join("gantry/docs/security.md")).unwrap();
    let mut count = 0;
    for line in page.lines().filter_map(|line| line.strip_prefix("- `")) {
        let Some((file, name)) = line.split_once(".rs`: `") else {
            continue;
        };
        let file = repository().join(format!("gantry/tests/{file}.rs"));
        let name = name.trim_end_matches('`');
        let tests = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(tests.contains(&format!("fn {name}()")), "{line}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

/// The figures in the README are those that were measured.
#[test]
fn the_readme_says_what_was_measured() {
    let figures = fs::read_to_string(repository().join("gantry/docs/benchmarks.md")).unwrap();
    let row = |name: &str| -> Vec<String> {
        let row = figures
            .lines()
            .find(|line| line.starts_with(&format!("| {name}")));
        let cells = row.unwrap().split('|').map(|cell| cell.trim().to_owned());
        cells.collect()
    };
    let (leaf, everything) = (row("an edited leaf"), row("everything"));
    let members = figures
        .lines()
        .find(|line| line.contains(" members in "))
        .unwrap();
    let sentence = format!(
        "an edited leaf in {} members takes {} instead of {}, and everything together {} times as long.",
        members.split(' ').next().unwrap(),
        leaf[2],
        leaf[3],
        everything[4]
    );
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let readme = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        readme.contains(&sentence),
        "README.md does not say: {sentence}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn the_commands_of_the_documents_pass() {
    let runner = Runner::new();
    runner.commit();
    let mut count = 0;
    for document in documents() {
        let blocks = blocks(&document.text);
        let to_run = blocks.iter().filter(|block| block.not_run.is_none());
        for command in to_run.flat_map(|block| &block.commands) {
            let output = runner.bash(command).output().unwrap();
            // These two say with 1 that there is something to say.
            let says = ["status", "doctor"]
                .iter()
                .any(|word| command.ends_with(word));
            let passed = output.status.success() || says && output.status.code() == Some(1);
            assert!(
                passed,
                "{}: {command}\n{}",
                document.path.display(),
                printed(&output)
            );
            count += 1;
        }
        runner.print("git reset --quiet --hard && git clean --quiet --force -d");
    }
    assert!(count > 5, "{count}");
}

/// Those of `nix build` and `nix run`, wherever in the text. Words in capitals stand for a name.
#[test]
#[ignore = "needs Nix"]
fn the_outputs_in_the_documents_exist() {
    let runner = Runner::new();
    runner.commit();
    let system = runner.print("nix config show system");
    let mut names = BTreeSet::new();
    for document in documents() {
        for command in ["nix build .#", "nix run .#"] {
            for rest in document.text.split(command).skip(1) {
                let is_name = |character: char| {
                    character.is_ascii_alphanumeric() || "-_.".contains(character)
                };
                let end = rest.find(|character| !is_name(character));
                let name = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
                if !name.contains(|character: char| character.is_ascii_uppercase()) {
                    names.insert(format!("packages.{system}.{name}"));
                }
            }
        }
    }
    assert!(names.len() > 1, "{names:?}");
    for name in names {
        runner.print(&format!("nix eval .#{name}.name"));
    }
}

/// docs/nix.md names each argument of the functions, and says of each whether it must be given.
#[test]
#[ignore = "needs Nix"]
fn the_arguments_of_the_library_are_documented() {
    let runner = Runner::new();
    runner.commit();
    let page = fs::read_to_string(repository().join("gantry/docs/nix.md")).unwrap();
    for function in ["mkFlake", "mkWorkspace"] {
        let (_, section) = page.split_once(&format!("## lib.{function}\n")).unwrap();
        let (_, table) = section.split_once("\n| argument |").unwrap();
        let documented: BTreeSet<_> = table
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with('|'))
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(name, rest)| (name.to_owned(), !rest.contains("| must be given |")))
            .collect();
        let arguments = runner.print(&format!(
            "nix eval --json .#lib.{function} --apply builtins.functionArgs"
        ));
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        let arguments = arguments.as_object().unwrap().iter();
        let expected: BTreeSet<_> = arguments
            .map(|(name, is_optional)| (name.clone(), is_optional.as_bool().unwrap()))
            .collect();
        assert_eq!(documented, expected, "{function}");
    }
}
