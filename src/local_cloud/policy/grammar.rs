//! The grammar of policy documents (IAM user guide, "Grammar of the IAM JSON policy language"),
//! with the messages that IAM returns.

use super::list;
use crate::resource::aws::policy_grammar::{STATEMENT_KEYS, is_operator};
use serde_json::{Map, Value};

/// Where a document is used; each place has rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local_cloud) enum Kind {
    /// A managed or inline policy: no principal, resources required.
    Identity,
    /// A role's assume-role document: principals required, no resources.
    Trust,
    /// A policy on a resource: principals and resources required.
    Resource,
}

/// Checks a document and gives it back parsed.
///
/// # Errors
/// What is wrong with it, as a message of the service.
pub(in crate::local_cloud) fn check(text: &str, kind: Kind) -> Result<Value, String> {
    let document: Value =
        serde_json::from_str(text).map_err(|_| "This policy contains invalid Json".to_owned())?;
    let Value::Object(root) = &document else {
        return Err("Syntax errors in policy.".to_owned());
    };
    if let Some(key) = root
        .keys()
        .find(|key| !["Version", "Id", "Statement"].contains(&key.as_str()))
    {
        return Err(format!("Syntax errors in policy: unknown element {key}."));
    }
    check_version(root, kind)?;
    let statements = list(root.get("Statement").unwrap_or(&Value::Null));
    if statements.is_empty() {
        return Err("Missing required field Statement".to_owned());
    }
    let mut sids = Vec::new();
    for statement in statements {
        let Value::Object(statement) = statement else {
            return Err("Syntax errors in policy: a statement is an object.".to_owned());
        };
        check_statement(statement, kind)?;
        if let Some(sid) = statement.get("Sid").and_then(Value::as_str)
            && !sid.is_empty()
        {
            if sids.contains(&sid) {
                return Err("Statement IDs (SID) in a single policy must be unique.".to_owned());
            }
            sids.push(sid);
        }
    }
    Ok(document)
}

fn check_version(root: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    match root.get("Version") {
        Some(Value::String(version)) if version == "2012-10-17" => Ok(()),
        Some(Value::String(version)) if version == "2008-10-17" && kind != Kind::Identity => Ok(()),
        // Policies on resources fall back to the version of 2008.
        None if kind == Kind::Resource => Ok(()),
        _ => Err("Policy document must be version 2012-10-17 or greater.".to_owned()),
    }
}

fn check_statement(statement: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    if let Some(key) = statement
        .keys()
        .find(|key| !STATEMENT_KEYS.contains(&key.as_str()))
    {
        return Err(format!("Syntax errors in policy: unknown element {key}."));
    }
    match statement.get("Effect") {
        None => return Err("Missing required field Effect".to_owned()),
        Some(effect) if effect == "Allow" || effect == "Deny" => {}
        Some(effect) => return Err(format!("Invalid effect: {effect}")),
    }
    check_sid(statement.get("Sid"), kind)?;
    check_actions(statement, kind)?;
    check_resources(statement, kind)?;
    check_principals(statement, kind)?;
    statement.get("Condition").map_or(Ok(()), check_condition)
}

/// IAM accepts letters and digits only, other services any string.
fn check_sid(sid: Option<&Value>, kind: Kind) -> Result<(), String> {
    let Some(sid) = sid else {
        return Ok(());
    };
    let sid = sid
        .as_str()
        .ok_or("Syntax errors in policy: Sid must be a string.")?;
    if kind == Kind::Resource || sid.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*".to_owned())
}

/// Exactly one of two elements, as a list of strings that is not empty.
fn one_of<'a>(
    statement: &'a Map<String, Value>,
    name: &str,
    negated: &str,
) -> Result<Vec<&'a str>, String> {
    let value = match (statement.get(name), statement.get(negated)) {
        (Some(value), None) | (None, Some(value)) => value,
        (None, None) => return Err(format!("Missing required field {name}")),
        (Some(_), Some(_)) => {
            return Err(format!(
                "Syntax errors in policy: both {name} and {negated}."
            ));
        }
    };
    let items = list(value);
    let texts: Vec<&str> = items.iter().filter_map(|item| item.as_str()).collect();
    if texts.is_empty() || texts.len() != items.len() || texts.contains(&"") {
        return Err(format!(
            "Policy statement must contain {}.",
            name.to_lowercase() + "s"
        ));
    }
    Ok(texts)
}

fn check_actions(statement: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    for action in one_of(statement, "Action", "NotAction")? {
        if action == "*" && kind != Kind::Trust {
            continue;
        }
        let (vendor, name) = action.split_once(':').unwrap_or_default();
        let vendor_fits = vendor
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-');
        let name_fits = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "*?".contains(c));
        if vendor.is_empty() || name.is_empty() || !vendor_fits || !name_fits {
            return Err(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
                    .to_owned(),
            );
        }
        if kind == Kind::Trust && !vendor.eq_ignore_ascii_case("sts") {
            return Err("AssumeRole policy may only specify STS AssumeRole actions.".to_owned());
        }
    }
    Ok(())
}

fn check_resources(statement: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    if kind == Kind::Trust {
        return if statement.contains_key("Resource") || statement.contains_key("NotResource") {
            Err("Has prohibited field Resource".to_owned())
        } else {
            Ok(())
        };
    }
    for resource in one_of(statement, "Resource", "NotResource")? {
        let arn = resource.starts_with("arn:") && resource.splitn(6, ':').count() == 6;
        if resource != "*" && !arn {
            return Err(format!(
                "Resource {resource} must be in ARN format or \"*\"."
            ));
        }
    }
    Ok(())
}

fn check_principals(statement: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    let principal = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (None, None) if kind == Kind::Identity => return Ok(()),
        _ if kind == Kind::Identity => {
            return Err("Policy document should not specify a principal.".to_owned());
        }
        (Some(principal), None) => principal,
        (None, Some(_)) if kind == Kind::Trust => {
            return Err("Has prohibited field NotPrincipal".to_owned());
        }
        (None, Some(principal)) => principal,
        (None, None) => return Err("Missing required field Principal".to_owned()),
        (Some(_), Some(_)) => return Err("Syntax errors in policy.".to_owned()),
    };
    let kinds = match principal {
        Value::String(all) if all == "*" => return Ok(()),
        Value::Object(kinds) if !kinds.is_empty() => kinds,
        _ => return Err("Invalid principal in policy".to_owned()),
    };
    for (name, value) in kinds {
        let items = list(value);
        if items.is_empty() {
            return Err("Missing required field Principal cannot be empty!".to_owned());
        }
        for item in items {
            let fits = item.as_str().is_some_and(|text| match name.as_str() {
                "Service" => text.contains('.') && text.contains("amazonaws."),
                "AWS" => is_aws_principal(text),
                "Federated" | "CanonicalUser" => !text.is_empty(),
                _ => false,
            });
            if !fits {
                return Err(format!(
                    "Invalid principal in policy: \"{}\":{item}",
                    name.to_uppercase()
                ));
            }
        }
    }
    Ok(())
}

fn is_aws_principal(text: &str) -> bool {
    let account = |text: &str| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
    if text == "*" || account(text) {
        return true;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    parts.len() == 6
        && parts[0] == "arn"
        && ["iam", "sts"].contains(&parts[2])
        && account(parts[4])
        && (parts[5] == "root" || parts[5].contains('/'))
}

fn check_condition(condition: &Value) -> Result<(), String> {
    let syntax = || "Syntax errors in policy: Condition.".to_owned();
    for (operator, keys) in condition.as_object().ok_or_else(syntax)? {
        if !is_operator(operator) {
            return Err(format!("Invalid Condition type : {operator}."));
        }
        for (key, value) in keys.as_object().ok_or_else(syntax)? {
            if !key.contains(':') {
                return Err(
                    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
                        .to_owned(),
                );
            }
            if list(value)
                .iter()
                .any(|item| item.is_object() || item.is_array() || item.is_null())
            {
                return Err(syntax());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(kind: Kind, statement: Value) -> String {
        let document = json!({"Version": "2012-10-17", "Statement": statement});
        check(&document.to_string(), kind).unwrap_err()
    }

    #[test]
    fn good_documents_pass() {
        let identity = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "One", "Effect": "Allow", "Action": ["sqs:Send*", "logs:PutLogEvents"],
            "Resource": "arn:aws:sqs:us-west-2:000000000000:q",
            "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": "1"}},
        }]});
        check(&identity.to_string(), Kind::Identity).unwrap();
        let trust = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": ["lambda.amazonaws.com"], "AWS": "000000000000"},
        }});
        check(&trust.to_string(), Kind::Trust).unwrap();
        let bucket = json!({"Statement": [{
            "Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Sid": "a b",
            "Resource": "arn:aws:s3:::bucket/*",
        }]});
        check(&bucket.to_string(), Kind::Resource).unwrap();
    }

    #[test]
    fn each_mistake_has_its_message() {
        let allow = |rest: Value| {
            let mut statement = json!({"Effect": "Allow", "Action": "sqs:A", "Resource": "*"});
            for (key, value) in rest.as_object().unwrap() {
                statement[key] = value.clone();
            }
            statement
        };
        let cases = [
            (json!([]), "Missing required field Statement"),
            (json!([allow(json!({"Effect": "allow"}))]), "Invalid effect"),
            (
                json!([allow(json!({"Action": "Send"}))]),
                "prefaced by a vendor",
            ),
            (
                json!([allow(json!({"Action": []}))]),
                "must contain actions",
            ),
            (
                json!([allow(json!({"Resource": "queue"}))]),
                "must be in ARN format",
            ),
            (
                json!([allow(json!({"Principal": "*"}))]),
                "should not specify a principal",
            ),
            (
                json!([allow(json!({"Sid": "a b"}))]),
                "must be alpha-numeric",
            ),
            (
                json!([allow(json!({"Sid": "a"})), allow(json!({"Sid": "a"}))]),
                "must be unique",
            ),
            (
                json!([allow(json!({"Resources": "*"}))]),
                "unknown element Resources",
            ),
            (
                json!([allow(json!({"Condition": {"Same": {"aws:A": "b"}}}))]),
                "Invalid Condition type",
            ),
            (
                json!([{"Effect": "Allow", "Action": "sqs:A"}]),
                "Missing required field Resource",
            ),
        ];
        for (statement, expected) in cases {
            let message = refusal(Kind::Identity, statement);
            assert!(message.contains(expected), "{message} is not {expected}");
        }
    }

    #[test]
    fn trust_documents_have_principals_and_no_resources() {
        let assume = json!({"Effect": "Allow", "Action": "sts:AssumeRole"});
        assert!(refusal(Kind::Trust, json!([assume])).contains("Missing required field Principal"));
        let with = |key: &str, value: Value| {
            let mut statement = assume.clone();
            statement["Principal"] = json!({"Service": "lambda.amazonaws.com"});
            statement[key] = value;
            refusal(Kind::Trust, json!([statement]))
        };
        assert!(with("Resource", json!("*")).contains("prohibited field Resource"));
        assert!(with("Action", json!("sqs:SendMessage")).contains("STS AssumeRole actions"));
        assert!(with("Principal", json!({"Service": "lambda"})).contains("\"SERVICE\":\"lambda\""));
        assert!(with("Principal", json!({"AWS": "me"})).contains("Invalid principal"));
        assert!(
            check("{", Kind::Trust)
                .unwrap_err()
                .contains("invalid Json")
        );
        assert!(
            check("{\"Statement\": []}", Kind::Trust)
                .unwrap_err()
                .contains("version")
        );
    }
}
