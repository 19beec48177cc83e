//! Brings evaluated properties into the form that a type's schema expects.

use super::document;
use super::{Schema, walk};
use crate::data::{Data, Path};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

impl Schema {
    /// The form in which values of a file are compared, checked and sent:
    /// - a member that is null is excluded, in JSON documents too: in a stack file null means "not
    ///   given". A null in a list stays; in a filter pattern, `[null]` is a value;
    /// - where the schema wants a string, a number or bool is converted to a string, as Terraform
    ///   converts it;
    /// - a number is written as JSON writes it by itself (`1.0` is `1`), but for JSON documents,
    ///   which keep the form of the file.
    ///
    /// Parts that are not known yet are left alone.
    pub fn conform(&self, data: &mut Data) {
        if let Cow::Owned(value) = self.conformed(&data.value, &data.unknown) {
            data.value = value;
        }
    }

    /// The same, of a value whose unknown parts are at these paths.
    pub(super) fn conformed<'v>(
        &self,
        value: &'v Value,
        unknown: &BTreeMap<Path, String>,
    ) -> Cow<'v, Value> {
        let root = &self.properties;
        if !differs(value, root, Some(root)) {
            return Cow::Borrowed(value);
        }
        let mut value = value.clone();
        conform(&mut value, root, Some(root), &Path::root(), unknown);
        Cow::Owned(value)
    }
}

/// Whether a part of the value may have another form. Most values have none, and are not cloned.
fn differs(value: &Value, root: &Value, schema: Option<&Value>) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) => is_string(schema),
        Value::Number(number) => is_string(schema) || plain(number).is_some(),
        // Perhaps a document given as a string.
        Value::String(text) => text.contains("null"),
        Value::Object(map) => map.iter().any(|(key, value)| {
            let schema = schema.and_then(|schema| walk::own_member(root, schema, key));
            differs(value, root, schema)
        }),
        Value::Array(items) => {
            let schema = schema.and_then(|schema| walk::own_items(root, schema));
            items.iter().any(|item| differs(item, root, schema))
        }
    }
}

fn conform(
    value: &mut Value,
    root: &Value,
    schema: Option<&Value>,
    path: &Path,
    unknown: &BTreeMap<Path, String>,
) {
    if schema.is_some_and(|schema| schema.get("document").is_some()) {
        document::drop_nulls(value, path, unknown);
        return;
    }
    match value {
        Value::Object(map) => {
            drop_members(map, path, unknown);
            for (key, value) in map {
                let schema = schema.and_then(|schema| walk::own_member(root, schema, key));
                if differs(value, root, schema) {
                    conform(value, root, schema, &path.join(key), unknown);
                }
            }
        }
        Value::Array(items) => {
            let schema = schema.and_then(|schema| walk::own_items(root, schema));
            for (index, item) in items.iter_mut().enumerate() {
                conform(item, root, schema, &path.join(index), unknown);
            }
        }
        Value::Number(number) if is_string(schema) => *value = number.to_string().into(),
        Value::Bool(flag) if is_string(schema) => *value = flag.to_string().into(),
        Value::Number(number) => {
            if let Some(plain) = plain(number) {
                *number = plain;
            }
        }
        _ => {}
    }
}

/// Takes out the members that are null.
pub(crate) fn drop_members(
    map: &mut Map<String, Value>,
    path: &Path,
    unknown: &BTreeMap<Path, String>,
) {
    map.retain(|key, value| !value.is_null() || unknown.contains_key(&path.join(key)));
}

fn is_string(schema: Option<&Value>) -> bool {
    schema.and_then(|schema| schema.get("type")?.as_str()) == Some("string")
}

/// The form in which JSON writes a number by itself, where it is written otherwise; `1.0` is a
/// integer.
pub(crate) fn plain(number: &Number) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().filter(|_| number.is_f64())?;
    if float.fract() == 0.0 && float.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Some((float as i64).into());
    }
    Number::from_f64(float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    /// A type with one property of each kind.
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Thing {
        name: Option<String>,
        size: Option<u32>,
        tags: Option<BTreeMap<String, String>>,
        #[schemars(extend("document" = "json"))]
        document: Option<Value>,
    }

    #[derive(JsonSchema)]
    struct Outputs {}

    fn conformed(value: &str) -> String {
        let schema = Schema::of::<Thing, Outputs>("test:Thing");
        let mut data = Data::from(serde_json::from_str::<Value>(value).unwrap());
        schema.conform(&mut data);
        assert_eq!(schema.validate(&data), []);
        data.value.to_string()
    }

    #[test]
    fn a_null_is_excluded_from_documents_too() {
        let given = r#"{"name":null,"document":{"a":null,"b":[null,{"c":null}],"d":{"e":null}}}"#;
        assert_eq!(conformed(given), r#"{"document":{"b":[null,{}],"d":{}}}"#);
        let text = json!({"document": r#"{"a": null, "b": 1.0}"#}).to_string();
        assert_eq!(
            conformed(&text),
            json!({"document": r#"{"b":1.0}"#}).to_string()
        );
        let untouched = json!({"document": r#"{ "a": "null" }"#}).to_string();
        assert_eq!(conformed(&untouched), untouched);
    }

    #[test]
    fn what_is_not_known_yet_is_no_null() {
        let schema = Schema::of::<Thing, Outputs>("test:Thing");
        let mut data = Data::from(json!({"document": {"a": null, "b": null}}));
        data.set(&Path::pointer("/document/b"), Data::unknown("${q.arn}"));
        schema.conform(&mut data);
        assert_eq!(data.value, json!({"document": {"b": null}}));
    }

    #[test]
    fn where_a_string_is_wanted_a_scalar_is_its_text() {
        let given =
            r#"{"name":1.10,"tags":{"a":1,"b":true},"size":3.0,"document":{"v":1.10,"on":true}}"#;
        let expected = r#"{"document":{"on":true,"v":1.10},"name":"1.10","size":3,"tags":{"a":"1","b":"true"}}"#;
        assert_eq!(conformed(given), expected);
    }
}
