//! What a project is to be: from the command line, from the terminal where one is there, or from the
//! files of a project that has been made.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use data_encoding::BASE64;
use toml_edit::Item;

use crate::workspace::CACHE_SCHEMES;

use super::folder::{Files, Folder, text};
use super::name::Name;
use super::template::is_below;
use super::{InitArguments, flake, manifest};

/// What a project may be without.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Optional {
    /// The page in WebAssembly, and the program that makes its bindings
    Web,
}

/// What a project is to be.
pub(crate) struct Answers {
    pub(crate) name: Name,
    pub(crate) cache: Option<Cache>,
    /// The address of the project's repository, if it has one by now.
    pub(crate) repository: Option<String>,
    /// `NAME <ADDRESS>`, or a name alone.
    pub(crate) author: Option<String>,
    /// An SPDX expression.
    pub(crate) license: String,
    pub(crate) without_web: bool,
    /// The URL of the flake that gantry comes from, if it is another one.
    pub(crate) gantry: Option<String>,
}

/// The folders that `--without web` leaves out.
pub(crate) const WEB: [&str; 2] = ["crates/web", "xtask/bindgen"];

/// The licence of what is handed out.
pub(crate) const LICENSE: &str = "MIT OR Apache-2.0";

impl InitArguments {
    /// The answers for the project in `folder`, which may be asked for; `packages` are the names that its
    /// dependencies have, and `origin` is the repository that git knows.
    ///
    /// # Errors
    /// An answer that cannot be one, or no name and no terminal to ask for it.
    pub(crate) fn answers(
        self,
        folder: &Folder,
        packages: &[String],
        origin: Option<String>,
        has_web: bool,
    ) -> Result<Answers> {
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        let default_name = folder
            .root
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let name = |text: &str| Name::new(text, packages);
        let name = match self.name {
            Some(text) => name(&text)?,
            None if terminal => ask(
                "Name",
                name(&default_name).map_or("", |_| &default_name),
                name,
            )?,
            None => bail!(
                "--name is missing: `gantry init --name {}`",
                name(&default_name).map_or("my-app", |_| &default_name)
            ),
        };
        let or_ask = |given: Option<String>, question: &str, default: Option<String>| match given {
            Some(text) => Ok(text),
            None if terminal => ask(question, &default.unwrap_or_default(), |text| {
                Ok(text.to_owned())
            }),
            None => Ok(default.unwrap_or_default()),
        };
        let repository = or_ask(
            self.repository,
            "Repository (ORG/NAME at GitHub, or a URL)",
            origin,
        )?;
        let author = or_ask(self.author, "Author", author(folder))?;
        let license = or_ask(self.license, "Licence", Some(LICENSE.into()))?;
        let cache = or_ask(
            self.cache,
            "Binary cache (a name at cachix.org or a URL; none for now)",
            None,
        )?;
        let public_key = match self.public_key {
            None if terminal && !cache.is_empty() => ask("Its public key", "", |text| {
                Cache::new(&cache, text).map(|_| text.to_owned())
            })?,
            key => key.unwrap_or_default(),
        };
        let without_web = has_web
            && (self.without.contains(&Optional::Web)
                || terminal
                    && ask(
                        "The page in WebAssembly (keep, leave out)",
                        "keep",
                        |text| match text {
                            "keep" => Ok(false),
                            "leave out" => Ok(true),
                            _ => bail!("either `keep` or `leave out`"),
                        },
                    )?);
        let gantry = self.gantry.map(checked_url).transpose()?;
        Ok(Answers {
            name,
            cache: (!cache.is_empty())
                .then(|| Cache::new(&cache, &public_key))
                .transpose()?,
            repository: (!repository.is_empty())
                .then(|| repository_url(&repository))
                .transpose()?,
            author: (!author.is_empty())
                .then(|| checked_author(author))
                .transpose()?,
            license: checked_license(license)?,
            // A project that has no page any more has been made without it.
            without_web: without_web || !has_web,
            gantry,
        })
    }
}

impl Answers {
    /// Whether the project has no such file or folder.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        self.without_web && WEB.iter().any(|folder| is_below(path, folder))
    }

    /// Those that the project with these files was made with.
    ///
    /// # Errors
    /// It was not made of the template.
    pub(crate) fn of_project(files: &Files) -> Result<Self> {
        let manifest = manifest::parse(text(files, "Cargo.toml")?)?;
        let workspace = |keys: &[&str]| manifest::item(&manifest, &[&["workspace"], keys].concat());
        let string = |keys: &[&str]| workspace(keys).and_then(Item::as_str).map(str::to_owned);
        let first = |keys: &[&str]| workspace(keys)?.as_array()?.get(0)?.as_str();
        let name = string(&["metadata", "template", "name"]).context(
            "Cargo.toml has no name in [workspace.metadata.template], where `gantry init` writes it: \
             this project was not made by it",
        )?;
        let cache = |key| string(&["metadata", "cache", key]);
        let cache = match (cache("name").or_else(|| cache("url")), cache("public-key")) {
            (Some(cache), Some(key)) => Some(Cache::new(&cache, &key)?),
            _ => None,
        };
        Ok(Self {
            name: Name::new(&name, &[])?,
            cache,
            repository: string(&["package", "repository"]),
            author: first(&["package", "authors"]).map(str::to_owned),
            license: string(&["package", "license"]).unwrap_or(LICENSE.into()),
            without_web: first(&["metadata", "template", "without"]).is_some(),
            gantry: flake::gantry(text(files, "flake.nix")?).map(str::to_owned),
        })
    }
}

/// Who commits here: `NAME <ADDRESS>`.
fn author(folder: &Folder) -> Option<String> {
    let name = folder.ask_git(&["config", "user.name"])?;
    Some(match folder.ask_git(&["config", "user.email"]) {
        Some(address) => format!("{name} <{address}>"),
        None => name,
    })
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

/// The address of a repository, for browsers and manifests, of one that people and git call so.
///
/// # Errors
/// It is neither ORG/NAME at GitHub nor a URL.
pub(crate) fn repository_url(text: &str) -> Result<String> {
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
    ];
    let slug = at_github.iter().find_map(|start| text.strip_prefix(start));
    let slug = slug.unwrap_or(text);
    if let Some((organisation, name)) = slug.split_once('/')
        && is_word(organisation)
        && is_word(name)
    {
        return Ok(format!("https://github.com/{slug}"));
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
    Ok(url)
}

fn checked_url(text: String) -> Result<String> {
    ensure!(
        is_plain(&text) && text.contains(':'),
        "`{text}` is no URL of a flake, such as github:ORG/NAME or path:/FOLDER"
    );
    Ok(text)
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
                repository_url(text).unwrap(),
                "https://github.com/acme/app",
                "{text}"
            );
        }
        let elsewhere = repository_url("git@example.org:acme/app.git").unwrap();
        assert_eq!(elsewhere, "ssh://git@example.org/acme/app");
        for text in ["acme", "a/b/c", "acme/my app", "https://x y"] {
            assert!(repository_url(text).is_err(), "{text}");
        }
    }
}
