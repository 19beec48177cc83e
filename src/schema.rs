//! One schema language for every type: JSON Schema, and a few keywords of our own.
//!
//! | keyword | on | meaning |
//! |---|---|---|
//! | `createOnly` | property | a change replaces the resource |
//! | `conditionalCreateOnly` | property | AWS may refuse to change it in place: a plan says so, and nothing is decided by it |
//! | `staysUnless` | property | no call unsets it: taking it out of the file replaces the resource, unless the property named here is true |
//! | `writeOnly` | property | no read returns it (or it is never sent): compared with what was last applied |
//! | `localFile` | property | the path of a file that the apply reads, from the stack file's folder: it stands for the file's content when the plan is made |
//! | `writesFile` | property of a data source | the path of a file that its read writes, from the stack file's folder |
//! | `later` | property that no read returns | set by a call after the create: as long as a create is not known to be finished it does not count as applied |
//! | `prefixOf` | property | gives the beginning of a generated name, that of the property named here |
//! | `sensitive` | property, output | its value is never shown |
//! | `from` | output, property that the service can return | the properties that its value is derived from, or `true` for all of them: where one of them has a secret in it, the value is secret; an output without it counts as `true` |
//! | `volatile` | output | `true`, or a list of properties: an update (of these) may change it, so it is unknown until then |
//! | `document` | property | `json` or `policy`: a JSON document, compared by content or meaning |
//! | `othersKeys` | map property | `kept`: keys that neither the file nor the last apply names belong to others and stay; without the keyword the whole map is the file's, and a key that is not in it goes |
//! | `tagList` | map property | the file may give it as a list, of objects whose members `key` and `value` are called so |
//! | `set` | list property | order does not matter |
//! | `ignoreCase` | property | upper and lower case do not matter |
//! | `weak` | property | holds references as strings only: they do not order deletions |
//! | `default` | property | what the service fills in; an absent live value counts as this |

pub mod alias;
pub mod broken;
pub(crate) mod conform;
pub mod document;
mod tag_list;
mod validate;
pub mod walk;

pub(crate) use validate::{is_zero_led, kind};

use crate::data::Path;
use crate::nearest::did_you_mean;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema as JsonSchemaDocument};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// The declarations of the types there are, by name.
pub trait Declarations {
    /// That of a resource type.
    fn resource(&self, name: &str) -> Option<&Schema>;
    /// That of a data source.
    fn data_source(&self, name: &str) -> Option<&Schema>;
    /// The names of the resource types.
    fn resource_names(&self) -> Vec<&str>;
    /// The names of the data sources.
    fn data_source_names(&self) -> Vec<&str>;
    /// The names of further resource types that `name` may mean, best first.
    fn others_like(&self, _name: &str) -> Vec<&'static str> {
        Vec::new()
    }
}

/// The declaration of one resource type or data source.
#[derive(Debug)]
pub struct Schema {
    /// The type's name in a stack file.
    pub name: &'static str,
    /// What it is, from the struct's doc comment.
    pub description: String,
    /// A smallest example, from the block of YAML at the end of that comment: resources or data by
    /// name. Names that it does not have are those of other types' examples.
    pub example: Option<String>,
    /// The JSON schema of its properties.
    pub properties: Value,
    /// The JSON schema of its outputs.
    pub outputs: Value,
    /// See [`Schema::defaults`].
    defaults: OnceLock<Map<String, Value>>,
    /// The keywords of our own that stand somewhere in it: most are in few types, and where
    /// one is not, no place has to be looked at.
    keywords: BTreeSet<&'static str>,
    /// The compiled schema of its properties; compiled at first use.
    validator: OnceLock<Result<jsonschema::Validator, String>>,
}

fn document<T: JsonSchema>() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let root: JsonSchemaDocument = settings.into_generator().into_root_schema_for::<T>();
    let mut value = root.to_value();
    strip_null(&mut value);
    value
}

/// A doc comment without the block of YAML at its end, and that block.
fn described(comment: &str) -> (String, Option<String>) {
    let parts = comment.split_once("```yaml\n");
    let Some((text, example)) =
        parts.and_then(|(text, rest)| Some((text, rest.strip_suffix("```")?)))
    else {
        return (comment.to_owned(), None);
    };
    (text.trim_end().to_owned(), Some(example.to_owned()))
}

/// Takes the null out of optional types: in a stack file null means "not given" for every
/// property, and the evaluator drops it before a schema is asked.
fn strip_null(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(strip_null),
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if types.len() == 1 {
                    let only = types.remove(0);
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(values)) = map.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            if let Some(Value::Array(options)) = map.get_mut("anyOf") {
                options.retain(|option| option.get("type").and_then(Value::as_str) != Some("null"));
                if options.len() == 1
                    && let Value::Object(only) = options.remove(0)
                {
                    map.remove("anyOf");
                    for (key, value) in only {
                        map.entry(key).or_insert(value);
                    }
                }
            }
            map.values_mut().for_each(strip_null);
        }
        _ => {}
    }
}

fn members(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// The keywords that say something of a property or an output, `default` aside.
const KEYWORDS: [&str; 17] = [
    "conditionalCreateOnly",
    "createOnly",
    "document",
    "from",
    "ignoreCase",
    "later",
    "localFile",
    "othersKeys",
    "prefixOf",
    "sensitive",
    "set",
    "staysUnless",
    "tagList",
    "volatile",
    "weak",
    "writeOnly",
    "writesFile",
];

/// Takes note of the keywords of our own that stand anywhere in a schema.
fn note_keywords(schema: &Value, found: &mut BTreeSet<&'static str>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                found.extend(KEYWORDS.iter().find(|keyword| **keyword == key.as_str()));
                note_keywords(value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| note_keywords(value, found)),
        _ => {}
    }
}

impl Schema {
    /// The declaration derived from the properties' struct and the outputs' struct.
    pub fn of<P: JsonSchema, O: JsonSchema>(name: &'static str) -> Self {
        let mut properties = document::<P>();
        let comment = properties["description"].as_str().unwrap_or_default();
        let (description, example) = described(comment);
        if example.is_some() {
            properties["description"] = Value::from(description.clone());
        }
        let mut schema = Self::from_json(name, description, properties, document::<O>());
        schema.example = example;
        schema
    }

    /// A declaration created at run time, from JSON Schemas with the same keywords. It lives as
    /// long as the process. Both may refer to `#/definitions/…` of the properties' schema.
    pub fn at_run_time(
        name: String,
        description: String,
        properties: Value,
        outputs: Value,
    ) -> &'static Self {
        let name = Box::leak(name.into_boxed_str());
        let schema = Self::from_json(name, description, properties, outputs);
        Box::leak(Box::new(schema))
    }

    /// The same, of a name that lives long enough, for as long as it is held.
    pub(crate) fn from_json(
        name: &'static str,
        description: String,
        properties: Value,
        outputs: Value,
    ) -> Self {
        let mut keywords = BTreeSet::new();
        note_keywords(&properties, &mut keywords);
        note_keywords(&outputs, &mut keywords);
        Self {
            name,
            description,
            example: None,
            keywords,
            properties,
            outputs,
            defaults: OnceLock::new(),
            validator: OnceLock::new(),
        }
    }

    /// Whether the keyword, one of our own, may stand somewhere in it.
    pub fn has_keyword(&self, keyword: &str) -> bool {
        // Asked of every value of every resource, so only tests look whether it is one.
        assert!(!cfg!(test) || KEYWORDS.contains(&keyword), "{keyword}");
        self.keywords.contains(keyword)
    }

    /// Whether there are outputs that are secret whatever the properties are.
    pub fn has_secret_outputs(&self) -> bool {
        let mut outputs = self.output_names();
        outputs.any(|name| self.is_sensitive(name) && !self.has_property(name))
    }

    /// Whether this is one of the properties.
    pub fn has_property(&self, name: &str) -> bool {
        members(&self.properties).is_some_and(|map| map.contains_key(name))
    }

    /// Whether this is one of the outputs.
    pub fn has_output(&self, name: &str) -> bool {
        members(&self.outputs).is_some_and(|map| map.contains_key(name))
    }

    /// The names of the properties.
    pub fn property_names(&self) -> impl Iterator<Item = &str> + Clone {
        members(&self.properties)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
    }

    /// Calls `see` with the name of every property, at any depth, and of every output.
    pub fn every_name(&self, see: &mut dyn FnMut(&str)) {
        fn walk(schema: &Value, see: &mut dyn FnMut(&str)) {
            for (name, declared) in members(schema).into_iter().flatten() {
                see(name);
                walk(declared, see);
            }
            for keyword in ["items", "additionalProperties"] {
                if let Some(declared) = schema.get(keyword) {
                    walk(declared, see);
                }
            }
            for keyword in ["allOf", "anyOf", "oneOf"] {
                let branches = schema.get(keyword).and_then(Value::as_array);
                for declared in branches.into_iter().flatten() {
                    walk(declared, see);
                }
            }
        }
        walk(&self.properties, see);
        walk(&self.outputs, see);
        // What references lead to, each once.
        let definitions = self
            .properties
            .get("definitions")
            .and_then(Value::as_object);
        for declared in definitions.into_iter().flat_map(Map::values) {
            walk(declared, see);
        }
    }

    /// Every property with its `default`, or null.
    pub fn defaults(&self) -> &Map<String, Value> {
        self.defaults.get_or_init(|| {
            let all = members(&self.properties).into_iter().flatten();
            all.map(|(name, schema)| {
                let default = schema.get("default").cloned();
                (name.clone(), default.unwrap_or_default())
            })
            .collect()
        })
    }

    /// The names of the properties that must be given.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        let names = self.properties.get("required").and_then(Value::as_array);
        names.into_iter().flatten().filter_map(Value::as_str)
    }

    /// The names of the properties with the keyword `later`.
    pub fn later(&self) -> impl Iterator<Item = &str> {
        let all = members(&self.properties).into_iter().flatten();
        all.filter(|(_, schema)| schema.get("later") == Some(&Value::Bool(true)))
            .map(|(name, _)| name.as_str())
    }

    /// The property that gives the beginning of the one called `name`.
    pub fn prefix_of(&self, name: &str) -> Option<&str> {
        let mut all = members(&self.properties)?.iter();
        let (prefix, _) = all.find(|(_, schema)| {
            let of = schema.get("prefixOf").and_then(Value::as_str);
            of == Some(name)
        })?;
        Some(prefix)
    }

    /// The message for a name that is not a property, and the help.
    pub fn unexpected(&self, name: &str) -> (String, Option<String>) {
        let same = |known: &&str| alias::squeezed(known) == alias::squeezed(name);
        let output = self.output_names().find(same);
        let output = output.filter(|_| !self.property_names().any(|known| same(&known)));
        let help = if self.has_output(name) {
            Some("it is an output: it can be referred to, not set".to_owned())
        } else {
            output
                .map(|output| format!("it is the output {output}: it can be referred to, not set"))
                .or_else(|| alias::own_name(name, self))
                .or_else(|| did_you_mean(name, self.property_names()))
                .or_else(|| alias::property(name, self))
                .or_else(|| Some(alias::list("properties", self.property_names())))
        };
        (format!("{name:?} is not a property of {}", self.name), help)
    }

    /// What to say of a property that is not given and must be, and what to do.
    pub fn missing(&self, name: &str) -> (String, Option<String>) {
        let schema = members(&self.properties).and_then(|map| map.get(name));
        let text = schema.and_then(|schema| schema.get("description")?.as_str());
        let help = text
            .and_then(|text| text.lines().next())
            .filter(|line| line.len() > 20)
            .map(|line| format!("{name}: {line}"));
        let message = format!("missing required property {name:?} of {}", self.name);
        (message, help)
    }

    /// The names of the outputs.
    pub fn output_names(&self) -> impl Iterator<Item = &str> {
        members(&self.outputs)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
    }

    /// The schemas on the way to `path`, the property's own first, with references followed; it
    /// ends early where the schema says nothing of what lies below (a JSON document).
    pub fn along<'s>(&'s self, path: &Path) -> impl Iterator<Item = &'s Value> {
        let root = &self.properties;
        let mut at = root;
        path.segments().map_while(move |segment| {
            at = walk::member(root, at, segment.as_ref()).or_else(|| walk::items(root, at))?;
            Some(at)
        })
    }

    /// The schema of exactly this path.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        let mut along = self.along(path);
        let mut last = None;
        for _ in path.segments() {
            last = Some(along.next()?);
        }
        last
    }

    /// Whether the property at `path`, or one that holds it, has the keyword set to true.
    pub fn flag(&self, path: &Path, keyword: &str) -> bool {
        self.has_keyword(keyword)
            && self
                .along(path)
                .any(|schema| schema.get(keyword) == Some(&Value::Bool(true)))
    }

    /// Whether the property itself has the keyword set to true.
    pub fn has_flag(&self, name: &str, keyword: &str) -> bool {
        self.has_keyword(keyword)
            && members(&self.properties).and_then(|map| map.get(name)?.get(keyword))
                == Some(&Value::Bool(true))
    }

    /// The keyword's string at `path` or at what holds it.
    pub fn keyword(&self, path: &Path, keyword: &str) -> Option<&str> {
        if !self.has_keyword(keyword) {
            return None;
        }
        self.along(path)
            .filter_map(|schema| schema.get(keyword)?.as_str())
            .last()
    }

    /// The property that holds the tags: the map whose keys others may add to.
    pub fn tags(&self) -> Option<&str> {
        let mut names = self.property_names();
        let are_tags = |name: &&str| self.keeps_others(&Path::root().join(*name));
        names.find(are_tags)
    }

    /// Whether the keys of the map at `path` that nobody named here belong to others and stay.
    pub fn keeps_others(&self, path: &Path) -> bool {
        self.keyword(path, "othersKeys") == Some("kept")
    }

    /// Whether the property at `path` is a map whose keys the user chooses.
    pub fn is_map(&self, path: &Path) -> bool {
        self.at(path).is_some_and(|declared| {
            let values = declared.get("additionalProperties");
            declared.get("document").is_none()
                && !declared.get("properties").is_some_and(Value::is_object)
                && values.is_some_and(|values| values != &Value::Bool(false))
        })
    }

    /// Whether the property at `path` is a map, all of which is the file's: a key that the file
    /// does not name goes.
    pub fn is_whole_map(&self, path: &Path) -> bool {
        self.is_map(path) && !self.keeps_others(path)
    }

    /// Whether the output is marked sensitive, or a property of that name is.
    pub fn is_sensitive(&self, name: &str) -> bool {
        self.has_keyword("sensitive")
            && [&self.outputs, &self.properties].iter().any(|schema| {
                members(schema)
                    .and_then(|map| map.get(name)?.get("sensitive"))
                    .is_some_and(|flag| flag == &Value::Bool(true))
            })
    }

    /// The outputs, and the properties that the service can return, that are secret where the
    /// properties at these paths are: what is derived from a secret is one (`from`).
    pub fn made_of<'s, 'p>(
        &'s self,
        secret: impl IntoIterator<Item = &'p Path>,
    ) -> BTreeSet<&'s str> {
        let mut properties = BTreeSet::new();
        let mut all = false;
        for path in secret {
            match path.first() {
                Some(name) if self.has_property(&name) => {
                    properties.insert(name.into_owned());
                }
                // An output that is secret by itself says nothing of the others.
                Some(_) => {}
                None => all = true,
            }
        }
        if properties.is_empty() && !all {
            return BTreeSet::new();
        }
        let is_made = |from: &Value| match from {
            Value::Array(names) => {
                let mut names = names.iter().filter_map(Value::as_str);
                names.any(|name| all || properties.contains(name))
            }
            from => from != &Value::Bool(false),
        };
        let everything = Value::Bool(true);
        let outputs = members(&self.outputs).into_iter().flatten();
        let outputs = outputs.map(|(name, schema)| (name, schema.get("from")));
        let outputs = outputs.map(|(name, from)| (name, from.unwrap_or(&everything)));
        let told = members(&self.properties).into_iter().flatten();
        let told = told.filter_map(|(name, schema)| Some((name, schema.get("from")?)));
        outputs
            .chain(told)
            .filter(|(_, from)| is_made(from))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The properties that an output is derived from; none where that is not declared, or all.
    pub fn from(&self, output: &str) -> impl Iterator<Item = &str> {
        let declared = members(&self.outputs).and_then(|map| map.get(output)?.get("from"));
        let names = declared.and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str)
    }

    /// Whether the output says what it is derived from.
    pub fn has_from(&self, output: &str) -> bool {
        let declared = members(&self.outputs).and_then(|map| map.get(output)?.get("from"));
        declared.is_some()
    }

    /// Whether an update of these properties may change the output.
    pub fn is_volatile<'c>(
        &self,
        output: &str,
        mut changed: impl Iterator<Item = &'c str>,
    ) -> bool {
        match members(&self.outputs).and_then(|map| map.get(output)?.get("volatile")) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Array(names)) => {
                changed.any(|name| names.iter().any(|volatile| volatile == name))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
