//! How a type relates to the types of the resources that it names: what happens to it when they are
//! deleted, which two exclude each other, and what must come before what among the resources of one
//! parent.
//!
//! This is declared in each type ([`Resource::PARENTS`](super::Resource::PARENTS),
//! [`Resource::AFTER`](super::Resource::AFTER)), so that the planner knows no type's name.

use super::rules::Rules;
use crate::schema::broken::Broken;
use serde_json::Value;

/// What happens to a resource when the one that it names is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted by the service with it.
    DiesWith,
    /// The service refuses to delete the other as long as it exists.
    Stops,
    /// It stays, and works again once another of the same name exists.
    Survives,
}

/// Why two resources cannot be in one stack, at a property of the first; none where they can.
/// Given the resource, and the one that it names or that is its sibling.
pub type Conflict = fn(own: &Rules<'_>, other: &Rules<'_>) -> Option<Broken>;

/// A type that a property names resources of.
#[derive(Debug, Clone, Copy)]
pub struct Parent {
    /// The type that is named.
    pub type_name: &'static str,
    /// The property that names it, in dotted form; a list names several.
    pub property: &'static str,
    /// The outputs of the parent that the property may hold.
    pub by: &'static [&'static str],
    /// What happens to the resource when the parent is deleted.
    pub fate: Fate,
    /// What the property holds and the output holds, in the form in which they are the same.
    pub key: fn(&str) -> String,
    /// What excludes one in the presence of the other.
    pub conflict: Option<Conflict>,
}

impl Parent {
    /// A resource that is deleted with what the property names.
    pub const fn dies_with(
        type_name: &'static str,
        property: &'static str,
        by: &'static [&'static str],
    ) -> Self {
        Self {
            type_name,
            property,
            by,
            fate: Fate::DiesWith,
            key: str::to_owned,
            conflict: None,
        }
    }

    /// A resource because of which what the property names cannot be deleted.
    pub const fn stops(
        type_name: &'static str,
        property: &'static str,
        by: &'static [&'static str],
    ) -> Self {
        Self {
            fate: Fate::Stops,
            ..Self::dies_with(type_name, property, by)
        }
    }

    /// A resource that stays when what the property names is deleted.
    pub const fn survives(
        type_name: &'static str,
        property: &'static str,
        by: &'static [&'static str],
    ) -> Self {
        Self {
            fate: Fate::Survives,
            ..Self::dies_with(type_name, property, by)
        }
    }

    /// The same, with names compared in this form.
    #[must_use]
    pub const fn keyed(self, key: fn(&str) -> String) -> Self {
        Self { key, ..self }
    }

    /// The same, with what excludes the two.
    #[must_use]
    pub const fn unless(self, conflict: Conflict) -> Self {
        Self {
            conflict: Some(conflict),
            ..self
        }
    }
}

/// A type of which resources come before those of another type that have the same parent,
/// whether or not a reference says so: a create or an update waits for theirs.
#[derive(Debug, Clone, Copy)]
pub struct After {
    /// The type that comes first.
    pub type_name: &'static str,
    /// The property of both that names the parent, in dotted form; the empty string where that is
    /// the account and region.
    pub property: &'static str,
    /// When the sibling is deleted: whether a create or update comes after that, too (the sibling
    /// in the way must no longer exist), or before it.
    pub after_deletion: bool,
    /// Whether the sibling is deleted after this one is.
    pub deleted_before: bool,
    /// Whether it holds between these two at all, given the properties of this resource and
    /// of the sibling.
    pub applies: fn(own: &Value, sibling: &Value) -> bool,
    /// Whether an update of the sibling, from these properties to those, comes after what this
    /// resource does instead: it would refuse what exists until then.
    pub closes: fn(from: &Value, to: &Value) -> bool,
    /// What excludes one in the presence of the other; see [`Parent::conflict`].
    pub conflict: Option<Conflict>,
}

impl After {
    /// After the siblings of this type, by the property that names the parent of both; deleted
    /// before them.
    pub const fn siblings(type_name: &'static str, property: &'static str) -> Self {
        Self {
            type_name,
            property,
            after_deletion: true,
            deleted_before: true,
            applies: |_, _| true,
            closes: |_, _| false,
            conflict: None,
        }
    }
}

/// A flag of a resource that an update switches on.
pub fn turned_on(from: &Value, to: &Value, flags: &[&str]) -> bool {
    let is_on = |props: &Value, flag: &str| props[flag] == Value::Bool(true);
    flags
        .iter()
        .any(|flag| is_on(to, flag) && !is_on(from, flag))
}
