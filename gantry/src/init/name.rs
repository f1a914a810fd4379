//! The project's name: what may be one, and the forms that it takes in code.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use proc_macro2::{TokenStream, TokenTree};

/// The template's own name, which gives way to the project's.
pub(crate) const TEMPLATE: &str = "acme";

/// What cargo, xtask or the flake would take for something else.
const RESERVED: [&str; 25] = [
    // cargo's folders below target/, and packages of the standard library
    "alloc",
    "build",
    "core",
    "deps",
    "examples",
    "incremental",
    "proc-macro",
    "std",
    "test",
    // outputs of the flake, and members that every project has
    "default",
    "dev",
    "gantry",
    "nix",
    "web",
    "xtask",
    // files that Windows cannot have
    "aux",
    "com1",
    "com2",
    "com3",
    "con",
    "lpt1",
    "lpt2",
    "lpt3",
    "nul",
    "prn",
];

/// Words that no crate can be called, in any edition.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The longest name whose paths a release's archives can hold.
const LONGEST: usize = 40;

/// A name that every package of the project can be called after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// Checks `text`; `packages` are the names in Cargo.lock that stay as they are.
    ///
    /// # Errors
    /// It cannot be a name: why, and what could.
    pub(crate) fn new(text: &str, packages: &[String]) -> Result<Self> {
        if let Some(why) = malformed(text) {
            match suggestion(text) {
                Some(other) if malformed(&other).is_none() => {
                    bail!("`{text}` cannot be the name: {why}; `{other}` could")
                }
                _ => bail!("`{text}` cannot be the name: {why}"),
            }
        }
        let name = Self(text.into());
        let clash = packages.iter().find(|&package| {
            let package = package.replace('_', "-");
            package == text
                || package
                    .strip_prefix(text)
                    .is_some_and(|rest| ["-core", "-web"].contains(&rest))
        });
        if let Some(package) = clash {
            bail!(
                "`{text}` cannot be the name: the project depends on the package `{package}`; \
                 `{text}-app` could"
            );
        }
        Ok(name)
    }

    /// As packages, programs and folders are called: `my-app`.
    pub(crate) fn package(&self) -> &str {
        &self.0
    }

    /// As a crate is called in code: `my_app`.
    fn identifier(&self) -> String {
        self.0.replace('-', "_")
    }

    /// As a type would be: `MyApp`.
    fn capitalised(&self) -> String {
        let words = self.0.split('-').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        words.collect()
    }

    /// `text` with this name in place of the template's, in every form.
    pub(crate) fn replace_in(&self, text: &str) -> String {
        self.replace(text, &BTreeSet::new())
    }

    /// The same of a Rust file, in whose code a word is an identifier.
    pub(crate) fn replace_in_rust(&self, text: &str) -> String {
        let mut identifiers = BTreeSet::new();
        // What is no Rust has none.
        if let Ok(tokens) = text.parse() {
            find_identifiers(tokens, &mut identifiers);
        }
        self.replace(text, &identifiers)
    }

    /// `identifiers` are the places where a word is one, whatever is around it.
    fn replace(&self, text: &str, identifiers: &BTreeSet<usize>) -> String {
        let lower = text.to_ascii_lowercase();
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for (start, _) in lower.match_indices(TEMPLATE) {
            replaced.push_str(&text[end..start]);
            end = start + TEMPLATE.len();
            // cargo's variables for programs hold the program's name as it is.
            let before = &text[..start];
            let is_identifier = before.ends_with('_') && !before.ends_with("CARGO_BIN_EXE_")
                || text[end..].starts_with('_')
                || text[end..].starts_with("::")
                || identifiers.contains(&start);
            replaced.push_str(&match &text[start..end] {
                word if word.starts_with(char::is_lowercase) && is_identifier => self.identifier(),
                word if word.starts_with(char::is_lowercase) => self.0.clone(),
                word if word.ends_with(char::is_lowercase) => self.capitalised(),
                _ => self.identifier().to_uppercase(),
            });
        }
        replaced.push_str(&text[end..]);
        replaced
    }
}

/// Where the template's name begins that is an identifier of its own.
fn find_identifiers(tokens: TokenStream, found: &mut BTreeSet<usize>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => find_identifiers(group.stream(), found),
            TokenTree::Ident(identifier) if identifier == TEMPLATE => {
                found.insert(identifier.span().byte_range().start);
            }
            _ => {}
        }
    }
}

/// Why no package can be called `text`.
fn malformed(text: &str) -> Option<String> {
    let is_allowed = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
    };
    Some(if text.is_empty() {
        "it is empty".into()
    } else if let Some(other) = text.chars().find(|&character| !is_allowed(character)) {
        format!("lower-case letters, digits and dashes make a name, not `{other}`")
    } else if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        "it does not begin with a letter".into()
    } else if text.ends_with('-') || text.contains("--") {
        "a dash stands between two words".into()
    } else if text.len() > LONGEST {
        format!("it has more than {LONGEST} characters")
    } else if KEYWORDS.contains(&text) {
        "it is a keyword of Rust".into()
    } else if RESERVED.contains(&text) {
        "it is reserved".into()
    } else {
        return None;
    })
}

/// A name that is much like `text`.
fn suggestion(text: &str) -> Option<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut after_lower = false;
    for character in text.chars() {
        let starts_word = character.is_ascii_uppercase() && after_lower;
        if starts_word || !character.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if character.is_ascii_alphanumeric() {
            words.last_mut()?.push(character.to_ascii_lowercase());
        }
        after_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    let mut name = words.join("-");
    name.truncate(LONGEST);
    let name = name
        .trim_matches('-')
        .trim_start_matches(|first: char| !first.is_ascii_lowercase());
    if name.is_empty() {
        return None;
    }
    Some(if malformed(name).is_none() {
        name.into()
    } else {
        format!("{name}-app")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text, &[]).unwrap()
    }

    #[test]
    fn every_form_is_replaced_by_its_like() {
        let cases = [
            ("acme", "my-app2"),
            ("acme-core", "my-app2-core"),
            ("use acme_core::List;", "use my_app2_core::List;"),
            ("CARGO_BIN_EXE_acme", "CARGO_BIN_EXE_my-app2"),
            ("run_acme()", "run_my_app2()"),
            ("acme::run()", "my_app2::run()"),
            ("`acme: error`", "`my-app2: error`"),
            ("AcmeError", "MyApp2Error"),
            ("ACME_LOG", "MY_APP2_LOG"),
            ("acmeacme", "my-app2my-app2"),
        ];
        for (text, replaced) in cases {
            assert_eq!(name("my-app2").replace_in(text), replaced);
        }
    }

    #[test]
    fn a_word_in_code_is_an_identifier() {
        let code = "//! ü: acme\nfn acme() { /* acme */ let acme = \"acme\"; run(acme); }\n";
        assert_eq!(
            name("my-app").replace_in_rust(code),
            "//! ü: my-app\nfn my_app() { /* my-app */ let my_app = \"my-app\"; run(my_app); }\n"
        );
        assert_eq!(
            name("my-app").replace_in_rust("acme ) acme"),
            "my-app ) my-app"
        );
    }

    #[test]
    fn a_name_that_holds_the_templates_is_replaced_once() {
        assert_eq!(name("acme2").replace_in("acme-core"), "acme2-core");
    }

    #[test]
    fn a_name_that_cannot_be_one_is_answered_with_one_that_can() {
        for (text, suggested) in [
            ("My App", "my-app"),
            ("MyApp", "my-app"),
            ("my_app", "my-app"),
            ("2fast", "fast"),
            ("-x-", "x"),
            ("a--b", "a-b"),
            ("fn", "fn-app"),
            ("test", "test-app"),
            ("gantry", "gantry-app"),
            ("größe", "gr-e"),
        ] {
            let error = Name::new(text, &[]).unwrap_err().to_string();
            assert!(
                error.ends_with(&format!("; `{suggested}` could")),
                "{error}"
            );
            assert_eq!(name(suggested).package(), suggested);
        }
        for text in ["", "42", "日本"] {
            let error = Name::new(text, &[]).unwrap_err().to_string();
            assert!(error.contains("cannot be the name"), "{error}");
        }
    }

    #[test]
    fn a_name_that_a_dependency_has_is_refused() {
        let packages = ["serde".to_owned(), "data_frame-core".to_owned()];
        for text in ["serde", "data-frame"] {
            let error = Name::new(text, &packages).unwrap_err().to_string();
            assert!(error.contains("depends on the package"), "{error}");
        }
        assert!(Name::new("ser", &packages).is_ok());
    }
}
