//! References with indexes and splats.

use super::budget::Size;
use super::collect::Collector;
use super::cursor::{Cursor, Label};
use super::error::EvalError;
use super::expression::Evaluator;
use super::root::{Root, fixed, nameless};
use super::value::{self, Outcome};
use crate::data::{Data, Path};
use hcl::edit::Span;
use hcl::edit::expr::{Expression, Traversal, TraversalOperator};
use serde_json::{Map, Value};

impl Evaluator<'_> {
    pub(super) fn traversal(&mut self, traversal: &Traversal) -> Outcome {
        let operators: Vec<&TraversalOperator> = traversal
            .operators
            .iter()
            .map(|operator| operator.value())
            .collect();
        let Expression::Variable(word) = &traversal.expr else {
            let before = self.meter.mark();
            let base = self.expression(&traversal.expr)?;
            return self.walk_off(before, &base, &operators);
        };
        let word = word.as_str();
        if let Some(at) = self.bound.iter().rposition(|(name, _)| name == word) {
            // Taken out for the walk, which may need the evaluator; put back as it was.
            let base = std::mem::take(&mut self.bound[at].1);
            let needs_itself = operators
                .iter()
                .any(|operator| !matches!(operator, TraversalOperator::GetAttr(_)));
            if needs_itself {
                let room = self.meter.create(Size::of_data(&base));
                if let Err(wrong) = room {
                    self.bound[at].1 = base;
                    return Err(wrong);
                }
                self.bound[at].1 = base.clone();
            }
            let result = self.walk(&base, &operators, None);
            self.bound[at].1 = base;
            return result;
        }
        let root = Root::of(word);
        let (name, rest) = match root {
            Root::Resource => (word.to_owned(), operators.as_slice()),
            _ => {
                let Some(name) = fixed(traversal).0.into_iter().next() else {
                    return Err(nameless(word));
                };
                (name, &operators[1..])
            }
        };
        let base = self.base(root, &name)?;
        let splat = matches!(
            rest.first(),
            Some(TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_))
        );
        if splat && root == Root::Resource && self.scope.instances(&name) {
            let before = self.meter.mark();
            self.meter.create(Size::of_data(&base))?;
            let values = instances(&base);
            return self.walk_off(before, &values, rest);
        }
        self.walk(&base, rest, Some(Label { root, name: &name }))
    }

    /// Walks into a value that is dropped afterwards; it was created since `before`.
    fn walk_off(&mut self, before: Size, base: &Data, operators: &[&TraversalOperator]) -> Outcome {
        let with_base = self.meter.mark();
        let result = self.walk(base, operators, None);
        let taken = self.meter.since(with_base);
        self.meter.back_to(before, taken);
        result
    }

    fn walk(
        &mut self,
        base: &Data,
        operators: &[&TraversalOperator],
        label: Option<Label<'_>>,
    ) -> Outcome {
        let mut cursor = Cursor::new(base, label);
        let mut secret_keys = Vec::new();
        for (at, operator) in operators.iter().enumerate() {
            if cursor.is_unknown() {
                break;
            }
            match operator {
                TraversalOperator::GetAttr(name) => self.step(&mut cursor, name.as_str())?,
                TraversalOperator::LegacyIndex(index) => {
                    self.step(&mut cursor, &index.value().to_string())?;
                }
                TraversalOperator::Index(index) => {
                    let key = self.expression(index)?;
                    if !key.is_known() {
                        return Ok(value::unknown_from(&[&self.take(&cursor)?, &key]));
                    }
                    let text = value::text(&key.value).map_err(|wrong| wrong.at(index.span()))?;
                    if key.secret.is_empty() {
                        self.step(&mut cursor, &text)?;
                    } else {
                        cursor
                            .step(&text)
                            .map_err(|_| EvalError::new("no value exists at this key"))?;
                        secret_keys.push(key);
                    }
                }
                TraversalOperator::AttrSplat(_) => {
                    let rest = &operators[at + 1..];
                    let length = rest
                        .iter()
                        .take_while(|next| matches!(next, TraversalOperator::GetAttr(_)))
                        .count();
                    let before = self.meter.mark();
                    let list = self.splat(&cursor, &rest[..length])?;
                    return self.walk_off(before, &list, &rest[length..]);
                }
                TraversalOperator::FullSplat(_) => {
                    return self.splat(&cursor, &operators[at + 1..]);
                }
            }
        }
        Ok(value::tainted_by(
            self.take(&cursor)?,
            &secret_keys.iter().collect::<Vec<_>>(),
        ))
    }

    fn step(&mut self, cursor: &mut Cursor<'_, '_>, key: &str) -> Result<(), EvalError> {
        self.secrets += usize::from(cursor.is_secret());
        cursor.step(key)
    }

    fn splat(&mut self, cursor: &Cursor<'_, '_>, operators: &[&TraversalOperator]) -> Outcome {
        let before = self.meter.mark();
        let base = &self.take(cursor)?;
        let with_base = self.meter.mark();
        if base.unknown.contains_key(&Path::root()) {
            return Ok(base.clone());
        }
        let mut list = Collector::default();
        match &base.value {
            Value::Null => {}
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let before = self.meter.mark();
                    self.meter.create(Size::of(item))?;
                    let item = base.get(&Path::root().join(index)).unwrap_or_default();
                    list.item(self.walk_off(before, &item, operators)?);
                }
            }
            _ => list.item(self.walk(base, operators, None)?),
        }
        let taken = self.meter.since(with_base);
        self.meter.back_to(before, taken);
        // The number of items reveals something about a secret list.
        Ok(match base.is_secret(&Path::root()) {
            true => value::tainted_by(list.list(), &[base]),
            false => list.list(),
        })
    }
}

/// The instances of a resource with `forEach`, as a list in the order of their keys.
fn instances(data: &Data) -> Data {
    let mut list = Collector::default();
    if data.unknown.contains_key(&Path::root()) {
        return data.clone();
    }
    for key in data.value.as_object().into_iter().flat_map(Map::keys) {
        list.item(data.get(&Path::root().join(key)).unwrap_or_default());
    }
    list.list()
}
