//! What a struct has no value for, in its JSON.

use serde_json::Value;

/// Takes out what a struct has no value for: null at a place that the schema declares. What stands
/// in a JSON document is the document's.
pub(super) fn drop_absent(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            let declared = schema.get("properties").and_then(Value::as_object);
            map.retain(|name, value| {
                let is_declared = declared.is_some_and(|all| all.contains_key(name));
                !(value.is_null() && is_declared)
            });
            for (name, value) in map {
                let of_name = declared.and_then(|all| all.get(name));
                if let Some(schema) = of_name.or_else(|| schema.get("additionalProperties")) {
                    drop_absent(schema, value);
                }
            }
        }
        Value::Array(list) => {
            if let Some(schema) = schema.get("items") {
                list.iter_mut().for_each(|item| drop_absent(schema, item));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_declared_is_dropped() {
        let schema = json!({"properties": {
            "name": {"type": "string"},
            "policy": {"document": "policy"},
            "list": {"items": {"properties": {"size": {}}}},
            "by_key": {"additionalProperties": {"properties": {"size": {}}}},
        }});
        let mut value = json!({
            "name": null, "policy": {"a": null}, "list": [{"size": null}], "other": null,
            "by_key": {"a": {"size": null}, "b": null},
        });
        drop_absent(&schema, &mut value);
        let left = json!({
            "policy": {"a": null}, "list": [{}], "other": null, "by_key": {"a": {}, "b": null},
        });
        assert_eq!(value, left);
    }
}
