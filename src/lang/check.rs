//! What can be said of a stack without evaluating it: types, property names, references,
//! options, cycles.

mod cycle;
mod reference;
#[cfg(test)]
mod tests;

use super::diagnostic::{Diagnostic, Place};
use super::stack::{ResourceBlock, Stack};
use crate::data::Path;
use crate::nearest::{did_you_mean, nearest};
use crate::schema::{Declarations, Schema, alias};
use reference::Names;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Every mistake that needs no evaluation to be seen. Property values are checked by
/// [`Schema::validate`] once they are evaluated; a name that both refuse is reported in the same
/// words.
pub fn check(stack: &Stack, types: &dyn Declarations) -> Vec<Diagnostic> {
    let mut checks = Checks {
        stack,
        types,
        names: Names::of(stack, types),
        diagnostics: Vec::new(),
    };
    checks.types();
    checks.options();
    checks.references();
    let queue = |name: &str| {
        let block = stack.resources.get(name);
        block.is_some_and(|block| block.type_name == "aws:sqs:Queue")
    };
    checks
        .diagnostics
        .extend(cycle::cycles(stack.references(), &queue));
    checks.diagnostics
}

struct Checks<'s> {
    stack: &'s Stack,
    types: &'s dyn Declarations,
    names: Names<'s>,
    diagnostics: Vec<Diagnostic>,
}

impl Checks<'_> {
    fn push(&mut self, place: Place, message: impl Into<String>, help: Option<String>) {
        self.diagnostics.push(Diagnostic {
            help,
            ..Diagnostic::error(place, message)
        });
    }

    fn types(&mut self) {
        let (stack, types) = (self.stack, self.types);
        for (name, block) in &stack.data {
            let path = Path::root().join("data").join(name);
            match types.data_source(&block.type_name) {
                Some(schema) => self.properties(schema, &block.properties, &path),
                None => {
                    let elsewhere = types.resource(&block.type_name).is_some();
                    let names = types.data_source_names();
                    self.unknown_type(&block.type_name, &path, elsewhere, (names, Vec::new()));
                }
            }
        }
        for (name, block) in &stack.resources {
            let path = Path::root().join("resources").join(name);
            match types.resource(&block.type_name) {
                Some(schema) => self.properties(schema, &block.properties, &path),
                None => {
                    let elsewhere = types.data_source(&block.type_name).is_some();
                    let others = types.others_like(&block.type_name);
                    let names = (types.resource_names(), others);
                    self.unknown_type(&block.type_name, &path, elsewhere, names);
                }
            }
        }
    }

    fn unknown_type(
        &mut self,
        type_name: &str,
        path: &Path,
        elsewhere: bool,
        (types, others): (Vec<&str>, Vec<&str>),
    ) {
        let place = Place::Value(path.join("type"));
        let of_data = path.first().as_deref() == Some("data");
        let (kind, other) = if of_data {
            ("data source type", "resources")
        } else {
            ("resource type", "data")
        };
        let same = |name: &&&str| squeezed(name) == squeezed(type_name);
        let other_types = || (!others.is_empty()).then(|| one_of(&others));
        let help = if elsewhere {
            Some(format!("it belongs under {other}:"))
        } else if type_name.contains("::") {
            other_types()
                .or_else(|| own_type(type_name, &types))
                .or_else(|| nearest_type(type_name, &types))
        } else if let Some(meant) = types.iter().chain(&others).find(same) {
            Some(one_of(&[meant]))
        } else {
            nearest_type(type_name, &types)
                .or_else(|| same_service(type_name, &types))
                .or_else(other_types)
        };
        self.push(place, format!("unknown {kind} {type_name:?}"), help);
    }

    /// The names of the properties that are given, and of those that must be.
    fn properties(&mut self, schema: &Schema, properties: &Value, parent: &Path) {
        let path = || parent.join("properties");
        let empty = Map::new();
        let given = properties.as_object().unwrap_or(&empty);
        let mut meant = Vec::new();
        for name in given
            .keys()
            .filter(|name| !name.contains("${") && !schema.has_property(name))
        {
            let place = Place::Key(path().join(name));
            let (message, help) = schema.unexpected(name);
            meant.extend(help.as_deref().and_then(alias::meant).map(str::to_owned));
            self.push(place, message, help);
        }
        // A name that comes from an expression may be the one that is missed.
        if given.keys().any(|name| name.contains("${")) {
            return;
        }
        for name in schema.required() {
            let is_misspelt = meant.iter().any(|meant| meant == name);
            if given.get(name).is_none_or(Value::is_null) && !is_misspelt {
                let place = Place::Key(path());
                let (message, help) = schema.missing(name);
                self.push(place, message, help);
            }
        }
    }

    fn options(&mut self) {
        let stack = self.stack;
        for (name, block) in &stack.resources {
            let path = || Path::root().join("resources").join(name).join("options");
            if !block.options.depends_on.is_empty() {
                self.depends_on(name, block, &path().join("dependsOn"));
            }
            let Some(schema) = self.types.resource(&block.type_name) else {
                continue;
            };
            let options = &block.options;
            for (key, paths) in [
                ("ignoreChanges", &options.ignore_changes),
                ("replaceOnChanges", &options.replace_on_changes),
            ] {
                for (index, text) in paths.iter().enumerate() {
                    let property = Path::dotted(text);
                    let first = property.first().unwrap_or_default();
                    if !schema.has_property(&first) {
                        let place = Place::Value(path().join(key).join(index));
                        let (message, help) = schema.unexpected(&first);
                        self.push(place, message, help);
                    }
                }
            }
        }
    }

    fn depends_on(&mut self, name: &str, block: &ResourceBlock, path: &Path) {
        let mut seen = BTreeSet::new();
        for (index, other) in block.options.depends_on.iter().enumerate() {
            let place = Place::Value(path.join(index));
            if !seen.insert(other) {
                self.push(place, format!("{other:?} is named twice"), None);
            } else if other == name {
                self.push(place, format!("{name} cannot depend on itself"), None);
            } else if !self.stack.resources.contains_key(other) {
                let bare = other.trim_start_matches("${").trim_end_matches('}');
                let help = if bare.len() < other.len() {
                    Some(format!(
                        "write the name alone: {}",
                        bare.split(['.', '[']).next().unwrap_or(bare)
                    ))
                } else if self.stack.data.contains_key(other) {
                    Some("data sources are read before everything that refers to them".to_owned())
                } else {
                    did_you_mean(other, self.stack.resources.keys().map(String::as_str))
                };
                self.push(place, format!("undefined resource {other:?}"), help);
            }
        }
    }

    fn references(&mut self) {
        for template in self.stack.references().templates() {
            self.diagnostics.extend(self.names.check(template));
        }
    }
}

/// A type's name without what spellings differ in.
fn squeezed(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_ascii_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

fn one_of(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("did you mean {}?", names.join(" or "))
}

/// The type of our own that a CloudFormation type is: `AWS::SQS::Queue`.
fn own_type(type_name: &str, types: &[&str]) -> Option<String> {
    let mut parts = type_name.split("::").skip(1);
    let (service, kind) = (parts.next()?, parts.next()?);
    let service = match service.to_lowercase().as_str() {
        "logs" => "cloudwatch".to_owned(),
        other => other.to_owned(),
    };
    let kind = match kind {
        "ManagedPolicy" => "Policy",
        "Url" => "FunctionUrl",
        other => other,
    };
    let wanted = format!("aws:{service}:{kind}");
    let found = types.iter().find(|name| name.eq_ignore_ascii_case(&wanted));
    let near = || nearest(&wanted, types.iter().copied());
    found
        .copied()
        .or_else(near)
        .map(|found| format!("did you mean \"{found}\"?"))
}

/// The types of the service that was named, where none is near.
fn same_service(type_name: &str, types: &[&str]) -> Option<String> {
    let (service, _) = type_name.rsplit_once(':')?;
    let service = service.to_lowercase();
    let of = |name: &&&str| name.rsplit_once(':').is_some_and(|(of, _)| of == service);
    let found: Vec<&str> = types.iter().filter(of).copied().collect();
    (!found.is_empty()).then(|| format!("the types of {service} are {}", found.join(", ")))
}

/// The nearest type: by the whole name, or by what follows the last colon.
fn nearest_type(type_name: &str, types: &[&str]) -> Option<String> {
    let last = |name: &str| name.rsplit(':').next().unwrap_or_default().to_lowercase();
    let wanted = last(type_name);
    types
        .iter()
        .find(|name| last(name) == wanted)
        .or_else(|| {
            types
                .iter()
                .find(|name| wanted.len() > 2 && last(name).ends_with(&wanted))
        })
        .map(|found| format!("did you mean \"{found}\"?"))
        .or_else(|| did_you_mean(type_name, types.iter().copied()))
}
