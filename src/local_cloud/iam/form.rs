//! The parameters of a query request, and the checks on them that IAM's model states.

use super::super::query::{Form, Tag};
use super::super::service::Refusal;
use crate::resource::aws::tags::is_tag_character;

/// What the characters of a name may be.
const NAME: &str = "[\\w+=,.@-]+";

impl Form {
    /// A required parameter.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)
            .ok_or_else(|| invalid(&wire(name), "null", "Member must not be null"))
    }

    /// A required parameter with a length in characters.
    pub(super) fn sized(&self, name: &str, min: usize, max: usize) -> Result<&str, Refusal> {
        let value = self.required(name)?;
        check_length(name, value, min, max)?;
        Ok(value)
    }

    /// The name of a role, a policy, …: `[\w+=,.@-]`, up to `max` characters.
    pub(super) fn name(&self, name: &str, max: usize) -> Result<&str, Refusal> {
        let value = self.sized(name, 1, max)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !value.chars().all(fits) {
            return Err(pattern(name, value, NAME));
        }
        Ok(value)
    }

    /// An ARN, at least 20 characters long.
    pub(super) fn arn(&self, name: &str) -> Result<&str, Refusal> {
        let arn = self.sized(name, 20, 2048)?;
        let parts = arn.splitn(6, ':').count();
        if parts != 6 || !arn.starts_with("arn:") {
            return Err(Refusal::new(
                400,
                "InvalidInput",
                format!("ARN {arn} is not valid."),
            ));
        }
        Ok(arn)
    }

    /// A path: `/`, or names between slashes.
    pub(super) fn path(&self) -> Result<&str, Refusal> {
        let Some(path) = self.get("Path") else {
            return Ok("/");
        };
        check_length("Path", path, 1, 512)?;
        let fits = path.chars().all(|c| ('\u{21}'..='\u{7e}').contains(&c));
        if !path.starts_with('/') || !path.ends_with('/') || !fits || path.contains("//") {
            let message = "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.";
            return Err(Refusal::new(400, "ValidationError", message));
        }
        Ok(path)
    }

    /// A description of up to 1000 characters.
    pub(super) fn description(&self) -> Result<Option<&str>, Refusal> {
        let Some(text) = self.get("Description") else {
            return Ok(None);
        };
        check_length("Description", text, 0, 1000)?;
        // The model's pattern; policies are as strict in practice.
        let fits = |c: char| {
            matches!(c, '\t' | '\n' | '\r') || (' '..='~').contains(&c) || ('¡'..='ÿ').contains(&c)
        };
        if !text.chars().all(fits) {
            let characters = "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*";
            return Err(pattern("Description", text, characters));
        }
        Ok(Some(text))
    }

    /// A policy document: its length and its characters.
    pub(super) fn document(&self, name: &str) -> Result<&str, Refusal> {
        let text = self.sized(name, 1, 131_072)?;
        let fits = |c: char| matches!(c, '\t' | '\n' | '\r') || (' '..='ÿ').contains(&c);
        if !text.chars().all(fits) {
            return Err(pattern(
                name,
                text,
                "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+",
            ));
        }
        Ok(text)
    }

    /// A number in a range.
    pub(super) fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        match text.parse::<u64>() {
            Ok(number) if number < min => {
                let rule = format!("Member must have value greater than or equal to {min}");
                Err(invalid(&wire(name), text, &rule))
            }
            Ok(number) if number > max => {
                let rule = format!("Member must have value less than or equal to {max}");
                Err(invalid(&wire(name), text, &rule))
            }
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Refusal::new(
                400,
                "MalformedInput",
                format!("{name} is not a number"),
            )),
        }
    }

    /// `Tags`, checked.
    pub(super) fn tags(&self) -> Result<Vec<Tag>, Refusal> {
        let mut tags: Vec<Tag> = Vec::new();
        for n in 1.. {
            let Some(key) = self.get(&format!("Tags.member.{n}.Key")) else {
                break;
            };
            let value = self.get(&format!("Tags.member.{n}.Value"));
            let value = value.ok_or_else(|| {
                invalid(
                    &format!("tags.{n}.member.value"),
                    "null",
                    "Member must not be null",
                )
            })?;
            check_tag(n, key, value)?;
            if tags
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(key))
            {
                let message =
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
                return Err(Refusal::new(400, "InvalidInput", message));
            }
            tags.push((key.to_owned(), value.to_owned()));
        }
        Ok(tags)
    }
}

fn check_tag(n: usize, key: &str, value: &str) -> Result<(), Refusal> {
    check_length(&format!("Tags.{n}.member.key"), key, 1, 128)?;
    check_length(&format!("Tags.{n}.member.value"), value, 0, 256)?;
    for (member, text) in [("key", key), ("value", value)] {
        if !text.chars().all(is_tag_character) {
            let member = format!("Tags.{n}.member.{member}");
            return Err(pattern(&member, text, "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"));
        }
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        let message = format!("System tags cannot be added/updated by requester: {key}");
        return Err(Refusal::new(400, "InvalidInput", message));
    }
    Ok(())
}

fn check_length(name: &str, value: &str, min: usize, max: usize) -> Result<(), Refusal> {
    let length = value.chars().count();
    if length < min {
        let rule = format!("Member must have length greater than or equal to {min}");
        return Err(invalid(&wire(name), value, &rule));
    }
    if length > max {
        let rule = format!("Member must have length less than or equal to {max}");
        return Err(invalid(&wire(name), value, &rule));
    }
    Ok(())
}

fn pattern(name: &str, value: &str, pattern: &str) -> Refusal {
    let rule = format!("Member must satisfy regular expression pattern: {pattern}");
    invalid(&wire(name), value, &rule)
}

/// Messages write members with a small first letter.
fn wire(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn invalid(name: &str, value: &str, rule: &str) -> Refusal {
    let value: String = value.chars().take(200).collect();
    Refusal::new(
        400,
        "ValidationError",
        format!(
            "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}"
        ),
    )
}
