//! What a read of a resource is asked for, and what it returns.
//!
//! What may not be read is denied, not absent: a property whose read AWS denies counts as last known,
//! is printed once with the action that would give it, and makes no difference. Where the tags decide
//! whose a resource is, the lookup fails and names the action; a queue is proven by its own create
//! instead, which SQS refuses where the tags differ.
//!
//! What a resource holds is not compared when a saved plan is applied. Only a bucket costs a call
//! of its own (one page of versions), made in the same round for buckets that are deleted.

use super::contents::Contents;
use crate::data::Attributes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// What a read is asked for.
#[derive(Debug, Default)]
pub struct Read {
    /// The resource's id.
    pub id: String,
    /// Its attributes as last known: properties over outputs.
    pub attributes: Attributes,
    /// The properties that the file or the state gives a value; none: all of them.
    pub wanted: Option<BTreeSet<String>>,
    /// Whether the resource is to be deleted: what it holds is counted, though it takes a call.
    pub counts: bool,
    denied: Mutex<Denied>,
}

/// The actions that a read was denied, by the property that each would have given.
pub type Denied = BTreeMap<&'static str, &'static str>;

/// What a read returns.
#[derive(Debug, Default)]
pub struct Seen {
    /// The live attributes, properties and outputs in one JSON object; none where the resource does
    /// not exist.
    pub live: Option<Attributes>,
    /// What the resource holds, where it was counted.
    pub held: Option<Contents>,
    /// What was denied. Each of these properties is as last known in `live`.
    pub denied: Denied,
}

impl Read {
    /// A read of all properties.
    pub fn new(id: impl Into<String>, attributes: Attributes) -> Self {
        Self {
            id: id.into(),
            attributes,
            ..Self::default()
        }
    }

    /// This read, of these properties alone.
    #[must_use]
    pub fn of(self, wanted: BTreeSet<String>) -> Self {
        Self {
            wanted: Some(wanted),
            ..self
        }
    }

    /// Whether the read has any use for this property. Reads skip calls that only serve
    /// properties nobody gave a value.
    pub fn wants(&self, property: &str) -> bool {
        let wanted = self.wanted.as_ref();
        wanted.is_none_or(|wanted| wanted.contains(property))
    }

    /// Records that the read was denied a property, and which action would give it. It then counts
    /// as last known: that it cannot be read does not make it absent.
    pub fn denied(&self, property: &'static str, action: &'static str) {
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        denied.insert(property, action);
    }

    /// What [`Read::denied`] recorded since it was last asked.
    pub(super) fn take_denied(&self) -> Denied {
        std::mem::take(&mut *self.denied.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
