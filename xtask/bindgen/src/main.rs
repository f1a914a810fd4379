//! `xtask-bindgen` is wasm-bindgen's own command line, linked rather than installed.
//!
//! The generator of a module's JavaScript must have the very version of the `wasm-bindgen` crate in
//! the module. As a member of the same workspace it always has: each needs its own version of
//! `wasm-bindgen-shared` exactly, and Cargo allows a lock file one version of that crate (it sets
//! `links`).

use std::{env, ffi::OsString, process::ExitCode};

use wasm_bindgen_cli::{wasm_bindgen, wasm_bindgen_test_runner};

const USAGE: &str = "\
Runs wasm-bindgen, and the tests of wasm crates, at the version that Cargo.lock has.

Usage:
  xtask-bindgen build --target web --out-dir DIR FILE.wasm   Make a module's JavaScript
  xtask-bindgen test FILE.wasm [FILTER]                      Run a module's tests in Node.js

Each takes the arguments of `wasm-bindgen` and `wasm-bindgen-test-runner`; see `--help` after it.
With WASM_BINDGEN_USE_BROWSER=1 tests run in a headless browser.
";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let command = arguments.next().unwrap_or_default();
    // What parses the rest expects a program's name in front.
    let forwarded = |name: &str| [OsString::from(name)].into_iter().chain(arguments);
    let result = match command.to_str() {
        Some("build") => wasm_bindgen::run_cli_with_args(forwarded("xtask-bindgen build")),
        Some("test") => {
            wasm_bindgen_test_runner::run_cli_with_args(forwarded("xtask-bindgen test"))
        }
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<clap::Error>() => {
            eprint!("{error}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("xtask-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
