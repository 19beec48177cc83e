//! Evaluates templates: text with expressions and directives in it.

use super::budget::Size;
use super::collect::Text;
use super::error::EvalError;
use super::expression::Evaluator;
use super::value::{self, Outcome};
use crate::data::Path;
use hcl::edit::Span;
use hcl::edit::template::{Directive, Element, ForDirective, IfDirective, Strip, Template};

/// The strip marks around a part: whether what precedes and what follows it cuts blanks.
#[derive(Clone, Copy, Default)]
struct Around {
    before: bool,
    after: bool,
}

impl Evaluator<'_> {
    /// Evaluates a template. A single expression keeps its value's type.
    pub(super) fn template(&mut self, template: &Template) -> Outcome {
        if let Some(Element::Interpolation(part)) = template.as_single_element() {
            return self.expression(&part.expr);
        }
        let before = self.meter.mark();
        let mut out = Text::default();
        self.elements(template, &mut out, Around::default())?;
        self.string(before, out)
    }

    fn elements(
        &mut self,
        template: &Template,
        out: &mut Text,
        around: Around,
    ) -> Result<(), EvalError> {
        let elements: Vec<&Element> = template.iter().collect();
        for (at, element) in elements.iter().enumerate() {
            let cut_start = match at.checked_sub(1) {
                Some(previous) => strip(elements[previous]).1,
                None => around.before,
            };
            let cut_end = elements
                .get(at + 1)
                .map_or(around.after, |next| strip(next).0);
            match element {
                Element::Literal(text) => {
                    let text = text.value().as_str();
                    let start = out.len();
                    out.push_str(if cut_start { trim_start(text) } else { text })?;
                    if cut_end {
                        out.trim_end(start);
                    }
                }
                Element::Interpolation(part) => {
                    let before = self.meter.mark();
                    let data = self.expression(&part.expr)?;
                    self.meter.back_to(before, Size::default());
                    out.push(&data)
                        .map_err(|wrong| wrong.at(part.expr.span()))?;
                }
                Element::Directive(directive) => match &**directive {
                    Directive::If(part) => self.if_directive(part, out)?,
                    Directive::For(part) => self.for_directive(part, out)?,
                },
            }
        }
        Ok(())
    }

    fn if_directive(&mut self, part: &IfDirective, out: &mut Text) -> Result<(), EvalError> {
        let condition = self.expression(&part.if_expr.cond_expr)?;
        out.depends_on(&condition);
        if !condition.is_known() {
            return Ok(());
        }
        let chosen = value::bool(&condition.value)
            .map_err(|wrong| wrong.at(part.if_expr.cond_expr.span()))?;
        let end = part.endif_expr.strip;
        match (&part.else_expr, chosen) {
            (Some(other), true) => self.elements(
                &part.if_expr.template,
                out,
                between(part.if_expr.strip, other.strip),
            ),
            (None, true) => self.elements(
                &part.if_expr.template,
                out,
                between(part.if_expr.strip, end),
            ),
            (Some(other), false) => self.elements(&other.template, out, between(other.strip, end)),
            (None, false) => Ok(()),
        }
    }

    fn for_directive(&mut self, part: &ForDirective, out: &mut Text) -> Result<(), EvalError> {
        let intro = &part.for_expr;
        let before = self.meter.mark();
        let collection = self.expression(&intro.collection_expr)?;
        let Some(entries) = self
            .entries(&collection)
            .map_err(|wrong| wrong.at(intro.collection_expr.span()))?
        else {
            out.depends_on(&collection);
            return Ok(());
        };
        // The string shows how many items the collection has.
        if collection.is_secret(&Path::root()) {
            out.depends_on(&collection);
        }
        let depth = self.bound.len();
        for (key, value) in entries {
            if let Some(name) = &intro.key_var {
                self.bound.push((name.as_str().to_owned(), key));
            }
            self.bound
                .push((intro.value_var.as_str().to_owned(), value));
            let around = between(intro.strip, part.endfor_expr.strip);
            let result = self.elements(&intro.template, out, around);
            self.bound.truncate(depth);
            result?;
            self.meter.work(1)?;
        }
        self.meter.back_to(before, Size::default());
        Ok(())
    }
}

fn between(before: Strip, after: Strip) -> Around {
    Around {
        before: before.strip_end(),
        after: after.strip_start(),
    }
}

/// Whether an element cuts the blanks before it and after it.
fn strip(element: &Element) -> (bool, bool) {
    match element {
        Element::Literal(_) => (false, false),
        Element::Interpolation(part) => (part.strip.strip_start(), part.strip.strip_end()),
        Element::Directive(directive) => match &**directive {
            Directive::If(part) => (
                part.if_expr.strip.strip_start(),
                part.endif_expr.strip.strip_end(),
            ),
            Directive::For(part) => (
                part.for_expr.strip.strip_start(),
                part.endfor_expr.strip.strip_end(),
            ),
        },
    }
}

fn trim_start(text: &str) -> &str {
    let cut = text.trim_start_matches([' ', '\t']);
    cut.strip_prefix("\r\n")
        .or_else(|| cut.strip_prefix('\n'))
        .unwrap_or(cut)
}
