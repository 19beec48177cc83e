//! What policy documents allow, as far as the local cloud evaluates them.
//!
//! Conditions are not evaluated: an Allow with a condition allows, a Deny with one does not
//! deny. Policy variables match nothing but themselves.

use super::{list, texts};
use crate::resource::aws::policy_grammar::{self, matches_action};
use serde_json::Value;

/// What a document says about an action on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::local_cloud) enum Decision {
    /// No statement is about it.
    Silent,
    /// It is allowed.
    Allow,
    /// It is denied, whatever other documents say.
    Deny,
}

/// What a document says; the strictest statement wins.
pub(in crate::local_cloud) fn decide(document: &Value, action: &str, resource: &str) -> Decision {
    statements(document)
        .filter(|statement| {
            matches(statement, "Action", "NotAction", action, true)
                && matches(statement, "Resource", "NotResource", resource, false)
        })
        .map(|statement| {
            if statement["Effect"] == "Allow" {
                Decision::Allow
            } else if statement["Condition"].is_null() {
                Decision::Deny
            } else {
                Decision::Silent
            }
        })
        .max()
        .unwrap_or(Decision::Silent)
}

/// The conditions under which a document denies an action on a resource.
pub(in crate::local_cloud) fn denials<'d>(
    document: &'d Value,
    action: &str,
    resource: &str,
) -> Vec<&'d Value> {
    statements(document)
        .filter(|statement| {
            statement["Effect"] == "Deny"
                && matches(statement, "Action", "NotAction", action, true)
                && matches(statement, "Resource", "NotResource", resource, false)
        })
        .map(|statement| &statement["Condition"])
        .collect()
}

/// Whether an assume-role document lets a service assume the role.
pub(in crate::local_cloud) fn trusts(document: &Value, service: &str) -> bool {
    let about = |statement: &&Value| {
        let principal = &statement["Principal"];
        let named = principal == "*" || texts(&principal["Service"]).contains(&service);
        named && matches(statement, "Action", "NotAction", "sts:AssumeRole", true)
    };
    let mut allowed = false;
    for statement in statements(document).filter(about) {
        if statement["Effect"] == "Allow" {
            allowed = true;
        } else if statement["Condition"].is_null() {
            return false;
        }
    }
    allowed
}

/// Condition keys that tie a request to fixed places or accounts, so that a statement for
/// everybody is not public (S3 user guide, "The meaning of public").
const FIXING_KEYS: &[&str] = &[
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:sourceip",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:userid",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
];

/// Whether a bucket policy gives something to everybody.
pub(in crate::local_cloud) fn is_public(document: &Value) -> bool {
    statements(document).any(|statement| {
        let principal = &statement["Principal"];
        let everybody = principal == "*"
            || texts(&principal["AWS"]).contains(&"*")
            || !statement["NotPrincipal"].is_null();
        statement["Effect"] == "Allow" && everybody && !is_fixed(&statement["Condition"])
    })
}

fn is_fixed(condition: &Value) -> bool {
    let operators = condition.as_object().into_iter().flatten();
    operators
        .filter(|(operator, _)| !operator.contains("Not"))
        .flat_map(|(_, keys)| keys.as_object().into_iter().flatten())
        .any(|(key, values)| {
            let values = texts(values);
            FIXING_KEYS.contains(&key.to_ascii_lowercase().as_str())
                && !values.is_empty()
                && values
                    .iter()
                    .all(|value| !["*", "0.0.0.0/0", "::/0"].contains(value))
        })
}

fn statements(document: &Value) -> impl Iterator<Item = &Value> {
    list(&document["Statement"]).into_iter()
}

fn matches(statement: &Value, name: &str, negated: &str, subject: &str, fold: bool) -> bool {
    let any = |patterns: &Value| {
        let fits = if fold {
            matches_action
        } else {
            policy_grammar::matches
        };
        texts(patterns).iter().any(|pattern| fits(pattern, subject))
    };
    match (&statement[name], &statement[negated]) {
        (Value::Null, Value::Null) => false,
        (Value::Null, not) => !any(not),
        (patterns, _) => any(patterns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn denial_wins_and_actions_ignore_case() {
        let queue = "arn:aws:sqs:us-west-2:0:q";
        let mut document = json!({"Statement": [
            {"Effect": "Allow", "Action": "SQS:receive*", "Resource": queue},
            {"Effect": "Allow", "NotAction": ["sqs:*"], "Resource": "*"},
        ]});
        assert_eq!(
            decide(&document, "sqs:ReceiveMessage", queue),
            Decision::Allow
        );
        assert_eq!(
            decide(&document, "sqs:ReceiveMessage", "other"),
            Decision::Silent
        );
        assert_eq!(
            decide(&document, "sqs:DeleteMessage", queue),
            Decision::Silent
        );
        assert_eq!(decide(&document, "logs:Put", "x"), Decision::Allow);
        document["Statement"][1] = json!({"Effect": "Deny", "Action": "sqs:*", "Resource": "*"});
        assert_eq!(
            decide(&document, "sqs:ReceiveMessage", queue),
            Decision::Deny
        );
    }

    #[test]
    fn trust_names_the_service() {
        let trust = |service: &str| {
            json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"Service": service}}})
        };
        assert!(trusts(
            &trust("lambda.amazonaws.com"),
            "lambda.amazonaws.com"
        ));
        assert!(!trusts(
            &trust("apigateway.amazonaws.com"),
            "lambda.amazonaws.com"
        ));
    }

    #[test]
    fn public_is_everybody_without_a_fixed_place() {
        let mut document = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"},
            "Action": "s3:GetObject", "Resource": "*"}]});
        assert!(is_public(&document));
        document["Statement"][0]["Condition"] =
            json!({"StringEquals": {"aws:SourceAccount": "000000000000"}});
        assert!(!is_public(&document));
        document["Statement"][0]["Condition"] = json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}});
        assert!(is_public(&document));
    }
}
