//! What the S3 types share: codes, reasons to try again, tags and formulas.

pub mod acl;
pub mod bucket;
pub mod bucket_name;
pub mod bucket_tags;
pub mod content;
pub mod empty;
pub mod grants;
pub mod hosted_zone;
pub mod object;
pub mod object_calls;
pub mod object_rules;
pub mod object_settings;
pub mod ownership_controls;
pub mod parts;
pub mod policy;
pub mod public_access_block;
pub mod upload;
pub mod versioning;

use crate::resource::author::*;
use crate::resource::aws::Aws;
use aws_sdk_s3::types::Tag;
use tokio::time::Instant;

/// What S3 returns where the bucket does not exist. A HEAD reply has no body, so the SDK maps its
/// status to `NotFound`.
pub const NO_BUCKET: &[&str] = &["NoSuchBucket", "NotFound"];

/// How long a refusal because of another change of the same bucket is waited out.
const BUSY_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How long a bucket that was just created may be unknown to other calls.
const SETTLING: Duration = Duration::from_secs(2 * 60);

/// The ARN of a bucket, or of an object where `name` is `bucket/key`.
pub fn arn(aws: &Aws, name: &str) -> String {
    format!("arn:{}:s3:::{name}", aws.partition())
}

/// The lane of a bucket's configuration: S3 returns `OperationAborted` for writes that overlap.
pub(crate) const LANE: Lane = Lane("s3", "bucket");

/// What settings of a bucket belong to.
pub(crate) const BUCKET: Parent = Parent::dies_with("aws:s3:Bucket", "bucket", &["bucket"]);

/// How a bucket is imported, and what belongs to it.
pub(crate) const BY_BUCKET: Import = Import::Name(
    "the bucket's name",
    &['/', ':', ','],
    "bucket, such as my-bucket",
);

/// The outputs of a setting of a bucket.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfBucket {
    /// The bucket's name.
    #[schemars(extend("from" = ["bucket"]))]
    pub id: String,
}

impl From<String> for OfBucket {
    fn from(id: String) -> Self {
        Self { id }
    }
}

/// The account that the bucket must belong to, among what is known.
pub(crate) fn owner(attributes: &Attributes) -> Option<String> {
    attributes["expectedBucketOwner"]
        .as_str()
        .map(str::to_owned)
}

/// What represents a bucket's ownership controls among what a run wrote.
pub(crate) fn ownership_of(bucket: &str) -> String {
    format!("s3/{bucket}/ownership")
}

/// Why a refused write of a bucket may be retried. S3 does nothing when it returns these.
pub fn busy(error: &Error) -> Option<&'static str> {
    if error.is(&["SlowDown"]) {
        // A 503, so its effect counts as unknown elsewhere; S3 documents it as not done.
        return Some("S3 asks to slow down");
    }
    if error.effect() == Effect::Unknown {
        return None;
    }
    if error.is(&["OperationAborted"]) {
        return Some("another change of the same bucket is still running");
    }
    if error.is(&["ConditionalRequestConflict"]) {
        return Some("another write of the same object is still running");
    }
    error.is_throttle().then_some("S3 asks to slow down")
}

/// What a write of something that exists waits out.
pub(crate) const BUSY: Waits = (BUSY_LIMIT, busy);

/// What the first write below a bucket waits out, from now on: also that a new bucket is known
/// everywhere, and what else `refused` gives a reason for.
pub(crate) fn first(
    refused: impl Fn(&Error) -> Option<Reason> + Send,
) -> (Duration, impl Fn(&Error) -> Option<Reason> + Send) {
    let started = Instant::now();
    let reason = move |error: &Error| {
        let fresh = started.elapsed() < SETTLING && error.effect() == Effect::None;
        if fresh && error.is(&["NoSuchBucket"]) {
            return Some(Reason::created("a new bucket takes up to a minute"));
        }
        let busy = busy(error).map(Reason::from);
        busy.or_else(|| fresh.then(|| refused(error)).flatten())
    };
    (BUSY_LIMIT, reason)
}

/// Sends the first write below a bucket; see `first`.
pub async fn first_write<T, F>(
    cx: &Cx,
    refused: impl Fn(&Error) -> Option<Reason> + Send,
    attempt: impl FnMut() -> F + Send,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>> + Send,
    T: Send,
{
    let (limit, reason) = first(refused);
    cx.retry(limit, reason, attempt).await
}

/// What a write of a setting waits out: as the [`first`] one, where it creates it.
pub(crate) fn writing(
    new: bool,
    refused: impl Fn(&Error) -> Option<Reason> + Send,
) -> (Duration, impl Fn(&Error) -> Option<Reason> + Send) {
    let (limit, reason) = first(refused);
    let passing = move |error: &Error| match new {
        true => reason(error),
        false => busy(error).map(Reason::from),
    };
    (limit, passing)
}

/// The client for a write; one that creates is never retried blindly.
pub(crate) fn client(cx: &Cx, new: bool) -> &aws_sdk_s3::Client {
    if new { cx.aws.s3_once() } else { cx.aws.s3() }
}

/// For `first`: no further reason.
pub fn never(_error: &Error) -> Option<Reason> {
    None
}

/// What a refused HEAD of a bucket or an object means. It has no body, so S3 names no code; a 400
/// is what an expired or foreign session token gets, unless the reply names another region.
pub fn refused_head(cx: &Cx, what: &str, error: Error) -> Error {
    let region = cx.aws.region();
    match (error.status(), error.bucket_region()) {
        (Some(301 | 307 | 400), Some(of_bucket)) if of_bucket != region => Error::with_hint(
            format!("{what} is in region {of_bucket}, and the stack's region is {region}: {error}"),
            "Set providers.aws.region to the bucket's region, or use another bucket.",
        ),
        (Some(301), _) => Error::with_hint(
            format!("{what} is not in the stack's region {region}: {error}"),
            "Check providers.aws.region.",
        ),
        (Some(400), _) => Error::with_hint(
            format!("S3 returned 400 for {what} and named no reason: {error}"),
            "The credentials may have expired, or be of another partition: sign in again, then \
             run the command again.",
        ),
        _ => error,
    }
}

/// Whether a store refuses to delete many objects in one call: S3-compatible ones that want
/// Content-MD5 where the SDK sends another checksum (MinIO before 2025, and others), or lack the
/// call. AWS does not return these for it.
pub fn takes_single_deletes_only(error: &Error) -> bool {
    error.is(&[
        "MissingContentMD5",
        "MethodNotAllowed",
        "NotImplemented",
        "UnsupportedOperation",
    ]) || (error.is(&["InvalidRequest", "InvalidArgument"])
        && error.message().to_ascii_lowercase().contains("content-md5"))
}

/// Tags in the SDK's shape.
///
/// # Errors
/// When the SDK cannot build one, which a key and a value rule out.
pub fn sdk_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| built(&error))
}

/// The error for a request that could not be built.
pub fn built(error: &aws_sdk_s3::error::BuildError) -> Error {
    Error::failed(format!("the S3 request could not be built: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::aws::listing::unless;
    use crate::resource::error::CallError;
    use std::sync::{Arc, Mutex};

    fn refusal(code: &str, status: u16) -> Error {
        Error::Call(Box::new(CallError {
            call: "s3:PutBucketAcl",
            code: code.to_owned(),
            message: String::new(),
            bucket_region: None,
            request_id: None,
            status: Some(status),
            effect: if status >= 500 {
                Effect::Unknown
            } else {
                Effect::None
            },
        }))
    }

    #[test]
    fn only_definite_refusals_are_tried_again() {
        assert!(busy(&refusal("OperationAborted", 409)).is_some());
        assert!(busy(&refusal("SlowDown", 503)).is_some());
        assert!(busy(&refusal("InternalError", 500)).is_none());
        assert!(busy(&refusal("NoSuchBucket", 404)).is_none());
        assert!(busy(&refusal("AccessDenied", 403)).is_none());
    }

    /// Runs a first write whose attempts end like this; returns the reasons reported while waiting.
    fn write(answers: &[&'static str]) -> (Result<(), Error>, Vec<String>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let mut cx = Cx::new(Arc::new(Aws::offline()));
        let sink = Arc::clone(&told);
        cx.notify = Arc::new(move |text| sink.lock().unwrap().push(text.to_owned()));
        let mut answers = answers.iter();
        let attempt = || {
            let answer = answers.next().copied();
            async move { answer.map_or(Ok(()), |code| Err(refusal(code, 409))) }
        };
        let result = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(first_write(&cx, never, attempt));
        let told = told.lock().unwrap().clone();
        (result, told)
    }

    #[test]
    fn a_first_write_waits_for_the_bucket_and_for_other_writes() {
        let (result, told) = write(&["NoSuchBucket", "OperationAborted"]);
        assert!(result.is_ok());
        assert_eq!(
            told,
            [
                "retrying: S3 returned NoSuchBucket (a new bucket takes up to a minute)",
                "retrying: S3 returned OperationAborted (another change of the same bucket is still running)"
            ]
        );
        let (result, told) = write(&["AccessDenied", "OperationAborted"]);
        assert_eq!(result.unwrap_err().code(), "AccessDenied");
        assert!(told.is_empty());
    }

    #[test]
    fn what_does_not_exist_counts_as_deleted() {
        let gone = |code| unless::<()>(Err(refusal(code, 404)), policy::NOT_FOUND);
        assert!(gone("NoSuchBucket").is_ok());
        assert!(gone("NoSuchBucketPolicy").is_ok());
        assert!(gone("AccessDenied").is_err());
    }
}
