//! The program `nix`: calling it, the flake's outputs, its log, and what stores have.

mod availability;
mod closure;
mod log;
mod outputs;
mod program;
mod remembered;
mod settings;
mod source;
mod store;
mod trust;

pub(crate) use self::availability::{Availability, Lookup};
pub(crate) use self::closure::{Closure, Derivation};
pub use self::log::Entry;
pub(crate) use self::outputs::{Check, Facts, Output, Outputs, Package};
pub(crate) use self::program::{Program, Unusable, installables, untracked, untracked_warnings};
pub(crate) use self::source::common_files;
pub(crate) use self::store::{PathInfo, ask, ask_all, path_infos, query, unanswered};
pub(crate) use self::trust::Trust;
