//! `aws:s3:BucketObject`: one object.

use crate::resource::author::*;
use crate::resource::aws::s3::content::{self, Content, unquoted};
use crate::resource::aws::s3::empty::Emptying;
use crate::resource::aws::s3::object_calls::{
    head, live, put_acl, put_legal_hold, put_retention, retag, tags,
};
pub use crate::resource::aws::s3::object_settings::BucketObject;
use crate::resource::aws::s3::object_settings::{CONTENT, HASHED, UPLOADED};
use crate::resource::aws::s3::{self, object_rules, parts, upload};
use crate::resource::aws::time::{rfc3339, time};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The outputs of `aws:s3:BucketObject`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// `bucket/key`.
    #[schemars(extend("from" = ["bucket", "key"]))]
    pub id: String,
    /// The ARN.
    #[schemars(extend("from" = ["bucket", "key"]))]
    pub arn: String,
    /// The ETag without quotes: the MD5 of the content in hex, unless KMS encrypts it.
    #[schemars(extend("volatile" = UPLOADED, "from" = HASHED))]
    pub etag: Option<String>,
    /// The version, in a versioned bucket.
    #[schemars(extend("volatile" = UPLOADED, "from" = []))]
    pub version_id: Option<String>,
    /// The CRC-32 in base64, where `checksumAlgorithm` says so.
    #[schemars(extend("volatile" = UPLOADED, "from" = HASHED))]
    pub checksum_crc32: Option<String>,
    /// The CRC-32C in base64, where `checksumAlgorithm` says so.
    #[schemars(extend("volatile" = UPLOADED, "from" = HASHED))]
    pub checksum_crc32c: Option<String>,
    /// The CRC-64/NVME in base64, where `checksumAlgorithm` says so.
    #[schemars(extend("volatile" = UPLOADED, "from" = HASHED))]
    pub checksum_crc64nvme: Option<String>,
    /// The SHA-1 in base64, where `checksumAlgorithm` says so.
    #[schemars(extend("volatile" = UPLOADED, "from" = HASHED))]
    pub checksum_sha1: Option<String>,
    /// The SHA-256 in base64, where `checksumAlgorithm` says so.
    #[schemars(extend("volatile" = UPLOADED, "from" = HASHED))]
    pub checksum_sha256: Option<String>,
}

/// The outputs out of a PutObject or HeadObject reply, which use the same names. S3 and the SDK add
/// checksums of their own choice; only the requested one is returned.
macro_rules! outputs_of {
    ($cx:expr, $id:expr, $reply:expr, $algorithm:expr) => {{
        let (reply, algorithm): (_, Option<&str>) = ($reply, $algorithm);
        let told = |name: &str, sum: Option<&str>| {
            sum.filter(|_| algorithm == Some(name)).map(str::to_owned)
        };
        Outputs {
            id: $id.to_owned(),
            arn: s3::arn(&$cx.aws, $id),
            etag: reply.e_tag().map(unquoted),
            version_id: reply.version_id().map(str::to_owned),
            checksum_crc32: told("CRC32", reply.checksum_crc32()),
            checksum_crc32c: told("CRC32C", reply.checksum_crc32_c()),
            checksum_crc64nvme: told("CRC64NVME", reply.checksum_crc64_nvme()),
            checksum_sha1: told("SHA1", reply.checksum_sha1()),
            checksum_sha256: told("SHA256", reply.checksum_sha256()),
        }
    }};
}

/// Puts the content and all that goes with it; with `new`, only where no object exists yet.
async fn store(cx: &Cx, props: &BucketObject, new: bool) -> Result<Outputs, Error> {
    let id = &props.id();
    let algorithm = props.checksum_algorithm.as_deref();
    let bytes = match content::content(cx, props).await? {
        Content::Whole(bytes) => bytes,
        Content::Parts(source) => {
            let reply = parts::put(cx, props, &source, new).await?;
            return Ok(outputs_of!(cx, id, &reply, algorithm));
        }
    };
    let attempt = || async {
        let client = if new { cx.aws.s3_once() } else { cx.aws.s3() };
        let request = upload::put(client, props, bytes.clone())?;
        let request = request.set_if_none_match(new.then(|| "*".to_owned()));
        let request = request.customize();
        send!(
            request.config_override(upload::checksums(props)),
            "s3:PutObject"
        )
    };
    let reply = s3::first_write(cx, s3::never, attempt).await?;
    Ok(outputs_of!(cx, id, &reply, algorithm))
}

fn explain_refusal(cx: &Cx, props: &BucketObject, error: Error) -> Error {
    let id = props.id();
    if error.is(&["PreconditionFailed"]) || error.status() == Some(412) {
        return import_id::exists(cx, &format!("an object at {id}"), &id);
    }
    if error.is(&["NotImplemented"]) || error.status() == Some(501) {
        return Error::with_hint(
            format!(
                "the service cannot store {id} only where nothing is yet (If-None-Match): {error}"
            ),
            "Use a service with conditional writes; stackctl puts no object over a stranger's.",
        );
    }
    error
}

impl Resource for BucketObject {
    const TYPE: &'static str = "aws:s3:BucketObject";
    const CALLS: &'static [&'static str] = &[
        "s3:AbortMultipartUpload",
        "s3:CompleteMultipartUpload",
        "s3:CreateMultipartUpload",
        "s3:DeleteObject",
        "s3:DeleteObjectTagging",
        "s3:GetObjectTagging",
        "s3:HeadObject",
        "s3:ListMultipartUploads",
        "s3:PutObject",
        "s3:PutObjectAcl",
        "s3:PutObjectLegalHold",
        "s3:PutObjectRetention",
        "s3:PutObjectTagging",
        "s3:UploadPart",
    ];
    const IMPORT: Import = Import::Other("`bucket/key` or `s3://bucket/key`", |text| {
        let text = text.strip_prefix("s3://").unwrap_or(text);
        import_id::parts(text, "bucket/key", '/')
    });
    const IDENTITY: &'static [&'static str] = &["bucket", "key"];
    const PARENTS: &'static [Parent] = &[Parent::stops("aws:s3:Bucket", "bucket", &["bucket"])];
    const AFTER: &'static [After] = &[
        // An object written before is the version "null", and stays it.
        After {
            deleted_before: false,
            ..After::siblings("aws:s3:BucketVersioning", "bucket")
        },
        // S3 refuses an ACL where ACLs are switched off, and a public one where it is blocked.
        After {
            applies: |object, _| object.get("acl").is_some(),
            ..After::siblings("aws:s3:BucketOwnershipControls", "bucket")
        },
        After {
            applies: |object, _| object.get("acl").is_some(),
            closes: |from, to| turned_on(from, to, &["blockPublicAcls"]),
            ..After::siblings("aws:s3:BucketPublicAccessBlock", "bucket")
        },
    ];
    type Outputs = Outputs;

    const CONTENT_HASH: Option<&'static str> = Some("etag");
    const CONTENT: &'static [&'static str] =
        &["source", "content", "contentBase64", "sourceHash", "etag"];

    /// The ETag is the MD5 of an object that went up in one call and that KMS does not encrypt
    /// (S3 API, Object).
    fn has_content(attributes: &Attributes, content: &crate::content::Content) -> Option<bool> {
        let text = |name: &str| attributes.get(name).and_then(Value::as_str);
        let etag = unquoted(text("etag")?);
        let kms = text("serverSideEncryption").is_some_and(|kind| kind.starts_with("aws:kms"));
        let plain = !kms && text("kmsKeyId").is_none() && etag.len() == 32;
        plain.then(|| etag == content.md5)
    }

    fn holds(props: &Data) -> Option<crate::content::Content> {
        use crate::content::Content;
        let known = |name: &str| {
            let path = Path::root().join(name);
            let value = path.get(&props.value).and_then(Value::as_str);
            value.filter(|_| props.get(&path).is_some_and(|data| data.is_known()))
        };
        match (known("content"), known("contentBase64")) {
            (Some(text), _) => Some(Content::of(text.as_bytes())),
            (None, Some(text)) => STANDARD.decode(text).ok().map(|bytes| Content::of(&bytes)),
            (None, None) => None,
        }
    }

    /// The same ETag means the same content.
    fn assumed_on_import(props: &Value, live: &Attributes) -> &'static [&'static str] {
        let etag = props.get("etag").filter(|etag| etag.is_string());
        if etag.is_some() && etag == live.get("etag") {
            &[
                "forceDestroy",
                "sourceHash",
                "content",
                "contentBase64",
                "source",
            ]
        } else {
            &["forceDestroy", "sourceHash"]
        }
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        object_rules::faults(rules)
    }

    fn canonical(props: &mut Cow<'_, Value>) {
        let props = props.to_mut();
        let change = |value: &mut Value, form: &dyn Fn(&str) -> Option<String>| {
            if let Some(text) = value.as_str().and_then(form) {
                *value = json!(text);
            }
        };
        if let Some(etag) = props.get_mut("etag") {
            change(etag, &|text| Some(unquoted(text)));
        }
        if let Some(key) = props.get_mut("kmsKeyId") {
            change(key, &|text| Some(text.rsplit_once(":key/")?.1.to_owned()));
        }
        if let Some(until) = props.get_mut("objectLockRetainUntilDate") {
            change(until, &|text| rfc3339(&time(text).ok()?));
        }
    }

    fn held_at(id: &str) -> Option<(&str, &str)> {
        id.split_once('/')
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = new.props;
        let id = props.id();
        let outputs = store(cx, &props, true).await;
        let outputs = outputs.map_err(|error| explain_refusal(cx, &props, error))?;
        Ok(Made { id, outputs })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let (bucket, key) = split(&read.id)?;
        let algorithm = read.attributes["checksumAlgorithm"].as_str();
        let wanted = read.wants("tags");
        let (head, known) = tokio::join!(
            head(cx, bucket, key, algorithm.is_some()),
            tags(cx, read, [bucket, key], wanted)
        );
        let Some(head) = head? else {
            return Ok(None);
        };
        // A new upload takes off all tags that it does not bring along, those of others too. The
        // count comes to those only who may read the tags.
        let others = !wanted && head.tag_count().is_some_and(|count| count > 0);
        let tags = match others {
            true => tags(cx, read, [bucket, key], true).await,
            false => known,
        };
        let props = Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            tags: tags?,
            ..live(&head)
        };
        Ok(Some(Live::new(
            props,
            outputs_of!(cx, &read.id, &head, algorithm),
        )))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let new = &change.new;
        if change.has(UPLOADED) {
            return Ok(Made::new(change.id, store(cx, new, false).await?));
        }
        if change.has(&["tags"]) {
            retag(cx, new).await?;
        }
        if change.has(&["acl"]) {
            put_acl(cx, new).await?;
        }
        if change.has(&["objectLockLegalHoldStatus"]) {
            put_legal_hold(cx, new).await?;
        }
        if change.has(&["objectLockMode", "objectLockRetainUntilDate"]) {
            put_retention(cx, new).await?;
        }
        let outputs = serde_json::from_value(change.live.into_value()).map_err(|error| {
            Error::failed(format!(
                "the known outputs of {} are odd: {error}",
                change.id
            ))
        })?;
        Ok(Made {
            outputs,
            id: change.id,
        })
    }

    async fn delete(cx: &Cx, id: &str, attributes: &Attributes) -> Result<(), Error> {
        let (bucket, key) = split(id)?;
        let version = attributes.get("versionId").and_then(Value::as_str);
        if version.is_some_and(|version| version != "null") {
            let unlock = attributes.get("forceDestroy") == Some(&Value::Bool(true));
            let versions = Emptying {
                bucket,
                key: Some(key),
                unlock,
            };
            return versions.run(cx).await;
        }
        let request = cx.aws.s3().delete_object().bucket(bucket).key(key);
        send!(request, "s3:DeleteObject", none: &["NoSuchBucket", "NotFound", "NoSuchKey"])
            .map(|_| ())
    }

    /// An object carries no owner, so the one at the key counts as ours if its content is what we
    /// sent (by ETag; with KMS by size, content type and metadata).
    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let (Some(bucket), Some(key)) = (known.text("bucket"), known.text("key")) else {
            return Ok(None);
        };
        let id = format!("{bucket}/{key}");
        let Some(head) = head(cx, bucket, key, false).await? else {
            return Ok(None);
        };
        let live = live(&head);
        if CONTENT.iter().any(|name| known.is_withheld(name)) {
            // What was secret is not known any more after a crash. The create in progress takes
            // effect only where no object exists, so the object at the key is most likely its own;
            // if the content is another, the next plan says so.
            let metadata = known.compare("metadata", &json!(live.metadata));
            let created = !cx.owner.operation.is_empty();
            return Ok((created && metadata != Match::Different).then_some(id));
        }
        let props = &known.parsed::<Self>()?;
        let content = content::content(cx, props).await?;
        let same = if live.is_kms() {
            head.content_length() == i64::try_from(content.size()).ok()
                && (known.is_withheld("contentType")
                    || live.content_type.as_deref() == Some(&upload::content_type(props)))
                && known.compare("metadata", &json!(live.metadata)) != Match::Different
        } else {
            live.etag == Some(content.etag().await?)
        };
        Ok(same.then_some(id))
    }
}

fn split(id: &str) -> Result<(&str, &str), Error> {
    id.split_once('/').ok_or_else(|| {
        Error::failed(format!(
            "{id} is no object's id, which has the form bucket/key"
        ))
    })
}

#[cfg(test)]
#[path = "object_test.rs"]
mod tests;
