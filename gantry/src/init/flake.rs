//! flake.nix: where gantry comes from, and the cache, which Nix wants to be named in literals.

use anyhow::{Context as _, Result, ensure};

use super::answers::Cache;

/// What stands before the URL of the input.
const INPUT: &str = "gantry.url = \"";

/// The URL of the input `gantry`, where there is one.
pub(crate) fn gantry(flake: &str) -> Option<&str> {
    let (_, rest) = flake.split_once(INPUT)?;
    rest.split('"').next()
}

/// flake.nix with another URL of the input `gantry`.
///
/// # Errors
/// It has no such input.
pub(crate) fn with_gantry(flake: &str, url: &str) -> Result<String> {
    let old = gantry(flake).with_context(|| format!("it has no `{INPUT}…\"`"))?;
    Ok(flake.replacen(&format!("{INPUT}{old}\""), &format!("{INPUT}{url}\""), 1))
}

/// flake.nix with the cache that Cargo.toml names.
///
/// # Errors
/// It has a cache already, or no description, after which the cache is written.
pub(crate) fn with_cache(flake: &str, cache: &Cache) -> Result<String> {
    ensure!(
        !flake.contains("nixConfig"),
        "it has a nixConfig already: write the cache there, and leave --cache out"
    );
    let start = flake
        .find("description =")
        .context("it has no description")?;
    let end = flake[start..]
        .find('\n')
        .context("it ends in its description")?;
    let (before, after) = flake.split_at(start + end + 1);
    Ok(format!(
        "{before}
  # Nix takes nothing but literals here; `gantry doctor` holds them together with Cargo.toml.
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

    const FLAKE: &str = "{\n  description = \"d\";\n\n  inputs.gantry.url = \"github:a/b\";\n}\n";

    #[test]
    fn the_cache_stands_below_the_description() {
        let cache = Cache {
            name: None,
            url: "file:///cache".into(),
            public_key: "acme-1:key".into(),
        };
        let flake = with_cache(FLAKE, &cache).unwrap();
        assert!(
            flake.starts_with("{\n  description = \"d\";\n\n  # Nix"),
            "{flake}"
        );
        assert!(flake.contains("    extra-substituters = [ \"file:///cache\" ];\n"));
        assert!(flake.ends_with("  };\n\n  inputs.gantry.url = \"github:a/b\";\n}\n"));
        assert!(with_cache(&flake, &cache).is_err() && with_cache("{ }", &cache).is_err());
    }

    #[test]
    fn the_input_is_replaced() {
        let flake = with_gantry(FLAKE, "path:/x").unwrap();
        assert_eq!(gantry(&flake), Some("path:/x"));
        assert_eq!(with_gantry(&flake, "github:a/b").unwrap(), FLAKE);
        assert!(with_gantry("{ }", "path:/x").is_err());
    }
}
