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

/// And of so many references the place is told.
const SHOWN_PLACES: usize = 5;

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
    /// What of it is used, as far as that is fixed.
    attribute: Path,
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
                attribute: one.attribute,
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
            attribute: Path::root(),
            by: By::Entry(path),
        };
        self.edges.entry(name.to_owned()).or_default().push(edge);
    }

    /// One mistake for each cycle, at the reference that closes it, with the places of the
    /// other ones. `queue` tells of a resource whether it is a queue.
    pub(super) fn cycles(&self, queue: &dyn Fn(&str) -> bool) -> Vec<Diagnostic> {
        let mut search = Search {
            graph: self,
            queue,
            done: BTreeSet::new(),
            found: Vec::new(),
        };
        for start in self.edges.keys() {
            search.from(start);
        }
        search.found
    }

    /// The first use of `to` by `from`.
    fn edge(&self, from: &str, to: &str) -> Option<&Edge> {
        self.edges.get(from)?.iter().find(|edge| edge.to == to)
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
    queue: &'g dyn Fn(&str) -> bool,
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
            _ => format!("dependency cycle: {circle}"),
        };
        // Several references may close the same circle.
        if self.found.iter().any(|one| one.message == message) {
            return;
        }
        let others = names.windows(2).take(SHOWN_PLACES);
        let others: Vec<(&str, &Edge)> = others
            .filter_map(|pair| Some((pair[0], self.graph.edge(pair[0], pair[1])?)))
            .collect();
        let mut found = Diagnostic::error(self.graph.place(edge), message);
        let all = others.iter().map(|(_, edge)| *edge).chain([edge]);
        let of_queue = |edge: &Edge| {
            let is_arn = edge.attribute.first().as_deref() == Some("arn");
            is_arn && (self.queue)(&edge.to)
        };
        if let Some(by_hand) = all.clone().find(|edge| of_queue(edge)) {
            found.help = Some(format!(
                "write one of the ARNs by hand: {}; with data: {{region: {{type: \"aws:getRegion\"}}, \
                 caller: {{type: \"aws:getCallerIdentity\"}}}}",
                format_args!(
                    "arn:aws:sqs:${{data.region.name}}:${{data.caller.accountId}}:NAME, in place of ${{{}.arn}}",
                    by_hand.to
                )
            ));
        } else if names.len() > 1 {
            found.help = Some("replace one of the references by the value itself".to_owned());
        }
        found.related = others
            .into_iter()
            .map(|(from, edge)| {
                let message = format!("{from} depends on {}", edge.to);
                (self.graph.place(edge), message)
            })
            .collect();
        self.found.push(found);
    }
}
