//! The policy documents of resources, as checks read them.

use crate::data::{Data, Path};
use crate::resource::aws::policy_check::Kind;
use crate::schema::broken::Broken;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The properties that hold a policy document; `*` stands for each item of a list.
const PLACES: &[(&str, &str, Kind)] = &[
    ("aws:iam:Policy", "policy", Kind::Identity),
    ("aws:iam:Role", "assumeRolePolicy", Kind::Trust),
    ("aws:iam:Role", "inlinePolicies.*.policy", Kind::Identity),
    ("aws:iam:RolePolicy", "policy", Kind::Identity),
    ("aws:s3:BucketPolicy", "policy", Kind::Resource),
    ("aws:sns:Topic", "policy", Kind::Resource),
    ("aws:sqs:Queue", "policy", Kind::Resource),
    ("aws:sqs:QueuePolicy", "policy", Kind::Resource),
    // Types without a twin.
    ("AWS::IAM::GroupPolicy", "PolicyDocument", Kind::Identity),
    ("AWS::IAM::Policy", "PolicyDocument", Kind::Identity),
    ("AWS::IAM::UserPolicy", "PolicyDocument", Kind::Identity),
    ("AWS::KMS::Key", "KeyPolicy", Kind::Resource),
    (
        "AWS::SNS::TopicInlinePolicy",
        "PolicyDocument",
        Kind::Resource,
    ),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", Kind::Resource),
    (
        "AWS::SQS::QueueInlinePolicy",
        "PolicyDocument",
        Kind::Resource,
    ),
    (
        "AWS::SecretsManager::ResourcePolicy",
        "ResourcePolicy",
        Kind::Resource,
    ),
];

/// The types with a policy document.
pub(super) const TYPES: &[&str] = &[
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::UserPolicy",
    "AWS::KMS::Key",
    "AWS::SNS::TopicInlinePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueueInlinePolicy",
    "AWS::SecretsManager::ResourcePolicy",
    "aws:iam:Policy",
    "aws:iam:Role",
    "aws:iam:RolePolicy",
    "aws:s3:BucketPolicy",
    "aws:sns:Topic",
    "aws:sqs:Queue",
    "aws:sqs:QueuePolicy",
];

/// A policy document.
#[derive(Debug)]
pub struct Document {
    /// The property.
    pub at: Path,
    /// What it is attached to.
    pub kind: Kind,
    value: Value,
    /// Given as a string: nothing in it has a place of its own.
    as_text: bool,
    unknown: BTreeMap<Path, String>,
}

/// A string of a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text<'d> {
    /// What it says.
    Known(&'d str),
    /// The expression that it comes from.
    Unknown(&'d str),
}

/// A statement of a document.
pub(super) struct Statement<'d> {
    /// The document.
    pub(super) document: &'d Document,
    at: Path,
    /// Its elements.
    pub(super) map: &'d Map<String, Value>,
}

/// An entry of a statement's `Condition`.
pub(super) struct Condition<'d> {
    /// The operator, such as `StringEquals`.
    pub(super) operator: &'d str,
    /// The key, such as `aws:SourceArn`.
    pub(super) key: &'d str,
    /// Its values, as far as they are known.
    pub(super) values: Vec<&'d Value>,
    /// The path of the entry in the document.
    pub(super) at: Path,
}

/// The documents of a resource that are known in their outline.
pub(super) fn of(type_name: &str, props: &Data) -> Vec<Document> {
    let places = PLACES.iter().filter(|(name, ..)| *name == type_name);
    let mut found = Vec::new();
    for (_, place, kind) in places {
        for at in paths(place, &props.value) {
            found.extend(document(props, at, *kind));
        }
    }
    found
}

fn paths(place: &str, props: &Value) -> Vec<Path> {
    let Some((list, inner)) = place.split_once(".*.") else {
        return vec![Path::dotted(place)];
    };
    let list = Path::dotted(list);
    let count = list
        .get(props)
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    (0..count).map(|at| list.join(at).join(inner)).collect()
}

fn document(props: &Data, at: Path, kind: Kind) -> Option<Document> {
    let data = props.get(&at)?;
    if data.unknown_at(&Path::root()).is_some() {
        return None;
    }
    let (value, as_text) = match data.value {
        Value::String(text) => (serde_json::from_str(&text).ok()?, true),
        value => (value, false),
    };
    Some(Document {
        at,
        kind,
        value,
        as_text,
        unknown: data.unknown,
    })
}

impl Document {
    /// The version that it says.
    pub(super) fn version(&self) -> Option<&str> {
        self.value.get("Version")?.as_str()
    }

    /// Whether it says a version, known or not.
    pub(super) fn has_version(&self) -> bool {
        self.value.get("Version").is_some()
    }

    /// Its statements.
    pub(super) fn statements(&self) -> Vec<Statement<'_>> {
        let at = Path::root().join("Statement");
        let statement = |at: Path| {
            Some(Statement {
                document: self,
                map: at.get(&self.value)?.as_object()?,
                at,
            })
        };
        match self.value.get("Statement") {
            Some(Value::Array(list)) => {
                let all = 0..list.len();
                all.filter_map(|index| statement(at.join(index))).collect()
            }
            Some(_) => statement(at).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// What is wrong at a path of the document.
    pub(super) fn broken(&self, inside: &Path, message: impl Into<String>) -> Broken {
        let path = match self.as_text {
            true => self.at.clone(),
            false => self.at.concat(inside),
        };
        Broken::new(path, message)
    }

    /// The same, at the name of what stands there.
    pub(super) fn broken_key(&self, inside: &Path, message: impl Into<String>) -> Broken {
        let broken = self.broken(inside, message);
        if self.as_text {
            broken
        } else {
            broken.on_key()
        }
    }

    fn unknown_at(&self, inside: &Path) -> Option<&str> {
        let mut at = Some(inside.clone());
        while let Some(path) = at {
            if let Some(text) = self.unknown.get(&path) {
                return Some(text);
            }
            at = path.parent();
        }
        None
    }

    /// The path of a property: that of a part of the document.
    pub(super) fn path(&self, inside: &Path) -> Path {
        self.at.concat(inside)
    }
}

impl<'d> Statement<'d> {
    /// The path of an element in the document.
    pub(super) fn path(&self, name: &str) -> Path {
        self.at.join(name)
    }

    /// Whether it allows something, for sure.
    pub(super) fn allows(&self) -> bool {
        self.map.get("Effect").and_then(Value::as_str) == Some("Allow")
    }

    /// Whether it has the element, known or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// The strings of an element that is one or a list of them, each with its path in the
    /// document.
    pub(super) fn texts(&self, name: &str) -> Vec<(Path, Text<'d>)> {
        self.map
            .get(name)
            .map_or_else(Vec::new, |value| self.texts_at(self.path(name), value))
    }

    /// The strings at a path: of a string, or of a list of them.
    pub(super) fn texts_at(&self, at: Path, value: &'d Value) -> Vec<(Path, Text<'d>)> {
        if let Some(text) = self.document.unknown_at(&at) {
            return vec![(at, Text::Unknown(text))];
        }
        match value {
            Value::String(text) => vec![(at, Text::Known(text))],
            Value::Array(list) => {
                let all = list.iter().enumerate();
                all.flat_map(|(index, item)| self.texts_at(at.join(index), item))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The known strings of an element.
    pub(super) fn known(&self, name: &str) -> Vec<(Path, &'d str)> {
        let all = self.texts(name).into_iter();
        all.filter_map(|(path, text)| match text {
            Text::Known(text) => Some((path, text)),
            Text::Unknown(_) => None,
        })
        .collect()
    }

    /// Whether all of the element's strings are known.
    pub(super) fn is_known(&self, name: &str) -> bool {
        let all = self.texts(name);
        all.iter().all(|(_, text)| matches!(text, Text::Known(_)))
    }

    /// Whether a string of the element is `*`.
    pub(super) fn is_any(&self, name: &str) -> bool {
        self.known(name).iter().any(|(_, text)| *text == "*")
    }

    /// The path at which everybody is named as the principal.
    pub(super) fn everybody(&self) -> Option<Path> {
        let path = self.path("Principal");
        match self.map.get("Principal")? {
            Value::String(text) => (text == "*").then_some(path),
            Value::Object(map) => {
                let path = path.join("AWS");
                let all = self.texts_at(path, map.get("AWS")?).into_iter();
                all.filter(|(_, text)| matches!(text, Text::Known("*")))
                    .map(|(path, _)| path)
                    .next()
            }
            _ => None,
        }
    }

    /// The entries of its `Condition`.
    pub(super) fn conditions(&self) -> Vec<Condition<'d>> {
        let at = self.path("Condition");
        let map = self.map.get("Condition").and_then(Value::as_object);
        let mut found = Vec::new();
        for (operator, keys) in map.into_iter().flatten() {
            for (key, value) in keys.as_object().into_iter().flatten() {
                let at = at.join(operator).join(key);
                let values = match value {
                    Value::Array(list) => list.iter().collect(),
                    one => vec![one],
                };
                let values = values.into_iter().filter(|value| !value.is_null());
                found.push(Condition {
                    operator,
                    key,
                    values: values.collect(),
                    at,
                });
            }
        }
        found
    }
}
