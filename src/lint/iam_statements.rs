//! Statements: their ids, what they are about, and the version of the language. SK052x.

use super::facts::{Facts, Resource};
use super::policies::TYPES;
use super::rule::Rule;
use crate::resource::aws::policy_check::Kind;
use crate::schema::broken::Broken;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) const RULES: &[Rule] = &[
    Rule::error("SK0521", "The ids of statements are unique")
        .why("IAM refuses a policy with two statements of one Sid (IAM user guide, \"IAM JSON policy elements: Sid\").")
        .fix("give each statement a Sid of its own, or none")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Sid: Send, Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}, {Sid: Send, Effect: Allow, Action: "sqs:ReceiveMessage", Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Sid: Send, Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}, {Sid: Receive, Effect: Allow, Action: "sqs:ReceiveMessage", Resource: "*"}]"#,
        )
        .of(TYPES, unique_sids),
    Rule::error("SK0522", "The id of a statement has letters and digits")
        .why("IAM takes ASCII letters and digits in a Sid (IAM user guide, \"IAM JSON policy elements: Sid\"); the policies of resources may take more.")
        .fix("take other characters out of the Sid")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Sid: send-orders, Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Sid: SendOrders, Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}]"#,
        )
        .of(TYPES, plain_sids),
    Rule::error("SK0523", "A resource is an ARN or *")
        .why("IAM refuses a Resource that is neither (IAM user guide, \"IAM JSON policy elements: Resource\").")
        .fix("write the ARN, as in ${queue.arn}")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: orders}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:aws:sqs:*:*:orders"}]"#,
        )
        .of(TYPES, arns),
    Rule::warning("SK0524", "Policy variables need the version of 2012")
        .why("In a policy of the version 2008-10-17, or of none, ${aws:username} is these characters and no variable (IAM user guide, \"IAM policy elements: Variables and tags\").")
        .fix("write Version: \"2012-10-17\"")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2008-10-17"
      Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::home/$${aws:username}/*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::home/$${aws:username}/*"}]"#,
        )
        .of(TYPES, variables),
    Rule::warning("SK0525", "A policy says its version")
        .why("A policy without Version is one of 2008-10-17, in which newer elements mean nothing (IAM user guide, \"IAM JSON policy elements: Version\").")
        .fix("add Version: \"2012-10-17\"")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        )
        .of(TYPES, versions),
    Rule::warning("SK0526", "An ARN has six parts")
        .why("An ARN is arn:partition:service:region:account:resource; one with fewer parts matches nothing (AWS general reference, \"Amazon Resource Names\").")
        .fix("write all six parts; region and account may be empty or *")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:aws:sqs:orders"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:aws:sqs:*:*:orders"}]"#,
        )
        .of(TYPES, parts),
    Rule::warning("SK0527", "The ARNs of IAM and of buckets have no region")
        .why("The region of an IAM ARN, and the region and account of a bucket's ARN, are empty; an ARN that has them matches nothing (IAM user guide, \"IAM identifiers\"; S3 user guide, \"Policy resources\").")
        .fix("leave the region empty, and the account of a bucket too")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:eu-central-1::orders/*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::orders/*"}]"#,
        )
        .of(TYPES, regions),
];

/// Whether IAM itself checks the policy.
fn is_of_iam(kind: Kind) -> bool {
    kind != Kind::Resource
}

fn unique_sids(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in resource.documents.iter().filter(|one| is_of_iam(one.kind)) {
        let mut seen = BTreeSet::new();
        for statement in document.statements() {
            let sid = statement.map.get("Sid").and_then(Value::as_str);
            if let Some(sid) = sid.filter(|sid| !sid.is_empty())
                && !seen.insert(sid)
            {
                let message = format!("The Sid {sid:?} is that of another statement too.");
                broken.push(document.broken(&statement.path("Sid"), message));
            }
        }
    }
}

fn plain_sids(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in resource.documents.iter().filter(|one| is_of_iam(one.kind)) {
        for statement in document.statements() {
            for (path, sid) in statement.known("Sid") {
                if !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
                    let message =
                        format!("The Sid {sid:?} has other characters than letters and digits.");
                    broken.push(document.broken(&path, message));
                }
            }
        }
    }
}

fn arns(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in resource.documents.iter().filter(|one| is_of_iam(one.kind)) {
        for statement in document.statements() {
            for name in ["Resource", "NotResource"] {
                for (path, text) in statement.known(name) {
                    let fits = text == "*" || text.starts_with("arn:") || text.starts_with("${");
                    if !fits && !text.is_empty() {
                        let message = format!("{text:?} is neither an ARN nor *.");
                        broken.push(document.broken(&path, message));
                    }
                }
            }
        }
    }
}

/// Whether a string has a policy variable.
fn has_variable(text: &str) -> bool {
    [
        "${aws:",
        "${s3:",
        "${iam:",
        "${saml:",
        "${cognito-identity",
        "${*}",
        "${?}",
        "${$}",
    ]
    .iter()
    .any(|variable| text.contains(variable))
}

fn variables(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        if document.version() == Some("2012-10-17") {
            continue;
        }
        for statement in document.statements() {
            for name in ["Resource", "NotResource"] {
                for (path, text) in statement.known(name) {
                    if has_variable(text) {
                        let message = "The policy's version has no variables: this is taken as it is written.";
                        broken.push(document.broken(&path, message));
                    }
                }
            }
        }
    }
}

fn versions(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        let statements = document.statements();
        if !document.has_version() && !statements.is_empty() {
            let message = "The policy has no Version, so it is one of 2008-10-17.";
            broken.push(
                document
                    .broken(&crate::data::Path::root(), message)
                    .on_key(),
            );
        }
    }
}

fn parts(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            for name in ["Resource", "NotResource"] {
                for (path, text) in statement.known(name) {
                    let colons = text.matches(':').count();
                    if text.starts_with("arn:") && colons < 5 && !text.contains('*') {
                        let message = format!("{text:?} has {} parts of an ARN's six.", colons + 1);
                        broken.push(document.broken(&path, message));
                    }
                }
            }
        }
    }
}

fn regions(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            for name in ["Resource", "NotResource"] {
                for (path, text) in statement.known(name) {
                    let parts: Vec<&str> = text.splitn(6, ':').collect();
                    let ["arn", _, service, region, account, rest] = parts[..] else {
                        continue;
                    };
                    let is_given = |part: &str| !part.is_empty() && part != "*";
                    let is_bucket = service == "s3"
                        && !["accesspoint", "job/", "storage-lens", "access-grants"]
                            .iter()
                            .any(|start| rest.starts_with(start));
                    let what = match service {
                        "iam" if is_given(region) => "an IAM ARN has no region",
                        "s3" if is_bucket && (is_given(region) || is_given(account)) => {
                            "a bucket's ARN has no region and no account"
                        }
                        _ => continue,
                    };
                    broken
                        .push(document.broken(&path, format!("{text:?} matches nothing: {what}.")));
                }
            }
        }
    }
}
