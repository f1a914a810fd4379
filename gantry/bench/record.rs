
/// A record as an application keeps many of.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record0 {
    pub id: u64,
    pub title: String,
    #[serde(default)]
    pub labels: Vec<String>,
    pub weight: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Box<Record0>>,
    pub counts: BTreeMap<String, u32>,
    pub state: State0,
}

/// What a record is going through.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State0 {
    Waiting,
    Running { since: u64, attempts: u32 },
    Done { results: Vec<i32>, note: Option<String> },
}

impl Record0 {
    /// The record that `seed` stands for.
    #[must_use]
    pub fn sample(seed: u64) -> Self {
        let state = match seed % 3 {
            0 => State0::Waiting,
            1 => State0::Running { since: seed + REVISION, attempts: 1 },
            _ => State0::Done { results: vec![-1, 0, 1], note: Some(format!("note {seed}")) },
        };
        Self {
            id: seed,
            title: format!("record {seed} at revision {REVISION}"),
            labels: (0..seed % 5).map(|label| label.to_string()).collect(),
            weight: 0.5,
            parent: (seed > 10).then(|| Box::new(Self::sample(seed / 10))),
            counts: (0..seed % 7).map(|count| (format!("count {count}"), 1)).collect(),
            state,
        }
    }

    /// How much there is of it.
    #[must_use]
    pub fn size(&self) -> u64 {
        let own: u32 = self.counts.values().sum();
        u64::from(own) + self.labels.len() as u64 + self.parent.as_ref().map_or(0, |parent| parent.size())
    }
}

#[cfg(test)]
mod tests_of_record0 {
    use super::*;

    #[test]
    fn json_keeps_it() {
        for seed in 0..40 {
            let record = Record0::sample(seed);
            let json = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Record0>(&json).unwrap(), record);
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let mut json = serde_json::to_value(Record0::sample(2)).unwrap();
        json["unknown"] = true.into();
        assert!(serde_json::from_value::<Record0>(json).is_err());
    }

    #[test]
    fn a_parent_adds_to_the_size() {
        assert!(Record0::sample(94).size() > Record0::sample(9).size());
    }
}
