//! The secret key that a cache's paths are signed with. It is never printed, and handed to Nix on
//! standard input alone.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

use crate::process;

pub(crate) struct SecretKey {
    /// `NAME:BASE64`.
    text: String,
    /// Where it is from, for messages.
    from: String,
}

impl SecretKey {
    /// The variable that holds the key.
    pub(crate) const VARIABLE: &str = "GANTRY_CACHE_SECRET_KEY";
    /// The variable that names the key's file.
    pub(crate) const FILE_VARIABLE: &str = "GANTRY_CACHE_SECRET_KEY_FILE";

    /// The key that the environment names.
    ///
    /// # Errors
    /// It names none, or a file that cannot be read.
    pub(crate) fn from_environment() -> Result<Self> {
        if let Ok(text) = env::var(Self::VARIABLE)
            && !text.is_empty()
        {
            return Ok(Self {
                text,
                from: Self::VARIABLE.into(),
            });
        }
        match env::var_os(Self::FILE_VARIABLE) {
            Some(file) if !file.is_empty() => Self::read(Path::new(&file)),
            _ => bail!(
                "there is no key to sign with: put the secret key into the variable {}, or the name of its file into {}",
                Self::VARIABLE,
                Self::FILE_VARIABLE
            ),
        }
    }

    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read the secret key in {}", file.display()))?;
        Ok(Self {
            text,
            from: file.display().to_string(),
        })
    }

    /// The public key that belongs to it.
    ///
    /// # Errors
    /// It is no key.
    pub(crate) fn public(&self) -> Result<String> {
        let shell = Shell::new()?;
        let convert = cmd!(shell, "nix key convert-secret-to-public");
        // What Nix says of a broken key may repeat a part of it.
        process::read_with(convert, self.text()).ok().with_context(|| {
            format!(
                "{} holds no secret key: one is made by `nix key generate-secret --key-name NAME`",
                self.from
            )
        })
    }

    /// For the standard input of a program.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }
}
