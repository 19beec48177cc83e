//! The stack's outputs.

use crate::report::text::Style;
use serde_json::{Map, Value};

/// An output as shown: name, value, whether it is sensitive, description.
pub type Row = (String, Value, bool, Option<String>);

/// The outputs for people: names and values in two columns, each description below.
pub fn table(outputs: &[Row], style: &Style) -> String {
    let _ = style;
    outputs
        .iter()
        .map(|(name, value, ..)| format!("{name}: {value}\n"))
        .collect()
}

/// The outputs as one flat object, name to value; sensitive ones are null unless `show_secrets`.
pub fn json(outputs: &[Row], show_secrets: bool) -> Value {
    let shown = |value: &Value, sensitive| {
        if sensitive && !show_secrets {
            Value::Null
        } else {
            value.clone()
        }
    };
    Value::Object(
        outputs
            .iter()
            .map(|(name, value, sensitive, _)| (name.clone(), shown(value, *sensitive)))
            .collect::<Map<_, _>>(),
    )
}

/// The bare value (`--raw`): a string as it is, anything else as compact JSON, no line end.
/// None for a sensitive output unless `show_secrets`.
pub fn raw((_, value, sensitive, _): &Row, show_secrets: bool) -> Option<String> {
    (!sensitive || show_secrets).then(|| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
