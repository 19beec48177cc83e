//! The stack's outputs.

use crate::report::secrets::SECRET;
use crate::report::terminal::columns;
use crate::report::text::{Style, name_text, remark, value_lines};
use crate::store::seal::is_sealed;
use crate::visible;
use serde_json::Value;

/// An output as shown: name, value, whether it is sensitive, description.
pub type Row = (String, Value, bool, Option<String>);

/// The outputs for people: names and values in two columns, each description below its
/// value. Empty where there are none.
pub fn table(outputs: &[Row], style: &Style) -> String {
    let width = outputs
        .iter()
        .map(|(name, ..)| columns(&name_text(name)))
        .max()
        .unwrap_or_default()
        .min(style.width / 3);
    let mut text = String::new();
    for row @ (name, .., description) in outputs {
        let (value, below) = match printable(row, style.show_secrets) {
            Some(value) => value_lines(value),
            None if style.show_secrets => ("(secret, only a hash was kept)".to_owned(), Vec::new()),
            None => (SECRET.to_owned(), Vec::new()),
        };
        let name = name_text(name);
        let gap = (width + 1).saturating_sub(columns(&name));
        // A value with parts starts on the next line, and its description in front of it.
        let (line, indent) = if below.is_empty() {
            (format!("{name}:{:gap$}{value}", ""), width + 2)
        } else {
            (format!("{name}: {value}"), 2)
        };
        text.push_str(line.trim_end());
        text.push('\n');
        for line in description.iter().flat_map(|text| text.lines()) {
            text.push_str(&format!("{:indent$}{}\n", "", remark(line, style)));
        }
        for line in below {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The outputs as one flat object, name to value; sensitive ones are null unless
/// `show_secrets`, and those that are not kept always.
pub fn json(outputs: &[Row], show_secrets: bool) -> Value {
    let rows = outputs.iter();
    let rows = rows.map(|row| (row.0.clone(), printable(row, show_secrets).cloned()));
    Value::Object(rows.map(|(name, value)| (name, value.into())).collect())
}

/// The bare value (`--raw`): a string as it is, anything else as compact JSON, no line end.
/// None for a sensitive output unless `show_secrets`, and for one that is not kept.
pub fn raw(row: &Row, show_secrets: bool) -> Option<String> {
    printable(row, show_secrets).map(|value| match value {
        Value::String(text) => text.clone(),
        other => visible::json(&other.to_string()).into_owned(),
    })
}

/// The value, where it may be shown and was kept.
fn printable((_, value, sensitive, _): &Row, show_secrets: bool) -> Option<&Value> {
    Some(value).filter(|value| (!sensitive || show_secrets) && !is_sealed(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows() -> Vec<Row> {
        let row = |name: &str, value, sensitive, description: &str| {
            let description = Some(description.to_owned()).filter(|text| !text.is_empty());
            (name.to_owned(), value, sensitive, description)
        };
        vec![
            row(
                "Queue",
                json!("https://sqs.us-west-2.amazonaws.com/123456789012/orders.fifo"),
                false,
                "SQS FIFO queue that receives the websocket messages",
            ),
            row("account_id", json!("123456789012"), false, ""),
            row(
                "limits",
                json!({"burst": 5, "names": ["a", "b"]}),
                false,
                "What a client may do\x1b[2J",
            ),
            row("password", json!("hunter2"), true, ""),
        ]
    }

    #[test]
    fn people_get_a_table() {
        insta::assert_snapshot!(table(&rows(), &Style::default()), @r#"
        Queue:      https://sqs.us-west-2.amazonaws.com/123456789012/orders.fifo
                    # SQS FIFO queue that receives the websocket messages
        account_id: "123456789012"
        limits:
          # What a client may do\u{1b}[2J
          burst: 5
          names: [a, b]
        password:   (secret)
        "#);
        assert_eq!(table(&[], &Style::default()), "");
    }

    #[test]
    fn scripts_get_one_flat_object() {
        insta::assert_snapshot!(format!("{:#}", json(&rows(), false)), @r#"
        {
          "Queue": "https://sqs.us-west-2.amazonaws.com/123456789012/orders.fifo",
          "account_id": "123456789012",
          "limits": {
            "burst": 5,
            "names": [
              "a",
              "b"
            ]
          },
          "password": null
        }
        "#);
        assert_eq!(json(&rows(), true)["password"], "hunter2");
    }

    #[test]
    fn a_raw_value_is_bare() {
        let raws: Vec<_> = rows().iter().map(|row| raw(row, false)).collect();
        insta::assert_debug_snapshot!(raws, @r#"
        [
            Some(
                "https://sqs.us-west-2.amazonaws.com/123456789012/orders.fifo",
            ),
            Some(
                "123456789012",
            ),
            Some(
                "{\"burst\":5,\"names\":[\"a\",\"b\"]}",
            ),
            None,
        ]
        "#);
        assert_eq!(raw(&rows()[3], true).as_deref(), Some("hunter2"));
    }
}
