//! The outputs in a plan.

use super::OutputChange;
use super::planner::Planner;
use crate::data::{Data, Path};
use crate::store::seal::is_sealed;
use crate::store::state::OutputState;
use serde_json::Value;
use std::collections::BTreeMap;

impl Planner<'_> {
    pub(super) fn outputs(&mut self) {
        let stack = self.request.stack;
        let known = &self.request.world.state.outputs;
        let destroy = self.request.options.destroy;
        if self.request.options.imports.is_some() {
            return;
        }
        if destroy && !self.removes_everything() {
            return;
        }
        let mut changes = BTreeMap::new();
        let blocks = stack.outputs.iter().filter(|_| !destroy);
        for (name, block) in blocks {
            let after = self.eval(
                &Path::pointer("/outputs").join(name).join("value"),
                &block.value,
            );
            let sensitive = block.sensitive || !after.secret.is_empty();
            if sensitive && self.seal.is_locked() && self.out.plan.scope.is_some() {
                // Without the key what is asked for does without them.
                self.out.kept_outputs.insert(name.clone());
            }
            if self.out.kept_outputs.contains(name) {
                continue;
            }
            let before = known.get(name);
            if self.output_stays(name, &after, before.is_some()) {
                continue;
            }
            if before.is_some_and(|before| self.same_output(before, &after, sensitive)) {
                continue;
            }
            changes.insert(
                name.clone(),
                OutputChange {
                    before: before.map(visible),
                    after: Some(after),
                    sensitive: sensitive || before.is_some_and(|before| before.sensitive),
                },
            );
        }
        for (name, before) in known {
            if destroy || !stack.outputs.contains_key(name) {
                changes.insert(
                    name.clone(),
                    OutputChange {
                        before: Some(visible(before)),
                        after: None,
                        sensitive: before.sensitive,
                    },
                );
            }
        }
        self.out.plan.outputs = changes;
    }

    /// Whether the plan of a destroy leaves nothing.
    fn removes_everything(&self) -> bool {
        let state = &self.request.world.state;
        let deposed: usize = state.deposed.values().map(BTreeMap::len).sum();
        self.out.plan.changes.len() == state.resources.len() + deposed
    }

    fn same_output(&self, before: &OutputState, after: &Data, sensitive: bool) -> bool {
        if before.sensitive != sensitive {
            return false;
        }
        if !after.is_known() {
            return false;
        }
        if sensitive {
            is_sealed(&before.value) && self.seal.is_seal_of(&before.value, &after.value)
        } else {
            before.value == after.value
        }
    }
}

/// An output's value as the state has it; null for a secret one, which is not kept.
fn visible(output: &OutputState) -> Value {
    if output.sensitive {
        Value::Null
    } else {
        output.value.clone()
    }
}
