//! Draws a case.

use super::case::{Block, Case, How, KEY, Kind, Known, Props, props};
use serde_json::{Value, json};
use stackctl::engine::plan::planned::Options;
use stackctl::store::state::deposed_address;
use std::collections::{BTreeMap, BTreeSet};

const BLOCKS: usize = 5;

/// Where choices come from: a byte each, and zero, the simplest, at the end.
pub struct Tape<'t>(pub &'t [u8]);

impl Tape<'_> {
    fn pick(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % count
    }

    /// Whether something happens that does in so many of a hundred cases.
    fn often(&mut self, percent: usize) -> bool {
        self.pick(100) >= 100 - percent
    }

    fn size(&mut self) -> Option<usize> {
        match self.pick(5) {
            4 => None,
            size => Some(1 + size % 3),
        }
    }
}

impl Case {
    pub fn draw(tape: &mut Tape<'_>) -> Self {
        let backwards = tape.often(50);
        let names: Vec<String> = (0..BLOCKS)
            .map(|at| format!("b{}", if backwards { BLOCKS - 1 - at } else { at }))
            .collect();
        let spare: Vec<usize> = (0..BLOCKS).map(|_| tape.pick(BLOCKS)).collect();
        let mut blocks: Vec<Block> = Vec::new();
        for at in 0..BLOCKS {
            let block = Block::draw(tape, at, &names, &blocks);
            blocks.push(block);
        }
        let mut case = Self {
            blocks,
            known: BTreeMap::new(),
            leftovers: BTreeMap::new(),
            options: Options::default(),
        };
        case.draw_state(tape, &spare);
        for at in 0..BLOCKS {
            case.draw_change(tape, at, &names);
        }
        case.draw_rename(tape);
        case.draw_flags(tape, &names);
        case
    }

    /// What the state has: mostly what the file says, some of it out of the file again, some older.
    fn draw_state(&mut self, tape: &mut Tape<'_>, spare: &[usize]) {
        let mut taken = BTreeSet::new();
        for (block, spare) in self.blocks.clone().into_iter().zip(spare) {
            for address in block.addresses() {
                if tape.often(75) {
                    let known = self.draw_known(tape, &block, &address, &mut taken, *spare);
                    self.known.insert(address.clone(), known);
                }
                if tape.often(15) {
                    let mut known = self.draw_known(tape, &block, &address, &mut taken, *spare);
                    known.id += "-old";
                    known.arn += "-old";
                    known.live.get_or_insert(known.applied.clone());
                    self.leftovers.insert(address, known);
                }
            }
        }
    }

    fn draw_known(
        &self,
        tape: &mut Tape<'_>,
        block: &Block,
        address: &str,
        taken: &mut BTreeSet<String>,
        spare: usize,
    ) -> Known {
        let mut plain = block.plain.clone();
        if tape.often(20) {
            plain.remove(block.kind.size());
            plain.extend(tape.size().map(|size| size_of(block.kind, size)));
        }
        if tape.often(15) {
            plain.insert("name", json!(format!("n{spare}")));
        }
        // A service has each name once.
        if let Some(name) = plain.get("name")
            && !taken.insert(format!("{} {name}", block.kind.type_name()))
        {
            plain.remove("name");
        }
        let mut needs = BTreeSet::new();
        let (mut texts, mut refers) = (BTreeMap::<How, String>::new(), block.refers.clone());
        if tape.often(20) {
            refers = refers.into_iter().take(1).collect();
        }
        for (how, to) in refers {
            for target in self.blocks[to].addresses() {
                let old = self.leftovers.get(&target).filter(|_| tape.often(30));
                let Some(found) = old.or_else(|| self.known.get(&target)) else {
                    continue;
                };
                if how != How::Weak {
                    needs.insert(match old {
                        Some(_) => deposed_address(&target, KEY),
                        None => target,
                    });
                }
                if how != How::DependsOn {
                    let text = texts.entry(how).or_default();
                    *text += &format!("{} ", found.arn);
                }
            }
        }
        let applied = props(block.kind, &plain, &texts);
        let mut live = applied.clone();
        live.entry("name")
            .or_insert_with(|| json!(format!("drawn-{address}")));
        if tape.often(15) {
            live.remove(block.kind.size());
            live.extend(tape.size().map(|size| size_of(block.kind, size)));
        }
        let others = |props: &Props| -> Props {
            let others = props.iter().filter(|(path, _)| **path != "name");
            others.map(|(path, value)| (*path, value.clone())).collect()
        };
        let is_same = others(&live) == others(&applied);
        let is_gone = tape.often(8);
        Known {
            kind: block.kind,
            id: format!("https://sqs.us-west-2.amazonaws.com/123456789012/{address}"),
            arn: format!("arn:{address}"),
            applied,
            live: (!is_gone).then_some(live),
            is_read: is_gone || !is_same || tape.often(50),
            needs,
            protect: block.protect ^ tape.often(4),
            retain: block.retain ^ tape.often(10),
        }
    }

    /// What the file says by now: blocks go, come under another name, and change.
    fn draw_change(&mut self, tape: &mut Tape<'_>, at: usize, names: &[String]) {
        let used = self.blocks.iter().any(|block| {
            let mut refers = block.refers.iter();
            refers.any(|(how, to)| *to == at && *how != How::DependsOn)
        });
        let block = &mut self.blocks[at];
        if !used && tape.often(15) {
            block.when = false;
        }
        if let Some(keys) = &mut block.keys
            && tape.often(30)
        {
            keys.pop();
        }
        if tape.often(10) {
            block.kind = [Kind::Policy, Kind::Queue][usize::from(block.kind == Kind::Policy)];
            block
                .refers
                .retain(|(how, _)| matches!(how, How::Open | How::DependsOn));
            let size = block
                .plain
                .remove("delaySeconds")
                .or(block.plain.remove("tags.size"));
            block.plain.extend(size.map(|_| size_of(block.kind, 1)));
            block.ignores = None;
        }
        if tape.often(3) {
            block.moved_from = Some(names[tape.pick(BLOCKS)].clone());
        } else if tape.often(12) && block.keys.is_none() && block.kind == Kind::Queue {
            let account = "https://sqs.us-west-2.amazonaws.com/123456789012";
            let id = format!("{account}/{}", names[tape.pick(BLOCKS)]);
            let mut live = block.plain.clone();
            live.entry("name").or_insert_with(|| json!("found"));
            if tape.often(40) {
                live.extend(tape.size().map(|size| size_of(Kind::Queue, size)));
            }
            live.insert("tags.plain", json!("x"));
            let found = Known {
                kind: Kind::Queue,
                id: id.clone(),
                arn: format!("arn:found-{}", block.name),
                applied: Props::new(),
                live: Some(live),
                is_read: true,
                needs: BTreeSet::new(),
                protect: false,
                retain: false,
            };
            block.import = Some((id, (!tape.often(10)).then_some(found)));
        }
    }

    /// A block that is new comes in the place of one that goes, with what the state has of it.
    fn draw_rename(&mut self, tape: &mut Tape<'_>) {
        let old = self
            .blocks
            .iter()
            .find(|block| !block.when && block.keys.is_none());
        let Some(old) = old.cloned().filter(|_| tape.often(70)) else {
            return;
        };
        let new = &mut self.blocks[tape.pick(BLOCKS)];
        if new.name == old.name || new.keys.is_some() {
            return;
        }
        new.moved_from = Some(old.name);
        if tape.often(90) {
            new.kind = old.kind;
            new.import = new.import.take().filter(|_| old.kind == Kind::Queue);
            new.plain = old.plain;
            new.ignores = None;
            new.refers
                .retain(|(how, _)| matches!(how, How::Open | How::DependsOn));
            let name = new.name.clone();
            self.known.remove(&name);
            self.leftovers.remove(&name);
            for known in self.known.values_mut().chain(self.leftovers.values_mut()) {
                known
                    .needs
                    .retain(|need| *need != name && *need != deposed_address(&name, KEY));
            }
        }
    }

    fn draw_flags(&mut self, tape: &mut Tape<'_>, names: &[String]) {
        let name = |tape: &mut Tape<'_>| names[tape.pick(BLOCKS)].clone();
        let options = &mut self.options;
        options.destroy = tape.often(15);
        if tape.often(15) {
            options.target = (0..=tape.pick(2)).map(|_| name(tape)).collect();
        }
        if tape.often(15) {
            options.exclude = vec![name(tape)];
        }
        if tape.often(20) && !options.destroy {
            options.replace = vec![name(tape)];
        }
    }
}

fn size_of(kind: Kind, size: usize) -> (&'static str, Value) {
    match kind {
        Kind::Queue => ("delaySeconds", json!(size)),
        Kind::Policy => ("tags.size", json!(size.to_string())),
    }
}

impl Block {
    fn draw(tape: &mut Tape<'_>, at: usize, names: &[String], before: &[Self]) -> Self {
        let kind = [Kind::Queue, Kind::Policy][tape.pick(2)];
        let keys = tape.often(12).then(|| vec!["x", "y"]);
        let mut plain = Props::new();
        plain.extend(tape.size().map(|size| size_of(kind, size)));
        if keys.is_none() && tape.often(40) {
            plain.insert("name", json!(format!("n{at}")));
        }
        let mut refers = BTreeSet::new();
        for _ in 0..tape.pick(4).min(at) {
            let to = tape.pick(at);
            let how = match (before[to].is_plain(), kind) {
                (false, _) => How::DependsOn,
                (true, Kind::Queue) => [How::Open, How::DependsOn][tape.pick(2)],
                (true, Kind::Policy) => {
                    [How::Open, How::Fixed, How::Weak, How::DependsOn][tape.pick(4)]
                }
            };
            refers.insert((how, to));
        }
        Self {
            name: names[at].clone(),
            kind,
            keys,
            when: true,
            plain,
            refers,
            protect: tape.often(6),
            retain: tape.often(15),
            delete_first: tape.often(15),
            ignores: match tape.pick(10) {
                8 => Some(kind.size()),
                9 => Some("name"),
                _ => None,
            },
            replace_on_size: tape.often(12),
            moved_from: None,
            import: None,
        }
    }
}
