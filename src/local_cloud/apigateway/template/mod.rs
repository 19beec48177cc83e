//! Mapping templates: the part of the Velocity Template Language that API Gateway documents (API
//! Gateway developer guide, "Mapping template transformations" and "Variables for data
//! transformations"; Apache Velocity user guide 1.7).
//!
//! Pure: a template and what a request brings give a text. Where Velocity would write a reference
//! as it stands, so does this one, but for what is missing below `$input`, `$context`,
//! `$stageVariables` and any variable that is set: API Gateway writes nothing for that. A method
//! that this evaluator does not have is an error, never a text that AWS would not write.

mod cursor;
mod expression;
mod json;
mod json_path;
mod methods;
mod operators;
mod parse;
mod render;
mod strings;
#[cfg(test)]
mod tests;
mod tools;
mod tree;
mod value;

pub use json_path::JsonPath;
pub use value::Value;

pub(super) use json::parse as parse_json;

use std::collections::BTreeMap;
use std::fmt;

/// The most bytes of a template (API Gateway quotas, "Mapping template size").
const MOST_BYTES: usize = 300 * 1024;

/// A template that was read.
#[derive(Debug, Clone)]
pub struct Template {
    name: String,
    text: String,
    block: tree::Block,
}

/// What a template sees of a request.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// `$input.body`: the payload.
    pub body: String,
    /// `$input.params()`.
    pub parameters: Parameters,
    /// `$context`, a JSON object.
    pub context: serde_json::Value,
    /// `$stageVariables`.
    pub stage_variables: BTreeMap<String, String>,
}

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// Those in the path.
    pub path: BTreeMap<String, String>,
    /// Those of the query.
    pub querystring: BTreeMap<String, String>,
    /// The headers.
    pub header: BTreeMap<String, String>,
}

/// What is wrong with a template, or went wrong in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The template's name: its key in `requestTemplates`.
    pub template: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// A sentence without its place.
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "template {:?}, line {}, column {}: {}",
            self.template, self.line, self.column, self.message
        )
    }
}

impl std::error::Error for TemplateError {}

/// A mistake at a byte of a template.
#[derive(Debug)]
struct Fault {
    at: usize,
    message: String,
}

impl Fault {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }

    fn place(self, name: &str, text: &str) -> TemplateError {
        let before = text.get(..self.at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        TemplateError {
            template: name.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: self.message,
        }
    }
}

impl Template {
    /// Reads a template; errors show the name.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn parse(name: &str, text: &str) -> Result<Self, TemplateError> {
        let block = match text.len() > MOST_BYTES {
            true => Err(Fault::new(0, "A template has 300 KB at most.")),
            false => parse::template(text),
        };
        Ok(Self {
            block: block.map_err(|fault| fault.place(name, text))?,
            name: name.to_owned(),
            text: text.to_owned(),
        })
    }

    /// What the template makes of a request.
    ///
    /// # Errors
    /// What went wrong, with its place.
    pub fn evaluate(&self, input: &Input) -> Result<String, TemplateError> {
        render::render(&self.block, input).map_err(|fault| fault.place(&self.name, &self.text))
    }
}
