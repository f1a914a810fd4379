//! Whether all that names the cache names the same: Cargo.toml, flake.nix and the workflows.

use std::fs;

use data_encoding::BASE64;
use xtask::finding::Code;
use xtask::workspace::Workspace;

use super::MANIFEST;
use super::examination::Examination;
use super::nix_config::Named;
use super::workflow::Workflow;
use crate::cache::{Address, Settings};
use crate::url::is_same_store;

/// The cache of nixpkgs, which Nix knows by itself.
const UPSTREAM: &str = "https://cache.nixos.org";
const UPSTREAM_KEY: &str = "cache.nixos.org-1:";

pub(super) fn check(
    workspace: &Workspace,
    cache: Option<&Settings>,
    workflows: &[Workflow],
    examination: &mut Examination,
) {
    let flake = fs::read_to_string(workspace.root.join("flake.nix"));
    let in_flake = flake
        .is_ok()
        .then(|| Named::in_flake(&flake.unwrap_or_default()));
    let in_workflows: Vec<_> = workflows
        .iter()
        .map(|workflow| (&*workflow.file, named_in_workflow(workflow)))
        .collect();

    if let Some(cache) = cache {
        check_key(MANIFEST, &cache.public_key, examination);
        check_owner(cache, examination);
        if let Some(named) = &in_flake {
            check_flake(cache, named, examination);
        }
        for (file, named) in &in_workflows {
            check_workflow(cache, file, named, examination);
        }
    } else {
        let named = in_flake.iter().map(|named| ("flake.nix, nixConfig", named));
        let named = named.chain(in_workflows.iter().map(|(file, named)| (*file, named)));
        check_undeclared(named, examination);
    }
    let keys = in_flake.iter().map(|named| ("flake.nix, nixConfig", named));
    let keys = keys.chain(in_workflows.iter().map(|(file, named)| (*file, named)));
    for (place, named) in keys {
        for key in &named.keys {
            let is_checked = cache.is_some_and(|cache| cache.public_key == *key);
            if !is_checked {
                check_key(place, key, examination);
            }
        }
    }
}

fn check_undeclared<'a>(
    named: impl Iterator<Item = (&'a str, &'a Named)>,
    examination: &mut Examination,
) {
    for (place, named) in named {
        let Some(url) = named
            .substituters
            .iter()
            .find(|url| !is_same_store(url, UPSTREAM))
        else {
            continue;
        };
        let key = named.keys.iter().find(|key| !key.starts_with(UPSTREAM_KEY));
        let entry = match cachix_name(url) {
            Some(name) => format!("name = \"{name}\""),
            None => format!("url = \"{url}\""),
        };
        examination.find(
            Code::CacheUndeclared,
            place,
            format!("it names the cache {url}, and Cargo.toml names none: xtask does not use it"),
            format!(
                "add to Cargo.toml:\n[workspace.metadata.cache]\n{entry}\npublic-key = \"{}\"",
                key.map_or("NAME:BASE64", String::as_str)
            ),
        );
        return;
    }
}

fn check_flake(cache: &Settings, named: &Named, examination: &mut Examination) {
    let url = cache.url();
    let has_url = named
        .substituters
        .iter()
        .any(|other| is_same_store(other, &url));
    // A folder of this machine is of no use to others.
    if has_url && named.keys.contains(&cache.public_key) || url.starts_with("file://") {
        return;
    }
    let problem = if has_url {
        format!("it names {url} without its key {}", cache.public_key)
    } else if let Some(other) = named
        .substituters
        .iter()
        .find(|url| !is_same_store(url, UPSTREAM))
    {
        format!("it names the cache {other}, and Cargo.toml {url}")
    } else {
        format!("it does not name {url}, so that nobody who uses the flake is offered the cache")
    };
    examination.find(
        Code::CacheNotInFlake,
        "flake.nix, nixConfig",
        problem,
        format!(
            "write in flake.nix:\nnixConfig = {{\n  extra-substituters = [ \"{url}\" ];\n  extra-trusted-public-keys = [ \"{}\" ];\n}};",
            cache.public_key
        ),
    );
}

fn check_workflow(cache: &Settings, file: &str, named: &Named, examination: &mut Examination) {
    let others: Vec<_> = named
        .substituters
        .iter()
        .filter(|url| !is_same_store(url, UPSTREAM))
        .collect();
    let keys: Vec<_> = named
        .keys
        .iter()
        .filter(|key| !key.starts_with(UPSTREAM_KEY))
        .collect();
    let url = cache.url();
    let problem = match others.first() {
        Some(other) if !others.iter().any(|other| is_same_store(other, &url)) => {
            format!("it uses the cache {other}, and Cargo.toml names {url}")
        }
        _ if !keys.is_empty() && !keys.contains(&&cache.public_key) => {
            format!(
                "it trusts the key {}, and Cargo.toml names {}",
                keys[0], cache.public_key
            )
        }
        _ => return,
    };
    let cure = match &cache.address {
        Address::Cachix(name) => format!(
            "give cachix-action `name: {name}`, and the installer of Nix no other key than {}",
            cache.public_key
        ),
        Address::Url(_) => format!(
            "give the installer of Nix in extra_nix_config:\nextra-substituters = {url}\nextra-trusted-public-keys = {}",
            cache.public_key
        ),
    };
    examination.find(Code::CacheNotInWorkflow, file, problem, cure);
}

fn named_in_workflow(workflow: &Workflow) -> Named {
    let mut named = Named::default();
    named.add_nix_conf(workflow.env.get("NIX_CONFIG").map_or("", String::as_str));
    for job in &workflow.jobs {
        named.add_nix_conf(job.env.get("NIX_CONFIG").map_or("", String::as_str));
        for step in &job.steps {
            let texts = [
                step.with.get("extra_nix_config"),
                step.with.get("extra-conf"),
                step.env.get("NIX_CONFIG"),
            ];
            for text in texts.into_iter().flatten() {
                named.add_nix_conf(text);
            }
            let name = step.with.get("name").filter(|name| !name.contains("${{"));
            if let (true, Some(name)) = (step.uses.starts_with("cachix/cachix-action@"), name) {
                named
                    .substituters
                    .push(format!("https://{name}.cachix.org"));
            }
        }
    }
    named
}

fn check_key(place: &str, key: &str, examination: &mut Examination) {
    if !is_key(key) {
        examination.find(
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
fn check_owner(cache: &Settings, examination: &mut Examination) {
    let Address::Cachix(name) = &cache.address else {
        return;
    };
    let start = format!("{name}.cachix.org-");
    if !cache.public_key.starts_with(&start) {
        let owner = cache.public_key.split(':').next().unwrap_or_default();
        examination.find(
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
