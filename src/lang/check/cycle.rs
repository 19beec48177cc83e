//! Cycles: things that need each other.

use super::reference::place;
use crate::data::Path;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::{Reference, Root};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A node: a local, a data source or a resource, as it is written in an expression.
type Node = String;

fn node(root: Root, name: &str) -> Node {
    match root.word() {
        Some(word) => format!("{word}.{name}"),
        None => name.to_owned(),
    }
}

/// Of a circle no more nodes are named.
const SHOWN: usize = 20;

/// What each local, data source and resource needs.
#[derive(Default)]
pub(super) struct Graph {
    /// The places of the templates that refer to something.
    templates: Vec<Path>,
    edges: BTreeMap<Node, Vec<Edge>>,
}

/// A use of a node.
struct Edge {
    to: Node,
    by: By,
}

/// What uses it; its place is only made when it is told.
enum By {
    /// A reference in a template: an index of [`Graph::templates`], and where in it.
    Reference(usize, Path, Option<Range<usize>>),
    /// The entry of `dependsOn` at this place.
    Entry(Path),
}

impl Graph {
    /// Adds what a template of a node, at `path`, refers to.
    pub(super) fn add(&mut self, root: Root, name: &str, path: Path, found: Vec<Reference>) {
        let template = self.templates.len();
        self.templates.push(path);
        let edges = found
            .into_iter()
            .filter(|one| matches!(one.root, Root::Local | Root::Data | Root::Resource))
            .map(|one| Edge {
                to: node(one.root, &one.name),
                by: By::Reference(template, one.at, one.range),
            });
        self.edges
            .entry(node(root, name))
            .or_default()
            .extend(edges);
    }

    /// Adds an entry of a resource's `dependsOn`, at `path`.
    pub(super) fn depends(&mut self, name: &str, other: &str, path: Path) {
        let edge = Edge {
            to: other.to_owned(),
            by: By::Entry(path),
        };
        self.edges.entry(name.to_owned()).or_default().push(edge);
    }

    /// One mistake for each cycle, at the reference that closes it.
    pub(super) fn cycles(&self) -> Vec<Diagnostic> {
        let mut search = Search {
            graph: self,
            done: BTreeSet::new(),
            found: Vec::new(),
        };
        for start in self.edges.keys() {
            search.from(start);
        }
        search.found
    }

    fn place(&self, edge: &Edge) -> Place {
        match &edge.by {
            By::Reference(template, at, range) => {
                place(&self.templates[*template], at, range.clone())
            }
            By::Entry(path) => Place::Value(path.clone()),
        }
    }
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
            let edges = self.graph.edges.get(*node).map_or(&[][..], Vec::as_slice);
            let Some(edge) = edges.get(*next) else {
                self.done.insert(node);
                on_trail.remove(node);
                trail.pop();
                continue;
            };
            *next += 1;
            let target = edge.to.as_str();
            if let Some(at) = on_trail.get(target) {
                let names: Vec<&str> = trail[*at..].iter().map(|(node, _)| *node).collect();
                self.tell(&names, edge);
            } else if !self.done.contains(target) {
                on_trail.insert(target, trail.len());
                trail.push((target, 0));
            }
        }
    }

    fn tell(&mut self, names: &[&str], edge: &Edge) {
        let Some(first) = names.first() else { return };
        let some = &names[..names.len().min(SHOWN)];
        let mut circle = some.join(" -> ");
        if names.len() > SHOWN {
            circle.push_str(&format!(" -> {} more", names.len() - SHOWN));
        }
        circle.push_str(&format!(" -> {first}"));
        let message = match names {
            [one] => format!("{one} refers to itself"),
            _ => format!("these need each other, so that none can come first: {circle}"),
        };
        // Several references may close the same circle.
        if !self.found.iter().any(|one| one.message == message) {
            self.found
                .push(Diagnostic::error(self.graph.place(edge), message));
        }
    }
}
