//! What GitHub Actions shows beside a run: errors and warnings, printed as commands.
//!
//! Format: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.

use std::env;

/// Whether this is a run of GitHub Actions.
pub(crate) fn is_here() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// The line that makes an annotation: `level` is `error` or `warning`, the properties are such as `file`.
pub(crate) fn annotation(level: &str, properties: &[(&str, &str)], message: &str) -> String {
    let properties: Vec<_> = properties
        .iter()
        .map(|(name, value)| {
            let value = escape(value).replace(':', "%3A").replace(',', "%2C");
            format!("{name}={value}")
        })
        .collect();
    format!("::{level} {}::{}\n", properties.join(","), escape(message))
}

fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_command_is_escaped() {
        assert_eq!(
            annotation("error", &[("file", "a:b,c"), ("line", "1")], "50 %:\nno"),
            "::error file=a%3Ab%2Cc,line=1::50 %25:%0Ano\n"
        );
    }
}
