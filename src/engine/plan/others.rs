//! Keys of a map that belong to others: an update puts back what it does not own.
//!
//! Maps say whose their keys are (`othersKeys` in the schema). Where others keep theirs (tags), the
//! live keys that neither the file nor the last apply names are put into what an update is given,
//! so that no type can take them away, whatever its calls send. In every other map a key that only
//! the service has is a row of its own.

use crate::data::{Attributes, Inputs, Path};
use crate::schema::Schema;
use serde_json::{Map, Value};

/// The properties of an update, with the live keys of others in the maps that keep them
/// (`othersKeys`): those that neither the file nor the last apply names. So no call of a type
/// can take them away, whether it sends differences or whole sets. A property that others alone
/// have set is included too.
pub(crate) fn with_others(
    schema: &Schema,
    applied: &Inputs,
    live: &Attributes,
    wanted: Inputs,
) -> Inputs {
    let mut props = wanted;
    if !schema.has_keyword("othersKeys") {
        return props;
    }
    for name in schema.property_names() {
        let path = Path::root().join(name);
        let Some(Value::Object(is)) = live.get(name) else {
            continue;
        };
        if !schema.is_map(&path) || !schema.keeps_others(&path) {
            continue;
        }
        let was = applied.get(name).and_then(Value::as_object);
        let mut all: Map<String, Value> = is
            .iter()
            .filter(|(key, _)| was.is_none_or(|was| !was.contains_key(*key)))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if let Some(Value::Object(own)) = props.get(name) {
            all.extend(own.clone());
        }
        if !all.is_empty() {
            path.set(&mut props, Value::Object(all));
        }
    }
    props
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::table::native;
    use serde_json::json;

    fn merged(applied: Value, live: Value, wanted: Value) -> Value {
        let kind = native().resource("aws:lambda:Function").unwrap();
        let (applied, live) = (Inputs::new(applied), Attributes::new(live));
        with_others(kind.schema(), &applied, &live, Inputs::new(wanted)).into_value()
    }

    #[test]
    fn keys_of_others_stay_and_those_that_were_applied_go() {
        let applied = json!({"tags": {"old": "1", "own": "1"}});
        let live = json!({"tags": {"old": "1", "own": "1", "theirs": "x"}});
        assert_eq!(
            merged(applied.clone(), live.clone(), json!({"tags": {"own": "2"}})),
            json!({"tags": {"own": "2", "theirs": "x"}})
        );
        // Taken out of the file as a whole, or never in it.
        let theirs = json!({"tags": {"theirs": "x"}});
        assert_eq!(merged(applied, live.clone(), json!({})), theirs);
        assert_eq!(merged(json!({}), live.clone(), json!({})), live);
    }

    #[test]
    fn a_map_that_is_the_files_takes_no_keys_of_others() {
        let live = json!({"environment": {"variables": {"AA": "1", "CC": "x"}}});
        let wanted = json!({"environment": {"variables": {"AA": "2"}}});
        assert_eq!(merged(json!({}), live, wanted.clone()), wanted);
    }
}
