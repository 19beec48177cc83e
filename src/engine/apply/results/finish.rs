//! The end of a run: what its state has.

use super::{Applying, stored_id};
use crate::data::{Attributes, Inputs};
use crate::lang::eval::evaluate;
use crate::store::StoreError;
use crate::store::state::{OutputState, ResourceState, State, StateChange};
use std::collections::BTreeMap;

impl Applying<'_> {
    /// Seals derived secrets that a state of an older version has in clear.
    fn seal_made(&mut self) {
        let seal = &self.seal;
        if !seal.is_open() {
            return;
        }
        let sealed = self.state.resources.iter().filter_map(|(address, known)| {
            let kind = self.types.resource(&known.type_name);
            let secret = known.secrets(self.types.schema(&known.type_name));
            if secret == known.sensitive {
                return None;
            }
            let resource = ResourceState {
                id: kind
                    .map_or(&*known.id, |kind| stored_id(kind, &known.id, &secret))
                    .to_owned(),
                inputs: Inputs::new(seal.seal_paths(&known.inputs, &secret)),
                outputs: Attributes::new(seal.seal_paths(&known.outputs, &secret)),
                sensitive: secret,
                ..known.clone()
            };
            let (address, resource) = (address.clone(), Box::new(resource));
            Some(StateChange::Put { address, resource })
        });
        for change in sealed.collect::<Vec<_>>() {
            self.state.change(change);
        }
    }

    /// The state at the end, with the stack's outputs as far as they have a value.
    ///
    /// # Errors
    /// When the key to their secrets cannot be prepared.
    pub fn finish(mut self) -> Result<State, StoreError> {
        self.locals();
        self.seal_made();
        let mut outputs = BTreeMap::new();
        let kept = self.planned.destroy && !self.state.is_empty();
        if kept || self.planned.only_imports {
            outputs.clone_from(&self.state.outputs);
        }
        let blocks = self.stack.outputs.iter();
        for (name, block) in blocks.filter(|_| !self.planned.destroy && !self.planned.only_imports)
        {
            let kept = self.planned.kept_outputs.contains(name);
            self.values.budget.rest();
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
