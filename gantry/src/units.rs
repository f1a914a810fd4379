//! Quantities as people read them.

/// A time, to the tenth of a second.
pub(crate) fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}

/// A number of compiled crates.
pub(crate) fn crates(count: usize) -> String {
    match count {
        0 => "nothing".into(),
        1 => "1 crate".into(),
        _ => format!("{count} crates"),
    }
}

/// A number of bytes in the decimal unit that suits it.
pub(crate) fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut number = bytes as f64;
    for unit in ["B", "kB", "MB"] {
        if number < 1000.0 {
            return format!("{number:.1} {unit}");
        }
        number /= 1000.0;
    }
    format!("{number:.1} GB")
}
