//! A statement of a function's policy, as Lambda writes it for a permission.
//!
//! `AddPermission` takes flat arguments; reads return the whole policy as a string. Each argument
//! has its place in the statement: the principal's form is rewritten, and the rest are conditions.

use crate::resource::author::*;

/// What a statement says, in the terms of a permission's properties.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) action: String,
    pub(crate) principal: String,
    pub(crate) source_arn: Option<String>,
    pub(crate) source_account: Option<String>,
    pub(crate) principal_org_id: Option<String>,
    pub(crate) event_source_token: Option<String>,
    pub(crate) function_url_auth_type: Option<String>,
    pub(crate) invoked_via_function_url: Option<bool>,
}

impl Statement {
    /// The statement with this Sid in a policy document.
    pub(crate) fn find(policy: &str, sid: &str) -> Option<Self> {
        let statements = statements(policy);
        let mut statements = statements.iter();
        let found = statements.find(|one| one["Sid"].as_str() == Some(sid));
        found.map(Self::read)
    }

    /// The ids of all statements.
    pub(crate) fn ids(policy: &str) -> Vec<String> {
        let statements = statements(policy).into_iter();
        statements
            .filter_map(|one| one["Sid"].as_str().map(str::to_owned))
            .collect()
    }

    fn read(statement: &Value) -> Self {
        let condition = |key: &str| condition(&statement["Condition"], key);
        Self {
            action: text(&statement["Action"]).unwrap_or_default(),
            principal: principal(&statement["Principal"]),
            source_arn: condition("aws:SourceArn"),
            source_account: condition("aws:SourceAccount"),
            principal_org_id: condition("aws:PrincipalOrgID"),
            event_source_token: condition("lambda:EventSourceToken"),
            function_url_auth_type: condition("lambda:FunctionUrlAuthType"),
            invoked_via_function_url: condition("lambda:InvokedViaFunctionUrl")
                .map(|value| value.eq_ignore_ascii_case("true")),
        }
    }
}

/// The statements of a policy; none where it is no JSON.
fn statements(policy: &str) -> Vec<Value> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    match &policy["Statement"] {
        Value::Array(list) => list.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// A value, or the only one of a list.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(list) => list.first().and_then(text),
        _ => None,
    }
}

/// The value of a condition key under any operator; keys differ in case between writers.
fn condition(conditions: &Value, key: &str) -> Option<String> {
    let operators = conditions.as_object()?;
    operators
        .values()
        .filter_map(Value::as_object)
        .flatten()
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .and_then(|(_, value)| text(value))
}

fn principal(value: &Value) -> String {
    let value = match value {
        Value::Object(map) => map.values().next().unwrap_or(&Value::Null),
        other => other,
    };
    text(value).unwrap_or_default()
}

/// A principal in the one form in which two compare: `AddPermission` rewrites an account
/// to the ARN of its root.
pub(crate) fn plain_principal(principal: &str) -> &str {
    let fields: Vec<&str> = principal.split(':').collect();
    match fields[..] {
        ["arn", _, "iam", "", account, "root"] => account,
        _ => principal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_argument_is_read_back() {
        let policy = json!({"Version": "2012-10-17", "Id": "default", "Statement": [
            {"Sid": "other"},
            {"Sid": "s", "Effect": "Allow",
             "Principal": {"Service": "apigateway.amazonaws.com"},
             "Action": "lambda:InvokeFunction",
             "Resource": "arn:aws:lambda:us-west-2:123456789012:function:f",
             "Condition": {
                "ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-west-2:1:a/*"},
                "StringEquals": {"AWS:SourceAccount": "123456789012", "aws:PrincipalOrgID": "o-1",
                    "lambda:EventSourceToken": "t", "lambda:FunctionUrlAuthType": "NONE"},
                "Bool": {"lambda:InvokedViaFunctionUrl": "true"}}}]})
        .to_string();
        let found = Statement::find(&policy, "s").unwrap();
        assert_eq!(found.principal, "apigateway.amazonaws.com");
        assert_eq!(found.action, "lambda:InvokeFunction");
        assert_eq!(
            found.source_arn.as_deref(),
            Some("arn:aws:execute-api:us-west-2:1:a/*")
        );
        assert_eq!(found.source_account.as_deref(), Some("123456789012"));
        assert_eq!(found.principal_org_id.as_deref(), Some("o-1"));
        assert_eq!(found.event_source_token.as_deref(), Some("t"));
        assert_eq!(found.function_url_auth_type.as_deref(), Some("NONE"));
        assert_eq!(found.invoked_via_function_url, Some(true));
        assert_eq!(Statement::find(&policy, "none"), None);
    }

    #[test]
    fn an_account_is_its_root() {
        assert_eq!(
            plain_principal("arn:aws:iam::123456789012:root"),
            "123456789012"
        );
        assert_eq!(
            plain_principal("arn:aws:iam::123456789012:role/a"),
            "arn:aws:iam::123456789012:role/a"
        );
        assert_eq!(plain_principal("*"), "*");
    }
}
