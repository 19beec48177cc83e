//! What AWS would refuse in a policy document, reported before any call.

use super::policy_grammar::STATEMENT_KEYS;
use crate::data::{Data, Path};
use crate::nearest::nearest;
use crate::resource::{Broken, Rules};
use serde_json::{Map, Value};

/// What a policy is attached to; it decides what its statements must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A role's trust policy: who may assume it.
    Trust,
    /// A policy of a user, group or role: what it may do.
    Identity,
    /// A policy of a resource, such as a queue: who may do what to it.
    Resource,
}

const DOCUMENT_KEYS: &[&str] = &["Version", "Id", "Statement"];

/// Checks the policy at `path` of the properties; nothing is said where it is absent or wholly
/// unknown. `longest` is the quota in characters, white space excluded.
pub fn rules(rules: &Rules<'_>, path: &Path, kind: Kind, longest: usize) -> Vec<Broken> {
    let Some(data) = rules.props.get(path) else {
        return Vec::new();
    };
    if data.unknown_at(&Path::root()).is_some() || data.value.is_null() {
        return Vec::new();
    }
    let mut check = Check {
        at: path,
        kind,
        document: &data,
        as_text: data.value.is_string(),
        broken: Vec::new(),
    };
    match &data.value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(parsed) => check.document(&parsed),
            Err(error) => check.say(
                "SK0501",
                &Path::root(),
                format!("The policy is not JSON: {error}. Write it as YAML, or as a JSON string."),
            ),
        },
        value => check.document(value),
    }
    check.size(longest);
    check.broken
}

/// The element that a name which is none is likely meant to be.
fn meant<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    nearest(key, known.iter().copied()).filter(|_| !known.contains(&key))
}

struct Check<'a> {
    at: &'a Path,
    kind: Kind,
    document: &'a Data,
    /// Given as a string: an error cannot point at a place inside it.
    as_text: bool,
    broken: Vec<Broken>,
}

impl Check<'_> {
    fn say(&mut self, code: &'static str, inside: &Path, message: impl Into<String>) {
        let path = if self.as_text {
            self.at.clone()
        } else {
            self.at.concat(inside)
        };
        self.broken.push(Broken::new(path, message).code(code));
    }

    fn is_unknown(&self, inside: &Path) -> bool {
        !self.as_text && self.document.unknown_at(inside).is_some()
    }

    fn document(&mut self, value: &Value) {
        let root = Path::root();
        let Value::Object(map) = value else {
            self.say(
                "SK0501",
                &root,
                "A policy is an object with Version and Statement.",
            );
            return;
        };
        self.keys(&root, map, DOCUMENT_KEYS, "a policy");
        if let Some(version) = map.get("Version")
            && !self.is_unknown(&root.join("Version"))
            && !matches!(version.as_str(), Some("2012-10-17" | "2008-10-17"))
        {
            self.say("SK0503", 
                &root.join("Version"),
                "The Version of a policy is \"2012-10-17\" (or the older \"2008-10-17\"), in quotes.",
            );
        }
        let at = root.join("Statement");
        match map.get("Statement") {
            _ if self.is_unknown(&at) => {}
            Some(Value::Array(list)) if !list.is_empty() => {
                for (index, statement) in list.iter().enumerate() {
                    self.statement(&at.join(index), statement);
                }
            }
            Some(one @ Value::Object(_)) => self.statement(&at, one),
            None if map
                .keys()
                .any(|key| meant(key, DOCUMENT_KEYS) == Some("Statement")) => {}
            _ => self.say("SK0504", &root, "The policy has no Statement."),
        }
    }

    fn keys(&mut self, at: &Path, map: &Map<String, Value>, known: &[&str], of: &str) {
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            self.say(
                "SK0502",
                &at.join(key),
                format!("\"{key}\" is not an element of {of}"),
            );
            let help = match meant(key, known) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("it has {}", known.join(", ")),
            };
            if let Some(last) = self.broken.pop() {
                let last = if self.as_text { last } else { last.on_key() };
                self.broken.push(last.help(Some(help)));
            }
        }
    }

    fn statement(&mut self, at: &Path, value: &Value) {
        if self.is_unknown(at) {
            return;
        }
        let Value::Object(map) = value else {
            self.say(
                "SK0504",
                at,
                "A statement is an object with Effect, Action and so on.",
            );
            return;
        };
        self.keys(at, map, STATEMENT_KEYS, "a statement");
        let effect_meant = || {
            map.keys()
                .any(|key| meant(key, STATEMENT_KEYS) == Some("Effect"))
        };
        if !self.is_unknown(&at.join("Effect"))
            && (map.contains_key("Effect") || !effect_meant())
            && !matches!(
                map.get("Effect").and_then(Value::as_str),
                Some("Allow" | "Deny")
            )
        {
            self.say(
                "SK0505",
                at,
                "The statement needs an Effect: \"Allow\" or \"Deny\".",
            );
        }
        self.one_of(at, map, "Action", "NotAction");
        match self.kind {
            Kind::Trust => {
                self.principal(at, map);
                self.refuse(
                    at,
                    map,
                    &["Resource", "NotResource"],
                    "an assume-role policy: the role itself is meant",
                );
            }
            Kind::Identity => {
                self.one_of(at, map, "Resource", "NotResource");
                self.refuse(
                    at,
                    map,
                    &["Principal", "NotPrincipal"],
                    "the policy of an identity: who it is attached to is the principal",
                );
            }
            Kind::Resource => self.principal(at, map),
        }
    }

    fn one_of(&mut self, at: &Path, map: &Map<String, Value>, this: &str, or_that: &str) {
        let code = if this == "Action" { "SK0506" } else { "SK0507" };
        match (self.has(at, map, this), self.has(at, map, or_that)) {
            (false, false) => self.say(code, at, format!("The statement has no {this}.")),
            (true, true) => self.say(
                code,
                at,
                format!("The statement has both {this} and {or_that}: it takes one of them."),
            ),
            _ => {}
        }
    }

    fn principal(&mut self, at: &Path, map: &Map<String, Value>) {
        if !self.has(at, map, "Principal") && !self.has(at, map, "NotPrincipal") {
            self.say(
                "SK0508",
                at,
                "The statement has no Principal: it does not say who is meant.",
            );
        } else if let Some(Value::String(text)) = map.get("Principal")
            && text != "*"
            && !self.is_unknown(&at.join("Principal"))
        {
            self.say(
                "SK0508",
                &at.join("Principal"),
                "A Principal is \"*\", or an object such as {Service: lambda.amazonaws.com}.",
            );
        }
    }

    fn refuse(&mut self, at: &Path, map: &Map<String, Value>, names: &[&str], place: &str) {
        for name in names.iter().filter(|name| map.contains_key(**name)) {
            self.say(
                "SK0509",
                &at.join(name),
                format!("{name} has no place in {place}."),
            );
        }
    }

    /// Whether the element exists: unknown counts, an empty list or string does not.
    fn has(&self, at: &Path, map: &Map<String, Value>, name: &str) -> bool {
        // One that is misspelt was reported.
        let misspelt = || {
            map.keys()
                .any(|key| meant(key, STATEMENT_KEYS) == Some(name))
        };
        if !map.contains_key(name) {
            return misspelt();
        }
        map.get(name).is_some_and(|value| {
            self.is_unknown(&at.join(name))
                || match value {
                    Value::Null => false,
                    Value::String(text) => !text.is_empty(),
                    Value::Array(list) => !list.is_empty(),
                    Value::Object(map) => !map.is_empty(),
                    _ => true,
                }
        })
    }

    fn size(&mut self, longest: usize) {
        if !self.document.is_known() {
            return;
        }
        let text = match &self.document.value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let length = text.chars().filter(|c| !c.is_whitespace()).count();
        if length > longest {
            self.say("SK0510", 
                &Path::root(),
                format!("The policy has {length} characters; AWS takes {longest}, white space not counted."),
            );
        }
        let foreign = text
            .chars()
            .find(|c| !matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FF}'));
        if self.kind != Kind::Resource
            && let Some(c) = foreign
        {
            self.say(
                "SK0511",
                &Path::root(),
                format!(
                    "The policy holds the character {c:?}; IAM takes no characters beyond U+00FF."
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(props: &Data, kind: Kind) -> Vec<(String, String)> {
        let broken = rules(
            &Rules {
                props,
                peer: &|_| None,
            },
            &Path::pointer("/policy"),
            kind,
            2_000,
        );
        broken
            .into_iter()
            .map(|broken| (broken.path.to_string(), broken.message))
            .collect()
    }

    fn policy(value: Value) -> Data {
        Data::from(json!({"policy": value}))
    }

    fn statement(value: Value) -> Data {
        policy(json!({"Version": "2012-10-17", "Statement": [value]}))
    }

    #[track_caller]
    fn one(props: &Data, kind: Kind, path: &str, part: &str) {
        let said = said(props, kind);
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0].0, path);
        assert!(said[0].1.contains(part), "{said:?}");
    }

    #[test]
    fn sound_documents_pass() {
        let trust = json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
        assert_eq!(said(&statement(trust.clone()), Kind::Trust), []);
        let text = json!({"Version": "2012-10-17", "Statement": trust}).to_string();
        assert_eq!(said(&policy(json!(text)), Kind::Trust), []);
        let identity = json!({"Effect": "Allow", "Action": ["sqs:*"], "Resource": "*"});
        assert_eq!(said(&statement(identity), Kind::Identity), []);
        assert_eq!(said(&Data::from(json!({})), Kind::Identity), []);
    }

    #[test]
    fn unknown_parts_are_let_pass() {
        let mut props = statement(json!({"Effect": "Allow", "Action": "sqs:*", "Resource": null}));
        props.set(
            &Path::pointer("/policy/Statement/0/Resource"),
            Data::unknown("${queue.arn}"),
        );
        assert_eq!(said(&props, Kind::Identity), []);
        props.set(&Path::pointer("/policy"), Data::unknown("${x.y}"));
        assert_eq!(said(&props, Kind::Identity), []);
    }

    #[test]
    fn a_trust_policy_names_a_principal() {
        let no_principal = json!({"Effect": "Allow", "Action": "sts:AssumeRole"});
        one(
            &statement(no_principal),
            Kind::Trust,
            "policy.Statement[0]",
            "no Principal",
        );
        let bare = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "lambda"});
        one(
            &statement(bare),
            Kind::Trust,
            "policy.Statement[0].Principal",
            "object such as",
        );
        let text = policy(json!("{\"Version\": \"2012-10-17\""));
        one(&text, Kind::Trust, "policy", "not JSON");
    }

    #[test]
    fn an_identity_policy_says_what_and_where() {
        let nothing = policy(json!({"Version": "2012-10-17"}));
        one(&nothing, Kind::Identity, "policy", "no Statement");
        let unquoted = json!({"Version": "2012-10-18", "Statement": {"Effect": "Allow", "Action": "a:b", "Resource": "*"}});
        one(
            &policy(unquoted),
            Kind::Identity,
            "policy.Version",
            "2012-10-17",
        );
        let no_resource = json!({"Effect": "Allow", "Action": "a:b"});
        one(
            &statement(no_resource),
            Kind::Identity,
            "policy.Statement[0]",
            "no Resource",
        );
        let typo = json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Actions": "x"});
        one(
            &statement(typo),
            Kind::Identity,
            "policy.Statement[0].Actions",
            "not an element",
        );
        let effect = json!({"Effect": "allow", "Action": "a:b", "Resource": "*"});
        one(
            &statement(effect),
            Kind::Identity,
            "policy.Statement[0]",
            "Effect",
        );
        let both = json!({"Effect": "Allow", "Action": "a:b", "NotAction": "b", "Resource": "*"});
        one(
            &statement(both),
            Kind::Identity,
            "policy.Statement[0]",
            "both",
        );
    }

    #[test]
    fn size_and_characters_are_checked() {
        let long = json!({"Effect": "Allow", "Action": "a:b", "Resource": "x".repeat(2_000)});
        one(&statement(long), Kind::Identity, "policy", "characters");
        let foreign = json!({"Effect": "Allow", "Action": "a:b", "Resource": "\u{2013}"});
        one(&statement(foreign), Kind::Identity, "policy", "U+00FF");
    }
}
