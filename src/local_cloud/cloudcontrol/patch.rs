//! Patch documents: RFC 6902, with paths as Cloud Control takes them: the slash at their start may
//! be missing (user guide, "Updating a resource").

use serde::Deserialize;
use serde_json::Value;

/// One operation.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    op: String,
    path: String,
    from: Option<String>,
    value: Option<Value>,
}

/// Applies all steps in order.
///
/// # Errors
/// A sentence that says which one cannot be applied.
pub(super) fn apply(document: &mut Value, steps: Vec<Step>) -> Result<(), String> {
    for step in steps {
        let Step { op, path, .. } = &step;
        let failed = format!("the operation {op} cannot be applied at {path}");
        run(document, step).ok_or(failed)?;
    }
    Ok(())
}

fn run(document: &mut Value, step: Step) -> Option<()> {
    let path = pointer(&step.path);
    let from = step.from.as_deref().map(pointer);
    match step.op.as_str() {
        "add" => add(document, &path, step.value?),
        "remove" => remove(document, &path).map(drop),
        "replace" => {
            *document.pointer_mut(&path)? = step.value?;
            Some(())
        }
        "move" => {
            let value = remove(document, &from?)?;
            add(document, &path, value)
        }
        "copy" => {
            let value = document.pointer(&from?)?.clone();
            add(document, &path, value)
        }
        "test" => (document.pointer(&path)? == &step.value?).then_some(()),
        _ => None,
    }
}

fn pointer(path: &str) -> String {
    match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("/{path}"),
    }
}

/// The value that holds what a path names, and that one's name in it.
fn parent<'d>(document: &'d mut Value, path: &str) -> Option<(&'d mut Value, String)> {
    let (parent, name) = path.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    Some((document.pointer_mut(parent)?, name))
}

fn add(document: &mut Value, path: &str, value: Value) -> Option<()> {
    match parent(document, path)? {
        (Value::Object(map), name) => {
            map.insert(name, value);
        }
        (Value::Array(list), name) if name == "-" => list.push(value),
        (Value::Array(list), name) => {
            let at = name.parse::<usize>().ok().filter(|at| *at <= list.len())?;
            list.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(document: &mut Value, path: &str) -> Option<Value> {
    match parent(document, path)? {
        (Value::Object(map), name) => map.remove(&name),
        (Value::Array(list), name) => {
            let at = name.parse::<usize>().ok().filter(|at| *at < list.len())?;
            Some(list.remove(at))
        }
        _ => None,
    }
}
