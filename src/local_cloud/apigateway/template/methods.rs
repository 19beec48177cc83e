//! Properties and methods of lists, maps, numbers and booleans.

use super::Fault;
use super::render::Run;
use super::strings;
use super::value::Value;
use indexmap::IndexMap;
use std::cell::RefCell;

impl Run<'_> {
    /// A property; null where there is none.
    pub(super) fn property(&self, value: &Value, name: &str) -> Value {
        match (value, name) {
            (Value::Map(pairs), name) => match pairs.borrow().get(name) {
                Some(value) => value.clone(),
                None if name == "empty" => Value::Bool(pairs.borrow().is_empty()),
                None => Value::Null,
            },
            (Value::Entry(entry), "key") => Value::from(entry.0.as_str()),
            (Value::Entry(entry), "value") => entry.1.clone(),
            (Value::List(items), "empty") => Value::Bool(items.borrow().is_empty()),
            (Value::Text(text), "empty") => Value::Bool(text.is_empty()),
            (Value::Tool(tool), name) => self.tool_property(*tool, name),
            _ => Value::Null,
        }
    }

    /// Calls a method.
    pub(super) fn call(
        &mut self,
        value: &Value,
        name: &str,
        arguments: &[Value],
        at: usize,
    ) -> Result<Value, Fault> {
        let wrong = |message: String| Fault::new(at, message);
        let found = match (value, name, arguments) {
            (Value::Tool(tool), ..) => self.tool_call(*tool, name, arguments, at)?,
            (Value::Block(_), ..) => None,
            (_, "toString", []) => Some(Value::from(self.text(value, at)?)),
            (_, "equals", [other]) => Some(Value::Bool(value.equals(other))),
            (Value::Text(text), ..) => strings::call(text, name, arguments).map_err(wrong)?,
            (Value::List(items), ..) => list(items, name, arguments).map_err(wrong)?,
            (Value::Map(pairs), ..) => map(pairs, name, arguments),
            (Value::Entry(entry), "getKey", []) => Some(Value::from(entry.0.as_str())),
            (Value::Entry(entry), "getValue", []) => Some(entry.1.clone()),
            (Value::Int(_) | Value::Float(_), ..) => {
                number(value, name, arguments).map_err(wrong)?
            }
            _ => None,
        };
        found.ok_or_else(|| {
            wrong(format!(
                "The local cloud's templates know no method {name} of {} with {}.",
                value.kind(),
                match arguments.len() {
                    0 => "no argument".to_owned(),
                    1 => "1 argument".to_owned(),
                    count => format!("{count} arguments"),
                }
            ))
        })
    }
}

/// A method of a list; none where it has no such method.
fn list(
    items: &RefCell<Vec<Value>>,
    name: &str,
    arguments: &[Value],
) -> Result<Option<Value>, String> {
    let outside = |index: i128| {
        format!(
            "Index {index} is outside of a list of {}.",
            items.borrow().len()
        )
    };
    let place = |index: &i128| {
        let place = usize::try_from(*index).ok();
        place
            .filter(|place| *place < items.borrow().len())
            .ok_or_else(|| outside(*index))
    };
    let position = |wanted: &Value| items.borrow().iter().position(|item| item.equals(wanted));
    Ok(Some(match (name, arguments) {
        ("size", []) => Value::Int(items.borrow().len() as i128),
        ("isEmpty", []) => Value::Bool(items.borrow().is_empty()),
        ("get", [Value::Int(index)]) => {
            let place = place(index)?;
            items.borrow().get(place).cloned().unwrap_or(Value::Null)
        }
        ("contains", [wanted]) => Value::Bool(position(wanted).is_some()),
        ("indexOf", [wanted]) => Value::Int(position(wanted).map_or(-1, |at| at as i128)),
        ("containsAll", [Value::List(others)]) => {
            let others = others.borrow().clone();
            Value::Bool(others.iter().all(|other| position(other).is_some()))
        }
        ("add", [item]) => {
            items.borrow_mut().push(item.clone());
            Value::Bool(true)
        }
        ("add", [Value::Int(index), item]) => {
            let most = items.borrow().len();
            let place = usize::try_from(*index).ok().filter(|place| *place <= most);
            let place = place.ok_or_else(|| outside(*index))?;
            items.borrow_mut().insert(place, item.clone());
            Value::Null
        }
        ("addAll", [Value::List(others)]) => {
            let others = others.borrow().clone();
            let grows = !others.is_empty();
            items.borrow_mut().extend(others);
            Value::Bool(grows)
        }
        ("set", [Value::Int(index), item]) => {
            let place = place(index)?;
            std::mem::replace(&mut items.borrow_mut()[place], item.clone())
        }
        ("remove", [Value::Int(index)]) => {
            let place = place(index)?;
            items.borrow_mut().remove(place)
        }
        ("remove", [wanted]) => {
            let found = position(wanted);
            if let Some(place) = found {
                items.borrow_mut().remove(place);
            }
            Value::Bool(found.is_some())
        }
        ("subList", [Value::Int(from), Value::Int(to)]) => {
            let bounds = usize::try_from(*from).ok().zip(usize::try_from(*to).ok());
            let part = bounds.and_then(|(from, to)| {
                let items = items.borrow();
                items.get(from..to).map(<[Value]>::to_vec)
            });
            Value::list(part.ok_or_else(|| outside(*to))?)
        }
        _ => return Ok(None),
    }))
}

/// The key that an argument names: keys of other types are not those of a map from JSON.
fn key(argument: &Value) -> Option<String> {
    match argument {
        Value::Text(text) => Some(text.to_string()),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => argument.to_text(),
        _ => None,
    }
}

/// A method of a map; none where it has no such method.
fn map(pairs: &RefCell<IndexMap<String, Value>>, name: &str, arguments: &[Value]) -> Option<Value> {
    let get = |argument: &Value| {
        let pairs = pairs.borrow();
        key(argument).and_then(|key| pairs.get(&key).cloned())
    };
    Some(match (name, arguments) {
        ("get", [name]) => get(name).unwrap_or(Value::Null),
        ("getOrDefault", [name, other]) => get(name).unwrap_or_else(|| other.clone()),
        ("containsKey", [name]) => Value::Bool(get(name).is_some()),
        ("containsValue", [wanted]) => {
            Value::Bool(pairs.borrow().values().any(|value| value.equals(wanted)))
        }
        ("size", []) => Value::Int(pairs.borrow().len() as i128),
        ("isEmpty", []) => Value::Bool(pairs.borrow().is_empty()),
        ("keySet", []) => {
            let pairs = pairs.borrow();
            Value::list(pairs.keys().map(|key| Value::from(key.as_str())).collect())
        }
        ("values", []) => Value::list(pairs.borrow().values().cloned().collect()),
        ("entrySet", []) => {
            let pairs = pairs.borrow();
            let entry =
                |(key, value): (&String, &Value)| Value::Entry((key.clone(), value.clone()).into());
            Value::list(pairs.iter().map(entry).collect())
        }
        ("put", [name, value]) => {
            let old = pairs.borrow_mut().insert(key(name)?, value.clone());
            old.unwrap_or(Value::Null)
        }
        ("putAll", [Value::Map(others)]) => {
            let others = others.borrow().clone();
            pairs.borrow_mut().extend(others);
            Value::Null
        }
        ("remove", [name]) => {
            let old = pairs.borrow_mut().shift_remove(&key(name)?);
            old.unwrap_or(Value::Null)
        }
        _ => return None,
    })
}

/// A method of a number; none where it has no such method.
fn number(value: &Value, name: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
    let float = match value {
        Value::Int(it) => *it as f64,
        Value::Float(it) => *it,
        _ => return Ok(None),
    };
    Ok(Some(match (name, arguments) {
        ("intValue" | "longValue", []) => match value {
            Value::Int(it) => Value::Int(*it),
            _ => Value::Int(float as i128),
        },
        ("doubleValue" | "floatValue", []) => Value::Float(float),
        // The static methods of Java's Integer and Double, reached through any number.
        ("parseInt" | "parseLong" | "valueOf", [Value::Text(text)])
            if matches!(value, Value::Int(_)) =>
        {
            let read = text.parse().map(Value::Int);
            read.map_err(|_| format!("{text:?} is not an integer."))?
        }
        ("parseDouble" | "valueOf", [Value::Text(text)]) => {
            let read = text.trim().parse().map(Value::Float);
            read.map_err(|_| format!("{text:?} is not a number."))?
        }
        ("compareTo", [Value::Int(_) | Value::Float(_)]) => {
            let other = match &arguments[0] {
                Value::Int(it) => *it as f64,
                Value::Float(it) => *it,
                _ => float,
            };
            Value::Int(float.total_cmp(&other) as i128)
        }
        _ => return Ok(None),
    }))
}
