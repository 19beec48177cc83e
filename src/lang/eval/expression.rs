//! Evaluates parsed expressions.

use super::budget::{Meter, Size};
use super::collect::{Collector, Text};
use super::cursor::{Cursor, Label, renamed};
use super::error::EvalError;
use super::root::{Root, fixed, nameless};
use super::scope::Scope;
use super::template::{Hcl, Parsed, Piece, parse};
use super::value::{self, Outcome};
use crate::data::{Data, Path};
use crate::nearest::did_you_mean;
use hcl::edit::Span;
use hcl::edit::expr::{Conditional, Expression, ForExpr, Object, ObjectKey};
use serde_json::Value;
use std::borrow::Cow;
use std::ops::Range;

/// Work beyond this is refused: nested `for` expressions grow quickly.
const MOST_STEPS: usize = 500_000;

/// Evaluates strings in one scope.
pub(super) struct Evaluator<'s> {
    pub(super) scope: &'s dyn Scope,
    /// The variables of the `for` expressions around, innermost last.
    pub(super) bound: Vec<(String, Data)>,
    /// How often a secret was met: what fails after one was may fail by what it is.
    pub(super) secrets: usize,
    steps: usize,
    /// What is created, against the limits of the stack.
    pub(super) meter: Meter<'s>,
}

impl<'s> Evaluator<'s> {
    pub(super) fn new(scope: &'s dyn Scope) -> Self {
        Self {
            scope,
            bound: Vec::new(),
            secrets: 0,
            steps: 0,
            meter: Meter::new(scope.budget()),
        }
    }

    /// Evaluates one string.
    pub(super) fn text(&mut self, text: &str) -> Outcome {
        if !super::template::is_template(text) {
            self.meter.create(Size::string(text.len()))?;
            return Ok(Data::from(Value::String(text.to_owned())));
        }
        let before = self.meter.mark();
        let result = match parse(text)? {
            Parsed::Plain(pieces) => self.pieces(&pieces, text),
            Parsed::Hcl(hcl) => {
                self.bound.clear();
                self.steps = 0;
                self.whole(&hcl, text).map_err(|wrong| EvalError {
                    range: hcl.range(wrong.range),
                    ..wrong
                })
            }
        };
        if result.is_err() {
            self.meter.back_to(before, Size::default());
        }
        result
    }

    /// A copy of what the cursor stands at.
    pub(super) fn take(&mut self, cursor: &Cursor<'_, '_>) -> Outcome {
        self.meter.create(cursor.size())?;
        Ok(cursor.take())
    }

    /// A value that is the caller's own.
    fn owned(&mut self, data: Cow<'_, Data>) -> Outcome {
        if let Cow::Borrowed(data) = &data {
            self.meter.create(Size::of_data(data))?;
        }
        Ok(data.into_owned())
    }

    /// What a string was put together to. Its parts no longer exist.
    pub(super) fn string(&mut self, before: Size, out: Text) -> Outcome {
        self.meter.back_to(before, Size::default());
        self.meter.create(Size::string(out.len()))?;
        Ok(out.finish())
    }

    fn pieces(&mut self, pieces: &[Piece], text: &str) -> Outcome {
        if let [Piece::Reference(reference)] = pieces {
            let (root, name, range) = (reference.root, &reference.name, &reference.range);
            let data = self.resolve(root, name, &reference.attribute, range)?;
            return Ok(renamed(data, text, &text[range.clone()]));
        }
        let before = self.meter.mark();
        let mut out = Text::default();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text)?,
                Piece::Reference(reference) => {
                    let range = &reference.range;
                    let (root, name) = (reference.root, &reference.name);
                    let data = self.resolve(root, name, &reference.attribute, range)?;
                    out.push(&data)
                        .map_err(|wrong| wrong.at(Some(range.clone())))?;
                }
            }
        }
        Ok(rename_unknown(self.string(before, out)?, text))
    }

    fn whole(&mut self, hcl: &Hcl, text: &str) -> Outcome {
        let data = self.template(&hcl.template)?;
        if let Some(element) = hcl.template.as_single_element()
            && let Some(part) = element.as_interpolation()
            && let Expression::Traversal(traversal) = &part.expr
            && fixed(traversal).1 == traversal.operators.len()
            && let Some(range) = hcl.range(traversal.span())
            && let Some(reference) = text.get(range)
        {
            return Ok(renamed(data, text, reference));
        }
        Ok(rename_unknown(data, text))
    }

    fn resolve(&mut self, root: Root, name: &str, path: &Path, range: &Range<usize>) -> Outcome {
        let place = |wrong: EvalError| wrong.at(Some(range.clone()));
        let base = self.base(root, name).map_err(place)?;
        let mut cursor = Cursor::new(&base, Some(Label { root, name }));
        for segment in path.segments() {
            if cursor.is_unknown() {
                break;
            }
            cursor.step(&segment).map_err(place)?;
        }
        self.take(&cursor).map_err(place)
    }

    /// The value that a root and a name stand for.
    pub(super) fn base(&self, root: Root, name: &str) -> Result<Cow<'s, Data>, EvalError> {
        let scope = self.scope;
        let found = match root {
            Root::Var => scope.var(name),
            Root::Local => scope.local(name),
            Root::Data => scope.data(name),
            Root::Resource => scope.resource(name),
            Root::Stack if name.is_empty() => Some(scope.stack()),
            Root::Stack => {
                let mut cursor = Cursor::new(scope.stack(), Some(Label { root, name: "" }));
                cursor.step(name)?;
                return Ok(Cow::Owned(cursor.take()));
            }
            Root::Each => {
                let Some((key, value)) = scope.each() else {
                    return Err(EvalError::new(
                        "\"each\" is known only in a resource with forEach",
                    ));
                };
                match name {
                    "key" => Some(key),
                    "value" => Some(value),
                    "" => {
                        let mut whole = Collector::default();
                        whole.entry("key".to_owned(), key.clone());
                        whole.entry("value".to_owned(), value.clone());
                        return Ok(Cow::Owned(whole.object()));
                    }
                    other => {
                        return Err(EvalError::new(format!("\"each\" has no \"{other}\""))
                            .help(did_you_mean(other, ["key", "value"])));
                    }
                }
            }
        };
        found.map(Cow::Borrowed).ok_or_else(|| {
            let kind = match root {
                Root::Var => "variable",
                Root::Local => "local",
                Root::Data => "data source",
                _ => "resource",
            };
            let word = match root {
                Root::Var | Root::Local => "unknown",
                _ => "undefined",
            };
            EvalError::new(format!("{word} {kind} \"{name}\""))
        })
    }

    pub(super) fn expression(&mut self, expression: &Expression) -> Outcome {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            let wrong = EvalError::limit("the expression takes too many steps");
            return Err(wrong.at(expression.span()));
        }
        self.meter.work(1)?;
        let made = self.inner(expression);
        let made = made.map_err(|wrong| wrong.at(expression.span()))?;
        self.secrets += usize::from(!made.secret.is_empty());
        Ok(made)
    }

    fn inner(&mut self, expression: &Expression) -> Outcome {
        match expression {
            Expression::Null(_) => Ok(Data::default()),
            Expression::Bool(value) => Ok(Value::Bool(*value.value()).into()),
            Expression::Number(number) => value::literal(number.value()).map(Data::from),
            Expression::String(text) => {
                self.meter.create(Size::string(text.value().len()))?;
                Ok(Value::String(text.value().clone()).into())
            }
            Expression::Array(items) => {
                self.meter.create(Size::string(0))?;
                let mut list = Collector::default();
                for item in items {
                    list.item(self.expression(item)?);
                }
                Ok(list.list())
            }
            Expression::Object(object) => self.object(object),
            Expression::StringTemplate(text) => self.template(text),
            Expression::HeredocTemplate(text) => self.template(&text.template),
            Expression::Parenthesis(inner) => self.expression(inner.inner()),
            Expression::Variable(name) => self.word(name.as_str()),
            Expression::Conditional(part) => self.conditional(part),
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::UnaryOp(part) => self.unary(*part.operator.value(), &part.expr),
            Expression::BinaryOp(part) => {
                let before = self.meter.mark();
                let operator = *part.operator.value();
                let result = self.binary(&part.lhs_expr, operator, &part.rhs_expr);
                self.meter.back_to(before, Size::string(0));
                result
            }
            Expression::ForExpr(part) => self.for_expression(part),
        }
    }

    /// A word alone: a `for` variable, a whole resource, `each` or `stack`.
    fn word(&mut self, word: &str) -> Outcome {
        if let Some(data) = self.bound_to(word) {
            let size = Size::of_data(data);
            self.meter.create(size)?;
            return Ok(self.bound_to(word).cloned().unwrap_or_default());
        }
        let found = match Root::of(word) {
            Root::Resource => self.base(Root::Resource, word),
            root @ (Root::Each | Root::Stack) => self.base(root, ""),
            _ => Err(nameless(word)),
        }?;
        self.owned(found)
    }

    fn bound_to(&self, word: &str) -> Option<&Data> {
        self.bound
            .iter()
            .rev()
            .find(|(name, _)| name == word)
            .map(|(_, data)| data)
    }

    fn object(&mut self, object: &Object) -> Outcome {
        self.meter.create(Size::string(0))?;
        let mut out = Collector::default();
        for (key, value) in object {
            let key = match key {
                ObjectKey::Ident(name) => {
                    self.meter.create(Size::string(name.as_str().len()))?;
                    Value::String(name.as_str().to_owned()).into()
                }
                ObjectKey::Expression(key) => self.expression(key)?,
            };
            let value = self.expression(value.expr())?;
            match out.key(key)? {
                Some(key) => out.entry(key, value),
                None => out.secrets_of(&value),
            }
        }
        Ok(out.object())
    }

    fn conditional(&mut self, part: &Conditional) -> Outcome {
        let before = self.meter.mark();
        let condition = self.expression(&part.cond_expr)?;
        self.meter.back_to(before, Size::default());
        if !condition.is_known() {
            return Ok(value::unknown_from(&[&condition]));
        }
        let branch = match value::bool(&condition.value) {
            Ok(true) => &part.true_expr,
            Ok(false) => &part.false_expr,
            Err(wrong) => return Err(wrong.at(part.cond_expr.span())),
        };
        let value = self.expression(branch)?;
        Ok(value::tainted_by(value, &[&condition]))
    }

    fn for_expression(&mut self, part: &ForExpr) -> Outcome {
        let before = self.meter.mark();
        let collection = self.expression(&part.intro.collection_expr)?;
        let Some(entries) = self
            .entries(&collection)
            .map_err(|wrong| wrong.at(part.intro.collection_expr.span()))?
        else {
            return Ok(value::unknown_from(&[&collection]));
        };
        let gone_through = self.meter.mark();
        self.meter.create(Size::string(0))?;
        let mut out = Collector::default();
        let depth = self.bound.len();
        for (key, value) in entries {
            if let Some(name) = &part.intro.key_var {
                self.bound.push((name.as_str().to_owned(), key));
            }
            self.bound
                .push((part.intro.value_var.as_str().to_owned(), value));
            let result = self.for_item(part, &mut out);
            self.bound.truncate(depth);
            result?;
        }
        let made = if part.key_expr.is_some() {
            out.object()
        } else {
            out.list()
        };
        let created = self.meter.since(gone_through);
        self.meter.back_to(before, created);
        Ok(if collection.is_secret(&Path::root()) {
            value::tainted_by(made, &[&collection])
        } else {
            made
        })
    }

    fn for_item(&mut self, part: &ForExpr, out: &mut Collector) -> Result<(), EvalError> {
        if let Some(condition) = &part.cond {
            let before = self.meter.mark();
            let wanted = self.expression(&condition.expr)?;
            self.meter.back_to(before, Size::default());
            out.depends_on(&wanted);
            if !wanted.is_known() {
                return Ok(());
            }
            let wanted =
                value::bool(&wanted.value).map_err(|wrong| wrong.at(condition.expr.span()))?;
            if !wanted {
                return Ok(());
            }
        }
        let Some(key) = &part.key_expr else {
            let value = self.expression(&part.value_expr)?;
            out.item(value);
            return Ok(());
        };
        let key = self.expression(key)?;
        let value = self.expression(&part.value_expr)?;
        let secret = !key.secret.is_empty();
        match out.key(key)? {
            None => out.secrets_of(&value),
            Some(key) if part.grouping => out.grouped(key, value),
            Some(key) if out.has(&key) => {
                let shown = if secret {
                    String::new()
                } else {
                    format!(" {key:?}")
                };
                return Err(
                    EvalError::new(format!("two items have the key{shown}")).help(
                        "write … after the value to group them: { for … : key => value... }"
                            .to_owned(),
                    ),
                );
            }
            Some(key) => out.entry(key, value),
        }
        Ok(())
    }
}

impl Evaluator<'_> {
    /// The pairs that a `for` goes over; none where they are not known.
    pub(super) fn entries(
        &mut self,
        collection: &Data,
    ) -> Result<Option<Vec<(Data, Data)>>, EvalError> {
        // A key and a value each.
        self.meter.create(Size::of_data(collection).plus(Size {
            values: length(&collection.value),
            bytes: 0,
        }))?;
        entries(collection)
    }
}

/// How many items it has.
fn length(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    }
}

fn entries(collection: &Data) -> Result<Option<Vec<(Data, Data)>>, EvalError> {
    if collection.unknown.contains_key(&Path::root()) {
        return Ok(None);
    }
    let secret = collection.is_secret(&Path::root());
    let pair = |key: Value, segment: &str| {
        let value = collection
            .get(&Path::root().join(segment))
            .unwrap_or_default();
        let mut key = Data::from(key);
        if secret {
            key.secret.insert(Path::root());
        }
        (key, value)
    };
    Ok(Some(match &collection.value {
        Value::Array(items) => (0..items.len())
            .map(|index| pair(index.into(), &index.to_string()))
            .collect(),
        Value::Object(map) => map
            .keys()
            .map(|key| pair(Value::String(key.clone()), key))
            .collect(),
        other => {
            return Err(EvalError::new(format!(
                "\"for\" goes over a list or a map, and this is {}",
                value::kind(other)
            )));
        }
    }))
}

/// A value that is unknown in part comes from the whole string: unless it is a lone reference, no
/// shorter expression names the part.
fn rename_unknown(data: Data, text: &str) -> Data {
    if data.unknown.is_empty() {
        return data;
    }
    let mut out = Data::unknown(text);
    if !data.secret.is_empty() {
        out.secret.insert(Path::root());
    }
    out
}
