//! What differs in the builds themselves: the environments of derivations of the same name.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::Cause;
use super::revision::Change;
use crate::nix::{Closure, Derivation};

/// What these changes of Nix code did.
pub(super) fn causes(changes: &[&Change], old: &Closure, new: &Closure) -> Vec<Cause> {
    let files: Vec<String> = changes.iter().map(|change| change.file.clone()).collect();
    let (plain, parts): (Vec<_>, Vec<_>) = differences(old, new)
        .into_iter()
        .partition(Difference::is_plain);
    let mut causes: Vec<Cause> = plain
        .into_iter()
        .map(|difference| Cause::Environment {
            variable: difference.variable,
            from: difference.from,
            to: difference.to,
            derivations: difference.derivations,
            files: files.clone(),
        })
        .collect();
    if causes.is_empty() || !parts.is_empty() {
        let names: BTreeSet<_> = parts.iter().map(|part| &part.variable).collect();
        let derivations: BTreeSet<_> = parts.iter().flat_map(|part| &part.derivations).collect();
        causes.push(Cause::Nix {
            files,
            parts: names.into_iter().cloned().collect(),
            derivations: derivations.into_iter().cloned().collect(),
        });
    }
    causes
}

/// The same difference, in all derivations that have it.
#[derive(Debug, PartialEq)]
struct Difference {
    variable: String,
    from: Option<String>,
    to: Option<String>,
    derivations: Vec<String>,
}

impl Difference {
    /// Whether it is a variable as one sets it, and no script or list of inputs.
    fn is_plain(&self) -> bool {
        [&self.from, &self.to]
            .into_iter()
            .flatten()
            .all(|value| !value.contains('\n') && !value.contains("/nix/store/"))
    }
}

/// The variables whose values differ by more than the hashes of what they name.
fn differences(old: &Closure, new: &Closure) -> Vec<Difference> {
    let only_in = |closure: &Closure, other: &Closure| -> BTreeMap<String, String> {
        let derivations = closure.derivations.iter();
        derivations
            .filter(|(file, _)| !other.derivations.contains_key(*file))
            .map(|(file, derivation)| (derivation.name.clone(), file.clone()))
            .collect()
    };
    let (removed, added) = (only_in(old, new), only_in(new, old));
    let mut found: BTreeMap<(String, Option<String>, Option<String>), BTreeSet<String>> =
        BTreeMap::new();
    for (name, file) in &added {
        let Some(other) = removed.get(name) else {
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
