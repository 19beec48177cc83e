//! What the SNS types share: codes, waits, ARNs, and documents in one form.

pub mod topic;
pub mod topic_subscription;

use crate::resource::author::*;
use crate::resource::aws::attributes::Texts;
use crate::resource::document;

/// The codes for what does not exist: of calls on topics and subscriptions, and of calls on tags
/// (service model, `NotFoundException` and `ResourceNotFoundException`).
pub(crate) const NOT_FOUND: &[&str] = &["NotFound", "ResourceNotFound"];

/// How long what was just created may be unknown to SNS.
const LAG: Duration = Duration::from_secs(60);

/// What waits out refusals that pass: another call is at the topic's tags (service model,
/// `ConcurrentAccessException` and `StaleTagException`), the topic is new, a policy names a
/// principal that is new (CloudFormation's handler of topic policies knows the message), throttling.
pub(crate) const PASSING: Waits<Reason> = (LAG, |error| match error.code() {
    _ if error.effect() != Effect::None => None,
    "ConcurrentAccess" | "StaleTag" => Some("another call is at the topic's tags".into()),
    code if NOT_FOUND.contains(&code) => Some(Reason::created("a new topic takes a few seconds")),
    "InvalidParameter" if error.message().contains("PrincipalNotFound") => {
        Some(Reason::created("a new principal takes up to a minute"))
    }
    _ => throttled(error).map(Reason::from),
});

/// Whether a create was refused because of one with other attributes or tags (`Topic already
/// exists with different attributes`, and the same of tags and of subscriptions).
pub(crate) fn exists(error: &Error) -> bool {
    error.is(&["InvalidParameter"]) && error.message().contains("already exists with different")
}

/// An ARN of SNS with so many parts.
pub(crate) fn imported(text: &str, parts: usize, form: &str) -> Result<Imported, String> {
    let found: Vec<&str> = text.split(':').collect();
    let fits = found.len() == parts && found.iter().all(|part| !part.is_empty());
    match fits && (found[0], found[2]) == ("arn", "sns") {
        true => Imported::named(text),
        false => Err(format!("{text:?} has not the form {form}")),
    }
}

/// Brings the documents into one form: parsed, a count of days as a number, a delivery policy
/// without what SNS fills in (Terraform's provider leaves out the same; Amazon SNS Developer
/// Guide, "Message delivery retries": the retry function is linear by default), and none that is
/// empty, which stands for none. A password is masked.
pub(crate) fn canonical(props: &mut Cow<'_, Value>) {
    let Some(props) = props.to_mut().as_object_mut() else {
        return;
    };
    props.retain(|name, value| {
        if let ("endpoint", Value::String(url)) = (name.as_str(), &mut *value) {
            *url = masked(url).into_owned();
        }
        if !name.ends_with("Policy") || name == "policy" {
            return true;
        }
        if let Value::String(text) = value {
            *value = document::parse(text);
        }
        if name == "deliveryPolicy" {
            drop_defaults(value);
        }
        let days = value.get("MessageRetentionPeriod").and_then(Value::as_str);
        if let Some(days) = days.and_then(|text| text.parse::<u64>().ok()) {
            value["MessageRetentionPeriod"] = json!(days);
        }
        *value != json!({}) && *value != json!("")
    });
}

fn drop_defaults(value: &mut Value) {
    let Value::Object(map) = value else {
        return;
    };
    map.values_mut().for_each(drop_defaults);
    map.retain(|_, value| {
        let filled = [json!(false), json!(0), json!("linear"), json!({})];
        !filled.contains(value)
    });
}

/// Attributes as a create sends them.
pub(crate) fn sent(texts: Texts) -> Option<HashMap<String, String>> {
    let texts = texts
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text));
    Some(texts.collect()).filter(|all: &HashMap<_, _>| !all.is_empty())
}

/// A URL as SNS shows it: a password in it is four asterisks.
pub(crate) fn masked(endpoint: &str) -> Cow<'_, str> {
    let parts = endpoint.split_once("://").and_then(|(scheme, rest)| {
        let (user, host) = rest.split_once('@')?;
        let (user, _) = user.split_once(':').filter(|_| !user.contains('/'))?;
        Some(format!("{scheme}://{user}:****@{host}"))
    });
    parts.map_or(Cow::Borrowed(endpoint), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        for (url, shown) in [
            (
                "https://me:secret@a.example/b",
                "https://me:****@a.example/b",
            ),
            ("https://a.example/b:c@d", "https://a.example/b:c@d"),
            ("me@a.example", "me@a.example"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}
