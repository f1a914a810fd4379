//! The program `nix`: calling it, the flake's outputs, and its log.

mod log;
mod outputs;
mod program;

pub(crate) use self::log::Entry;
pub(crate) use self::outputs::{Check, Outputs, check_name};
pub(crate) use self::program::{Program, system, untracked};
