//! What both front ends are held to, and `sha256sum` with them.

/// Names and contents of files.
pub(crate) const FILES: [(&str, &str); 3] =
    [("hello", "hello\n"), (" *", ""), ("\n\\\r", "hello\n")];

/// Lists, the status of `acme check`, and what it prints; `HELLO` and `EMPTY` stand for digests.
pub(crate) const CASES: [(&str, i32, &str); 12] = [
    ("HELLO  hello\nEMPTY   *\n", 0, "hello: OK\n *: OK\n"),
    ("EMPTY * *\nEMPTY *hello", 1, " *: OK\nhello: FAILED\n"),
    ("HELLO  ./hello", 0, "./hello: OK\n"),
    ("HELLO  hello \n", 1, "hello : FAILED open or read\n"),
    ("\\HELLO  \\n\\\\\\r\n", 0, "\\\\n\\\\\\r: OK\n"),
    ("\\EMPTY  \\t\n\\EMPTY  \\\nEMPTY   *", 0, " *: OK\n"),
    ("SHA256 ( *) = EMPTY\nMD5 ( *) = EMPTY", 0, " *: OK\n"),
    ("SHA256( *)=EMPTY\nSHA256  *", 0, " *: OK\n"),
    ("\\SHA256 (\\n\\\\\\r)\t=\tHELLO", 0, "\\\\n\\\\\\r: OK\n"),
    ("# HELLO  a\n\r\n \tHELLO *hello\r\n\n", 0, "hello: OK\n"),
    ("HELLO0  a\nHELL  a\nHELLO\t hello", 0, "hello: OK\n"),
    ("# HELLO  hello\nHELLO \n", 2, ""),
];

/// The list of a case with its digests.
pub(crate) fn with_digests(list: &str) -> String {
    let hello = "5891B5B522D5DF086D0FF0B110FBD9D21BB4FC7163AF34D08286A2e846f6be03";
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    list.replace("HELLO", hello).replace("EMPTY", empty)
}
