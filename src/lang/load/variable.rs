//! Variables: what is declared, and which value wins.

use super::reader::{Reader, kind};
use super::{File, Given, entry};
use crate::data::{Data, Path};
use crate::lang::diagnostic::{Diagnostic, Place, Severity};
use crate::lang::eval::{self, Scope};
use crate::lang::nearest::{did_you_mean, nearest};
use crate::lang::source;
use regex::Regex;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// The types a variable may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Type {
    String,
    Number,
    Bool,
    List,
    Map,
    #[default]
    Any,
}

const TYPES: &[(&str, Type)] = &[
    ("string", Type::String),
    ("number", Type::Number),
    ("bool", Type::Bool),
    ("list", Type::List),
    ("map", Type::Map),
    ("any", Type::Any),
];

impl Type {
    fn article(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Any => "a value",
        }
    }

    fn has(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Bool => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Map => value.is_object(),
            Self::Any => true,
        }
    }
}

/// One entry of `variables:`.
#[derive(Debug, Default)]
pub(super) struct Declared {
    of: Type,
    default: Option<Value>,
    sensitive: bool,
    one_of: Option<Vec<Value>>,
    pattern: Option<Regex>,
    minimum: Option<Number>,
    maximum: Option<Number>,
}

/// Reads a declaration.
pub(super) fn declare(reader: &mut Reader, name: &str, value: &Value) -> Declared {
    let path = entry("variables", name);
    reader.identifier(name, &path, "variable");
    let mut declared = Declared::default();
    let map = match value {
        Value::Object(map) => map,
        Value::Null => return declared,
        other => {
            reader.unfit(&path, "a map", other).help =
                Some(format!("write {name}: {{type: string, default: …}}"));
            return Declared {
                default: Some(other.clone()),
                ..declared
            };
        }
    };
    let keys = [
        "type",
        "default",
        "description",
        "sensitive",
        "enum",
        "pattern",
        "minimum",
        "maximum",
    ];
    reader.known(map, &path, &keys, |_| None);
    if let Some(value) = map.get("type").filter(|value| !value.is_null()) {
        declared.of = type_of(reader, value, &path.join("type"));
    }
    if let Some(value) = map.get("description").filter(|value| !value.is_null()) {
        reader.text(value, &path.join("description"));
    }
    if let Some(value) = map.get("sensitive") {
        declared.sensitive = reader.bool(value, &path.join("sensitive")).unwrap_or(true);
    }
    constraints(reader, map, &path, &mut declared);
    if let Some(value) = map.get("default") {
        declared.default = default(reader, value, &path.join("default"), &declared);
    }
    declared
}

fn type_of(reader: &mut Reader, value: &Value, path: &Path) -> Type {
    let Some(text) = reader.text(value, path) else {
        return Type::Any;
    };
    if let Some((_, found)) = TYPES.iter().find(|(name, _)| *name == text) {
        return *found;
    }
    let names = TYPES.iter().map(|(name, _)| *name);
    let help = match text.as_str() {
        "object" => Some("did you mean \"map\"?".to_owned()),
        "boolean" => Some("did you mean \"bool\"?".to_owned()),
        "integer" | "int" | "float" => Some("did you mean \"number\"?".to_owned()),
        _ => did_you_mean(&text, names),
    };
    let all = "string, number, bool, list, map or any";
    reader
        .value(
            path,
            format!("{text:?} is not a type: a variable is a {all}"),
        )
        .help = help;
    Type::Any
}

fn constraints(
    reader: &mut Reader,
    map: &Map<String, Value>,
    path: &Path,
    declared: &mut Declared,
) {
    let of = declared.of;
    if let Some(value) = map.get("enum") {
        let path = path.join("enum");
        match value {
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate().filter(|(_, item)| !of.has(item)) {
                    misfit(reader, &path.join(index), of, item);
                }
                declared.one_of = Some(items.clone());
            }
            other => {
                reader.unfit(&path, "a list of the values that are allowed", other);
            }
        }
    }
    if let Some(value) = map.get("pattern") {
        let path = path.join("pattern");
        if let Some(text) = reader.text(value, &path) {
            match Regex::new(&text) {
                Ok(pattern) if matches!(of, Type::String | Type::Any) => {
                    declared.pattern = Some(pattern)
                }
                Ok(_) => {
                    reader.key(
                        &path,
                        "a pattern applies to variables of the type string only",
                    );
                }
                Err(_) => {
                    reader
                        .value(&path, format!("{text:?} is not a regular expression"))
                        .help = Some(
                        "in single quotes a backslash needs no other one: '\\.fifo$'".to_owned(),
                    );
                }
            }
        }
    }
    for key in ["minimum", "maximum"] {
        let Some(value) = map.get(key) else { continue };
        let path = path.join(key);
        let Value::Number(number) = value else {
            reader.unfit(&path, "a number", value);
            continue;
        };
        if !matches!(of, Type::Number | Type::Any) {
            reader.key(
                &path,
                format!("{key} applies to variables of the type number only"),
            );
        } else if key == "minimum" {
            declared.minimum = Some(number.clone());
        } else {
            declared.maximum = Some(number.clone());
        }
    }
}

fn misfit<'r>(reader: &'r mut Reader, path: &Path, of: Type, value: &Value) -> &'r mut Diagnostic {
    let diagnostic = reader.unfit(path, of.article(), value);
    diagnostic.help = match (of, value) {
        (Type::String, Value::Number(_) | Value::Bool(_)) => Some("put it in quotes".to_owned()),
        (Type::Number | Type::Bool, Value::String(_)) => {
            Some("take the quotes away, or change the type".to_owned())
        }
        _ => None,
    };
    diagnostic
}

/// A default is a plain value: it is settled before there is anything to refer to.
fn default(reader: &mut Reader, value: &Value, path: &Path, declared: &Declared) -> Option<Value> {
    if value.is_null() {
        return Some(Value::Null);
    }
    let value = match eval::references(value) {
        Ok(found) if found.is_empty() => match eval::evaluate(value, &Nothing::default()) {
            Ok(data) => data.value,
            Err(faults) => {
                for fault in faults {
                    reader.value(&path.concat(&fault.path), fault.message).help = fault.help;
                }
                return None;
            }
        },
        Ok(found) => {
            let first = found.into_iter().next()?;
            reader
                .value(
                    &path.concat(&first.at),
                    "a default cannot refer to anything",
                )
                .help =
                Some("use a local for what is computed; write $${ for a ${ of its own".to_owned());
            return None;
        }
        Err(faults) => {
            for fault in faults {
                reader.value(&path.concat(&fault.path), fault.message).help = fault.help;
            }
            return None;
        }
    };
    if !declared.of.has(&value) {
        misfit(reader, path, declared.of, &value);
        return None;
    }
    if let Some(message) = declared.breaks(&value) {
        let name = path
            .parent()
            .and_then(|path| path.last().map(|name| name.into_owned()));
        reader.value(
            path,
            format!("the default of {} {message}", name.unwrap_or_default()),
        );
    }
    Some(value)
}

#[derive(Default)]
struct Nothing(Data);

impl Scope for Nothing {
    fn var(&self, _: &str) -> Option<&Data> {
        None
    }
    fn local(&self, _: &str) -> Option<&Data> {
        None
    }
    fn data(&self, _: &str) -> Option<&Data> {
        None
    }
    fn resource(&self, _: &str) -> Option<&Data> {
        None
    }
    fn each(&self) -> Option<(&Data, &Data)> {
        None
    }
    fn stack(&self) -> &Data {
        &self.0
    }
    fn file(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("a default reads no files".to_owned())
    }
}

impl Declared {
    /// What constraint the value breaks, as the rest of a sentence.
    fn breaks(&self, value: &Value) -> Option<String> {
        if value.is_null() {
            return None;
        }
        let shown = |value: &Value| {
            if self.sensitive {
                String::new()
            } else {
                format!(", and it is {value}")
            }
        };
        if let Some(allowed) = &self.one_of
            && !allowed.contains(value)
        {
            let list: Vec<String> = allowed.iter().map(Value::to_string).collect();
            return Some(format!(
                "must be one of {}{}",
                list.join(", "),
                shown(value)
            ));
        }
        if let (Some(pattern), Value::String(text)) = (&self.pattern, value)
            && !pattern.is_match(text)
        {
            return Some(format!("must match the pattern {pattern}{}", shown(value)));
        }
        let number = value.as_f64()?;
        let over = |bound: &Option<Number>, ordered: fn(f64, f64) -> bool| {
            bound
                .clone()
                .filter(|bound| bound.as_f64().is_some_and(|bound| ordered(number, bound)))
        };
        if let Some(bound) = over(&self.minimum, |number, bound| number < bound) {
            return Some(format!("must be at least {bound}{}", shown(value)));
        }
        over(&self.maximum, |number, bound| number > bound)
            .map(|bound| format!("must be at most {bound}{}", shown(value)))
    }

    /// A text from the command line or the environment as a value of the type.
    fn convert(&self, text: &str) -> Result<Value, String> {
        let refused = || {
            let shown = if self.sensitive {
                String::new()
            } else {
                format!(", and it is {text:?}")
            };
            format!("must be {}{shown}", self.of.article())
        };
        let yaml = || source::parse(text.as_bytes()).map_err(|_| refused());
        let value = match self.of {
            Type::String => Value::String(text.to_owned()),
            Type::Number => {
                let value = yaml()?;
                if value.is_number() {
                    value
                } else {
                    return Err(refused());
                }
            }
            Type::Bool => match text {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => return Err(refused()),
            },
            Type::List | Type::Map => {
                let value = yaml()?;
                if self.of.has(&value) {
                    value
                } else {
                    return Err(format!("{}; write it as JSON or YAML", refused()));
                }
            }
            Type::Any => yaml().unwrap_or_else(|_| Value::String(text.to_owned())),
        };
        Ok(value)
    }
}

/// Where values come from.
pub(super) struct Outside<'a> {
    pub(super) given: &'a Given,
    pub(super) env_file: Option<&'a File>,
    pub(super) var_files: &'a [File],
}

/// A value that was chosen, and where a mistake in it is told.
struct Chosen {
    value: Value,
    source: String,
    file: Option<usize>,
}

/// Gives each variable its value; checks every value that is given, used or not.
pub(super) fn settle(
    reader: &mut Reader,
    declared: &BTreeMap<String, Declared>,
    outside: &Outside<'_>,
) -> BTreeMap<String, Data> {
    let mut chosen: BTreeMap<&str, Chosen> = BTreeMap::new();
    // From the weakest to the strongest: each overwrites what is there.
    if let Some(file) = outside.env_file {
        from_file(reader, declared, file, Severity::Error, &mut chosen);
    }
    for (name, text) in &outside.given.env_vars {
        // The environment may hold values for other stacks.
        if let Some((name, variable)) = declared.get_key_value(name) {
            from_text(
                reader,
                (name, variable),
                text,
                format!("STACKCTL_VAR_{name}"),
                &mut chosen,
            );
        }
    }
    for file in outside.var_files {
        from_file(reader, declared, file, Severity::Warning, &mut chosen);
    }
    for (name, text) in &outside.given.vars {
        match declared.get_key_value(name) {
            Some((name, variable)) => {
                from_text(
                    reader,
                    (name, variable),
                    text,
                    format!("--var {name}"),
                    &mut chosen,
                );
            }
            None => reader.push(undeclared(
                declared,
                name,
                Place::Outside,
                &format!("--var {name}: "),
            )),
        }
    }
    declared
        .iter()
        .map(|(name, variable)| {
            let value = settled(reader, name, variable, chosen.remove(name.as_str()));
            let mut data = Data::from(value);
            if variable.sensitive {
                data.secret.insert(Path::root());
            }
            (name.clone(), data)
        })
        .collect()
}

fn settled(reader: &mut Reader, name: &str, variable: &Declared, chosen: Option<Chosen>) -> Value {
    match (chosen, &variable.default) {
        (Some(chosen), _) => {
            if let Some(message) = variable.breaks(&chosen.value) {
                let (place, message) = match chosen.file {
                    Some(_) => (
                        Place::Value(Path::root().join(name)),
                        format!("{name} {message}"),
                    ),
                    None => (
                        Place::Outside,
                        format!("{}: {name} {message}", chosen.source),
                    ),
                };
                reader.push(Diagnostic {
                    file: chosen.file.unwrap_or_default(),
                    ..Diagnostic::error(place, message)
                });
            }
            chosen.value
        }
        (None, Some(default)) => default.clone(),
        (None, None) => {
            // A default that was refused has told why.
            let path = entry("variables", name);
            let told = reader
                .diagnostics
                .iter()
                .any(|problem| match &problem.place {
                    Place::Value(at) | Place::Key(at) => problem.file == 0 && at.is_within(&path),
                    _ => false,
                });
            if !told {
                reader
                    .key(&path, format!("the variable {name} has no value"))
                    .help = Some(format!(
                    "give it one with --var {name}=…, STACKCTL_VAR_{name}, a file, or a default"
                ));
            }
            Value::Null
        }
    }
}

fn from_text<'d>(
    reader: &mut Reader,
    (name, variable): (&'d str, &Declared),
    text: &str,
    source: String,
    chosen: &mut BTreeMap<&'d str, Chosen>,
) {
    match variable.convert(text) {
        Ok(value) => {
            chosen.insert(
                name,
                Chosen {
                    value,
                    source,
                    file: None,
                },
            );
        }
        Err(message) => {
            reader.push(Diagnostic::error(
                Place::Outside,
                format!("{source}: {name} {message}"),
            ));
            chosen.entry(name).or_insert(Chosen {
                value: Value::Null,
                source,
                file: None,
            });
        }
    }
}

fn from_file<'d>(
    reader: &mut Reader,
    declared: &'d BTreeMap<String, Declared>,
    file: &File,
    unknown: Severity,
    chosen: &mut BTreeMap<&'d str, Chosen>,
) {
    let mut inner = Reader::default();
    let root = Path::root();
    let map = match &file.value {
        Value::Object(map) => map,
        Value::Null => return,
        other => {
            let message = format!(
                "a file with variable values is a map, and this one is {}",
                kind(other)
            );
            reader.push(Diagnostic {
                file: file.index,
                ..Diagnostic::error(Place::Value(root), message)
            });
            return;
        }
    };
    for (name, value) in map {
        let path = root.join(name);
        let Some((name, variable)) = declared.get_key_value(name) else {
            let place = Place::Key(path);
            inner.push(Diagnostic {
                severity: unknown,
                ..undeclared(declared, name, place, "")
            });
            continue;
        };
        if value.is_null() || variable.of.has(value) {
            let source = name.clone();
            chosen.insert(
                name,
                Chosen {
                    value: value.clone(),
                    source,
                    file: Some(file.index),
                },
            );
        } else {
            misfit(&mut inner, &path, variable.of, value);
            chosen.entry(name).or_insert(Chosen {
                value: Value::Null,
                source: name.clone(),
                file: None,
            });
        }
    }
    reader
        .diagnostics
        .extend(inner.diagnostics.into_iter().map(|problem| Diagnostic {
            file: file.index,
            ..problem
        }));
}

fn undeclared(
    declared: &BTreeMap<String, Declared>,
    name: &str,
    place: Place,
    source: &str,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        place,
        format!("{source}the stack declares no variable {name:?}"),
    );
    let names = || declared.keys().map(String::as_str);
    diagnostic.help = if nearest(name, names()).is_some() {
        did_you_mean(name, names())
    } else if declared.is_empty() {
        None
    } else {
        Some(format!(
            "the variables are {}",
            names().collect::<Vec<_>>().join(", ")
        ))
    };
    diagnostic
}
