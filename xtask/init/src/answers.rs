//! What a project is to be: from the command line, and from the terminal where it is there.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::{Result, bail, ensure};
use clap::{Parser, ValueEnum};
use data_encoding::BASE64;
use xtask::workspace::CACHE_SCHEMES;

use crate::name::Name;
use crate::repository;

/// Makes a project of the template: names it, and takes out what it does not need
#[derive(Parser)]
#[command(
    name = "init",
    bin_name = "cargo xtask init",
    version,
    after_help = "\
What is missing is asked for on a terminal; without one only --name is needed.
Interrupted at any point, the folder is either untouched or done.

Exit codes: 0 done, 2 wrong usage or environment, 130 interrupted"
)]
pub(crate) struct Arguments {
    /// The name of the program, which all packages are called after
    #[arg(long)]
    name: Option<String>,

    /// The binary cache: a name at cachix.org or a URL
    #[arg(long, value_name = "NAME|URL", requires = "public_key")]
    cache: Option<String>,

    /// The cache's public key
    #[arg(long, value_name = "KEY", requires = "cache")]
    public_key: Option<String>,

    /// Where the project will be: ORG/NAME at GitHub, or a URL [default: the remote `origin`]
    #[arg(long, value_name = "ORG/NAME|URL")]
    repository: Option<String>,

    /// Who holds the copyright [default: git's user.name and user.email]
    #[arg(long)]
    author: Option<String>,

    /// An SPDX expression [default: MIT OR Apache-2.0]
    #[arg(long)]
    license: Option<String>,

    /// Leave out what not every project has
    #[arg(long, value_enum)]
    without: Vec<Optional>,

    /// The commit that the template is at, for later updates [default: what Cargo.toml or git says]
    #[arg(long)]
    revision: Option<String>,
}

/// What a project may be without.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Optional {
    /// The wasm crate, its page, and the program that makes its bindings
    Web,
}

pub(crate) struct Answers {
    pub(crate) name: Name,
    pub(crate) cache: Option<Cache>,
    /// The address of the project's repository, if it has one by now.
    pub(crate) repository: Option<Repository>,
    /// `NAME <ADDRESS>`, or a name alone.
    pub(crate) author: Option<String>,
    /// An SPDX expression.
    pub(crate) license: String,
    pub(crate) without_web: bool,
    /// The commit of the template; empty where it is not to be known.
    pub(crate) revision: Option<String>,
}

/// The template's own licence.
pub(crate) const LICENSE: &str = "MIT OR Apache-2.0";

impl Arguments {
    /// The answers for the project in `root`; `packages` are the names that its dependencies have.
    ///
    /// # Errors
    /// An answer that cannot be one, or no name and no terminal to ask for it.
    pub(crate) fn answers(
        self,
        root: &Path,
        packages: &[String],
        has_web: bool,
    ) -> Result<Answers> {
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        let folder = root.file_name().unwrap_or_default().to_string_lossy();
        let name = |text: &str| Name::new(text, packages);
        let name = match self.name {
            Some(text) => name(&text)?,
            None if terminal => ask("Name", name(&folder).map_or("", |_| &folder), name)?,
            None => bail!(
                "--name is missing: `cargo xtask init --name {}`",
                example(&folder, name)
            ),
        };
        let origin = repository::answer(root, &["remote", "get-url", "origin"]);
        let author = repository::author(root);
        let or_ask = |given: Option<String>, question: &str, default: &str| match given {
            Some(text) => Ok(text),
            None if terminal => ask(question, default, |text| Ok(text.to_owned())),
            None => Ok(default.to_owned()),
        };
        let repository = match (self.repository, origin) {
            (None, None) if !terminal => None,
            (given, origin) => Some(or_ask(
                given,
                "Repository (ORG/NAME at GitHub, or a URL)",
                &origin.unwrap_or_default(),
            )?),
        };
        let author = or_ask(self.author, "Author", &author.unwrap_or_default())?;
        let license = or_ask(self.license, "Licence", LICENSE)?;
        let cache = or_ask(
            self.cache,
            "Binary cache (a name at cachix.org or a URL; none for now)",
            "",
        )?;
        let public_key = match self.public_key {
            None if terminal && !cache.is_empty() => ask("Its public key", "", |text| {
                Cache::new(&cache, text).map(|_| text.to_owned())
            })?,
            key => key.unwrap_or_default(),
        };
        let without_web = !has_web
            || self.without.contains(&Optional::Web)
            || terminal
                && ask(
                    "The wasm crate and its page (keep, leave out)",
                    "keep",
                    |text| match text {
                        "keep" => Ok(false),
                        "leave out" => Ok(true),
                        _ => bail!("either `keep` or `leave out`"),
                    },
                )?;
        Ok(Answers {
            name,
            cache: (!cache.is_empty())
                .then(|| Cache::new(&cache, &public_key))
                .transpose()?,
            repository: repository
                .filter(|text| !text.is_empty())
                .map(|text| Repository::new(&text))
                .transpose()?,
            author: (!author.is_empty())
                .then(|| checked_author(author))
                .transpose()?,
            license: checked_license(license)?,
            without_web,
            revision: self.revision,
        })
    }
}

/// A name for an example of usage: the folder's where it can be one.
fn example(folder: &str, name: impl Fn(&str) -> Result<Name>) -> String {
    name(folder).map_or("acme".into(), |name| name.package().to_owned())
}

/// Asks on the terminal until the answer can be one. An empty answer is the default.
fn ask<T>(question: &str, default: &str, read: impl Fn(&str) -> Result<T>) -> Result<T> {
    loop {
        let shown = if default.is_empty() {
            String::new()
        } else {
            format!(" [{default}]")
        };
        eprint!("{question}{shown}: ");
        io::stderr().flush()?;
        let mut line = String::new();
        ensure!(
            io::stdin().lock().read_line(&mut line)? > 0,
            "no answer to: {question}"
        );
        let answer = if line.trim().is_empty() {
            default
        } else {
            line.trim()
        };
        match read(answer) {
            Ok(answer) => return Ok(answer),
            Err(error) => eprintln!("{error}"),
        }
    }
}

/// A binary cache, as `[workspace.metadata.cache]` names it.
pub(crate) struct Cache {
    /// Of a cache at cachix.org.
    pub(crate) name: Option<String>,
    pub(crate) url: String,
    /// `NAME:BASE64`
    pub(crate) public_key: String,
}

impl Cache {
    fn new(text: &str, public_key: &str) -> Result<Self> {
        let key = public_key.split_once(':');
        ensure!(
            key.is_some_and(|(name, key)| !name.is_empty() && is_base64_of_32_bytes(key)),
            "`{public_key}` is no public key, which is NAME:BASE64 with 32 bytes behind the colon"
        );
        if text.contains("://") {
            let rest = CACHE_SCHEMES
                .iter()
                .find_map(|scheme| text.strip_prefix(scheme));
            ensure!(
                rest.is_some_and(is_plain),
                "`{text}` is no URL of a binary cache, which starts with one of {}",
                CACHE_SCHEMES.join(", ")
            );
            return Ok(Self {
                name: None,
                url: text.into(),
                public_key: public_key.into(),
            });
        }
        let is_name = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        };
        ensure!(
            text.chars().all(is_name) && !text.is_empty(),
            "`{text}` is neither the name of a cache at cachix.org nor a URL"
        );
        ensure!(
            public_key.starts_with(&format!("{text}.cachix.org-")),
            "`{public_key}` is the key of another cache than `{text}`: its page at cachix.org shows it"
        );
        Ok(Self {
            name: Some(text.into()),
            url: format!("https://{text}.cachix.org"),
            public_key: public_key.into(),
        })
    }
}

fn is_base64_of_32_bytes(text: &str) -> bool {
    BASE64
        .decode(text.as_bytes())
        .is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether `text` can stand in a string of TOML, Nix and YAML as it is.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(['"', '\\', '$', '\''])
        && !text.contains(|character: char| character.is_whitespace() || character.is_control())
}

/// Where the project's repository is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// For browsers, and for manifests.
    pub(crate) url: String,
    /// How Nix calls it.
    pub(crate) flake: String,
    /// ORG/NAME, at GitHub.
    pub(crate) slug: Option<String>,
}

impl Repository {
    pub(crate) fn new(text: &str) -> Result<Self> {
        let is_word = |word: &str| {
            let is_allowed =
                |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
            !word.is_empty() && word.chars().all(is_allowed)
        };
        let text = text.trim_end_matches('/');
        let text = text.strip_suffix(".git").unwrap_or(text);
        let at_github = [
            "https://github.com/",
            "ssh://git@github.com/",
            "git@github.com:",
            "github:",
        ]
        .iter()
        .find_map(|start| text.strip_prefix(start));
        let slug = at_github.unwrap_or(text);
        if let Some((organisation, name)) = slug.split_once('/')
            && is_word(organisation)
            && is_word(name)
        {
            return Ok(Self {
                url: format!("https://github.com/{slug}"),
                flake: format!("github:{slug}"),
                slug: Some(slug.into()),
            });
        }
        // `git@host:path` is how git abbreviates ssh.
        let url = match text.split_once(':') {
            Some((host, path)) if host.contains('@') && !path.starts_with("//") => {
                format!("ssh://{host}/{path}")
            }
            _ => text.to_owned(),
        };
        ensure!(
            url.contains("://") && is_plain(&url),
            "`{text}` is neither ORG/NAME at GitHub nor a URL"
        );
        Ok(Self {
            flake: format!("git+{url}"),
            url,
            slug: None,
        })
    }
}

fn checked_author(text: String) -> Result<String> {
    ensure!(
        !text.contains(char::is_control),
        "the author's name has a control character in it"
    );
    Ok(text)
}

/// The licences that an SPDX expression is made of, as far as cargo looks at it.
fn checked_license(text: String) -> Result<String> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || " -.+()".contains(character);
    ensure!(
        !text.is_empty() && text.chars().all(is_allowed),
        "`{text}` is no SPDX expression, such as `{LICENSE}` or `MIT`"
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "acme.cachix.org-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn a_cache_is_named_or_has_a_url() {
        let cache = Cache::new("acme", KEY).unwrap();
        assert_eq!(cache.name.as_deref(), Some("acme"));
        assert_eq!(cache.url, "https://acme.cachix.org");
        let cache = Cache::new("s3://acme?region=eu-central-1", KEY).unwrap();
        assert_eq!(
            (cache.name, &*cache.url),
            (None, "s3://acme?region=eu-central-1")
        );
        assert_eq!(
            Cache::new("file:///srv/cache", KEY).unwrap().url,
            "file:///srv/cache"
        );
    }

    #[test]
    fn a_cache_and_a_key_that_do_not_fit_are_refused() {
        for (cache, key) in [
            ("other", KEY),
            ("acme", "acme.cachix.org-1"),
            ("acme", "acme.cachix.org-1:AAEC"),
            ("Acme", KEY),
            ("ftp://acme", KEY),
            // A relative path, which Nix would read as one of the root.
            ("file://cache", KEY),
            ("s3://", KEY),
            ("https://a\"b", KEY),
        ] {
            assert!(Cache::new(cache, key).is_err(), "{cache} {key}");
        }
    }

    #[test]
    fn a_repository_is_found_in_what_git_and_people_write() {
        for text in [
            "acme/app",
            "https://github.com/acme/app",
            "https://github.com/acme/app.git",
            "git@github.com:acme/app.git",
            "ssh://git@github.com/acme/app",
            "github:acme/app",
        ] {
            assert_eq!(
                Repository::new(text).unwrap().slug.as_deref(),
                Some("acme/app"),
                "{text}"
            );
        }
        let elsewhere = Repository::new("git@example.org:acme/app.git").unwrap();
        assert_eq!(elsewhere.url, "ssh://git@example.org/acme/app");
        assert_eq!(elsewhere.flake, "git+ssh://git@example.org/acme/app");
        for text in ["acme", "a/b/c", "acme/my app", "https://x y"] {
            assert!(Repository::new(text).is_err(), "{text}");
        }
    }
}
