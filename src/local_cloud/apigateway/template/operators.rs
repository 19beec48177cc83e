//! The evaluation of expressions.

use super::Fault;
use super::render::Run;
use super::tree::{Expression, ExpressionKind, Operator};
use super::value::Value;
use indexmap::IndexMap;

/// How many items a range has at most: more than a `#foreach` could go through.
const MOST_ITEMS: u128 = 1001;

impl Run<'_> {
    /// The value of an expression.
    pub(super) fn expression(&mut self, expression: &Expression) -> Result<Value, Fault> {
        let at = expression.at;
        self.step(at)?;
        Ok(match &expression.kind {
            ExpressionKind::Literal(literal) => literal.value(),
            ExpressionKind::Interpolated(block) => Value::from(self.inner(block, at)?),
            ExpressionKind::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    values.push(self.expression(item)?);
                }
                Value::list(values)
            }
            ExpressionKind::Map(pairs) => {
                let mut values = IndexMap::with_capacity(pairs.len());
                for (key, value) in pairs {
                    let key = self.expression(key)?;
                    let key = self.text(&key, at)?;
                    values.insert(key, self.expression(value)?);
                }
                Value::map(values)
            }
            ExpressionKind::Range(first, last) => {
                let (first, last) = (self.expression(first)?, self.expression(last)?);
                range(&first, &last, at)?
            }
            ExpressionKind::Reference(reference) => {
                self.reference(reference)?.unwrap_or(Value::Null)
            }
            ExpressionKind::Not(inner) => Value::Bool(!self.expression(inner)?.is_true()),
            ExpressionKind::Negative(inner) => match self.expression(inner)? {
                Value::Int(it) => it.checked_neg().map_or(Value::Null, Value::Int),
                Value::Float(it) => Value::Float(-it),
                _ => Value::Null,
            },
            ExpressionKind::Binary(operator, left, right) => {
                self.binary(*operator, left, right, at)?
            }
        })
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
        at: usize,
    ) -> Result<Value, Fault> {
        let a = self.expression(left)?;
        match operator {
            Operator::Or if a.is_true() => return Ok(Value::Bool(true)),
            Operator::And if !a.is_true() => return Ok(Value::Bool(false)),
            _ => {}
        }
        let b = self.expression(right)?;
        Ok(match operator {
            Operator::Or | Operator::And => Value::Bool(b.is_true()),
            Operator::Equal => Value::Bool(self.equal(&a, &b, at)?),
            Operator::Unequal => Value::Bool(!self.equal(&a, &b, at)?),
            Operator::Less => ordered(&a, &b, std::cmp::Ordering::is_lt),
            Operator::LessOrEqual => ordered(&a, &b, std::cmp::Ordering::is_le),
            Operator::Greater => ordered(&a, &b, std::cmp::Ordering::is_gt),
            Operator::GreaterOrEqual => ordered(&a, &b, std::cmp::Ordering::is_ge),
            Operator::Plus if is_text(&a) || is_text(&b) => {
                let (mut a, b) = (self.operand(left, &a, at)?, self.operand(right, &b, at)?);
                a.push_str(&b);
                Value::from(a)
            }
            _ => calculate(operator, &a, &b),
        })
    }

    /// An operand of a string's `+`: a reference without a value as it stands.
    fn operand(
        &mut self,
        expression: &Expression,
        value: &Value,
        at: usize,
    ) -> Result<String, Fault> {
        match (&expression.kind, value) {
            (ExpressionKind::Reference(reference), Value::Null) => Ok(reference.source.clone()),
            (_, value) => self.text(value, at),
        }
    }

    /// Velocity 1.7: numbers by value, values of one class by `equals`, others as text.
    fn equal(&mut self, a: &Value, b: &Value, at: usize) -> Result<bool, Fault> {
        use std::mem::discriminant;
        Ok(match (a, b) {
            (Value::Null, _) | (_, Value::Null) => discriminant(a) == discriminant(b),
            _ => match (number(a), number(b)) {
                (Some(a), Some(b)) => a == b,
                _ if discriminant(a) == discriminant(b) => a.equals(b),
                _ => self.text(a, at)? == self.text(b, at)?,
            },
        })
    }
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::Text(_))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(it) => Some(*it as f64),
        Value::Float(it) => Some(*it),
        _ => None,
    }
}

/// Numbers are ordered; for anything else no comparison holds (Velocity 1.7).
fn ordered(a: &Value, b: &Value, holds: fn(std::cmp::Ordering) -> bool) -> Value {
    let order = match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        _ => number(a)
            .zip(number(b))
            .and_then(|(a, b)| a.partial_cmp(&b)),
    };
    Value::Bool(order.is_some_and(holds))
}

/// Arithmetic; null where something is no number, or where a division is by zero.
fn calculate(operator: Operator, a: &Value, b: &Value) -> Value {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        let result = match operator {
            Operator::Plus => a.checked_add(*b),
            Operator::Minus => a.checked_sub(*b),
            Operator::Times => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            Operator::Rest => a.checked_rem(*b),
            _ => None,
        };
        return result.map_or(Value::Null, Value::Int);
    }
    let (Some(a), Some(b)) = (number(a), number(b)) else {
        return Value::Null;
    };
    match operator {
        Operator::Plus => Value::Float(a + b),
        Operator::Minus => Value::Float(a - b),
        Operator::Times => Value::Float(a * b),
        Operator::Divide if b != 0.0 => Value::Float(a / b),
        Operator::Rest if b != 0.0 => Value::Float(a % b),
        _ => Value::Null,
    }
}

/// `[1..3]`, or `[3..1]`.
fn range(first: &Value, last: &Value, at: usize) -> Result<Value, Fault> {
    let (Value::Int(first), Value::Int(last)) = (first, last) else {
        return Ok(Value::Null);
    };
    if first.abs_diff(*last) >= MOST_ITEMS {
        return Err(Fault::new(
            at,
            "The range has more items than #foreach has iterations.",
        ));
    }
    let mut items: Vec<Value> = (*first.min(last)..=*first.max(last))
        .map(Value::Int)
        .collect();
    if first > last {
        items.reverse();
    }
    Ok(Value::list(items))
}
