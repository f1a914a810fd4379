//! wasm-bindgen's own runner of tests, in Node.js or a headless browser: see `wasm-bindgen.rs`.

use std::env;

use anyhow::Result;

fn main() -> Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(env::args_os())
}
