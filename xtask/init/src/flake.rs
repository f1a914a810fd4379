//! flake.nix: the cache, which its `nixConfig` must name in literals.

use anyhow::{Context as _, Result};

use crate::answers::Cache;

/// flake.nix with the cache that Cargo.toml names.
///
/// # Errors
/// It has no description, after which the cache is written.
pub(crate) fn with_cache(flake: &str, cache: &Cache) -> Result<String> {
    let (before, after) = flake
        .split_once("\n\n")
        .filter(|(before, _)| before.contains("description ="))
        .context("flake.nix does not begin with its description")?;
    Ok(format!(
        "{before}

  # Nix takes nothing but literals here; a test holds them together with Cargo.toml.
  nixConfig = {{
    extra-substituters = [ \"{}\" ];
    extra-trusted-public-keys = [ \"{}\" ];
  }};

{after}",
        cache.url, cache.public_key
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_stands_below_the_description() {
        let cache = Cache {
            name: None,
            url: "file:///cache".into(),
            public_key: "acme-1:key".into(),
        };
        let flake =
            with_cache("{\n  description = \"d\";\n\n  inputs = { };\n}\n", &cache).unwrap();
        assert!(flake.starts_with("{\n  description = \"d\";\n\n  # Nix"));
        assert!(flake.contains("    extra-substituters = [ \"file:///cache\" ];\n"));
        assert!(flake.ends_with("  };\n\n  inputs = { };\n}\n"));
        assert!(with_cache("{ }", &cache).is_err());
    }
}
