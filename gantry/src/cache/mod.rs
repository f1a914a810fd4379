//! The workspace's binary cache: `gantry cache`, and what every call of Nix is told of it.

mod contents;
mod key;
mod local;
mod pin;
mod push;
mod settings;
mod verify;

use std::process::ExitCode;

use anyhow::{Result, bail};

use self::contents::Contents;
use self::key::SecretKey;
use self::local::Local;
pub(crate) use self::pin::keep;
pub(crate) use self::settings::Settings;
use crate::arguments::{CacheArguments, CacheCommand};
use crate::nix::Program;
use crate::workspace::Workspace;
use crate::{output, url};

/// Runs a command of `gantry cache`.
///
/// # Errors
/// Wrong usage, no Nix, or a cache that cannot be written or read.
pub(crate) fn run(command: &CacheCommand) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let (CacheCommand::Push(CacheArguments { nix, .. })
    | CacheCommand::Verify(CacheArguments { nix, .. })
    | CacheCommand::Pin { nix, .. }) = command;
    let program = Program::find(&workspace, &nix.flags)?;
    let cache = Cache::of(&workspace)?;
    let contents = |arguments: &CacheArguments| {
        let names = &arguments.outputs;
        let outputs = contents::select(&program, names, arguments.deps)?;
        Contents::of(&program, &cache, &outputs, !names.is_empty())
    };
    let verdict = match command {
        CacheCommand::Push(arguments) => push::run(&program, &cache, &contents(arguments)?),
        CacheCommand::Pin { name, output, .. } => pin::run(&program, &cache, name, output),
        CacheCommand::Verify(arguments) => verify::run(&program, &cache, &contents(arguments)?),
    };
    let verdict = verdict?;
    output::print(&verdict.to_text())?;
    Ok(if verdict.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Pushes these outputs of the flake, and says what the cache has of them; whether that is all.
///
/// # Errors
/// They are not built, or the cache cannot be written or read.
pub(crate) fn publish(program: &Program, cache: &Cache, names: &[String]) -> Result<bool> {
    let outputs = contents::select(program, names, false)?;
    let contents = Contents::of(program, cache, &outputs, true)?;
    let verdict = push::run(program, cache, &contents)?;
    output::print(&verdict.to_text())?;
    Ok(verdict.is_good())
}

/// The cache that the workspace names, or the user's own.
pub(crate) struct Cache {
    /// Its name, where it is at cachix.org, whose own program writes to it.
    cachix: Option<String>,
    /// The user's own, of a workspace that names none.
    local: Option<Local>,
    /// Where Nix reads it.
    pub(crate) url: String,
    /// The key that its paths are signed with; the user's own has none before the first push.
    pub(crate) public_key: Option<String>,
    /// The caches that everybody reads who reads this one: what they have need not be here.
    upstream: Vec<String>,
}

impl Cache {
    /// # Errors
    /// The workspace names it in a wrong way, or the key of the user's own cannot be read.
    pub(crate) fn of(workspace: &Workspace) -> Result<Self> {
        if let Some(settings) = Settings::of(workspace)? {
            return Ok(Self {
                cachix: settings.cachix,
                local: None,
                url: settings.url,
                public_key: Some(settings.public_key),
                upstream: settings.upstream,
            });
        }
        let local = Local::find()?;
        let key = local.secret_key()?.map(|key| key.public()).transpose()?;
        Ok(Self {
            cachix: None,
            url: local.url(),
            local: Some(local),
            public_key: key,
            upstream: settings::upstream(),
        })
    }

    /// Whether the workspace names it.
    pub(crate) fn is_named(&self) -> bool {
        self.local.is_none()
    }

    /// Whether paths in it can be kept for good, under names.
    pub(crate) fn has_pins(&self) -> bool {
        self.cachix.is_some()
    }

    /// Whether it is a folder that does not exist: reading it, Nix would make it.
    pub(crate) fn is_absent(&self) -> bool {
        self.url.strip_prefix("file://").is_some_and(|rest| {
            let path = rest.split('?').next().unwrap_or_default();
            !url::decode(path).exists()
        })
    }

    /// The key to sign with; that of the user's own cache is made if it does not exist yet.
    ///
    /// # Errors
    /// There is none, or it is not the one that the workspace names.
    fn secret_key(&self) -> Result<SecretKey> {
        let key = match &self.local {
            Some(local) => local.make_secret_key()?,
            None => SecretKey::from_environment()?,
        };
        let public = key.public()?;
        match &self.public_key {
            Some(named) if *named != public => bail!(
                "the secret key belongs to {public}, and Cargo.toml's workspace.metadata.cache names {named}: use the key that belongs to the cache"
            ),
            _ => Ok(key),
        }
    }
}
