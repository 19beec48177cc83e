//! References and expressions of a template, read.

use super::Fault;
use super::cursor::Cursor;
use super::parse;
use super::tree::{Expression, ExpressionKind, Literal, Operator, Reference, Step, StepKind};

/// Reads a reference at `$`, or nothing where there is none: the cursor stays then.
pub(super) fn reference(cursor: &mut Cursor<'_>) -> Result<Option<Reference>, Fault> {
    let at = cursor.at;
    if !cursor.take("$") {
        return Ok(None);
    }
    let quiet = cursor.take("!");
    let braced = cursor.take("{");
    let Some(root) = cursor.name(true) else {
        cursor.at = at;
        return Ok(None);
    };
    let root = root.to_owned();
    let steps = cursor.nested(steps)?;
    if braced && !cursor.take("}") {
        let found = cursor.found();
        return Err(cursor.fault(format!("Expected \"}}\" after ${{{root}, got {found}.")));
    }
    Ok(Some(Reference {
        at,
        root,
        quiet,
        steps,
        source: cursor.text[at..cursor.at].to_owned(),
    }))
}

fn steps(cursor: &mut Cursor<'_>) -> Result<Vec<Step>, Fault> {
    let mut steps = Vec::new();
    loop {
        let at = cursor.at;
        if cursor.take("[") {
            let index = expression(cursor)?;
            cursor.skip_blanks();
            if !cursor.take("]") {
                let found = cursor.found();
                return Err(cursor.fault(format!("Expected \"]\" after an index, got {found}.")));
            }
            steps.push(Step {
                at,
                kind: StepKind::Index(index),
            });
            continue;
        }
        if !cursor.take(".") {
            return Ok(steps);
        }
        let Some(name) = cursor.name(true) else {
            // The dot belongs to the text behind the reference.
            cursor.at = at;
            return Ok(steps);
        };
        let name = name.to_owned();
        let kind = match cursor.take("(") {
            true => StepKind::Method(name, list(cursor, ")")?),
            false => StepKind::Property(name),
        };
        steps.push(Step { at: at + 1, kind });
    }
}

/// Expressions between commas, up to what closes them.
fn list(cursor: &mut Cursor<'_>, close: &str) -> Result<Vec<Expression>, Fault> {
    let mut items = Vec::new();
    cursor.skip_blanks();
    if cursor.take(close) {
        return Ok(items);
    }
    loop {
        items.push(expression(cursor)?);
        cursor.skip_blanks();
        if cursor.take(close) {
            return Ok(items);
        }
        if !cursor.take(",") {
            let found = cursor.found();
            return Err(cursor.fault(format!("Expected \",\" or {close:?}, got {found}.")));
        }
    }
}

/// Reads an expression.
pub(super) fn expression(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    cursor.nested(|cursor| binary(cursor, 0))
}

/// The operators, those that bind least first. A longer one stands before its beginning.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("eq", Operator::Equal),
        ("ne", Operator::Unequal),
    ],
    &[
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("le", Operator::LessOrEqual),
        ("ge", Operator::GreaterOrEqual),
        ("lt", Operator::Less),
        ("gt", Operator::Greater),
    ],
    &[("+", Operator::Plus), ("-", Operator::Minus)],
    &[
        ("*", Operator::Times),
        ("/", Operator::Divide),
        ("%", Operator::Rest),
    ],
];

fn binary(cursor: &mut Cursor<'_>, level: usize) -> Result<Expression, Fault> {
    let Some(operators) = LEVELS.get(level) else {
        return unary(cursor);
    };
    let mut left = binary(cursor, level + 1)?;
    loop {
        cursor.skip_blanks();
        let at = cursor.at;
        let mut known = operators.iter();
        let Some((_, operator)) = known.find(|(text, _)| take_word(cursor, text)) else {
            return Ok(left);
        };
        let right = binary(cursor, level + 1)?;
        left = Expression {
            at,
            kind: ExpressionKind::Binary(*operator, Box::new(left), Box::new(right)),
        };
    }
}

/// Goes past an operator or a word; a word ends where no letter follows.
fn take_word(cursor: &mut Cursor<'_>, text: &str) -> bool {
    let start = cursor.at;
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let taken = cursor.take(text);
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if taken && word && cursor.peek().is_some_and(goes_on) {
        cursor.at = start;
        return false;
    }
    taken
}

fn unary(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    cursor.skip_blanks();
    let at = cursor.at;
    let negated: Option<fn(Box<Expression>) -> ExpressionKind> =
        if cursor.take("!") || take_word(cursor, "not") {
            Some(ExpressionKind::Not)
        } else if cursor.take("-") {
            Some(ExpressionKind::Negative)
        } else {
            None
        };
    match negated {
        Some(kind) => {
            let inner = cursor.nested(unary)?;
            Ok(Expression {
                at,
                kind: kind(Box::new(inner)),
            })
        }
        None => primary(cursor),
    }
}

fn primary(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    let at = cursor.at;
    let kind = match cursor.peek() {
        Some('$') => match reference(cursor)? {
            Some(reference) => ExpressionKind::Reference(reference),
            None => return Err(cursor.fault("A name is missing after $.")),
        },
        Some(quote @ ('\'' | '"')) => string(cursor, quote)?,
        Some('(') => {
            cursor.take("(");
            let inner = expression(cursor)?;
            cursor.skip_blanks();
            if !cursor.take(")") {
                let found = cursor.found();
                return Err(cursor.fault(format!("Expected \")\", got {found}.")));
            }
            return Ok(inner);
        }
        Some('[') => {
            cursor.take("[");
            list_or_range(cursor)?
        }
        Some('{') => {
            cursor.take("{");
            map(cursor)?
        }
        Some(c) if c.is_ascii_digit() => number(cursor)?,
        _ => {
            let words = [
                ("true", Literal::Bool(true)),
                ("false", Literal::Bool(false)),
                ("null", Literal::Null),
            ];
            let mut words = words.into_iter();
            match words.find(|(word, _)| take_word(cursor, word)) {
                Some((_, literal)) => ExpressionKind::Literal(literal),
                None => {
                    let found = cursor.found();
                    return Err(cursor.fault(format!("Expected a value, got {found}.")));
                }
            }
        }
    };
    Ok(Expression { at, kind })
}

/// A string. Between single quotes it is taken as it is; a backslash is itself in both.
fn string(cursor: &mut Cursor<'_>, quote: char) -> Result<ExpressionKind, Fault> {
    let open = cursor.at;
    let start = open + 1;
    let Some(length) = cursor.text[start..cursor.end].find(quote) else {
        return Err(cursor.fault(format!("The string is not closed with {quote}.")));
    };
    let end = start + length;
    let text = &cursor.text[start..end];
    cursor.at = end + 1;
    if quote == '"' && text.contains(['$', '#']) {
        let block = cursor.nested(|cursor| parse::part(&mut cursor.part(start, end)))?;
        return Ok(ExpressionKind::Interpolated(block));
    }
    Ok(ExpressionKind::Literal(Literal::Text(text.to_owned())))
}

fn number(cursor: &mut Cursor<'_>) -> Result<ExpressionKind, Fault> {
    let at = cursor.at;
    let digits = |c: char| c.is_ascii_digit();
    cursor.take_while(digits);
    let rest = cursor.rest();
    let fraction = rest.starts_with('.') && rest[1..].starts_with(digits);
    if fraction {
        cursor.take(".");
        cursor.take_while(digits);
    }
    let text = &cursor.text[at..cursor.at];
    let large = |_| Fault::new(at, "The number is too large.");
    Ok(ExpressionKind::Literal(match fraction {
        true => Literal::Float(text.parse().unwrap_or(f64::INFINITY)),
        false => Literal::Int(text.parse().map_err(large)?),
    }))
}

/// What follows `[`: `1, 2]` or `1..3]`.
fn list_or_range(cursor: &mut Cursor<'_>) -> Result<ExpressionKind, Fault> {
    cursor.skip_blanks();
    if cursor.take("]") {
        return Ok(ExpressionKind::List(Vec::new()));
    }
    let first = expression(cursor)?;
    cursor.skip_blanks();
    if cursor.take("..") {
        let last = expression(cursor)?;
        cursor.skip_blanks();
        if !cursor.take("]") {
            let found = cursor.found();
            return Err(cursor.fault(format!("Expected \"]\" after a range, got {found}.")));
        }
        return Ok(ExpressionKind::Range(Box::new(first), Box::new(last)));
    }
    let mut items = vec![first];
    if cursor.take(",") {
        items.extend(list(cursor, "]")?);
    } else if !cursor.take("]") {
        let found = cursor.found();
        return Err(cursor.fault(format!("Expected \",\" or \"]\", got {found}.")));
    }
    Ok(ExpressionKind::List(items))
}

/// What follows `{`.
fn map(cursor: &mut Cursor<'_>) -> Result<ExpressionKind, Fault> {
    let mut pairs = Vec::new();
    cursor.skip_blanks();
    if cursor.take("}") {
        return Ok(ExpressionKind::Map(pairs));
    }
    loop {
        let key = expression(cursor)?;
        cursor.skip_blanks();
        if !cursor.take(":") {
            let found = cursor.found();
            return Err(cursor.fault(format!("Expected \":\" after a key, got {found}.")));
        }
        pairs.push((key, expression(cursor)?));
        cursor.skip_blanks();
        if cursor.take("}") {
            return Ok(ExpressionKind::Map(pairs));
        }
        if !cursor.take(",") {
            let found = cursor.found();
            return Err(cursor.fault(format!("Expected \",\" or \"}}\", got {found}.")));
        }
    }
}
