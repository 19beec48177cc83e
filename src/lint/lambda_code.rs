//! The handler of a function, and whether its zip file has it. SK012x.

use super::facts::{Facts, Resource};
use super::rule::Rule;
use crate::data::Path;
use crate::lang::eval::{Root, lone_reference};
use crate::schema::broken::Broken;
use serde_json::Value;

const FUNCTION: &[&str] = &["aws:lambda:Function"];

pub(super) const RULES: &[Rule] = &[
    Rule::warning("SK0121", "The handler's file is in the zip file")
        .why("Lambda loads the file that the handler names from the root of the package; without it every invocation fails with Runtime.ImportModuleError (Lambda developer guide, \"Define Lambda function handler\"). Checked where an archive:getFile of the same stack builds the zip file.")
        .fix("name a file of the archive, or add the file to it")
        .examples(
            r#"data:
  code:
    type: archive:getFile
    properties: {type: zip, sourceContent: "def run(event, context): pass", sourceContentFilename: app.py}
resources:
  f:
    type: aws:lambda:Function
    properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: main.run, filename: "${data.code.outputPath}"}"#,
            r#"data:
  code:
    type: archive:getFile
    properties: {type: zip, sourceContent: "def run(event, context): pass", sourceContentFilename: app.py}
resources:
  f:
    type: aws:lambda:Function
    properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, filename: "${data.code.outputPath}"}"#,
        )
        .of(FUNCTION, handler_in_archive),
    Rule::warning("SK0122", "A handler names a file and a function")
        .why("For Python, Node.js and Ruby a handler is `file.function`; Lambda accepts another form, and every invocation fails (Lambda developer guide, the pages on handlers).")
        .fix("write the file without its ending, a dot and the function, as in app.handler")
        .examples(
            r#"f:
  type: aws:lambda:Function
  properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: handler, s3Bucket: code, s3Key: f.zip}"#,
            r#"f:
  type: aws:lambda:Function
  properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.handler, s3Bucket: code, s3Key: f.zip}"#,
        )
        .of(FUNCTION, handler_form),
];

/// How the file of a handler may end, by what the runtime begins with.
const ENDINGS: &[(&str, &[&str])] = &[
    ("python", &[".py", "/__init__.py"]),
    ("nodejs", &[".js", ".mjs", ".cjs"]),
    ("ruby", &[".rb"]),
];

/// The endings of the runtime's files, and the handler, where it is a file's and known.
fn handler<'r>(function: &'r Resource<'_>) -> Option<(&'static [&'static str], &'r str)> {
    let runtime = function.text("runtime")?;
    let (_, endings) = ENDINGS
        .iter()
        .find(|(start, _)| runtime.starts_with(start))?;
    Some((endings, function.text("handler")?))
}

fn handler_form(_: &Facts<'_>, function: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some((_, handler)) = handler(function) else {
        return;
    };
    let parts = handler
        .rsplit('/')
        .next()
        .and_then(|last| last.split_once('.'));
    if parts.is_none_or(|(file, name)| file.is_empty() || name.is_empty()) {
        let message = format!("The handler {handler:?} does not name a file and a function.");
        broken.push(Broken::at("handler", message));
    }
}

/// The data source whose archive is the function's code.
fn archive(facts: &Facts<'_>, function: &Resource<'_>) -> Option<String> {
    if function.given("layers") {
        // A layer may bring the file along.
        return None;
    }
    let written = |path: &str| {
        let path = function.in_file(Broken::at(path, "")).path;
        path.get(function.written).and_then(Value::as_str)
    };
    if let Some(text) = written("filename") {
        return data_source(facts, text);
    }
    let object = facts
        .peer_of_type(function, "s3Key", "aws:s3:BucketObject")
        .or_else(|| same_object(facts, function))?;
    data_source(facts, object.written.get("source")?.as_str()?)
}

/// The object of the stack that has the key and the bucket that the function names.
fn same_object<'f, 'a>(facts: &'f Facts<'a>, function: &Resource<'_>) -> Option<&'f Resource<'a>> {
    let key = function.text("s3Key")?;
    let bucket = facts.peer(function, &Path::dotted("s3Bucket"))?;
    let objects = facts.naming("aws:s3:BucketObject", "bucket", bucket);
    let mut objects = objects.into_iter();
    objects.find(|object| object.text("key") == Some(key))
}

/// The `archive:getFile` whose output an expression is.
fn data_source(facts: &Facts<'_>, text: &str) -> Option<String> {
    let reference = lone_reference(text)?;
    let is_data = reference.root == Root::Data;
    let block = facts.stack.data.get(&reference.name).filter(|_| is_data)?;
    (block.type_name == "archive:getFile").then_some(reference.name)
}

fn handler_in_archive(facts: &Facts<'_>, function: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some((endings, handler)) = handler(function) else {
        return;
    };
    let Some((file, _)) = handler
        .rsplit_once('.')
        .filter(|(file, _)| !file.is_empty())
    else {
        return;
    };
    let Some(name) = archive(facts, function) else {
        return;
    };
    // A handler of Node.js may name a member of what the file exports: `app.api.run`.
    let first_dot = handler.rfind('/').unwrap_or(0);
    let short = handler[first_dot..]
        .find('.')
        .map_or(file, |dot| &handler[..first_dot + dot]);
    let mut files = Vec::new();
    for stem in [file, short] {
        // Python takes dots for folders too.
        for stem in [stem.to_owned(), stem.replace('.', "/")] {
            let names = endings.iter().map(|ending| format!("{stem}{ending}"));
            files.extend(names);
        }
    }
    files.dedup();
    if (facts.archive_has)(&name, &files) == Some(false) {
        let message = format!(
            "The archive data.{name} has no {}, which the handler names.",
            files.first().map_or("", String::as_str)
        );
        broken.push(Broken::at("handler", message));
    }
}
