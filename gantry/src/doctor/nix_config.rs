//! The caches and keys in texts that Nix reads: `nixConfig` of a flake, and nix.conf.

use rnix::Root;
use rnix::ast::{Attr, Expr, HasEntry as _, InterpolPart, Str};

/// Caches, and the keys that their paths may be signed with.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Caches {
    pub(crate) substituters: Vec<String>,
    pub(crate) keys: Vec<String>,
}

const SUBSTITUTERS: [&str; 2] = ["substituters", "extra-substituters"];
const KEYS: [&str; 2] = ["trusted-public-keys", "extra-trusted-public-keys"];

impl Caches {
    /// What `nixConfig` of a flake.nix says; Nix demands that it is literal.
    pub(crate) fn in_flake(text: &str) -> Self {
        let mut caches = Self::default();
        for (path, value) in attributes(Root::parse(text).tree().expr()) {
            match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["nixConfig"] => {
                    for (path, value) in attributes(Some(value)) {
                        if let [setting] = &path[..] {
                            caches.add_literal(setting, &value);
                        }
                    }
                }
                ["nixConfig", setting] => caches.add_literal(setting, &value),
                _ => {}
            }
        }
        caches
    }

    fn add_literal(&mut self, setting: &str, value: &Expr) {
        match value {
            Expr::Str(text) => self.add(setting, &literal(text).unwrap_or_default()),
            Expr::List(list) => list
                .items()
                .for_each(|item| self.add_literal(setting, &item)),
            _ => {}
        }
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

/// The attributes of a set, each with the names that lead to it.
fn attributes(set: Option<Expr>) -> Vec<(Vec<String>, Expr)> {
    let Some(Expr::AttrSet(set)) = set else {
        return Vec::new();
    };
    let attributes = set.attrpath_values().filter_map(|attribute| {
        let path = attribute.attrpath()?.attrs().map(|name| match name {
            Attr::Ident(name) => Some(name.to_string()),
            Attr::Str(name) => literal(&name),
            Attr::Dynamic(_) => None,
        });
        Some((path.collect::<Option<_>>()?, attribute.value()?))
    });
    attributes.collect()
}

/// The text of a string that nothing is computed in.
fn literal(text: &Str) -> Option<String> {
    let parts = text.normalized_parts().into_iter().map(|part| match part {
        InterpolPart::Literal(text) => Some(text),
        InterpolPart::Interpolation(_) => None,
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_and_keys_of_a_flake_are_read() {
        let caches = Caches {
            substituters: vec!["https://a.cachix.org".into(), "https://b".into()],
            keys: vec!["a.cachix.org-1:AA=".into()],
        };
        for text in [
            "{ outputs = { self }: { }; nixConfig = { extra-substituters = [ \"https://a.cachix.org\" \"https://b\" ];\n\
             # extra-substituters = [ \"https://old\" ];\n extra-trusted-public-keys = [ \"a.cachix.org-1:AA=\" ]; }; }",
            "{ nixConfig.extra-substituters = \"https://a.cachix.org https://b\"; /* nixConfig */\n\
             nixConfig.extra-trusted-public-keys = ''a.cachix.org-1:AA=''; outputs = _: { extra-substituters = \"no\"; }; }",
        ] {
            assert_eq!(Caches::in_flake(text), caches);
        }
        for text in [
            "",
            "{ outputs = _: \"nixConfig extra-substituters\"; }",
            "nixConfig",
            "nixConfig = {",
            "\"\\",
        ] {
            assert_eq!(Caches::in_flake(text), Caches::default());
        }
    }
}
