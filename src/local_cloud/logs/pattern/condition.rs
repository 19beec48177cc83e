//! A comparison of one value: `= "text"`, `!= 4*`, `>= 400`, `= %regex%`.

use super::{Parsed, Reader, wrong};
use regex::Regex;
use serde_json::Value;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

enum Operand {
    Number(f64),
    /// A string between asterisks, each of which stands for anything.
    Parts(Vec<String>),
    Regex(Regex),
}

/// An operator and what is compared with.
pub(super) struct Condition {
    operator: Operator,
    operand: Operand,
}

impl Condition {
    /// Reads a comparison; none where no operator comes next.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Parsed<Option<Self>> {
        let operators = [
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let found = operators.into_iter().find(|(mark, _)| reader.take(mark));
        let Some((mark, operator)) = found else {
            return Ok(None);
        };
        reader.blank();
        let operand = if let Some(text) = reader.quoted()? {
            parts(&text)
        } else if let Some(regex) = reader.regex()? {
            Operand::Regex(regex)
        } else {
            let word = reader.while_in(|c| c.is_alphanumeric() || "_.*-+:/@#".contains(c));
            match word.parse::<f64>() {
                _ if word.is_empty() => return wrong(format!("nothing stands after {mark}")),
                Ok(number) if number.is_finite() => Operand::Number(number),
                _ => parts(word),
            }
        };
        let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if ordered && !matches!(operand, Operand::Number(_)) {
            return wrong(format!("{mark} compares numbers"));
        }
        Ok(Some(Self { operator, operand }))
    }

    /// Whether a JSON value meets it. Strings, numbers and bools do, lists and maps do not.
    pub(super) fn meets(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.meets_text(text),
            Value::Number(number) => match (&self.operand, number.as_f64()) {
                (Operand::Number(with), Some(number)) => self.compare(number, *with),
                _ => self.meets_text(&number.to_string()),
            },
            Value::Bool(flag) => self.meets_text(&flag.to_string()),
            _ => false,
        }
    }

    /// Whether a string meets it.
    pub(super) fn meets_text(&self, text: &str) -> bool {
        let equal = match &self.operand {
            Operand::Number(with) => match text.parse() {
                Ok(number) => return self.compare(number, *with),
                Err(_) => false,
            },
            Operand::Parts(parts) => is_made_of(text, parts),
            Operand::Regex(regex) => regex.is_match(text),
        };
        match self.operator {
            Operator::Equal => equal,
            Operator::NotEqual => !equal,
            _ => false,
        }
    }

    #[expect(clippy::float_cmp, reason = "numbers as written are compared")]
    fn compare(&self, number: f64, with: f64) -> bool {
        match self.operator {
            Operator::Equal => number == with,
            Operator::NotEqual => number != with,
            Operator::Less => number < with,
            Operator::LessOrEqual => number <= with,
            Operator::Greater => number > with,
            Operator::GreaterOrEqual => number >= with,
        }
    }
}

fn parts(text: &str) -> Operand {
    Operand::Parts(text.split('*').map(str::to_owned).collect())
}

/// Whether a string is the parts in their order with anything between them.
fn is_made_of(text: &str, parts: &[String]) -> bool {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return text.is_empty();
    };
    if parts.len() == 1 {
        return text == first;
    }
    let Some(rest) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    let Some(mut rest) = rest.strip_suffix(last.as_str()) else {
        return false;
    };
    parts[1..parts.len() - 1].iter().all(|part| {
        rest.find(part.as_str()).is_some_and(|at| {
            rest = &rest[at + part.len()..];
            true
        })
    })
}
