//! Which value of a variable wins.

use super::reader::{Reader, kind};
use super::variable::{Declared, misfit};
use super::{File, Given, entry};
use crate::data::{Data, Path};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::stack::Origin;
use crate::nearest::{did_you_mean, nearest};
use crate::severity::Severity;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Where values come from.
pub(super) struct Outside<'a> {
    pub(super) given: &'a Given,
    pub(super) env_file: Option<&'a File>,
    pub(super) var_files: &'a [File],
    /// Whether all these files could be read.
    pub(super) complete: bool,
}

/// A value that was chosen, and where a mistake in it is reported.
struct Chosen {
    value: Value,
    source: String,
    origin: Origin,
}

impl Chosen {
    fn file(&self) -> Option<usize> {
        match self.origin {
            Origin::File(index) => Some(index),
            _ => None,
        }
    }
}

/// Gives each variable its value, and says where it is from; checks every value that is given,
/// used or not.
pub(super) fn resolve(
    reader: &mut Reader,
    declared: &BTreeMap<String, Declared>,
    outside: &Outside<'_>,
) -> BTreeMap<String, (Data, Origin)> {
    let mut chosen: BTreeMap<&str, Chosen> = BTreeMap::new();
    // From the weakest to the strongest: each overwrites the value before it.
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
                (format!("STACKCTL_VAR_{name}"), Origin::Environment),
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
                    (format!("--var {name}"), Origin::Flag),
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
    let faulty = variables_with_mistakes(reader);
    declared
        .iter()
        .map(|(name, variable)| {
            let chosen = chosen.remove(name.as_str());
            let origin = chosen
                .as_ref()
                .map_or(Origin::Default, |found| found.origin);
            let value = match chosen {
                // The value may be in the file that cannot be read, which was reported.
                None if variable.default.is_none() && !outside.complete => Value::Null,
                // A default that was refused has reported why.
                None if variable.default.is_none() && faulty.contains(name) => Value::Null,
                chosen => resolve_one(reader, name, variable, chosen),
            };
            let mut data = Data::from(value);
            if variable.sensitive {
                data.secret.insert(Path::root());
            }
            (name.clone(), (data, origin))
        })
        .collect()
}

fn resolve_one(
    reader: &mut Reader,
    name: &str,
    variable: &Declared,
    chosen: Option<Chosen>,
) -> Value {
    match (chosen, &variable.default) {
        (Some(chosen), _) => {
            if let Some(message) = variable.breaks(&chosen.value, false) {
                let (place, message) = match chosen.file() {
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
                    file: chosen.file().unwrap_or_default(),
                    ..Diagnostic::error(place, message)
                });
            }
            chosen.value
        }
        (None, Some(default)) => default.clone(),
        (None, None) => {
            reader
                .key(
                    &entry("variables", name),
                    format!("the variable {name} has no value"),
                )
                .help = Some(format!(
                "give it one with --var {name}=…, STACKCTL_VAR_{name}, a file, or a default"
            ));
            Value::Null
        }
    }
}

/// The variables that have a mistake in the stack file.
fn variables_with_mistakes(reader: &Reader) -> BTreeSet<String> {
    let variable = |problem: &Diagnostic| match &problem.place {
        Place::Value(at) | Place::Key(at) if problem.file == 0 => {
            let mut segments = at.segments();
            let block = segments.next()?;
            (block == "variables").then(|| segments.next().map(Cow::into_owned))?
        }
        _ => None,
    };
    reader.diagnostics.iter().filter_map(variable).collect()
}

fn from_text<'d>(
    reader: &mut Reader,
    (name, variable): (&'d str, &Declared),
    text: &str,
    (source, origin): (String, Origin),
    chosen: &mut BTreeMap<&'d str, Chosen>,
) {
    match variable.convert(text) {
        Ok(value) => {
            chosen.insert(
                name,
                Chosen {
                    value,
                    source,
                    origin,
                },
            );
        }
        Err(message) => {
            reader.push(Diagnostic::error(
                Place::Outside,
                format!("{source}: {message}"),
            ));
            chosen.entry(name).or_insert(Chosen {
                value: Value::Null,
                source,
                origin,
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
                    origin: Origin::File(file.index),
                },
            );
        } else {
            misfit(&mut inner, &path, variable.of, value);
            chosen.entry(name).or_insert(Chosen {
                value: Value::Null,
                source: name.clone(),
                origin: Origin::Default,
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

/// The most names that a help lists.
const MOST_NAMES: usize = 20;

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
        let shown = names().take(MOST_NAMES).collect::<Vec<_>>().join(", ");
        let more = match declared.len().saturating_sub(MOST_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!("the variables are {shown}{more}"))
    };
    diagnostic
}
