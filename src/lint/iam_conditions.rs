//! Conditions of statements. SK053x.

use super::facts::{Facts, Resource};
use super::policies::TYPES;
use super::rule::Rule;
use crate::nearest::nearest;
use crate::resource::aws::policy_grammar::{OPERATORS, is_operator, plain_operator};
use crate::schema::broken::Broken;
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    Rule::error("SK0531", "A condition has an operator that exists")
        .why("IAM refuses an unknown condition operator (IAM user guide, \"IAM JSON policy elements: Condition operators\").")
        .fix("write an operator of the list, such as StringEquals or ArnLike")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringEqual: {"aws:SourceAccount": "000000000000"}}}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {"aws:SourceAccount": "000000000000"}}}]"#,
        )
        .of(TYPES, operators),
    Rule::error("SK0532", "A condition is an object of operators, keys and values")
        .why("Condition has operators, each with condition keys, each with a value or a list of them (IAM user guide, \"Grammar of the IAM JSON policy language\").")
        .fix("write {StringEquals: {\"aws:SourceAccount\": \"…\"}}")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: "aws:SourceAccount"}}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {"aws:SourceAccount": "000000000000"}}}]"#,
        )
        .of(TYPES, structure),
    Rule::error("SK0533", "A condition key begins with its service")
        .why("A key is aws:KEY or SERVICE:KEY, and IAM refuses one without the colon (IAM user guide, \"IAM JSON policy elements: Condition\").")
        .fix("write the service in front, as in aws:SourceArn")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {SourceAccount: "000000000000"}}}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {"aws:SourceAccount": "000000000000"}}}]"#,
        )
        .of(TYPES, keys),
    Rule::warning("SK0534", "A global condition key exists")
        .why("A key of aws: that does not exist is never in a request, so the condition is never met, or always where it is negated (IAM user guide, \"AWS global condition context keys\").")
        .fix("write a key of the list")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {"aws:SourceAcount": "000000000000"}}}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {"aws:SourceAccount": "000000000000"}}}]"#,
        )
        .of(TYPES, global_keys),
    Rule::warning("SK0535", "A pattern is compared by an operator for patterns")
        .why("StringEquals and its like compare character by character: * and ? stand for themselves (IAM user guide, \"IAM JSON policy elements: Condition operators\").")
        .fix("use StringLike or ArnLike")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {"aws:PrincipalTag/team": "orders-*"}}}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {StringLike: {"aws:PrincipalTag/team": "orders-*"}}}]"#,
        )
        .of(TYPES, patterns),
    Rule::warning("SK0536", "ForAllValues with Allow is met by nothing at all")
        .why("ForAllValues is true where the key is missing from the request, so an Allow with it alone allows requests without the key (IAM user guide, \"Multivalued context keys\").")
        .fix("add a Null condition for the key, or use ForAnyValue")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:TagQueue", Resource: "*", Condition: {"ForAllValues:StringEquals": {"aws:TagKeys": [team]}}}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:TagQueue", Resource: "*", Condition: {"ForAllValues:StringEquals": {"aws:TagKeys": [team]}, "Null": {"aws:TagKeys": "false"}}}]"#,
        )
        .of(TYPES, for_all),
    Rule::warning("SK0537", "A value is of its operator's kind")
        .why("A Bool or Null is true or false, a Numeric a number, an IpAddress an address or a range; a comparison with anything else is never met (IAM user guide, \"IAM JSON policy elements: Condition operators\").")
        .fix("write a value that the operator compares")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {Bool: {"aws:SecureTransport": "yes"}}}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Condition: {Bool: {"aws:SecureTransport": "true"}}}]"#,
        )
        .of(TYPES, values),
];

/// The global condition keys; one with a slash goes on in a name of the user's (IAM user guide,
/// "AWS global condition context keys").
const GLOBAL_KEYS: &[&str] = &[
    "aws:AssumedRoot",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CurrentTime",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:Ec2InstanceSourceVpc",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:IsMcpServiceAction",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalTag/",
    "aws:PrincipalType",
    "aws:RequestTag/",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:ResourceTag/",
    "aws:SecureTransport",
    "aws:SignInSessionArn",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:Via",
    "aws:ViaAWSMCPService",
    "aws:ViaAWSService",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:VpcSourceIp",
    "aws:referer",
    "aws:userid",
    "aws:username",
];

fn operators(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            let map = statement.map.get("Condition").and_then(Value::as_object);
            for operator in map.into_iter().flatten().map(|(operator, _)| operator) {
                if is_operator(operator) {
                    continue;
                }
                let message = format!("{operator:?} is not a condition operator.");
                let near = nearest(plain_operator(operator), OPERATORS.iter().copied());
                let help = near.map(|near| format!("did you mean \"{near}\"?"));
                let path = statement.path("Condition").join(operator);
                broken.push(document.broken_key(&path, message).help(help));
            }
        }
    }
}

fn structure(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            let path = statement.path("Condition");
            let Some(condition) = statement.map.get("Condition") else {
                continue;
            };
            let Some(map) = condition.as_object() else {
                if !condition.is_null() {
                    let message = "A Condition is an object of operators.";
                    broken.push(document.broken(&path, message));
                }
                continue;
            };
            for (operator, keys) in map {
                if !keys.is_object() && !keys.is_null() {
                    let message = format!("{operator} takes an object of condition keys.");
                    broken.push(document.broken(&path.join(operator), message));
                }
            }
        }
    }
}

fn keys(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            for condition in statement.conditions() {
                if !condition.key.contains(':') {
                    let message =
                        format!("The condition key {:?} names no service.", condition.key);
                    broken.push(document.broken_key(&condition.at, message));
                }
            }
        }
    }
}

fn global_keys(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            for condition in statement.conditions() {
                let key = condition.key;
                let is_global = key
                    .get(..4)
                    .is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
                let is_known = || {
                    GLOBAL_KEYS.iter().any(|known| match known.ends_with('/') {
                        true => key
                            .get(..known.len())
                            .is_some_and(|start| start.eq_ignore_ascii_case(known)),
                        false => known.eq_ignore_ascii_case(key),
                    })
                };
                if !is_global || is_known() {
                    continue;
                }
                let message = format!("{key:?} is not a global condition key.");
                let near = nearest(key, GLOBAL_KEYS.iter().copied());
                let help = near.map(|near| format!("did you mean \"{near}\"?"));
                broken.push(document.broken_key(&condition.at, message).help(help));
            }
        }
    }
}

fn patterns(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    const EXACT: &[&str] = &[
        "StringEquals",
        "StringEqualsIgnoreCase",
        "StringNotEquals",
        "StringNotEqualsIgnoreCase",
    ];
    for document in &resource.documents {
        for statement in document.statements() {
            for condition in statement.conditions() {
                let is_exact = EXACT.contains(&plain_operator(condition.operator));
                let has_pattern = |value: &&Value| {
                    let text = value.as_str().unwrap_or_default();
                    text.contains(['*', '?']) && text.len() > 1 && !text.contains("://")
                };
                if is_exact && condition.values.iter().any(has_pattern) {
                    let message =
                        format!("{} takes the * or ? as it is written.", condition.operator);
                    broken.push(document.broken(&condition.at, message));
                }
            }
        }
    }
}

fn for_all(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements().iter().filter(|one| one.allows()) {
            let all = statement.conditions();
            for condition in &all {
                let is_null = |other: &&super::policies::Condition<'_>| {
                    let same = other.key.eq_ignore_ascii_case(condition.key);
                    same && !other.operator.starts_with("ForAllValues:")
                };
                if condition.operator.starts_with("ForAllValues:")
                    && !all.iter().any(|other| is_null(&other))
                {
                    let message = format!(
                        "A request without {} meets this condition too.",
                        condition.key
                    );
                    broken.push(document.broken(&condition.at, message));
                }
            }
        }
    }
}

fn values(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            for condition in statement.conditions() {
                for value in &condition.values {
                    if let Some(wanted) = unfit(plain_operator(condition.operator), value) {
                        let message = format!("{} compares with {wanted}.", condition.operator);
                        broken.push(document.broken(&condition.at, message));
                    }
                }
            }
        }
    }
}

/// What the operator compares with, where the value is something else.
fn unfit(operator: &str, value: &Value) -> Option<&'static str> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // A policy variable is something else at each request.
    if text.contains("${") {
        return None;
    }
    let is_number = || text.parse::<f64>().is_ok();
    match operator {
        "Bool" | "Null" => {
            let fits = matches!(text.to_ascii_lowercase().as_str(), "true" | "false");
            (!fits).then_some("true or false")
        }
        "IpAddress" | "NotIpAddress" => {
            (!is_range(&text)).then_some("an address or a range such as 10.0.0.0/8")
        }
        _ if operator.starts_with("Numeric") => (!is_number()).then_some("a number"),
        _ if operator.starts_with("Date") => {
            let fits = is_number() || text.as_bytes().get(4) == Some(&b'-');
            (!fits).then_some("a time such as 2026-01-31T00:00:00Z")
        }
        _ => None,
    }
}

fn is_range(text: &str) -> bool {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => (text, Some(0)),
    };
    match (address.parse::<std::net::IpAddr>(), length) {
        (Ok(std::net::IpAddr::V4(_)), Some(length)) => length <= 32,
        (Ok(std::net::IpAddr::V6(_)), Some(length)) => length <= 128,
        _ => false,
    }
}
