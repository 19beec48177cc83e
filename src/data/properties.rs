//! The properties of a resource: as its stack file gives them, and as they are known of the live
//! resource. Both are JSON objects and are stored as such; the types say which of the two it is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::{Deref, DerefMut};

/// The evaluated properties of one resource, or the arguments of a data source, as the stack file
/// gives them: a JSON object without nulls. Null where nothing is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inputs(Value);

/// What is known of a live resource: properties as read and computed outputs, in one JSON object; of
/// a data source, its outputs. Null where nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(Value);

macro_rules! json_object {
    ($($name:ident)*) => {$(
        impl $name {
            /// These values.
            pub fn new(values: impl Into<Value>) -> Self {
                Self(values.into())
            }

            /// The plain JSON.
            pub fn into_value(self) -> Value {
                self.0
            }
        }

        impl Deref for $name {
            type Target = Value;

            fn deref(&self) -> &Value {
                &self.0
            }
        }

        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Value {
                &mut self.0
            }
        }
    )*};
}

json_object!(Inputs Attributes);

impl Inputs {
    /// The properties of a type's own struct that have a value.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(props: &impl Serialize) -> Result<Self, serde_json::Error> {
        let all = serde_json::to_value(props)?;
        Ok(Self(overlay(&Value::Null, &all)))
    }
}

impl Attributes {
    /// Of a resource with these inputs, and `outputs` over them: what its service returned.
    pub fn of(inputs: &Inputs, outputs: &Self) -> Self {
        Self(overlay(inputs, outputs))
    }

    /// These, with the keys of `over` (inputs, or what is known by now) put over them, nulls
    /// excluded.
    #[must_use]
    pub fn with(&self, over: &Value) -> Self {
        Self(overlay(self, over))
    }

    /// The part that are inputs, by their names.
    pub fn inputs(&self, is_input: impl Fn(&str) -> bool) -> Inputs {
        let Some(map) = self.as_object() else {
            return Inputs(self.0.clone());
        };
        let inputs = map
            .iter()
            .filter(|(name, value)| is_input(name) && !value.is_null());
        let inputs = inputs.map(|(name, value)| (name.clone(), value.clone()));
        Inputs(Value::Object(inputs.collect::<Map<_, _>>()))
    }
}

/// `base` with the keys of `over` put over it, nulls excluded.
fn overlay(base: &Value, over: &Value) -> Value {
    let mut map = base.as_object().cloned().unwrap_or_default();
    for (key, value) in over.as_object().into_iter().flatten() {
        if !value.is_null() {
            map.insert(key.clone(), value.clone());
        }
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn inputs_become_attributes_and_come_back_without_nulls() {
        let inputs = Inputs::new(json!({"name": "a", "size": 1}));
        let outputs = Attributes::new(json!({"name": null, "size": 2, "id": 3}));
        let live = Attributes::of(&inputs, &outputs);
        assert_eq!(*live, json!({"name": "a", "size": 2, "id": 3}));
        assert_eq!(
            *live.with(&inputs),
            json!({"name": "a", "size": 1, "id": 3})
        );
        let own = outputs.inputs(|name| name != "id");
        assert_eq!(own, Inputs::new(json!({"size": 2})));
        assert_eq!(json!(own), own.into_value());
    }
}
