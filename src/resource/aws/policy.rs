//! When two IAM policy documents mean the same.
//!
//! The rules are those by which AWS and Terraform's policy comparator read a document: order and
//! wrapping of statements, actions, resources, principals and condition values do not matter. What
//! they do not normalize (`Version`, `Id`, `Sid`, the case of actions) counts.

use crate::resource::document;
use serde_json::{Map, Value};

/// The canonical form of a policy given as a JSON object or as a JSON string: two policies mean the
/// same when their canonical forms are equal. A string that is not JSON stays as it is.
pub fn canonical(policy: &Value) -> Value {
    match policy {
        Value::String(text) => match document::parsed(text) {
            Some(parsed @ Value::Object(_)) => canonical(&parsed),
            _ => policy.clone(),
        },
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, value) in map {
                if key != "Statement" {
                    out.insert(key.clone(), value.clone());
                } else if let Some(statements) = statements(value) {
                    out.insert(key.clone(), statements);
                }
            }
            Value::Object(out)
        }
        other => other.clone(),
    }
}

/// The statements as a sorted list; none where there are none.
fn statements(value: &Value) -> Option<Value> {
    let mut list: Vec<Value> = match value {
        Value::Array(list) => list.iter().map(statement).collect(),
        one => vec![statement(one)],
    };
    list.sort_by_cached_key(Value::to_string);
    (!list.is_empty()).then_some(Value::Array(list))
}

fn statement(value: &Value) -> Value {
    let Value::Object(map) = value else {
        return value.clone();
    };
    let mut out = Map::new();
    for (key, value) in map {
        let kept = match key.as_str() {
            "Action" | "NotAction" | "Resource" | "NotResource" => set(value, Value::clone),
            "Principal" | "NotPrincipal" => principals(value),
            "Condition" => conditions(value),
            "Effect" => Some(match value {
                Value::String(text) => Value::String(text.to_ascii_lowercase()),
                other => other.clone(),
            }),
            "Sid" if value.as_str() == Some("") => None,
            _ => Some(value.clone()),
        };
        if let Some(kept) = kept {
            out.insert(key.clone(), kept);
        }
    }
    Value::Object(out)
}

/// One value or many as a sorted list without repeats; none where there are none.
fn set(value: &Value, each: impl Fn(&Value) -> Value) -> Option<Value> {
    let mut list: Vec<Value> = match value {
        Value::Array(list) => list.iter().map(each).collect(),
        one => vec![each(one)],
    };
    list.sort_by_cached_key(Value::to_string);
    list.dedup();
    (!list.is_empty()).then_some(Value::Array(list))
}

/// `"*"` stays as it is: it does not mean the same as `{"AWS": "*"}` to the comparator.
fn principals(value: &Value) -> Option<Value> {
    let Value::Object(map) = value else {
        return Some(value.clone());
    };
    let kept: Map<String, Value> = map
        .iter()
        .filter_map(|(kind, value)| {
            let listed = if kind == "AWS" {
                set(value, account)
            } else {
                set(value, Value::clone)
            };
            Some((kind.clone(), listed?))
        })
        .collect();
    (!kept.is_empty()).then_some(Value::Object(kept))
}

/// An account's root user is written as the account's id, whatever the partition.
fn account(principal: &Value) -> Value {
    let id = principal.as_str().and_then(|text| {
        let mut parts = text.split(':');
        let is_root = parts.next() == Some("arn")
            && parts
                .next()
                .is_some_and(|partition| partition.starts_with("aws"))
            && parts.next() == Some("iam")
            && parts.next() == Some("");
        let id = parts.next()?;
        (is_root && parts.next() == Some("root") && parts.next().is_none() && is_account(id))
            .then(|| id.to_owned())
    });
    id.map_or_else(|| principal.clone(), Value::String)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn conditions(value: &Value) -> Option<Value> {
    let Value::Object(operators) = value else {
        return Some(value.clone());
    };
    let kept: Map<String, Value> = operators
        .iter()
        .filter_map(|(operator, keys)| {
            let Value::Object(keys) = keys else {
                return Some((operator.clone(), keys.clone()));
            };
            let keys: Map<String, Value> = keys
                .iter()
                .filter_map(|(key, values)| Some((key.clone(), set(values, text)?)))
                .collect();
            (!keys.is_empty()).then(|| (operator.clone(), Value::Object(keys)))
        })
        .collect();
    (!kept.is_empty()).then_some(Value::Object(kept))
}

/// Condition values are compared as strings: `true` is `"true"`.
fn text(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[track_caller]
    fn same(one: &Value, other: &Value) {
        assert_eq!(canonical(one), canonical(other));
    }

    #[track_caller]
    fn differ(one: &Value, other: &Value) {
        assert_ne!(canonical(one), canonical(other));
    }

    fn of(statement: &Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": statement})
    }

    #[test]
    fn string_and_object_mean_the_same() {
        let policy = of(&json!([{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]));
        same(&policy, &json!(policy.to_string()));
        assert_eq!(canonical(&json!("no json")), json!("no json"));
    }

    #[test]
    fn wrapping_and_order_do_not_matter() {
        same(
            &of(
                &json!({"Effect": "allow", "Sid": "", "Action": ["b", "a", "a"], "Resource": "r", "NotAction": []}),
            ),
            &of(&json!([{"Effect": "Allow", "Action": ["a", "b"], "Resource": ["r"]}])),
        );
    }

    #[test]
    fn an_account_is_its_root_user() {
        for arn in [
            "arn:aws:iam::123456789012:root",
            "arn:aws-cn:iam::123456789012:root",
        ] {
            same(
                &of(&json!({"Principal": {"AWS": "123456789012"}})),
                &of(&json!({"Principal": {"AWS": [arn]}})),
            );
        }
        differ(
            &of(&json!({"Principal": {"AWS": "123456789012"}})),
            &of(&json!({"Principal": {"AWS": "arn:aws:iam::123456789012:user/root"}})),
        );
        differ(
            &of(&json!({"Principal": "*"})),
            &of(&json!({"Principal": {"AWS": "*"}})),
        );
    }

    #[test]
    fn condition_values_are_strings() {
        same(
            &of(
                &json!({"Condition": {"Bool": {"aws:SecureTransport": false}, "NumericLessThan": {"x": [2, 1]}}}),
            ),
            &of(
                &json!({"Condition": {"Bool": {"aws:SecureTransport": ["false"]}, "NumericLessThan": {"x": ["1", "2"]}, "Null": {}}}),
            ),
        );
    }

    #[test]
    fn what_counts_counts() {
        let base = json!({"Version": "2012-10-17", "Statement": [{"Sid": "a", "Action": "s:a"}]});
        for (pointer, value) in [
            ("/Version", "2008-10-17"),
            ("/Statement/0/Sid", "b"),
            ("/Statement/0/Action", "s:A"),
        ] {
            let mut other = base.clone();
            if let Some(place) = other.pointer_mut(pointer) {
                *place = json!(value);
            }
            differ(&base, &other);
        }
        let twice = of(&json!([{"Action": "a"}, {"Action": "a"}]));
        differ(&twice, &of(&json!([{"Action": "a"}])));
    }

    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{1,3}:[A-Za-z*]{1,4}",
            Just("*".to_owned()),
            Just("123456789012".to_owned()),
            Just("arn:aws:iam::123456789012:root".to_owned()),
        ]
    }

    fn one_or_many() -> impl Strategy<Value = Value> {
        prop_oneof![
            word().prop_map(Value::String),
            prop::collection::vec(word(), 0..4).prop_map(|list| json!(list)),
        ]
    }

    fn condition() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(|number| json!(number)),
            word().prop_map(Value::String),
        ];
        prop::collection::btree_map(
            "[A-Z][a-z]{2}",
            prop::collection::btree_map("[a-z]{2}", prop::collection::vec(scalar, 0..3), 0..3),
            0..3,
        )
        .prop_map(|map| json!(map))
    }

    fn a_statement() -> impl Strategy<Value = Value> {
        (
            prop_oneof![Just("Allow"), Just("Deny"), Just("allow")],
            one_or_many(),
            prop::option::of(one_or_many()),
            prop::option::of(prop_oneof![
                Just(json!("*")),
                prop::collection::btree_map("AWS|Service", one_or_many(), 0..3)
                    .prop_map(|map| json!(map)),
            ]),
            prop::option::of(condition()),
            prop::option::of("[a-z]{0,2}"),
        )
            .prop_map(|(effect, action, resource, principal, condition, sid)| {
                let mut map = Map::new();
                map.insert("Effect".to_owned(), json!(effect));
                map.insert("Action".to_owned(), action);
                for (key, value) in [
                    ("Resource", resource),
                    ("Principal", principal),
                    ("Condition", condition),
                    ("Sid", sid.map(Value::String)),
                ] {
                    if let Some(value) = value {
                        map.insert(key.to_owned(), value);
                    }
                }
                Value::Object(map)
            })
    }

    /// Shuffles every list that is a set and wraps or unwraps single values, as `choices` say.
    fn rewrap(value: &Value, choices: &mut impl Iterator<Item = u8>, is_set: bool) -> Value {
        match value {
            Value::Array(list) => {
                let mut out: Vec<Value> = Vec::new();
                for item in list {
                    let at = usize::from(choices.next().unwrap_or(0)) % (out.len() + 1);
                    out.insert(at, rewrap(item, choices, false));
                }
                if out.len() == 1 && choices.next().unwrap_or(0).is_multiple_of(2) {
                    out.remove(0)
                } else {
                    Value::Array(out)
                }
            }
            Value::Object(map) => {
                let mut out = Map::new();
                for (key, value) in map {
                    let set = matches!(
                        key.as_str(),
                        "Action" | "Resource" | "AWS" | "Service" | "Statement"
                    );
                    out.insert(key.clone(), rewrap(value, choices, set));
                }
                if choices.next().unwrap_or(0).is_multiple_of(3) && out.contains_key("Effect") {
                    out.insert("NotResource".to_owned(), json!([]));
                }
                Value::Object(out)
            }
            scalar if is_set && choices.next().unwrap_or(0).is_multiple_of(2) => json!([scalar]),
            scalar => scalar.clone(),
        }
    }

    proptest! {
        #[test]
        fn shuffling_and_rewrapping_never_changes_the_canonical_form(
            statements in prop::collection::vec(a_statement(), 0..4),
            choices in prop::collection::vec(any::<u8>(), 0..64),
            as_text in any::<bool>(),
        ) {
            let policy = of(&json!(statements));
            let mut other = rewrap(&policy, &mut choices.into_iter(), false);
            if as_text {
                other = json!(other.to_string());
            }
            prop_assert_eq!(canonical(&policy), canonical(&other));
        }

        #[test]
        fn the_canonical_form_is_its_own_canonical_form(
            statements in prop::collection::vec(a_statement(), 0..4),
        ) {
            let once = canonical(&of(&json!(statements)));
            prop_assert_eq!(canonical(&once), once.clone());
        }
    }
}
