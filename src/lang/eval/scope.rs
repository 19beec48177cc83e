//! What an expression may refer to.

use super::budget::Budget;
use crate::data::{Data, Path};

/// What an expression may refer to.
pub trait Scope {
    /// The variable of that name.
    fn var(&self, name: &str) -> Option<&Data>;
    /// The local of that name, evaluated.
    fn local(&self, name: &str) -> Option<&Data>;
    /// What the data source of that name returned.
    fn data(&self, name: &str) -> Option<&Data>;
    /// The attributes of the resource of that name: properties and outputs in one object.
    /// With `forEach` an object of such objects, by key; null where `when` is false.
    fn resource(&self, name: &str) -> Option<&Data>;
    /// `each.key` and `each.value`, inside a resource with `forEach`.
    fn each(&self) -> Option<(&Data, &Data)>;
    /// `stack`: an object with `name`, `dir` and `env`.
    fn stack(&self) -> &Data;
    /// Reads a file for `file()` and its like; a relative path starts at the stack's folder.
    /// The error says why, as a clause.
    fn file(&self, path: &str) -> Result<Vec<u8>, String>;

    /// What the evaluations of the stack have used so far; none: this one stands alone.
    fn budget(&self) -> Option<&Budget> {
        None
    }

    /// Whether the resource has `forEach`, so that a splat goes over its instances. The
    /// default goes by the shape: an object of objects that has no `id`.
    fn instances(&self, name: &str) -> bool {
        self.resource(name).is_some_and(|data| {
            data.value.as_object().is_some_and(|map| {
                !map.is_empty()
                    && !map.contains_key("id")
                    && map.iter().all(|(key, value)| {
                        value.is_object() || data.unknown.contains_key(&Path::root().join(key))
                    })
            })
        })
    }
}
