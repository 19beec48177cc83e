//! The few calls that a state in S3 needs. A conditional write whose reply was lost is
//! looked at before it counts as refused.

use crate::files::LARGEST_STATE;
use crate::lang::place::S3Options;
use crate::resource::aws::Aws;
use crate::resource::aws::listing;
use crate::resource::aws::s3::{built, takes_single_deletes_only};
use crate::resource::denial::{Denial, Kind, Policy};
use crate::resource::error::{CallResult, Error, chain};
use crate::store::error::{Refused, StoreError};
use aws_sdk_s3::types::{Delete, ObjectIdentifier, ServerSideEncryption};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::sync::Arc;
use std::time::Duration;

/// A bucket, with the clients that reach it.
#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) aws: Arc<Aws>,
    pub(super) name: String,
    /// How its objects are encrypted.
    pub(super) options: S3Options,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}", self.name)
    }
}

/// An object as read.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) body: Vec<u8>,
    pub(super) etag: String,
}

/// What must hold for a write to take place.
#[derive(Debug, Clone, Copy)]
pub(super) enum If<'a> {
    /// The object does not exist.
    New,
    /// The object has this ETag.
    Match(&'a str),
    /// Nothing.
    Always,
}

/// Error codes of S3 when the condition of a write does not hold. `NoSuchKey`: the object that
/// `If-Match` requires does not exist.
const REFUSED: &[&str] = &["PreconditionFailed", "NoSuchKey"];

/// How many objects are read at once.
const AT_ONCE: usize = 32;

/// How often a write is repeated that met another one of the same object.
const TRIES: u32 = 6;

impl Bucket {
    pub(super) fn error(&self, doing: &'static str, key: &str, error: Error) -> StoreError {
        StoreError::Cloud {
            doing,
            place: format!("s3://{}/{key}", self.name),
            error: Box::new(Refused {
                message: error.to_string(),
                code: error.code().to_owned(),
                hint: error.hint(),
                of_credentials: error.is_of_credentials(),
            }),
        }
    }

    /// Reads an object; none where it does not exist.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        self.get_small(key, LARGEST_STATE).await
    }

    /// The same, of one that has at most so many bytes.
    pub(super) async fn get_small(
        &self,
        key: &str,
        most: u64,
    ) -> Result<Option<Object>, StoreError> {
        let reply = self.aws.s3().get_object().bucket(&self.name).key(key);
        let reply = reply.send().await;
        let reply = reply
            .call_unless("s3:GetObject", &["NoSuchKey"])
            .map_err(|error| self.error("reading", key, error))?;
        let Some(reply) = reply else {
            return Ok(None);
        };
        let etag = reply.e_tag.unwrap_or_default();
        let mut stream = reply.body;
        let mut body = Vec::new();
        while let Some(piece) = stream.try_next().await.map_err(|error| {
            let why = chain(&error);
            let error = Error::failed(format!("the reply of s3:GetObject broke off: {why}"));
            self.error("reading", key, error)
        })? {
            if (body.len() + piece.len()) as u64 > most {
                return Err(self.too_large(key, most));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Some(Object { body, etag }))
    }

    fn too_large(&self, key: &str, most: u64) -> StoreError {
        let why = format!("it has more than {most} bytes, which stackctl writes to none");
        let next = format!("Look at s3://{}/{key}, which was left alone.", self.name);
        self.error("reading", key, Error::with_hint(why, next))
    }

    /// Writes an object; its ETag, or none where the condition does not hold.
    pub(super) async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        condition: If<'_>,
    ) -> Result<Option<String>, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let sse = self.options.sse.as_deref().map(ServerSideEncryption::from);
            let call = self.aws.s3().put_object().bucket(&self.name).key(key);
            let call = call
                .set_server_side_encryption(sse)
                .set_ssekms_key_id(self.options.kms_key_id.clone());
            let call = match condition {
                If::New => call.if_none_match("*"),
                If::Match(etag) => call.if_match(etag),
                If::Always => call,
            };
            let error = match call
                .body(body.clone().into())
                .send()
                .await
                .call("s3:PutObject")
            {
                Ok(reply) => return Ok(Some(reply.e_tag.unwrap_or_default())),
                Err(error) => error,
            };
            let busy = error.is(&["ConditionalRequestConflict", "OperationAborted"]);
            if busy && tries < TRIES {
                tokio::time::sleep(Duration::from_millis(50) * 2u32.pow(tries)).await;
                continue;
            }
            let refused = error.is(REFUSED) || error.status() == Some(412);
            // A repeated write is refused because of itself when only its reply was lost.
            let found = self.get(key).await;
            match found {
                Ok(Some(object)) if object.body == body => return Ok(Some(object.etag)),
                _ if refused => return Ok(None),
                _ => return Err(self.error("writing", key, self.denied(error))),
            }
        }
    }

    /// The keys right below a prefix, which ends in a slash, in order.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let all = listing::all("s3:ListBucket (ListObjectsV2)", |from| async move {
            let call = self.aws.s3().list_objects_v2().bucket(&self.name);
            let call = call.prefix(prefix).set_continuation_token(from);
            let reply = call.send().await.call("s3:ListBucket (ListObjectsV2)")?;
            let page = reply.contents.unwrap_or_default().into_iter();
            let keys = page.filter_map(|object| object.key);
            // What lies deeper is somebody else's, and so is what was not asked for.
            let is_below = |key: &String| {
                let name = key.strip_prefix(prefix);
                name.is_some_and(|name| !name.contains('/'))
            };
            let keys = keys.filter(is_below).collect();
            Ok((keys, reply.next_continuation_token))
        });
        all.await
            .map_err(|error| self.error("listing", prefix, error))
    }

    /// Reads many objects at once, in the order of the keys; those that do not exist are excluded.
    pub(super) async fn get_all(&self, keys: &[String]) -> Result<Vec<Object>, StoreError> {
        let reads = stream::iter(keys.iter().map(|key| self.get(key)));
        let mut reads = reads.buffered(AT_ONCE);
        let (mut all, mut size) = (Vec::new(), 0);
        while let Some(object) = reads.try_next().await? {
            size += object.as_ref().map_or(0, |object| object.body.len() as u64);
            if size > LARGEST_STATE {
                return Err(self.too_large(&keys[0], LARGEST_STATE));
            }
            all.extend(object);
        }
        Ok(all)
    }

    /// A denial of a write, with what the place may lack.
    fn denied(&self, error: Error) -> Error {
        let Error::Call(call) = &error else {
            return error;
        };
        let kind = Denial::parse(&call.message).kind;
        let perhaps = matches!(
            kind,
            Kind::Unsaid | Kind::ExplicitDeny(Policy::Resource | Policy::ServiceControl)
        );
        if !error.is_denied() || !perhaps {
            return error;
        }
        let hint = match &self.options.sse {
            None => format!(
                "A bucket that takes encrypted objects only wants the place of the state to say \
                 so: s3://{}/…?sse=aws:kms&kmsKeyId=… (or ?sse=AES256). Else allow s3:PutObject \
                 there.",
                self.name
            ),
            Some(sse) => format!(
                "The write was sent with sse={sse}{}; look in the bucket's policy whether it wants \
                 another one, or another kmsKeyId. Else allow s3:PutObject there.",
                self.options
                    .kms_key_id
                    .as_ref()
                    .map_or_else(String::new, |key| format!(" and kmsKeyId={key}"))
            ),
        };
        Error::with_hint(error.to_string(), hint)
    }

    /// Deletes objects; one that does not exist is fine.
    ///
    /// # Errors
    /// When a call fails, or S3 keeps one of them: the reply lists those.
    pub(super) async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        for page in keys.chunks(1000) {
            let failed = |error| self.error("deleting", &page[0], error);
            let objects: Result<Vec<_>, _> = page
                .iter()
                .map(|key| ObjectIdentifier::builder().key(key).build())
                .collect();
            let delete = Delete::builder()
                .set_objects(Some(objects.map_err(|error| failed(built(&error)))?))
                .quiet(true)
                .build()
                .map_err(|error| failed(built(&error)))?;
            let call = self.aws.s3().delete_objects().bucket(&self.name);
            match call
                .delete(delete)
                .send()
                .await
                .call("s3:DeleteObject (DeleteObjects)")
            {
                Ok(reply) => {
                    let mut kept = reply.errors().iter();
                    if let Some(error) = kept.find(|it| it.code() != Some("NoSuchKey")) {
                        let why = format!(
                            "s3:DeleteObject returned {} for {}: {}",
                            error.code().unwrap_or("an error"),
                            error.key().unwrap_or("a key"),
                            error.message().unwrap_or_default()
                        );
                        return Err(failed(Error::failed(why)));
                    }
                }
                Err(error) if takes_single_deletes_only(&error) => {
                    for key in page {
                        let call = self.aws.s3().delete_object().bucket(&self.name).key(key);
                        let reply = call.send().await;
                        reply
                            .call_unless("s3:DeleteObject", &["NoSuchKey"])
                            .map_err(|error| self.error("deleting", key, error))?;
                    }
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}
