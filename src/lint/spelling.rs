//! The two spellings of a type: stackctl's own (`aws:sqs:Queue`, camelCase, the names of the Pulumi
//! provider) and CloudFormation's (`AWS::SQS::Queue`, PascalCase, the names of its registry). Rules
//! are written in the first.

use crate::data::{Data, Path};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A CloudFormation type, its twin, and the properties that are not only spelt in another way. A
/// name stands for the property at any depth; an empty twin means that the members of the structure
/// stand beside it.
type Twin = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const TWINS: &[Twin] = &[
    ("AWS::ApiGatewayV2::Api", "aws:apigatewayv2:Api", &[]),
    (
        "AWS::ApiGatewayV2::Deployment",
        "aws:apigatewayv2:Deployment",
        &[],
    ),
    (
        "AWS::ApiGatewayV2::Integration",
        "aws:apigatewayv2:Integration",
        &[("TimeoutInMillis", "timeoutMilliseconds")],
    ),
    ("AWS::ApiGatewayV2::Route", "aws:apigatewayv2:Route", &[]),
    (
        "AWS::ApiGatewayV2::Stage",
        "aws:apigatewayv2:Stage",
        &[("StageName", "name")],
    ),
    (
        "AWS::IAM::ManagedPolicy",
        "aws:iam:Policy",
        &[("ManagedPolicyName", "name"), ("PolicyDocument", "policy")],
    ),
    (
        "AWS::IAM::Role",
        "aws:iam:Role",
        &[
            ("RoleName", "name"),
            ("AssumeRolePolicyDocument", "assumeRolePolicy"),
            ("Policies", "inlinePolicies"),
            ("PolicyName", "name"),
            ("PolicyDocument", "policy"),
        ],
    ),
    (
        "AWS::IAM::RolePolicy",
        "aws:iam:RolePolicy",
        &[
            ("RoleName", "role"),
            ("PolicyName", "name"),
            ("PolicyDocument", "policy"),
        ],
    ),
    (
        "AWS::Lambda::EventSourceMapping",
        "aws:lambda:EventSourceMapping",
        &[],
    ),
    (
        "AWS::Lambda::Function",
        "aws:lambda:Function",
        // Both are code that the file has.
        &[
            ("FunctionName", "name"),
            ("Code", ""),
            ("ZipFile", "filename"),
        ],
    ),
    (
        "AWS::Lambda::Permission",
        "aws:lambda:Permission",
        &[("FunctionName", "function")],
    ),
    (
        "AWS::Logs::LogGroup",
        "aws:cloudwatch:LogGroup",
        &[("LogGroupName", "name")],
    ),
    (
        "AWS::S3::Bucket",
        "aws:s3:Bucket",
        &[("BucketName", "bucket")],
    ),
    (
        "AWS::S3::BucketPolicy",
        "aws:s3:BucketPolicy",
        &[("PolicyDocument", "policy")],
    ),
    (
        "AWS::SNS::Subscription",
        "aws:sns:TopicSubscription",
        &[("TopicArn", "topic")],
    ),
    ("AWS::SNS::Topic", "aws:sns:Topic", &[("TopicName", "name")]),
    (
        "AWS::SQS::Queue",
        "aws:sqs:Queue",
        &[
            ("QueueName", "name"),
            ("VisibilityTimeout", "visibilityTimeoutSeconds"),
            ("MessageRetentionPeriod", "messageRetentionSeconds"),
            ("MaximumMessageSize", "maxMessageSize"),
            ("ReceiveMessageWaitTimeSeconds", "receiveWaitTimeSeconds"),
        ],
    ),
    (
        "AWS::SQS::QueuePolicy",
        "aws:sqs:QueuePolicy",
        &[("PolicyDocument", "policy")],
    ),
];

/// The properties whose members have names of their own: documents, and maps of the user's keys.
const OPAQUE: &[&str] = &[
    "assumeRolePolicy",
    "body",
    "deliveryPolicy",
    "filterPolicy",
    "policy",
    "redriveAllowPolicy",
    "redrivePolicy",
    "requestModels",
    "requestParameters",
    "requestTemplates",
    "stageVariables",
    "tags",
    "triggers",
    "variables",
];

/// The properties of a resource under the names of its twin.
#[derive(Debug)]
pub struct Spelling {
    /// The properties.
    pub props: Data,
    twin: &'static Twin,
    /// Where each part stands in the file.
    in_file: BTreeMap<Path, Path>,
}

/// The twin of a CloudFormation type, and the properties under its names.
pub(super) fn of(type_name: &str, props: &Data) -> Option<(&'static str, Spelling)> {
    if !type_name.starts_with("AWS::") {
        return None;
    }
    let twin = TWINS.iter().find(|(name, ..)| *name == type_name)?;
    let mut spelling = Spelling {
        props: Data::default(),
        twin,
        in_file: BTreeMap::new(),
    };
    let root = Path::root();
    let value = spelling.respelt(&props.value, &root, &root, false);
    let mut data = Data::from(value);
    let to_twin: BTreeMap<&Path, &Path> = spelling
        .in_file
        .iter()
        .map(|(twin, file)| (file, twin))
        .collect();
    let there = |path: &Path| to_twin.get(path).copied().cloned();
    for (path, text) in &props.unknown {
        let path = there(path).unwrap_or_else(|| path.clone());
        data.unknown.insert(path, text.clone());
    }
    data.secret = props
        .secret
        .iter()
        .map(|path| there(path).unwrap_or_else(|| path.clone()))
        .collect();
    spelling.props = data;
    Some((twin.1, spelling))
}

impl Spelling {
    fn name(&self, key: &str) -> String {
        let renamed = self.twin.2.iter().find(|(name, _)| *name == key);
        renamed.map_or_else(|| lower(key), |(_, name)| (*name).to_owned())
    }

    fn respelt(&mut self, value: &Value, file: &Path, twin: &Path, is_opaque: bool) -> Value {
        self.in_file.insert(twin.clone(), file.clone());
        match value {
            Value::Object(map) => {
                let mut out = Map::new();
                for (key, value) in map {
                    let name = match is_opaque {
                        true => key.clone(),
                        false => self.name(key),
                    };
                    let inner = file.join(key);
                    if name.is_empty() {
                        // Its members stand beside it.
                        if let Value::Object(members) = self.respelt(value, &inner, twin, false) {
                            out.extend(members);
                        }
                        self.in_file.insert(twin.clone(), file.clone());
                        continue;
                    }
                    let is_opaque = is_opaque || OPAQUE.contains(&name.as_str());
                    let at = twin.join(&name);
                    let value = self.respelt(value, &inner, &at, is_opaque);
                    out.insert(name, value);
                }
                Value::Object(out)
            }
            Value::Array(list) => {
                let items = list.iter().enumerate();
                items
                    .map(|(at, item)| self.respelt(item, &file.join(at), &twin.join(at), is_opaque))
                    .collect()
            }
            other => other.clone(),
        }
    }

    /// Where a property stands in the file.
    pub(super) fn path(&self, twin: &Path) -> Path {
        if let Some(found) = self.in_file.get(twin) {
            return found.clone();
        }
        match (twin.parent(), twin.last()) {
            (Some(parent), Some(last)) => self.path(&parent).join(self.file_name(&last)),
            _ => twin.clone(),
        }
    }

    /// The name of a property in the file.
    fn file_name(&self, name: &str) -> String {
        let renamed = self.twin.2.iter().find(|(_, twin)| *twin == name);
        renamed.map_or_else(|| upper(name), |(name, _)| (*name).to_owned())
    }

    /// A message with the names of the file: words such as `fifoQueue` are names of properties, and
    /// so is `filename`, which no sentence has for anything else.
    pub(super) fn words(&self, message: &str) -> String {
        let mut out = String::with_capacity(message.len());
        let is_word = |c: char| c.is_ascii_alphanumeric() || "_-/:.$\"".contains(c);
        for part in message.split_inclusive(|c: char| !is_word(c)) {
            let word = part.trim_end_matches(|c: char| !is_word(c) || ".:".contains(c));
            let is_name = word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.contains(|c: char| c.is_ascii_uppercase())
                && word.chars().all(|c| c.is_ascii_alphanumeric());
            match is_name || word == "filename" {
                true => out.push_str(&self.file_name(word)),
                false => out.push_str(word),
            }
            out.push_str(&part[word.len()..]);
        }
        out
    }
}

fn lower(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn upper(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The CloudFormation type of a twin, and its properties under the names of that: for tests.
#[cfg(test)]
pub(super) fn to_cloudformation(twin: &str, props: &Value) -> Option<(&'static str, Value)> {
    let found = TWINS.iter().find(|(_, name, _)| *name == twin)?;
    let spelling = Spelling {
        props: Data::default(),
        twin: found,
        in_file: BTreeMap::new(),
    };
    fn out(spelling: &Spelling, value: &Value, is_opaque: bool) -> Value {
        match value {
            Value::Object(map) => {
                let members = map.iter().map(|(key, value)| {
                    let is_opaque_below = is_opaque || OPAQUE.contains(&key.as_str());
                    let name = match is_opaque {
                        true => key.clone(),
                        false => spelling.file_name(key),
                    };
                    (name, out(spelling, value, is_opaque_below))
                });
                members.collect()
            }
            Value::Array(list) => list
                .iter()
                .map(|item| out(spelling, item, is_opaque))
                .collect(),
            other => other.clone(),
        }
    }
    Some((found.0, out(&spelling, props, false)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_twin_is_read_under_stackctls_names() {
        let mut props = Data::from(json!({
            "FunctionName": "f", "Code": {"S3Bucket": "b", "S3Key": null},
            "Environment": {"Variables": {"Stage": "x"}},
        }));
        props.set(&Path::pointer("/Code/S3Key"), Data::unknown("${k.v}"));
        let (twin, spelling) = of("AWS::Lambda::Function", &props).unwrap();
        assert_eq!(twin, "aws:lambda:Function");
        assert_eq!(
            spelling.props.value,
            json!({"name": "f", "s3Bucket": "b", "s3Key": null,
                "environment": {"variables": {"Stage": "x"}}})
        );
        let unknown = spelling.props.unknown_at(&Path::pointer("/s3Key"));
        assert_eq!(unknown, Some("${k.v}"));
        let path = |twin: &str| spelling.path(&Path::dotted(twin)).to_string();
        assert_eq!(path("s3Bucket"), "Code.S3Bucket");
        assert_eq!(
            path("environment.variables.Stage"),
            "Environment.Variables.Stage"
        );
        assert_eq!(path("timeout"), "Timeout");
        assert_eq!(
            spelling.words("Set memorySize: 5, or take s3Key out of it."),
            "Set MemorySize: 5, or take S3Key out of it."
        );
        assert!(of("AWS::Other::Thing", &props).is_none());
    }
}
