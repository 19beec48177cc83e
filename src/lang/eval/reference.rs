//! What a template refers to.

use super::error::{EvalError, LocatedError};
use super::function;
use super::root::{Root, fixed, nameless};
use super::simple::simple;
use super::template::{Hcl, Parsed, Piece, is_plain, is_template, parse};
use crate::data::Path;
use hcl::edit::Span;
use hcl::edit::expr::{Expression, ForExpr, FuncCall, ObjectKey, Traversal, TraversalOperator};
use hcl::edit::template::{Directive, Element, Template};
use serde_json::Value;
use std::ops::Range;

/// One use of a name in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The kind of the named block.
    pub root: Root,
    /// Its name; `key` or `value` for [`Root::Each`]; empty where all of `each` or `stack`
    /// is meant.
    pub name: String,
    /// What follows the name, as far as it is fixed: `${queue[each.key].arn}` has an empty one.
    pub attribute: Path,
    /// Where in the template the string stands.
    pub at: Path,
    /// The part of the string, in bytes.
    pub range: Option<Range<usize>>,
}

/// The reference that the string consists of, where it is exactly one `${a.b.c}`.
pub fn lone_reference(text: &str) -> Option<Reference> {
    let inner = text.strip_prefix("${")?;
    let (found, end) = simple(text, text.len() - inner.len())?;
    (end == text.len()).then(|| Reference {
        root: found.root,
        name: found.name,
        attribute: found.attribute,
        at: Path::root(),
        range: Some(found.range),
    })
}

/// Every reference in a template, in the order they are written.
///
/// # Errors
/// Every expression that cannot be read, or that calls an unknown function.
pub fn references(template: &Value) -> Result<Vec<Reference>, Vec<LocatedError>> {
    let mut references = Vec::new();
    let mut faults = Vec::new();
    scan(template, &Path::root(), &mut references, &mut faults);
    if faults.is_empty() {
        Ok(references)
    } else {
        Err(faults)
    }
}

/// The same, with what is right and what is wrong side by side; `at` is the template's place.
pub(crate) fn scan(
    template: &Value,
    at: &Path,
    references: &mut Vec<Reference>,
    faults: &mut Vec<LocatedError>,
) {
    match template {
        Value::String(text) if is_template(text) => {
            scan_text(text, at, references, faults);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if !is_plain(item) {
                    scan(item, &at.join(index), references, faults);
                }
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let in_key = is_template(key);
                if !in_key && is_plain(item) {
                    continue;
                }
                let at = at.join(key);
                if in_key {
                    let first = references.len();
                    let wrong = faults.len();
                    scan_text(key, &at, references, faults);
                    // A range in the key would be read as one in the value.
                    references[first..]
                        .iter_mut()
                        .for_each(|reference| reference.range = None);
                    faults[wrong..]
                        .iter_mut()
                        .for_each(|fault| fault.range = None);
                }
                scan(item, &at, references, faults);
            }
        }
        _ => {}
    }
}

fn scan_text(
    text: &str,
    at: &Path,
    references: &mut Vec<Reference>,
    faults: &mut Vec<LocatedError>,
) {
    match parse(text) {
        Ok(Parsed::Plain(pieces)) => {
            references.extend(pieces.into_iter().filter_map(|piece| match piece {
                Piece::Text(_) => None,
                Piece::Reference(simple) => Some(Reference {
                    root: simple.root,
                    name: simple.name,
                    attribute: simple.attribute,
                    at: at.clone(),
                    range: Some(simple.range),
                }),
            }));
        }
        Ok(Parsed::Hcl(hcl)) => {
            let mut scan = Scan {
                hcl: &hcl,
                at,
                bound: Vec::new(),
                references,
                faults,
            };
            scan.template(&hcl.template);
        }
        Err(wrong) => faults.push(wrong.into_fault(at)),
    }
}

struct Scan<'a> {
    hcl: &'a Hcl,
    at: &'a Path,
    /// The variables of the `for` expressions around.
    bound: Vec<String>,
    references: &'a mut Vec<Reference>,
    faults: &'a mut Vec<LocatedError>,
}

impl Scan<'_> {
    fn template(&mut self, template: &Template) {
        for element in template {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(part) => self.expression(&part.expr),
                Element::Directive(directive) => self.directive(directive),
            }
        }
    }

    fn directive(&mut self, directive: &Directive) {
        match directive {
            Directive::If(part) => {
                self.expression(&part.if_expr.cond_expr);
                self.template(&part.if_expr.template);
                if let Some(part) = &part.else_expr {
                    self.template(&part.template);
                }
            }
            Directive::For(part) => {
                let intro = &part.for_expr;
                self.expression(&intro.collection_expr);
                let names = intro.key_var.iter().chain([&intro.value_var]);
                let depth = self.bound.len();
                self.bound
                    .extend(names.map(|name| name.as_str().to_owned()));
                self.template(&intro.template);
                self.bound.truncate(depth);
            }
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match expression {
            Expression::Array(items) => items.iter().for_each(|item| self.expression(item)),
            Expression::Object(object) => {
                for (key, value) in object {
                    if let ObjectKey::Expression(key) = key {
                        self.expression(key);
                    }
                    self.expression(value.expr());
                }
            }
            Expression::StringTemplate(text) => self.template(text),
            Expression::HeredocTemplate(text) => self.template(&text.template),
            Expression::Parenthesis(inner) => self.expression(inner.inner()),
            Expression::Variable(name) => self.reference(name.as_str(), &[], expression.span()),
            Expression::Conditional(part) => {
                self.expression(&part.cond_expr);
                self.expression(&part.true_expr);
                self.expression(&part.false_expr);
            }
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::UnaryOp(part) => self.expression(&part.expr),
            Expression::BinaryOp(part) => {
                self.expression(&part.lhs_expr);
                self.expression(&part.rhs_expr);
            }
            Expression::ForExpr(part) => self.for_expression(part),
            Expression::Null(_)
            | Expression::Bool(_)
            | Expression::Number(_)
            | Expression::String(_) => {}
        }
    }

    fn for_expression(&mut self, part: &ForExpr) {
        self.expression(&part.intro.collection_expr);
        let names = part.intro.key_var.iter().chain([&part.intro.value_var]);
        let depth = self.bound.len();
        self.bound
            .extend(names.map(|name| name.as_str().to_owned()));
        if let Some(key) = &part.key_expr {
            self.expression(key);
        }
        self.expression(&part.value_expr);
        if let Some(condition) = &part.cond {
            self.expression(&condition.expr);
        }
        self.bound.truncate(depth);
    }

    fn call(&mut self, call: &FuncCall) {
        if let Err(wrong) = function::exists(call) {
            let wrong = wrong.at(call.name.name.span());
            self.fault(wrong);
        }
        call.args
            .iter()
            .for_each(|argument| self.expression(argument));
    }

    fn traversal(&mut self, traversal: &Traversal) {
        match &traversal.expr {
            Expression::Variable(name) => {
                let (segments, _) = fixed(traversal);
                self.reference(name.as_str(), &segments, traversal.span());
            }
            other => self.expression(other),
        }
        for operator in &traversal.operators {
            if let TraversalOperator::Index(index) = operator.value() {
                self.expression(index);
            }
        }
    }

    fn reference(&mut self, word: &str, segments: &[String], range: Option<Range<usize>>) {
        if self.bound.iter().any(|name| name == word) {
            return;
        }
        let root = Root::of(word);
        let (name, rest) = match (root, segments) {
            (Root::Resource, _) => (word.to_owned(), segments),
            (_, [name, rest @ ..]) => (name.clone(), rest),
            (Root::Each | Root::Stack, []) => (String::new(), segments),
            (_, []) => {
                self.fault(nameless(word).at(range));
                return;
            }
        };
        self.references.push(Reference {
            root,
            name,
            attribute: rest
                .iter()
                .fold(Path::root(), |path, segment| path.join(segment)),
            at: self.at.clone(),
            range: self.hcl.range(range),
        });
    }

    fn fault(&mut self, mut wrong: EvalError) {
        wrong.range = self.hcl.range(wrong.range);
        self.faults.push(wrong.into_fault(self.at));
    }
}
