//! The steps of a plan, and what waits for what.

use super::case::{KEY, Known};
use super::expect::{Fate, Oracle, base};
use stackctl::store::state::deposed_address;
use std::collections::BTreeSet;

/// Something that a plan has a step for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Move(String),
    Import(String),
    Depose(String),
    /// The create or update of an address.
    Write(String),
    /// The delete or forget of a resource of the state, by its address or that of a leftover.
    Remove(String),
    /// The state takes in what the file says.
    Adopt(String),
}

impl Oracle<'_> {
    pub fn steps(&mut self) {
        for to in self.out.moved.keys() {
            self.out.steps.insert(Node::Move(to.clone()), "move");
        }
        for (address, fate) in self.out.fates.clone() {
            self.steps_of(&address, fate);
        }
        self.out.waits = self.waits();
        self.out.is_tangled = circle(&self.out.waits);
    }

    fn steps_of(&mut self, address: &String, fate: Fate) {
        let block = self
            .file
            .iter()
            .find(|(it, _)| it == address)
            .map(|(_, block)| *block);
        let retain = block.is_some_and(|block| block.retain);
        let remove = if retain { "forget" } else { "delete" };
        let (write, node) = (Node::Write(address.clone()), Node::Remove(address.clone()));
        let imported = self.out.imported.contains(address);
        let mut put = |node: Node, word| {
            self.out.steps.insert(node, word);
        };
        match fate {
            Fate::Create => put(write.clone(), "create"),
            Fate::Update => put(write.clone(), "update"),
            Fate::Replace(first) => {
                put(write.clone(), "create");
                put(node, remove);
                if !first {
                    put(Node::Depose(address.clone()), "depose");
                }
            }
            Fate::Delete => put(node, "delete"),
            Fate::Forget => put(node, "forget"),
            Fate::Stays => {}
        }
        if imported {
            put(Node::Import(address.clone()), "import");
        }
        let (Some(block), Some((wanted, unknown))) = (block, self.wanted.get(address)) else {
            return;
        };
        if let Some(known) = self.known.get(address).filter(|_| imported) {
            let as_it_is = fate == Fate::Stays;
            let taken_in = if as_it_is { wanted } else { &known.applied };
            self.out.taken_in.insert(address.clone(), taken_in.clone());
        }
        if fate != Fate::Stays {
            self.out
                .given
                .insert(address.clone(), (wanted.clone(), unknown.clone()));
        } else if let (Some(known), false) = (self.known.get(address), imported) {
            let is_same = known.applied == *wanted
                && known.needs == self.uses(block, true)
                && (known.protect, known.retain) == (block.protect, block.retain);
            if !is_same {
                self.out.steps.insert(Node::Adopt(address.clone()), "adopt");
            }
        }
    }

    /// What waits for what.
    fn waits(&self) -> BTreeSet<(Node, Node)> {
        let fate = |address: &String| self.out.fates.get(address).copied().unwrap_or(Fate::Stays);
        // What is there in its new form after this.
        let written = |address: &String| match fate(address) {
            Fate::Create | Fate::Update | Fate::Replace(_) => Some(Node::Write(address.clone())),
            Fate::Stays if self.out.imported.contains(address) => {
                Some(Node::Import(address.clone()))
            }
            _ => None,
        };
        let removed = |object: &String| match fate(object) {
            Fate::Delete | Fate::Forget | Fate::Replace(_) => Some(Node::Remove(object.clone())),
            _ => None,
        };
        let mut waits = BTreeSet::new();
        for (address, block) in &self.file {
            let (write, depose) = (Node::Write(address.clone()), Node::Depose(address.clone()));
            let Some(last) = written(address) else {
                continue;
            };
            let first = if fate(address) == Fate::Replace(false) {
                &depose
            } else {
                &write
            };
            if last == write {
                waits.extend(
                    self.uses(block, false)
                        .iter()
                        .filter_map(|needed| Some((first.clone(), written(needed)?))),
                );
                if self.out.imported.contains(address) {
                    waits.insert((write.clone(), Node::Import(address.clone())));
                }
            }
            match fate(address) {
                Fate::Replace(true) => drop(waits.insert((write, Node::Remove(address.clone())))),
                Fate::Replace(false) => {
                    waits.insert((Node::Remove(address.clone()), write.clone()));
                    waits.insert((write, depose));
                }
                _ => {}
            }
        }
        let leftovers = self.leftovers.iter();
        let leftovers = leftovers.map(|(address, known)| (deposed_address(address, KEY), known));
        let current = self
            .known
            .iter()
            .map(|(address, known)| (address.clone(), known));
        let objects: Vec<(String, &Known)> = current.chain(leftovers).collect();
        for (object, known) in &objects {
            let Some(remove) = removed(object) else {
                continue;
            };
            let goes_first = fate(object) == Fate::Replace(true);
            for (user, _) in objects
                .iter()
                .filter(|(_, user)| user.needs.contains(object))
            {
                waits.extend(removed(user).map(|user| (remove.clone(), user)));
                waits.extend(
                    written(user)
                        .filter(|_| !goes_first)
                        .map(|user| (remove.clone(), user)),
                );
            }
            // A name is free once what has it is deleted.
            let name = known
                .applied
                .get("name")
                .or_else(|| known.live.as_ref()?.get("name"));
            let deletes = self.out.steps.get(&remove) == Some(&"delete");
            for (address, block) in self.file.iter().filter(|_| deletes) {
                let wanted = self.wanted[address].0.get("name");
                if name.is_some()
                    && wanted == name
                    && block.kind == known.kind
                    && fate(address).creates()
                {
                    waits.insert((Node::Write(address.clone()), remove.clone()));
                }
            }
        }
        for to in self.out.moved.keys() {
            let later = self.out.steps.keys().filter(|node| {
                let (Node::Move(at)
                | Node::Import(at)
                | Node::Depose(at)
                | Node::Write(at)
                | Node::Remove(at)
                | Node::Adopt(at)) = node;
                base(at) == to && !matches!(node, Node::Move(_))
            });
            waits.extend(later.map(|node| (node.clone(), Node::Move(to.clone()))));
        }
        waits
    }
}

/// Whether something waits for itself.
fn circle(waits: &BTreeSet<(Node, Node)>) -> bool {
    let mut left: BTreeSet<&Node> = waits.iter().flat_map(|(a, b)| [a, b]).collect();
    loop {
        let waiting = |node: &&Node| waits.iter().any(|(a, b)| a == *node && left.contains(b));
        let more: BTreeSet<&Node> = left.iter().copied().filter(waiting).collect();
        if more.len() == left.len() {
            return !left.is_empty();
        }
        left = more;
    }
}
