//! `gantry cache push`.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use xshell::{Cmd, Shell, cmd};

use super::key::SecretKey;
use super::verify::{Verdict, paths};
use super::{Cache, Contents};
use crate::nix::Program;
use crate::{github, output, process};

/// How many store paths a command gets as arguments, of which a system allows 1 MiB or more.
const PORTION: usize = 1000;

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
        let pushed = writer.push(program, cache, &before.missing);
        pushed.inspect_err(|_| warn(cache, &before.missing))?;
    }
    if !before.untrusted.is_empty() {
        writer.sign(program, cache, &before.untrusted)?;
    }
    let count = paths(before.missing.len());
    output::print(&format!("pushed {count} to {}\n", cache.url))?;
    let after = Verdict::of(program, cache, &public_key, contents)?;
    warn(cache, after.missing.iter().chain(&after.untrusted));
    Ok(after)
}

/// Has GitHub show what was not pushed beside the run: the next one builds it again.
fn warn<'a>(cache: &Cache, paths: impl IntoIterator<Item = &'a String>) {
    let paths: Vec<_> = paths.into_iter().map(String::as_str).collect();
    if github::is_here() && !paths.is_empty() {
        let title = format!("not pushed to {}", cache.url);
        let warning = github::annotation("warning", &[("title", &title)], &paths.join("\n"));
        output::print_error(&warning);
    }
}

enum Writer<'a> {
    /// The program of cachix.org, and the name of the cache there.
    Cachix(&'a str),
    Nix(SecretKey),
}

impl<'a> Writer<'a> {
    /// What writes to `cache`, and the public key that belongs to its signatures.
    fn of(cache: &'a Cache) -> Result<(Self, String)> {
        if let (Some(name), Some(key)) = (&cache.cachix, &cache.public_key) {
            return Ok((Self::Cachix(name), key.clone()));
        }
        let key = cache.secret_key()?;
        let public_key = key.public()?;
        Ok((Self::Nix(key), public_key))
    }

    fn push(&self, program: &Program, cache: &Cache, paths: &[String]) -> Result<()> {
        match self {
            Self::Cachix(name) => {
                let shell = Shell::new()?;
                cachix(cmd!(shell, "cachix push {name}"), &paths.join("\n"))
            }
            Self::Nix(key) => {
                let copy = ["copy", "--to", &signing_url(&cache.url)];
                with_key(key, paths, || program.command(&copy)).context("nix copy failed")
            }
        }
    }

    /// Signs paths that the cache has already.
    fn sign(&self, program: &Program, cache: &Cache, paths: &[String]) -> Result<()> {
        match self {
            // The cache's own key is not here; the verdict tells of these paths.
            Self::Cachix(_) => Ok(()),
            Self::Nix(key) => {
                let sign = [
                    "store",
                    "sign",
                    "--key-file",
                    "/dev/stdin",
                    "--store",
                    &cache.url,
                ];
                with_key(key, paths, || program.command(&sign)).context("nix store sign failed")
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

/// Runs `cachix`, which finds its token in `CACHIX_AUTH_TOKEN` or its own configuration, and reads the
/// paths to push from standard input.
///
/// # Errors
/// It is not installed, or fails.
pub(super) fn cachix(command: Cmd<'_>, paths: &str) -> Result<()> {
    let words = command.to_string();
    let status = process::show(command, paths)
        .context("cannot run cachix: get it with `nix profile install nixpkgs#cachix`")?;
    if !status.success() {
        bail!("{words} failed");
    }
    Ok(())
}

/// Runs a command for all paths, in portions, since it reads the key from standard input. It shows its
/// own progress.
fn with_key(key: &SecretKey, paths: &[String], command: impl Fn() -> Command) -> Result<()> {
    for portion in paths.chunks(PORTION) {
        let mut command = command();
        command.args(portion).stdout(Stdio::null());
        let status = process::show(command, key.text())?;
        if !status.success() {
            bail!("{status}");
        }
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
