//! Files as real caches serve them.

use gantry_core::{NarInfo, content_address::Method, hash::Algorithm};

const CHECK_LINK_TARGETS: &str = include_str!("narinfos/check-link-targets.narinfo");
const HELLO: &str = include_str!("narinfos/hello.narinfo");
const RIPGREP: &str = include_str!("narinfos/ripgrep.narinfo");
const SOURCE: &str = include_str!("narinfos/source.narinfo");
const TARBALL: &str = include_str!("narinfos/tarball.narinfo");
const TEXT: &str = include_str!("narinfos/text.narinfo");

fn parse(text: &str) -> NarInfo {
    text.parse().unwrap()
}

#[test]
fn is_printed_as_nix_prints_it() {
    for text in [HELLO, RIPGREP, SOURCE, TARBALL, TEXT] {
        assert_eq!(parse(text).to_string(), text);
    }
}

/// Cachix writes the archive's hash in hex.
#[test]
fn hex_is_printed_as_nix_base32() {
    let narinfo = parse(CHECK_LINK_TARGETS);
    let hash = narinfo.file_hash.clone().unwrap();
    assert_eq!(
        hash.to_hex(),
        "sha256:abf8c1a50684c2d706c991f0d332dec9eff89eb3a3c17687141ce1ddb795cc38"
    );
    assert!(narinfo.to_string().contains(&format!("FileHash: {hash}\n")));
}

#[test]
fn every_field_is_read() {
    let narinfo = parse(CHECK_LINK_TARGETS);
    assert_eq!(narinfo.store_path.name(), "check-link-targets.sh");
    assert_eq!(narinfo.compression, "zstd");
    assert_eq!(narinfo.file_size, Some(1156));
    assert_eq!(narinfo.nar_size, 2312);
    assert_eq!(narinfo.nar_hash.algorithm(), Algorithm::Sha256);
    assert_eq!(narinfo.references.len(), 2);
    let deriver = narinfo.deriver.unwrap();
    assert_eq!(deriver.name(), "check-link-targets.sh.drv");
    assert_eq!(narinfo.signatures[0].name(), "nix-community.cachix.org-1");

    let address = parse(TARBALL).content_address.unwrap();
    assert_eq!(address.method, Method::Flat);
}

#[test]
fn the_fingerprint_has_sorted_full_paths() {
    assert_eq!(
        parse(HELLO).fingerprint(),
        "1;/nix/store/w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10;\
         sha256:1mi14cqk363wv368ffiiy01knardmnlyphi6h9xv6dkjz44hk30i;205968;\
         /nix/store/9df65igwjmf2wbw0gbrrgair6piqjgmi-glibc-2.31,\
         /nix/store/w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10"
    );
}
