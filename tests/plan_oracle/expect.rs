//! What becomes of each resource, by what is promised: written from the documentation and not from
//! the planner, and simple, since the drawn stacks are.

use super::case::{Block, Case, How, KEY, Kind, Known, Props, is_fixed};
use super::steps::Node;
use stackctl::store::state::deposed_address;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Stays,
    Create,
    Update,
    /// Whether the old one goes first.
    Replace(bool),
    Delete,
    Forget,
}

impl Fate {
    pub fn creates(self) -> bool {
        matches!(self, Self::Create | Self::Replace(_))
    }
}

/// A row of what differs: who changed it, and whether it forces the replacement.
pub type Row = (&'static str, bool);

/// The plan.
#[derive(Debug, Default)]
pub struct Expected {
    /// The addresses of what is refused; of several that exclude each other any will do.
    pub refused: Vec<BTreeSet<String>>,
    /// The rows, but for those of what stays as it is.
    pub fates: BTreeMap<String, Fate>,
    pub moved: BTreeMap<String, String>,
    pub imported: BTreeSet<String>,
    pub differences: BTreeMap<String, BTreeMap<&'static str, Row>>,
    /// The known properties that a create or update is given, and those that are not known.
    pub given: BTreeMap<String, (Props, BTreeSet<&'static str>)>,
    /// What the state has of what is imported: the file's words where nothing is left to do, else
    /// what is live.
    pub taken_in: BTreeMap<String, Props>,
    pub steps: BTreeMap<Node, &'static str>,
    /// The first waits for the second.
    pub waits: BTreeSet<(Node, Node)>,
    /// Whether deletions would wait in a circle: some come first then, and which is the planner's.
    pub is_tangled: bool,
}

fn is_named(address: &str, names: &[String]) -> bool {
    names
        .iter()
        .any(|name| address == name || address.starts_with(&format!("{name}[")))
}

/// The address without the key of a leftover.
pub fn base(address: &str) -> &str {
    address
        .strip_suffix(&format!(" (deposed {KEY})"))
        .unwrap_or(address)
}

/// What is decided so far: the case with what is moved and imported, and the fates.
pub struct Oracle<'c> {
    pub case: &'c Case,
    pub known: BTreeMap<String, Known>,
    pub leftovers: BTreeMap<String, Known>,
    /// The resources of the file: the block of each address, in an order in which each one comes
    /// after what it needs.
    pub file: Vec<(String, &'c Block)>,
    /// What the file wants of each, and which of that is not known.
    pub wanted: BTreeMap<String, (Props, BTreeSet<&'static str>)>,
    excluded: BTreeSet<String>,
    pub out: Expected,
}

pub fn expect(case: &Case) -> Expected {
    let blocks = case.blocks.iter().filter(|_| !case.options.destroy);
    let file = blocks.flat_map(|block| block.addresses().into_iter().map(move |it| (it, block)));
    let mut oracle = Oracle {
        case,
        known: case.known.clone(),
        leftovers: case.leftovers.clone(),
        file: file.collect(),
        wanted: BTreeMap::new(),
        excluded: BTreeSet::new(),
        out: Expected::default(),
    };
    oracle.moves();
    oracle.imports();
    for (address, block) in oracle.file.clone() {
        oracle.decide(&address, block);
    }
    oracle.names();
    oracle.removals();
    oracle.narrow();
    oracle.refusals();
    oracle.steps();
    oracle.out
}

impl Oracle<'_> {
    fn in_file(&self, address: &str) -> bool {
        self.file.iter().any(|(it, _)| it == address)
    }

    /// Whether the state has something of this address.
    fn has(&self, address: &str) -> bool {
        self.known.contains_key(address) || self.leftovers.contains_key(address)
    }

    /// `movedFrom`: what the state has under the old address comes under the new one.
    fn moves(&mut self) {
        let mut moves: Vec<(String, String)> = Vec::new();
        for (address, block) in self.file.clone() {
            let Some(from) = &block.moved_from else {
                continue;
            };
            // Each instance of a renamed block takes the one with its key along.
            let keyed = block
                .keys
                .as_ref()
                .map(|_| address.replacen(&block.name, from, 1));
            let mut meant: Vec<String> = keyed.into_iter().chain([from.clone()]).collect();
            let is_own = meant.contains(&address);
            meant.retain(|from| *from != address);
            if (is_own && block.keys.is_none()) || meant.iter().any(|from| self.in_file(from)) {
                self.refuse([&address]);
                continue;
            }
            let Some(from) = meant.iter().find(|from| self.has(from)) else {
                continue;
            };
            if self.has(&address) {
                continue;
            }
            let old = self.known.get(from).or_else(|| self.leftovers.get(from));
            let one_for_all = block.keys.as_ref().is_some_and(|keys| keys.len() > 1);
            if old.is_some_and(|old| old.kind != block.kind)
                || (one_for_all && block.moved_from.as_ref() == Some(from))
            {
                self.refuse([&address]);
                continue;
            }
            moves.push((from.clone(), address));
        }
        // What moves is claimed by one alone.
        for (address, block) in self.file.clone() {
            let from = block.moved_from.as_ref();
            let mut others = moves
                .iter()
                .filter(|(it, to)| from == Some(it) && *to != address);
            if let Some((_, other)) = others.next() {
                self.refuse([other, &address]);
            }
        }
        for (from, to) in moves {
            for known in [&mut self.known, &mut self.leftovers] {
                if let Some(found) = known.remove(&from) {
                    known.insert(to.clone(), found);
                }
                for known in known.values_mut() {
                    let needs = known.needs.iter();
                    let renamed = needs.map(|need| match base(need) == from {
                        true => need.replacen(&from, &to, 1),
                        false => need.clone(),
                    });
                    known.needs = renamed.collect();
                }
            }
            self.out.moved.insert(to, from);
        }
    }

    fn refuse<const N: usize>(&mut self, addresses: [&String; N]) {
        self.out
            .refused
            .push(addresses.into_iter().cloned().collect());
    }

    /// `import`: what exists and is nobody's comes into the state.
    fn imports(&mut self) {
        for (address, block) in self.file.clone() {
            let Some((id, found)) = block
                .import
                .as_ref()
                .filter(|_| !self.known.contains_key(&address))
            else {
                continue;
            };
            let all = self.known.iter().chain(&self.leftovers);
            let mut holders = all.filter(|(_, known)| known.kind == Kind::Queue && known.id == *id);
            let holder = holders.next().map(|(holder, _)| holder.clone());
            let (Some(found), None) = (found, &holder) else {
                let imported = holder.filter(|holder| self.out.imported.contains(holder));
                self.refuse([imported.as_ref().unwrap_or(&address), &address]);
                continue;
            };
            let mut found = found.clone();
            // Of what is live the state gets what the file names.
            let (named, unknown) = block.props(|_| None);
            let live = found.live.clone().unwrap_or_default();
            let live = live.into_iter();
            found.applied = live
                .filter(|(path, _)| named.contains_key(path) || unknown.contains(path))
                .collect();
            // It may use already what it refers to in the file.
            found.needs = self.uses(block, true);
            self.known.insert(address.clone(), found);
            self.out.imported.insert(address);
        }
    }

    /// What becomes of a resource of the file.
    fn decide(&mut self, address: &String, block: &Block) {
        let (mut wanted, mut unknown) = block.props(|to| {
            let to = &self.case.blocks[to].name;
            let fate = self.out.fates.get(to).copied().unwrap_or(Fate::Stays);
            (!fate.creates()).then(|| self.known[to].arn.clone())
        });
        unknown.iter().for_each(|path| drop(wanted.remove(path)));
        let known = self.known.get(address);
        let Some((known, live)) = known.and_then(|known| Some((known, known.live.as_ref()?)))
        else {
            self.out.fates.insert(address.clone(), Fate::Create);
            self.wanted.insert(address.clone(), (wanted, unknown));
            return;
        };
        let asked = is_named(address, &self.case.options.replace);
        if known.kind != block.kind {
            self.out
                .fates
                .insert(address.clone(), Fate::Replace(block.delete_first));
            self.wanted.insert(address.clone(), (wanted, unknown));
            return;
        }
        if let Some(path) = block.ignores {
            unknown.remove(path);
            wanted.remove(path);
            let there = live.get(path).or_else(|| known.applied.get(path));
            wanted.extend(there.map(|value| (path, value.clone())));
        }
        let mut rows: BTreeMap<&'static str, Row> = BTreeMap::new();
        let paths: BTreeSet<&'static str> = wanted
            .keys()
            .chain(known.applied.keys())
            .chain(&unknown)
            .copied()
            .collect();
        for path in paths {
            let (was, is, wants) = (known.applied.get(path), live.get(path), wanted.get(path));
            let differs = match wants {
                _ if unknown.contains(path) => true,
                Some(_) => is != wants,
                None => was.is_some() && is.is_some(),
            };
            if differs {
                let by = match (unknown.contains(path) || was != wants, was != is) {
                    _ if unknown.contains(path) => "file",
                    (true, true) if was.is_some() => "both",
                    (false, _) => "outside",
                    _ => "file",
                };
                let replaces =
                    is_fixed(path) || (block.replace_on_size && path == block.kind.size());
                rows.insert(path, (by, replaces));
            }
        }
        let is_forced = rows.values().any(|(_, replaces)| *replaces);
        let fate = if asked || is_forced {
            // Two of one name cannot be there at the same time.
            let same_name = wanted
                .get("name")
                .is_some_and(|name| live.get("name") == Some(name));
            Fate::Replace(block.delete_first || same_name)
        } else if !rows.is_empty() {
            Fate::Update
        } else {
            Fate::Stays
        };
        // The file would replace what it imports.
        if self.out.imported.contains(address) && matches!(fate, Fate::Replace(_)) {
            self.refuse([address]);
        }
        self.out.fates.insert(address.clone(), fate);
        self.out.differences.insert(address.clone(), rows);
        self.wanted.insert(address.clone(), (wanted, unknown));
    }

    /// Two resources of the file cannot have one name.
    fn names(&mut self) {
        let mut first: BTreeMap<String, String> = BTreeMap::new();
        for (address, block) in self.file.clone() {
            let Some(name) = self.wanted[&address].0.get("name") else {
                continue;
            };
            let name = format!("{:?} {name}", block.kind);
            if let Some(other) = first.get(&name).cloned() {
                self.refuse([&other, &address]);
            }
            first.insert(name, address);
        }
    }

    /// What the state has and the file has not, and what replacements left.
    fn removals(&mut self) {
        for (address, known) in &self.known {
            if !self.in_file(address) {
                let name = address.split('[').next();
                let mut blocks = self.case.blocks.iter().filter(|block| block.is_in_file());
                let block = blocks.find(|block| Some(block.name.as_str()) == name);
                let retain = known.retain || block.is_some_and(|block| block.retain);
                let kept = known.live.is_none() || retain;
                let fate = if kept { Fate::Forget } else { Fate::Delete };
                self.out.fates.insert(address.clone(), fate);
            }
        }
        for (address, known) in &self.leftovers {
            let fate = if known.retain {
                Fate::Forget
            } else {
                Fate::Delete
            };
            self.out.fates.insert(deposed_address(address, KEY), fate);
        }
    }

    /// What a resource of the file refers to.
    pub fn uses(&self, block: &Block, strong: bool) -> BTreeSet<String> {
        let refers = block.refers.iter();
        let refers = refers.filter(|(how, _)| !strong || *how != How::Weak);
        refers
            .flat_map(|(_, to)| self.case.blocks[*to].addresses())
            .collect()
    }

    /// `--target`: what is named, and what it needs; what is to go, with what uses it.
    /// `--exclude`: not what is named, nor what needs it; nor is removed what that uses.
    fn narrow(&mut self) {
        let options = &self.case.options;
        let (target, exclude) = (&options.target, &options.exclude);
        if target.is_empty() && exclude.is_empty() {
            return;
        }
        let spread = |mut found: BTreeSet<String>, down: bool| loop {
            let mut more = found.clone();
            for (address, known) in &self.known {
                let needs: BTreeSet<String> = known
                    .needs
                    .iter()
                    .map(|need| base(need).to_owned())
                    .collect();
                if down && found.contains(address) {
                    more.extend(needs);
                } else if !down && !self.in_file(address) && !needs.is_disjoint(&found) {
                    more.insert(address.clone());
                }
            }
            if more == found {
                return found;
            }
            found = more;
        };
        let named = |names: &[String]| -> BTreeSet<String> {
            let all = self.known.keys().chain(self.leftovers.keys());
            all.filter(|address| is_named(address, names))
                .cloned()
                .collect()
        };
        let targeted = spread(named(target), false);
        let mut included: BTreeSet<String> = BTreeSet::new();
        for (address, block) in self.file.iter().rev() {
            // What stops using what goes is included.
            let known = self.known.get(address);
            let leaves = known.is_some_and(|known| {
                let mut needs = known.needs.iter();
                needs.any(|need| targeted.contains(need) && !self.in_file(need))
            });
            let is_named = is_named(address, target) || leaves;
            if target.is_empty() || is_named || included.contains(address) {
                included.insert(address.clone());
                included.extend(self.uses(block, false));
            }
        }
        for (address, block) in &self.file {
            let needs = self.uses(block, false);
            let lost = !exclude.is_empty() && !needs.is_subset(&included);
            if is_named(address, exclude) || lost {
                included.remove(address);
            }
        }
        let file = self.file.iter().map(|(address, _)| address.clone());
        let left_out: BTreeSet<String> = file.filter(|it| !included.contains(it)).collect();
        let spared = match exclude.is_empty() {
            true => BTreeSet::new(),
            false => spread(named(exclude).union(&left_out).cloned().collect(), true),
        };
        let stays = |address: &String| {
            let of = base(address);
            if self.in_file(address) {
                return left_out.contains(address);
            }
            let is_used = |user: &String| {
                self.known
                    .get(user)
                    .is_some_and(|known| known.needs.contains(address))
            };
            let is_leftover = of != address;
            let is_in = target.is_empty() || targeted.contains(of) || included.contains(of);
            !is_in
                || spared.contains(of)
                || (is_leftover && (left_out.contains(of) || left_out.iter().any(is_used)))
        };
        self.excluded = self
            .out
            .fates
            .keys()
            .filter(|it| stays(it))
            .cloned()
            .collect();
        for address in &self.excluded {
            self.out.fates.remove(address);
            self.out.differences.remove(address);
            self.out.imported.remove(address);
        }
    }

    fn refusals(&mut self) {
        let options = |address: &str| self.file.iter().find(|(it, _)| it == address);
        let mut refused = Vec::new();
        for (address, fate) in &self.out.fates {
            let known = self.known.get(address);
            let known =
                known.filter(|_| self.case.leftovers.is_empty() || base(address) == address);
            match (fate, options(address), known) {
                (Fate::Replace(_), Some((_, block)), Some(known)) => {
                    let name = self.wanted[address].0.get("name");
                    let live = known.live.as_ref().and_then(|live| live.get("name"));
                    let same_name = known.kind == block.kind && name.is_some() && name == live;
                    if block.protect || (block.retain && same_name) {
                        refused.push(BTreeSet::from([address.clone()]));
                    }
                }
                (Fate::Delete, _, Some(known)) => {
                    let name = address.split('[').next();
                    let mut blocks = self.case.blocks.iter();
                    let block = blocks.find(|block| Some(block.name.as_str()) == name);
                    if known.protect || block.is_some_and(|block| block.protect) {
                        refused.push(BTreeSet::from([address.clone()]));
                    }
                }
                _ => {}
            }
        }
        self.out.refused.extend(refused);
    }
}
