//! The end of a run: what its state has.

use super::Applying;
use crate::engine::graph::Graph;
use crate::lang::eval::evaluate;
use crate::store::StoreError;
use crate::store::state::{OutputState, State, StateChange};
use std::collections::BTreeMap;

impl Applying<'_> {
    /// The state at the end, with the stack's outputs as far as they have a value.
    ///
    /// # Errors
    /// When the key to their secrets cannot be made ready.
    pub fn finish(mut self, graph: &Graph) -> Result<State, StoreError> {
        self.locals(graph);
        let mut outputs = BTreeMap::new();
        let kept = self.planned.destroy && !self.state.is_empty();
        if kept || self.planned.adopts {
            outputs.clone_from(&self.state.outputs);
        }
        let blocks = self.stack.outputs.iter();
        for (name, block) in blocks.filter(|_| !self.planned.destroy && !self.planned.adopts) {
            let kept = self.planned.kept_outputs.contains(name);
            let value = match evaluate(&block.value, &self.values) {
                Ok(data) if data.is_known() && !kept => {
                    let sensitive = block.sensitive || !data.secret.is_empty();
                    let value = if sensitive {
                        self.seal.seal(&data.value)
                    } else {
                        data.value
                    };
                    let description = block.description.clone();
                    OutputState {
                        value,
                        sensitive,
                        description,
                    }
                }
                _ => match self.state.outputs.get(name) {
                    Some(before) => before.clone(),
                    None => continue,
                },
            };
            outputs.insert(name.clone(), value);
        }
        let account = self
            .world
            .identity
            .as_ref()
            .map(|identity| identity.account.clone());
        let region = self.world.region.clone();
        self.state.change(StateChange::Finish {
            outputs,
            account,
            region,
        });
        self.key_change()?;
        Ok(self.state)
    }
}
