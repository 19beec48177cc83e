//! One type of the registry: what its schema says, ready to be asked.

use super::transform::Transform;
use crate::schema::Schema;
use regex::Regex;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

/// One type of the registry.
///
/// The paths of properties are names with slashes between them, `Code/S3Bucket`; `*` stands for
/// the items of a list or the values of a map: `Routes/*/Id`.
#[derive(Debug)]
pub struct RegistryType {
    name: &'static str,
    schema: Value,
    primary_identifier: Vec<String>,
    additional_identifiers: Vec<Vec<String>>,
    read_only: Vec<String>,
    create_only: Vec<String>,
    conditional_create_only: Vec<String>,
    write_only: Vec<String>,
    deprecated: Vec<String>,
    required: Vec<String>,
    tagging: Tagging,
    handlers: BTreeMap<Handler, HandlerDeclaration>,
    property_transform: BTreeMap<String, String>,
    transforms: OnceLock<Vec<Transform>>,
    /// See [`super::declaration`].
    pub(super) declared: OnceLock<&'static Schema>,
}

/// How a type takes tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tagging {
    /// Whether it takes tags at all.
    pub taggable: bool,
    /// Whether they can be given when it is created.
    pub tag_on_create: bool,
    /// Whether they can be changed later.
    pub tag_updatable: bool,
    /// The path of the property that holds them; none where it has no such property.
    pub property: Option<String>,
    /// Whether that is a list of a key and a value each; else it is a map.
    pub is_list: bool,
    /// What the key is called in an item of such a list, nearly always `Key`.
    pub key: String,
    /// What the value is called in an item of such a list, nearly always `Value`.
    pub value: String,
    /// Whether a tag is a key and a value, and no more.
    pub pairs: bool,
}

impl Tagging {
    /// The property that holds the tags, where they are one of their own, of keys and values and
    /// no more: they can be written as a map.
    pub fn plain(&self) -> Option<&str> {
        let is_plain = |path: &&str| self.taggable && self.pairs && !path.contains('/');
        self.property.as_deref().filter(is_plain)
    }
}

/// An operation that a type may support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Handler {
    /// Makes a resource.
    Create,
    /// Returns a resource's properties.
    Read,
    /// Changes a resource.
    Update,
    /// Removes a resource.
    Delete,
    /// Returns the identifiers of resources.
    List,
}

impl Handler {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Read,
        Self::Update,
        Self::Delete,
        Self::List,
    ];

    /// Its name in a schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::List => "list",
        }
    }
}

/// What the schema says of one handler.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlerDeclaration {
    /// The IAM actions that the caller needs: `sqs:CreateQueue`.
    pub permissions: Vec<String>,
    /// How long it may take, in minutes, where the schema says so.
    pub timeout_in_minutes: Option<u64>,
    /// Of a list: the schema of the properties that it wants to be given. Its references are those
    /// of the whole schema.
    pub schema: Option<Value>,
}

impl RegistryType {
    pub(super) fn new(name: &'static str, schema: Value) -> Self {
        let mut kind = Self {
            name,
            primary_identifier: paths(schema.get("primaryIdentifier")),
            additional_identifiers: additional_identifiers(&schema),
            read_only: paths(schema.get("readOnlyProperties")),
            create_only: paths(schema.get("createOnlyProperties")),
            conditional_create_only: paths(schema.get("conditionalCreateOnlyProperties")),
            write_only: paths(schema.get("writeOnlyProperties")),
            deprecated: paths(schema.get("deprecatedProperties")),
            required: strings(schema.get("required")),
            handlers: handlers(&schema),
            property_transform: property_transform(&schema),
            transforms: OnceLock::new(),
            tagging: Tagging::default(),
            declared: OnceLock::new(),
            schema,
        };
        kind.tagging = kind.read_tagging();
        kind
    }

    /// Its name: `AWS::SQS::Queue`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is, as the service describes it; may be empty.
    pub fn description(&self) -> &str {
        self.text("description").unwrap_or_default()
    }

    /// The address of its documentation, where the schema has one.
    pub fn documentation_url(&self) -> Option<&str> {
        self.text("documentationUrl")
    }

    /// The address of its handlers' source, where the schema has one.
    pub fn source_url(&self) -> Option<&str> {
        self.text("sourceUrl")
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.schema.get(key)?.as_str()
    }

    /// The whole schema, which holds what its references name.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// The schemas of its properties, by name.
    pub fn properties(&self) -> &Map<String, Value> {
        static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        let properties = self.schema.get("properties").and_then(Value::as_object);
        properties.unwrap_or(&NONE)
    }

    /// What a part of the schema stands for: follows its local references (`#/definitions/Tag`).
    /// A reference to nothing stays as it is.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        const LONGEST: usize = 32;
        let mut at = schema;
        for _ in 0..LONGEST {
            let reference = at.get("$ref").and_then(Value::as_str);
            let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
            match pointer.and_then(|pointer| self.schema.pointer(pointer)) {
                Some(target) => at = target,
                None => break,
            }
        }
        at
    }

    /// The schemas of the property at a path: several where it depends on a branch.
    pub fn at(&self, path: &str) -> Vec<&Value> {
        let mut at = vec![&self.schema];
        for segment in path.split('/') {
            let mut next = Vec::new();
            let mut left = at;
            while let Some(schema) = left.pop() {
                let schema = self.resolve(schema);
                for keyword in ["oneOf", "anyOf", "allOf"] {
                    let branches = schema.get(keyword).and_then(Value::as_array);
                    left.extend(branches.into_iter().flatten());
                }
                if segment == "*" {
                    let of = |keyword: &str| schema.get(keyword).filter(|found| found.is_object());
                    next.extend(of("items").into_iter().chain(of("additionalProperties")));
                    let patterns = schema.get("patternProperties").and_then(Value::as_object);
                    next.extend(patterns.into_iter().flat_map(Map::values));
                } else if let Some(found) =
                    schema.get("properties").and_then(|all| all.get(segment))
                {
                    next.push(found);
                }
            }
            at = next
                .into_iter()
                .map(|schema| self.resolve(schema))
                .collect();
        }
        at
    }

    /// The properties that identify it, in the order in which a vertical bar joins their values.
    /// Empty for a few types that cannot be managed alone.
    pub fn primary_identifier(&self) -> &[String] {
        &self.primary_identifier
    }

    /// Other sets of properties that identify it.
    pub fn additional_identifiers(&self) -> &[Vec<String>] {
        &self.additional_identifiers
    }

    /// The properties that the service gives and nobody sets.
    pub fn read_only(&self) -> &[String] {
        &self.read_only
    }

    /// The properties whose change replaces the resource.
    pub fn create_only(&self) -> &[String] {
        &self.create_only
    }

    /// The properties whose change may replace the resource.
    pub fn conditional_create_only(&self) -> &[String] {
        &self.conditional_create_only
    }

    /// The properties that no read returns.
    pub fn write_only(&self) -> &[String] {
        &self.write_only
    }

    /// The properties that should not be used any more.
    pub fn deprecated(&self) -> &[String] {
        &self.deprecated
    }

    /// The names of the properties that must be given.
    pub fn required(&self) -> &[String] {
        &self.required
    }

    /// How it takes tags.
    pub fn tagging(&self) -> &Tagging {
        &self.tagging
    }

    /// What the schema says of a handler; none where the type does not support the operation.
    pub fn handler(&self, handler: Handler) -> Option<&HandlerDeclaration> {
        self.handlers.get(&handler)
    }

    /// The handlers that there are.
    pub fn handlers(&self) -> impl Iterator<Item = (Handler, &HandlerDeclaration)> {
        self.handlers.iter().map(|(handler, it)| (*handler, it))
    }

    /// For some properties a JSONata expression: the form in which the service returns the value.
    /// `transform.rs` says what of it is evaluated.
    pub fn property_transform(&self) -> &BTreeMap<String, String> {
        &self.property_transform
    }

    /// Those of them that can be evaluated.
    pub(super) fn transforms(&self) -> &[Transform] {
        self.transforms.get_or_init(|| {
            let all = self.property_transform.iter();
            all.filter_map(|(path, text)| Transform::read(path, text))
                .collect()
        })
    }

    /// The properties `wanted`, with the `live` value in place of each string that the service
    /// returns in that form.
    pub fn as_returned<'v>(&self, wanted: &'v Value, live: &Value) -> Cow<'v, Value> {
        let mut returned = Cow::Borrowed(wanted);
        for transform in self.transforms() {
            let seen = transform.seen(live);
            if !seen.is_empty() {
                transform.put(returned.to_mut(), &seen);
            }
        }
        returned
    }

    /// Of a schema that says nothing of tags, the specification takes: they can be given, changed,
    /// and stand in `Tags`.
    fn read_tagging(&self) -> Tagging {
        let says = |key: &str| {
            self.schema
                .get("tagging")
                .and_then(|tagging| tagging.get(key))
        };
        let flag = |key: &str| says(key).and_then(Value::as_bool);
        let old = self.schema.get("taggable").and_then(Value::as_bool);
        let path = says("tagProperty").and_then(Value::as_str);
        let path = path.map_or_else(|| "Tags".to_owned(), property_path);
        let declared = self.at(&path);
        let property = (!declared.is_empty()).then_some(path);
        let taggable = flag("taggable").or(old).unwrap_or(true) && property.is_some();
        let item = declared.iter().find_map(|schema| schema.get("items"));
        let members = item.and_then(|item| self.resolve(item).get("properties")?.as_object());
        let called = |word: &str| {
            let mut names = members.into_iter().flat_map(Map::keys);
            let found = names.find(|name| name.to_lowercase().ends_with(word));
            found.cloned().unwrap_or_default()
        };
        Tagging {
            taggable,
            tag_on_create: taggable && flag("tagOnCreate").unwrap_or(true),
            tag_updatable: taggable && flag("tagUpdatable").unwrap_or(true),
            is_list: item.is_some(),
            pairs: match item {
                Some(_) => members.is_some_and(|members| {
                    let key = members.get(&called("key")).map(|key| self.resolve(key));
                    let pattern = key.and_then(|key| key.get("pattern")?.as_str());
                    members.len() == 2 && pattern.is_none_or(fits_owner)
                }),
                None => declared.iter().all(|schema| takes_owner(schema)),
            },
            key: called("key"),
            value: called("value"),
            property,
        }
    }
}

/// Whether a map of tags takes the keys of the owner's, by the pattern of its keys.
fn takes_owner(tags: &Value) -> bool {
    let patterns = tags.get("patternProperties").and_then(Value::as_object);
    let fit = |patterns: &Map<String, Value>| patterns.keys().any(|pattern| fits_owner(pattern));
    tags.get("properties").is_none() && patterns.is_none_or(fit)
}

/// Whether the keys of the owner's tags fit a pattern of keys.
fn fits_owner(pattern: &str) -> bool {
    static AHEAD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\(\?![^()]*\)").ok());
    // What must not begin with a service's prefix: `regex` knows no look-ahead.
    let ahead = AHEAD.as_ref();
    let pattern = ahead.map_or(pattern.into(), |ahead| ahead.replace_all(pattern, ""));
    Regex::new(&pattern).is_ok_and(|pattern| pattern.is_match("stackctl:operation"))
}

/// `/properties/Code/S3Bucket` is `Code/S3Bucket`.
fn property_path(pointer: &str) -> String {
    let path = pointer.strip_prefix("/properties/").unwrap_or(pointer);
    path.replace("~1", "/").replace("~0", "~")
}

fn strings(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|item| Some(item.as_str()?.to_owned()))
        .collect()
}

fn paths(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|item| Some(property_path(item.as_str()?)))
        .collect()
}

fn additional_identifiers(schema: &Value) -> Vec<Vec<String>> {
    let sets = schema
        .get("additionalIdentifiers")
        .and_then(Value::as_array);
    sets.into_iter()
        .flatten()
        .map(|set| paths(Some(set)))
        .collect()
}

fn handlers(schema: &Value) -> BTreeMap<Handler, HandlerDeclaration> {
    let declared = |handler: &Handler| schema.get("handlers")?.get(handler.name());
    let all = Handler::ALL.iter();
    all.filter_map(|handler| {
        let it = declared(handler)?;
        let declaration = HandlerDeclaration {
            permissions: strings(it.get("permissions")),
            timeout_in_minutes: it.get("timeoutInMinutes").and_then(Value::as_u64),
            schema: it.get("handlerSchema").cloned(),
        };
        Some((*handler, declaration))
    })
    .collect()
}

fn property_transform(schema: &Value) -> BTreeMap<String, String> {
    let map = schema.get("propertyTransform").and_then(Value::as_object);
    let all = map.into_iter().flatten();
    all.filter_map(|(path, text)| Some((property_path(path), text.as_str()?.to_owned())))
        .collect()
}
