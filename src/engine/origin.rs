//! Where a value that is not kept came from. A sealed secret cannot be computed again; that
//! its expression is still the same is all that can be told.

use crate::lang::eval::{Root, references};
use crate::lang::stack::Stack;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An expression, the locals it is made of, and the variables and the `each.value` in them,
/// as a text; kept as a mark (`Seal::mark`) only.
pub(super) fn origin(stack: &Stack, each: Option<&Value>, expression: &str) -> String {
    let mut parts = Vec::new();
    let mut seen = BTreeSet::new();
    let mut todo = vec![Value::from(expression)];
    while let Some(template) = todo.pop() {
        for found in references(&template).unwrap_or_default() {
            match found.root {
                Root::Local if seen.insert(found.name.clone()) => {
                    todo.extend(stack.locals.get(&found.name).cloned());
                }
                Root::Var => {
                    let value = stack.variables.get(&found.name);
                    parts.push(json!(value.map(|value| &value.value)));
                }
                Root::Each => parts.push(json!(each)),
                _ => {}
            }
        }
        parts.push(template);
    }
    Value::Array(parts).to_string()
}
