//! `options.import` and `stackctl import`: imports of existing resources into the state.
//!
//! An imported resource's inputs are its live values, as deep as the file names them, so that what
//! differs is a change by the file, and what the file does not name stays as it is. It gets no
//! owner tags: an import that changes nothing must not write tags, and nothing has to find the
//! resource.

use super::contents;
use super::contents::Named;
use super::diff::{Shape, shape};
use super::instance::Instance;
use super::marks::mark_derived;
use super::planner::Planner;
use super::rewrites::ImportFault;
use super::rewrites::ImportNeed;
use super::rewrites::ImportedResource;
use super::rewrites::Sought;
use super::{Action, Importing, Warning};
use crate::data::{Attributes, Data, Inputs, Path};
use crate::engine::address::quoted;
use crate::lang::diagnostic::Place;
use crate::lang::stack::ResourceBlock;
use crate::nearest::nearest;
use crate::resource::ResourceType;
use crate::schema::Schema;
use crate::store::state::ResourceState;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The id to import a resource by.
struct Wish {
    text: String,
    secret: bool,
    place: Place,
}

/// A resource for which the file, or the command line, may name an existing one to import.
pub(super) struct ImportTarget<'p> {
    /// The block's name.
    pub(super) block: &'p str,
    /// The address.
    pub(super) address: &'p str,
    /// The type.
    pub(super) kind: &'static dyn ResourceType,
    /// The properties of the file.
    pub(super) desired: &'p Data,
    /// What they stand for.
    pub(super) files: &'p BTreeMap<Path, Named>,
}

impl Planner<'_> {
    /// How this plan imports the resource, where it does. What must be read for that, what was
    /// found, and what is wrong with it goes into the outcome.
    pub(super) fn importing(
        &mut self,
        target: &ImportTarget<'_>,
        block: &ResourceBlock,
    ) -> Option<Importing> {
        let ImportTarget { address, kind, .. } = *target;
        let wish = self.wish(target, block)?;
        let fault = |message: String, help: Option<String>| ImportFault {
            address: address.to_owned(),
            place: wish.place.clone(),
            message,
            help,
        };
        let secret = wish.secret || kind.import_is_secret();
        let found = match kind.import(&wish.text) {
            Ok(found) => found,
            Err(why) => {
                let help = format!(
                    "a resource of type {} is imported by {}",
                    kind.name(),
                    kind.import_id()
                );
                self.out.rewrites.faults.push(fault(why, Some(help)));
                return None;
            }
        };
        let is_imported = self.rewrites.imported.contains_key(address);
        let known = self.request.world.state.resources.get(address);
        if let Some(known) = known.filter(|_| !is_imported) {
            if known.id != found.id {
                let (address, id) = (address.to_owned(), known.id.clone());
                self.managed_already(address, &id, wish.place);
            }
            return None;
        }
        if let Some(holder) = self.holder(target, &found.id) {
            let (message, help) = holder.refusal(&printable_id(&wish, secret), address);
            self.out.rewrites.faults.push(fault(message, Some(help)));
            return None;
        }
        let read = self.request.world.imports.get(address);
        let Some(read) = read.filter(|read| read.id == found.id) else {
            let given = Attributes::new(target.desired.value.clone());
            self.out.imports.push(ImportNeed {
                address: address.to_owned(),
                type_name: kind.name().to_owned(),
                id: found.id,
                attributes: given.with(&Value::Object(found.attrs)),
            });
            return None;
        };
        let Some(live) = &read.attributes else {
            let message = format!(
                "{} {} does not exist",
                kind.name(),
                printable_id(&wish, secret)
            );
            let help = format!(
                "check the account, the region and the id: {}",
                kind.import_id()
            );
            self.out.rewrites.faults.push(fault(message, Some(help)));
            return None;
        };
        let props = &target.desired.value;
        if let Some(why) = kind.import_mismatch(props, live) {
            let help = "write properties that fit the resource, or take options.import away";
            self.out
                .rewrites
                .faults
                .push(fault(why, Some(help.to_owned())));
            return None;
        }
        let (resource, live) = imported_resource(target, &found.id, live);
        let imported = ImportedResource { resource, live };
        self.out
            .rewrites
            .imported
            .insert(address.to_owned(), imported);
        is_imported.then(|| Importing {
            id: (!secret).then(|| wish.text.clone()),
        })
    }

    /// The id given on the command line, or in the file.
    fn wish(&mut self, target: &ImportTarget<'_>, block: &ResourceBlock) -> Option<Wish> {
        if let Some(imports) = &self.request.options.imports {
            return imports.get(target.address).map(|text| Wish {
                text: text.clone(),
                secret: false,
                place: Place::Outside,
            });
        }
        let template = block.options.import.as_ref()?;
        let at = Path::pointer("/resources")
            .join(target.block)
            .join("options")
            .join("import");
        let data = self.eval(&at, template);
        if let Some(expression) = data.unknown_at(&Path::root()) {
            if !self.may_come(&data) {
                let message = format!("{expression} must be known when the plan is made");
                self.error(at, message);
            }
            return None;
        }
        match &data.value {
            Value::Null => None,
            Value::String(text) => Some(Wish {
                text: text.clone(),
                secret: data.is_secret(&Path::root()),
                place: Place::Value(at),
            }),
            _ => {
                self.error(at, "expected the id of a resource, a string");
                None
            }
        }
    }

    fn managed_already(&mut self, address: String, id: &str, place: Place) {
        let message = format!("{address} is in the state already, with the id {id}");
        if self.request.options.imports.is_some() {
            self.out.rewrites.faults.push(ImportFault {
                help: Some(format!(
                    "to manage another object in its place, first run `stackctl state rm {}`, \
                     which leaves the old one alone",
                    quoted(&address)
                )),
                address,
                place,
                message,
            });
        } else {
            self.out.plan.warnings.push(Warning {
                message: format!("{message}; options.import has no effect"),
                address: Some(address),
                help: Some("take the option away".to_owned()),
            });
        }
    }

    /// `stackctl import`: keeps only the imports in the plan; what follows from them is for the
    /// next plan.
    pub(super) fn only_imports(&mut self, imports: &BTreeMap<String, String>) {
        self.out.plan.changes.clear();
        self.out.plan.warnings.clear();
        let mut missing: BTreeSet<&String> = imports.keys().collect();
        for found in &mut self.out.instances {
            missing.remove(&found.change.address);
            let imported = found.change.importing.is_some();
            if imported || found.change.id.is_none() {
                self.out.sought.push(Sought {
                    address: found.change.address.clone(),
                    kind: found.kind,
                    desired: found.change.after.clone().unwrap_or_default(),
                    imported,
                });
            }
            if !imported {
                found.leave_alone();
                continue;
            }
            let change = &mut found.change;
            if change.action != Action::NoOp {
                let then = if change.action.is_replace() {
                    "the next apply would replace it"
                } else {
                    "the next apply updates it"
                };
                change.reason = format!("{then}: {}", change.reason);
                change.action = Action::NoOp;
            }
        }
        if self.out.needs.is_empty() {
            for address in missing {
                let fault = self.not_in_file(address);
                self.out.rewrites.faults.push(fault);
            }
        }
        self.out.instances.retain(|found| found.change.id.is_some());
    }

    fn not_in_file(&self, address: &str) -> ImportFault {
        let instances = self.out.instances.iter();
        let near = nearest(
            address,
            instances.map(|found| found.change.address.as_str()),
        );
        ImportFault {
            address: address.to_owned(),
            place: Place::Outside,
            message: format!("no resource in the file has the address {address}"),
            help: near.map(|near| format!("did you mean {near}?")),
        }
    }

    /// Once the instance is decided: the dependencies and options that the state keeps, and whether
    /// the file would replace the imported resource.
    pub(super) fn complete_import(&mut self, found: &Instance) {
        let Some(imported) = self.out.rewrites.imported.get_mut(&found.change.address) else {
            return;
        };
        imported
            .resource
            .dependencies
            .clone_from(&found.dependencies);
        imported.resource.options.clone_from(&found.options);
        if found.change.importing.is_none() || !found.change.action.is_replace() {
            return;
        }
        let address = &found.change.address;
        if self.request.options.imports.is_some() {
            return;
        }
        let fixed = found.change.differences.iter().find(|row| row.replaces);
        let base = Path::pointer("/resources").join(&found.block);
        let place = fixed.map_or_else(
            || base.join("options").join("import"),
            |row| base.join("properties").concat(&row.path),
        );
        let live = fixed
            .filter(|row| !row.secret)
            .and_then(|row| row.live.as_ref());
        self.out.rewrites.faults.push(ImportFault {
            address: address.clone(),
            place: Place::Value(place),
            message: format!(
                "{address} cannot be imported: {}, so the file would replace it",
                found.change.reason
            ),
            help: Some(match live {
                Some(live) => format!("write what is live ({live}), or take options.import away"),
                None => "write what is live, or take options.import away".to_owned(),
            }),
        });
    }
}

/// The id, unless it is a secret.
fn printable_id(wish: &Wish, secret: bool) -> String {
    if secret {
        "with this id".to_owned()
    } else {
        wish.text.clone()
    }
}

/// The properties of the file; with the hash of the live content, where a local file has it.
fn proven(target: &ImportTarget<'_>, live: &Attributes) -> Value {
    let mut props = target.desired.value.clone();
    let mut contents = target.files.values().filter_map(|it| it.content.as_ref());
    let same = contents.any(|content| target.kind.has_content(live, content) == Some(true));
    if let (true, Some(name)) = (same, target.kind.content_hash())
        && let Some(hash) = live.get(name)
    {
        Path::root().join(name).set(&mut props, hash.clone());
    }
    props
}

/// The resource for the state, and its attributes.
fn imported_resource(
    target: &ImportTarget<'_>,
    id: &str,
    live: &Attributes,
) -> (ResourceState, Attributes) {
    let schema = target.kind.schema();
    let desired = target.desired;
    let inputs = Attributes::new(projected(schema, &Path::root(), live, desired));
    let given = target.kind.assumed_on_import(&proven(target, live), live);
    let hidden = hidden(schema, desired, given);
    let inputs = Inputs::new(inputs.with(&hidden).into_value());
    let live = Attributes::of(&hidden, live);
    let named = inputs
        .as_object()
        .into_iter()
        .chain(live.as_object())
        .flatten();
    let marked = named.filter(|(name, _)| schema.is_sensitive(name));
    let mut sensitive: BTreeSet<Path> = desired.secret.clone();
    sensitive.extend(marked.map(|(name, _)| Path::root().join(name)));
    mark_derived(schema, &mut sensitive, contents::secret(target.files));
    let resource = ResourceState {
        type_name: schema.name.to_owned(),
        id: id.to_owned(),
        inputs,
        outputs: live.clone(),
        sensitive,
        ..ResourceState::default()
    };
    (resource, live)
}

/// A property that no read returns and no update can change is assumed to be as the file says: it
/// cannot be compared, and a difference would replace the resource. The same holds for those that
/// the type names.
fn hidden(schema: &Schema, desired: &Data, named: &[&str]) -> Inputs {
    let given = desired.value.as_object().into_iter().flatten();
    let hidden = given.filter(|(name, value)| {
        let path = Path::root().join(name);
        let taken = schema.flag(&path, "createOnly") || named.contains(&name.as_str());
        !value.is_null() && schema.flag(&path, "writeOnly") && taken
    });
    let hidden = hidden.map(|(name, value)| (name.clone(), value.clone()));
    Inputs::new(hidden.collect::<Map<_, _>>())
}

/// The live values of what the file names, as deep as the file names them.
fn projected(schema: &Schema, path: &Path, live: &Value, desired: &Data) -> Value {
    let Some(wanted) = path.get(&desired.value).and_then(Value::as_object) else {
        return live.clone();
    };
    let Some(live) = live.as_object() else {
        return live.clone();
    };
    let mut map = Map::new();
    for name in wanted.keys() {
        let at = path.join(name);
        let Some(value) = live.get(name).filter(|_| !schema.flag(&at, "writeOnly")) else {
            continue;
        };
        let whole = desired.unknown.contains_key(&at)
            || matches!(shape(schema, &at, at.get(&desired.value)), Shape::Leaf);
        let value = if whole {
            value.clone()
        } else {
            projected(schema, &at, value, desired)
        };
        map.insert(name.clone(), value);
    }
    Value::Object(map)
}
