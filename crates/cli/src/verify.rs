//! `gantry verify`.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use gantry_core::{Audit, NarInfo, PublicKey, Verdict, narinfo};
use serde::Serialize;

use crate::{Failure, crypto::OpenSsl, print, print_json, read};

/// Audits every file and prints what it found.
pub(crate) fn run(keys: &[PublicKey], files: &[PathBuf], json: bool) -> Result<(), Failure> {
    let mut reports = Vec::new();
    for file in files {
        let audit = match read(file)?.parse() {
            Ok(narinfo) => Ok(audit(file, &narinfo, keys)?),
            Err(error) => Err(error),
        };
        let report = Report::of(file, audit);
        if !json {
            print(&report.to_string())?;
        }
        reports.push(report);
    }
    if json {
        print_json(&reports)?;
    }
    if reports.iter().all(|report| report.passed) {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn audit(file: &Path, narinfo: &NarInfo, keys: &[PublicKey]) -> Result<Audit, Failure> {
    Audit::of(narinfo, keys, &OpenSsl)
        .map_err(|error| Failure::environment(format!("{}: OpenSSL", file.display()), error))
}

/// What is printed of one file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    file: &'a Path,
    passed: bool,
    /// Why there are no verdicts: the file is not a narinfo.
    error: Option<String>,
    signatures: Vec<SignatureReport>,
    content_address: Option<&'static str>,
}

#[derive(Serialize)]
struct SignatureReport {
    key: String,
    verdict: &'static str,
}

impl<'a> Report<'a> {
    fn of(file: &'a Path, audit: Result<Audit, narinfo::ParseError>) -> Self {
        let mut report = Self {
            file,
            passed: false,
            error: None,
            signatures: Vec::new(),
            content_address: None,
        };
        match audit {
            Err(error) => report.error = Some(error.to_string()),
            Ok(audit) => {
                report.passed = audit.passed();
                report.content_address = audit.content_address.map(Verdict::name);
                report.signatures = audit
                    .signatures
                    .into_iter()
                    .map(|signature| SignatureReport {
                        key: signature.key,
                        verdict: signature.verdict.name(),
                    })
                    .collect();
            }
        }
        report
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = if self.passed { "passed" } else { "FAILED" };
        writeln!(formatter, "{result}  {}", self.file.display())?;
        if let Some(error) = &self.error {
            return writeln!(formatter, "        {error}");
        }
        if self.signatures.is_empty() && self.content_address.is_none() {
            writeln!(formatter, "        neither signed nor content-addressed")?;
        }
        for SignatureReport { key, verdict } in &self.signatures {
            writeln!(formatter, "        signature by {key}: {verdict}")?;
        }
        if let Some(verdict) = self.content_address {
            writeln!(formatter, "        content address: {verdict}")?;
        }
        Ok(())
    }
}
