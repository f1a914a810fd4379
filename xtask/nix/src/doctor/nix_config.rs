//! The caches and keys in texts that Nix reads: `nixConfig` of a flake, and nix.conf.

/// Caches, and the keys that their paths may be signed with.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Named {
    pub(crate) substituters: Vec<String>,
    pub(crate) keys: Vec<String>,
}

const SUBSTITUTERS: [&str; 2] = ["substituters", "extra-substituters"];
const KEYS: [&str; 2] = ["trusted-public-keys", "extra-trusted-public-keys"];

impl Named {
    /// What `nixConfig` of a flake.nix says; Nix demands that it is literal.
    pub(crate) fn in_flake(text: &str) -> Self {
        let tokens = tokens(text);
        let mut named = Self::default();
        let mut tokens = tokens.iter();
        while let Some(token) = tokens.next() {
            if *token != Token::Word("nixConfig") {
                continue;
            }
            // `nixConfig = { NAME = VALUE; … }`, or `nixConfig.NAME = VALUE;`
            let mut depth = 0;
            let mut setting = "";
            for token in tokens.by_ref() {
                match token {
                    Token::Mark('{') => depth += 1,
                    Token::Mark('}') => depth -= 1,
                    Token::Word(word) => setting = word,
                    Token::Text(text) => named.add(setting, text),
                    Token::Mark(_) => {}
                }
                if depth <= 0 && matches!(token, Token::Mark(';' | '}')) {
                    break;
                }
            }
        }
        named
    }

    /// Adds what lines of nix.conf say.
    pub(crate) fn add_nix_conf(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            // What an expression of a workflow comes to shows when it runs.
            if let Some((setting, value)) = line.split_once('=')
                && !value.contains("${{")
            {
                self.add(setting.trim(), value);
            }
        }
    }

    fn add(&mut self, setting: &str, value: &str) {
        let list = if SUBSTITUTERS.contains(&setting) {
            &mut self.substituters
        } else if KEYS.contains(&setting) {
            &mut self.keys
        } else {
            return;
        };
        list.extend(value.split_whitespace().map(str::to_owned));
    }
}

#[derive(Debug, PartialEq)]
enum Token<'a> {
    /// A name, such as `extra-substituters`.
    Word(&'a str),
    /// The content of a string.
    Text(&'a str),
    Mark(char),
}

/// The tokens of a Nix expression, as far as literals need them.
fn tokens(mut text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let is_word = |character: char| character.is_alphanumeric() || "-_".contains(character);
    while let Some(character) = text.chars().next() {
        let rest = &text[character.len_utf8()..];
        let after =
            |rest: &'_ str, end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        if character == '#' {
            text = &rest[after(rest, "\n")..];
        } else if text.starts_with("/*") {
            text = &rest[after(rest, "*/")..];
        } else if let Some(rest) = text.strip_prefix("''") {
            let end = rest.find("''").unwrap_or(rest.len());
            tokens.push(Token::Text(&rest[..end]));
            text = rest.get(end + 2..).unwrap_or_default();
        } else if character == '"' {
            let mut escaped = false;
            let end = rest.find(|character: char| {
                let ends = character == '"' && !escaped;
                escaped = character == '\\' && !escaped;
                ends
            });
            let end = end.unwrap_or(rest.len());
            tokens.push(Token::Text(&rest[..end]));
            text = rest.get(end + 1..).unwrap_or_default();
        } else if is_word(character) {
            let end = text
                .find(|character| !is_word(character))
                .unwrap_or(text.len());
            tokens.push(Token::Word(&text[..end]));
            text = &text[end..];
        } else {
            if !character.is_whitespace() {
                tokens.push(Token::Mark(character));
            }
            text = rest;
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_and_keys_of_a_flake_are_read() {
        let named = Named {
            substituters: vec!["https://a.cachix.org".into(), "https://b".into()],
            keys: vec!["a.cachix.org-1:AA=".into()],
        };
        for text in [
            "{ outputs = { self }: { }; nixConfig = { extra-substituters = [ \"https://a.cachix.org\" \"https://b\" ];\n\
             # extra-substituters = [ \"https://old\" ];\n extra-trusted-public-keys = [ \"a.cachix.org-1:AA=\" ]; }; }",
            "{ nixConfig.extra-substituters = \"https://a.cachix.org https://b\"; /* nixConfig */\n\
             nixConfig.extra-trusted-public-keys = ''a.cachix.org-1:AA=''; outputs = _: { extra-substituters = \"no\"; }; }",
        ] {
            assert_eq!(Named::in_flake(text), named);
        }
        for text in [
            "",
            "{ outputs = _: \"nixConfig extra-substituters\"; }",
            "nixConfig",
            "nixConfig = {",
            "\"\\",
        ] {
            assert_eq!(Named::in_flake(text), Named::default());
        }
    }
}
