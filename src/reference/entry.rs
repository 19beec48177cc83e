//! What the reference says of one type.

use super::example;
use super::property::{Property, properties};
use crate::registry::{self, Handler, RegistryType};
use crate::resource::aws::permissions;
use crate::resource::cloud_control;
use crate::resource::types::Types;
use crate::schema::Schema;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where a type comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A resource type of stackctl's own.
    Native,
    /// A data source.
    DataSource,
    /// A type of the CloudFormation registry, through the Cloud Control API.
    Registry,
}

impl Origin {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::DataSource => "data",
            Self::Registry => "registry",
        }
    }
}

/// One type.
pub struct Entry {
    /// Its name in a stack file.
    pub name: &'static str,
    /// Where it comes from.
    pub origin: Origin,
    /// What it is; may have several paragraphs.
    pub description: String,
    /// What users should know beside that, a sentence each.
    pub notes: Vec<String>,
    /// An example, in YAML: resources or data sources by name.
    pub example: String,
    /// Its properties, required ones first.
    pub properties: Vec<Property>,
    /// Its outputs.
    pub outputs: Vec<Property>,
    /// What imports a resource; none of a data source, or where no resource can be imported.
    pub import_id: Option<String>,
    /// The IAM actions that it may need, and when they are needed beyond the operation's own.
    pub actions: Vec<(String, Option<String>)>,
    /// Where AWS documents it.
    pub url: Option<String>,
    schema: &'static Schema,
}

impl Entry {
    /// The entry of the type of exactly this name.
    pub fn of(types: &Types, name: &str) -> Option<Self> {
        if let Some(kind) = types.resources().get(name) {
            let schema = kind.schema();
            return Some(Self {
                import_id: Some(kind.import_id().to_owned()),
                actions: native_actions(kind.calls()),
                ..Self::declared(schema, Origin::Native)
            });
        }
        if let Some(data) = types.data_sources().get(name) {
            return Some(Self::declared(data.schema(), Origin::DataSource));
        }
        let kind = registry::registry_type(name)?;
        let resource = types.resource(name)?;
        Some(Self {
            notes: notes(types, kind),
            example: example::of(kind),
            import_id: kind
                .handler(Handler::Read)
                .map(|_| resource.import_id().to_owned()),
            actions: registry_actions(kind),
            url: kind.documentation_url().map(str::to_owned),
            description: described(kind).trim().to_owned(),
            ..Self::declared(resource.schema(), Origin::Registry)
        })
    }

    fn declared(schema: &'static Schema, origin: Origin) -> Self {
        Self {
            name: schema.name,
            origin,
            description: schema.description.trim().to_owned(),
            notes: Vec::new(),
            example: schema.example.clone().unwrap_or_default(),
            properties: properties(&schema.properties, &schema.properties),
            outputs: outputs(schema),
            import_id: None,
            actions: Vec::new(),
            url: None,
            schema,
        }
    }

    /// The first sentence of its description.
    pub fn summary(&self) -> &str {
        first_sentence(&self.description)
    }

    /// The property or output at this path, such as `Code.S3Bucket`.
    pub fn property(&self, path: &str) -> Option<&Property> {
        let names: Vec<&str> = path.split('.').collect();
        let (first, rest) = names.split_first()?;
        let mut all = self.properties.iter().chain(&self.outputs);
        all.find(|property| property.name == *first)?.at(rest)
    }

    /// The entry as JSON: the schemas of properties and outputs as [`crate::schema`] describes
    /// them, and the rest by name.
    pub fn json(&self) -> Value {
        let actions = self.actions.iter().map(|(action, when)| match when {
            Some(when) => json!({"action": action, "when": when}),
            None => json!({"action": action}),
        });
        json!({
            "name": self.name,
            "origin": self.origin.name(),
            "description": self.description,
            "notes": self.notes,
            "example": self.example,
            "properties": self.schema.properties,
            "outputs": self.schema.outputs,
            "importId": self.import_id,
            "actions": actions.collect::<Vec<_>>(),
            "documentation": self.url,
        })
    }
}

/// What a resource always has; no file gives it.
fn outputs(schema: &Schema) -> Vec<Property> {
    let mut outputs = properties(&schema.properties, &schema.outputs);
    for output in &mut outputs {
        output.is_required = false;
    }
    outputs.sort_by(|one, other| one.name.cmp(&other.name));
    outputs
}

/// What a type of the registry is; nothing where its description only repeats its name.
pub fn described(kind: &RegistryType) -> &str {
    let text = kind.description();
    let starts = [
        "Resource Type definition for AWS::",
        "Resource schema for AWS::",
        "Definition of AWS::",
        "Schema for ",
    ];
    let says_nothing = starts.iter().any(|start| text.starts_with(start)) && !text.contains(". ");
    if says_nothing { "" } else { text }
}

/// The text up to the first full stop that ends a sentence, or the first paragraph.
pub fn first_sentence(text: &str) -> &str {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let mut ends = paragraph.match_indices(". ").map(|(at, _)| at);
    let is_end = |at: &usize| {
        let word = paragraph[..*at].rsplit(' ').next().unwrap_or_default();
        !matches!(word, "e.g" | "i.e" | "etc" | "(e.g" | "(i.e" | "vs")
    };
    match ends.find(is_end) {
        Some(at) => &paragraph[..=at],
        None => paragraph,
    }
}

fn native_actions(calls: &[&str]) -> Vec<(String, Option<String>)> {
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    let rows = permissions::TABLE.iter();
    for row in rows.filter(|row| calls.contains(&row.operation)) {
        found.insert(row.action.to_owned(), None);
        for further in row.also {
            let when = Some(further.when.to_owned());
            found.entry(further.action.to_owned()).or_insert(when);
        }
    }
    found.into_iter().collect()
}

/// What Cloud Control itself takes, and what the handlers take.
fn registry_actions(kind: &RegistryType) -> Vec<(String, Option<String>)> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let handlers: Vec<_> = kind.handlers().collect();
    for (handler, declaration) in &handlers {
        for action in &declaration.permissions {
            let of = found.entry(action.as_str()).or_default();
            of.push(handler.name());
        }
    }
    let own = cloud_control::ACTIONS.iter();
    let own = own.map(|action| ((*action).to_owned(), None));
    let needed = found.into_iter().map(|(action, of)| {
        let when = (of.len() < handlers.len()).then(|| format!("to {}", in_words(&of)));
        (action.to_owned(), when)
    });
    own.chain(needed).collect()
}

fn in_words(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn notes(types: &Types, kind: &RegistryType) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(why) = cloud_control::unmanaged(kind) {
        let help = why
            .help
            .map_or_else(String::new, |help| format!("; {help}"));
        notes.push(format!("{}{help}.", why.message));
    } else {
        let native = cloud_control::native(types, kind.name());
        notes.extend(native.map(|native| {
            format!("{native} is stackctl's own type for the same; its plans know more.")
        }));
        if kind.handler(Handler::Update).is_none() {
            notes.push("AWS cannot update it: every change replaces the resource.".to_owned());
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::text;
    use crate::resource::table::native;

    /// Each seventh: together they take too long in a debug build.
    #[test]
    fn types_of_the_registry_are_shown() {
        let types = native();
        for name in registry::names().iter().step_by(7) {
            let entry = Entry::of(types, name).unwrap();
            let shown = text::entry(&entry, 100);
            assert!(shown.contains("\nExample:\n"), "{shown}");
            assert!(!shown.contains("](http"), "{shown}");
            for property in entry.properties.iter().chain(&entry.outputs) {
                assert!(
                    shown.contains(&format!("\n  {}  ", property.name)),
                    "{shown}"
                );
                assert!(entry.property(&property.name).is_some());
            }
            assert!(entry.json()["properties"].is_object());
        }
    }

    #[test]
    fn a_sentence_ends_where_it_ends() {
        assert_eq!(first_sentence("One. Two."), "One.");
        assert_eq!(first_sentence("One, e.g. a.b. Two."), "One, e.g. a.b.");
        assert_eq!(first_sentence("One\n\nTwo."), "One");
        assert_eq!(first_sentence(""), "");
    }
}
