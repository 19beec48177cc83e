//! The files that an apply writes.

use crate::engine::world::{ReadFailure, World};
use crate::lang::stack::Stack;
use crate::resource::context::Cx;
use crate::resource::types::Types;

/// Writes the files that the data sources of a plan are for, before what needs them; those that are
/// read while applying write theirs then.
///
/// # Errors
/// All that could not be written: the data source, and why.
pub fn write(cx: &Cx, types: &Types, stack: &Stack, world: &World) -> Result<(), Vec<ReadFailure>> {
    let mut failures = Vec::new();
    for (name, read) in &world.data {
        let kind = stack.data.get(name).map(|block| &block.type_name);
        let Some(kind) = kind.and_then(|name| types.data_source(name)) else {
            continue;
        };
        let mut cx = cx.clone();
        cx.is_secret = read.is_secret;
        if let Err(error) = kind.write(&cx, &read.args, &read.outputs) {
            failures.push((format!("data.{name}"), error));
        }
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(failures),
    }
}
