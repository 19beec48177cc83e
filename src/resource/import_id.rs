//! What users give to import a resource, parsed. The forms are those of Terraform's and Pulumi's
//! AWS providers.

use super::context::{AsTyped, Cx};
use super::error::Error;
use crate::literal;
use serde_json::{Map, Value, json};

/// A resource that the user names for import.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// The id that reads use.
    pub id: String,
    /// What a read must know besides.
    pub attrs: Map<String, Value>,
}

impl Imported {
    /// A resource by the id that reads use.
    pub fn by(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            attrs: Map::new(),
        }
    }

    /// A resource whose import id is the id that reads use.
    ///
    /// # Errors
    /// Where it is empty, or has blanks around it.
    pub fn named(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.trim() != text {
            return Err("an import id is not empty and has no blanks around it".to_owned());
        }
        Ok(Self::by(text))
    }
}

/// The import id of a type's resources: how the reference describes it, and how it is parsed.
#[derive(Debug, Clone, Copy)]
pub enum Import {
    /// The id that reads use.
    Id(&'static str),
    /// A name without characters that only stand in other kinds of ids: these characters, and its
    /// form as a mistake says it.
    Name(&'static str, &'static [char], &'static str),
    /// Parts with this character between them: `` `apiId/routeId` ``.
    Parts(&'static str, char),
    /// Something else, and what reads it.
    Other(&'static str, fn(&str) -> Result<Imported, String>),
}

impl Import {
    /// How the reference says it, such as `the queue's URL`.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Id(says) | Self::Name(says, ..) | Self::Parts(says, _) | Self::Other(says, _) => {
                says
            }
        }
    }

    /// Converts what the user gives to import a resource into the id that reads use, and what a
    /// read must know besides.
    ///
    /// # Errors
    /// A sentence without a full stop on why the string is not such an id; it never contains a
    /// secret.
    pub fn read(self, text: &str) -> Result<Imported, String> {
        match self {
            Self::Id(_) => Imported::named(text),
            Self::Name(_, without, form) => name(text, without, form),
            Self::Parts(says, between) => parts(text, says.trim_matches('`'), between),
            Self::Other(_, read) => read(text),
        }
    }
}

fn misfit(text: &str, form: &str) -> String {
    format!("{text:?} does not match the form {form}")
}

/// A name without any of the characters that only stand in other kinds of ids.
///
/// # Errors
/// Where it has one, or is empty.
pub fn name(text: &str, without: &[char], form: &str) -> Result<Imported, String> {
    if text.contains(without) {
        return Err(misfit(text, form));
    }
    Imported::named(text)
}

/// As many parts with this character between them as `form` has, such as `apiId/routeId`.
///
/// # Errors
/// Where one is missing or empty.
pub fn parts(text: &str, form: &str, between: char) -> Result<Imported, String> {
    let count = form.split(between).count();
    let parts: Vec<&str> = text.splitn(count, between).collect();
    if parts.len() < count || parts.iter().any(|part| part.is_empty()) {
        return Err(misfit(text, form));
    }
    Imported::named(text)
}

/// An ARN whose resource part starts with `resource`, such as `policy/`.
///
/// # Errors
/// Where it is none.
pub fn arn(text: &str, resource: &str, form: &str) -> Result<Imported, String> {
    let part = text.splitn(6, ':').nth(5);
    if !text.starts_with("arn:") || part.is_none_or(|part| !part.starts_with(resource)) {
        return Err(misfit(text, form));
    }
    Imported::named(text)
}

/// A queue's URL, which ends in `/account/name`.
///
/// # Errors
/// Where it is none.
pub fn queue_url(text: &str) -> Result<Imported, String> {
    let form = "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME";
    let rest = text
        .strip_prefix("https://")
        .or(text.strip_prefix("http://"));
    let parts = rest.map(|rest| rest.split('/').collect::<Vec<_>>());
    match parts.as_deref() {
        Some([_, .., account, name]) if !account.is_empty() && !name.is_empty() => {
            Imported::named(text)
        }
        _ => Err(misfit(text, form)),
    }
}

/// A bucket, and behind commas the account that must own it and a canned ACL, as in
/// `bucket,123456789012,private`. Only the owner is needed to read it.
///
/// # Errors
/// Where a part is neither.
pub fn bucket(text: &str) -> Result<Imported, String> {
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or_default();
    let mut found = self::name(name, &['/', ':'], "bucket, such as my-bucket")?;
    for part in parts {
        if part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit()) {
            let owner = "expectedBucketOwner".to_owned();
            found.attrs.insert(owner, json!(part));
        } else if !part.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') || part.is_empty() {
            return Err(misfit(
                text,
                "bucket, bucket,acl, bucket,owner or bucket,owner,acl",
            ));
        }
    }
    Ok(found)
}

/// A string as one word of a shell.
pub fn word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:@%+=,".contains(&b) || !b.is_ascii();
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The error for a create that met a resource of that name which is not in the state: `what` is `a
/// queue named main`, `id` its import id. Both ways to import it are given, ready to use.
pub fn exists(cx: &Cx, what: &str, id: &str) -> Error {
    if cx.going_ids.contains(id) {
        return Error::StillThere {
            what: what.to_owned(),
        };
    }
    let address = &cx.owner.address;
    let AsTyped { stack, flags } = &cx.typed;
    let command = format!("{stack}{} {}{flags}", word(address), word(id));
    let yaml = if address.contains('[') {
        String::new()
    } else {
        let value = match literal::escaped(id) {
            id if id.contains(['\\', '"']) => format!("'{}'", id.replace('\'', "''")),
            id => format!("\"{id}\""),
        };
        format!(", or with this line in the file, under {address}: options: {{import: {value}}}")
    };
    Error::with_hint(
        format!("{what} exists already, and is not in this stack's state"),
        format!(
            "Import it with `stackctl import {command}`{yaml}; or choose another name. If the state was lost, `stackctl state rebuild` finds all of it."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(found: Result<Imported, String>) -> Option<String> {
        found.ok().map(|found| found.id)
    }

    #[test]
    fn ids_that_fit_are_taken_and_others_are_not() {
        let parts = |text| id(Import::Parts("`apiId/routeId`", '/').read(text));
        assert_eq!(parts("a/b").as_deref(), Some("a/b"));
        assert_eq!(parts("a/$default").as_deref(), Some("a/$default"));
        for text in ["a", "a/", "/b", "", " a/b"] {
            assert_eq!(parts(text), None, "{text}");
        }
        let url = "https://sqs.us-west-2.amazonaws.com/123456789012/q";
        assert_eq!(id(queue_url(url)).as_deref(), Some(url));
        for text in ["q", "https://x/q", "https://x/1/", "arn:aws:sqs:::q"] {
            assert_eq!(id(queue_url(text)), None, "{text}");
        }
        let policy = |text| id(arn(text, "policy/", "arn:aws:iam::ACCOUNT:policy/NAME"));
        assert!(policy("arn:aws:iam::123456789012:policy/p").is_some());
        assert_eq!(policy("arn:aws:iam::123456789012:role/p"), None);
        assert_eq!(policy("p"), None);
    }

    #[test]
    fn both_ways_to_import_are_ready_to_use() {
        let mut cx = Cx::new(std::sync::Arc::new(crate::resource::aws::Aws::offline()));
        let mut hint = |address: &str, id: &str| {
            cx.owner.address = address.to_owned();
            exists(&cx, "a stage", id).hint().unwrap_or_default()
        };
        assert_eq!(
            hint("stage", "a1/$default"),
            "Import it with `stackctl import stage 'a1/$default'`, or with this line in the file, \
             under stage: options: {import: \"a1/$default\"}; or choose another name. If the state \
             was lost, `stackctl state rebuild` finds all of it."
        );
        assert_eq!(
            hint("role[\"a\"]", "r"),
            "Import it with `stackctl import 'role[\"a\"]' r`; or choose another name. If the state was \
             lost, `stackctl state rebuild` finds all of it."
        );
    }

    #[test]
    fn a_bucket_may_have_an_owner_and_an_acl_behind_it() {
        for text in [
            "b",
            "b,private",
            "b,123456789012",
            "b,123456789012,public-read",
        ] {
            assert_eq!(id(bucket(text)).as_deref(), Some("b"), "{text}");
        }
        let owner = bucket("b,123456789012").map(|found| found.attrs);
        assert_eq!(
            owner.ok().map(Value::from),
            Some(json!({"expectedBucketOwner": "123456789012"}))
        );
        for text in ["", "b,", "s3://b", "b,X"] {
            assert_eq!(id(bucket(text)), None, "{text}");
        }
    }
}
