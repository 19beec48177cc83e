//! A plan without its secrets: each is replaced by its sealed form, which shows whether it is still
//! the same and nothing else.

use crate::data::{Attributes, Data, Path};
use crate::engine::plan::{Change, Op, OutputChange, Plan, Step};
use crate::report::secrets::{SecretPaths, Secrets, Veil};
use crate::resource::types::Types;
use crate::store::seal::Seal;
use serde_json::{Map, Value};

/// The plan with every secret sealed: what is not shown on a terminal is not in it. Live attributes
/// that only serve an update, and are in `before` as far as they were compared, are excluded.
pub fn sealed(plan: &Plan, types: &Types, seal: &Seal) -> Plan {
    let secrets = Secrets::of(plan);
    let sealer = Sealer {
        types,
        seal,
        secrets: &secrets,
    };
    let by_address = plan.by_address();
    let change_of = |step: &Step| by_address.get(step.address.as_str()).copied();
    let (changes, outputs, steps) = (plan.changes.iter(), plan.outputs.iter(), plan.steps.iter());
    let output = |(name, output): (&String, _)| (name.clone(), sealer.output(output));
    Plan {
        changes: changes.map(|change| sealer.change(change)).collect(),
        outputs: outputs.map(output).collect(),
        steps: steps
            .map(|step| sealer.step(step, change_of(step)))
            .collect(),
        ..plan.clone()
    }
}

struct Sealer<'a> {
    types: &'a Types,
    seal: &'a Seal,
    secrets: &'a Secrets,
}

impl Sealer<'_> {
    fn change(&self, change: &Change) -> Change {
        let paths = SecretPaths::of_change(change);
        let veil = Veil::new(&paths, change.schema.0, false);
        let data = |data: &Option<Data>| data.as_ref().map(|data| self.data(data, veil));
        let mut sealed = Change {
            id: change.id.as_deref().map(|id| self.text(id)),
            before: data(&change.before),
            after: data(&change.after),
            decided: self.decided(&change.decided, &change.type_name, &paths),
            ..change.clone()
        };
        for row in &mut sealed.differences {
            let veil = veil.at(&row.path);
            for value in [&mut row.applied, &mut row.live].into_iter().flatten() {
                *value = self.value(value, veil);
            }
            row.desired = row.desired.as_ref().map(|data| self.data(data, veil));
        }
        sealed
    }

    fn output(&self, output: &OutputChange) -> OutputChange {
        let paths = SecretPaths::of_output(output);
        let veil = Veil::new(&paths, None, false);
        OutputChange {
            before: output.before.as_ref().map(|value| self.value(value, veil)),
            after: output.after.as_ref().map(|data| self.data(data, veil)),
            sensitive: output.sensitive,
        }
    }

    fn step(&self, step: &Step, change: Option<&Change>) -> Step {
        let paths = change.map(SecretPaths::of_change).unwrap_or_default();
        let schema = match change {
            Some(change) => change.schema.0,
            None => self.types.schema(&step.type_name),
        };
        let veil = Veil::new(&paths, schema, false);
        let mut step = step.clone();
        match &mut step.op {
            Op::Create {
                inputs, decided, ..
            } => {
                *inputs = self.data(inputs, veil);
                *decided = self.decided(decided, &step.type_name, &paths);
            }
            Op::Update { inputs, live, .. } => {
                *inputs = self.data(inputs, veil);
                *live = Attributes::default();
            }
            Op::Read { args } => *args = self.data(args, veil),
            Op::UpdateState {
                inputs,
                outputs,
                id,
            }
            | Op::Import {
                inputs,
                outputs,
                id,
            } => {
                *inputs = self.data(inputs, veil);
                *outputs = Attributes::default();
                *id = self.text(id);
            }
            Op::Depose { .. } | Op::Delete { .. } | Op::Forget { .. } | Op::Move { .. } => {}
        }
        step
    }

    /// What the plan decided, sealed where it is secret.
    fn decided(
        &self,
        decided: &Map<String, Value>,
        type_name: &str,
        paths: &SecretPaths,
    ) -> Map<String, Value> {
        let schema = self.types.schema(type_name);
        let entries = decided.iter().map(|(name, value)| {
            let declared = schema.is_some_and(|schema| schema.is_sensitive(name));
            let sensitive = declared || paths.covers(name);
            let value = match sensitive {
                true => self.seal.seal(value),
                false => self.texts(value),
            };
            (name.clone(), value)
        });
        entries.collect()
    }

    fn data(&self, data: &Data, veil: Veil<'_>) -> Data {
        let value = self.value(&self.seal.seal_all(data), veil);
        let text = |(path, text): (&Path, &String)| {
            // The expression of a hidden place may have a secret written into it.
            let expression = Value::from(text.as_str());
            let text = match veil.at(path).hides(&expression) {
                true => self.seal.seal(&expression).to_string(),
                false => self.text(text),
            };
            (path.clone(), text)
        };
        Data {
            value,
            unknown: data.unknown.iter().map(text).collect(),
            secret: data.secret.clone(),
        }
    }

    fn value(&self, value: &Value, veil: Veil<'_>) -> Value {
        self.texts(&self.seal.seal_paths(value, &veil.value(value).secret))
    }

    /// A string that came from elsewhere, such as an id, may repeat a secret.
    fn text(&self, text: &str) -> String {
        self.secrets.hide(text)
    }

    fn texts(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(list) => list.iter().map(|item| self.texts(item)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(key, item)| (key.clone(), self.texts(item)))
                .collect(),
            other => other.clone(),
        }
    }
}
