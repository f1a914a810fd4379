//! What was measured, as data and as a table.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

/// All figures of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) cores: usize,
    pub(crate) nix: String,
    pub(crate) members: usize,
    pub(crate) layers: usize,
    /// Packages in the workspace's lock file, its members included.
    pub(crate) packages: usize,
    /// How often what is not cold was measured.
    pub(crate) repetitions: u64,
    pub(crate) rows: Vec<Row>,
}

/// A scenario, measured for both variants.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) layers: Measured,
    pub(crate) monolith: Measured,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Measured {
    /// Of each repetition.
    pub(crate) seconds: Vec<f64>,
    /// What the scenario added to the store, once, compressed.
    pub(crate) stored_bytes: Option<u64>,
}

impl Measured {
    /// The seconds in the middle; none where nothing was measured.
    pub(crate) fn median(&self) -> Option<f64> {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        let middle = seconds.len() / 2;
        let upper = *seconds.get(middle)?;
        Some(if seconds.len().is_multiple_of(2) {
            f64::midpoint(seconds[middle - 1], upper)
        } else {
            upper
        })
    }
}

impl Figures {
    /// The figures as JSON, with the medians and ratios of the table.
    ///
    /// # Errors
    /// Never, as far as JSON can hold the figures.
    pub(crate) fn to_json(&self) -> Result<String> {
        let mut value = serde_json::to_value(self)?;
        for (row, json) in self
            .rows
            .iter()
            .zip(value["rows"].as_array_mut().into_iter().flatten())
        {
            json["layers"]["median"] = row.layers.median().into();
            json["monolith"]["median"] = row.monolith.median().into();
            json["ratio"] = row.ratio().into();
        }
        Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
    }

    /// The figures as Markdown.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = format!(
            "{} members in {} layers, {} locked packages; {} cores, {}; {}.\n\n| what is built | layers | monolith | ratio |\n| --- | ---: | ---: | ---: |\n",
            self.members,
            self.layers,
            self.packages,
            self.cores,
            self.nix,
            match self.repetitions {
                1 => "each measured once".to_owned(),
                count => format!("medians of {count} runs, but for the first row"),
            }
        );
        for row in &self.rows {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                row.scenario,
                seconds(row.layers.median()),
                seconds(row.monolith.median()),
                ratio(row.ratio())
            );
        }
        let stored: Vec<_> = self
            .rows
            .iter()
            .filter_map(|row| Some((row, row.layers.stored_bytes?, row.monolith.stored_bytes?)))
            .collect();
        if !stored.is_empty() {
            text.push_str("\n| what a cache gets | layers | monolith | ratio |\n| --- | ---: | ---: | ---: |\n");
        }
        for (row, layers, monolith) in stored {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                row.scenario,
                megabytes(layers),
                megabytes(monolith),
                ratio(divide(to_float(layers), to_float(monolith)))
            );
        }
        text
    }
}

impl Row {
    /// The layers' time beside the monolith's.
    pub(crate) fn ratio(&self) -> Option<f64> {
        divide(self.layers.median()?, self.monolith.median()?)
    }
}

fn divide(one: f64, other: f64) -> Option<f64> {
    (other > 0.0).then_some(one / other)
}

/// With as many digits as mean something.
pub(crate) fn seconds(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) if seconds < 10.0 => format!("{seconds:.1} s"),
        Some(seconds) => format!("{seconds:.0} s"),
        None => "–".into(),
    }
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or("–".into(), |ratio| format!("{ratio:.2}"))
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", to_float(bytes) / 1e6)
}

/// Bytes as far as a table needs them.
#[expect(clippy::cast_precision_loss, reason = "exact up to 9 petabytes")]
fn to_float(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(seconds: &[f64], stored_bytes: Option<u64>) -> Measured {
        Measured {
            seconds: seconds.to_vec(),
            stored_bytes,
        }
    }

    fn figures() -> Figures {
        Figures {
            cores: 2,
            nix: "nix (Nix) 2.34.8".into(),
            members: 19,
            layers: 4,
            packages: 80,
            repetitions: 3,
            rows: vec![
                Row {
                    scenario: "a leaf is edited".into(),
                    layers: measured(&[9.0, 1.0, 5.0], Some(5_000_000)),
                    monolith: measured(&[100.0, 300.0], Some(20_000_000)),
                },
                Row {
                    scenario: "nothing is changed".into(),
                    layers: measured(&[0.25], None),
                    monolith: measured(&[0.0], None),
                },
            ],
        }
    }

    #[test]
    fn the_table_holds_medians_and_their_ratio() {
        let text = figures().to_markdown();
        assert!(text.starts_with(
            "19 members in 4 layers, 80 locked packages; 2 cores, nix (Nix) 2.34.8; medians of 3 runs, but for the first row.\n"
        ));
        assert!(
            text.contains("| a leaf is edited | 5.0 s | 200 s | 0.03 |"),
            "{text}"
        );
        assert!(
            text.contains("| a leaf is edited | 5.0 MB | 20.0 MB | 0.25 |"),
            "{text}"
        );
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        let text = figures().to_markdown();
        assert!(
            text.contains("| nothing is changed | 0.2 s | 0.0 s | – |"),
            "{text}"
        );
    }

    #[test]
    fn json_has_every_repetition_and_the_ratio() {
        let json: serde_json::Value = serde_json::from_str(&figures().to_json().unwrap()).unwrap();
        let row = &json["rows"][0];
        assert_eq!(row["layers"]["seconds"][0], 9.0);
        assert_eq!(row["layers"]["median"], 5.0);
        assert_eq!(row["ratio"], 0.025);
        assert!(json["rows"][1]["ratio"].is_null());
    }
}
