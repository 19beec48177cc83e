//! Operators.

use super::budget::Size;
use super::error::EvalError;
use super::expression::Evaluator;
use super::value::{
    Outcome, bool, compare, float, number, number_value, same, tainted_by, unknown_from, whole,
};
use crate::data::Data;
use hcl::edit::Span;
use hcl::edit::expr::{BinaryOperator, Expression, UnaryOperator};
use serde_json::{Number, Value};
use std::cmp::Ordering;

impl Evaluator<'_> {
    pub(super) fn unary(&mut self, operator: UnaryOperator, operand: &Expression) -> Outcome {
        let before = self.meter.mark();
        let value = &self.expression(operand)?;
        self.meter.back_to(before, Size::string(0));
        if !value.is_known() {
            return Ok(unknown_from(&[value]));
        }
        let result = match operator {
            UnaryOperator::Not => Value::Bool(!bool(&value.value)?),
            UnaryOperator::Neg => {
                let number = number(&value.value)?;
                match whole(&number).and_then(|whole| i64::try_from(-whole).ok()) {
                    Some(whole) => whole.into(),
                    None => number_value(-float(&number))?,
                }
            }
        };
        Ok(tainted_by(result.into(), &[value]))
    }

    pub(super) fn binary(
        &mut self,
        left: &Expression,
        operator: BinaryOperator,
        right: &Expression,
    ) -> Outcome {
        let first = self.expression(left)?;
        if let BinaryOperator::And | BinaryOperator::Or = operator {
            let decides = operator == BinaryOperator::Or;
            let flag = |data: &Data, at: &Expression| {
                bool(&data.value).map_err(|wrong| wrong.at(at.span()))
            };
            if first.is_known() && flag(&first, left)? == decides {
                return Ok(tainted_by(Value::Bool(decides).into(), &[&first]));
            }
            let second = self.expression(right)?;
            if second.is_known() && (flag(&second, right)? == decides || first.is_known()) {
                let result = flag(&second, right)?;
                return Ok(tainted_by(Value::Bool(result).into(), &[&first, &second]));
            }
            return Ok(unknown_from(&[&first, &second]));
        }
        let second = self.expression(right)?;
        if !first.is_known() || !second.is_known() {
            return Ok(unknown_from(&[&first, &second]));
        }
        let result = match operator {
            BinaryOperator::Eq => Value::Bool(same(&first.value, &second.value)),
            BinaryOperator::NotEq => Value::Bool(!same(&first.value, &second.value)),
            _ => {
                let first = number(&first.value).map_err(|wrong| wrong.at(left.span()))?;
                let second = number(&second.value).map_err(|wrong| wrong.at(right.span()))?;
                arithmetic(&first, operator, &second)?
            }
        };
        Ok(tainted_by(result.into(), &[&first, &second]))
    }
}

fn arithmetic(left: &Number, operator: BinaryOperator, right: &Number) -> Result<Value, EvalError> {
    let order = || compare(left, right);
    match operator {
        BinaryOperator::Less => return Ok(Value::Bool(order() == Some(Ordering::Less))),
        BinaryOperator::Greater => return Ok(Value::Bool(order() == Some(Ordering::Greater))),
        BinaryOperator::LessEq => {
            return Ok(Value::Bool(matches!(
                order(),
                Some(Ordering::Less | Ordering::Equal)
            )));
        }
        BinaryOperator::GreaterEq => {
            return Ok(Value::Bool(matches!(
                order(),
                Some(Ordering::Greater | Ordering::Equal)
            )));
        }
        _ => {}
    }
    if matches!(operator, BinaryOperator::Div | BinaryOperator::Mod) && float(right) == 0.0 {
        return Err(EvalError::new("this divides by zero"));
    }
    if let (Some(left), Some(right)) = (whole(left), whole(right)) {
        let exact = match operator {
            BinaryOperator::Plus => left.checked_add(right),
            BinaryOperator::Minus => left.checked_sub(right),
            BinaryOperator::Mul => left.checked_mul(right),
            BinaryOperator::Mod => Some(left % right),
            BinaryOperator::Div if left % right == 0 => Some(left / right),
            _ => None,
        };
        if let Some(exact) = exact {
            if let Ok(exact) = i64::try_from(exact) {
                return Ok(exact.into());
            }
            if let Ok(exact) = u64::try_from(exact) {
                return Ok(exact.into());
            }
        }
    }
    let (left, right) = (float(left), float(right));
    number_value(match operator {
        BinaryOperator::Plus => left + right,
        BinaryOperator::Minus => left - right,
        BinaryOperator::Mul => left * right,
        BinaryOperator::Mod => left % right,
        _ => left / right,
    })
}
