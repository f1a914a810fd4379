//! Checks that the links between Markdown files lead somewhere.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use xshell::{Shell, cmd};

/// Checks all files below the current folder but those in `target` and hidden folders.
pub(crate) fn check() -> Result<ExitCode> {
    let sh = Shell::new()?;
    let files = ["--include=*.md", "--exclude-dir=target", "--exclude-dir=.?*"];
    let link = r"\]\([^)#: ]+[)# ]";
    let grep = cmd!(sh, "grep --recursive --line-number -oE {files...} {link} .");
    let mut exit_code = ExitCode::SUCCESS;
    for found in grep.ignore_status().read()?.lines() {
        // FILE:LINE:](LINK)
        let (place, link) = found.split_once(":](").unwrap_or_default();
        let link = link.trim_end_matches([')', '#', ' ']);
        let file = Path::new(place.split(':').next().unwrap_or_default());
        if !file.with_file_name(link).exists() {
            eprintln!("error: the link to {link} leads nowhere\n --> {place}");
            exit_code = ExitCode::FAILURE;
        }
    }
    Ok(exit_code)
}
