//! Checks values against a type's schema, and says what is wrong in plain words. What is not
//! known yet is not held against a value, and nothing secret is said.

use super::alias;
use super::broken::Broken;
use super::{Schema, walk};
use crate::data::{Data, Path};
use crate::nearest::{did_you_mean, nearest};
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind as Kind};
use serde_json::Value;
use std::collections::BTreeSet;

impl Schema {
    /// What the properties break of the schema. A null counts as not given. What lies at or in
    /// an unknown part, or depends on one, is left for when it is known.
    pub fn validate(&self, data: &Data) -> Vec<Broken> {
        let validator = self.validator.get_or_init(|| {
            jsonschema::validator_for(&self.properties).map_err(|error| error.to_string())
        });
        let validator = match validator {
            Ok(validator) => validator,
            Err(error) => {
                let message = format!("the schema of {} cannot be used: {error}", self.name);
                return vec![Broken::new(Path::root(), message)];
            }
        };
        let value = self.conformed(&data.value, &data.unknown);
        // Most values are right, and a check for that is faster than a list of errors.
        if validator.is_valid(&value) {
            return Vec::new();
        }
        let check = Check { schema: self, data };
        let mut found = Vec::new();
        for error in validator.iter_errors(&value) {
            check.report(&error, &mut found);
        }
        let mut seen = BTreeSet::new();
        found.retain(|broken| seen.insert((broken.path.clone(), broken.message.clone())));
        found
    }
}

struct Check<'a> {
    schema: &'a Schema,
    data: &'a Data,
}

impl Check<'_> {
    fn report(&self, error: &ValidationError<'_>, found: &mut Vec<Broken>) {
        let path = Path::pointer(error.instance_path().as_str());
        if self.data.unknown_at(&path).is_some() || self.depends_on_unknown(error.kind(), &path) {
            return;
        }
        if let Kind::AdditionalProperties { unexpected }
        | Kind::UnevaluatedProperties { unexpected } = error.kind()
        {
            for name in unexpected {
                let (message, help) = self.unexpected(name, &path);
                found.push(Broken::new(path.join(name), message).on_key().help(help));
            }
            return;
        }
        // A type without properties: the error names the map and not the key.
        if matches!(error.kind(), Kind::FalseSchema) {
            let at = if path.is_root() {
                path
            } else {
                path.parent().unwrap_or_default()
            };
            let given = at.get(&self.data.value).and_then(Value::as_object);
            for name in given.into_iter().flatten().map(|(name, _)| name) {
                let (message, help) = self.unexpected(name, &at);
                found.push(Broken::new(at.join(name), message).on_key().help(help));
            }
            return;
        }
        if let Kind::AnyOf { context } | Kind::OneOfNotValid { context } = error.kind()
            && let Some(branch) = self.closest(context, &path)
        {
            for error in branch {
                self.report(error, found);
            }
            return;
        }
        if !self.is_misspelt(error.kind(), &path) {
            found.push(Broken::new(path.clone(), self.sentence(error, &path)));
        }
    }

    /// Whether what is missing is there under a name that is reported as meaning it.
    fn is_misspelt(&self, kind: &Kind, path: &Path) -> bool {
        let missing = match kind {
            Kind::Required { property } => Some(property.to_string()),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                alternatives(context, path)
            }
            _ => None,
        };
        let given = path.get(&self.data.value).and_then(Value::as_object);
        let (Some(missing), Some(given)) = (missing, given) else {
            return false;
        };
        let known = |name: &str| self.schema.at(&path.join(name)).is_some();
        let mut unknown = given.keys().filter(|name| !known(name));
        unknown.any(|name| {
            let (_, help) = self.unexpected(name, path);
            let meant = help.as_deref().and_then(alias::meant);
            meant.is_some_and(|meant| missing.contains(&format!("{meant:?}")))
        })
    }

    /// Whether the mistake may go away once what is unknown below the path is known. Which
    /// keys and how many items there are is known already.
    fn depends_on_unknown(&self, kind: &Kind, path: &Path) -> bool {
        let below = self.data.unknown.keys().any(|at| at.is_within(path));
        below
            && !matches!(
                kind,
                Kind::Required { .. }
                    | Kind::AdditionalProperties { .. }
                    | Kind::UnevaluatedProperties { .. }
                    | Kind::Type { .. }
                    | Kind::MinItems { .. }
                    | Kind::MaxItems { .. }
                    | Kind::MinProperties { .. }
                    | Kind::MaxProperties { .. }
            )
    }

    /// Of several alternatives, the one whose type fits, where it is the only one.
    fn closest<'c>(
        &self,
        context: &'c [Vec<ValidationError<'static>>],
        path: &Path,
    ) -> Option<&'c Vec<ValidationError<'static>>> {
        let fits = |errors: &&Vec<ValidationError<'static>>| {
            !errors.iter().any(|error| {
                matches!(error.kind(), Kind::Type { .. })
                    && error.instance_path().as_str() == path.as_pointer()
            })
        };
        let mut fitting = context.iter().filter(fits);
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }

    fn unexpected(&self, name: &str, path: &Path) -> (String, Option<String>) {
        if path.is_root() {
            return self.schema.unexpected(name);
        }
        let root = &self.schema.properties;
        let declared = self.schema.at(path);
        let known = declared.map_or(Vec::new(), |schema| walk::properties(root, schema));
        let names = || known.iter().map(|(name, _)| name.as_str());
        let message = format!("{name:?} is not a property of {path}");
        let map = self.map_inside(name, path);
        let help = did_you_mean(name, names())
            .or(map)
            .or_else(|| alias::part(name, names()))
            .unwrap_or_else(|| alias::list("properties", names()));
        (message, Some(help))
    }

    /// Where a structure has one property and that is a map, its entries are easily written one
    /// level too high: `environment: {STAGE: dev}`.
    fn map_inside(&self, name: &str, path: &Path) -> Option<String> {
        let mut members = super::members(self.schema.at(path)?)?.iter();
        let (inner, schema) = members.next()?;
        let schema = walk::resolve(&self.schema.properties, schema);
        let is_map = schema.get("additionalProperties").is_some() && members.next().is_none();
        let given = path.join(name);
        let value = given
            .get(&self.data.value)
            .filter(|value| !value.is_object())?;
        let shown = self.quoted(value, &given);
        let shown = match (value, shown) {
            (Value::String(text), Some(_)) if text.chars().all(|c| c.is_ascii_alphanumeric()) => {
                text.clone()
            }
            (_, Some(shown)) => shown,
            (_, None) => "…".to_owned(),
        };
        let outer = path.last()?;
        is_map.then(|| {
            format!("{path} has the key {inner}: {outer}: {{{inner}: {{{name}: {shown}}}}}")
        })
    }

    /// The value as text, unless it is secret, unknown in part or long.
    fn quoted(&self, value: &Value, path: &Path) -> Option<String> {
        let secret = self.schema.flag(path, "sensitive")
            || self.data.is_secret(path)
            || self.data.secret.iter().any(|at| at.is_within(path));
        let text = value.to_string();
        (!secret && text.len() <= 80).then_some(text)
    }

    fn sentence(&self, error: &ValidationError<'_>, path: &Path) -> String {
        let value = error.instance();
        let name = if path.is_root() {
            self.schema.name.to_owned()
        } else {
            path.to_string()
        };
        let got = self
            .quoted(value, path)
            .map_or(String::new(), |text| format!(", got {text}"));
        match error.kind() {
            Kind::Required { property } => {
                let property = property.as_str().unwrap_or_default();
                if path.is_root() {
                    return self.schema.missing(property).0;
                }
                format!("missing required property {property:?} of {name}")
            }
            Kind::Type { kind } => self.wrong_type(&name, &types(kind), value),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                if let Some(missing) = alternatives(context, path) {
                    return format!("missing required property {missing} of {name}");
                }
                let mut wanted: Vec<&'static str> = context
                    .iter()
                    .flatten()
                    .filter_map(|error| match error.kind() {
                        Kind::Type { kind } => Some(types(kind)),
                        _ => None,
                    })
                    .flatten()
                    .collect();
                wanted.dedup();
                if wanted.is_empty() || wanted.contains(&kind(value)) {
                    return format!("{name} has none of the forms that are allowed{got}");
                }
                self.wrong_type(&name, &wanted, value)
            }
            Kind::Enum { options } => self.not_allowed(&name, options, value, path),
            Kind::Constant { expected_value } => format!("{name}: expected {expected_value}{got}"),
            Kind::Pattern { pattern } => format!("{name} must match the pattern {pattern}{got}"),
            Kind::PropertyNames { error } => match error.kind() {
                Kind::Pattern { pattern } => {
                    format!("the keys of {name} must match the pattern {pattern}")
                }
                Kind::MaxLength { limit } => {
                    format!(
                        "the keys of {name} may have at most {}",
                        count(*limit, "character")
                    )
                }
                _ => format!("{name} has a key that is not allowed"),
            },
            Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
                format!("{name} could not be compared with its pattern, which takes too long")
            }
            _ => self.out_of_bounds(error, &name, &got),
        }
    }

    fn out_of_bounds(&self, error: &ValidationError<'_>, name: &str, got: &str) -> String {
        let value = error.instance();
        match error.kind() {
            Kind::Minimum { limit } => format!("{name} must be at least {limit}{got}"),
            Kind::Maximum { limit } => format!("{name} must be at most {limit}{got}"),
            Kind::ExclusiveMinimum { limit } => format!("{name} must be more than {limit}{got}"),
            Kind::ExclusiveMaximum { limit } => format!("{name} must be less than {limit}{got}"),
            Kind::MultipleOf { multiple_of } => {
                format!("{name} must be a multiple of {multiple_of}{got}")
            }
            Kind::MinLength { limit } => {
                format!(
                    "{name} must have at least {}{got}",
                    count(*limit, "character")
                )
            }
            Kind::MaxLength { limit } => {
                let length = value.as_str().map_or(0, |text| text.chars().count());
                format!(
                    "{name} may have at most {}, got {length}",
                    count(*limit, "character")
                )
            }
            Kind::MinItems { limit } => {
                format!("{name} must have at least {}", count(*limit, "item"))
            }
            Kind::MaxItems { limit } => {
                format!("{name} may have at most {}", count(*limit, "item"))
            }
            Kind::MinProperties { limit } => {
                format!("{name} must have at least {limit} entries")
            }
            Kind::MaxProperties { limit } => format!("{name} may have at most {limit} entries"),
            Kind::UniqueItems => format!("{name} has an item twice"),
            _ => format!("{name} is not allowed here{got}"),
        }
    }

    fn wrong_type(&self, name: &str, wanted: &[&'static str], value: &Value) -> String {
        let wanted_text = wanted.join(" or ");
        let help = match value {
            Value::String(text)
                if is_zero_led(text) && wanted.iter().any(|one| one.contains("number")) =>
            {
                "; digits with a zero in front are a string"
            }
            Value::String(text)
                if serde_json::from_str::<Value>(text).is_ok_and(|value| !value.is_object())
                    && !wanted.contains(&"a string")
                    && wanted
                        .iter()
                        .any(|one| one.contains("number") || *one == "a bool") =>
            {
                "; take the quotes away"
            }
            _ => "",
        };
        let got = match value {
            Value::Number(_) if wanted.iter().any(|one| one.contains("fraction")) => {
                "one with a fraction"
            }
            other => kind(other),
        };
        format!("{name}: expected {wanted_text}, got {got}{help}")
    }

    fn not_allowed(&self, name: &str, options: &Value, value: &Value, path: &Path) -> String {
        let allowed: Vec<&Value> = options.as_array().into_iter().flatten().collect();
        let texts = || allowed.iter().filter_map(|option| option.as_str());
        let shown = self.quoted(value, path);
        let help = shown
            .as_ref()
            .and(value.as_str())
            .and_then(|text| nearest(text, texts()))
            .map_or(String::new(), |found| format!("; did you mean {found:?}?"));
        let list: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        let list = if list.len() > 20 {
            format!(
                "one of {} and {} more",
                list[..20].join(", "),
                list.len() - 20
            )
        } else {
            format!("one of {}", list.join(", "))
        };
        let got = shown.map_or(String::new(), |text| format!(", got {text}"));
        format!("{name}: expected {list}{got}{help}")
    }
}

/// The properties that the alternatives want, where nothing else is wrong with any of them.
fn alternatives(context: &[Vec<ValidationError<'static>>], path: &Path) -> Option<String> {
    let required = |error: &ValidationError<'static>| match error.kind() {
        Kind::Required { property } if error.instance_path().as_str() == path.as_pointer() => {
            Some(property.to_string())
        }
        _ => None,
    };
    let of_branch = |errors: &Vec<ValidationError<'static>>| {
        let names: Option<Vec<String>> = errors.iter().map(required).collect();
        names.filter(|names| !names.is_empty())
    };
    let branches: Option<Vec<Vec<String>>> = context.iter().map(of_branch).collect();
    let branches = branches.filter(|branches| branches.len() > 1)?;
    let branches: Vec<String> = branches.iter().map(|names| names.join(" and ")).collect();
    Some(branches.join(" or "))
}

/// `012345678901`: digits that YAML does not take for a number.
pub(crate) fn is_zero_led(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What kind of value it is, with its article.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn types(kind: &TypeKind) -> Vec<&'static str> {
    let word = |name: String| match name.as_str() {
        "string" => "a string",
        "integer" => "a number without a fraction",
        "number" => "a number",
        "boolean" => "a bool",
        "array" => "a list",
        "object" => "a map",
        _ => "null",
    };
    match kind {
        TypeKind::Single(one) => vec![word(one.to_string())],
        TypeKind::Multiple(many) => many.iter().map(|one| word(one.to_string())).collect(),
    }
}

#[cfg(test)]
mod tests;
