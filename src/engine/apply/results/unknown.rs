//! Evaluates what was unknown to the plan with what the earlier steps returned.

use super::{Applying, mark_sensitive};
use crate::data::Data;
use crate::lang::eval::{Size, evaluate};
use crate::resource::error::Error;
use serde_json::Value;

impl Applying<'_> {
    /// The properties with every unknown part evaluated; the known parts are the plan's.
    pub(super) fn evaluate_unknown(&mut self, address: &str, inputs: &Data) -> Result<Data, Error> {
        if inputs.is_known() {
            return Ok(inputs.clone());
        }
        // Each step may take as many steps of evaluation as a plan.
        self.values.budget.rest();
        if inputs.unknown.values().any(|text| text.contains("local.")) {
            self.locals();
        }
        let found = self.instances.get(address).copied();
        if let Some(each) = found.and_then(|found| found.each.as_ref()) {
            let value = self.filled(address, &each.value)?;
            self.values.each = Some((Value::from(each.key.as_str()).into(), value));
        }
        let resolved = self.filled(address, inputs);
        self.values.each = None;
        let mut resolved = resolved?;
        if let Some(found) = found {
            let schema = found.kind.schema();
            schema.conform(&mut resolved);
            if let Some(broken) = schema.validate(&resolved).first() {
                let (path, message) = (&broken.path, &broken.message);
                return Err(Error::failed(format!("{path} of {address}: {message}")));
            }
            resolved = mark_sensitive(schema, resolved);
        }
        let kept = self.values.budget.keep(Size::of_data(&resolved));
        kept.map_err(|why| Error::failed(format!("{address} cannot be evaluated: {why}")))?;
        self.secrets.learn_secret(&resolved);
        Ok(resolved)
    }

    /// `data` with every unknown part evaluated.
    fn filled(&self, address: &str, data: &Data) -> Result<Data, Error> {
        let mut resolved = data.clone();
        for (path, text) in &data.unknown {
            let value = evaluate(&Value::from(text.as_str()), &self.values);
            let value = value.map_err(|faults| {
                let why: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
                Error::failed(format!(
                    "{path} of {address} has no value: {}",
                    why.join("; ")
                ))
            })?;
            if let Some(expression) = value.unknown.values().next() {
                return Err(Error::with_hint(
                    format!(
                        "{path} of {address} needs {expression}, a secret of which the state has no value"
                    ),
                    "Create the secret again with --replace and its address.",
                ));
            }
            if value.value.is_null() {
                resolved.remove(path);
            } else {
                resolved.set(path, value);
            }
        }
        Ok(resolved)
    }

    /// Evaluates those locals again that were not known so far.
    pub(super) fn locals(&mut self) {
        let stack = self.stack;
        for name in stack.references().locals() {
            if self.values.local.get(name).is_some_and(Data::is_known) {
                continue;
            }
            if let Ok(value) = evaluate(&stack.locals[name], &self.values) {
                if value.is_known() && self.values.budget.keep(Size::of_data(&value)).is_err() {
                    return;
                }
                self.values.local.insert(name.to_owned(), value);
            }
        }
    }
}
