//! The principals of statements. SK056x.

use super::facts::{Facts, Resource};
use super::policies::TYPES;
use super::rule::Rule;
use crate::nearest::nearest;
use crate::resource::aws::policy_check::Kind;
use crate::schema::broken::Broken;
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    Rule::error("SK0561", "A principal is of a kind that exists")
        .why("A Principal has the keys AWS, Service, Federated and CanonicalUser (IAM user guide, \"AWS JSON policy elements: Principal\").")
        .fix("write one of the four")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Services: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]"#,
        )
        .of(TYPES, kinds),
    Rule::warning("SK0562", "A service is named by its domain")
        .why("The name of a service is NAME.amazonaws.com; IAM refuses another form (IAM user guide, \"AWS JSON policy elements: Principal\", service principals).")
        .fix("write the full name, as in lambda.amazonaws.com")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.org}, Action: "sts:AssumeRole"}]"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]"#,
        )
        .of(TYPES, services),
    Rule::warning("SK0563", "A principal of AWS is an account, an ARN or *")
        .why("AWS names accounts by 12 digits, and users, roles and sessions by ARNs; IAM refuses another form (IAM user guide, \"AWS JSON policy elements: Principal\").")
        .fix("write the account id or the ARN; a service goes under Service")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: orders}, Action: "sts:AssumeRole"}]"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "${data.caller.accountId}"}, Action: "sts:AssumeRole"}]"#,
        )
        .of(TYPES, accounts),
    Rule::warning("SK0564", "Not everybody may assume a role")
        .why("A trust policy whose principal is * lets every identity of every account try to assume the role; without a condition it succeeds (IAM user guide, \"AWS JSON policy elements: Principal\", \"All principals\").")
        .fix("name the principal, or add a condition such as StringEquals of aws:PrincipalOrgID")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "*"}, Action: "sts:AssumeRole"}]"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "*"}, Action: "sts:AssumeRole", Condition: {StringEquals: {"aws:PrincipalOrgID": o-a1b2c3d4e5}}}]"#,
        )
        .of(&["aws:iam:Role"], everybody),
    Rule::error("SK0565", "A principal is named in full")
        .why("A wildcard stands for all principals, never for a part of a name or ARN (IAM user guide, \"AWS JSON policy elements: Principal\").")
        .fix("name the account, and narrow it with a condition on aws:PrincipalArn")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "arn:aws:iam::000000000000:role/*"}, Action: "sts:AssumeRole"}]"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "${data.caller.accountId}"}, Action: "sts:AssumeRole", Condition: {ArnLike: {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}}]"#,
        )
        .of(TYPES, partly),
];

const KINDS: &[&str] = &["AWS", "CanonicalUser", "Federated", "Service"];
const ELEMENTS: &[&str] = &["Principal", "NotPrincipal"];

fn kinds(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            for element in ELEMENTS {
                let map = statement.map.get(*element).and_then(Value::as_object);
                for kind in map.into_iter().flatten().map(|(kind, _)| kind) {
                    if KINDS.contains(&kind.as_str()) {
                        continue;
                    }
                    let message = format!("{kind:?} is not a kind of principal.");
                    let near = nearest(kind, KINDS.iter().copied());
                    let help = near.map(|near| format!("did you mean \"{near}\"?"));
                    let path = statement.path(element).join(kind);
                    broken.push(document.broken_key(&path, message).help(help));
                }
            }
        }
    }
}

/// Adds what `fault` says of each known principal of a kind.
fn each(
    resource: &Resource<'_>,
    kind: &str,
    broken: &mut Vec<Broken>,
    fault: impl Fn(&str) -> Option<String>,
) {
    for document in &resource.documents {
        for statement in document.statements() {
            for element in ELEMENTS {
                let Some(value) = statement.map.get(*element).and_then(|all| all.get(kind)) else {
                    continue;
                };
                let path = statement.path(element).join(kind);
                for (path, text) in statement.texts_at(path, value) {
                    if let super::policies::Text::Known(text) = text
                        && let Some(message) = fault(text)
                    {
                        broken.push(document.broken(&path, message));
                    }
                }
            }
        }
    }
}

fn services(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    each(resource, "Service", broken, |text| {
        let domains = [
            ".amazonaws.com",
            ".amazonaws.com.cn",
            ".amazon.com",
            ".aws.internal",
            ".amazonaws.eu",
        ];
        let fits = text == "*" || domains.iter().any(|domain| text.ends_with(domain));
        (!fits).then(|| format!("{text:?} is not the name of a service."))
    });
}

fn accounts(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    each(resource, "AWS", broken, |text| {
        let is_account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        // What was deleted stays as its unique id.
        let is_id = text.len() >= 16 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let fits = text == "*" || is_account || is_id || text.starts_with("arn:");
        (!fits).then(|| format!("{text:?} is neither an account nor an ARN."))
    });
}

fn partly(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    each(resource, "AWS", broken, |text| {
        (text.len() > 1 && text.contains('*'))
            .then(|| format!("{text:?} has a wildcard in a part of a principal's name."))
    });
}

fn everybody(_: &Facts<'_>, role: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in role.documents.iter().filter(|one| one.kind == Kind::Trust) {
        for statement in document.statements().iter().filter(|one| one.allows()) {
            if let Some(path) = statement.everybody()
                && !statement.has("Condition")
            {
                let message = "Every identity of every account may assume the role.";
                broken.push(document.broken(&path, message));
            }
        }
    }
}
