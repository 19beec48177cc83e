//! Who refers to whom: the order in which a stack's blocks can be evaluated, and which
//! resources each one needs.

use crate::lang::eval::{Reference, Root, references};
use crate::lang::stack::Stack;
use crate::resource::resource_type;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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

struct Edge {
    to: Node,
    weak: bool,
}

impl Graph {
    /// The graph of a stack that was checked.
    pub fn of(stack: &Stack) -> Self {
        let edges = edges(stack);
        let order = order(&edges);
        let mut reached: BTreeMap<&Node, Uses> = BTreeMap::new();
        for node in &order {
            let mut uses = Uses::default();
            for edge in edges.get(node).into_iter().flatten() {
                if let Node::Resource(name) = &edge.to {
                    uses.all.insert(name.clone());
                    if !edge.weak {
                        uses.strong.insert(name.clone());
                    }
                    continue;
                }
                if let Node::Data(name) = &edge.to {
                    uses.data.insert(name.clone());
                }
                if let Some(through) = reached.get(&edge.to) {
                    uses.data.extend(through.data.iter().cloned());
                    uses.all.extend(through.all.iter().cloned());
                    if !edge.weak {
                        uses.strong.extend(through.strong.iter().cloned());
                    }
                }
            }
            reached.insert(node, uses);
        }
        let uses = reached
            .into_iter()
            .map(|(node, uses)| (node.key(), uses))
            .collect();
        Self { order, uses }
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

fn edges(stack: &Stack) -> BTreeMap<Node, Vec<Edge>> {
    let mut edges: BTreeMap<Node, Vec<Edge>> = BTreeMap::new();
    for (name, template) in &stack.locals {
        let found = targets(stack, template).map(|(to, _)| Edge { to, weak: false });
        edges.insert(Node::Local(name.clone()), found.collect());
    }
    for (name, block) in &stack.data {
        let found = targets(stack, &block.properties).map(|(to, _)| Edge { to, weak: false });
        edges.insert(Node::Data(name.clone()), found.collect());
    }
    for (name, block) in &stack.resources {
        let schema = resource_type(&block.type_name).map(|found| found.schema());
        let mut found: Vec<Edge> = targets(stack, &block.properties)
            .map(|(to, reference)| {
                let weak = schema.is_some_and(|schema| schema.flag(&reference.at, "weak"));
                Edge { to, weak }
            })
            .collect();
        let options = &block.options;
        let templates = [
            &options.for_each,
            &options.when,
            &options.protect,
            &options.retain_on_delete,
            &options.import,
            &options.moved_from,
        ];
        for template in templates.into_iter().flatten() {
            found.extend(targets(stack, template).map(|(to, _)| Edge { to, weak: false }));
        }
        let named = options
            .depends_on
            .iter()
            .filter(|name| stack.resources.contains_key(*name));
        found.extend(named.map(|name| Edge {
            to: Node::Resource(name.clone()),
            weak: false,
        }));
        edges.insert(Node::Resource(name.clone()), found);
    }
    edges
}

/// The blocks that a template refers to. Faulty templates were reported by the check.
fn targets(stack: &Stack, template: &Value) -> impl Iterator<Item = (Node, Reference)> {
    references(template)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|reference| {
            let name = reference.name.clone();
            let node = match reference.root {
                Root::Local if stack.locals.contains_key(&name) => Node::Local(name),
                Root::Data if stack.data.contains_key(&name) => Node::Data(name),
                Root::Resource if stack.resources.contains_key(&name) => Node::Resource(name),
                _ => return None,
            };
            Some((node, reference))
        })
}

/// Kahn's algorithm; by name among those that are free at the same time.
fn order(edges: &BTreeMap<Node, Vec<Edge>>) -> Vec<Node> {
    let mut missing: BTreeMap<&Node, usize> = BTreeMap::new();
    let mut users: BTreeMap<&Node, Vec<&Node>> = BTreeMap::new();
    for (node, found) in edges {
        let targets: BTreeSet<&Node> = found.iter().map(|edge| &edge.to).collect();
        missing.insert(node, targets.len());
        for target in targets {
            users.entry(target).or_default().push(node);
        }
    }
    let mut free: BTreeSet<&Node> = missing
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(node, _)| *node)
        .collect();
    let mut order = Vec::with_capacity(edges.len());
    while let Some(node) = free.pop_first() {
        order.push(node.clone());
        for user in users.get(node).into_iter().flatten() {
            if let Some(count) = missing.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    free.insert(user);
                }
            }
        }
    }
    order
}
