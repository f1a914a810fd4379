//! Whether all that names the cache names the same: Cargo.toml, flake.nix and the workflows.

use std::fs;

use data_encoding::BASE64;

use super::MANIFEST;
use super::code::Code;
use super::nix_config::Caches;
use super::report::Report;
use super::workflow::Workflow;
use crate::cache::Settings;
use crate::url::is_same_store;
use crate::workspace::Workspace;

/// The cache of nixpkgs, which Nix knows by itself.
const UPSTREAM: &str = "https://cache.nixos.org";
const UPSTREAM_KEY: &str = "cache.nixos.org-1:";

pub(super) fn check(
    workspace: &Workspace,
    cache: Option<&Settings>,
    workflows: &[Workflow],
    report: &mut Report,
) {
    let flake = fs::read_to_string(workspace.root.join("flake.nix")).ok();
    let in_flake = flake.map(|text| Caches::in_flake(&text));
    let in_workflows: Vec<_> = workflows
        .iter()
        .map(|workflow| (&*workflow.file, named_in_workflow(workflow)))
        .collect();
    let in_flake = in_flake.as_ref();
    let everywhere: Vec<(&str, &Caches)> = in_flake
        .into_iter()
        .map(|caches| ("flake.nix, nixConfig", caches))
        .chain(in_workflows.iter().map(|(file, caches)| (*file, caches)))
        .collect();

    if let Some(cache) = cache {
        check_key(MANIFEST, &cache.public_key, report);
        check_owner(cache, report);
        if let Some(caches) = in_flake {
            check_flake(cache, caches, report);
        }
        for (file, caches) in &in_workflows {
            check_workflow(cache, file, caches, report);
        }
    } else {
        check_undeclared(&everywhere, report);
    }
    for (place, caches) in everywhere {
        for key in &caches.keys {
            if cache.is_none_or(|cache| cache.public_key != *key) {
                check_key(place, key, report);
            }
        }
    }
}

impl Caches {
    /// The first substituter that is not that of nixpkgs.
    fn own(&self) -> Option<&String> {
        let mut substituters = self.substituters.iter();
        substituters.find(|url| !is_same_store(url, UPSTREAM))
    }

    /// The first key that is not that of nixpkgs.
    fn own_key(&self) -> Option<&String> {
        let mut keys = self.keys.iter();
        keys.find(|key| !key.starts_with(UPSTREAM_KEY))
    }

    fn has(&self, url: &str) -> bool {
        let mut substituters = self.substituters.iter();
        substituters.any(|other| is_same_store(other, url))
    }
}

/// A cache that is used, and that gantry does not know of.
fn check_undeclared(everywhere: &[(&str, &Caches)], report: &mut Report) {
    let mut caches = everywhere.iter();
    let Some((place, caches, url)) =
        caches.find_map(|(place, caches)| Some((place, caches, caches.own()?)))
    else {
        return;
    };
    let entry = match cachix_name(url) {
        Some(name) => format!("name = \"{name}\""),
        None => format!("url = \"{url}\""),
    };
    report.find(
        Code::CacheUndeclared,
        *place,
        format!("it names the cache {url}, and Cargo.toml names none: gantry does not use it"),
        format!(
            "add to Cargo.toml:\n[workspace.metadata.cache]\n{entry}\npublic-key = \"{}\"",
            caches.own_key().map_or("NAME:BASE64", String::as_str)
        ),
    );
}

fn check_flake(cache: &Settings, caches: &Caches, report: &mut Report) {
    let url = &*cache.url;
    let has_url = caches.has(url);
    // A folder of this machine is of no use to others.
    if has_url && caches.keys.contains(&cache.public_key) || url.starts_with("file://") {
        return;
    }
    let problem = if has_url {
        format!("it names {url} without its key {}", cache.public_key)
    } else if let Some(other) = caches.own() {
        format!("it names the cache {other}, and Cargo.toml {url}")
    } else {
        format!("it does not name {url}, so that nobody who uses the flake is offered the cache")
    };
    report.find(
        Code::CacheNotInFlake,
        "flake.nix, nixConfig",
        problem,
        format!(
            "write in flake.nix:\nnixConfig = {{\n  extra-substituters = [ \"{url}\" ];\n  extra-trusted-public-keys = [ \"{}\" ];\n}};",
            cache.public_key
        ),
    );
}

fn check_workflow(cache: &Settings, file: &str, caches: &Caches, report: &mut Report) {
    let url = &*cache.url;
    let problem = match (caches.own(), caches.own_key()) {
        (Some(other), _) if !caches.has(url) => {
            format!("it uses the cache {other}, and Cargo.toml names {url}")
        }
        (_, Some(key)) if !caches.keys.contains(&cache.public_key) => {
            format!(
                "it trusts the key {key}, and Cargo.toml names {}",
                cache.public_key
            )
        }
        _ => return,
    };
    let fix = match &cache.cachix {
        Some(name) => format!(
            "give cachix-action `name: {name}`, and the installer of Nix no other key than {}",
            cache.public_key
        ),
        None => format!(
            "give the installer of Nix in extra_nix_config:\nextra-substituters = {url}\nextra-trusted-public-keys = {}",
            cache.public_key
        ),
    };
    report.find(Code::CacheNotInWorkflow, file, problem, fix);
}

fn named_in_workflow(workflow: &Workflow) -> Caches {
    let mut caches = Caches::default();
    caches.add_nix_conf(workflow.env.get("NIX_CONFIG").map_or("", String::as_str));
    for job in &workflow.jobs {
        caches.add_nix_conf(job.env.get("NIX_CONFIG").map_or("", String::as_str));
        for step in &job.steps {
            let texts = [
                step.with.get("extra_nix_config"),
                step.with.get("extra-conf"),
                step.env.get("NIX_CONFIG"),
            ];
            for text in texts.into_iter().flatten() {
                caches.add_nix_conf(text);
            }
            let name = step.with.get("name").filter(|name| !name.contains("${{"));
            if let (true, Some(name)) = (step.uses.starts_with("cachix/cachix-action@"), name) {
                caches
                    .substituters
                    .push(format!("https://{name}.cachix.org"));
            }
        }
    }
    caches
}

fn check_key(place: &str, key: &str, report: &mut Report) {
    if !is_key(key) {
        report.find(
            Code::KeyMalformed,
            place,
            format!("`{key}` is no public key: NAME:BASE64, of 32 bytes"),
            "copy the key from the cache's page, or make it of the secret one: nix key convert-secret-to-public <SECRET-KEY-FILE",
        );
    }
}

/// Whether it is `NAME:` and the base64 of 32 bytes.
fn is_key(key: &str) -> bool {
    key.split_once(':').is_some_and(|(name, value)| {
        let bytes = BASE64.decode(value.as_bytes());
        !name.is_empty() && bytes.is_ok_and(|bytes| bytes.len() == 32)
    })
}

/// Keys of Cachix bear the name of their cache.
fn check_owner(cache: &Settings, report: &mut Report) {
    let Some(name) = &cache.cachix else {
        return;
    };
    let start = format!("{name}.cachix.org-");
    if !cache.public_key.starts_with(&start) {
        let owner = cache.public_key.split(':').next().unwrap_or_default();
        report.find(
            Code::KeyOfAnotherCache,
            MANIFEST,
            format!(
                "the key `{owner}` is not of the cache `{name}`, whose keys are called {start}N"
            ),
            format!("write the public key that https://app.cachix.org/cache/{name} shows"),
        );
    }
}

/// The name of the cache at cachix.org that a URL is of.
fn cachix_name(url: &str) -> Option<&str> {
    let (place, _) = url.split_once('?').unwrap_or((url, ""));
    let host = place.strip_prefix("https://")?.trim_end_matches('/');
    host.strip_suffix(".cachix.org")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_at_cachix_is_known_by_its_host() {
        for url in [
            "https://acme.cachix.org",
            "https://acme.cachix.org/?priority=30",
        ] {
            assert_eq!(cachix_name(url), Some("acme"), "{url}");
        }
        for url in ["https://acme.org", "s3://acme.cachix.org"] {
            assert_eq!(cachix_name(url), None, "{url}");
        }
    }

    #[test]
    fn keys_are_32_bytes() {
        let sound = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";
        assert!(is_key(sound));
        for broken in [
            sound.replace("hjY=", "hjY"),
            sound.replace("hjY=", "hjYA="),
            sound.replace("hjY=", "hjZ="),
            sound.replace("hjY=", "h-Y="),
            sound.replace("cache.nixos.org-1", ""),
            "YourPublicKeyHere=".into(),
        ] {
            assert!(!is_key(&broken), "{broken}");
        }
    }
}
