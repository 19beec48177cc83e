//! What the repository's stack makes of a message: its request template, evaluated as API
//! Gateway's template language does it (AWS: "WebSocket API mapping template reference"), as far
//! as the template uses it.

use crate::support::Project;
use serde_json::Value;
use std::collections::BTreeMap;

const CONNECTION: &str = "L0SM9cOFvHcCIhw=";
const REQUEST: &str = "Mb8zGGhUPHcFRGA=";

/// One message, as a template sees it.
struct Message<'m> {
    body: &'m str,
    variables: BTreeMap<String, Value>,
}

impl Message<'_> {
    /// The value of a reference, such as `$input.body`, and what follows it.
    fn reference<'t>(&self, text: &'t str) -> (Value, &'t str) {
        let fixed = [
            ("$context.connectionId", CONNECTION),
            ("$context.requestId", REQUEST),
            ("$input.body", self.body),
        ];
        for (name, value) in fixed {
            if let Some(rest) = text.strip_prefix(name) {
                return (Value::from(value), rest);
            }
        }
        if let Some(rest) = text.strip_prefix("$input.path('$.") {
            let (name, rest) = rest.split_once("')").unwrap();
            let body: Value = serde_json::from_str(self.body).unwrap_or_default();
            // What is not there is an empty text.
            let value = body.get(name).cloned().unwrap_or(Value::from(""));
            return (value, rest);
        }
        if let Some(rest) = text.strip_prefix("$util.urlEncode(") {
            let (value, rest) = self.reference(rest);
            let text = value.as_str().expect("urlEncode takes a string");
            let encoded = form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            return (Value::from(encoded), rest.strip_prefix(')').unwrap());
        }
        let name = text.strip_prefix('$').unwrap();
        let end = name.find(|c: char| !c.is_alphanumeric()).unwrap();
        let (name, rest) = name.split_at(end);
        let value = self.variables.get(name).cloned().unwrap_or_default();
        match rest.strip_prefix(".toString()") {
            Some(rest) => (Value::from(plain(&value)), rest),
            None => (value, rest),
        }
    }

    /// Whether nothing is there: `!$x||$x==''`.
    fn condition<'t>(&self, text: &'t str) -> (bool, &'t str) {
        let rest = text.strip_prefix("#if(!").unwrap();
        let (value, rest) = self.reference(rest);
        let (other, rest) = self.reference(rest.strip_prefix("||").unwrap());
        let rest = rest.strip_prefix("=='')").unwrap();
        let falsy = value.is_null() || value == false;
        (falsy || other == "", rest)
    }

    fn evaluate(&mut self, mut text: &str) -> String {
        let mut out = String::new();
        while !text.is_empty() {
            if let Some(rest) = text.strip_prefix("#set($") {
                let (name, rest) = rest.split_once('=').unwrap();
                let (value, rest) = self.reference(rest);
                self.variables.insert(name.to_owned(), value);
                text = rest.strip_prefix(')').unwrap();
            } else if text.starts_with("#if(") {
                let (holds, rest) = self.condition(text);
                let (then, rest) = rest.split_once("#else").unwrap();
                let (other, rest) = rest.split_once("#end").unwrap();
                out += &self.evaluate(if holds { then } else { other });
                text = rest;
            } else if text.starts_with('$') {
                let (value, rest) = self.reference(text);
                out += &plain(&value);
                text = rest;
            } else {
                let end = text[1..].find(['$', '#']).map_or(text.len(), |at| at + 1);
                out += &text[..end];
                text = &text[end..];
            }
        }
        out
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The form fields that the queue gets for a message.
fn fields(template: &str, body: &str) -> Vec<(String, String)> {
    let mut message = Message {
        body,
        variables: BTreeMap::new(),
    };
    let form = message.evaluate(template);
    form_urlencoded::parse(form.as_bytes())
        .into_owned()
        .collect()
}

#[test]
fn a_message_reaches_the_queue_byte_for_byte_in_its_group() {
    let project = Project::websocket();
    project.apply();
    let integration = &project.state()["resources"]["integration"]["inputs"];
    let template = integration["requestTemplates"]["$default"]
        .as_str()
        .unwrap();
    assert!(!template.contains(char::is_whitespace), "{template}");
    let injected = r#"{"MessageGroupId":"a&MessageAttribute.1.Value.StringValue=other"}"#;
    for (body, group) in [
        (r#"{"MessageGroupId":"test","data":"hello world"}"#, "test"),
        (r#"{"data": "a&b+c%d=e", "n": 10.00}"#, CONNECTION),
        (r#"{"MessageGroupId":"","text":"über 100%"}"#, CONNECTION),
        (r#"{"MessageGroupId":null}"#, CONNECTION),
        (r#"{"MessageGroupId":7}"#, "7"),
        (injected, "a&MessageAttribute.1.Value.StringValue=other"),
    ] {
        let expected = [
            ("Action", "SendMessage"),
            ("MessageGroupId", group),
            ("MessageDeduplicationId", REQUEST),
            ("MessageAttribute.1.Name", "connectionId"),
            ("MessageAttribute.1.Value.StringValue", CONNECTION),
            ("MessageAttribute.1.Value.DataType", "String"),
            ("MessageAttribute.2.Name", "requestId"),
            ("MessageAttribute.2.Value.StringValue", REQUEST),
            ("MessageAttribute.2.Value.DataType", "String"),
            ("MessageBody", body),
        ];
        let found = fields(template, body);
        let found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(found, expected, "{body}");
    }
}
