//! The schema against what it is written from: the loader's keys, the types' declarations.

use super::schema;
use super::written::{At, definitions, written};
use crate::lang::load::keys::{self, Key};
use crate::lang::load::{Given, Loaded, load};
use crate::registry::{self, declaration, instance, registry_type};
use crate::resource::table::native;
use crate::schema::Schema;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread;

/// Each table of the loader with the place of a map that has its keys.
const TABLES: &[(&str, &[Key])] = &[
    ("", keys::FILE),
    ("/variables/a", keys::VARIABLE),
    ("/providers", keys::PROVIDERS),
    ("/providers/aws", keys::AWS),
    ("/providers/aws/assumeRole", keys::ASSUME_ROLE),
    ("/data/d", keys::DATA),
    ("/resources/r", keys::RESOURCE),
    ("/resources/r/options", keys::OPTIONS),
    ("/resources/r/options/timeouts", keys::TIMEOUTS),
    ("/outputs/o", keys::OUTPUT),
];

/// A stack with a map at each of these places.
fn stack() -> Value {
    json!({
        "name": "s",
        "variables": {"a": {}},
        "providers": {"aws": {"assumeRole": {"roleArn": "r"}}},
        "data": {"d": {"type": "aws:getRegion"}},
        "resources": {"r": {"type": "aws:sqs:Queue", "options": {"timeouts": {}}}},
        "outputs": {"o": {"value": 1}},
    })
}

fn with(place: &str, key: &str, value: &Value) -> Value {
    let mut stack = stack();
    if key == "assumeRoleArn" {
        stack["providers"]["aws"] = json!({});
    }
    stack.pointer_mut(place).unwrap()[key] = value.clone();
    stack
}

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).unwrap()
}

/// What the loader says.
fn said(stack: &Value) -> Vec<String> {
    let file = ("s.yaml".to_owned(), stack.to_string().into_bytes());
    let Loaded { diagnostics, .. } = load(file, None, PathBuf::new(), &Given::default());
    let all = diagnostics.into_iter().map(|it| it.message);
    // The value of a variable is not the file's.
    all.filter(|it| !it.ends_with("has no value")).collect()
}

/// Values of every kind; what one key refuses another one takes.
fn probes() -> Vec<Value> {
    vec![
        json!(null),
        json!("text"),
        json!("two words"),
        json!("${local.a}"),
        json!("30m"),
        json!(true),
        json!(7),
        json!(["text"]),
        json!([7]),
        json!([true]),
        json!([]),
        json!([["text"]]),
        json!({}),
        json!({"create": "5m"}),
        json!({"Text": {"a": ["b"]}}),
        json!([123_456_789_012_i64]),
    ]
}

/// What the one says of its own: which types, codes and properties there are is none of the
/// loader's business; which expressions and patterns are right is none of the schema's.
fn is_checked_later(place: &str, key: &str, probe: &Value) -> bool {
    let is_filled = probe.as_object().is_some_and(|map| !map.is_empty());
    match key {
        "type" => probe.is_string() && !place.starts_with("/variables"),
        "lint" | "properties" => is_filled,
        "default" | "pattern" => probe == "${local.a}",
        _ => false,
    }
}

#[test]
fn the_loader_and_the_schema_take_the_same_keys_and_values() {
    let validator = validator(&schema(native(), &BTreeSet::new()));
    assert!(validator.is_valid(&stack()));
    let mut differ = Vec::new();
    for (place, keys) in TABLES {
        for (key, probe) in keys
            .iter()
            .flat_map(|key| probes().into_iter().map(move |it| (key, it)))
        {
            let stack = with(place, key.name, &probe);
            let said = said(&stack);
            let is_flagged = !validator.is_valid(&stack);
            let is_reported = !said.is_empty();
            if is_flagged != is_reported && !is_checked_later(place, key.name, &probe) {
                let word = if is_flagged { "flagged" } else { "not flagged" };
                differ.push(format!("{place}/{}: {probe} is {word}: {said:?}", key.name));
            }
        }
        let unknown = with(place, "unheardOf", &json!("text"));
        assert!(!said(&unknown).is_empty(), "{place}");
        assert!(!validator.is_valid(&unknown), "{place}");
    }
    assert_eq!(differ, Vec::<String>::new());
}

#[test]
fn every_key_of_the_file_is_in_a_table_and_described() {
    for (place, keys) in TABLES {
        for key in *keys {
            assert!(key.about.ends_with('.'), "{place}/{}", key.name);
        }
        let names: BTreeSet<&str> = keys::names(keys).collect();
        assert_eq!(names.len(), keys.len(), "{place}");
    }
    let schema = schema(native(), &BTreeSet::new());
    assert!(jsonschema::meta::is_valid(&schema));
    let x = with("", "x-anything", &json!([1]));
    assert!(validator(&schema).is_valid(&x));
}

/// The schema of one type's properties alone.
fn alone(schema: &Schema) -> Value {
    let mut all = definitions();
    let own = written(&schema.properties, schema.name, At::Top);
    all.insert(schema.name.to_owned(), own);
    let reference = format!("#/definitions/{}", schema.name);
    json!({"$schema": super::DRAFT, "allOf": [{"$ref": reference}], "definitions": all})
}

/// The map with an expression in place of each member, and of each scalar. Each is another one: a
/// list may want items that differ.
fn with_expressions(value: &Value) -> [Value; 2] {
    fn scalars(value: &Value, count: &mut usize) -> Value {
        *count += 1;
        match value {
            Value::Object(map) => {
                let all = map
                    .iter()
                    .map(|(key, it)| (key.clone(), scalars(it, count)));
                Value::Object(all.collect())
            }
            Value::Array(items) => items.iter().map(|it| scalars(it, count)).collect(),
            _ => json!(format!("${{var.x{count}}}")),
        }
    }
    let members = value.as_object().into_iter().flatten();
    let members = members.map(|(key, _)| (key.clone(), json!("${var.x}")));
    [Value::Object(members.collect()), scalars(value, &mut 0)]
}

/// References that lead nowhere.
fn lost(root: &Value, at: &Value, found: &mut Vec<String>) {
    match at {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str)
                && root.pointer(&reference[1..]).is_none()
            {
                found.push(reference.to_owned());
            }
            map.values().for_each(|it| lost(root, it, found));
        }
        Value::Array(items) => items.iter().for_each(|it| lost(root, it, found)),
        _ => {}
    }
}

/// Our own keywords in a schema, `properties` aside.
fn own_keywords(at: &Value, names: bool, found: &mut BTreeSet<String>) {
    const OWN: [&str; 12] = [
        "conditionalCreateOnly",
        "createOnly",
        "document",
        "from",
        "ignoreCase",
        "localFile",
        "othersKeys",
        "sensitive",
        "set",
        "tagList",
        "volatile",
        "writeOnly",
    ];
    match at {
        Value::Object(map) => {
            for (key, value) in map {
                if !names && OWN.contains(&key.as_str()) {
                    found.insert(key.clone());
                }
                let holds_names = ["properties", "definitions", "dependencies"];
                own_keywords(value, !names && holds_names.contains(&key.as_str()), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| own_keywords(it, false, found)),
        _ => {}
    }
}

/// What is wrong with a registry type's schema.
fn fault(name: &str) -> Option<String> {
    let kind = registry_type(name)?;
    let declared = declaration(kind);
    let schema = alone(declared);
    let mut found = Vec::new();
    lost(&schema, &schema, &mut found);
    let mut own = BTreeSet::new();
    own_keywords(&schema["definitions"], true, &mut own);
    if !found.is_empty() || !own.is_empty() {
        return Some(format!("{name}: {found:?} {own:?}"));
    }
    // An editor takes nothing of a schema that is none by the letter.
    if let Err(error) = jsonschema::meta::validate(&schema) {
        return Some(format!("{name}: {} {error}", error.instance_path()));
    }
    let validator = match jsonschema::validator_for(&schema) {
        Ok(validator) => validator,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    let instance = instance(kind, 0);
    if !declared.validate(&instance.clone().into()).is_empty() {
        // `registry/every.txt` lists these.
        return None;
    }
    let [members, scalars] = with_expressions(&instance);
    let all = [instance, members, scalars];
    let mut errors = all.iter().flat_map(|it| validator.iter_errors(it));
    let error = errors.next()?;
    Some(format!("{name}: {} {error}", error.instance_path()))
}

#[test]
fn every_registry_type_takes_its_values_and_expressions_in_their_place() {
    let names = registry::names();
    let check = |names: &[&str]| {
        names
            .iter()
            .filter_map(|name| fault(name))
            .collect::<Vec<_>>()
    };
    let found = thread::scope(|scope| {
        let (first, second) = names.split_at(names.len() / 2);
        let second = scope.spawn(|| check(second));
        let mut found = check(first);
        found.extend(second.join().unwrap());
        found
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_is_wrong_with_a_property_is_flagged() {
    let queue = native().schema("aws:sqs:Queue").unwrap();
    let table = native().schema("AWS::DynamoDB::Table").unwrap();
    let (queue, table) = (validator(&alone(queue)), validator(&alone(table)));
    for right in [
        json!({}),
        json!({"name": null, "fifoQueue": "${var.a}", "delaySeconds": "${var.b}"}),
        json!({"name": 7, "tags": {"a": 1, "b": null}, "${var.key}": 1}),
    ] {
        assert!(queue.is_valid(&right), "{right}");
    }
    for wrong in [
        json!({"nam": "a"}),
        json!({"delaySeconds": "5"}),
        json!({"delaySeconds": 901}),
        json!({"fifoQueue": "yes"}),
        json!({"tags": ["a"]}),
        json!({"deduplicationScope": "group"}),
    ] {
        assert!(!queue.is_valid(&wrong), "{wrong}");
    }
    let keys = json!([{"AttributeName": "id", "KeyType": "HASH"}]);
    for (right, value) in [
        (true, json!({"KeySchema": keys, "Tags": {"a": "b"}})),
        (
            true,
            json!({"KeySchema": keys, "Tags": [{"Key": "a", "Value": "b"}]}),
        ),
        (false, json!({"KeySchema": keys, "Tag": {"a": "b"}})),
        (
            false,
            json!({"KeySchema": [{"AttributeName": "id", "KeyTyp": "HASH"}]}),
        ),
        // The service gives it.
        (false, json!({"KeySchema": keys, "Arn": "a"})),
    ] {
        assert_eq!(table.is_valid(&value), right, "{value}");
    }
}
