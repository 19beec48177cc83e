//! What leads out of the project: files outside of its folder, and an endpoint on another machine.
//! Warnings, which `--strict` turns into errors.
//!
//! The reader of files notes paths that lead out (`outside.rs`); which string of the stack read one
//! is found by evaluating its parts again, so that the evaluator needs no code for it.

use super::planner::Planner;
use crate::content::SOURCES;
use crate::data::Path;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::evaluate;
use crate::outside::Outside;
use crate::resource::endpoint::{is_encrypted, is_loopback, without_password};
use crate::severity::Severity;
use serde_json::Value;

const READ: &str = "its content goes where the stack sends it: see what it is read for, before \
                    anything is called; --strict refuses it";

const SENT: &str = "credentials and the values of the stack go there: see whose it is, before \
                    anything is called; --strict refuses it";

impl Planner<'_> {
    /// Reports the files outside of the project that a template reads, each at its own place.
    pub(super) fn leading_out(&mut self, base: &Path, template: &Value) {
        for found in self.request.read_file.leading_out() {
            let path = self.reader_of(base, template, &found);
            self.report_outside(&path, &found);
        }
    }

    /// The innermost string of a template that reads the file.
    fn reader_of(&self, at: &Path, template: &Value, wanted: &Outside) -> Path {
        let within = |path: Path, part: &Value| {
            let reads = match part {
                Value::String(text) if !text.contains("${") => false,
                part => {
                    // Its mistakes were reported already; only what it reads matters here.
                    let _ = evaluate(part, &self.values);
                    self.request.read_file.leading_out().contains(wanted)
                }
            };
            reads.then(|| self.reader_of(&path, part, wanted))
        };
        let found = match template {
            Value::Object(map) => map
                .iter()
                .find_map(|(key, part)| within(at.join(key), part)),
            Value::Array(list) => {
                let mut parts = list.iter().enumerate();
                parts.find_map(|(index, part)| within(at.join(index), part))
            }
            _ => None,
        };
        found.unwrap_or_else(|| at.clone())
    }

    /// Reports the files outside of the project that a property names.
    pub(super) fn named_outside(&mut self, path: &Path) {
        for found in self.request.read_file.leading_out() {
            self.report_outside(path, &found);
        }
    }

    /// Reports what a data source reads outside of the project.
    pub(super) fn inspected_outside(&mut self, base: &Path, args: &Value) {
        for found in self.request.read_file.leading_out() {
            let mut names = SOURCES.iter();
            let name = names.find(|name| args.get(**name).is_some_and(|it| *it == found.path));
            let path = name.map_or_else(|| base.clone(), |name| base.join(name));
            self.report_outside(&path, &found);
        }
    }

    fn report_outside(&mut self, path: &Path, found: &Outside) {
        self.report_leading_out(path, found.to_string(), READ);
    }

    /// Reports an endpoint in the stack file that is not on this machine.
    pub(super) fn other_endpoint(&mut self, aws: &Value) {
        let Some(url) = aws.get("endpointUrl").and_then(Value::as_str) else {
            return;
        };
        if url.is_empty() || is_loopback(url) {
            return;
        }
        let shown = without_password(url);
        let message = match is_encrypted(url) {
            true => format!("all calls go to {shown}, which is not on this machine"),
            false => format!("all calls go to {shown}, on another machine, and are not encrypted"),
        };
        let path = Path::pointer("/providers/aws/endpointUrl");
        self.report_leading_out(&path, message, SENT);
    }

    fn report_leading_out(&mut self, path: &Path, message: String, help: &str) {
        let mut found = Diagnostic::error(Place::Value(path.clone()), message).help(help);
        found.severity = Severity::Warning;
        found.leads_out = true;
        if !self.out.diagnostics.contains(&found) {
            self.out.diagnostics.push(found);
        }
    }
}
