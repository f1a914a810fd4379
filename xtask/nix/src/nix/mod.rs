//! The program `nix`: calling it, the flake's outputs, its log, and what stores have.

mod availability;
mod closure;
mod flake;
mod log;
mod outputs;
mod program;
mod settings;
mod source;
mod store;
mod trust;

pub(crate) use self::availability::{Availability, Place};
pub(crate) use self::closure::{Closure, Derivation};
pub(crate) use self::flake::path_reference;
pub(crate) use self::log::Entry;
pub(crate) use self::outputs::{Check, Outputs, check_name, evaluate};
pub(crate) use self::program::{Program, Unusable, untracked, untracked_warnings};
pub(crate) use self::source::common_files;
pub(crate) use self::store::{PathInfo, ask, ask_all, path_infos, unanswered};
pub(crate) use self::trust::Trust;
