//! Statements that allow more than is likely meant. SK057x.

use super::facts::{Facts, Resource};
use super::policies::{Statement, TYPES};
use super::rule::Rule;
use crate::data::Path;
use crate::resource::aws::policy_check::Kind;
use crate::resource::aws::policy_grammar::matches_action;
use crate::schema::broken::Broken;

pub(super) const RULES: &[Rule] = &[
    Rule::warning("SK0571", "Not everything is allowed on everything")
        .why("A statement that allows * on * makes an administrator (IAM user guide, \"Security best practices in IAM\", least privilege).")
        .fix("name the actions and the resources")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "*", Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        )
        .of(TYPES, administrator),
    Rule::warning("SK0572", "What is allowed is named")
        .why("Allow with NotAction allows every action that is not named, those of future services included (IAM user guide, \"IAM JSON policy elements: NotAction\").")
        .fix("name the actions under Action, or deny with NotAction")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, NotAction: "iam:*", Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        )
        .of(TYPES, not_action),
    Rule::warning("SK0573", "Who is allowed is named")
        .why("Allow with NotPrincipal allows everybody who is not named, anonymous callers included (IAM user guide, \"AWS JSON policy elements: NotPrincipal\").")
        .fix("name the principals under Principal, or deny with a condition")
        .examples(
            r#"q:
  type: aws:sqs:Queue
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, NotPrincipal: {AWS: "${data.caller.accountId}"}, Action: "sqs:SendMessage", Resource: "*"}]"#,
            r#"q:
  type: aws:sqs:Queue
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "${data.caller.accountId}"}, Action: "sqs:SendMessage", Resource: "*"}]"#,
        )
        .of(TYPES, not_principal),
    Rule::warning("SK0574", "A role is passed by name")
        .why("iam:PassRole on every role lets its holder give a service, and so itself, the rights of any role (IAM user guide, \"Grant a user permissions to pass a role\").")
        .fix("name the role, or add a condition on iam:PassedToService")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "iam:PassRole", Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "iam:PassRole", Resource: "*", Condition: {StringEquals: {"iam:PassedToService": lambda.amazonaws.com}}}]"#,
        )
        .of(TYPES, pass_role),
    Rule::warning("SK0575", "Not all of IAM is allowed")
        .why("Who may do everything of IAM may give themselves every right (IAM user guide, \"Security best practices in IAM\").")
        .fix("name the actions that are needed")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "iam:*", Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "iam:GetRole", Resource: "*"}]"#,
        )
        .of(TYPES, all_of_iam),
    Rule::warning("SK0576", "What a permission is about is named")
        .why("Allow with NotResource allows the actions on everything that is not named (IAM user guide, \"IAM JSON policy elements: NotResource\").")
        .fix("name the resources under Resource")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "s3:GetObject", NotResource: "arn:aws:s3:::secret/*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::orders/*"}]"#,
        )
        .of(TYPES, not_resource),
    Rule::warning("SK0577", "A role is no administrator")
        .why("AdministratorAccess allows everything on everything (AWS managed policy reference guide).")
        .fix("attach a policy of what the role needs")
        .examples(
            r#"a: {type: "aws:iam:RolePolicyAttachment", properties: {role: "${role.name}", policyArn: "arn:aws:iam::aws:policy/AdministratorAccess"}}"#,
            r#"a: {type: "aws:iam:RolePolicyAttachment", properties: {role: "${role.name}", policyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"}}"#,
        )
        .of(&["aws:iam:Role", "aws:iam:RolePolicyAttachment"], administrators),
];

/// Where a statement of a resource's policy names everybody, and nothing narrows it.
pub(super) fn is_open(statement: &Statement<'_>) -> Option<Path> {
    let is_open = statement.allows()
        && !statement.has("Condition")
        && statement.document.kind == Kind::Resource;
    statement.everybody().filter(|_| is_open)
}

/// Adds what is wrong with each statement that allows something.
fn each(
    resource: &Resource<'_>,
    broken: &mut Vec<Broken>,
    fault: impl Fn(&Statement<'_>) -> Option<(&'static str, &'static str)>,
) {
    for document in &resource.documents {
        for statement in document.statements().iter().filter(|one| one.allows()) {
            if let Some((element, message)) = fault(statement) {
                broken.push(document.broken(&statement.path(element), message));
            }
        }
    }
}

fn administrator(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    each(resource, broken, |statement| {
        let all = statement.is_any("Action")
            || statement
                .known("Action")
                .iter()
                .any(|(_, text)| *text == "*:*");
        let is_wide = all && statement.is_any("Resource") && !statement.has("Condition");
        let is_identity = statement.document.kind == Kind::Identity;
        (is_wide && is_identity).then_some(("Action", "Everything is allowed on everything."))
    });
}

fn not_action(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    each(resource, broken, |statement| {
        let message = "Every action that is not named is allowed.";
        statement.has("NotAction").then_some(("NotAction", message))
    });
}

fn not_principal(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    each(resource, broken, |statement| {
        let message = "Everybody who is not named is allowed.";
        statement
            .has("NotPrincipal")
            .then_some(("NotPrincipal", message))
    });
}

fn not_resource(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    each(resource, broken, |statement| {
        let message = "The actions are allowed on everything that is not named.";
        statement
            .has("NotResource")
            .then_some(("NotResource", message))
    });
}

fn pass_role(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    each(resource, broken, |statement| {
        let named = statement.known("Action");
        let passes = named
            .iter()
            .any(|(_, text)| text.eq_ignore_ascii_case("iam:PassRole"));
        let wide = statement.is_any("Resource") && !statement.has("Condition");
        (passes && wide).then_some(("Resource", "Every role may be passed to every service."))
    });
}

fn all_of_iam(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    each(resource, broken, |statement| {
        let named = statement.known("Action");
        let all = named.iter().any(|(_, text)| {
            let iam = text
                .split_once(':')
                .filter(|(service, _)| service.eq_ignore_ascii_case("iam"));
            iam.is_some_and(|(_, name)| {
                matches_action(name, "PutRolePolicy") && matches_action(name, "GetRole")
            })
        });
        let wide = statement.is_any("Resource") && !statement.has("Condition");
        (all && wide).then_some(("Action", "All actions of IAM are allowed on everything."))
    });
}

fn administrators(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for name in ["policyArn", "managedPolicyArns"] {
        for (path, arn) in resource.texts(name) {
            if arn.ends_with(":aws:policy/AdministratorAccess") {
                broken.push(Broken::new(
                    path,
                    "The role may do everything on everything.",
                ));
            }
        }
    }
}
