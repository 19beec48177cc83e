//! Which resources each block of a stack needs.

use crate::lang::references::Node;
use crate::lang::stack::Stack;
use crate::resource::types::Types;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The resources that a block needs, by name; through locals and data too.
#[derive(Debug, Clone, Default)]
pub struct Uses {
    /// All of them.
    pub all: Arc<BTreeSet<String>>,
    /// Those that must outlive it: without the ones it only names in a string.
    pub strong: Arc<BTreeSet<String>>,
    /// The data sources among what it needs.
    pub data: BTreeSet<String>,
}

/// What each block of a stack that was checked needs: resources by name, the others as
/// `data.name`, `local.name`. Blocks on a cycle are missing.
pub fn uses(stack: &Stack, types: &Types) -> BTreeMap<String, Uses> {
    let index = stack.references();
    let mut reached: Vec<Uses> = vec![Uses::default(); index.nodes().len()];
    for at in index.order() {
        let schema = match &index.nodes()[*at] {
            Node::Resource(name) => types.schema(&stack.resources[name].type_name),
            _ => None,
        };
        let (mut all, mut strong) = (BTreeSet::new(), BTreeSet::new());
        let mut data = BTreeSet::new();
        for edge in index.edges(*at) {
            let place = index.in_value(*at, edge);
            let is_weak = schema
                .zip(place)
                .is_some_and(|(schema, at)| schema.flag(at, "weak"));
            match &index.nodes()[edge.to] {
                Node::Resource(name) => {
                    all.insert(name.clone());
                    if !is_weak {
                        strong.insert(name.clone());
                    }
                    continue;
                }
                Node::Data(name) => {
                    data.insert(name.clone());
                }
                Node::Local(_) => {}
            }
            let through = &reached[edge.to];
            data.extend(through.data.iter().cloned());
            all.extend(through.all.iter().cloned());
            if !is_weak {
                strong.extend(through.strong.iter().cloned());
            }
        }
        let all = Arc::new(all);
        let strong = match strong == *all {
            true => Arc::clone(&all),
            false => Arc::new(strong),
        };
        reached[*at] = Uses { all, strong, data };
    }
    let names = index
        .order()
        .iter()
        .map(|at| index.nodes()[*at].to_string());
    let uses = index
        .order()
        .iter()
        .map(|at| std::mem::take(&mut reached[*at]));
    names.zip(uses).collect()
}

/// The resources that an output needs, by name; through locals and data too.
pub(super) fn needed_by_output(
    stack: &Stack,
    uses: &BTreeMap<String, Uses>,
    name: &str,
) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    for node in stack.references().of_output(name) {
        match node {
            Node::Resource(name) => {
                needed.insert(name.clone());
            }
            other => {
                let uses = uses.get(&other.to_string()).into_iter();
                needed.extend(uses.flat_map(|uses| uses.all.iter().cloned()));
            }
        }
    }
    needed
}
