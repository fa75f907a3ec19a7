//! Fixtures: one trace is a file of JSON lines, a head and then the steps in the order in which
//! they are run. `fixtures/extract.py` says what the steps and the templates in them mean.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A recorded scenario.
#[derive(Debug)]
pub(crate) struct Trace {
    /// Name of the file without its ending, such as `01-direct-send`.
    pub(crate) name: String,
    /// Letter of an actor -> its handle.
    pub(crate) actors: BTreeMap<String, String>,
    /// What is done and what came back.
    pub(crate) steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Number of the recorded event.
    pub(crate) n: u64,
    /// What kind of step it is.
    pub(crate) op: String,
    /// All members.
    pub(crate) fields: Value,
}

impl Trace {
    /// Reads `fixtures/traces/<name>.jsonl`.
    pub(crate) fn load(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/traces/{name}.jsonl"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
        let mut lines = text.lines().map(|line| {
            serde_json::from_str::<Value>(line).expect("every line of a fixture is JSON")
        });
        let head = lines.next().expect("a fixture has a head");
        let actors = head["actors"]
            .as_object()
            .expect("the head names the actors");
        Self {
            name: name.to_owned(),
            actors: actors
                .iter()
                .map(|(letter, handle)| (letter.clone(), text_of(handle)))
                .collect(),
            steps: lines.map(Step::new).collect(),
        }
    }
}

impl Step {
    /// Takes a step apart.
    pub(crate) fn new(fields: Value) -> Self {
        let n = fields["n"].as_u64().expect("every step has a number");
        Self {
            n,
            op: text_of(&fields["op"]),
            fields,
        }
    }

    /// A member that is a string.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.fields[name]
            .as_str()
            .unwrap_or_else(|| panic!("step {} ({}) has no text {name}", self.n, self.op))
    }

    /// A member that is a whole number.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.fields[name]
            .as_u64()
            .unwrap_or_else(|| panic!("step {} ({}) has no number {name}", self.n, self.op))
    }

    /// A member that is a list of strings.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let list = self.fields[name].as_array();
        list.unwrap_or_else(|| panic!("step {} ({}) has no list {name}", self.n, self.op))
            .iter()
            .map(text_of)
            .collect()
    }
}

/// The text of a value that is known to be one.
pub(crate) fn text_of(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}
