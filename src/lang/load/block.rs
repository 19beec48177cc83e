//! The blocks of a stack file.

use super::reader::Reader;
use super::variable::{Declared, declare};
use super::{FILE_NAME, entry, is_file_name};
use super::{assume_role, keys};
use crate::data::Path;
use crate::lang::diagnostic::Place;
use crate::lang::locate::locate;
use crate::lang::stack::{DataBlock, Options, OutputBlock, ResourceBlock, Stack, Timeouts};
use crate::schema::alias;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// The first words of references that do not name a resource.
const ROOTS: &[&str] = &["var", "local", "data", "each", "stack"];

/// Reads the whole file into the stack; returns the declared variables.
pub(super) fn stack(
    reader: &mut Reader,
    file: Value,
    stack: &mut Stack,
) -> BTreeMap<String, Declared> {
    let root = Path::root();
    let mut file = match file {
        Value::Null => {
            reader.value(&root, "the stack file is empty").help =
                Some("a stack starts with its name, as in name: my-stack".to_owned());
            return BTreeMap::new();
        }
        Value::Object(map) => map,
        other => {
            reader.unfit(&root, "a map", &other);
            return BTreeMap::new();
        }
    };
    // A home for anchors.
    file.retain(|key, _| !key.starts_with("x-"));
    reader.check_keys(&file, &root, keys::FILE, |_| None);
    name(reader, &file, stack);
    stack.description = file
        .get("description")
        .filter(|value| !value.is_null())
        .and_then(|value| reader.text(value, &root.join("description")));
    stack.state = state(reader, &file);
    stack.aws = providers(reader, &file);
    let mut block = |reader: &mut Reader, name: &str| take(reader, &mut file, name, &root);
    // What the codes may be, and to what they can be set, is the business of `lint`.
    stack.lint = block(reader, "lint").into_iter().collect();
    for (name, value) in block(reader, "locals") {
        reader.identifier(&name, &entry("locals", &name), "local");
        stack.locals.insert(name, value);
    }
    for (name, value) in block(reader, "data") {
        if let Some(found) = data(reader, &name, value) {
            stack.data.insert(name, found);
        }
    }
    let resources = block(reader, "resources");
    let names: Vec<String> = resources.keys().cloned().collect();
    for (name, value) in resources {
        if keys::names(keys::RESOURCE).any(|key| key == name) && value.get("type").is_none() {
            misplaced(reader, &name, &names);
            continue;
        }
        if let Some(found) = resource(reader, &name, value) {
            stack.resources.insert(name, found);
        }
    }
    for (name, value) in block(reader, "outputs") {
        let found = output(reader, &name, &value);
        stack.outputs.insert(name, found);
    }
    block(reader, "variables")
        .iter()
        .map(|(name, value)| (name.clone(), declare(reader, name, value)))
        .collect()
}

/// How many bytes are read to name the resource that a misplaced part belongs to.
const MOST_READ: usize = 4 << 20;

/// A part of a resource that stands beside it.
fn misplaced(reader: &mut Reader, part: &str, names: &[String]) {
    let text = std::mem::take(&mut reader.text);
    let line = |name: &str| locate(&text, &Place::Key(entry("resources", name))).map(|at| at.line);
    let own = line(part);
    // Each look reads the file: of a large one few names are looked for.
    let looks = (MOST_READ / text.len().max(1)).min(200);
    let before = names.iter().take(looks).map(|name| (line(name), name));
    let before = before.filter(|(at, _)| *at < own).max();
    let beside = before.map_or("the resources", |(_, name)| name.as_str());
    reader
        .key(
            &entry("resources", part),
            format!("{part:?} stands beside {beside}, not under it"),
        )
        .help = Some("indent it by two more spaces".to_owned());
    reader.text = text;
}

fn name(reader: &mut Reader, file: &Map<String, Value>, stack: &mut Stack) {
    let path = Path::root().join("name");
    let Some(value) = file.get("name").filter(|value| !value.is_null()) else {
        reader.value(&Path::root(), "the stack has no name").help =
            Some("add a line such as name: my-stack; the state file is called after it".to_owned());
        return;
    };
    let Some(text) = reader.text(value, &path) else {
        return;
    };
    if !is_file_name(&text) {
        reader.value(
            &path,
            format!("{text:?} cannot be a stack's name: {FILE_NAME}"),
        );
    }
    stack.name = text;
}

/// Where the state is kept: a path, or `s3://bucket/key`.
fn state(reader: &mut Reader, file: &Map<String, Value>) -> Value {
    let path = Path::root().join("state");
    let Some(value) = file.get("state").filter(|value| !value.is_null()) else {
        return Value::Null;
    };
    let Some(text) = reader.text(value, &path) else {
        return Value::Null;
    };
    if text.is_empty() {
        reader.value(&path, "the place of the state is empty").help =
            Some("leave it out for a file under state/, or write s3://bucket/key".to_owned());
    } else if !text.contains("${")
        && let Some(Err(why)) = crate::lang::place::s3(&text)
    {
        reader
            .value(&path, format!("{text:?} is no place in S3: {why}"))
            .help = Some(
            "write s3://bucket/key, or s3://bucket/key?region=eu-west-1&sse=aws:kms".to_owned(),
        );
    } else if let Some(scheme) = crate::lang::place::unknown_scheme(&text) {
        reader
            .value(&path, format!("{scheme:?} is no place for a state"))
            .help = Some("write the path of a file, or s3://bucket/key".to_owned());
    }
    value.clone()
}

fn providers(reader: &mut Reader, file: &Map<String, Value>) -> Value {
    let path = Path::root().join("providers");
    let none = Value::Object(Map::new());
    let Some(providers) = reader.map(file.get("providers"), &path) else {
        return none;
    };
    reader.check_keys(providers, &path, keys::PROVIDERS, |_| None);
    let path = path.join("aws");
    let Some(aws) = reader.map(providers.get("aws"), &path) else {
        return none;
    };
    reader.check_keys(aws, &path, keys::AWS, |_| None);
    for (key, value) in aws {
        let path = path.join(key);
        match (key.as_str(), value) {
            (_, Value::String(text)) if text.contains("${") => {}
            (_, Value::Null) => {}
            ("allowedAccountIds", value) => {
                accounts(reader, value, &path);
            }
            ("assumeRole", value) => {
                assume_role::check(reader, value, &path, assume_role::has_short(aws));
            }
            ("defaultTags", value) => {
                let tags = reader.map(Some(value), &path);
                for (tag, value) in tags.into_iter().flatten() {
                    // A number or bool is converted to a string, as in the tags of a resource.
                    if !matches!(value, Value::Number(_) | Value::Bool(_)) {
                        reader.text(value, &path.join(tag));
                    }
                }
            }
            (_, value) if keys::names(keys::AWS).any(|name| name == key) => {
                reader.text(value, &path);
            }
            _ => {}
        }
    }
    Value::Object(aws.clone())
}

/// Account ids: an unquoted one is a number, which is safe as long as it has all its digits (one
/// with a zero in front is a string to YAML).
fn accounts(reader: &mut Reader, value: &Value, path: &Path) {
    let Value::Array(items) = value else {
        reader.texts(value, path);
        return;
    };
    for (index, item) in items.iter().enumerate() {
        let path = path.join(index);
        match item {
            Value::Number(id) if id.to_string().len() == 12 => {}
            Value::Number(id) => {
                reader
                    .value(
                        &path,
                        format!("{id} is not an account id, which has 12 digits"),
                    )
                    .help = Some("put it in quotes, with the zeros in front".to_owned());
            }
            other => {
                reader.text(other, &path);
            }
        }
    }
}

/// Takes the map called `name` out of the map at `path`; an empty one where there is none.
fn take(
    reader: &mut Reader,
    map: &mut Map<String, Value>,
    name: &str,
    path: &Path,
) -> Map<String, Value> {
    match map.remove(name) {
        Some(Value::Object(map)) => map,
        None | Some(Value::Null) => Map::new(),
        Some(other) => {
            reader.unfit(&path.join(name), "a map", &other);
            Map::new()
        }
    }
}

/// The type and the properties that data sources and resources have.
fn typed(
    reader: &mut Reader,
    map: &mut Map<String, Value>,
    path: &Path,
) -> (Option<String>, Value) {
    let type_path = path.join("type");
    let type_name = match map.get("type") {
        Some(value) if !value.is_null() => reader.text(value, &type_path),
        _ => {
            reader.key(path, format!("{path} has no type")).help =
                Some("add a line such as type: aws:sqs:Queue".to_owned());
            None
        }
    };
    let properties = take(reader, map, "properties", path);
    (type_name, Value::Object(properties))
}

fn data(reader: &mut Reader, name: &str, value: Value) -> Option<DataBlock> {
    let path = entry("data", name);
    reader.identifier(name, &path, "data source");
    let mut map = match value {
        Value::Object(map) => map,
        other => {
            reader.unfit(&path, "a map with a type", &other);
            return None;
        }
    };
    reader.check_keys(&map, &path, keys::DATA, |key| {
        (key == "options").then(|| "data sources have no options".to_owned())
    });
    let (type_name, properties) = typed(reader, &mut map, &path);
    Some(DataBlock {
        type_name: type_name?,
        properties,
    })
}

fn resource(reader: &mut Reader, name: &str, value: Value) -> Option<ResourceBlock> {
    let path = entry("resources", name);
    reader.identifier(name, &path, "resource");
    if ROOTS.contains(&name) {
        reader
            .key(&path, format!("a resource cannot be called {name:?}"))
            .help = Some(format!(
            "expressions use {name} for something else; choose another name"
        ));
    }
    let mut map = match value {
        Value::Object(map) => map,
        other => {
            reader.unfit(&path, "a map with a type", &other);
            return None;
        }
    };
    reader.check_keys(&map, &path, keys::RESOURCE, |key| {
        let known = keys::names(keys::OPTIONS).any(|name| name == key);
        let belongs = || format!("{key} belongs under options");
        known.then(belongs).or_else(|| alias::option(key))
    });
    let (type_name, properties) = typed(reader, &mut map, &path);
    let options = options(reader, map.get("options"), &path.join("options"));
    Some(ResourceBlock {
        type_name: type_name?,
        properties,
        options,
    })
}

/// An import id. The parts of a compound one may be a list; a vertical bar joins them.
fn import_id(reader: &mut Reader, value: &Value, path: &Path) -> Option<String> {
    match value {
        Value::Array(parts) if !parts.is_empty() => Some(reader.texts(value, path).join("|")),
        _ => reader.text(value, path),
    }
}

fn options(reader: &mut Reader, value: Option<&Value>, path: &Path) -> Options {
    let mut options = Options::default();
    let Some(map) = reader.map(value, path) else {
        return options;
    };
    reader.check_keys(map, path, keys::OPTIONS, alias::option_key);
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let path = path.join(key);
        match key.as_str() {
            "dependsOn" => options.depends_on = reader.texts(value, &path),
            "ignoreChanges" => options.ignore_changes = reader.texts(value, &path),
            "replaceOnChanges" => options.replace_on_changes = reader.texts(value, &path),
            "protect" => options.protect = flag(reader, value, &path),
            "retainOnDelete" => options.retain_on_delete = flag(reader, value, &path),
            "when" => options.when = flag(reader, value, &path),
            "deleteBeforeReplace" => {
                options.delete_before_replace = reader.bool(value, &path).unwrap_or(false);
            }
            "forEach" => match value {
                Value::Object(_) | Value::Array(_) => options.for_each = Some(value.clone()),
                Value::String(text) if text.contains("${") => {
                    options.for_each = Some(value.clone());
                }
                other => {
                    reader.unfit(
                        &path,
                        "a map, a list of strings, or an expression that gives one",
                        other,
                    );
                }
            },
            "timeouts" => options.timeouts = timeouts(reader, value, &path),
            "import" => options.import = import_id(reader, value, &path).map(Value::from),
            "movedFrom" => options.moved_from = moved_from(reader, value, &path),
            _ => {}
        }
    }
    options
}

/// One old address, a list of them, or a map of these by key.
fn moved_from(reader: &mut Reader, value: &Value, path: &Path) -> Option<Value> {
    match value {
        Value::String(_) => {}
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                reader.text(item, &path.join(index));
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                moved_from(reader, item, &path.join(key));
            }
        }
        other => {
            reader.unfit(path, "an old address, or a list of them", other);
            return None;
        }
    }
    Some(value.clone())
}

/// A bool, or an expression that gives one.
fn flag(reader: &mut Reader, value: &Value, path: &Path) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::String(text) if text.contains("${") => Some(value.clone()),
        other => {
            reader.unfit(
                path,
                "true, false, or an expression that gives one of them",
                other,
            );
            None
        }
    }
}

fn timeouts(reader: &mut Reader, value: &Value, path: &Path) -> Timeouts {
    let mut timeouts = Timeouts::default();
    let Some(map) = reader.map(Some(value), path) else {
        return timeouts;
    };
    reader.check_keys(map, path, keys::TIMEOUTS, |_| None);
    for (key, value) in map {
        let path = path.join(key);
        let found = value.as_str().and_then(duration);
        if found.is_none() {
            reader.unfit(&path, "a time such as 90s, 5m or 1h30m", value);
        }
        match key.as_str() {
            "create" => timeouts.create = found,
            "update" => timeouts.update = found,
            "delete" => timeouts.delete = found,
            _ => {}
        }
    }
    timeouts
}

/// `90s`, `5m`, `1h30m`: hours, minutes and seconds, in this order; more than nothing.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut seconds = 0u64;
    let mut rest = text;
    for (unit, worth) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((number, after)) = rest.split_once(unit) {
            let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let number = number.parse::<u64>().ok().filter(|_| digits)?;
            seconds = seconds.checked_add(number.checked_mul(worth)?)?;
            rest = after;
        }
    }
    (rest.is_empty() && seconds > 0).then(|| Duration::from_secs(seconds))
}

fn output(reader: &mut Reader, name: &str, value: &Value) -> OutputBlock {
    let path = entry("outputs", name);
    reader.identifier(name, &path, "output");
    let short = |value: &Value| OutputBlock {
        value: value.clone(),
        description: None,
        sensitive: false,
    };
    let Value::Object(map) = value else {
        return short(value);
    };
    reader.check_keys(map, &path, keys::OUTPUT, |_| None);
    if !map.contains_key("value") {
        reader.key(&path, format!("{path} has no value")).help =
            Some("add value: with an expression".to_owned());
    }
    OutputBlock {
        value: map.get("value").cloned().unwrap_or_default(),
        description: map
            .get("description")
            .filter(|value| !value.is_null())
            .and_then(|value| reader.text(value, &path.join("description"))),
        sensitive: map
            .get("sensitive")
            .and_then(|value| reader.bool(value, &path.join("sensitive")))
            .unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn times_are_hours_minutes_and_seconds() {
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Some(Duration::from_secs(5400)));
        for text in [
            "",
            "5",
            "m",
            "30m1h",
            "-5m",
            "5 m",
            "0s",
            "1d",
            "99999999999999999999h",
            "+5m",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
