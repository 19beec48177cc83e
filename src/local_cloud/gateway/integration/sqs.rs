//! Integrations with SQS: a form of SQS's query protocol becomes a call. SQS returns JSON to API
//! Gateway, in the shape of its XML.

use super::{Call, Failure, Response, request, role};
use crate::local_cloud::live;
use crate::local_cloud::service::Request;
use crate::resource::aws::partition_of;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the local cloud does for such an integration.
const ACTIONS: &[&str] = &["SendMessage", "SendMessageBatch"];

/// The fields of a form, in order.
pub(in crate::local_cloud::gateway) type Form = Vec<(String, String)>;

/// Calls SQS: `path/{account}/{queue}` with the operation in the form, or `action/{operation}` with
/// the queue in it.
pub(super) async fn call(
    call: &Call<'_>,
    place: Option<(&str, &str)>,
) -> Result<Response, Failure> {
    let (region, target) = place.unwrap_or_default();
    let form = form(call)?;
    let field = |name: &str| {
        let mut fields = form.iter();
        fields
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let action = target.strip_prefix("action/").or_else(|| field("Action"));
    let action = action.unwrap_or_default();
    if !ACTIONS.contains(&action) {
        return Err(Failure::Internal(format!(
            "the local cloud simulates sqs:SendMessage and sqs:SendMessageBatch for integrations, \
             and this one calls {action:?}"
        )));
    }
    let url = field("QueueUrl").unwrap_or_default();
    let path = target.strip_prefix("path/").unwrap_or(url);
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let queue = parts.next().unwrap_or_default();
    let account = parts.next().unwrap_or_default();
    let (partition, suffix) = partition_of(region);
    let arn = format!("arn:{partition}:sqs:{region}:{account}:{queue}");
    role::check(call, "sqs:SendMessage", &arn)?;
    let mut body = match action {
        "SendMessage" => entry(&form, ""),
        _ => Map::from_iter([("Entries".to_owned(), json!(entries(&form)))]),
    };
    let url = format!("https://sqs.{region}.{suffix}/{account}/{queue}");
    body.insert("QueueUrl".to_owned(), json!(url));
    let sent = Request::json(region, &format!("AmazonSQS.{action}"), &Value::Object(body));
    let reply = live::answer(call.live, "sqs", sent).await;
    let returned: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let id = call.incoming.context["requestId"].clone();
    let body = match reply.status {
        200 => json!({format!("{action}Response"): {
            format!("{action}Result"): returned,
            "ResponseMetadata": {"RequestId": id},
        }}),
        _ => {
            let kind = returned["__type"].as_str().unwrap_or_default();
            json!({
                "Error": {
                    "Code": kind.rsplit('#').next(),
                    "Message": returned["message"],
                    "Type": "Sender",
                },
                "RequestId": id,
            })
        }
    };
    Ok(Response {
        status: reply.status,
        headers: BTreeMap::from([("Content-Type".to_owned(), "application/json".to_owned())]),
        body: body.to_string(),
    })
}

/// The form: of the query, and of the body where its type says that it is one.
fn form(call: &Call<'_>) -> Result<Form, Failure> {
    let parameters = request::parameters(call);
    let body = request::body(call)?;
    let mut headers = parameters.header.iter();
    let kind = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let is_form =
        kind.is_some_and(|(_, kind)| kind.starts_with("application/x-www-form-urlencoded"));
    let mut form: Form = parameters.querystring.into_iter().collect();
    if is_form {
        form.extend(form_urlencoded::parse(body.as_bytes()).into_owned());
    } else if form.is_empty() {
        return Err(Failure::Internal(
            "SQS takes a form, and the request has no parameter \
             integration.request.header.Content-Type: 'application/x-www-form-urlencoded'"
                .to_owned(),
        ));
    }
    Ok(form)
}

/// A message out of the fields that begin so.
pub(in crate::local_cloud::gateway) fn entry(form: &Form, prefix: &str) -> Map<String, Value> {
    let mut message = Map::new();
    for (name, value) in form {
        let Some(name) = name.strip_prefix(prefix) else {
            continue;
        };
        let value = match name {
            "DelaySeconds" => value
                .parse::<i64>()
                .map_or_else(|_| json!(value), |it| json!(it)),
            "Id" | "MessageBody" | "MessageGroupId" | "MessageDeduplicationId" => json!(value),
            _ => continue,
        };
        message.insert(name.to_owned(), value);
    }
    for (field, member) in [
        ("MessageAttribute", "MessageAttributes"),
        ("MessageSystemAttribute", "MessageSystemAttributes"),
    ] {
        let attributes = attributes(form, &format!("{prefix}{field}."));
        if !attributes.is_empty() {
            message.insert(member.to_owned(), Value::Object(attributes));
        }
    }
    message
}

/// `MessageAttribute.1.Name`, `MessageAttribute.1.Value.StringValue`, …
fn attributes(form: &Form, prefix: &str) -> Map<String, Value> {
    let mut names = BTreeMap::new();
    let mut values: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (name, value) in form {
        let rest = name
            .strip_prefix(prefix)
            .and_then(|rest| rest.split_once('.'));
        let Some((number, member)) = rest else {
            continue;
        };
        match member.strip_prefix("Value.") {
            Some(member) => {
                let attribute = values.entry(number).or_default();
                attribute.insert(member.to_owned(), json!(value));
            }
            None if member == "Name" => {
                names.insert(number, value.clone());
            }
            None => {}
        }
    }
    let named = names.into_iter().map(|(number, name)| {
        let value = values.remove(number).unwrap_or_default();
        (name, Value::Object(value))
    });
    named.collect()
}

/// `SendMessageBatchRequestEntry.1.Id`, …
fn entries(form: &Form) -> Vec<Map<String, Value>> {
    (1..)
        .map(|number| entry(form, &format!("SendMessageBatchRequestEntry.{number}.")))
        .take_while(|entry| !entry.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect()
    }

    #[test]
    fn a_form_is_a_message() {
        let form = form(
            "Action=SendMessage&MessageBody=a%26b&DelaySeconds=5&MessageGroupId=g&Version=x\
             &MessageAttribute.1.Name=n&MessageAttribute.1.Value.StringValue=v\
             &MessageAttribute.1.Value.DataType=String",
        );
        let expected = json!({
            "MessageBody": "a&b",
            "DelaySeconds": 5,
            "MessageGroupId": "g",
            "MessageAttributes": {"n": {"StringValue": "v", "DataType": "String"}},
        });
        assert_eq!(Value::Object(entry(&form, "")), expected);
    }

    #[test]
    fn a_form_is_a_batch() {
        let form = form(
            "SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=1\
             &SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=2",
        );
        let expected = json!([{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2"}]);
        assert_eq!(json!(entries(&form)), expected);
    }
}
