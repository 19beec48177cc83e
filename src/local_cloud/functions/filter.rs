//! Filter criteria of event source mappings (Lambda developer guide, "Control which events Lambda
//! sends to your function"): a record is sent that meets one of the patterns.

use serde_json::{Map, Value};

/// The patterns of a mapping.
#[derive(Debug, Default)]
pub(super) struct Filter(Vec<Map<String, Value>>);

impl Filter {
    /// From a mapping's `FilterCriteria`.
    pub(super) fn of(config: &Map<String, Value>) -> Self {
        let filters = config
            .get("FilterCriteria")
            .and_then(|it| it["Filters"].as_array());
        let patterns = filters.into_iter().flatten().filter_map(|filter| {
            let pattern = filter["Pattern"].as_str()?;
            serde_json::from_str(pattern).ok()
        });
        Self(patterns.collect())
    }

    /// Whether a record is sent. A body that is JSON is compared as such where the pattern's is;
    /// where only one of the two is, the record is not sent.
    pub(super) fn sends(&self, record: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| meets(pattern, record))
    }
}

fn meets(pattern: &Map<String, Value>, record: &Value) -> bool {
    let mut record = record.clone();
    if let Some(body) = pattern.get("body") {
        let parsed = record["body"]
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok());
        let parsed = parsed.filter(Value::is_object);
        match (body.is_object(), parsed) {
            (true, Some(parsed)) => record["body"] = parsed,
            (false, None) => {}
            _ => return false,
        }
    }
    meets_map(pattern, Some(&record))
}

fn meets_map(pattern: &Map<String, Value>, value: Option<&Value>) -> bool {
    pattern.iter().all(|(name, wanted)| {
        if name == "$or" {
            let mut alternatives = wanted.as_array().into_iter().flatten();
            return alternatives
                .any(|one| one.as_object().is_some_and(|one| meets_map(one, value)));
        }
        let found = value.and_then(|value| value.get(name));
        match wanted {
            Value::Object(inner) => meets_map(inner, found),
            Value::Array(rules) => meets_any(rules, found),
            _ => false,
        }
    })
}

/// Whether a value, or one item of a list, meets one of the rules.
fn meets_any(rules: &[Value], found: Option<&Value>) -> bool {
    rules.iter().any(|rule| match found {
        Some(Value::Array(items)) if !is_about_existence(rule) => {
            items.iter().any(|item| meets_rule(rule, Some(item)))
        }
        found => meets_rule(rule, found),
    })
}

fn is_about_existence(rule: &Value) -> bool {
    rule.get("exists").is_some()
}

fn meets_rule(rule: &Value, found: Option<&Value>) -> bool {
    let Value::Object(rule) = rule else {
        return found.is_some_and(|found| is_equal(rule, found));
    };
    let Some((name, operand)) = rule.iter().next() else {
        return false;
    };
    let text = found.and_then(Value::as_str);
    let with = |compare: fn(&str, &str) -> bool| {
        let operand = operand.as_str();
        text.zip(operand)
            .is_some_and(|(text, with)| compare(text, with))
    };
    match name.as_str() {
        "exists" => Some(found.is_some()) == operand.as_bool(),
        "prefix" => with(|text, start| text.starts_with(start)),
        "suffix" => with(|text, end| text.ends_with(end)),
        "equals-ignore-case" => with(|text, other| text.to_lowercase() == other.to_lowercase()),
        "anything-but" => found.is_some_and(|found| match operand {
            Value::Array(list) => !list.iter().any(|one| is_equal(one, found)),
            Value::Object(_) => !meets_rule(operand, Some(found)),
            one => !is_equal(one, found),
        }),
        "numeric" => {
            let number = found.and_then(Value::as_f64);
            let terms = operand.as_array();
            number
                .zip(terms)
                .is_some_and(|(number, terms)| is_within(number, terms))
        }
        _ => false,
    }
}

fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// `[">", 0, "<=", 5]`.
#[expect(clippy::float_cmp, reason = "numbers as written are compared")]
fn is_within(number: f64, terms: &[Value]) -> bool {
    !terms.is_empty()
        && terms.chunks(2).all(|term| {
            let [operator, with] = term else {
                return false;
            };
            let (Some(operator), Some(with)) = (operator.as_str(), with.as_f64()) else {
                return false;
            };
            match operator {
                "=" => number == with,
                "<" => number < with,
                "<=" => number <= with,
                ">" => number > with,
                ">=" => number >= with,
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sends(pattern: Value, body: &str) -> bool {
        let config = json!({"FilterCriteria": {"Filters": [{"Pattern": pattern.to_string()}]}});
        let record = json!({
            "body": body,
            "messageAttributes": {"kind": {"stringValue": "a", "dataType": "String"}},
        });
        Filter::of(config.as_object().unwrap()).sends(&record)
    }

    #[test]
    fn patterns_are_met_as_aws_says() {
        let body =
            r#"{"n": 5, "text": "Hello", "null": null, "list": ["x", "y"], "in": {"a": ""}}"#;
        for pattern in [
            json!({"body": {"n": [5]}}),
            json!({"body": {"n": [4, 5.0]}}),
            json!({"body": {"n": [{"numeric": [">", 4, "<=", 5]}]}}),
            json!({"body": {"text": [{"prefix": "He"}]}}),
            json!({"body": {"text": [{"suffix": "lo"}]}}),
            json!({"body": {"text": [{"equals-ignore-case": "hELLO"}]}}),
            json!({"body": {"text": [{"anything-but": ["a", "b"]}]}}),
            json!({"body": {"text": [{"anything-but": {"prefix": "a"}}]}}),
            json!({"body": {"null": [null]}}),
            json!({"body": {"in": {"a": [""]}}}),
            json!({"body": {"list": ["y"]}}),
            json!({"body": {"none": [{"exists": false}], "n": [{"exists": true}]}}),
            json!({"body": {"$or": [{"n": [1]}, {"text": ["Hello"]}]}}),
            json!({"messageAttributes": {"kind": {"stringValue": ["a"]}}}),
            json!({}),
        ] {
            assert!(sends(pattern.clone(), body), "{pattern}");
        }
        for pattern in [
            json!({"body": {"n": ["5"]}}),
            json!({"body": {"n": [{"numeric": ["<", 5]}]}}),
            json!({"body": {"n": [5], "text": ["Bye"]}}),
            json!({"body": {"text": [{"anything-but": "Hello"}]}}),
            json!({"body": {"none": ["x"]}}),
            json!({"body": {"none": [{"anything-but": "x"}]}}),
            json!({"body": {"list": ["z"]}}),
            json!({"body": {"n": 5}}),
            json!({"body": [body]}),
        ] {
            assert!(!sends(pattern.clone(), body), "{pattern}");
        }
        assert!(sends(json!({"body": ["plain"]}), "plain"));
        assert!(!sends(json!({"body": {"n": [5]}}), "plain"));
        assert!(Filter::default().sends(&json!({})));
    }
}
