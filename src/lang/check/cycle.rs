//! Cycles: things that need each other.

use super::reference::Names;
use crate::data::Path;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::Root;
use crate::lang::stack::Stack;
use std::collections::{BTreeMap, BTreeSet};

/// A node: a local, a data source or a resource, as it is written in an expression.
type Node = String;

type Graph = BTreeMap<Node, Vec<(Node, Place)>>;

fn node(root: Root, name: &str) -> Node {
    match root.word() {
        Some(word) => format!("{word}.{name}"),
        None => name.to_owned(),
    }
}

/// One mistake for each cycle, at the reference that closes it.
pub(super) fn cycles(stack: &Stack, names: &Names<'_>) -> Vec<Diagnostic> {
    let graph = graph(stack, names);
    let mut search = Search {
        graph: &graph,
        done: BTreeSet::new(),
        found: Vec::new(),
    };
    for start in graph.keys() {
        search.from(start);
    }
    search.found
}

fn graph(stack: &Stack, names: &Names<'_>) -> Graph {
    let mut graph = Graph::new();
    let root = Path::root();
    let edges = |template, path: &Path| {
        names
            .edges(template, path)
            .into_iter()
            .map(|(root, name, place)| (node(root, &name), place))
            .collect::<Vec<_>>()
    };
    for (name, local) in &stack.locals {
        graph.insert(
            node(Root::Local, name),
            edges(local, &root.join("locals").join(name)),
        );
    }
    for (name, block) in &stack.data {
        let path = root.join("data").join(name).join("properties");
        graph.insert(node(Root::Data, name), edges(&block.properties, &path));
    }
    for (name, block) in &stack.resources {
        let path = root.join("resources").join(name);
        let mut all = edges(&block.properties, &path.join("properties"));
        let options = &block.options;
        let path = path.join("options");
        for (key, template) in [
            ("forEach", &options.for_each),
            ("when", &options.when),
            ("protect", &options.protect),
            ("retainOnDelete", &options.retain_on_delete),
        ] {
            if let Some(template) = template {
                all.extend(edges(template, &path.join(key)));
            }
        }
        for (index, other) in options.depends_on.iter().enumerate() {
            // That a resource depends on itself is told with its options.
            if other != name && stack.resources.contains_key(other) {
                all.push((
                    other.clone(),
                    Place::Value(path.join("dependsOn").join(index)),
                ));
            }
        }
        graph.insert(name.clone(), all);
    }
    graph
}

struct Search<'g> {
    graph: &'g Graph,
    /// Nodes from which no new cycle can be reached.
    done: BTreeSet<&'g str>,
    found: Vec<Diagnostic>,
}

impl<'g> Search<'g> {
    /// Goes down from a node, depth first and without recursion: a chain may be as long as
    /// the stack.
    fn from(&mut self, start: &'g str) {
        if self.done.contains(start) {
            return;
        }
        let mut trail: Vec<(&'g str, usize)> = vec![(start, 0)];
        let mut on_trail: BTreeMap<&'g str, usize> = BTreeMap::from([(start, 0)]);
        while let Some((node, next)) = trail.last_mut() {
            let edges = self.graph.get(*node).map_or(&[][..], Vec::as_slice);
            let Some((target, place)) = edges.get(*next) else {
                self.done.insert(node);
                on_trail.remove(node);
                trail.pop();
                continue;
            };
            *next += 1;
            if let Some(at) = on_trail.get(target.as_str()) {
                let names: Vec<&str> = trail[*at..].iter().map(|(node, _)| *node).collect();
                self.tell(&names, place);
            } else if !self.done.contains(target.as_str()) {
                on_trail.insert(target, trail.len());
                trail.push((target, 0));
            }
        }
    }

    fn tell(&mut self, names: &[&str], place: &Place) {
        let Some(first) = names.first() else { return };
        let circle = names
            .iter()
            .chain([first])
            .copied()
            .collect::<Vec<_>>()
            .join(" -> ");
        let message = match names {
            [one] => format!("{one} refers to itself"),
            _ => format!("these need each other, so that none can come first: {circle}"),
        };
        // Several references may close the same circle.
        if !self.found.iter().any(|one| one.message == message) {
            self.found.push(Diagnostic::error(place.clone(), message));
        }
    }
}
