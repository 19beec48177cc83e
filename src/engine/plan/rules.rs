//! What the file may not declare even if each value fits its schema: rules between properties,
//! between resources, and two declarations of one live resource.

use super::Action;
use super::instance::Instance;
use super::mistakes::Mistakes;
use super::mistakes::violation;
use super::planned::FAULTY;
use super::planner::Planner;
use crate::data::Path;
use crate::lang::diagnostic::{self, Diagnostic};
use crate::lang::references::Node;
use crate::lint::switch;
use crate::resource::home::Home;
use crate::resource::{Caution, Refused, Rules};
use crate::schema::broken::Broken;
use crate::severity::Severity;
use serde_json::Value;
use std::collections::BTreeMap;

impl Planner<'_> {
    /// Reports every broken rule.
    pub(super) fn rules(&mut self) {
        let mut found = Vec::new();
        let mut mistakes: BTreeMap<&str, Mistakes> = BTreeMap::new();
        for instance in &self.out.instances {
            let Some(props) = &instance.change.after else {
                continue;
            };
            // What could not be evaluated was reported.
            if props.unknown_at(&Path::root()) == Some(FAULTY) {
                continue;
            }
            let peer = |path: &Path| {
                let peer = self.peer(instance, path)?;
                // What follows from a mistake in another resource is none.
                if self.faulty.contains(&Node::Resource(peer.block.clone())) {
                    return None;
                }
                Some((peer.kind.name(), peer.change.after.as_ref()?))
            };
            let rules = Rules { props, peer: &peer };
            let broken = instance.kind.rules(&rules).into_iter();
            let broken = broken.map(|broken| violation(&properties(instance), broken));
            let cautions = instance.kind.cautions(&rules).into_iter();
            let cautions = cautions.map(|caution| self.caution(instance, caution));
            let all = broken.chain(cautions);
            if instance.each.is_some() {
                let mistakes = mistakes.entry(&instance.block).or_default();
                mistakes.add(&instance.change.address, all.collect());
            } else {
                found.extend(all);
            }
        }
        for (block, mistakes) in mistakes {
            let count = self.by_block.get(block).map_or(0, Vec::len);
            found.extend(mistakes.diagnostics(count));
        }
        found.extend(self.twins());
        found.extend(self.lint());
        let stack = self.request.stack;
        let found = found
            .into_iter()
            .filter_map(|one| switch::switched(stack, one));
        diagnostic::add(&mut self.out.diagnostics, found);
    }

    /// A caution as an error where this plan is the case in which AWS refuses it, else as a
    /// warning.
    fn caution(&self, instance: &Instance, caution: Caution) -> Diagnostic {
        let path = caution.broken.path.clone();
        let change = &instance.change;
        let changes = || {
            change
                .differences
                .iter()
                .any(|row| row.path.is_within(&path))
        };
        let remakes = change.action == Action::Create || change.action.is_replace();
        let imported = change.importing.is_some() || self.request.world.is_blind;
        let refused = caution.refused == Refused::WhenNew && !imported && (remakes || changes());
        let mut diagnostic = violation(&properties(instance), caution.broken);
        if !refused {
            diagnostic.severity = Severity::Warning;
        }
        diagnostic
    }

    /// The resource that a property's expression refers to, directly or through a local.
    fn peer(&self, instance: &Instance, path: &Path) -> Option<&Instance> {
        Some(&self.out.instances[self.peer_at(instance, path)?])
    }

    /// The number of the resource that a property's expression refers to.
    pub(super) fn peer_at(&self, instance: &Instance, path: &Path) -> Option<usize> {
        let mut found = self.request.stack.resources_at(&instance.block, path);
        let reference = found.next()?;
        let named = self.by_block.get(&reference.name)?;
        let key = instance.each.as_ref().map(|each| each.key.as_str());
        let fixed = reference.attribute.first();
        let key_of = |at: usize| Some(self.out.instances[at].each.as_ref()?.key.as_str());
        let keyed = |wanted: Option<&str>| {
            let mut instances = named.iter().copied();
            instances.find(|at| key_of(*at) == wanted)
        };
        keyed(fixed.as_deref())
            .or_else(|| keyed(key))
            .or_else(|| named.first().copied())
    }

    /// Resources that have everything in common that names them at their service.
    fn twins(&self) -> Vec<Diagnostic> {
        let mut first: BTreeMap<(&str, Vec<String>), &Instance> = BTreeMap::new();
        let mut found = Vec::new();
        for instance in &self.out.instances {
            let identity = instance.kind.identity();
            let Some(last) = identity.last() else {
                continue;
            };
            let all = instance.change.after.as_ref();
            if all.is_some_and(|all| all.unknown_at(&Path::root()) == Some(FAULTY)) {
                continue;
            }
            let mut twin = None;
            for name in self.names(instance, identity) {
                let known = first.entry((instance.kind.name(), name));
                let known = *known.or_insert(instance);
                if !std::ptr::eq(known, instance) {
                    twin = Some(known);
                }
            }
            if let Some(twin) = twin {
                let schema = instance.kind.schema();
                let [one, other] = [&twin.change.address, &instance.change.address];
                let (path, message) = if schema.has_property(last) {
                    let same = match identity {
                        [one] => format!("{one} is"),
                        [names @ .., last] => format!("{} and {last} are", names.join(", ")),
                        [] => String::new(),
                    };
                    let message = format!(
                        "{one} and {other} would be the same resource: {same} the same in both"
                    );
                    (Path::root().join(last), message)
                } else {
                    let message = format!(
                        "{one} and {other} would be the same resource: there is one {} in an account and region",
                        schema.name
                    );
                    (Path::root(), message)
                };
                let broken = Broken::new(path, message);
                found.push(violation(&properties(instance), broken));
            }
        }
        found
    }

    /// All ways to write the name of a resource: by value, and by the resource referred to. Empty
    /// where something of it is not in the file.
    fn names(&self, instance: &Instance, identity: &[&str]) -> Vec<Vec<String>> {
        let mut names = vec![Vec::new()];
        for property in identity {
            let path = Path::root().join(property);
            let words = match instance.kind.schema().has_property(property) {
                true => self.words(instance, &path),
                // What no property names there is one of.
                false => vec![(*property).to_owned()],
            };
            names = names
                .iter()
                .flat_map(|name: &Vec<String>| {
                    words.iter().map(|word| {
                        let mut name = name.clone();
                        name.push(word.clone());
                        name
                    })
                })
                .collect();
        }
        names
    }

    fn words(&self, instance: &Instance, path: &Path) -> Vec<String> {
        let props = instance.change.after.as_ref();
        let Some(props) = props.filter(|props| props.get(path).is_some()) else {
            return Vec::new();
        };
        let each = instance.each.as_ref().map_or("", |each| each.key.as_str());
        let mut words = vec![match props.unknown_at(path) {
            // An expression with `each` in it means something else in each instance.
            Some(text) if text.contains("each.") => format!("{text} {each}"),
            Some(text) => text.to_owned(),
            None => match path.get(&props.value) {
                None | Some(Value::Null) => return Vec::new(),
                Some(value) => comparable(instance, path, value),
            },
        }];
        let stack = self.request.stack;
        let template = path.get(&stack.resources[&instance.block].properties);
        let text = template.and_then(Value::as_str);
        if text.is_some_and(|text| stack.is_resource(text))
            && let Some(peer) = self.peer(instance, path)
            && peer.kind.home() != Home::State
        {
            words.push(format!("the resource {}", peer.change.address));
        }
        words
    }
}

/// A property's value in the form in which two that mean the same are the same.
fn comparable(instance: &Instance, path: &Path, value: &Value) -> String {
    let name = path.first().unwrap_or_default();
    let name: &str = &name;
    let alone = serde_json::json!({ name: value });
    crate::engine::plan::identity::part(instance.kind, &[name], &alone).unwrap_or_default()
}

pub(super) fn properties(instance: &Instance) -> Path {
    let block = Path::pointer("/resources").join(&instance.block);
    block.join("properties")
}
