//! Rebuilds a lost state: for each resource of the file that the state does not have, it searches
//! for the live resource that this stack created, by its owner tags, its name, or its parent and
//! content. What is found is imported as `import` does it.
//!
//! It calls the type's `find` with an owner that names no operation, as after an interrupted
//! create. The rounds follow the graph: what is found and read supplies the values by which the
//! next round searches. Names that are only partly known come from the type's `names`; a random
//! string has a stand-in (`stand_in.rs`) in the plan, and comparing it with the live name
//! yields the string. The result is a plan of imports and one save, without a journal: no call is
//! sent, so nothing needs recovery.

use super::stand_in::{self, StandIns};
use crate::data::{Data, Inputs, Path};
use crate::engine::apply::lookup::{Lookup, Unnamed};
use crate::engine::apply::results::{Applying, Resolved};
use crate::engine::observe::{self, AT_ONCE, Observe};
use crate::engine::plan::planned::{Options, Planned, Request};
use crate::engine::plan::rewrite;
use crate::engine::plan::rewrites::Sought;
use crate::engine::plan::values::ReadFile;
use crate::engine::world::ReadFailure;
use crate::engine::world::World;
use crate::lang::stack::Stack;
use crate::resource::context::{Cx, Owner};
use crate::resource::error::Error;
use crate::resource::home::Home;
use crate::resource::types::Types;
use crate::resource::{Known, ResourceType};
use crate::store::state::State;
use futures_util::stream::{self, StreamExt};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a search came to.
#[derive(Debug)]
pub struct Rebuilt {
    /// The resources that were found: the import id by address.
    pub imports: BTreeMap<String, String>,
    /// What was not found.
    pub missing: Vec<Missing>,
    /// What could not be searched for, or could not be read once it was found: whether it exists is
    /// unknown.
    pub failed: Vec<ReadFailure>,
}

/// A resource of the file for which no live resource was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The address.
    pub address: String,
    /// The type.
    pub type_name: String,
    /// Why, and what the next apply does: a clause.
    pub why: String,
}

/// Searches for the live resources of all declared ones that the world's state does not have.
/// `given`: ids that the user knows, by address. The options of `observe` are not used. The
/// returned world holds all that was read, so that the plan of the imports reads nothing again.
///
/// A failed lookup does not end the others: it is reported in [`Rebuilt::failed`].
///
/// # Errors
/// When something other than one of the resources could not be read.
pub async fn search(
    observe: &Observe<'_>,
    mut world: World,
    given: BTreeMap<String, String>,
) -> Result<(World, Rebuilt), Vec<ReadFailure>> {
    let mut search = Search {
        imports: given,
        stand_ins: StandIns::default(),
        tried: BTreeSet::new(),
        several: BTreeMap::new(),
        failed: BTreeMap::new(),
    };
    loop {
        let options = Options {
            imports: Some(search.imports.clone()),
            ..Options::default()
        };
        let mut shown = world.clone();
        let first = search.first(observe, &options, &mut shown);
        let round = Observe {
            options: &options,
            refresh: false,
            ..*observe
        };
        let (seen, planned) = match observe::observe_and_plan(&round, shown, first).await {
            Ok(observed) => observed,
            Err(failures) => {
                search.exclude_failed(failures)?;
                continue;
            }
        };
        let state = std::mem::replace(&mut world, seen).state;
        world.state = state;
        if search.learn_strings(&world, &planned) {
            // What was read with a stand-in for a string is read again with the string itself.
            let sought = planned.sought.iter();
            let guessed = sought.filter(|sought| stand_in::is_in(&sought.desired.value));
            for sought in guessed {
                world.imports.remove(&sought.address);
            }
        } else if !search.round(observe.cx, &world, &planned).await {
            let rebuilt = Rebuilt {
                missing: search.missing(&planned.sought),
                imports: search.imports,
                failed: search.failed.into_iter().collect(),
            };
            return Ok((world, rebuilt));
        }
    }
}

/// The state after a plan that only imports: none of its steps sends a call. One save completes it,
/// and a run that ends before the save has changed nothing.
///
/// # Errors
/// When the key to the secrets cannot be prepared, or a step sends a call.
pub fn state_after_imports(
    stack: &Stack,
    types: &Types,
    (world, planned): (&World, &Planned),
    read_file: ReadFile<'_>,
) -> Result<State, Error> {
    let mut applying = Applying::new(stack, types, (planned, world), read_file);
    for (id, step) in planned.plan.steps.iter().enumerate() {
        if let Resolved::Call { .. } = applying.resolve(id)? {
            let message = format!("{} cannot be imported without a call", step.address);
            return Err(Error::failed(message));
        }
    }
    let finished = applying.finish();
    finished.map_err(|error| Error::failed(error.to_string()))
}

struct Search {
    imports: BTreeMap<String, String>,
    stand_ins: StandIns,
    /// What was searched for with these properties.
    tried: BTreeSet<String>,
    /// The ids that the tags do not tell apart, by address.
    several: BTreeMap<String, Vec<String>>,
    /// What could not be searched for, or read.
    failed: BTreeMap<String, Error>,
}

impl Search {
    /// The plan without any read, in a world with stand-ins for what was drawn.
    fn first(&mut self, observe: &Observe<'_>, options: &Options, shown: &mut World) -> Planned {
        loop {
            let planned = rewrite::plan(&Request {
                types: observe.types,
                stack: observe.stack,
                world: shown,
                options,
                read_file: observe.read_file,
            });
            let drawn: Vec<&Sought> = planned
                .sought
                .iter()
                .filter(|sought| {
                    let kind = sought.kind;
                    let here = kind.home() == Home::State && !sought.imported;
                    let named = self.imports.contains_key(&sought.address);
                    here && !named
                        && kind.import_id_from_output().is_some()
                        && sought.desired.is_known()
                })
                .collect();
            if drawn.is_empty() {
                return planned;
            }
            for sought in drawn {
                let (address, inputs) =
                    (&sought.address, Inputs::new(sought.desired.value.clone()));
                self.stand_ins.add(address, sought.kind);
                self.stand_ins.put(&mut shown.state, address, &inputs);
            }
        }
    }

    /// Excludes the resources that were found but could not be read, and continues.
    fn exclude_failed(&mut self, failures: Vec<ReadFailure>) -> Result<(), Vec<ReadFailure>> {
        let found = |failure: &ReadFailure| self.imports.contains_key(&failure.0);
        if failures.is_empty() || !failures.iter().all(found) {
            return Err(failures);
        }
        for (address, error) in failures {
            self.imports.remove(&address);
            self.failed.insert(address, error);
        }
        Ok(())
    }

    /// Searches for what a plan can name; returns whether anything was found.
    async fn round(&mut self, cx: &Cx, world: &World, planned: &Planned) -> bool {
        let sought = planned.sought.iter();
        let sought = sought.filter(|sought| {
            let address = &sought.address;
            !self.imports.contains_key(address) && !self.failed.contains_key(address)
        });
        let mut queries: Vec<Query> = sought.filter_map(Query::of).collect();
        queries.retain(|query| self.tried.insert(query.key.clone()));
        // What says more of its content chooses first.
        queries.sort_by_key(|query| std::cmp::Reverse(query.says));
        let answers = queries.iter().map(|query| {
            let known = self.assigned_ids(world, planned, query.lookup.kind);
            async move { query.candidates(cx, known).await }
        });
        let all: Vec<_> = stream::iter(answers).buffered(AT_ONCE).collect().await;
        let mut news = false;
        for (query, found) in queries.iter().zip(all) {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    self.failed.insert(query.address.clone(), error);
                    continue;
                }
            };
            // Of two that are alike the first takes it, and the other looks on.
            let known = self.assigned_ids(world, planned, query.lookup.kind);
            let (taken, mut found): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|id| known.contains(id));
            match found.len() {
                0 if !taken.is_empty() => {
                    self.tried.remove(&query.key);
                }
                0 => {}
                1 => {
                    self.imports.insert(query.address.clone(), found.remove(0));
                    news = true;
                }
                _ => {
                    self.several.insert(query.address.clone(), found);
                }
            }
        }
        news
    }

    /// Learns random strings from the names of the imported resources; returns whether any is new.
    fn learn_strings(&mut self, world: &World, planned: &Planned) -> bool {
        let mut drawn: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for sought in planned.sought.iter().filter(|sought| sought.imported) {
            let read = world.imports.get(&sought.address);
            let Some(live) = read.and_then(|read| read.attributes.as_ref()) else {
                continue;
            };
            for revealed in stand_in::reveal(&sought.desired.value, live) {
                if let Some((address, id)) = self.stand_ins.drawn(&revealed) {
                    drawn.entry(address).or_default().insert(id);
                }
            }
        }
        let mut news = false;
        for (address, ids) in drawn {
            let mut ids: Vec<String> = ids.into_iter().collect();
            if self.imports.contains_key(&address) {
                continue;
            }
            if ids.len() == 1 {
                self.imports.insert(address, ids.remove(0));
                news = true;
            } else {
                self.several.insert(address, ids);
            }
        }
        news
    }

    /// The ids of a type that have an address already.
    fn assigned_ids(
        &self,
        world: &World,
        planned: &Planned,
        kind: &dyn ResourceType,
    ) -> BTreeSet<String> {
        let name = kind.name();
        let mut known = world.state.ids(name);
        let of_type = planned
            .sought
            .iter()
            .filter(|sought| sought.kind.name() == name);
        let imported = of_type.filter_map(|sought| self.imports.get(&sought.address));
        known.extend(imported.filter_map(|id| Some(kind.import(id).ok()?.id)));
        known
    }

    fn missing(&self, sought: &[Sought]) -> Vec<Missing> {
        let sought = sought.iter().map(|it| (&it.address, it.kind, self.why(it)));
        let drawn = self.stand_ins.all().map(|(address, kind)| {
            let why = self.several(address).unwrap_or_else(|| {
                "it was drawn, and no name of an object tells it; the next apply draws another"
                    .to_owned()
            });
            (address, kind, why)
        });
        let all = sought.chain(drawn);
        let mut missing: Vec<Missing> = all
            .filter(|(address, ..)| {
                !self.imports.contains_key(*address) && !self.failed.contains_key(*address)
            })
            .map(|(address, kind, why)| Missing {
                address: address.clone(),
                type_name: kind.name().to_owned(),
                why,
            })
            .collect();
        missing.sort_by(|a, b| a.address.cmp(&b.address));
        missing
    }

    fn several(&self, address: &str) -> Option<String> {
        let several = self.several.get(address)?;
        Some(format!(
            "it may be any of {}; name it with --id '{address}=ID'",
            several.join(", ")
        ))
    }

    fn why(&self, sought: &Sought) -> String {
        if let Some(several) = self.several(&sought.address) {
            return several;
        }
        let why = match Query::of(sought) {
            _ if sought.kind.home() == Home::State => {
                "it was kept in the state alone; the next apply makes a new one"
            }
            Some(_) => "this stack's own was not found; the next apply makes one",
            None => "what it belongs to was not found; the next apply makes it",
        };
        why.to_owned()
    }
}

/// What is searched for.
struct Query {
    address: String,
    lookup: Lookup,
    /// The same for two queries that would find the same.
    key: String,
    /// How much is known of it.
    says: usize,
}

impl Query {
    /// None while too little is known to search.
    fn of(sought: &Sought) -> Option<Self> {
        let kind = sought.kind;
        let schema = kind.schema();
        if kind.home() == Home::State {
            return None;
        }
        let desired = &sought.desired;
        let withheld = withheld(desired);
        let known = |name: &str| {
            let path = Path::root().join(name);
            desired.unknown_at(&path).is_none() && !withheld.iter().any(|at| at.is_within(&path))
        };
        let identity = kind.identity();
        // What there is one of has a name that is no property, and is found without it.
        let named = identity
            .split_last()
            .filter(|(name, _)| schema.has_property(name));
        let parents_known = named.is_none_or(|(_, parents)| parents.iter().all(|name| known(name)));
        // Without names the owner's tags identify it, or the content, which must be known then.
        let by_tags = schema.has_property("tags");
        let all_known = || schema.property_names().all(known);
        if !parents_known || (named.is_none() && !by_tags && !all_known()) {
            return None;
        }
        let name = match named {
            Some((property, _)) if !known(property) || !is_given(desired, property) => {
                let prefix = schema.prefix_of(property);
                Some(Unnamed {
                    property,
                    prefix,
                    start: known_prefix(desired, property, prefix, known(property)),
                })
            }
            _ => None,
        };
        let address = sought.address.clone();
        let start = name.as_ref().map(|name| &name.start);
        let props = desired.value.to_string();
        let key = format!("{address} {props} {withheld:?} {start:?}");
        let known = Known::new(Inputs::new(desired.value.clone()), withheld, Map::new());
        Some(Self {
            address,
            says: known.says(),
            lookup: Lookup { kind, known, name },
            key,
        })
    }

    /// The ids of the candidates.
    async fn candidates(&self, cx: &Cx, known: BTreeSet<String>) -> Result<Vec<String>, Error> {
        let mut cx = cx.for_step(Owner {
            stack: cx.owner.stack.clone(),
            address: self.address.clone(),
            operation: String::new(),
        });
        let (notify, address) = (Arc::clone(&cx.notify), self.address.clone());
        cx.notify = Arc::new(move |reason| notify(&format!("looking for {address}: {reason}")));
        cx.known_ids = Arc::new(known);
        self.lookup.ids(&cx).await
    }
}

/// What is not known of the properties: what comes from another resource, and what has a
/// stand-in for a drawn string in it.
fn withheld(desired: &Data) -> BTreeSet<Path> {
    let mut withheld: BTreeSet<Path> = desired.unknown.keys().cloned().collect();
    let properties = desired.value.as_object().into_iter().flatten();
    let guessed = properties.filter(|(_, value)| stand_in::is_in(value));
    withheld.extend(guessed.map(|(name, _)| Path::root().join(name)));
    withheld
}

fn is_given(desired: &Data, property: &str) -> bool {
    let value = desired.value.get(property).and_then(Value::as_str);
    value.is_some_and(|text| !text.is_empty())
}

/// The known prefix of a partly known name; none for a generated name.
fn known_prefix(desired: &Data, name: &str, prefix: Option<&str>, known: bool) -> Option<String> {
    let text = |name: &str| {
        let text = desired.value.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    if let Some(text) = text(name).or_else(|| prefix.and_then(text)) {
        return Some(stand_in::before(text).unwrap_or(text).to_owned());
    }
    let is_open = |name: &str| desired.unknown_at(&Path::root().join(name)).is_some();
    (prefix.is_some_and(is_open) || !known).then(String::new)
}
