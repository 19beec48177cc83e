//! Dependency cycles.

use crate::lang::diagnostic::Diagnostic;
use crate::lang::references::{Edge, Index};
use std::collections::{BTreeMap, BTreeSet};

/// Of a circle no more nodes are named.
const MOST_BLOCKS: usize = 20;

/// The number of references whose place is reported.
const MOST_PLACES: usize = 5;

/// One mistake for each cycle, at the reference that closes it, with the places of the other ones.
/// `queue` says whether a resource is a queue.
pub(super) fn cycles(index: &Index, queue: &dyn Fn(&str) -> bool) -> Vec<Diagnostic> {
    if index.is_ordered() {
        return Vec::new();
    }
    let names: Vec<String> = index.nodes().iter().map(ToString::to_string).collect();
    let mut search = Search {
        index,
        names: &names,
        queue,
        done: BTreeSet::new(),
        diagnostics: Vec::new(),
    };
    let mut starts: Vec<usize> = (0..names.len()).collect();
    starts.sort_by_key(|at| &names[*at]);
    starts.into_iter().for_each(|start| search.from(start));
    search.diagnostics
}

struct Search<'g> {
    index: &'g Index,
    names: &'g [String],
    queue: &'g dyn Fn(&str) -> bool,
    /// Nodes from which no new cycle can be reached.
    done: BTreeSet<usize>,
    diagnostics: Vec<Diagnostic>,
}

impl<'g> Search<'g> {
    /// Goes down from a node, depth first and without recursion: a chain may be as long as
    /// the stack.
    fn from(&mut self, start: usize) {
        if self.done.contains(&start) {
            return;
        }
        let mut trail: Vec<(usize, usize)> = vec![(start, 0)];
        let mut on_trail: BTreeMap<usize, usize> = BTreeMap::from([(start, 0)]);
        while let Some((node, next)) = trail.last_mut() {
            let Some(edge) = self.index.edges(*node).get(*next) else {
                self.done.insert(*node);
                on_trail.remove(node);
                trail.pop();
                continue;
            };
            *next += 1;
            // A resource that depends on itself is reported with its options.
            if edge.to == *node && self.index.reference(edge).is_none() {
                continue;
            }
            if let Some(at) = on_trail.get(&edge.to) {
                let circle: Vec<usize> = trail[*at..].iter().map(|(node, _)| *node).collect();
                self.report(&circle, edge);
            } else if !self.done.contains(&edge.to) {
                on_trail.insert(edge.to, trail.len());
                trail.push((edge.to, 0));
            }
        }
    }

    /// The first use of `to` by `from`.
    fn edge(&self, from: usize, to: usize) -> Option<&'g Edge> {
        self.index.edges(from).iter().find(|edge| edge.to == to)
    }

    fn report(&mut self, nodes: &[usize], edge: &Edge) {
        let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else {
            return;
        };
        let name = |at: &usize| self.names[*at].as_str();
        let some: Vec<&str> = nodes.iter().take(MOST_BLOCKS).map(name).collect();
        let mut circle = some.join(" -> ");
        if nodes.len() > MOST_BLOCKS {
            circle.push_str(&format!(" -> {} more", nodes.len() - MOST_BLOCKS));
        }
        circle.push_str(&format!(" -> {}", name(first)));
        let message = match nodes {
            [one] => format!("{} refers to itself", name(one)),
            _ => format!("dependency cycle: {circle}"),
        };
        // Several references may close the same circle.
        if self.diagnostics.iter().any(|one| one.message == message) {
            return;
        }
        let others = nodes.windows(2).take(MOST_PLACES);
        let others: Vec<(usize, &Edge)> = others
            .filter_map(|pair| Some((pair[0], self.edge(pair[0], pair[1])?)))
            .collect();
        let mut found = Diagnostic::error(self.index.place(*last, edge), message);
        let mut all = others.iter().map(|(_, edge)| *edge).chain([edge]);
        let of_queue = |edge: &&Edge| {
            let reference = self.index.reference(edge);
            let part = reference.and_then(|reference| reference.attribute.first());
            part.as_deref() == Some("arn") && (self.queue)(name(&edge.to))
        };
        if let Some(by_hand) = all.find(of_queue) {
            found.help = Some(format!(
                "write one of the ARNs by hand: {}; with data: {{region: {{type: \"aws:getRegion\"}}, \
                 caller: {{type: \"aws:getCallerIdentity\"}}}}",
                format_args!(
                    "arn:aws:sqs:${{data.region.name}}:${{data.caller.accountId}}:NAME, in place of ${{{}.arn}}",
                    name(&by_hand.to)
                )
            ));
        } else if nodes.len() > 1 {
            found.help = Some("replace one of the references by the value itself".to_owned());
        }
        found.related = others
            .into_iter()
            .map(|(from, edge)| {
                let message = format!("{} depends on {}", name(&from), name(&edge.to));
                (self.index.place(from, edge), message)
            })
            .collect();
        self.diagnostics.push(found);
    }
}
