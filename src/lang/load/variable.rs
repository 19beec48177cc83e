//! Variables: what is declared, and which value wins.

use super::reader::Reader;
use super::{entry, keys};
use crate::data::{Data, Path};
use crate::lang::diagnostic::Diagnostic;
use crate::lang::eval::{self, Scope};
use crate::lang::pattern;
use crate::lang::source;
use crate::nearest::did_you_mean;
use crate::schema::is_zero_led;
use regex::Regex;
use serde_json::{Map, Number, Value};

/// The types a variable may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Type {
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

/// The keys of a sensitive declaration whose values may be shown.
const OPEN: &[&str] = &[
    "type",
    "description",
    "sensitive",
    "pattern",
    "minimum",
    "maximum",
];

impl Type {
    fn article(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Any => "a value",
        }
    }

    pub(super) fn has(self, value: &Value) -> bool {
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

/// The most patterns that take long to compile.
const MOST_LARGE: usize = 8;

/// The most bytes of a pattern, compiled.
const LARGEST: usize = 10 << 20;

/// The most values of an `enum` that a message lists.
const MOST_LISTED: usize = 50;

/// One entry of `variables:`.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) of: Type,
    pub(super) default: Option<Value>,
    pub(super) sensitive: bool,
    /// The keys of the declaration whose values are not shown: of a sensitive one, all but those
    /// that say what it is.
    pub(super) hidden: Vec<String>,
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
    reader.check_keys(map, &path, keys::VARIABLE, |_| None);
    if let Some(value) = map.get("type").filter(|value| !value.is_null()) {
        declared.of = type_of(reader, value, &path.join("type"));
    }
    if let Some(value) = map.get("description").filter(|value| !value.is_null()) {
        reader.text(value, &path.join("description"));
    }
    if let Some(value) = map.get("sensitive") {
        declared.sensitive = reader.bool(value, &path.join("sensitive")).unwrap_or(true);
    }
    if declared.sensitive {
        let hidden = map.keys().filter(|key| !OPEN.contains(&key.as_str()));
        declared.hidden = hidden.cloned().collect();
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
            let largest = (reader.large_patterns < MOST_LARGE).then_some(LARGEST);
            match pattern::compile(&text, largest) {
                Ok(pattern) if matches!(of, Type::String | Type::Any) => {
                    reader.large_patterns += usize::from(pattern.is_large);
                    declared.pattern = Some(pattern.regex);
                }
                Err(regex::Error::CompiledTooBig(_)) => {
                    let message = format!(
                        "{text:?} is too large, or one large pattern more than the {MOST_LARGE} that \
                         the variables of a stack may have"
                    );
                    reader.value(&path, message).help =
                        Some("repeat less of it: [a-z] is smaller than \\w".to_owned());
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
    bounds(reader, map, path, declared);
}

fn bounds(reader: &mut Reader, map: &Map<String, Value>, path: &Path, declared: &mut Declared) {
    let of = declared.of;
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

pub(super) fn misfit<'r>(
    reader: &'r mut Reader,
    path: &Path,
    of: Type,
    value: &Value,
) -> &'r mut Diagnostic {
    let diagnostic = reader.unfit(path, of.article(), value);
    diagnostic.help = match (of, value) {
        (Type::String, Value::Number(_) | Value::Bool(_)) => Some("put it in quotes".to_owned()),
        (Type::Number, Value::String(text)) if is_zero_led(text) => {
            Some("digits with a zero in front are a string; write type: string".to_owned())
        }
        (Type::Number | Type::Bool, Value::String(_)) => {
            Some("take the quotes away, or change the type".to_owned())
        }
        _ => None,
    };
    diagnostic
}

/// A default is a plain value: it is evaluated before there is anything to refer to.
fn default(reader: &mut Reader, value: &Value, path: &Path, declared: &Declared) -> Option<Value> {
    if value.is_null() {
        return Some(Value::Null);
    }
    let value = match eval::references(value) {
        Ok(found) if found.is_empty() => match eval::evaluate(value, &Nothing::default()) {
            Ok(data) => data.value,
            Err(faults) => {
                declared.report(reader, path, faults);
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
            declared.report(reader, path, faults);
            return None;
        }
    };
    if !declared.of.has(&value) {
        misfit(reader, path, declared.of, &value);
        return None;
    }
    if let Some(message) = declared.breaks(&value, !declared.sensitive) {
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
pub(super) struct Nothing(Data);

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
    /// Reports what is wrong with the expressions of a default; for a sensitive one only that it is
    /// wrong.
    fn report(&self, reader: &mut Reader, path: &Path, faults: Vec<eval::LocatedError>) {
        for fault in faults {
            let (message, help) = match self.sensitive {
                true => ("the expression cannot be evaluated".to_owned(), None),
                false => (fault.message, fault.help),
            };
            reader.value(&path.concat(&fault.path), message).help = help;
        }
    }

    /// What constraint the value breaks, as the rest of a sentence; the value is in it where it
    /// is `open`, which one from outside the stack file never is.
    pub(super) fn breaks(&self, value: &Value, open: bool) -> Option<String> {
        if value.is_null() {
            return None;
        }
        let shown = |value: &Value| match open {
            true => format!(", and it is {value}"),
            false => String::new(),
        };
        if let Some(allowed) = &self.one_of
            && !allowed.iter().any(|one| eval::same(one, value))
        {
            if self.sensitive {
                return Some("is none of the values of its enum".to_owned());
            }
            let list: Vec<String> = allowed
                .iter()
                .take(MOST_LISTED)
                .map(Value::to_string)
                .collect();
            let more = match allowed.len().saturating_sub(MOST_LISTED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            return Some(format!(
                "must be one of {}{more}{}",
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

    /// A string from the command line or the environment as a value of the type.
    pub(super) fn convert(&self, text: &str) -> Result<Value, String> {
        let refused = || format!("expected {}", self.of.article());
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
