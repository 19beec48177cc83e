//! Who may invoke a function: its resource policy, statement by statement.

use super::super::service::{ACCOUNT, Refusal, Store};
use super::super::stamps;
use super::members::Members;
use super::model::{self, Function};
use super::name::FunctionName;
use super::{Answer, Call, conflict, invalid, missing};
use serde_json::{Map, Value, json};

/// The longest policy, in bytes.
const QUOTA: usize = 20 * 1024;

/// The key of a qualifier's policy: empty for the function itself.
fn qualifier(function: &Function, named: Option<String>) -> Result<String, Refusal> {
    let Some(qualifier) = named else {
        return Ok(String::new());
    };
    if qualifier == "$LATEST" {
        return Err(invalid(
            "We currently do not support adding policies for $LATEST.",
        ));
    }
    if function
        .versions
        .iter()
        .all(|version| version["Version"] != qualifier.as_str())
    {
        let message = format!("Cannot find version or alias: {}:{qualifier}", function.arn);
        return Err(missing(message));
    }
    Ok(qualifier)
}

pub(super) fn add(call: Call<'_>) -> Answer {
    let (mut function, named) = call.function()?;
    let qualifier = qualifier(&function, named)?;
    require_revision(&call.body, &function)?;
    let resource = match qualifier.as_str() {
        "" => function.arn.clone(),
        qualifier => format!("{}:{qualifier}", function.arn),
    };
    let statement = statement(&call.body, &resource)?;
    let statements = function.policies.entry(qualifier).or_default();
    if statements
        .iter()
        .any(|known| known["Sid"] == statement["Sid"])
    {
        return Err(conflict(format!(
            "The statement id ({}) provided already exists. Please provide a new statement id, or remove the existing statement.",
            statement["Sid"].as_str().unwrap_or_default()
        )));
    }
    statements.push(statement.clone());
    if document(statements).len() > QUOTA {
        let message = "The final policy size is bigger than the limit (20480).";
        return Err(Refusal::new(400, "PolicyLengthExceededException", message));
    }
    function.policy_revision = stamps::uuid();
    model::put_function(call.store, &function);
    Ok((201, json!({"Statement": statement.to_string()})))
}

fn require_revision(body: &Members, function: &Function) -> Result<(), Refusal> {
    super::update::require_revision(body, &function.policy_revision)
}

fn statement(body: &Members, resource: &str) -> Result<Value, Refusal> {
    let id = body.required("StatementId")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if id.is_empty() || id.len() > 100 || !id.chars().all(fits) {
        let rule = "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)";
        return Err(body.violation("StatementId", id, rule));
    }
    let action = body.required("Action")?;
    let call = action.strip_prefix("lambda:").unwrap_or_default();
    let named = !call.is_empty() && call.chars().all(|c| c.is_ascii_alphabetic());
    if !(action == "*" || call == "*" || named) {
        let rule =
            "Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])";
        return Err(body.violation("Action", action, rule));
    }
    let mut statement = json!({
        "Sid": id,
        "Effect": "Allow",
        "Principal": principal(body)?,
        "Action": action,
        "Resource": resource,
    });
    let condition = condition(body)?;
    if !condition.is_empty() {
        statement["Condition"] = condition.into();
    }
    Ok(statement)
}

/// Account ids are replaced by the ARN of the account's root.
fn principal(body: &Members) -> Result<Value, Refusal> {
    let principal = body.required("Principal")?;
    let account = |text: &str| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
    if principal == "*" {
        Ok(json!("*"))
    } else if account(principal) {
        Ok(json!({"AWS": format!("arn:aws:iam::{principal}:root")}))
    } else if principal.starts_with("arn:") && principal.splitn(6, ':').count() == 6 {
        Ok(json!({"AWS": principal}))
    } else if principal.contains(".amazonaws.com") || principal.ends_with(".amazon.com") {
        Ok(json!({"Service": principal}))
    } else {
        Err(invalid(
            "The provided principal was invalid. Please check the principal and try again.",
        ))
    }
}

fn condition(body: &Members) -> Result<Map<String, Value>, Refusal> {
    let mut condition = json!({});
    let mut put = |operator: &str, key: &str, value: &str| condition[operator][key] = value.into();
    if let Some(arn) = body.text("SourceArn")? {
        if !arn.starts_with("arn:") || arn.splitn(6, ':').count() < 6 {
            let rule = "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:([a-z]{2}(-gov)?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)";
            return Err(body.violation("SourceArn", arn, rule));
        }
        put("ArnLike", "AWS:SourceArn", arn);
    }
    if let Some(account) = body.text("SourceAccount")? {
        if account.len() != 12 || !account.chars().all(|c| c.is_ascii_digit()) {
            let rule = "Member must satisfy regular expression pattern: \\d{12}";
            return Err(body.violation("SourceAccount", account, rule));
        }
        put("StringEquals", "AWS:SourceAccount", account);
    }
    if let Some(organisation) = body.text("PrincipalOrgID")? {
        let id = organisation.strip_prefix("o-").unwrap_or_default();
        if !(10..=32).contains(&id.len()) || !id.chars().all(|c| c.is_ascii_alphanumeric()) {
            let rule = "Member must satisfy regular expression pattern: o-[a-z0-9]{10,32}";
            return Err(body.violation("PrincipalOrgID", organisation, rule));
        }
        put("StringEquals", "aws:PrincipalOrgID", organisation);
    }
    if let Some(token) = body.short("EventSourceToken", 256)? {
        put("StringEquals", "lambda:EventSourceToken", token);
    }
    if let Some(kind) = body.choice("FunctionUrlAuthType", &["NONE", "AWS_IAM"])? {
        put("StringEquals", "lambda:FunctionUrlAuthType", kind);
    }
    if let Some(via) = body.flag("InvokedViaFunctionUrl")? {
        put(
            "Bool",
            "lambda:InvokedViaFunctionUrl",
            if via { "true" } else { "false" },
        );
    }
    Ok(condition.as_object().cloned().unwrap_or_default())
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}).to_string()
}

/// Whether a function's own policy lets a service invoke it on behalf of a source. The function is
/// named by its ARN, with the qualifier whose policy counts.
pub(in crate::local_cloud) fn permits(
    store: &dyn Store,
    region: &str,
    arn: &str,
    service: &str,
    source: &str,
) -> bool {
    let Ok(named) = FunctionName::parse(arn, region) else {
        return false;
    };
    let Ok(function) = model::function(store, region, &named.name) else {
        return false;
    };
    let key = named.qualifier.unwrap_or_default();
    let statements = function.policies.get(&key).map(Vec::as_slice);
    statements.unwrap_or_default().iter().any(|statement| {
        let principal = &statement["Principal"];
        let action = ["*", "lambda:*", "lambda:InvokeFunction"];
        let condition = &statement["Condition"];
        let like = condition["ArnLike"]["AWS:SourceArn"].as_str();
        let account = condition["StringEquals"]["AWS:SourceAccount"].as_str();
        (principal == "*" || principal["Service"] == service)
            && statement["Action"].as_str().is_some_and(|it| action.contains(&it))
            && like.is_none_or(|pattern| like_arn(pattern, source))
            && account.is_none_or(|account| account == ACCOUNT)
    })
}

/// `ArnLike`: `*` is any text and `?` any character, part by part (IAM user guide, "Amazon Resource
/// Name condition operators").
fn like_arn(pattern: &str, arn: &str) -> bool {
    let (patterns, parts) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    let mut pairs = patterns.zip(parts);
    pairs.all(|(pattern, part)| {
        let escaped = regex::escape(pattern);
        let expression = escaped.replace("\\*", ".*").replace("\\?", ".");
        regex::Regex::new(&format!("^{expression}$")).is_ok_and(|it| it.is_match(part))
    })
}

pub(super) fn get(call: Call<'_>) -> Answer {
    let (function, named) = call.function()?;
    let key = named.unwrap_or_default();
    let statements = function
        .policies
        .get(&key)
        .filter(|statements| !statements.is_empty());
    let statements =
        statements.ok_or_else(|| missing("The resource you requested does not exist."))?;
    let document = document(statements);
    Ok((
        200,
        json!({"Policy": document, "RevisionId": function.policy_revision}),
    ))
}

pub(super) fn remove(call: Call<'_>) -> Answer {
    let (mut function, named) = call.function()?;
    let id = &call.path[1];
    if call
        .query("RevisionId")
        .is_some_and(|stated| stated != function.policy_revision)
    {
        let message = "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id";
        return Err(Refusal::new(412, "PreconditionFailedException", message));
    }
    let statements = function
        .policies
        .entry(named.unwrap_or_default())
        .or_default();
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != id.as_str());
    if statements.len() == before {
        return Err(missing(format!(
            "Statement {id} is not found in resource policy."
        )));
    }
    function.policy_revision = stamps::uuid();
    model::put_function(call.store, &function);
    Ok((204, Value::Null))
}
