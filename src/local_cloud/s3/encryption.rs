//! Bucket policies that deny puts without the right encryption: the common baseline of a state
//! bucket. Of conditions only those on the two headers are evaluated.

use super::super::policy::denials;
use super::super::service::{ACCOUNT, Refusal};
use super::Call;
use super::error::error;
use super::model::Bucket;
use serde_json::Value;

/// Refuses a put that the bucket's policy denies because of its encryption headers.
pub(super) fn check(call: &Call<'_>, bucket: &Bucket) -> Result<(), Refusal> {
    let Some(policy) = &bucket.policy else {
        return Ok(());
    };
    let document: Value = serde_json::from_str(policy).unwrap_or_default();
    let arn = format!("arn:aws:s3:::{}/{}", call.bucket, call.key);
    let denied = denials(&document, "s3:PutObject", &arn)
        .into_iter()
        .any(|condition| applies(call, condition));
    if !denied {
        return Ok(());
    }
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: s3:PutObject on \
         resource: \"{arn}\" with an explicit deny in a resource-based policy"
    );
    Err(error("AccessDenied", &message))
}

/// Whether all parts of a condition hold. One that this table lacks does not.
fn applies(call: &Call<'_>, condition: &Value) -> bool {
    let Some(operators) = condition.as_object() else {
        return false;
    };
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        let mut keys = keys
            .map(|(key, wanted)| (header(call, key), wanted))
            .peekable();
        keys.peek().is_some() && keys.all(|(found, wanted)| holds(operator, found, wanted))
    })
}

/// The value of a condition key; none: the key is not evaluated here.
fn header<'c>(call: &'c Call<'_>, key: &str) -> Option<Option<&'c str>> {
    let name = key.strip_prefix("s3:")?.to_ascii_lowercase();
    let known = [
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
    ];
    known.contains(&name.as_str()).then(|| call.header(&name))
}

/// A missing key fulfils a negated operator, unless it ends in `IfExists` (IAM User Guide,
/// "Condition operators").
fn holds(operator: &str, found: Option<Option<&str>>, wanted: &Value) -> bool {
    let Some(found) = found else {
        return false;
    };
    let wanted = super::super::policy::texts(wanted);
    match (operator, found) {
        ("Null", found) => wanted.contains(&"true") == found.is_none(),
        ("StringNotEquals" | "StringNotEqualsIfExists", Some(found)) => !wanted.contains(&found),
        ("StringNotEquals", None) | ("StringEqualsIfExists", None) => true,
        ("StringEquals" | "StringEqualsIfExists", Some(found)) => wanted.contains(&found),
        _ => false,
    }
}
