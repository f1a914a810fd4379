//! wasm-bindgen's own program, linked rather than installed.
//!
//! What makes a module's JavaScript must have the very version of the crate `wasm-bindgen` in the module.
//! As a member of the same workspace it always has: each needs its own version of `wasm-bindgen-shared`
//! exactly, and Cargo allows a lock file one version of that crate (it sets `links`).

use std::env;

use anyhow::Result;

fn main() -> Result<()> {
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(env::args_os())
}
