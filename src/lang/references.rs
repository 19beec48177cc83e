//! What a stack refers to, found once: the templates and their references, the blocks that have
//! a value, which of them needs which, and the order in which they can be evaluated.

use super::diagnostic::Place;
use super::eval::{LocatedError, Reference, Root, is_expression, lone_reference, scan};
use super::stack::Stack;
use crate::data::Path;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

/// A block that has a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// An entry of `locals:`.
    Local(String),
    /// An entry of `data:`.
    Data(String),
    /// An entry of `resources:`.
    Resource(String),
}

impl Node {
    fn parts(&self) -> (Root, &str) {
        match self {
            Self::Local(name) => (Root::Local, name),
            Self::Data(name) => (Root::Data, name),
            Self::Resource(name) => (Root::Resource, name),
        }
    }

    /// Its name among its kind.
    pub fn name(&self) -> &str {
        self.parts().1
    }
}

/// As an expression names it.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (root, name) = self.parts();
        match root.word() {
            Some(word) => write!(f, "{word}.{name}"),
            None => f.write_str(name),
        }
    }
}

/// What holds a template; some may refer to more than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Anything without `each`.
    Plain,
    /// A resource with `forEach`.
    Instance,
    /// The provider: set up before anything is read.
    Provider,
}

/// A template and what it refers to.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its place in the file.
    pub path: Path,
    /// What holds it.
    pub holder: Holder,
    /// Its references, in the order they are written.
    pub references: Vec<Reference>,
    /// What in it cannot be read.
    pub faults: Vec<LocatedError>,
}

/// That one block needs another one.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The other's number.
    pub to: usize,
    by: By,
}

#[derive(Debug, Clone)]
enum By {
    /// A reference: the number of its template, and its own in there.
    Reference(usize, usize),
    /// An entry of `dependsOn`.
    Entry(usize),
}

/// What a stack refers to.
#[derive(Debug, Clone, Default)]
pub struct Index {
    templates: Vec<Template>,
    /// The blocks, sorted.
    nodes: Vec<Node>,
    /// The templates of each block: its value or its properties, then its options.
    own: Vec<Range<usize>>,
    edges: Vec<Vec<Edge>>,
    /// The attributes of each block that expressions name; none where all of it is meant.
    named: Vec<Option<Vec<String>>>,
    outputs: BTreeMap<String, usize>,
    order: Vec<usize>,
}

impl Index {
    fn of(stack: &Stack) -> Self {
        let root = Path::root();
        let locals = stack.locals.keys().cloned().map(Node::Local);
        let data = stack.data.keys().cloned().map(Node::Data);
        let resources = stack.resources.keys().cloned().map(Node::Resource);
        let mut index = Self {
            nodes: locals.chain(data).chain(resources).collect(),
            ..Self::default()
        };
        index.add(&stack.state, root.join("state"), Holder::Provider);
        let aws = root.join("providers").join("aws");
        index.add(&stack.aws, aws, Holder::Provider);
        for (name, local) in &stack.locals {
            let at = index.add(local, root.join("locals").join(name), Holder::Plain);
            index.own.push(at..at + 1);
        }
        for (name, block) in &stack.data {
            let path = root.join("data").join(name).join("properties");
            let at = index.add(&block.properties, path, Holder::Plain);
            index.own.push(at..at + 1);
        }
        for (name, block) in &stack.resources {
            let path = root.join("resources").join(name);
            let holder = match block.options.for_each {
                Some(_) => Holder::Instance,
                None => Holder::Plain,
            };
            let at = index.add(&block.properties, path.join("properties"), holder);
            for (key, template) in block.options.templates() {
                // What makes the instances is none of theirs.
                let holder = if key == "forEach" {
                    Holder::Plain
                } else {
                    holder
                };
                index.add(template, path.join("options").join(key), holder);
            }
            index.own.push(at..index.templates.len());
        }
        for (name, output) in &stack.outputs {
            let path = root.join("outputs").join(name).join("value");
            let at = index.add(&output.value, path, Holder::Plain);
            index.outputs.insert(name.clone(), at);
        }
        index.edges = (0..index.nodes.len())
            .map(|at| index.edges_of(stack, at))
            .collect();
        index.order = index.ordered();
        index.named = index.all_named();
        index
    }

    fn all_named(&self) -> Vec<Option<Vec<String>>> {
        let mut all = vec![Some(Vec::new()); self.nodes.len()];
        let of_edges = self.edges.iter().flatten();
        let of_edges = of_edges.filter_map(|edge| Some((edge.to, self.reference(edge)?)));
        let blocks = self.own.first().zip(self.own.last());
        let blocks = blocks.map_or(0..0, |(first, last)| first.start..last.end);
        let others = self.templates[..blocks.start].iter();
        let others = others.chain(&self.templates[blocks.end..]);
        let others = others.flat_map(|template| &template.references);
        let others = others.filter_map(|one| Some((self.number(one.root, &one.name)?, one)));
        for (at, reference) in of_edges.chain(others) {
            match (reference.attribute.first(), &mut all[at]) {
                (Some(name), Some(named)) if !named.iter().any(|one| *one == name) => {
                    named.push(name.into_owned());
                }
                (Some(_), _) => {}
                (None, named) => *named = None,
            }
        }
        all
    }

    fn add(&mut self, template: &Value, path: Path, holder: Holder) -> usize {
        let (mut references, mut faults) = (Vec::new(), Vec::new());
        scan(template, &Path::root(), &mut references, &mut faults);
        self.templates.push(Template {
            path,
            holder,
            references,
            faults,
        });
        self.templates.len() - 1
    }

    fn edges_of(&self, stack: &Stack, at: usize) -> Vec<Edge> {
        let references = self.own[at].clone().flat_map(|template| {
            let found = self.templates[template].references.iter().enumerate();
            found.filter_map(move |(number, reference)| {
                let to = self.number(reference.root, &reference.name)?;
                let by = By::Reference(template, number);
                Some(Edge { to, by })
            })
        });
        let depends_on = match &self.nodes[at] {
            Node::Resource(name) => stack.resources[name].options.depends_on.as_slice(),
            _ => &[],
        };
        let entries = depends_on.iter().enumerate().filter_map(|(entry, name)| {
            let to = self.number(Root::Resource, name)?;
            let by = By::Entry(entry);
            Some(Edge { to, by })
        });
        references.chain(entries).collect()
    }

    /// Kahn's algorithm; the lowest number among those that are free at the same time. Blocks on a
    /// cycle are excluded.
    fn ordered(&self) -> Vec<usize> {
        let mut missing = vec![0; self.nodes.len()];
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (at, edges) in self.edges.iter().enumerate() {
            let targets: BTreeSet<usize> = edges.iter().map(|edge| edge.to).collect();
            missing[at] = targets.len();
            for target in targets {
                users[target].push(at);
            }
        }
        let all = 0..self.nodes.len();
        let mut free: BTreeSet<usize> = all.filter(|at| missing[*at] == 0).collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(at) = free.pop_first() {
            order.push(at);
            for user in &users[at] {
                missing[*user] -= 1;
                if missing[*user] == 0 {
                    free.insert(*user);
                }
            }
        }
        order
    }

    /// Every template, in the order of the file's parts.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// The blocks; a block's number is its place here.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The number of a block.
    pub fn number(&self, root: Root, name: &str) -> Option<usize> {
        let found = self
            .nodes
            .binary_search_by(|node| node.parts().cmp(&(root, name)));
        found.ok()
    }

    /// The numbers of the blocks, each after all that it needs. Those on a cycle are missing.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The locals in the order in which they can be evaluated.
    pub fn locals(&self) -> impl Iterator<Item = &str> {
        let order = self.order.iter().map(|at| &self.nodes[*at]);
        order.filter_map(|node| match node {
            Node::Local(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether every block has its place in the order: there is no cycle.
    pub fn is_ordered(&self) -> bool {
        self.order.len() == self.nodes.len()
    }

    /// What a block needs: by its references, then by `dependsOn`.
    pub fn edges(&self, at: usize) -> &[Edge] {
        &self.edges[at]
    }

    /// The blocks that an output refers to.
    pub fn of_output(&self, name: &str) -> impl Iterator<Item = &Node> {
        let template = self.outputs.get(name).map(|at| &self.templates[*at]);
        let found = template
            .into_iter()
            .flat_map(|template| &template.references);
        found.filter_map(|one| Some(&self.nodes[self.number(one.root, &one.name)?]))
    }

    /// The reference behind an edge; none for an entry of `dependsOn`.
    pub fn reference(&self, edge: &Edge) -> Option<&Reference> {
        match edge.by {
            By::Reference(template, number) => self.templates[template].references.get(number),
            By::Entry(_) => None,
        }
    }

    /// The place in a block's value or properties where it refers to the other one.
    pub fn in_value(&self, from: usize, edge: &Edge) -> Option<&Path> {
        match edge.by {
            By::Reference(template, _) if template == self.own[from].start => {
                self.reference(edge).map(|reference| &reference.at)
            }
            _ => None,
        }
    }

    /// The place of what makes an edge of this block.
    pub fn place(&self, from: usize, edge: &Edge) -> Place {
        match edge.by {
            By::Reference(template, number) => {
                let template = &self.templates[template];
                template.place(&template.references[number])
            }
            By::Entry(entry) => {
                let block = Path::root().join("resources").join(self.nodes[from].name());
                Place::Value(block.join("options").join("dependsOn").join(entry))
            }
        }
    }

    /// The references in a block's value or properties.
    fn value(&self, root: Root, name: &str) -> &[Reference] {
        let at = self.number(root, name);
        at.map_or(&[], |at| {
            self.templates[self.own[at].start].references.as_slice()
        })
    }
}

impl Template {
    /// The place of one of its references.
    pub fn place(&self, reference: &Reference) -> Place {
        let path = self.path.concat(&reference.at);
        match &reference.range {
            Some(range) => Place::Within(path, range.clone()),
            None => Place::Key(path),
        }
    }
}

impl Stack {
    /// What the stack refers to; found when it is first asked for, so not before it is loaded.
    pub fn references(&self) -> &Index {
        self.index.get_or_init(|| Index::of(self))
    }

    /// The attributes of a resource that expressions name; none where all of it may be meant, or
    /// one of its instances.
    pub fn named(&self, resource: &str) -> Option<&[String]> {
        let block = self.resources.get(resource)?;
        let index = self.references();
        let at = index.number(Root::Resource, resource)?;
        index.named[at]
            .as_deref()
            .filter(|_| block.options.for_each.is_none())
    }

    /// What these references lead to in the end, through locals, of which only the part counts
    /// that is named; in the order in which it is written.
    pub fn followed(&self, mut todo: Vec<Reference>) -> impl Iterator<Item = Reference> {
        let mut seen = BTreeSet::new();
        todo.reverse();
        std::iter::from_fn(move || {
            loop {
                let reference = todo.pop()?;
                if reference.root != Root::Local {
                    return Some(reference);
                }
                let Some((part, alone)) = self.part(&reference) else {
                    continue;
                };
                let name = reference.name;
                let all = self.references().value(Root::Local, &name).iter().rev();
                if seen.insert((name, part.clone())) {
                    let inside = all.filter(|one| alone.is_none() && one.at.is_within(&part));
                    todo.extend(inside.cloned());
                    todo.extend(alone);
                }
            }
        })
    }

    /// The part of a local that a reference names, as far as it is written out, and the reference
    /// that it consists of. Beside a key that is an expression, none is sure to be the one.
    fn part(&self, reference: &Reference) -> Option<(Path, Option<Reference>)> {
        let mut value = self.locals.get(&reference.name)?;
        let mut at = Path::root();
        for segment in reference.attribute.segments() {
            let next = match value {
                Value::Object(map) if map.keys().any(|key| is_expression(key)) => None,
                value => Path::root().join(&*segment).get(value),
            };
            let Some(next) = next else { break };
            at = at.join(&*segment);
            value = next;
        }
        let mut alone = value.as_str().and_then(lone_reference);
        if let (Some(alone), Some(rest)) = (&mut alone, reference.attribute.below(&at)) {
            alone.attribute = alone.attribute.concat(&rest);
        }
        Some((at, alone))
    }

    /// The resources that a property's own string refers to, through locals too.
    pub fn resources_at(&self, block: &str, path: &Path) -> impl Iterator<Item = Reference> {
        let all = self.references().value(Root::Resource, block).iter();
        let own = all.filter(|one| one.at == *path).cloned().collect();
        let found = self.followed(own);
        found.filter(|one| one.root == Root::Resource)
    }

    /// Whether a string is one reference to a resource and nothing else, through locals too.
    pub fn is_resource(&self, text: &str) -> bool {
        let mut found = lone_reference(text);
        // Through locals, which may not go on for ever.
        for _ in 0..=self.locals.len() {
            found = match found {
                Some(one) if one.root == Root::Local => self.part(&one).and_then(|part| part.1),
                other => return other.is_some_and(|one| one.root == Root::Resource),
            };
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::load::{Given, load};
    use std::fmt::Write as _;

    fn stack(text: &str) -> Stack {
        let file = ("s.yaml".to_owned(), text.as_bytes().to_vec());
        load(file, None, ".".into(), &Given::default()).stack
    }

    /// Each reference that the string leads to, with its attribute.
    fn followed(stack: &Stack, text: &str) -> Vec<String> {
        let found = super::super::eval::references(&Value::from(text)).unwrap();
        let found = stack.followed(found);
        found
            .map(|one| format!("{}{}", one.name, one.attribute.as_pointer()))
            .collect()
    }

    const STACK: &str = "
name: s
locals:
  map: {a: '${q.arn}', list: ['${r}', {deep: 'x${q.url}${local.alone.arn}'}]}
  alone: '${r}'
  other: '${local.map}'
  keys: {'${q.name}': 1, a: '${r.arn}'}
  one: '${local.two.x}'
  two: '${local.one.y}${s.id}'
";

    #[test]
    fn a_local_is_followed_as_far_as_it_is_named() {
        let stack = stack(STACK);
        for (text, expected) in [
            ("${local.map.a}", &["q/arn"][..]),
            ("${local.other.a}", &["q/arn"]),
            ("${local.map.list[0].id}", &["r/id"]),
            ("${local.map.list[1].deep}", &["q/url", "r/arn"]),
            (
                "${local.map.list[each.key]}",
                &["r", "q/url", "r/arn", "key"],
            ),
            ("${local.map.none}", &["q/arn", "r", "q/url", "r/arn"]),
            ("${local.keys.a}", &["r/arn", "q/name"]),
            ("${local.one}", &["s/id"]),
            ("${local.none}${var.v}", &["v"]),
        ] {
            let mut found = followed(&stack, text);
            let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
            // The keys of a map have no order of their own.
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{text}");
        }
        for (text, expected) in [
            ("${local.map.a}", true),
            ("${local.map.list[0]}", true),
            ("${local.map.list[1].deep}", false),
            ("${local.map}", false),
            ("${local.two.x}", false),
            ("${var.v}", false),
        ] {
            assert_eq!(stack.is_resource(text), expected, "{text}");
        }
    }

    #[test]
    fn a_chain_of_locals_has_no_limit() {
        let mut text = "name: s\nlocals:\n  l0: '${q.arn}'\n".to_owned();
        for number in 1..2000 {
            let _ = writeln!(text, "  l{number}: '${{local.l{}}}'", number - 1);
        }
        let stack = stack(&text);
        assert_eq!(followed(&stack, "${local.l1999}"), ["q/arn"]);
        assert!(stack.is_resource("${local.l1999}"));
        let order: Vec<&str> = stack.references().locals().collect();
        assert_eq!(order.first().zip(order.last()), Some((&"l0", &"l1999")));
    }
}
