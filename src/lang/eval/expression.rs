//! Evaluates parsed expressions.

use super::operator::{self, Collector};
use super::reference::{Root, fixed, nameless};
use super::template::{Hcl, Parsed, Piece, parse};
use super::{Scope, Wrong, function};
use crate::data::{Data, Path};
use crate::lang::nearest::did_you_mean;
use hcl::edit::Span;
use hcl::edit::expr::{
    Conditional, Expression, ForExpr, Object, ObjectKey, Traversal, TraversalOperator,
};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::Range;

pub(super) type Outcome = Result<Data, Wrong>;

/// Work beyond this is refused: nested `for` expressions grow quickly.
const MOST_STEPS: usize = 500_000;

/// A text that an expression makes may be at most this long.
pub(super) const LONGEST_TEXT: usize = 16 * 1024 * 1024;

/// Evaluates strings in one scope.
pub(super) struct Evaluator<'s> {
    pub(super) scope: &'s dyn Scope,
    /// The variables of the `for` expressions around, innermost last.
    pub(super) bound: Vec<(String, Data)>,
    steps: usize,
}

/// What a mistake in a reference is about.
struct Label<'a> {
    root: Root,
    name: &'a str,
}

impl<'s> Evaluator<'s> {
    pub(super) fn new(scope: &'s dyn Scope) -> Self {
        Self {
            scope,
            bound: Vec::new(),
            steps: 0,
        }
    }

    /// Evaluates one string.
    pub(super) fn text(&mut self, text: &str) -> Outcome {
        if !super::template::is_template(text) {
            return Ok(Data::from(Value::String(text.to_owned())));
        }
        match parse(text)? {
            Parsed::Plain(pieces) => self.pieces(&pieces, text),
            Parsed::Hcl(hcl) => {
                self.bound.clear();
                self.steps = 0;
                self.whole(&hcl, text).map_err(|wrong| Wrong {
                    range: hcl.range(wrong.range),
                    ..wrong
                })
            }
        }
    }

    fn pieces(&mut self, pieces: &[Piece], text: &str) -> Outcome {
        if let [Piece::Reference(reference)] = pieces {
            let (root, name, range) = (reference.root, &reference.name, &reference.range);
            let data = self.resolve(root, name, &reference.attribute, range)?;
            return Ok(renamed(data, text, &text[range.clone()]));
        }
        let mut out = operator::Text::default();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Reference(reference) => {
                    let range = &reference.range;
                    let (root, name) = (reference.root, &reference.name);
                    let data = self.resolve(root, name, &reference.attribute, range)?;
                    out.push(&data)
                        .map_err(|wrong| wrong.at(Some(range.clone())))?;
                }
            }
        }
        Ok(settled(out.finish()?, text))
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
        Ok(settled(data, text))
    }

    fn resolve(&self, root: Root, name: &str, path: &Path, range: &Range<usize>) -> Outcome {
        let place = |wrong: Wrong| wrong.at(Some(range.clone()));
        let base = self.base(root, name).map_err(place)?;
        let mut cursor = Cursor::new(&base, Label { root, name });
        for segment in path.segments() {
            if cursor.is_unknown() {
                break;
            }
            cursor.step(&segment).map_err(place)?;
        }
        Ok(cursor.take())
    }

    /// The value that a root and a name stand for.
    pub(super) fn base(&self, root: Root, name: &str) -> Result<Cow<'s, Data>, Wrong> {
        let scope = self.scope;
        let found = match root {
            Root::Var => scope.var(name),
            Root::Local => scope.local(name),
            Root::Data => scope.data(name),
            Root::Resource => scope.resource(name),
            Root::Stack if name.is_empty() => Some(scope.stack()),
            Root::Stack => {
                let mut cursor = Cursor::new(scope.stack(), Label { root, name: "" });
                cursor.step(name)?;
                return Ok(Cow::Owned(cursor.take()));
            }
            Root::Each => {
                let Some((key, value)) = scope.each() else {
                    return Err(Wrong::new(
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
                        return Err(Wrong::new(format!("\"each\" has no \"{other}\""))
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
            Wrong::new(format!("there is no {kind} \"{name}\""))
        })
    }

    pub(super) fn expression(&mut self, expression: &Expression) -> Outcome {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(Wrong::new("the expression takes too many steps").at(expression.span()));
        }
        self.inner(expression)
            .map_err(|wrong| wrong.at(expression.span()))
    }

    fn inner(&mut self, expression: &Expression) -> Outcome {
        match expression {
            Expression::Null(_) => Ok(Data::default()),
            Expression::Bool(value) => Ok(Value::Bool(*value.value()).into()),
            Expression::Number(number) => operator::literal(number.value()).map(Data::from),
            Expression::String(text) => Ok(Value::String(text.value().clone()).into()),
            Expression::Array(items) => {
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
            Expression::Variable(name) => self.word(name.as_str()).map(Cow::into_owned),
            Expression::Conditional(part) => self.conditional(part),
            Expression::FuncCall(call) => function::call(self, call),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::UnaryOp(part) => {
                let value = self.expression(&part.expr)?;
                operator::unary(*part.operator.value(), &value)
            }
            Expression::BinaryOp(part) => {
                operator::binary(self, &part.lhs_expr, *part.operator.value(), &part.rhs_expr)
            }
            Expression::ForExpr(part) => self.for_expression(part),
        }
    }

    /// A word alone: a `for` variable, a whole resource, `each` or `stack`.
    fn word(&self, word: &str) -> Result<Cow<'s, Data>, Wrong> {
        if let Some(data) = self.bound_to(word) {
            return Ok(Cow::Owned(data.clone()));
        }
        match Root::of(word) {
            Root::Resource => self.base(Root::Resource, word),
            root @ (Root::Each | Root::Stack) => self.base(root, ""),
            _ => Err(nameless(word)),
        }
    }

    fn bound_to(&self, word: &str) -> Option<&Data> {
        self.bound
            .iter()
            .rev()
            .find(|(name, _)| name == word)
            .map(|(_, data)| data)
    }

    fn object(&mut self, object: &Object) -> Outcome {
        let mut out = Collector::default();
        for (key, value) in object {
            let key = match key {
                ObjectKey::Ident(name) => Value::String(name.as_str().to_owned()).into(),
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
        let condition = self.expression(&part.cond_expr)?;
        if !condition.is_known() {
            return Ok(operator::unknown_from(&[&condition]));
        }
        let branch = match operator::bool(&condition.value) {
            Ok(true) => &part.true_expr,
            Ok(false) => &part.false_expr,
            Err(wrong) => return Err(wrong.at(part.cond_expr.span())),
        };
        let value = self.expression(branch)?;
        Ok(operator::tainted_by(value, &[&condition]))
    }

    fn traversal(&mut self, traversal: &Traversal) -> Outcome {
        let operators: Vec<&TraversalOperator> = traversal
            .operators
            .iter()
            .map(|operator| operator.value())
            .collect();
        let Expression::Variable(word) = &traversal.expr else {
            let base = self.expression(&traversal.expr)?;
            return self.walk(&base, &operators, None);
        };
        let word = word.as_str();
        if let Some(at) = self.bound.iter().rposition(|(name, _)| name == word) {
            // Taken out for the walk, which may need the evaluator; put back as it was.
            let base = std::mem::take(&mut self.bound[at].1);
            let needs_itself = operators
                .iter()
                .any(|operator| !matches!(operator, TraversalOperator::GetAttr(_)));
            if needs_itself {
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
            let values = instances(&base);
            return self.walk(&values, rest, None);
        }
        self.walk(&base, rest, Some(Label { root, name: &name }))
    }

    fn walk(
        &mut self,
        base: &Data,
        operators: &[&TraversalOperator],
        label: Option<Label<'_>>,
    ) -> Outcome {
        let mut cursor = Cursor {
            label,
            ..Cursor::new(
                base,
                Label {
                    root: Root::Local,
                    name: "",
                },
            )
        };
        let mut secret_keys = Vec::new();
        for (at, operator) in operators.iter().enumerate() {
            if cursor.is_unknown() {
                break;
            }
            match operator {
                TraversalOperator::GetAttr(name) => cursor.step(name.as_str())?,
                TraversalOperator::LegacyIndex(index) => cursor.step(&index.value().to_string())?,
                TraversalOperator::Index(index) => {
                    let key = self.expression(index)?;
                    if !key.is_known() {
                        return Ok(operator::unknown_from(&[&cursor.take(), &key]));
                    }
                    let text =
                        operator::text(&key.value).map_err(|wrong| wrong.at(index.span()))?;
                    if key.secret.is_empty() {
                        cursor.step(&text)?;
                    } else {
                        cursor
                            .step(&text)
                            .map_err(|_| Wrong::new("there is nothing at this key"))?;
                        secret_keys.push(key);
                    }
                }
                TraversalOperator::AttrSplat(_) => {
                    let rest = &operators[at + 1..];
                    let length = rest
                        .iter()
                        .take_while(|next| matches!(next, TraversalOperator::GetAttr(_)))
                        .count();
                    let list = self.splat(&cursor.take(), &rest[..length])?;
                    return self.walk(&list, &rest[length..], None);
                }
                TraversalOperator::FullSplat(_) => {
                    return self.splat(&cursor.take(), &operators[at + 1..]);
                }
            }
        }
        Ok(operator::tainted_by(
            cursor.take(),
            &secret_keys.iter().collect::<Vec<_>>(),
        ))
    }

    fn splat(&mut self, base: &Data, operators: &[&TraversalOperator]) -> Outcome {
        if base.unknown.contains_key(&Path::root()) {
            return Ok(base.clone());
        }
        let mut list = Collector::default();
        match &base.value {
            Value::Null => {}
            Value::Array(items) => {
                for index in 0..items.len() {
                    let item = base.get(&Path::root().join(index)).unwrap_or_default();
                    list.item(self.walk(&item, operators, None)?);
                }
            }
            _ => list.item(self.walk(base, operators, None)?),
        }
        Ok(list.list())
    }

    fn for_expression(&mut self, part: &ForExpr) -> Outcome {
        let collection = self.expression(&part.intro.collection_expr)?;
        let Some(entries) =
            entries(&collection).map_err(|wrong| wrong.at(part.intro.collection_expr.span()))?
        else {
            return Ok(operator::unknown_from(&[&collection]));
        };
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
        Ok(if collection.is_secret(&Path::root()) {
            operator::tainted_by(made, &[&collection])
        } else {
            made
        })
    }

    fn for_item(&mut self, part: &ForExpr, out: &mut Collector) -> Result<(), Wrong> {
        if let Some(condition) = &part.cond {
            let wanted = self.expression(&condition.expr)?;
            out.depends_on(&wanted);
            if !wanted.is_known() {
                return Ok(());
            }
            let wanted =
                operator::bool(&wanted.value).map_err(|wrong| wrong.at(condition.expr.span()))?;
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
                return Err(Wrong::new(format!("two items have the key{shown}")).help(
                    "write … after the value to group them: { for … : key => value... }".to_owned(),
                ));
            }
            Some(key) => out.entry(key, value),
        }
        Ok(())
    }
}

/// The pairs that a `for` goes over; none where they are not known.
pub(super) fn entries(collection: &Data) -> Result<Option<Vec<(Data, Data)>>, Wrong> {
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
            return Err(Wrong::new(format!(
                "\"for\" goes over a list or a map, and this is {}",
                operator::kind(other)
            )));
        }
    }))
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

/// A lone reference's value: each unknown part is told by the reference that goes on to it.
fn renamed(mut data: Data, whole: &str, reference: &str) -> Data {
    if data.unknown.is_empty() {
        return data;
    }
    let reference = reference.trim();
    for (path, text) in &mut data.unknown {
        if path.is_root() {
            whole.clone_into(text);
            continue;
        }
        let mut longer = format!("${{{reference}");
        for segment in path.segments() {
            longer.push_str(&suffix(&segment));
        }
        longer.push('}');
        *text = longer;
    }
    data
}

fn suffix(segment: &str) -> String {
    let word = segment.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && segment
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if word {
        format!(".{segment}")
    } else if !segment.is_empty()
        && segment.len() < 10
        && segment.bytes().all(|b| b.is_ascii_digit())
    {
        format!("[{segment}]")
    } else {
        let escaped = segment
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
            .replace("${", "$${")
            .replace("%{", "%%{");
        format!("[\"{escaped}\"]")
    }
}

/// A value that is unknown in part comes from the whole string: unless it is a lone
/// reference, no shorter text tells the part.
fn settled(data: Data, text: &str) -> Data {
    if data.unknown.is_empty() {
        return data;
    }
    let mut out = Data::unknown(text);
    if !data.secret.is_empty() {
        out.secret.insert(Path::root());
    }
    out
}

/// A place inside a value, moved one step at a time without copying.
struct Cursor<'d, 'l> {
    data: &'d Data,
    value: &'d Value,
    path: Path,
    label: Option<Label<'l>>,
}

impl<'d, 'l> Cursor<'d, 'l> {
    fn new(data: &'d Data, label: Label<'l>) -> Self {
        Self {
            data,
            value: &data.value,
            path: Path::root(),
            label: Some(label),
        }
    }

    fn is_unknown(&self) -> bool {
        !self.data.unknown.is_empty() && self.data.unknown.contains_key(&self.path)
    }

    fn step(&mut self, key: &str) -> Result<(), Wrong> {
        let next = match self.value {
            Value::Object(map) => map.get(key),
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        let Some(next) = next else {
            return Err(self.missing(key));
        };
        self.value = next;
        self.path = self.path.join(key);
        Ok(())
    }

    fn missing(&self, key: &str) -> Wrong {
        let what = self.what();
        match self.value {
            Value::Null => Wrong::new(format!("{what} is null, so it has no \"{key}\""))
                .help("try(…, default) gives a value for when it is absent".to_owned()),
            Value::Object(map) => Wrong::new(format!("{what} has no \"{key}\""))
                .help(did_you_mean(key, map.keys().map(String::as_str))),
            Value::Array(items) if key.parse::<usize>().is_ok() => Wrong::new(format!(
                "{what} has {}, so there is no [{key}]",
                operator::counted(items.len(), "item")
            )),
            Value::Array(_) => Wrong::new(format!("{what} is a list, so it has no \"{key}\""))
                .help(format!(
                    "take one item, [0].{key}, or all of them, [*].{key}"
                )),
            other => Wrong::new(format!(
                "{what} is {}, so it has no \"{key}\"",
                operator::kind(other)
            )),
        }
    }

    fn what(&self) -> String {
        let Some(label) = &self.label else {
            return "this value".to_owned();
        };
        let word = label.root.word();
        let mut path = match (word, label.name) {
            (Some(word), "") => word.to_owned(),
            (Some(word), name) => format!("{word}.{name}"),
            (None, name) => name.to_owned(),
        };
        if label.root == Root::Local && label.name.is_empty() {
            return "this value".to_owned();
        }
        for segment in self.path.segments() {
            path.push_str(&suffix(&segment));
        }
        path
    }

    fn take(&self) -> Data {
        self.data.get(&self.path).unwrap_or_default()
    }
}
