//! A place inside a value, and how it is written.

use super::budget::Size;
use super::error::EvalError;
use super::root::Root;
use super::simple::is_identifier;
use super::value;
use crate::data::{Data, Path};
use crate::nearest::did_you_mean;
use serde_json::Value;

/// What a mistake in a reference is about.
pub(super) struct Label<'a> {
    pub(super) root: Root,
    pub(super) name: &'a str,
}

/// A place inside a value, moved one step at a time without copying.
pub(super) struct Cursor<'d, 'l> {
    data: &'d Data,
    value: &'d Value,
    path: Path,
    label: Option<Label<'l>>,
}

impl<'d, 'l> Cursor<'d, 'l> {
    pub(super) fn new(data: &'d Data, label: Option<Label<'l>>) -> Self {
        Self {
            data,
            value: &data.value,
            path: Path::root(),
            label,
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        !self.data.unknown.is_empty() && self.data.unknown.contains_key(&self.path)
    }

    /// Whether what stands here is secret, as a whole.
    pub(super) fn is_secret(&self) -> bool {
        self.data.is_secret(&self.path)
    }

    pub(super) fn step(&mut self, key: &str) -> Result<(), EvalError> {
        let next = match self.value {
            Value::Object(map) => map.get(key),
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        let Some(next) = next else {
            return Err(self.missing(key));
        };
        self.value = next;
        self.path = self.path.join(key);
        Ok(())
    }

    fn missing(&self, key: &str) -> EvalError {
        let what = self.what();
        if self.is_secret() {
            return EvalError::new(format!("{what} is secret, and has no \"{key}\""));
        }
        match self.value {
            Value::Null => EvalError::new(format!("{what} is null, so it has no \"{key}\""))
                .help("try(…, default) gives a value for when it is absent".to_owned()),
            Value::Object(map) => EvalError::new(format!("{what} has no \"{key}\""))
                .help(did_you_mean(key, map.keys().map(String::as_str))),
            Value::Array(items) if key.parse::<usize>().is_ok() => EvalError::new(format!(
                "{what} has {}, so [{key}] does not exist",
                value::counted(items.len(), "item")
            )),
            Value::Array(_) => EvalError::new(format!("{what} is a list, so it has no \"{key}\""))
                .help(format!(
                    "take one item, [0].{key}, or all of them, [*].{key}"
                )),
            other => EvalError::new(format!(
                "{what} is {}, so it has no \"{key}\"",
                value::kind(other)
            )),
        }
    }

    fn what(&self) -> String {
        let Some(label) = &self.label else {
            return "this value".to_owned();
        };
        let word = label.root.word();
        let mut path = match (word, label.name) {
            (Some(word), "") => word.to_owned(),
            (Some(word), name) => format!("{word}.{name}"),
            (None, name) => name.to_owned(),
        };
        for segment in self.path.segments() {
            path.push_str(&suffix(&segment));
        }
        path
    }

    /// How large a copy of the value is.
    pub(super) fn size(&self) -> Size {
        let mut size = Size::of(self.value);
        for (below, expression) in self.data.noted_below(&self.path) {
            size.values += 1;
            size.bytes += below.as_pointer().len() + expression.map_or(0, str::len);
        }
        size
    }

    pub(super) fn take(&self) -> Data {
        self.data.get(&self.path).unwrap_or_default()
    }
}

/// A lone reference's value: each unknown part is named by the reference to that part.
pub(super) fn renamed(mut data: Data, whole: &str, reference: &str) -> Data {
    if data.unknown.is_empty() {
        return data;
    }
    let reference = reference.trim();
    for (path, text) in &mut data.unknown {
        if path.is_root() {
            whole.clone_into(text);
            continue;
        }
        let mut longer = format!("${{{reference}");
        for segment in path.segments() {
            longer.push_str(&suffix(&segment));
        }
        longer.push('}');
        *text = longer;
    }
    data
}

fn suffix(segment: &str) -> String {
    if is_identifier(segment) {
        format!(".{segment}")
    } else if !segment.is_empty()
        && segment.len() < 10
        && segment.bytes().all(|b| b.is_ascii_digit())
    {
        format!("[{segment}]")
    } else {
        let escaped = segment
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
            .replace("${", "$${")
            .replace("%{", "%%{");
        format!("[\"{escaped}\"]")
    }
}
