//! Patterns of events that are JSON: `{ ($.level = "ERROR") && ($.latency > 100) }`.

use super::{Condition, Parsed, Reader, wrong};
use serde_json::Value;

/// One step from a value into it.
enum Step {
    Name(String),
    Index(usize),
    /// Any item of a list.
    Any,
}

enum Test {
    Compare(Condition),
    Null,
    True,
    False,
    NotExists,
}

/// An expression over selectors.
pub(in super::super) enum Expression {
    All(Vec<Self>),
    Any(Vec<Self>),
    Test(Selected),
}

/// A selector and what is asked of its value.
pub(in super::super) struct Selected {
    path: Vec<Step>,
    test: Test,
}

/// How deep parentheses may go.
const DEEPEST: usize = 32;

impl Expression {
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let Some(inner) = text.strip_prefix('{').and_then(|it| it.strip_suffix('}')) else {
            return wrong("a JSON pattern ends with }");
        };
        let mut reader = Reader::new(inner);
        let expression = either(&mut reader, 0)?;
        reader.blank();
        match reader.rest {
            "" => Ok(expression),
            rest => wrong(format!("{rest:?} is not expected there")),
        }
    }

    pub(super) fn matches(&self, value: &Value) -> bool {
        match self {
            Self::All(list) => list.iter().all(|it| it.matches(value)),
            Self::Any(list) => list.iter().any(|it| it.matches(value)),
            Self::Test(selected) => {
                let mut found = Vec::new();
                select(value, &selected.path, &mut found);
                match &selected.test {
                    Test::NotExists => found.is_empty(),
                    Test::Null => found.iter().any(|it| it.is_null()),
                    Test::True => found.iter().any(|it| **it == Value::Bool(true)),
                    Test::False => found.iter().any(|it| **it == Value::Bool(false)),
                    Test::Compare(condition) => found.iter().any(|it| condition.meets(it)),
                }
            }
        }
    }
}

/// The values that a path leads to.
fn select<'v>(value: &'v Value, path: &[Step], found: &mut Vec<&'v Value>) {
    let Some((step, rest)) = path.split_first() else {
        found.push(value);
        return;
    };
    match step {
        Step::Name(name) => {
            if let Some(value) = value.get(name) {
                select(value, rest, found);
            }
        }
        Step::Index(at) => {
            if let Some(value) = value.get(at) {
                select(value, rest, found);
            }
        }
        Step::Any => {
            let items = value.as_array().into_iter().flatten();
            items.for_each(|item| select(item, rest, found));
        }
    }
}

fn either(reader: &mut Reader<'_>, depth: usize) -> Parsed<Expression> {
    let mut list = vec![both(reader, depth)?];
    while reader.take("||") {
        list.push(both(reader, depth)?);
    }
    Ok(Expression::Any(list))
}

fn both(reader: &mut Reader<'_>, depth: usize) -> Parsed<Expression> {
    let mut list = vec![one(reader, depth)?];
    while reader.take("&&") {
        list.push(one(reader, depth)?);
    }
    Ok(Expression::All(list))
}

fn one(reader: &mut Reader<'_>, depth: usize) -> Parsed<Expression> {
    if !reader.take("(") {
        return test(reader).map(Expression::Test);
    }
    if depth == DEEPEST {
        return wrong("its parentheses go too deep");
    }
    let inner = either(reader, depth + 1)?;
    match reader.take(")") {
        true => Ok(inner),
        false => wrong("a parenthesis is not closed"),
    }
}

fn test(reader: &mut Reader<'_>) -> Parsed<Selected> {
    let path = path(reader)?;
    if let Some(condition) = Condition::parse(reader)? {
        let test = Test::Compare(condition);
        return Ok(Selected { path, test });
    }
    let test = if reader.word("NOT") {
        match reader.word("EXISTS") {
            true => Test::NotExists,
            false => return wrong("EXISTS stands after NOT"),
        }
    } else if reader.word("IS") {
        let words = [
            ("NULL", Test::Null),
            ("TRUE", Test::True),
            ("FALSE", Test::False),
        ];
        match words.into_iter().find(|(word, _)| reader.word(word)) {
            Some((_, test)) => test,
            None => return wrong("NULL, TRUE or FALSE stands after IS"),
        }
    } else {
        return wrong("an operator stands after a selector: =, !=, <, >, <=, >=, IS, NOT EXISTS");
    };
    Ok(Selected { path, test })
}

fn path(reader: &mut Reader<'_>) -> Parsed<Vec<Step>> {
    if !reader.take("$") {
        return wrong("a selector begins with $");
    }
    let mut path = Vec::new();
    loop {
        if let Some(rest) = reader.rest.strip_prefix('.') {
            reader.rest = rest;
            if reader.rest.starts_with('[') {
                continue;
            }
            let name = reader.while_in(|c| c.is_alphanumeric() || "_-".contains(c));
            if name.is_empty() {
                return wrong("a name stands after a dot");
            }
            path.push(Step::Name(name.to_owned()));
        } else if let Some(rest) = reader.rest.strip_prefix('[') {
            let Some((inside, rest)) = rest.split_once(']') else {
                return wrong("a bracket is not closed");
            };
            reader.rest = rest;
            let quoted = |mark: char| inside.strip_prefix(mark)?.strip_suffix(mark);
            path.push(match (quoted('\'').or(quoted('"')), inside) {
                (Some(name), _) => Step::Name(name.to_owned()),
                (None, "*") => Step::Any,
                (None, index) => match index.parse() {
                    Ok(index) => Step::Index(index),
                    Err(_) => return wrong(format!("[{inside}] is no place in a list")),
                },
            });
        } else if path.is_empty() {
            return wrong("a name stands after $");
        } else {
            return Ok(path);
        }
    }
}
