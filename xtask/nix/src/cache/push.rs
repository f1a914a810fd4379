//! `cargo xtask cache push`.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use xtask::{output, process};

use super::key::SecretKey;
use super::verify::{Verdict, paths};
use super::{Cache, Contents, Kind};
use crate::nix::Program;

/// Pushes what the cache lacks, signs what it has unsigned, and asks it whether all is there.
///
/// # Errors
/// A named output is not built, there is no key to sign with, or the cache cannot be written.
pub(super) fn run(program: &Program, cache: &Cache, contents: &Contents) -> Result<Verdict> {
    let (writer, public_key) = Writer::of(cache)?;
    let before = Verdict::of(program, cache, &public_key, contents)?;
    if contents.is_named
        && let Some(output) = before.not_built.first()
    {
        bail!("{output} is not built: run `nix build --no-link {output}`");
    }
    if !before.missing.is_empty() {
        writer.push(program, cache, &before.missing)?;
    }
    if !before.untrusted.is_empty() {
        writer.sign(program, cache, &before.untrusted)?;
    }
    let count = paths(before.missing.len());
    output::print(&format!("pushed {count} to {}\n", cache.url))?;
    Verdict::of(program, cache, &public_key, contents)
}

enum Writer<'a> {
    /// The program of cachix.org, and the name of the cache there.
    Cachix(&'a str),
    Nix(SecretKey),
}

impl<'a> Writer<'a> {
    /// What writes to `cache`, and the public key that belongs to its signatures.
    fn of(cache: &'a Cache) -> Result<(Self, String)> {
        if let (Kind::Cachix(name), Some(key)) = (&cache.kind, &cache.public_key) {
            return Ok((Self::Cachix(name), key.clone()));
        }
        let key = cache.secret_key()?;
        let public_key = key.public()?;
        Ok((Self::Nix(key), public_key))
    }

    fn push(&self, program: &Program, cache: &Cache, paths: &[String]) -> Result<()> {
        match self {
            Self::Cachix(name) => cachix(&["push", name], paths),
            Self::Nix(key) => {
                let mut copy = program.command(&["copy", "--to", &signing_url(&cache.url)]);
                feed(copy.args(paths), key).context("nix copy failed")
            }
        }
    }

    /// Signs paths that the cache has already.
    fn sign(&self, program: &Program, cache: &Cache, paths: &[String]) -> Result<()> {
        match self {
            // The cache's own key is not here; the verdict tells of these paths.
            Self::Cachix(_) => Ok(()),
            Self::Nix(key) => {
                let mut sign = program.command(&["store", "sign", "--key-file", "/dev/stdin"]);
                sign.args(["--store", &cache.url]).args(paths);
                feed(&mut sign, key).context("nix store sign failed")
            }
        }
    }
}

/// Where Nix writes to, with the parameters that say how.
///
/// Format: <https://nix.dev/manual/nix/latest/store/types/http-binary-cache-store>.
fn signing_url(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    // Signed as it is written: an unsigned path would be remembered as such by those who ask for
    // it meanwhile.
    let mut signing = format!("{url}{separator}secret-key=/dev/stdin");
    let mut parameters = url.split(['?', '&']).skip(1);
    if !parameters.any(|parameter| parameter.starts_with("compression=")) {
        // Layers hold compressed archives, on which Nix's default, xz, spends its time in vain.
        signing.push_str("&compression=zstd");
    }
    signing
}

/// Runs `cachix`, which finds its token in `CACHIX_AUTH_TOKEN` or its own configuration.
///
/// # Errors
/// It is not installed, or fails.
pub(super) fn cachix(arguments: &[&str], paths: &[String]) -> Result<()> {
    let mut command = Command::new("cachix");
    let status = process::show(command.args(arguments).args(paths), "")
        .context("cannot run cachix: get it with `nix profile install nixpkgs#cachix`")?;
    if !status.success() {
        bail!("cachix {} failed", arguments.join(" "));
    }
    Ok(())
}

/// Runs a program that reads the key from standard input, and shows its own progress.
fn feed(command: &mut Command, key: &SecretKey) -> Result<()> {
    let status = process::show(command.stdout(Stdio::null()), key.text())?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::signing_url;

    #[test]
    fn parameters_of_a_caches_url_are_kept() {
        assert_eq!(
            signing_url("file:///cache"),
            "file:///cache?secret-key=/dev/stdin&compression=zstd"
        );
        assert_eq!(
            signing_url("s3://cache?region=x&compression=none"),
            "s3://cache?region=x&compression=none&secret-key=/dev/stdin"
        );
    }
}
