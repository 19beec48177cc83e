//! How much the expressions of a stack may create, and how much work they may be.
//!
//! A few lines can ask for more than a machine has: a list of lists of lists, a string put into
//! another one a million times. So sizes are counted where values are created and copied, and
//! compared before memory is taken. There are two limits for a whole stack (its locals, data
//! sources, resources and outputs together):
//! - what is kept and being built at one time, as values and as bytes of strings;
//! - the work: expressions evaluated, values copied and bytes handled, kept or not.

use super::error::EvalError;
use crate::data::Data;
use serde_json::Value;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The most values that a stack may have.
const MOST_VALUES: usize = 1_000_000;

/// The most bytes of strings (keys included) that a stack may have.
const MOST_BYTES: usize = 64 << 20;

/// The most steps: one for each part of an expression that is evaluated, each value that is
/// copied, and each [`STRIDE`] bytes of strings that are handled.
const MOST_STEPS: u64 = 10_000_000;

/// How many bytes are as much work as a value.
const STRIDE: usize = 64;

/// How large a value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// How many values it is: itself, and all that lists and maps hold.
    pub values: usize,
    /// The bytes of its strings and keys.
    pub bytes: usize,
}

impl Size {
    /// A string of so many bytes.
    pub fn string(bytes: usize) -> Self {
        Self { values: 1, bytes }
    }

    /// The size of a value.
    pub fn of(value: &Value) -> Self {
        let mut size = Self {
            values: 1,
            bytes: 0,
        };
        match value {
            Value::String(text) => size.bytes = text.len(),
            Value::Array(items) => {
                for item in items {
                    size = size.plus(Self::of(item));
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    size = size.plus(Self::of(item));
                    size.bytes += key.len();
                }
            }
            _ => {}
        }
        size
    }

    /// The size of a value with what is noted of its unknown and secret parts.
    pub fn of_data(data: &Data) -> Self {
        let mut size = Self::of(&data.value);
        for (path, text) in &data.unknown {
            size.values += 1;
            size.bytes += path.as_pointer().len() + text.len();
        }
        for path in &data.secret {
            size.values += 1;
            size.bytes += path.as_pointer().len();
        }
        size
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            values: self.values.saturating_add(other.values),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// What it is more than `other`.
    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            values: self.values.saturating_sub(other.values),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    fn steps(self) -> u64 {
        (self.values + self.bytes / STRIDE) as u64
    }
}

/// What the evaluations of one stack have used so far.
#[derive(Debug, Default)]
pub struct Budget {
    values: AtomicUsize,
    bytes: AtomicUsize,
    steps: AtomicU64,
}

impl Budget {
    /// Counts what stays in memory after an evaluation.
    ///
    /// # Errors
    /// When it is more than a stack may have: a sentence without a full stop.
    pub fn keep(&self, size: Size) -> Result<(), String> {
        self.values.fetch_add(size.values, Relaxed);
        self.bytes.fetch_add(size.bytes, Relaxed);
        within(self.kept()).map_err(|wrong| wrong.message)
    }

    /// Forgets the work that was done. What is kept still counts.
    pub fn rest(&self) {
        self.steps.store(0, Relaxed);
    }

    fn kept(&self) -> Size {
        Size {
            values: self.values.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
        }
    }
}

/// Counts for one evaluation.
pub(super) struct Meter<'b> {
    budget: Option<&'b Budget>,
    kept: Size,
    live: Size,
    steps: Cell<u64>,
}

impl<'b> Meter<'b> {
    /// Starts from what the budget has already.
    pub(super) fn new(budget: Option<&'b Budget>) -> Self {
        Self {
            budget,
            kept: budget.map(Budget::kept).unwrap_or_default(),
            live: Size::default(),
            steps: Cell::new(budget.map_or(0, |budget| budget.steps.load(Relaxed))),
        }
    }

    /// What this evaluation has at the moment, to come back to with [`Meter::back_to`].
    pub(super) fn mark(&self) -> Size {
        self.live
    }

    /// Drops what was created since `mark` but for `result`, which was counted before.
    pub(super) fn back_to(&mut self, mark: Size, result: Size) {
        self.live = mark.plus(result);
    }

    /// What was created since `mark`.
    pub(super) fn since(&self, mark: Size) -> Size {
        self.live.minus(mark)
    }

    /// Looks whether there is room for this.
    pub(super) fn fits(&self, size: Size) -> Result<(), EvalError> {
        within(self.kept.plus(self.live).plus(size))
    }

    /// Counts what is about to be created.
    pub(super) fn create(&mut self, size: Size) -> Result<(), EvalError> {
        self.fits(size)?;
        self.live = self.live.plus(size);
        self.work(size.steps())
    }

    /// Counts steps that create nothing.
    pub(super) fn work(&self, steps: u64) -> Result<(), EvalError> {
        self.steps.set(self.steps.get().saturating_add(steps));
        if self.steps.get() > MOST_STEPS {
            return Err(EvalError::limit(
                "the expressions of this stack take too many steps: at most 10,000,000 are done \
                 for a stack",
            )
            .help("evaluate what is large once, in a local, and outside of loops".to_owned()));
        }
        Ok(())
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        if let Some(budget) = self.budget {
            budget.steps.fetch_max(self.steps.get(), Relaxed);
        }
    }
}

/// Whether a stack may have as much as this.
fn within(size: Size) -> Result<(), EvalError> {
    let what = if size.values > MOST_VALUES {
        "1,000,000 values"
    } else if size.bytes > MOST_BYTES {
        "64 MiB of strings"
    } else {
        return Ok(());
    };
    Err(EvalError::limit(format!(
        "the values of this stack grow beyond {what} here (its locals, data sources, resources \
         and outputs together)"
    ))
    .help("put large contents into files that a property names, or split the stack".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_size_counts_values_keys_and_strings() {
        let size = Size::of(&json!({"ab": ["xyz", 1, null], "c": {}}));
        assert_eq!((size.values, size.bytes), (6, 6));
    }

    #[test]
    fn what_is_kept_counts_for_all_evaluations_and_steps_can_be_forgotten() {
        let budget = Budget::default();
        budget.keep(Size::string(60 << 20)).unwrap();
        let mut meter = Meter::new(Some(&budget));
        meter.create(Size::string(3 << 20)).unwrap();
        let mark = meter.mark();
        assert!(meter.create(Size::string(2 << 20)).unwrap_err().fatal);
        meter.back_to(Size::default(), Size::default());
        assert_eq!(meter.since(mark), Size::default());
        meter.create(Size::string(3 << 20)).unwrap();
        assert!(meter.work(MOST_STEPS).is_err());
        drop(meter);
        assert!(Meter::new(Some(&budget)).work(1).is_err());
        budget.rest();
        assert!(Meter::new(Some(&budget)).work(1).is_ok());
        assert!(budget.keep(Size::string(5 << 20)).is_err());
    }
}
