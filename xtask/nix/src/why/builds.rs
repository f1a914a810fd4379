//! What differs in the builds themselves: the environments of derivations of the same name.

use std::collections::{BTreeMap, BTreeSet};

use crate::nix::{Closure, Derivation};

/// The same difference, in all derivations that have it.
#[derive(Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) variable: String,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) derivations: Vec<String>,
}

impl Difference {
    /// Whether it is a variable as one sets it, and no script or list of inputs.
    pub(crate) fn is_plain(&self) -> bool {
        [&self.from, &self.to]
            .into_iter()
            .flatten()
            .all(|value| !value.contains('\n') && !value.contains("/nix/store/"))
    }
}

/// The variables whose values differ by more than the hashes of what they name.
pub(crate) fn differences(old: &Closure, new: &Closure) -> Vec<Difference> {
    let by_name = |closure: &Closure, only_in: &Closure| -> BTreeMap<String, String> {
        let derivations = closure.derivations.iter();
        derivations
            .filter(|(file, _)| !only_in.derivations.contains_key(*file))
            .map(|(file, derivation)| (derivation.name.clone(), file.clone()))
            .collect()
    };
    let (gone, come) = (by_name(old, new), by_name(new, old));
    let mut found: BTreeMap<(String, Option<String>, Option<String>), BTreeSet<String>> =
        BTreeMap::new();
    for (name, file) in &come {
        let Some(other) = gone.get(name) else {
            continue;
        };
        let (from, to) = (
            environment(&old.derivations[other]),
            environment(&new.derivations[file]),
        );
        let variables: BTreeSet<_> = from.keys().chain(to.keys()).collect();
        for variable in variables {
            let (from, to) = (from.get(variable), to.get(variable));
            if from != to {
                found
                    .entry((variable.clone(), from.cloned(), to.cloned()))
                    .or_default()
                    .insert(name.clone());
            }
        }
    }
    found
        .into_iter()
        .map(|((variable, from, to), derivations)| Difference {
            variable,
            from,
            to,
            derivations: derivations.into_iter().collect(),
        })
        .collect()
}

fn environment(derivation: &Derivation) -> BTreeMap<String, String> {
    let variables = derivation.environment().into_iter();
    variables
        .map(|(name, value)| (name, without_hashes(&value)))
        .collect()
}

/// `/nix/store/openssl` of `/nix/store/HASH-openssl`.
fn without_hashes(text: &str) -> String {
    const HASH: usize = 32;
    let mut parts = text.split("/nix/store/");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        result += "/nix/store/";
        let is_hash = part.as_bytes().get(HASH) == Some(&b'-')
            && part.as_bytes()[..HASH]
                .iter()
                .all(u8::is_ascii_alphanumeric);
        result += if is_hash { &part[HASH + 1..] } else { part };
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_do_not_count() {
        let hash = "38z51cmm8f6smjnwj14nfl3adfsi1nf2";
        assert_eq!(
            without_hashes(&format!("a /nix/store/{hash}-b/bin /nix/store/c")),
            "a /nix/store/b/bin /nix/store/c"
        );
    }
}
