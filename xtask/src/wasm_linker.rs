//! The linker of wasm32-unknown-unknown. rustup's toolchains bring `rust-lld`; a distribution's may
//! leave that to its package of LLVM's linker.

use std::env;
use std::path::Path;

use anyhow::Result;

use crate::environment::{find_program, rustc};

pub(crate) enum WasmLinker {
    /// The toolchain's, or the one that the user has configured.
    Default,
    /// LLVM's, by the name that it has for this target.
    WasmLd,
    /// Why there is none, and the command that mends it.
    Missing(&'static str),
}

impl WasmLinker {
    /// # Errors
    /// rustc cannot be run.
    pub(crate) fn find() -> Result<Self> {
        let libraries = rustc(&["--print", "target-libdir"])?;
        let programs = Path::new(&libraries).with_file_name("bin");
        let is_configured = env::var_os("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER").is_some();
        Ok(
            if is_configured
                || programs.join("rust-lld").exists()
                || find_program("rust-lld").is_some()
            {
                Self::Default
            } else if find_program("wasm-ld").is_some() {
                Self::WasmLd
            } else {
                Self::Missing(
                    "the toolchain has no rust-lld to link wasm32 with: install the package lld",
                )
            },
        )
    }
}
