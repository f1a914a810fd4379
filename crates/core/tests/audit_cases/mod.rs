//! What an audit must find, whichever library does its cryptography.
//!
//! Every crate with a `Crypto` includes this module in its tests and runs all cases. The narinfo files
//! are those of public caches, with their real signatures.

use gantry_core::Verdict::{self, Invalid, UnknownKey, Valid};

const HELLO: &str = include_str!("../narinfos/hello.narinfo");
const RIPGREP: &str = include_str!("../narinfos/ripgrep.narinfo");
const CHECK_LINK_TARGETS: &str = include_str!("../narinfos/check-link-targets.narinfo");
const SOURCE: &str = include_str!("../narinfos/source.narinfo");
const TEXT: &str = include_str!("../narinfos/text.narinfo");
const TARBALL: &str = include_str!("../narinfos/tarball.narinfo");

const NIXOS: &str = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";
const COMMUNITY: &str = "nix-community.cachix.org-1:mB9FSh9qf2dCimDSUo8Zy7bkq5CX+/rkCWyvRCYg3Fs=";
/// nix-community's key under cache.nixos.org's name.
const IMPOSTOR: &str = "cache.nixos.org-1:mB9FSh9qf2dCimDSUo8Zy7bkq5CX+/rkCWyvRCYg3Fs=";
/// Bytes that are no point of the curve.
const NO_POINT: &str = "cache.nixos.org-1:AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// `HELLO`'s signature with the group's order added to its second half, which RFC 8032 forbids.
const MALLEATED: &str =
    "uP5KU8MCmyRnKGlN5oEv6xWJBI5EO/Pf5aFztZuLSz/udx1271pU9G+yVbMekfgxm/CemsgQskhwvyd2yghTEg==";

/// One narinfo and the verdicts on it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) narinfo: String,
    pub(crate) keys: &'static [&'static str],
    pub(crate) signatures: &'static [Verdict],
    pub(crate) content_address: Option<Verdict>,
    pub(crate) passed: bool,
}

/// All cases.
pub(crate) fn audit_cases() -> Vec<Case> {
    let mut cases = passing();
    let passed = false;
    cases.extend(failing().into_iter().map(|case| Case { passed, ..case }));
    cases
}

/// A case that passes.
fn case(
    name: &'static str,
    narinfo: String,
    keys: &'static [&'static str],
    signatures: &'static [Verdict],
    content_address: Option<Verdict>,
) -> Case {
    Case {
        name,
        narinfo,
        keys,
        signatures,
        content_address,
        passed: true,
    }
}

fn passing() -> Vec<Case> {
    let signed = |name, narinfo, keys, signatures| case(name, narinfo, keys, signatures, None);
    let addressed = |name, narinfo| case(name, narinfo, &[], &[], Some(Valid));
    let reordered = edit(RIPGREP, GLIBC_PCRE2, PCRE2_GLIBC);
    let moved = edit(HELLO, "URL: nar/", "URL: elsewhere/");
    let cosigned = format!("{HELLO}Sig: {}\n", field(CHECK_LINK_TARGETS, "Sig"));
    let nixos = &[NIXOS];
    let both = &[NIXOS, COMMUNITY];

    vec![
        signed("signed", HELLO.into(), nixos, &[Valid]),
        signed("several references", RIPGREP.into(), nixos, &[Valid]),
        signed("references in another order", reordered, nixos, &[Valid]),
        signed("another URL, which is not signed", moved, nixos, &[Valid]),
        signed("another cache", CHECK_LINK_TARGETS.into(), both, &[Valid]),
        signed(
            "two keys of one name",
            HELLO.into(),
            &[IMPOSTOR, NIXOS],
            &[Valid],
        ),
        signed(
            "an unknown key beside a valid one",
            cosigned,
            nixos,
            &[Valid, UnknownKey],
        ),
        case(
            "signed and content-addressed",
            SOURCE.into(),
            nixos,
            &[Valid],
            Some(Valid),
        ),
        case(
            "content-addressed, signed by somebody",
            TEXT.into(),
            nixos,
            &[UnknownKey],
            Some(Valid),
        ),
        addressed("a file", TARBALL.into()),
        addressed("an archive", unsigned(SOURCE)),
        addressed(
            "an archive that mentions its own path",
            SELF_REFERENCE.into(),
        ),
        addressed("a Git tree", GIT_TREE.into()),
        addressed("a text with references", unsigned(TEXT)),
    ]
}

fn failing() -> Vec<Case> {
    let signed = |name, narinfo, keys, signatures| case(name, narinfo, keys, signatures, None);
    let edited =
        |name, old: &str, new: &str| case(name, edit(HELLO, old, new), &[NIXOS], &[Invalid], None);
    let addressed = |name, narinfo: &str, old: &str, new: &str| {
        case(
            name,
            edit(&unsigned(narinfo), old, new),
            &[],
            &[],
            Some(Invalid),
        )
    };
    let malleated = format!("cache.nixos.org-1:{MALLEATED}");
    let doubly_signed = format!("{HELLO}Sig: {}\n", field(RIPGREP, "Sig"));
    let readdressed = format!("{HELLO}CA: {}\n", field(SOURCE, "CA"));
    let nixos = &[NIXOS];

    vec![
        signed("no signature", unsigned(HELLO), nixos, &[]),
        signed("no key", HELLO.into(), &[], &[UnknownKey]),
        signed(
            "another cache's key",
            HELLO.into(),
            &[COMMUNITY],
            &[UnknownKey],
        ),
        signed(
            "another key of the same name",
            HELLO.into(),
            &[IMPOSTOR],
            &[Invalid],
        ),
        signed(
            "a key that is no point",
            HELLO.into(),
            &[NO_POINT],
            &[Invalid],
        ),
        signed(
            "an invalid signature beside a valid one",
            doubly_signed,
            nixos,
            &[Valid, Invalid],
        ),
        edited("a malleated signature", field(HELLO, "Sig"), &malleated),
        edited("another size", "NarSize: 205968", "NarSize: 205969"),
        edited("another hash", "NarHash: sha256:1m", "NarHash: sha256:0m"),
        edited("another name", "-hello-2.10\nURL", "-hello-2.11\nURL"),
        edited(
            "a reference less",
            "9df65igwjmf2wbw0gbrrgair6piqjgmi-glibc-2.31 ",
            "",
        ),
        case(
            "signed, with another path's address",
            readdressed,
            nixos,
            &[Valid],
            Some(Invalid),
        ),
        addressed("a text under another name", TEXT, "-root.txt", "-boot.txt"),
        addressed("a text with a reference less", TEXT, TEXT_REFERENCE, ""),
        addressed(
            "an archive of another hash",
            SOURCE,
            "NarHash: sha256:05",
            "NarHash: sha256:06",
        ),
        addressed(
            "a file said to be an archive",
            TARBALL,
            "CA: fixed:",
            "CA: fixed:r:",
        ),
        addressed(
            "a file with references",
            TARBALL,
            "References: ",
            FILE_REFERENCE,
        ),
    ]
}

const GLIBC_PCRE2: &str =
    "0d8g8n0a11v6f5m2h416ajyxmnkwc3md-glibc-2.42-67 dsn500c5j62qz9f49mi3nhx74jbkf6xq-pcre2-10.47";
const PCRE2_GLIBC: &str =
    "dsn500c5j62qz9f49mi3nhx74jbkf6xq-pcre2-10.47 0d8g8n0a11v6f5m2h416ajyxmnkwc3md-glibc-2.42-67";
const TEXT_REFERENCE: &str = "sx5305c45zn199v0gv0x7vnh3z9q658x-b.txt ";
const FILE_REFERENCE: &str = "References: w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10";

/// An address whose path was computed apart from this crate.
const SELF_REFERENCE: &str = "\
StorePath: /nix/store/4v8zzj3233137n456wyy94b7alimvl14-self
URL: nar/self.nar
Compression: none
NarHash: sha256:1mi14cqk363wv368ffiiy01knardmnlyphi6h9xv6dkjz44hk30i
NarSize: 136
References: 4v8zzj3233137n456wyy94b7alimvl14-self
CA: fixed:r:sha256:1lr187v6dck1rjh2j6svpikcfz53wyl3qrlcbb405zlh13x0khhh
";

/// An address whose path was computed apart from this crate.
const GIT_TREE: &str = "\
StorePath: /nix/store/7625wdg6nqjh6lxcr7lcq690di9xdh1h-tree
URL: nar/tree.nar
Compression: none
NarHash: sha256:1mi14cqk363wv368ffiiy01knardmnlyphi6h9xv6dkjz44hk30i
NarSize: 136
References: 
CA: fixed:git:sha1:2c91240g1q6hq2qa1440f1h50h1h4080
";

/// The value of a field.
fn field<'a>(narinfo: &'a str, name: &str) -> &'a str {
    narinfo
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .expect("the file has the field")
}

/// The narinfo without its signatures.
fn unsigned(narinfo: &str) -> String {
    narinfo
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("Sig: "))
        .collect()
}

/// The narinfo with one passage replaced, which must be there.
fn edit(narinfo: &str, old: &str, new: &str) -> String {
    assert!(narinfo.contains(old), "{old:?} is not in {narinfo}");
    narinfo.replace(old, new)
}
