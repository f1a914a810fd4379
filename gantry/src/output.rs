//! Printing. A reader that went away, as `head` does, is no error.

use std::io::{self, ErrorKind, Write};

use anyhow::Result;

/// Prints to standard output; without colours where these are not wanted.
///
/// # Errors
/// It cannot be written for another reason than that nobody reads it.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut output = anstream::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints to standard error as far as that can be.
pub(crate) fn print_error(text: &str) {
    let mut output = anstream::stderr().lock();
    let _: io::Result<()> = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}
