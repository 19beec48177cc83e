//! References: whether what they name exists.

use crate::data::Path;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::eval::{Reference, Root};
use crate::lang::references::{Holder, Template};
use crate::lang::stack::Stack;
use crate::nearest::did_you_mean;
use crate::schema::alias;
use crate::schema::{Declarations, Schema};
use serde_json::Value;
use std::collections::BTreeMap;

/// The names that references may use.
pub(super) struct Names<'s> {
    stack: &'s Stack,
    types: &'s dyn Declarations,
}

/// The words of `stack`.
const STACK: &[&str] = &["name", "dir", "env"];

impl<'s> Names<'s> {
    pub(super) fn of(stack: &'s Stack, types: &'s dyn Declarations) -> Self {
        Self { stack, types }
    }

    /// The mistakes in a template.
    pub(super) fn check(&self, template: &Template) -> Vec<Diagnostic> {
        let faults = template.faults.iter().cloned();
        let mut found: Vec<Diagnostic> = faults
            .map(|fault| fault.diagnostic(&template.path))
            .collect();
        for reference in &template.references {
            if let Some((message, help)) = self.wrong(reference, template.holder) {
                found.push(Diagnostic {
                    help,
                    ..Diagnostic::error(template.place(reference), message)
                });
            }
        }
        found
    }

    fn wrong(&self, reference: &Reference, holder: Holder) -> Option<(String, Option<String>)> {
        let name = reference.name.as_str();
        let stack = self.stack;
        if holder == Holder::Provider && matches!(reference.root, Root::Data | Root::Resource) {
            let help = "use variables, and locals that are made of them".to_owned();
            return Some((
                format!("providers are set up before {name} exists"),
                Some(help),
            ));
        }
        match reference.root {
            Root::Var => missing("variable", name, &stack.variables),
            Root::Local => missing("local", name, &stack.locals).or_else(|| {
                let early = holder == Holder::Provider && self.needs_reading(name);
                early.then(|| (format!("providers are set up before local.{name} exists, since it comes from what is read"), None))
            }),
            Root::Data => missing("data source", name, &stack.data).map(|(message, help)| {
                let short = self.without_type(reference, "data.", |name| stack.data.contains_key(name));
                (message, short.or(help))
            }).or_else(|| {
                let block = stack.data.get(name)?;
                let schema = self.types.data_source(&block.type_name)?;
                let attribute = reference.attribute.first()?;
                (!schema.has_output(&attribute) && !schema.has_property(&attribute))
                    .then(|| no_attribute(&format!("data.{name}"), &attribute, schema))
            }),
            Root::Each if holder != Holder::Instance => Some((
                "\"each\" is known only in a resource with forEach".to_owned(),
                Some("add forEach: under its options".to_owned()),
            )),
            Root::Each if !matches!(name, "key" | "value" | "") => {
                Some((format!("\"each\" has no {name:?}"), Some("use each.key or each.value".to_owned())))
            }
            Root::Each => None,
            Root::Stack if name.is_empty() || STACK.contains(&name) => None,
            Root::Stack => {
                let help = did_you_mean(name, STACK.iter().copied());
                Some((format!("\"stack\" has no {name:?}"), help.or(Some("use stack.name, stack.dir or stack.env".to_owned()))))
            }
            Root::Resource => self.resource(reference),
        }
    }

    fn resource(&self, reference: &Reference) -> Option<(String, Option<String>)> {
        let name = reference.name.as_str();
        let stack = self.stack;
        let Some(block) = stack.resources.get(name) else {
            let help = if stack.variables.contains_key(name) {
                Some(format!("write var.{name} for the variable"))
            } else if stack.locals.contains_key(name) {
                Some(format!("write local.{name} for the local"))
            } else if stack.data.contains_key(name) {
                Some(format!("write data.{name} for the data source"))
            } else {
                did_you_mean(
                    name,
                    stack
                        .resources
                        .keys()
                        .map(String::as_str)
                        .chain(["var", "local", "data", "each", "stack"]),
                )
            };
            let help = self.other_notation(reference).or(help);
            return Some((format!("undefined resource {name:?}"), help));
        };
        let schema = self.types.resource(&block.type_name)?;
        let mut segments = reference.attribute.segments();
        let first = segments.next()?;
        if block.options.for_each.is_none() {
            return (!knows(schema, &first)).then(|| no_attribute(name, &first, schema));
        }
        match segments.next() {
            Some(second) => (!knows(schema, &second)).then(|| no_attribute(name, &second, schema)),
            None if knows(schema, &first) && !has_key(block.options.for_each.as_ref(), &first) => {
                Some((
                    format!("{name} has forEach, so {first} is an attribute of each instance"),
                    Some(format!(
                        "pick one, {name}[\"key\"].{first}, or take all, {name}[*].{first}"
                    )),
                ))
            }
            None => None,
        }
    }

    /// What a reference to an undefined resource means in the notation of another tool.
    fn other_notation(&self, reference: &Reference) -> Option<String> {
        let rest: Vec<String> = reference.attribute.segments().map(Into::into).collect();
        let known = |name: &str| self.stack.resources.contains_key(name);
        self.without_type(reference, "", known)
            .or_else(|| alias::notation(&reference.name, &rest))
    }

    /// `${resources.q.url}` and `${aws_sqs_queue.q.url}` are `${q.url}` here.
    fn without_type(
        &self,
        reference: &Reference,
        prefix: &str,
        known: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let mut rest = reference.attribute.segments();
        let name = rest.next().filter(|name| known(name))?;
        let whole = rest.fold(format!("{prefix}{name}"), |text, segment| {
            format!("{text}.{segment}")
        });
        Some(format!("did you mean \"{whole}\"?"))
    }

    /// Whether a local comes from a data source or a resource, by way of other locals too.
    fn needs_reading(&self, name: &str) -> bool {
        let local = Reference {
            root: Root::Local,
            name: name.to_owned(),
            // All of it is evaluated.
            attribute: Path::root(),
            at: Path::root(),
            range: None,
        };
        let mut found = self.stack.followed(vec![local]);
        found.any(|one| matches!(one.root, Root::Data | Root::Resource))
    }
}

fn missing<T>(
    kind: &str,
    name: &str,
    declared: &BTreeMap<String, T>,
) -> Option<(String, Option<String>)> {
    if declared.contains_key(name) {
        return None;
    }
    Some((
        format!(
            "{} {kind} {name:?}",
            if kind == "data source" {
                "undefined"
            } else {
                "unknown"
            }
        ),
        did_you_mean(name, declared.keys().map(String::as_str)),
    ))
}

/// `id` exists for every resource.
fn knows(schema: &Schema, attribute: &str) -> bool {
    attribute == "id" || schema.has_output(attribute) || schema.has_property(attribute)
}

fn has_key(for_each: Option<&Value>, key: &str) -> bool {
    match for_each {
        Some(Value::Object(map)) => map.contains_key(key),
        Some(Value::Array(items)) => items.iter().any(|item| item == key),
        _ => false,
    }
}

fn no_attribute(what: &str, attribute: &str, schema: &Schema) -> (String, Option<String>) {
    let names = schema.output_names().chain(schema.property_names());
    let help = did_you_mean(attribute, names).or_else(|| {
        let outputs: Vec<&str> = schema.output_names().collect();
        (!outputs.is_empty()).then(|| format!("its outputs are {}", outputs.join(", ")))
    });
    (
        format!("{what} ({}) has no {attribute:?}", schema.name),
        help,
    )
}
