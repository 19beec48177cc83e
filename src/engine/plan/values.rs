//! The values that expressions can refer to, while a stack is evaluated.

use crate::content::LocalFiles;
use crate::data::{Attributes, Data, Path};
use crate::lang::eval::{Budget, Scope};
use crate::lang::stack::Stack;
use crate::schema::Schema;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The local files that the stack names.
pub type ReadFile<'a> = &'a dyn LocalFiles;

/// What is known while a stack is evaluated.
pub struct Values<'a> {
    stack: &'a Stack,
    facts: Data,
    read_file: ReadFile<'a>,
    /// What has been created so far, against the limits of a stack.
    pub budget: Budget,
    /// `local.…`
    pub local: BTreeMap<String, Data>,
    /// `data.…`
    pub data: BTreeMap<String, Data>,
    /// Resources, by name; the instances of one with `forEach` as an object by key.
    pub resource: BTreeMap<String, Data>,
    /// `each.key` and `each.value`.
    pub each: Option<(Data, Data)>,
}

impl<'a> Values<'a> {
    /// The values of a stack's variables, and nothing else yet.
    pub fn new(stack: &'a Stack, read_file: ReadFile<'a>) -> Self {
        let facts = json!({
            "name": stack.name,
            "dir": stack.dir.to_string_lossy(),
            "env": stack.env.clone().unwrap_or_default(),
        });
        Self {
            stack,
            facts: facts.into(),
            read_file,
            budget: Budget::default(),
            local: BTreeMap::new(),
            data: BTreeMap::new(),
            resource: BTreeMap::new(),
            each: None,
        }
    }
}

impl Scope for Values<'_> {
    fn var(&self, name: &str) -> Option<&Data> {
        self.stack.variables.get(name)
    }
    fn local(&self, name: &str) -> Option<&Data> {
        self.local.get(name)
    }
    fn data(&self, name: &str) -> Option<&Data> {
        self.data.get(name)
    }
    fn resource(&self, name: &str) -> Option<&Data> {
        self.resource.get(name)
    }
    fn each(&self) -> Option<(&Data, &Data)> {
        self.each.as_ref().map(|(key, value)| (key, value))
    }
    fn stack(&self) -> &Data {
        &self.facts
    }
    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        self.read_file.read(path)
    }
    fn budget(&self) -> Option<&Budget> {
        Some(&self.budget)
    }
    fn instances(&self, name: &str) -> bool {
        let block = self.stack.resources.get(name);
        block.is_some_and(|block| block.options.for_each.is_some())
    }
}

/// What expressions see of a resource: every property and every output has a key, as far as
/// an expression names it. A property is what the file says, or the schema's default, or null;
/// never what the service filled in, so that the value is the same before and after a read.
pub struct Visible<'a> {
    /// The type.
    pub schema: &'static Schema,
    /// The address, for the expressions behind unknown outputs.
    pub address: &'a str,
    /// The file's properties.
    pub inputs: &'a Data,
    /// The outputs known, properties among them allowed.
    pub outputs: &'a Attributes,
    /// Secret paths of `outputs`, and the properties that are or stand for a secret.
    pub secret: &'a BTreeSet<Path>,
    /// The only properties and outputs that an expression names; none: it may be any.
    pub named: Option<&'a [String]>,
}

impl Visible<'_> {
    /// The value; outputs for which `unknown` says so are unknown.
    pub fn data(&self, unknown: impl Fn(&str) -> bool) -> Data {
        let has_secrets = self.schema.has_keyword("sensitive")
            || !self.secret.is_empty()
            || !self.inputs.secret.is_empty();
        // Secrets are learnt from here too, and a mistake in a name tells the right ones.
        let declared =
            |name: &String| self.schema.has_property(name) || self.schema.has_output(name);
        let named = self
            .named
            .filter(|names| !has_secrets && names.iter().all(declared));
        let is_named = |name: &str| named.is_none_or(|names| names.iter().any(|one| one == name));
        let defaults = self
            .schema
            .defaults()
            .iter()
            .filter(|(name, _)| is_named(name));
        let defaults = defaults.map(|(name, value)| (name.clone(), value.clone()));
        let mut data = Data::from(defaults.collect::<Value>());
        let made = self
            .schema
            .made_of(self.inputs.secret.iter().chain(self.secret));
        for name in self.schema.output_names().filter(|name| is_named(name)) {
            let known = self.outputs.get(name).filter(|value| !value.is_null());
            let sealed = known.is_some_and(crate::store::seal::is_sealed);
            if sealed || unknown(name) {
                data.set(
                    &Path::root().join(name),
                    Data::unknown(format!("${{{}.{name}}}", self.address)),
                );
            } else if let Value::Object(map) = &mut data.value {
                map.insert(name.to_owned(), known.cloned().unwrap_or_default());
            }
            if has_secrets {
                let path = Path::root().join(name);
                let secret = self.schema.is_sensitive(name) || made.contains(name);
                if secret || self.secret.contains(&path) {
                    data.secret.insert(path);
                }
            }
        }
        // Of most resources all is known and nothing secret: no place has to be kept.
        let plain = |data: &Data| data.is_known() && data.secret.is_empty();
        if let (Value::Object(map), Some(inputs)) = (&mut data.value, self.inputs.value.as_object())
            && !has_secrets
            && data.unknown.is_empty()
            && plain(self.inputs)
        {
            let inputs = inputs.iter().filter(|(name, _)| is_named(name));
            map.extend(inputs.map(|(name, value)| (name.clone(), value.clone())));
            return data;
        }
        let inputs = self.inputs.value.as_object().into_iter().flatten();
        for (name, _) in inputs.filter(|(name, _)| is_named(name)) {
            let path = Path::root().join(name);
            if let Some(mut part) = self.inputs.get(&path) {
                if self.schema.is_sensitive(name) {
                    part.secret.insert(Path::root());
                }
                data.set(&path, part);
            }
        }
        data
    }
}
