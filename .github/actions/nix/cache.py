"""Prints the binary cache that Cargo.toml names, as outputs of a step: docs/caches.md."""

import tomllib

with open("Cargo.toml", "rb") as manifest:
    workspace = tomllib.load(manifest)["workspace"]

cache = workspace.get("metadata", {}).get("cache", {})
name = cache.get("name", "")
url = f"https://{name}.cachix.org" if name else cache.get("url", "")

print(f"cachix={name}")
print(f"url={url}")
print(f"public-key={cache.get('public-key', '')}")
