//! The actions of statements, and whether they fit what they are about. SK054x.

use super::facts::{Facts, Resource};
use super::policies::{Statement, TYPES, Text};
use super::rule::Rule;
use crate::nearest::nearest;
use crate::resource::aws::policy_check::Kind;
use crate::resource::aws::policy_grammar::matches_action;
use crate::schema::broken::Broken;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub(super) const RULES: &[Rule] = &[
    Rule::error("SK0541", "An action is SERVICE:NAME")
        .why("IAM refuses an action without the service and a colon, * aside (IAM user guide, \"IAM JSON policy elements: Action\").")
        .fix("write the service in front, as in sqs:SendMessage")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: SendMessage, Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}]"#,
        )
        .of(TYPES, form),
    Rule::warning("SK0542", "The service of an action exists")
        .why("IAM accepts an unknown service prefix, and the statement has no effect (service authorization reference; the list is cfn-lint's of 1.58).")
        .fix("write the prefix that the service authorization reference gives")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqss:SendMessage", Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}]"#,
        )
        .of(TYPES, services),
    Rule::warning("SK0543", "An action exists")
        .why("IAM accepts an action that its service does not have, or a pattern that matches none, and the statement has no effect (service authorization reference; the lists are cfn-lint's of 1.58).")
        .fix("write the name that the service authorization reference gives")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMesage", Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:Send*", Resource: "*"}]"#,
        )
        .of(TYPES, actions),
    Rule::warning("SK0544", "A statement's actions and resources are of one service")
        .why("A statement whose actions are all of other services than a resource has no effect for it (IAM user guide, \"IAM JSON policy elements: Resource\").")
        .fix("name a resource of the actions' service")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {}}
p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sns:Publish", Resource: "${q.arn}"}]"#,
            r#"q: {type: "aws:sqs:Queue", properties: {}}
p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "${q.arn}"}]"#,
        )
        .of(TYPES, same_service),
    Rule::error("SK0545", "A trust policy is about assuming the role")
        .why("IAM refuses a trust policy with actions of other services than sts (IAM error \"AssumeRole policy may only specify STS AssumeRole actions\").")
        .fix("write sts:AssumeRole; what the role may do stands in its other policies")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "lambda:InvokeFunction"}]"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]"#,
        )
        .of(&["aws:iam:Role"], trust_actions),
    Rule::warning("SK0546", "A federated identity assumes with its own action")
        .why("An identity of OpenID Connect assumes a role with sts:AssumeRoleWithWebIdentity, one of SAML with sts:AssumeRoleWithSAML; sts:AssumeRole alone never applies to it (IAM user guide, \"Create a role for a third-party identity provider\").")
        .fix("use sts:AssumeRoleWithWebIdentity or sts:AssumeRoleWithSAML")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Federated: "arn:aws:iam::${data.caller.accountId}:oidc-provider/token.example.com"}, Action: "sts:AssumeRole"}]"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Federated: "arn:aws:iam::${data.caller.accountId}:oidc-provider/token.example.com"}, Action: "sts:AssumeRoleWithWebIdentity", Condition: {StringEquals: {"token.example.com:aud": sts.amazonaws.com}}}]"#,
        )
        .of(&["aws:iam:Role"], federated),
    Rule::warning("SK0547", "Writing to a log group is about its streams")
        .why("The output arn of a log group ends in the group's name; logs:CreateLogStream and logs:PutLogEvents are about `ARN:*` (CloudWatch Logs user guide, \"Resources and operations\").")
        .fix("add :* to the ARN, as in ${group.arn}:*")
        .examples(
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {retentionInDays: 7}}
p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: "${g.arn}"}]"#,
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {retentionInDays: 7}}
p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: "${g.arn}:*"}]"#,
        )
        .of(TYPES, log_streams),
    Rule::warning("SK0548", "Actions on objects are about objects")
        .why("s3:GetObject and its like are about the objects, `ARN/*`; with the ARN of the bucket alone the statement has no effect for them (S3 user guide, \"Policy resources for Amazon S3\").")
        .fix("add /* to the ARN, as in ${bucket.arn}/*")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "${b.arn}"}]"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "${b.arn}/*"}]"#,
        )
        .of(TYPES, objects),
    Rule::warning("SK0549", "Actions on buckets are about buckets")
        .why("s3:ListBucket and its like are about the bucket; with the ARN of its objects alone the statement has no effect for them (S3 user guide, \"Policy resources for Amazon S3\").")
        .fix("name the bucket's ARN, as in ${bucket.arn}")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "s3:ListBucket", Resource: "${b.arn}/*"}]"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "s3:ListBucket", Resource: "${b.arn}"}]"#,
        )
        .of(TYPES, buckets),
    Rule::warning("SK0550", "The policy of a resource has actions of its service")
        .why("A queue's policy is about sqs:, a topic's about sns:, a bucket's about s3:; SNS and S3 refuse other actions, and elsewhere they have no effect (SNS error \"Policy statement action out of service scope\").")
        .fix("write actions of the resource's own service")
        .examples(
            r#"q:
  type: aws:sqs:Queue
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sns:Publish", Resource: "*"}]"#,
            r#"q:
  type: aws:sqs:Queue
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: "*"}]"#,
        )
        .of(TYPES, own_actions),
];

/// The services that actions can name.
static SERVICES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("data/services.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).collect()
});

/// The actions of some services.
static ACTIONS: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let lines = include_str!("data/actions.txt").lines();
    let all = lines.filter_map(|line| line.split_once(": "));
    all.map(|(service, names)| (service, names.split_whitespace().collect()))
        .collect()
});

/// The known actions of a statement with their paths, split at the colon; `*` is none.
fn named<'d>(statement: &Statement<'d>) -> Vec<(crate::data::Path, &'d str, &'d str)> {
    let both = ["Action", "NotAction"].into_iter();
    let all = both.flat_map(|name| statement.known(name));
    all.filter_map(|(path, text)| {
        let (service, name) = text.split_once(':')?;
        Some((path, service, name))
    })
    .collect()
}

fn form(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            for name in ["Action", "NotAction"] {
                for (path, text) in statement.known(name) {
                    if text != "*" && !text.contains(':') && !text.is_empty() {
                        let message = format!("The action {text:?} names no service.");
                        broken.push(document.broken(&path, message));
                    }
                }
            }
        }
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn services(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            for (path, service, _) in named(&statement) {
                let lower = service.to_ascii_lowercase();
                if is_pattern(service) || SERVICES.contains(lower.as_str()) {
                    continue;
                }
                let message = format!("{service:?} is not a service that stackctl knows.");
                let near = nearest(&lower, SERVICES.iter().copied());
                let help = near.map(|near| format!("did you mean \"{near}\"?"));
                broken.push(document.broken(&path, message).help(help));
            }
        }
    }
}

fn actions(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            for (path, service, name) in named(&statement) {
                let Some(known) = ACTIONS.get(service.to_ascii_lowercase().as_str()) else {
                    continue;
                };
                if known.iter().any(|known| matches_action(name, known)) {
                    continue;
                }
                let message = match is_pattern(name) {
                    true => format!("No action of {service} has the form {name:?}."),
                    false => format!("{service} has no action {name:?} that stackctl knows."),
                };
                let near = nearest(name, known.iter().copied());
                let help = near.map(|near| format!("did you mean \"{service}:{near}\"?"));
                broken.push(document.broken(&path, message).help(help));
            }
        }
    }
}

/// The service of a resource: of the ARN as written, or of the resource that it refers to.
fn service_of(
    facts: &Facts<'_>,
    resource: &Resource<'_>,
    (document, path): (&super::policies::Document, &crate::data::Path),
    text: Text<'_>,
) -> Option<String> {
    match text {
        Text::Known(text) => {
            let service = text.strip_prefix("arn:")?.split(':').nth(1)?;
            (!is_pattern(service)).then(|| service.to_owned())
        }
        Text::Unknown(text) => {
            if let Some(rest) = text.strip_prefix("arn:") {
                // The part behind the partition, which may be an expression.
                let end = if rest.starts_with("${") { "}:" } else { ":" };
                let (_, rest) = rest.split_once(end)?;
                let service = rest.split(':').next()?;
                return (!is_pattern(service) && !service.contains('$'))
                    .then(|| service.to_owned());
            }
            let is_arn = text.starts_with("${") && text.to_ascii_lowercase().contains("arn");
            let peer = facts
                .peer(resource, &document.path(path))
                .filter(|_| is_arn)?;
            let service = match peer.type_name {
                "aws:cloudwatch:LogGroup" => "logs",
                // The ARN of what an API executes is one of execute-api.
                name if name.contains("apigateway") => return None,
                name => name.strip_prefix("aws:")?.split(':').next()?,
            };
            Some(service.to_owned())
        }
    }
}

fn same_service(facts: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in resource
        .documents
        .iter()
        .filter(|one| one.kind == Kind::Identity)
    {
        for statement in document.statements() {
            let names = named(&statement);
            let count = statement.texts("Action").len();
            if statement.has("NotAction") || names.len() != count || count == 0 {
                continue;
            }
            let services: BTreeSet<String> = names
                .iter()
                .map(|(_, service, _)| service.to_ascii_lowercase())
                .collect();
            if services.iter().any(|service| is_pattern(service)) {
                continue;
            }
            for (path, text) in statement.texts("Resource") {
                let Some(service) = service_of(facts, resource, (document, &path), text) else {
                    continue;
                };
                // Some actions are about resources of other services; these are those of the
                // native types alone.
                let is_native =
                    |name: &str| ["iam", "lambda", "logs", "s3", "sns", "sqs"].contains(&name);
                if is_native(&service)
                    && services.iter().all(|other| is_native(other))
                    && !services.contains(&service)
                {
                    let all: Vec<&str> = services.iter().map(String::as_str).collect();
                    let message = format!(
                        "The actions are those of {}, and this is a resource of {service}.",
                        all.join(" and ")
                    );
                    broken.push(document.broken(&path, message));
                }
            }
        }
    }
}

fn trust_actions(_: &Facts<'_>, role: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in role.documents.iter().filter(|one| one.kind == Kind::Trust) {
        for statement in document.statements() {
            for (path, service, name) in named(&statement) {
                if !service.eq_ignore_ascii_case("sts") {
                    let message =
                        format!("A trust policy takes actions of sts, not {service}:{name}.");
                    broken.push(document.broken(&path, message));
                }
            }
        }
    }
}

fn federated(_: &Facts<'_>, role: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in role.documents.iter().filter(|one| one.kind == Kind::Trust) {
        for statement in document.statements() {
            let principal = statement
                .map
                .get("Principal")
                .and_then(|all| all.as_object());
            let only = principal.is_some_and(|map| map.len() == 1 && map.contains_key("Federated"));
            let names = named(&statement);
            let assumes = |(_, _, name): &(_, _, &str)| {
                !(matches_action(name, "AssumeRoleWithWebIdentity")
                    || matches_action(name, "AssumeRoleWithSAML"))
            };
            if only
                && !names.is_empty()
                && statement.is_known("Action")
                && names.iter().all(assumes)
            {
                let message = "A federated identity does not assume a role with this action.";
                broken.push(document.broken(&statement.path("Action"), message));
            }
        }
    }
}

/// Whether an expression is the output `arn` of a resource and nothing else.
fn is_whole_arn(text: &str) -> bool {
    let inner = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| {
        let lower = inner.trim().to_ascii_lowercase();
        lower.ends_with(".arn") && !inner.contains('}')
    })
}

fn log_streams(facts: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements().iter().filter(|one| one.allows()) {
            let writes = named(statement).iter().any(|(_, service, name)| {
                let lower = name.to_ascii_lowercase();
                service.eq_ignore_ascii_case("logs")
                    && matches!(&*lower, "createlogstream" | "putlogevents")
            });
            let all = statement.texts("Resource");
            for (path, text) in &all {
                let Text::Unknown(text) = text else {
                    continue;
                };
                let group = facts.peer(resource, &document.path(path));
                let is_group =
                    group.is_some_and(|group| group.type_name == "aws:cloudwatch:LogGroup");
                // CloudFormation's own ARN ends in `:*`.
                let is_native = group.is_some_and(|group| !group.is_twin());
                let others = all.iter().any(
                    |(_, other)| matches!(other, Text::Unknown(other) if other.ends_with(":*")),
                );
                if writes && is_group && is_native && is_whole_arn(text) && !others {
                    let message = "The ARN is that of the group; its streams are meant.";
                    broken.push(document.broken(path, message));
                }
            }
        }
    }
}

/// The actions about objects.
const OF_OBJECTS: &[&str] = &[
    "AbortMultipartUpload",
    "DeleteObject",
    "DeleteObjectVersion",
    "GetObject",
    "GetObjectAcl",
    "GetObjectTagging",
    "GetObjectVersion",
    "PutObject",
    "PutObjectAcl",
    "PutObjectTagging",
    "RestoreObject",
];

/// The actions about buckets.
const OF_BUCKETS: &[&str] = &[
    "DeleteBucket",
    "GetBucketAcl",
    "GetBucketLocation",
    "GetBucketPolicy",
    "GetBucketVersioning",
    "ListBucket",
    "ListBucketMultipartUploads",
    "ListBucketVersions",
    "PutBucketPolicy",
];

/// Whether all actions of a statement are known and among these of S3.
fn are_all(statement: &Statement<'_>, among: &[&str]) -> bool {
    let names = named(statement);
    let is_one = |(_, service, name): &(_, &str, &str)| {
        let known = among.iter().any(|known| known.eq_ignore_ascii_case(name));
        service.eq_ignore_ascii_case("s3") && known
    };
    !names.is_empty() && names.len() == statement.texts("Action").len() && names.iter().all(is_one)
}

/// Whether a resource is a bucket (`Some(true)`), objects of one, or neither for sure.
fn is_bucket(
    facts: &Facts<'_>,
    resource: &Resource<'_>,
    (document, path): (&super::policies::Document, &crate::data::Path),
    text: Text<'_>,
) -> Option<bool> {
    match text {
        Text::Known(text) => {
            let rest = text.split_once(":s3:::")?.1;
            (!rest.is_empty() && rest != "*").then(|| !rest.contains('/') && !rest.ends_with('*'))
        }
        Text::Unknown(text) => {
            let peer = facts.peer(resource, &document.path(path))?;
            if peer.type_name != "aws:s3:Bucket" {
                return None;
            }
            match (is_whole_arn(text), text.ends_with("/*")) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            }
        }
    }
}

fn objects(facts: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    of_s3(facts, resource, broken, (OF_OBJECTS, true));
}

fn buckets(facts: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    of_s3(facts, resource, broken, (OF_BUCKETS, false));
}

fn of_s3(
    facts: &Facts<'_>,
    resource: &Resource<'_>,
    broken: &mut Vec<Broken>,
    (among, wrong): (&[&str], bool),
) {
    for document in &resource.documents {
        for statement in document.statements() {
            if !are_all(&statement, among) {
                continue;
            }
            let all = statement.texts("Resource");
            let kinds: Vec<Option<bool>> = all
                .iter()
                .map(|(path, text)| is_bucket(facts, resource, (document, path), *text))
                .collect();
            if kinds.is_empty() || kinds.iter().any(|kind| *kind != Some(wrong)) {
                continue;
            }
            for (path, _) in all {
                let message = match wrong {
                    true => "The actions are about objects, and this is the bucket.",
                    false => "The actions are about the bucket, and these are its objects.",
                };
                broken.push(document.broken(&path, message));
            }
        }
    }
}

/// The service of the resources that have a policy.
const OWN: &[(&str, &str)] = &[
    ("AWS::KMS::Key", "kms"),
    ("AWS::SNS::TopicInlinePolicy", "sns"),
    ("AWS::SNS::TopicPolicy", "sns"),
    ("AWS::SQS::QueueInlinePolicy", "sqs"),
    ("AWS::SecretsManager::ResourcePolicy", "secretsmanager"),
    ("aws:s3:BucketPolicy", "s3"),
    ("aws:sns:Topic", "sns"),
    ("aws:sqs:Queue", "sqs"),
    ("aws:sqs:QueuePolicy", "sqs"),
];

fn own_actions(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    let own = OWN.iter().find(|(name, _)| *name == resource.type_name);
    let Some((_, own)) = own else {
        return;
    };
    for document in &resource.documents {
        for statement in document.statements() {
            for (path, service, name) in named(&statement) {
                if !service.eq_ignore_ascii_case(own) && !is_pattern(service) {
                    let message = format!("{service}:{name} is not an action of {own}.");
                    broken.push(document.broken(&path, message));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_read() {
        assert!(SERVICES.len() > 400 && SERVICES.contains("execute-api"));
        assert!(ACTIONS.len() > 15 && ACTIONS["sqs"].contains(&"SendMessage"));
        assert!(ACTIONS.keys().all(|service| SERVICES.contains(service)));
    }
}
