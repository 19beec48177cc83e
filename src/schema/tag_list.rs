//! Tags that a stack file writes as the service takes them, as a list of keys and values: inside,
//! tags are always a map.

use super::{Schema, members};
use crate::data::{Data, Path};
use serde_json::{Map, Value};

impl Schema {
    /// Turns the lists of properties with the keyword `tagList` into maps. A list that names a key
    /// twice, or whose keys are not known yet, stays, and does not conform.
    pub(super) fn tags_as_maps(&self, data: &mut Data) {
        if !self.has_keyword("tagList") {
            return;
        }
        for (name, declared) in members(&self.properties).into_iter().flatten() {
            let Some(form) = declared.get("tagList") else {
                continue;
            };
            let path = Path::root().join(name);
            let Some(list) = data.get(&path).filter(|list| list.value.is_array()) else {
                continue;
            };
            if let Some(tags) = as_map(form, &list) {
                data.set(&path, tags);
            }
        }
    }
}

fn as_map(form: &Value, list: &Data) -> Option<Data> {
    let key = Path::root().join(form.get("key")?.as_str()?);
    let value = Path::root().join(form.get("value")?.as_str()?);
    let mut tags = Data::from(Value::Object(Map::new()));
    for index in 0..list.value.as_array()?.len() {
        let mut item = list.get(&Path::root().join(index))?;
        let name = item.get(&key).filter(Data::is_known)?;
        let at = Path::root().join(name.value.as_str()?);
        if tags.get(&at).is_some() {
            return None;
        }
        let text = item.get(&value);
        item.remove(&key);
        item.remove(&value);
        if item.value != Value::Object(Map::new()) {
            return None;
        }
        let mut text = text.unwrap_or_else(|| Data::from(Value::from("")));
        if let Value::Number(_) | Value::Bool(_) = text.value {
            text.value = text.value.to_string().into();
        }
        tags.set(&at, text);
    }
    Some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn conformed(mut given: Data) -> Data {
        let tags = json!({
            "type": "object",
            "additionalProperties": {"type": "string"},
            "tagList": {"key": "Key", "value": "Value"},
        });
        let properties = json!({"properties": {"Tags": tags}});
        let schema = Schema::at_run_time(
            "test:Tagged".to_owned(),
            String::new(),
            properties,
            json!({}),
        );
        schema.conform(&mut given);
        given
    }

    #[test]
    fn a_list_of_keys_and_values_becomes_a_map() {
        let given = json!({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": 2}]});
        let tags = conformed(given.into()).value;
        assert_eq!(tags, json!({"Tags": {"a": "1", "b": "2"}}));
        let map = json!({"Tags": {"a": "1"}});
        assert_eq!(conformed(map.clone().into()).value, map);
    }

    #[test]
    fn what_is_unknown_or_secret_goes_along() {
        let mut given = Data::from(json!({"Tags": [{"Key": "a"}, {"Key": "b", "Value": "s"}]}));
        let at = |path: &str| Path::pointer(path);
        given.set(&at("/Tags/0/Value"), Data::unknown("${q.arn}"));
        given.secret.insert(at("/Tags/1/Value"));
        let tags = conformed(given);
        assert_eq!(tags.unknown_at(&at("/Tags/a")), Some("${q.arn}"));
        assert!(tags.is_secret(&at("/Tags/b")));
        assert!(!tags.is_secret(&at("/Tags/a")));
    }

    #[test]
    fn a_list_that_is_no_map_stays() {
        for list in [
            json!([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]),
            json!([{"Key": "a", "Value": "1", "More": true}]),
            json!(["a"]),
        ] {
            let given = json!({"Tags": list});
            assert_eq!(conformed(given.clone().into()).value, given);
        }
    }
}
