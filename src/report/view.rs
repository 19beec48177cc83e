//! A plan as it may be printed. Secrets are removed from every value, the differences within one
//! document are one row, and who changed what is decided here: code that renders a view decides
//! none of that.
//!
//! A row for each difference; text, JSON and drift only write it. Which places of a value are
//! secret is found in one walk ([`super::secrets`]): a view hides them, a saved plan seals them,
//! messages learn them.

use crate::data::{Data, Path};
use crate::engine::plan::{
    Action, Change, ChangedBy, Difference, Importing, Op, OutputChange, Plan,
};
use crate::report::secrets::{Masked, SecretPaths, Veil};
use crate::resource::contents::Contents;
use crate::schema::Schema;
use crate::schema::document::parsed;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::slice;

/// What a plan does, without what must not be shown.
pub(crate) struct View<'p> {
    /// All resources, unchanged ones too.
    pub(crate) resources: Vec<Resource<'p>>,
    /// The outputs that change.
    pub(crate) outputs: Vec<Output<'p>>,
    /// The resources of which only the state changes: address, type and id.
    pub(crate) state_updates: Vec<[&'p str; 3]>,
}

/// What a plan does with one resource, or what somebody else did.
pub(crate) struct Resource<'p> {
    pub(crate) address: &'p str,
    pub(crate) type_name: &'p str,
    /// The id, or a word in its place.
    pub(crate) id: Option<&'p str>,
    pub(crate) action: Action,
    /// See [`Change::words`].
    pub(crate) words: Vec<&'static str>,
    pub(crate) reason: &'p str,
    pub(crate) before: Option<Masked<'p>>,
    pub(crate) after: Option<Masked<'p>>,
    /// The secret places of either, whether they are shown or not.
    pub(crate) sensitive: BTreeSet<Path>,
    /// What differs, in order.
    pub(crate) groups: Vec<Group<'p>>,
    /// How many properties do not differ.
    pub(crate) unchanged: usize,
    /// The names and values that the plan decided, as far as the type declares them and no other
    /// row has them.
    pub(crate) generated: Vec<(&'p str, Masked<'p>)>,
    pub(crate) importing: Option<&'p Importing>,
    pub(crate) holds: Option<&'p Contents>,
    pub(crate) moved_from: Option<&'p str>,
}

/// Differences that are read together: those within one document, or a single one.
pub(crate) struct Group<'p> {
    parts: Vec<Row<'p>>,
    /// The document, where the parts can be shown as one.
    whole: Option<Row<'p>>,
}

/// How a property is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Value,
    Json,
    Policy,
}

/// One property, its three values and what is to be said of them.
pub(crate) struct Row<'p> {
    pub(crate) path: Path,
    pub(crate) kind: Kind,
    pub(crate) applied: Option<Masked<'p>>,
    pub(crate) live: Option<Masked<'p>>,
    pub(crate) desired: Option<Masked<'p>>,
    pub(crate) by: ChangedBy,
    pub(crate) replaces: bool,
    /// Whether AWS may refuse to change it in place.
    pub(crate) may_replace: bool,
    /// Whether all of it is secret.
    pub(crate) secret: bool,
    /// What the content is called that differs.
    pub(crate) content: Option<&'p str>,
}

/// The change of one output.
pub(crate) struct Output<'p> {
    pub(crate) name: &'p str,
    pub(crate) action: Action,
    /// From the value in the state to the one after.
    pub(crate) row: Row<'p>,
}

impl<'p> Resource<'p> {
    /// The differences, each for itself.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row<'p>> {
        self.groups.iter().flat_map(|group| &group.parts)
    }

    /// The differences, those within one document as one where that can be.
    pub(crate) fn folded(&self) -> impl Iterator<Item = &Row<'p>> {
        self.groups.iter().flat_map(|group| match &group.whole {
            Some(row) => slice::from_ref(row),
            None => &group.parts,
        })
    }
}

impl Row<'_> {
    /// Whether it is a key of a map that only the service has.
    pub(crate) fn is_others(&self) -> bool {
        self.by == ChangedBy::Outside && self.applied.is_none() && self.desired.is_none()
    }
}

/// The view of a plan; `show_secrets` leaves its secrets in.
pub(crate) fn view(plan: &Plan, show_secrets: bool) -> View<'_> {
    let by_address = plan.by_address();
    let state_updates = plan.steps.iter().filter_map(|step| {
        let change = by_address.get(step.address.as_str())?;
        match &step.op {
            Op::UpdateState { id, .. } if change.action == Action::NoOp => {
                let id = SecretPaths::of_change(change).masked_id(id);
                Some([&step.address, &step.type_name, id])
            }
            _ => None,
        }
    });
    let (resources, outputs) = (plan.changes.iter(), plan.outputs.iter());
    View {
        state_updates: state_updates.collect(),
        resources: resources
            .map(|change| resource(change, show_secrets))
            .collect(),
        outputs: outputs
            .map(|(name, change)| output(name, change, show_secrets))
            .collect(),
    }
}

/// The view of one change.
pub(crate) fn resource<'p>(change: &'p Change, show_secrets: bool) -> Resource<'p> {
    let paths = SecretPaths::of_change(change);
    let veil = Veil::new(&paths, change.schema.0, show_secrets);
    let mut sensitive = BTreeSet::new();
    let mut side = |data: &'p Option<Data>| {
        let data = data.as_ref()?;
        let shown = veil.data(data);
        sensitive.extend(shown.secret.iter().chain(&data.secret).cloned());
        Some(shown)
    };
    Resource {
        address: &change.address,
        type_name: &change.type_name,
        id: change.id.as_deref().map(|id| paths.masked_id(id)),
        action: change.action,
        words: change.words(),
        reason: &change.reason,
        before: side(&change.before),
        after: side(&change.after),
        sensitive,
        groups: groups(change, veil),
        unchanged: change.unchanged,
        generated: generated(change, &paths, show_secrets),
        importing: change.importing.as_ref(),
        holds: change.holds.as_ref(),
        moved_from: change.moved_from.as_deref(),
    }
}

fn generated<'p>(
    change: &'p Change,
    paths: &SecretPaths,
    show_secrets: bool,
) -> Vec<(&'p str, Masked<'p>)> {
    let Some(schema) = change.schema.0 else {
        return Vec::new();
    };
    let given = change
        .after
        .iter()
        .filter_map(|data| data.value.as_object());
    let given: Vec<&Value> = given.flat_map(|map| map.values()).collect();
    let others = change.decided.iter().filter(|(name, _)| *name != "id");
    let others: Vec<&Value> = others.map(|(_, value)| value).collect();
    let is_told = |name: &str, value| {
        let declared = schema.has_output(name) || schema.has_property(name);
        let repeats = name == "id" && others.contains(&value);
        declared && !repeats && !given.contains(&value)
    };
    let told = change.decided.iter();
    let told = told.filter(|(name, value)| is_told(name, *value));
    told.map(|(name, value)| {
        let secret = schema.is_sensitive(name) || paths.covers(name);
        let paths = SecretPaths::whole(secret);
        let shown = Veil::new(&paths, None, show_secrets).value(value);
        (name.as_str(), shown)
    })
    .collect()
}

fn groups<'p>(change: &'p Change, veil: Veil<'_>) -> Vec<Group<'p>> {
    let mut groups = Vec::new();
    let mut rest = change.differences.as_slice();
    while let Some(first) = rest.first() {
        let document = document_root(change.schema.0, &first.path);
        let (root, kind) = document.unwrap_or_else(|| (first.path.clone(), Kind::Value));
        let within = rest.iter().take_while(|row| row.path.is_within(&root));
        let (group, others) = rest.split_at(within.count());
        rest = others;
        let kind_of = |row: &Difference| if row.path == root { kind } else { Kind::Value };
        groups.push(Group {
            parts: group
                .iter()
                .map(|one| Row {
                    may_replace: may_replace(change, one),
                    ..row(one, kind_of(one), veil)
                })
                .collect(),
            whole: match first.path == root {
                true => None,
                false => whole(change, &root, group, kind, veil),
            },
        });
    }
    groups
}

/// The document that `path` is, or lies in.
fn document_root(schema: Option<&Schema>, path: &Path) -> Option<(Path, Kind)> {
    let mut along = schema?.along(path).enumerate();
    let document = |(depth, schema): (usize, &'_ Value)| {
        let kind = match schema.get("document")?.as_str() {
            Some("policy") => Kind::Policy,
            _ => Kind::Json,
        };
        Some((depth, kind))
    };
    let (depth, kind) = along.find_map(document)?;
    let segments = path.segments().take(depth + 1);
    let root = segments.fold(Path::root(), |root, segment| root.join(segment));
    Some((root, kind))
}

/// Whether AWS may refuse an update because of this difference, by the type's schema.
fn may_replace(change: &Change, difference: &Difference) -> bool {
    let declared = change.schema.0.filter(|_| change.action == Action::Update);
    declared.is_some_and(|schema| schema.flag(&difference.path, "conditionalCreateOnly"))
}

fn row<'p>(difference: &'p Difference, kind: Kind, veil: Veil<'_>) -> Row<'p> {
    let veil = veil.at(&difference.path);
    let shown = |value: &'p Option<Value>| value.as_ref().map(|value| veil.value(value));
    Row {
        path: difference.path.clone(),
        kind,
        applied: shown(&difference.applied),
        live: shown(&difference.live),
        desired: difference.desired.as_ref().map(|data| veil.data(data)),
        by: difference.by,
        replaces: difference.replaces,
        may_replace: false,
        secret: difference.secret,
        content: difference.content.as_deref(),
    }
}

/// The differences within one document as one row: the document before and after.
fn whole<'p>(
    change: &Change,
    root: &Path,
    group: &[Difference],
    kind: Kind,
    veil: Veil<'_>,
) -> Option<Row<'p>> {
    let veil = veil.at(root);
    let before = document(change.before.as_ref()?, root)?;
    let after = document(change.after.as_ref()?, root)?;
    let mut applied = before.value.clone();
    for difference in group {
        let path = difference.path.below(root)?;
        match &difference.applied {
            Some(value) => path.set(&mut applied, value.clone()),
            None => path.remove(&mut applied),
        }
    }
    let by = group.iter().map(|difference| difference.by);
    let shown = |data: Data| veil.show(Cow::Owned(data.value), &data.unknown);
    Some(Row {
        path: root.clone(),
        kind,
        applied: Some(shown(applied.into())),
        live: Some(shown(before)),
        desired: Some(shown(after)),
        by: by.reduce(|a, b| if a == b { a } else { ChangedBy::Both })?,
        replaces: group.iter().any(|difference| difference.replaces),
        may_replace: group.iter().any(|one| may_replace(change, one)),
        secret: false,
        content: None,
    })
}

/// The document at `path`, parsed where it is given as a string.
fn document(data: &Data, path: &Path) -> Option<Data> {
    let mut data = data.get(path)?;
    if let Value::String(text) = &data.value
        && let Some(parsed) = parsed(text)
    {
        data.value = parsed;
    }
    Some(data)
}

fn output<'p>(name: &'p str, change: &'p OutputChange, show_secrets: bool) -> Output<'p> {
    let paths = SecretPaths::of_output(change);
    let veil = Veil::new(&paths, None, show_secrets);
    let before = |value: &'p Value| {
        let mut shown = veil.value(value);
        if change.sensitive && value.is_null() {
            // The state does not keep what it was.
            shown.hidden.insert(Path::root(), None);
        }
        shown
    };
    Output {
        name,
        action: match (&change.before, &change.after) {
            (None, _) => Action::Create,
            (_, None) => Action::Delete,
            _ => Action::Update,
        },
        row: Row {
            path: Path::root(),
            kind: Kind::Value,
            applied: None,
            live: change.before.as_ref().map(before),
            desired: change.after.as_ref().map(|data| veil.data(data)),
            by: ChangedBy::File,
            replaces: false,
            may_replace: false,
            secret: change.sensitive,
            content: None,
        },
    }
}

#[cfg(test)]
mod tests;
