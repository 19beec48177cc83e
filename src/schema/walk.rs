//! The way down into a schema: from a schema to those of its parts. References into the
//! `definitions` of the root are followed, and alternatives (`oneOf`, `anyOf`, `allOf`) are looked
//! into.

use serde_json::{Map, Value};

const BRANCHES: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// How many references may follow each other, and how deep alternatives may be nested.
const DEEPEST: usize = 16;

/// What a schema stands for: follows `$ref` into `root`. A reference to nothing stays as it is.
pub fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let mut at = schema;
    for _ in 0..DEEPEST {
        let reference = at.get("$ref").and_then(Value::as_str);
        let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
        match pointer.and_then(|pointer| root.pointer(pointer)) {
            Some(target) => at = target,
            None => break,
        }
    }
    at
}

/// The schema itself, resolved, and after it its alternatives. Calls `see` until that returns
/// something.
fn first<'s, T>(
    root: &'s Value,
    schema: &'s Value,
    deep: usize,
    see: &mut dyn FnMut(&'s Value) -> Option<T>,
) -> Option<T> {
    let schema = resolve(root, schema);
    if let Some(found) = see(schema) {
        return Some(found);
    }
    if deep == 0 {
        return None;
    }
    for keyword in BRANCHES {
        let branches = schema.get(keyword).and_then(Value::as_array);
        for branch in branches.into_iter().flatten() {
            if let Some(found) = first(root, branch, deep - 1, see) {
                return Some(found);
            }
        }
    }
    None
}

/// The schema of what stands under a key: that of the property of this name, else that of all
/// other keys. Resolved.
pub fn member<'s>(root: &'s Value, schema: &'s Value, key: &str) -> Option<&'s Value> {
    member_within(root, schema, key, DEEPEST)
}

/// The same, of the schema itself: which of its alternatives holds is not known.
pub(super) fn own_member<'s>(root: &'s Value, schema: &'s Value, key: &str) -> Option<&'s Value> {
    member_within(root, schema, key, 0)
}

fn member_within<'s>(
    root: &'s Value,
    schema: &'s Value,
    key: &str,
    deep: usize,
) -> Option<&'s Value> {
    let own = &mut |schema: &'s Value| schema.get("properties")?.get(key);
    let others = &mut |schema: &'s Value| {
        let values = schema.get("additionalProperties");
        values.filter(|values| values.is_object())
    };
    let found = first(root, schema, deep, own);
    let found = found.or_else(|| first(root, schema, deep, others));
    found.map(|schema| resolve(root, schema))
}

/// The schema of the items of a list. Resolved.
pub fn items<'s>(root: &'s Value, schema: &'s Value) -> Option<&'s Value> {
    items_within(root, schema, DEEPEST)
}

/// The same, of the schema itself: which of its alternatives holds is not known.
pub(super) fn own_items<'s>(root: &'s Value, schema: &'s Value) -> Option<&'s Value> {
    items_within(root, schema, 0)
}

fn items_within<'s>(root: &'s Value, schema: &'s Value, deep: usize) -> Option<&'s Value> {
    let items = &mut |schema: &'s Value| schema.get("items").filter(|items| items.is_object());
    first(root, schema, deep, items).map(|schema| resolve(root, schema))
}

/// The properties that a schema and its alternatives declare; a name may come twice.
pub fn properties<'s>(root: &'s Value, schema: &'s Value) -> Vec<(&'s String, &'s Value)> {
    let mut all = Vec::new();
    let see = &mut |schema: &'s Value| {
        let properties = schema.get("properties").and_then(Value::as_object);
        all.extend(properties.into_iter().flat_map(Map::iter));
        None::<()>
    };
    first(root, schema, DEEPEST, see);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_and_alternatives_are_followed() {
        let root = json!({
            "properties": {"tree": {"$ref": "#/definitions/Tree"}},
            "definitions": {
                "Tree": {"oneOf": [
                    {"properties": {"leaf": {"type": "string"}}},
                    {"properties": {"trees": {"items": {"$ref": "#/definitions/Tree"}}}},
                ]},
                "Loop": {"$ref": "#/definitions/Loop"},
                "Map": {"additionalProperties": {"$ref": "#/definitions/Tree"}},
            },
        });
        let tree = member(&root, &root, "tree").unwrap();
        assert_eq!(
            member(&root, tree, "leaf"),
            Some(&json!({"type": "string"}))
        );
        let trees = member(&root, tree, "trees").unwrap();
        assert_eq!(items(&root, trees), Some(tree));
        assert_eq!(member(&root, tree, "other"), None);
        let names: Vec<_> = properties(&root, tree)
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["leaf", "trees"]);
        let looped = &root["definitions"]["Loop"];
        assert_eq!(resolve(&root, looped), looped);
        assert_eq!(
            member(&root, &root["definitions"]["Map"], "any"),
            Some(tree)
        );
    }
}
