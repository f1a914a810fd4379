//! Printing and parsing are inverse, and no input panics.
#![cfg(not(target_family = "wasm"))]

use std::collections::BTreeSet;

use gantry_core::{
    ContentAddress, Hash, NarInfo, PublicKey, Signature, StorePath, base32,
    content_address::Method, hash::Algorithm,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Has every field.
const REAL: &str = concat!(
    include_str!("narinfos/check-link-targets.narinfo"),
    "CA: fixed:r:sha256:0v4mgmqzp5s7mscgad21nr49svk97y7pq0y49i11k1hii04syj74\n"
);

fn hash(algorithm: Algorithm) -> impl Strategy<Value = Hash> {
    vec(any::<u8>(), algorithm.digest_len()).prop_map(move |digest| {
        format!("{algorithm}:{}", base32::encode(&digest))
            .parse()
            .unwrap()
    })
}

fn any_hash() -> impl Strategy<Value = Hash> {
    use Algorithm::{Blake3, Md5, Sha1, Sha256, Sha512};
    select(vec![Md5, Sha1, Sha256, Sha512, Blake3]).prop_flat_map(hash)
}

fn store_path() -> impl Strategy<Value = StorePath> {
    let name = "[a-zA-Z0-9+_?=][-a-zA-Z0-9+._?=]{0,210}";
    (any::<[u8; 20]>(), name).prop_map(|(digest, name)| StorePath::new(digest, &name).unwrap())
}

fn signature() -> impl Strategy<Value = Signature> {
    ("[!-9;-~]{1,40}", vec(any::<u8>(), 64)).prop_map(|(name, bytes)| {
        let encoded = data_encoding::BASE64.encode(&bytes);
        format!("{name}:{encoded}").parse().unwrap()
    })
}

fn content_address() -> impl Strategy<Value = ContentAddress> {
    use Method::{Flat, Git, NixArchive, Text};
    (select(vec![Text, Flat, NixArchive, Git]), any_hash())
        .prop_map(|(method, hash)| ContentAddress { method, hash })
}

prop_compose! {
    fn narinfo()(
        store_path in store_path(),
        url in "[!-~][ -~]{0,60}",
        compression in "[a-z0-9]{1,8}",
        file_hash in option::of(any_hash()),
        file_size in option::of(any::<u64>()),
        nar_hash in hash(Algorithm::Sha256),
        nar_size in 1..=u64::MAX,
        references in vec(store_path(), 0..5),
        deriver in option::of(store_path()),
        signatures in vec(signature(), 0..3),
        content_address in option::of(content_address()),
    ) -> NarInfo {
        NarInfo {
            store_path,
            url,
            compression,
            file_hash,
            file_size,
            nar_hash,
            nar_size,
            references: BTreeSet::from_iter(references),
            deriver,
            signatures,
            content_address,
        }
    }
}

proptest! {
    #[test]
    fn base32_is_inverse(bytes: Vec<u8>) {
        let text = base32::encode(&bytes);
        prop_assert_eq!(text.len(), base32::encoded_len(bytes.len()));
        prop_assert_eq!(base32::decode(&text), Ok(bytes));
    }

    /// One text, one value: what decodes is what was encoded.
    #[test]
    fn base32_has_one_encoding(text in "[0-9a-df-np-sv-z]{0,60}") {
        if let Ok(bytes) = base32::decode(&text) {
            prop_assert_eq!(base32::encode(&bytes), text);
        }
    }

    #[test]
    fn hashes_are_inverse(hash in any_hash()) {
        for text in [hash.to_string(), hash.to_hex(), hash.to_sri()] {
            prop_assert_eq!(text.parse(), Ok(hash.clone()));
        }
    }

    #[test]
    fn store_paths_are_inverse(path in store_path()) {
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    #[test]
    fn narinfos_are_inverse(narinfo in narinfo()) {
        prop_assert_eq!(narinfo.to_string().parse(), Ok(narinfo));
    }

    #[test]
    fn no_text_panics(text: String) {
        let _ = base32::decode(&text);
        let _ = text.parse::<Hash>();
        let _ = text.parse::<StorePath>();
        let _ = StorePath::from_base_name(&text);
        let _ = text.parse::<PublicKey>();
        let _ = text.parse::<ContentAddress>();
        let _ = text.parse::<NarInfo>();
    }

    /// Text that comes close: a real file with a passage overwritten.
    #[test]
    fn no_narinfo_panics(start in 0..REAL.len(), length in 0_usize..80, text: String) {
        let end = (start + length).min(REAL.len());
        let damaged = format!("{}{text}{}", &REAL[..start], &REAL[end..]);
        if let Ok(parsed) = damaged.parse::<NarInfo>() {
            prop_assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }
    }
}
