//! One resource of the file: a block, or with `forEach` one of its instances.

use super::contents::Named;
use super::identity::{self, Same};
use super::{Action, Change};
use crate::content::Content;
use crate::data::{Attributes, Data, Path};
use crate::engine::address::ResourceKey;
use crate::resource::ResourceType;
use crate::store::state::{SavedOptions, State};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// `each` of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Each {
    /// `each.key`.
    pub key: String,
    /// `each.value`.
    pub value: Data,
}

/// A resource of the file, with what the plan decided about it.
#[derive(Clone)]
pub struct Instance {
    /// The block's name.
    pub block: String,
    /// `each`, for one of several.
    pub each: Option<Each>,
    /// The type.
    pub kind: &'static dyn ResourceType,
    /// The addresses that must be created before it.
    pub uses: Arc<BTreeSet<String>>,
    /// Those among them that must outlive it.
    pub dependencies: Arc<BTreeSet<String>>,
    /// `options.deleteBeforeReplace`.
    pub delete_first: bool,
    /// The live attributes, of what is updated or replaced.
    pub live: Option<Attributes>,
    /// Where it stays as it is, since it comes from a secret that is not known.
    pub unkept: BTreeSet<Path>,
    /// What its properties stand for.
    pub files: BTreeMap<Path, Named>,
    /// `options.ignoreChanges`.
    pub ignored: Vec<Path>,
    /// The options that the state keeps.
    pub options: SavedOptions,
    /// The addresses that `options.movedFrom` names.
    pub former: Vec<String>,
    /// What is done.
    pub change: Change,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("change", &self.change)
            .finish_non_exhaustive()
    }
}

impl Instance {
    /// The contents that its properties stand for, as far as they are known.
    pub fn contents(&self) -> BTreeMap<Path, Content> {
        let files = self.files.iter();
        files
            .filter_map(|(path, named)| Some((path.clone(), named.content.clone()?)))
            .collect()
    }

    /// Its row of the plan. Nobody asks again for the values of one that stays as it is, or
    /// that neither stands for contents nor gives rights, so they move: most are like that.
    pub(super) fn take_row(&mut self) -> Change {
        let known = self.change.after.as_ref().is_none_or(Data::is_known);
        let stays = self.change.is_nothing() && known;
        let is_asked = !self.files.is_empty() || self.kind.rights().is_some();
        if !stays && is_asked {
            return self.change.clone();
        }
        let named = Change {
            address: self.change.address.clone(),
            type_name: self.change.type_name.clone(),
            id: None,
            action: self.change.action,
            reason: String::new(),
            before: None,
            after: None,
            differences: Vec::new(),
            ..Change::default()
        };
        std::mem::replace(&mut self.change, named)
    }

    /// Takes it out of the plan: it stays as it is.
    pub(super) fn leave_alone(&mut self) {
        self.change.action = Action::NoOp;
        self.change.reason = "excluded by --target or --exclude".to_owned();
        if self.change.importing.take().is_some() {
            self.change.id = None;
        }
        self.change.differences.clear();
        self.change.after = self.change.before.clone();
        self.change.decided.clear();
    }

    /// Whether a replacement has the name that it has now, for sure.
    pub(super) fn keeps_its_name(&self, state: &State) -> bool {
        self.keeps_identity(state, &BTreeSet::new())
    }

    /// Whether its name at the service stays the same, so that old and new cannot exist at the same
    /// time. A part that is still unknown may turn out the same where it comes from a resource that
    /// is recreated.
    fn keeps_identity(&self, state: &State, again: &BTreeSet<String>) -> bool {
        let change = &self.change;
        let known = state.resources.get(&change.address);
        let same_type = known.is_some_and(|known| known.type_name == change.type_name);
        let (Some(after), Some(live), true) = (&change.after, &self.live, same_type) else {
            return false;
        };
        match identity::compared(self.kind, (after, &change.decided), live) {
            Same::Yes => true,
            Same::Perhaps => !self.uses.is_disjoint(again),
            Same::No => false,
        }
    }
}

/// The instances that `forEach` asks for.
///
/// # Errors
/// A sentence on what it should have been.
pub fn keys(data: &Data) -> Result<Vec<Each>, String> {
    if let Some(expression) = data.unknown_at(&Path::root()) {
        return Err(unknown_keys(expression));
    }
    if !data.secret.is_empty() && data.is_secret(&Path::root()) {
        return Err(SECRET_KEYS.to_owned());
    }
    let part = |path: Path| data.get(&path).unwrap_or_default();
    match &data.value {
        Value::Object(map) => Ok(map
            .keys()
            .map(|key| Each {
                key: key.clone(),
                value: part(Path::root().join(key)),
            })
            .collect()),
        Value::Array(list) => {
            let mut keys = BTreeSet::new();
            for (index, item) in list.iter().enumerate() {
                let at = Path::root().join(index);
                if let Some(expression) = data.unknown_at(&at) {
                    return Err(unknown_keys(expression));
                }
                if data.secret.iter().any(|secret| secret.is_within(&at)) {
                    return Err(SECRET_KEYS.to_owned());
                }
                let Some(key) = item.as_str() else {
                    return Err("forEach takes a map, or a list of distinct strings".to_owned());
                };
                if !keys.insert(key.to_owned()) {
                    return Err(format!("forEach has \"{key}\" twice"));
                }
            }
            let each = |key: String| Each {
                value: Value::from(key.as_str()).into(),
                key,
            };
            Ok(keys.into_iter().map(each).collect())
        }
        _ => Err("forEach takes a map, or a list of distinct strings".to_owned()),
    }
}

const SECRET_KEYS: &str = "forEach must not be secret: its keys are part of the addresses";

fn unknown_keys(expression: &str) -> String {
    format!("the keys of forEach must be known when the plan is made, and {expression} is not")
}

/// Decides which replacements delete first: those asked to, those whose name stays the
/// same, and those in `first`, which would else wait in a circle.
pub(super) fn decide_replacements(
    instances: &mut [Instance],
    state: &State,
    first: &BTreeSet<ResourceKey>,
) {
    // A resource that vanished and is recreated, or is deleted first, may get its old name again.
    let mut again = BTreeSet::new();
    for found in instances {
        let address = &found.change.address;
        if found.change.action == Action::CreateThenDelete
            && (found.delete_first
                || first.contains(&(address.clone(), None))
                || found.keeps_identity(state, &again))
        {
            found.change.action = Action::DeleteThenCreate;
        }
        let anew = found.change.action == Action::Create && state.resources.contains_key(address);
        if anew || found.change.action == Action::DeleteThenCreate {
            again.insert(address.clone());
        }
    }
}

/// The instances by address.
pub(crate) fn by_address(instances: &[Instance]) -> BTreeMap<&str, &Instance> {
    instances
        .iter()
        .map(|found| (found.change.address.as_str(), found))
        .collect()
}
