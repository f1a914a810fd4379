//! No line panics the parser of Nix's log, and none that is not Nix's own is lost.
//!
//! ```sh
//! cargo +nightly fuzz run nix_log
//! ```
#![no_main]

use gantry::Entry;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let entry = Entry::parse(line);
    if !line.starts_with("@nix ") {
        assert_eq!(entry, Entry::Warning(line.to_owned()));
    }
    // What random bytes do not come to: every kind of line, with any text in it.
    for action in ["start", "stop", "result", "msg"] {
        for kind in 100..110 {
            let fields = serde_json::json!([line, line, 1, 2]);
            let line = serde_json::json!({
                "action": action, "type": kind, "id": 1, "parent": 2, "fields": fields, "level": 0, "msg": line,
            });
            Entry::parse(&format!("@nix {line}"));
        }
    }
});
