//! What steps wait for though neither the file nor the state asks for it: a resource for the one
//! that it names by a value, siblings for each other, a name for the one that has it. What the file
//! asks for wins: where such an edge would close a circle, it is omitted.

use super::identity;
use super::order::Edge;
use super::order::{Order, circle};
use super::planned::Planned;
use super::relations;
use super::siblings;
use super::{Op, StepId};
use crate::data::{Attributes, Path};
use crate::resource::ResourceType;
use crate::resource::relation::Fate;
use std::collections::{BTreeMap, BTreeSet, HashMap};

impl Order<'_> {
    /// Adds these edges.
    pub(super) fn soft(&mut self, planned: &Planned) {
        if self.steps.is_empty() {
            return;
        }
        let mut edges = self.before_what_survives();
        edges.extend(self.names_perhaps());
        edges.extend(siblings::edges(self, planned));
        self.add(edges);
    }

    /// Lets what names another resource by a value come after it, as a reference does: deletions are
    /// ordered by that, too. No deletion is ordered yet.
    pub(super) fn named(&mut self, planned: &Planned) {
        let edges = self.after_what_is_named(planned);
        self.add(edges);
    }

    /// The step that deletes a resource.
    pub(super) fn deletion_steps(&self) -> BTreeMap<(&str, Option<&str>), StepId> {
        let deletions = self.deletions.iter();
        deletions
            .map(|deletion| {
                let (address, key) = &deletion.key;
                ((address.as_str(), key.as_deref()), deletion.step)
            })
            .collect()
    }

    /// A resource is created or changed after the one that it names by a value.
    fn after_what_is_named(&self, planned: &Planned) -> Vec<Edge> {
        let address = |at: usize| &planned.instances[at].change.address;
        let links = planned.links.iter();
        let links = links.filter(|link| {
            let needed = &planned.instances[link.child].uses;
            !needed.contains(address(link.parent))
        });
        links
            .filter_map(|link| {
                let step = |at| self.makes.get(address(at)).copied();
                Some((step(link.child)?, step(link.parent)?))
            })
            .collect()
    }

    /// What stays when the resource that it names is deleted goes before it where both go.
    fn before_what_survives(&self) -> Vec<Edge> {
        let steps = self.deletion_steps();
        let step = |object: &(String, Option<String>)| {
            steps
                .get(&(object.0.as_str(), object.1.as_deref()))
                .copied()
        };
        let named = self.named.iter();
        let named = named.filter(|named| named.row.fate == Fate::Survives);
        named
            .filter_map(|named| Some((step(&named.parent)?, step(&named.child)?)))
            .collect()
    }

    /// A create of which the name is known in part comes after the deletion of what may have
    /// that name.
    fn names_perhaps(&self) -> Vec<Edge> {
        let creates = self.named_in_part();
        let mut parts: HashMap<&str, BTreeSet<&[&str]>> = HashMap::new();
        for create in &creates {
            let them = parts.entry(create.kind.name()).or_default();
            them.insert(&create.parts);
        }
        let mut taken: HashMap<String, Vec<StepId>> = HashMap::new();
        for deletion in &self.deletions {
            let known = relations::resource_of(&self.world.state, &deletion.key);
            let (Some(known), Op::Delete { .. }) = (known, &self.steps[deletion.step].op) else {
                continue;
            };
            let Some(kind) = self.types.resource(&known.type_name) else {
                continue;
            };
            for parts in parts.get(kind.name()).into_iter().flatten() {
                let attributes = Attributes::of(&known.inputs, &known.outputs);
                if let Some(name) = in_part(kind, parts, &attributes) {
                    taken.entry(name).or_default().push(deletion.step);
                }
            }
        }
        let found = |create: &NamedInPart| {
            let name = in_part(create.kind, &create.parts, &create.attributes)?;
            let step = create.step;
            Some(taken.get(&name)?.iter().map(move |gone| (step, *gone)))
        };
        creates.iter().filter_map(found).flatten().collect()
    }

    /// The creates whose name is only partly known.
    fn named_in_part(&self) -> Vec<NamedInPart> {
        let mut creates = Vec::new();
        for (id, step) in self.steps.iter().enumerate() {
            let Op::Create {
                inputs, decided, ..
            } = &step.op
            else {
                continue;
            };
            let Some(kind) = self.types.resource(&step.type_name) else {
                continue;
            };
            let is_known = |name: &&str| inputs.unknown_at(&Path::root().join(*name)).is_none();
            let parts: Vec<&str> = kind.identity().iter().copied().filter(is_known).collect();
            if !parts.is_empty() && parts.len() < kind.identity().len() {
                creates.push(NamedInPart {
                    step: id,
                    kind,
                    attributes: Attributes::new(decided.clone()).with(&inputs.value),
                    parts,
                });
            }
        }
        creates
    }

    /// Adds edges that close no circle: first all of them; where that closes one, those on it
    /// are tried one by one.
    fn add(&mut self, edges: Vec<Edge>) {
        let mut new: BTreeSet<Edge> = edges.into_iter().collect();
        new.retain(|(step, before)| step != before && !self.steps[*step].after.contains(before));
        if new.is_empty() || !circle(&self.steps).is_empty() {
            return;
        }
        for (step, before) in &new {
            self.steps[*step].after.insert(*before);
        }
        let circle = circle(&self.steps);
        let within = |edge: &&Edge| circle.contains(&edge.0) && circle.contains(&edge.1);
        let doubtful: Vec<Edge> = new.iter().filter(within).copied().collect();
        for (step, before) in &doubtful {
            self.steps[*step].after.remove(before);
        }
        for (step, before) in doubtful {
            if !self.comes_after(before, step) {
                self.steps[step].after.insert(before);
            }
        }
    }

    /// Whether a step waits for another, directly or not.
    fn comes_after(&self, step: StepId, other: StepId) -> bool {
        let mut seen = BTreeSet::from([step]);
        let mut todo = vec![step];
        while let Some(id) = todo.pop() {
            if id == other {
                return true;
            }
            let more = self.steps[id].after.iter().copied();
            todo.extend(more.filter(|id| seen.insert(*id)));
        }
        false
    }
}

/// A create whose name is partly known.
struct NamedInPart {
    step: StepId,
    kind: &'static dyn ResourceType,
    parts: Vec<&'static str>,
    attributes: Attributes,
}

/// A part of a resource's name, together with its type and the part's place in the name.
fn in_part(kind: &dyn ResourceType, parts: &[&str], attributes: &Attributes) -> Option<String> {
    let name = identity::part(kind, parts, attributes)?;
    let type_name = kind.name();
    Some(format!("{type_name} {} {name}", parts.join(" ")))
}
