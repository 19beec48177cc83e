//! Stand-ins for random strings whose state was lost. A name built from a stand-in shows where the
//! string is, and the live resource's name then yields the string.

use crate::data::{Attributes, Inputs};
use crate::resource::ResourceType;
use crate::store::state::{ResourceState, State, StateChange};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The stand-ins of a search, by the address of the resource that generated the string.
#[derive(Default)]
pub(super) struct StandIns(BTreeMap<String, StandIn>);

struct StandIn {
    number: usize,
    kind: &'static dyn ResourceType,
}

/// A random string that the value of a live resource reveals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Revealed {
    /// The number of the resource that drew it.
    number: usize,
    /// The number of its output.
    output: usize,
    /// The string.
    pub(super) text: String,
}

const START: &str = "zq";
const END: &str = "qz";

impl StandIns {
    /// Adds one for the resource, unless it has one.
    pub(super) fn add(&mut self, address: &str, kind: &'static dyn ResourceType) {
        let number = self.0.len();
        let new = StandIn { number, kind };
        self.0.entry(address.to_owned()).or_insert(new);
    }

    /// The resources that have one, with their types.
    pub(super) fn all(&self) -> impl Iterator<Item = (&String, &'static dyn ResourceType)> {
        self.0.iter().map(|(address, one)| (address, one.kind))
    }

    /// Puts the resource into the state, with stand-ins for all its outputs.
    pub(super) fn put(&self, state: &mut State, address: &str, inputs: &Inputs) {
        let Some(StandIn { number, kind }) = self.0.get(address) else {
            return;
        };
        let outputs = kind.schema().output_names().enumerate();
        let outputs = outputs.map(|(output, name)| (name.to_owned(), json!(text(*number, output))));
        let mut all: Map<String, Value> = outputs.collect();
        all.extend(inputs.as_object().cloned().unwrap_or_default());
        let resource = ResourceState {
            type_name: kind.name().to_owned(),
            id: text(*number, 0),
            inputs: inputs.clone(),
            outputs: Attributes::new(all),
            ..ResourceState::default()
        };
        state.change(StateChange::Put {
            address: address.to_owned(),
            resource: Box::new(resource),
        });
    }

    /// Which resource generated a string, and the id that imports it.
    pub(super) fn drawn(&self, revealed: &Revealed) -> Option<(String, String)> {
        let mut all = self.0.iter();
        let (address, StandIn { kind, .. }) = all.find(|(_, one)| one.number == revealed.number)?;
        let output = kind.schema().output_names().nth(revealed.output)?;
        let id = kind.import_id_from_output()?(output, &revealed.text)?;
        kind.import(&id).is_ok().then(|| (address.clone(), id))
    }
}

fn text(number: usize, output: usize) -> String {
    format!("{START}{number}x{output}{END}")
}

/// The first stand-in in a string: its start, its end, and its owner.
fn find(text: &str) -> Option<(usize, usize, usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find(START) {
        let start = from + at;
        let rest = &text[start + START.len()..];
        let parsed = rest.find(END).and_then(|end| {
            let (number, output) = rest[..end].split_once('x')?;
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let both = digits(number) && digits(output);
            let end = start + START.len() + end + END.len();
            both.then_some((start, end, number.parse().ok()?, output.parse().ok()?))
        });
        if parsed.is_some() {
            return parsed;
        }
        from = start + START.len();
    }
    None
}

/// The part of a string before its first stand-in; none where it has none.
pub(super) fn before(text: &str) -> Option<&str> {
    find(text).map(|(start, ..)| &text[..start])
}

/// Whether a stand-in is anywhere in a value.
pub(super) fn is_in(value: &Value) -> bool {
    match value {
        Value::String(text) => find(text).is_some(),
        Value::Array(list) => list.iter().any(is_in),
        Value::Object(map) => map.values().any(is_in),
        _ => false,
    }
}

/// What a live value reveals of the stand-ins in the file's value.
pub(super) fn reveal(file: &Value, live: &Value) -> Vec<Revealed> {
    let mut all = Vec::new();
    collect(file, live, &mut all);
    all
}

fn collect(file: &Value, live: &Value, all: &mut Vec<Revealed>) {
    match (file, live) {
        (Value::String(file), Value::String(live)) => all.extend(reveal_in_string(file, live)),
        (Value::Object(file), Value::Object(live)) => {
            for (name, value) in file {
                if let Some(live) = live.get(name) {
                    collect(value, live, all);
                }
            }
        }
        (Value::Array(file), Value::Array(live)) if file.len() == live.len() => {
            for (file, live) in file.iter().zip(live) {
                collect(file, live, all);
            }
        }
        _ => {}
    }
}

/// Compares a string that contains one stand-in with the live string.
fn reveal_in_string(file: &str, live: &str) -> Option<Revealed> {
    let (start, end, number, output) = find(file)?;
    let (head, tail) = (&file[..start], &file[end..]);
    if find(tail).is_some() {
        return None;
    }
    let text = live.strip_prefix(head)?.strip_suffix(tail)?;
    (!text.is_empty()).then(|| Revealed {
        number,
        output,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_name_reveals_the_random_string() {
        let name = format!("app-{}-x", text(3, 1));
        assert_eq!(before(&name), Some("app-"));
        let file = json!({"name": name, "tags": {"a": "b"}, "zq": "zq1xqz"});
        let live = json!({"name": "app-w4f2-x", "tags": {}, "zq": "other"});
        let expected = Revealed {
            number: 3,
            output: 1,
            text: "w4f2".to_owned(),
        };
        assert_eq!(reveal(&file, &live), [expected]);
        assert!(is_in(&file) && !is_in(&live));
    }

    #[test]
    fn what_does_not_match_reveals_nothing() {
        let one = text(0, 0);
        for (file, live) in [
            (format!("a-{one}"), "b-1234"),
            (format!("a-{one}"), "a-"),
            (format!("{one}-{one}"), "1-2"),
            ("zqzq0x".to_owned(), "zqzq0x"),
        ] {
            assert_eq!(reveal(&json!(file), &json!(live)), []);
        }
    }
}
