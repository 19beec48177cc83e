//! Who refers to whom: the order in which a stack's blocks can be evaluated, and which
//! resources each one needs.

use crate::lang::eval::{Reference, Root, references};
use crate::lang::stack::Stack;
use crate::resource::types::Types;
use crate::schema::Schema;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A block that has a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// An entry of `locals:`.
    Local(String),
    /// An entry of `data:`.
    Data(String),
    /// An entry of `resources:`.
    Resource(String),
}

impl Node {
    /// The key under which [`Graph::uses`] has it.
    fn key(&self) -> String {
        match self {
            Self::Resource(name) => name.clone(),
            Self::Data(name) => format!("data.{name}"),
            Self::Local(name) => format!("local.{name}"),
        }
    }
}

/// The resources that a block needs, by name; through locals and data too.
#[derive(Debug, Clone, Default)]
pub struct Uses {
    /// All of them.
    pub all: BTreeSet<String>,
    /// Those that must outlive it: without the ones it only names in a text.
    pub strong: BTreeSet<String>,
    /// The data sources among what it needs.
    pub data: BTreeSet<String>,
}

/// The stack's graph.
#[derive(Debug, Default)]
pub struct Graph {
    /// Every block, after all those it refers to. Blocks on a cycle are missing.
    pub order: Vec<Node>,
    /// What each block needs: resources by name, the others as `data.name`, `local.name`.
    pub uses: BTreeMap<String, Uses>,
}

impl Graph {
    /// The graph of a stack that was checked.
    pub fn of(stack: &Stack, types: &Types) -> Self {
        let blocks = Blocks::of(stack, types);
        let order = blocks.order();
        let mut reached: Vec<Uses> = vec![Uses::default(); blocks.nodes.len()];
        for at in &order {
            let mut uses = Uses::default();
            for edge in &blocks.edges[*at] {
                match &blocks.nodes[edge.to] {
                    Node::Resource(name) => {
                        uses.all.insert(name.clone());
                        if !edge.weak {
                            uses.strong.insert(name.clone());
                        }
                        continue;
                    }
                    Node::Data(name) => {
                        uses.data.insert(name.clone());
                    }
                    Node::Local(_) => {}
                }
                let through = &reached[edge.to];
                uses.data.extend(through.data.iter().cloned());
                uses.all.extend(through.all.iter().cloned());
                if !edge.weak {
                    uses.strong.extend(through.strong.iter().cloned());
                }
            }
            reached[*at] = uses;
        }
        let mut nodes: Vec<Option<Node>> = blocks.nodes.into_iter().map(Some).collect();
        let mut graph = Self::default();
        for at in order {
            if let Some(node) = nodes[at].take() {
                graph
                    .uses
                    .insert(node.key(), std::mem::take(&mut reached[at]));
                graph.order.push(node);
            }
        }
        graph
    }

    /// Whether every block of the stack has its place in the order: there is no cycle.
    pub fn covers(&self, stack: &Stack) -> bool {
        self.order.len() == stack.locals.len() + stack.data.len() + stack.resources.len()
    }

    /// The resources that a template needs, by name; through locals and data too.
    pub fn needed_by(&self, stack: &Stack, template: &Value) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        for (node, _) in targets(stack, template) {
            if let Some(uses) = self.uses.get(&node.key())
                && !matches!(node, Node::Resource(_))
            {
                needed.extend(uses.all.iter().cloned());
            }
            if let Node::Resource(name) = node {
                needed.insert(name);
            }
        }
        needed
    }
}

/// A reference from one block to another.
struct Edge {
    /// The other's number.
    to: usize,
    weak: bool,
}

/// The blocks, numbered in the order of [`Node`], and what each refers to.
struct Blocks {
    nodes: Vec<Node>,
    edges: Vec<Vec<Edge>>,
}

impl Blocks {
    fn of(stack: &Stack, types: &Types) -> Self {
        let locals = stack.locals.keys().cloned().map(Node::Local);
        let data = stack.data.keys().cloned().map(Node::Data);
        let resources = stack.resources.keys().cloned().map(Node::Resource);
        let nodes: Vec<Node> = locals.chain(data).chain(resources).collect();
        let numbers: HashMap<&Node, usize> = nodes.iter().zip(0..).collect();
        let edges = |template: &Value, schema: Option<&Schema>| -> Vec<Edge> {
            let found = targets(stack, template);
            found
                .filter_map(|(node, reference)| {
                    let weak = schema.is_some_and(|schema| schema.flag(&reference.at, "weak"));
                    let to = *numbers.get(&node)?;
                    Some(Edge { to, weak })
                })
                .collect()
        };
        let locals = stack.locals.values().map(|local| edges(local, None));
        let data = stack.data.values();
        let data = data.map(|block| edges(&block.properties, None));
        let resources = stack.resources.values().map(|block| {
            let schema = types.schema(&block.type_name);
            let mut found = edges(&block.properties, schema);
            for (_, template) in block.options.templates() {
                found.extend(edges(template, None));
            }
            let named = block.options.depends_on.iter().filter_map(|name| {
                let to = *numbers.get(&Node::Resource(name.clone()))?;
                Some(Edge { to, weak: false })
            });
            found.extend(named);
            found
        });
        let edges = locals.chain(data).chain(resources).collect();
        Self { nodes, edges }
    }

    /// Kahn's algorithm; the lowest number among those that are free at the same time. Blocks
    /// on a circle are left out.
    fn order(&self) -> Vec<usize> {
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
}

/// The blocks that a template refers to. Faulty templates were reported by the check.
fn targets(stack: &Stack, template: &Value) -> impl Iterator<Item = (Node, Reference)> {
    references(template)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|mut reference| {
            let name = std::mem::take(&mut reference.name);
            let node = match reference.root {
                Root::Local if stack.locals.contains_key(&name) => Node::Local(name),
                Root::Data if stack.data.contains_key(&name) => Node::Data(name),
                Root::Resource if stack.resources.contains_key(&name) => Node::Resource(name),
                _ => return None,
            };
            Some((node, reference))
        })
}
