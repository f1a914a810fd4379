//! What a Nix binary cache says about its store paths, and whether it can be believed.
//!
//! A cache describes each store path in a [`narinfo`]: where the archive of the path's
//! contents is, its hash and size, the paths it refers to, and who vouches for all that. This crate
//! parses and prints these files and [audits](Audit) their signatures and content addresses.
//!
//! It does no I/O and has no cryptography of its own: an audit takes a [`Crypto`], so that a native
//! program can plug in OpenSSL and a wasm module pure Rust.
//!
//! ```
//! use gantry_core::NarInfo;
//!
//! let narinfo: NarInfo = "\
//! StorePath: /nix/store/w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10
//! URL: nar/15zk4zszw9lgkdkkwy7w11m5vag11n5dhv2i6hj308qpxczvdddx.nar.xz
//! Compression: xz
//! NarHash: sha256:1mi14cqk363wv368ffiiy01knardmnlyphi6h9xv6dkjz44hk30i
//! NarSize: 205968
//! References:
//! "
//! .parse()?;
//! assert_eq!(narinfo.store_path.name(), "hello-2.10");
//! # Ok::<(), gantry_core::narinfo::ParseError>(())
//! ```

pub mod audit;
pub mod base32;
pub mod content_address;
pub mod hash;
pub mod narinfo;
pub mod signature;
pub mod store_path;

pub use audit::{Audit, Crypto, Verdict};
pub use content_address::ContentAddress;
pub use hash::Hash;
pub use narinfo::NarInfo;
pub use signature::{PublicKey, Signature};
pub use store_path::StorePath;
