//! The values of a template, and how Java writes them.

use super::tree::Block;
use indexmap::IndexMap;
use std::cell::RefCell;
use std::rc::Rc;

/// How deep lists and maps may hold each other where they are written.
pub(super) const DEEPEST: usize = 200;

/// A value. Lists and maps are shared, as in Java: what adds to one is seen by all who have it.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of any of Java's types.
    Int(i128),
    /// A number with decimals.
    Float(f64),
    /// A string.
    Text(Rc<str>),
    /// A list.
    List(Rc<RefCell<Vec<Value>>>),
    /// A map from strings, in the order of its keys' first entry.
    Map(Rc<RefCell<IndexMap<String, Value>>>),
    /// An entry of a map.
    Entry(Rc<(String, Value)>),
    /// What API Gateway brings: `$input`, `$util`.
    Tool(Tool),
    /// What `#define` keeps.
    Block(Defined),
}

/// What API Gateway brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `$input`.
    Input,
    /// `$util`.
    Util,
}

/// A block that is evaluated each time it is written.
#[derive(Debug, Clone)]
pub struct Defined(pub(super) Block);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Rc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Rc::from(text))
    }
}

impl Value {
    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(RefCell::new(items)))
    }

    pub(super) fn map(pairs: IndexMap<String, Self>) -> Self {
        Self::Map(Rc::new(RefCell::new(pairs)))
    }

    /// Whether a condition holds: all is true but null and false (Velocity 1.7).
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// The value as Java writes it; none where lists and maps are nested too deep to be written.
    pub fn to_text(&self) -> Option<String> {
        let mut out = String::new();
        self.write(&mut out, 0).map(|()| out)
    }

    fn write(&self, out: &mut String, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
            Self::Int(it) => out.push_str(&it.to_string()),
            Self::Float(it) => out.push_str(&java_double(*it)),
            Self::Text(it) => out.push_str(it),
            Self::List(items) => {
                out.push('[');
                for (place, item) in items.borrow().iter().enumerate() {
                    if place > 0 {
                        out.push_str(", ");
                    }
                    item.write(out, depth + 1)?;
                }
                out.push(']');
            }
            Self::Map(pairs) => {
                out.push('{');
                for (place, (key, value)) in pairs.borrow().iter().enumerate() {
                    if place > 0 {
                        out.push_str(", ");
                    }
                    out.push_str(key);
                    out.push('=');
                    value.write(out, depth + 1)?;
                }
                out.push('}');
            }
            Self::Entry(entry) => {
                out.push_str(&entry.0);
                out.push('=');
                entry.1.write(out, depth + 1)?;
            }
            Self::Tool(_) | Self::Block(_) => {}
        }
        Some(())
    }

    /// Java's `equals`.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.equals_at(other, 0)
    }

    fn equals_at(&self, other: &Self, depth: usize) -> bool {
        if depth > DEEPEST {
            return false;
        }
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                let mut pairs = a.iter().zip(b.iter());
                a.len() == b.len() && pairs.all(|(a, b)| a.equals_at(b, depth + 1))
            }
            (Self::Map(a), Self::Map(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                let same = |(key, value): (&String, &Self)| {
                    b.get(key).is_some_and(|it| it.equals_at(value, depth + 1))
                };
                a.len() == b.len() && a.iter().all(same)
            }
            (Self::Entry(a), Self::Entry(b)) => a.0 == b.0 && a.1.equals_at(&b.1, depth + 1),
            _ => false,
        }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Entry(_) => "an entry of a map",
            Self::Tool(Tool::Input) => "$input",
            Self::Tool(Tool::Util) => "$util",
            Self::Block(_) => "a block of #define",
        }
    }
}

/// A number as Java's `Double.toString` writes it.
pub(super) fn java_double(number: f64) -> String {
    let size = number.abs();
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, power)) if !digits.contains('.') => format!("{digits}.0E{power}"),
        Some((digits, power)) => format!("{digits}E{power}"),
        None => text,
    }
}
