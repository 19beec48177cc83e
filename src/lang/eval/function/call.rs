//! How a function is declared, and what it is given.

use crate::lang::eval::budget::{Meter, Size};
use crate::lang::eval::collect::too_long;
use crate::lang::eval::error::EvalError;
use crate::lang::eval::scope::Scope;
use crate::lang::eval::value::{self, LONGEST_TEXT, kind};
use serde_json::{Map, Number, Value};
use std::cell::RefCell;

/// One function: its name, how many arguments it takes, and what it does.
pub(in crate::lang::eval) struct Function {
    pub(super) name: &'static str,
    least: usize,
    most: Option<usize>,
    pub(super) run: fn(&Call<'_>) -> Result<Value, String>,
}

pub(super) const fn function(
    name: &'static str,
    least: usize,
    most: Option<usize>,
    run: fn(&Call<'_>) -> Result<Value, String>,
) -> Function {
    Function {
        name,
        least,
        most,
        run,
    }
}

impl Function {
    /// How many arguments it takes at least and at most.
    #[cfg(test)]
    pub(super) fn arguments(&self) -> (usize, Option<usize>) {
        (self.least, self.most)
    }

    pub(super) fn takes(&self, count: usize) -> Result<(), EvalError> {
        let (name, least) = (self.name, self.least);
        if count >= least && self.most.is_none_or(|most| count <= most) {
            return Ok(());
        }
        let wanted = match self.most {
            None => format!("at least {}", value::counted(least, "argument")),
            Some(most) if most == least => value::counted(least, "argument"),
            Some(most) => format!("{least} to {most} arguments"),
        };
        Err(EvalError::new(format!(
            "{name} takes {wanted}, and {count} are given"
        )))
    }
}

/// What a function is given.
pub(in crate::lang::eval) struct Call<'a> {
    pub(super) args: &'a [Value],
    pub(super) scope: &'a dyn Scope,
    pub(super) meter: &'a Meter<'a>,
    /// The limit that the result would go beyond.
    pub(super) over: RefCell<Option<EvalError>>,
}

impl Call<'_> {
    /// Looks whether the result may be a string of so many bytes, before it is created.
    ///
    /// # Errors
    /// When that is longer than a string may be.
    pub(super) fn room(&self, bytes: usize) -> Result<(), String> {
        if bytes > LONGEST_TEXT {
            self.over.replace(Some(too_long()));
            return Err(String::new());
        }
        Ok(())
    }

    /// Looks whether the result may be a list of so many values, with so many bytes of strings,
    /// before it is created.
    ///
    /// # Errors
    /// When the stack would grow beyond its limits.
    pub(super) fn room_for(&self, values: usize, bytes: usize) -> Result<(), String> {
        self.meter.fits(Size { values, bytes }).map_err(|wrong| {
            self.over.replace(Some(wrong));
            String::new()
        })
    }

    /// Counts work that takes longer than the size of what is given says.
    pub(super) fn work(&self, steps: usize) -> Result<(), String> {
        self.meter.work(steps as u64).map_err(|wrong| {
            self.over.replace(Some(wrong));
            String::new()
        })
    }

    pub(super) fn has(&self, at: usize) -> bool {
        at < self.args.len()
    }

    pub(super) fn any(&self, at: usize) -> &Value {
        self.args.get(at).unwrap_or(&Value::Null)
    }

    pub(super) fn expected(&self, at: usize, what: &str) -> String {
        format!(
            "argument {}: expected {what}, got {}",
            at + 1,
            kind(self.any(at))
        )
    }

    /// An argument as a string; numbers and bools are converted.
    pub(super) fn text(&self, at: usize) -> Result<String, String> {
        value::text(self.any(at)).map_err(|_| self.expected(at, "a string"))
    }

    pub(super) fn number(&self, at: usize) -> Result<Number, String> {
        value::number(self.any(at)).map_err(|_| self.expected(at, "a number"))
    }

    pub(super) fn whole(&self, at: usize) -> Result<i64, String> {
        let number = self.number(at)?;
        number
            .as_i64()
            .or_else(|| {
                let float = value::float(&number);
                #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
                (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64)
            })
            .ok_or_else(|| format!("argument {} must be an integer", at + 1))
    }

    pub(super) fn list(&self, at: usize) -> Result<&[Value], String> {
        match self.any(at) {
            Value::Array(items) => Ok(items),
            _ => Err(self.expected(at, "a list")),
        }
    }

    pub(super) fn map(&self, at: usize) -> Result<&Map<String, Value>, String> {
        match self.any(at) {
            Value::Object(map) => Ok(map),
            _ => Err(self.expected(at, "a map")),
        }
    }

    /// A list of strings.
    pub(super) fn texts(&self, at: usize) -> Result<Vec<String>, String> {
        self.list(at)?
            .iter()
            .map(|item| {
                value::text(item).map_err(|_| {
                    format!(
                        "argument {}: expected a list of strings, got {} in it",
                        at + 1,
                        kind(item)
                    )
                })
            })
            .collect()
    }
}
