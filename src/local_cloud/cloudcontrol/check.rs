//! What a model breaks of its type's schema, in Cloud Control's sentences.

use super::Refusal;
use crate::registry::RegistryType;
use jsonschema::error::{ValidationError, ValidationErrorKind as Kind};
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What is wrong, one sentence each: `#/Name: failed validation constraint for keyword [pattern]`.
/// That a read-only property is missing is no fault: the service gives it.
///
/// # Errors
/// When the schema cannot be used: a mistake in the program.
pub(super) fn faults(kind: &RegistryType, model: &Value) -> Result<Vec<String>, Refusal> {
    let validator = validator(kind).map_err(|error| {
        let message = format!("The schema of {} cannot be used: {error}", kind.name());
        Refusal::new(500, "ServiceInternalErrorException", message)
    })?;
    // Most models are right.
    if validator.is_valid(model) {
        return Ok(Vec::new());
    }
    let errors = validator.iter_errors(model);
    Ok(errors.flat_map(|error| sentences(kind, &error)).collect())
}

fn sentences(kind: &RegistryType, error: &ValidationError<'_>) -> Vec<String> {
    let at = error.instance_path().as_str();
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let sentence = |name| format!("#{at}: extraneous key [{name}] is not permitted");
            unexpected.iter().map(sentence).collect()
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let path = format!("{at}/{name}");
            match kind.read_only().iter().any(|known| is_at(known, &path)) {
                true => Vec::new(),
                false => vec![format!("#{at}: required key [{name}] not found")],
            }
        }
        other => {
            let keyword = other.keyword();
            vec![format!(
                "#{at}: failed validation constraint for keyword [{keyword}]"
            )]
        }
    }
}

/// Whether a place in a model is one that a property's path names.
fn is_at(path: &str, pointer: &str) -> bool {
    let place: Vec<&str> = pointer.split('/').skip(1).collect();
    let path: Vec<&str> = path.split('/').collect();
    let fits = |(step, name): (&&str, &&str)| *step == "*" || step == name;
    path.len() == place.len() && path.iter().zip(&place).all(fits)
}

type Compiled = Result<Arc<Validator>, String>;

/// The compiled schema; compiled at first use.
fn validator(kind: &RegistryType) -> Compiled {
    static ALL: LazyLock<Mutex<BTreeMap<&'static str, Compiled>>> = LazyLock::new(Mutex::default);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = all.entry(kind.name());
    entry.or_insert_with(|| compile(kind).map(Arc::new)).clone()
}

/// The keywords that are the registry's own, and those of cfn-lint, mean nothing to a validator.
fn compile(kind: &RegistryType) -> Result<Validator, String> {
    let mut schema = kind.schema().clone();
    if let Some(map) = schema.as_object_mut() {
        map.retain(|keyword, _| !keyword.starts_with('$') && keyword != "handlers");
    }
    translate(&mut schema, false);
    let build = |schema: &Value| {
        jsonschema::options()
            .with_draft(Draft::Draft7)
            .build(schema)
    };
    build(&schema).or_else(|_| {
        translate(&mut schema, true);
        build(&schema).map_err(|error| error.to_string())
    })
}

fn is_pattern(text: &str) -> bool {
    let alone = json!({"pattern": text});
    let built = jsonschema::options()
        .with_draft(Draft::Draft7)
        .build(&alone);
    built.is_ok()
}

/// Patterns are Java's. `strictly`, those that have no like in the validator's language allow all.
fn translate(schema: &mut Value, strictly: bool) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(pattern)) = map.get_mut("pattern") {
                *pattern = pattern.replace("\\Z", "$").replace("\\A", "^");
                if strictly && !is_pattern(pattern) {
                    map.remove("pattern");
                }
            }
            if let Some(Value::Object(patterns)) = map.get_mut("patternProperties")
                && strictly
            {
                let all = std::mem::take(patterns).into_iter();
                patterns.extend(all.map(|(pattern, schema)| match is_pattern(&pattern) {
                    true => (pattern, schema),
                    false => (String::new(), schema),
                }));
            }
            map.values_mut()
                .for_each(|value| translate(value, strictly));
        }
        Value::Array(list) => list.iter_mut().for_each(|item| translate(item, strictly)),
        _ => {}
    }
}
