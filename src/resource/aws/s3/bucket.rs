//! `aws:s3:Bucket`: a bucket. Its settings are resources of their own.
//!
//! A bucket may be tagged in a second call, where S3 takes no tags in the create. A crash between
//! the two leaves a bucket of a given name without an owner: the next apply says that it exists and
//! how to import it. A generated name needs no owner.

use crate::resource::author::*;
use crate::resource::aws::s3::bucket_name::{generated, name_fault, prefix_of};
use crate::resource::aws::s3::bucket_tags::{all_tags, put as put_tags, retag, tags};
use crate::resource::aws::s3::empty::{Emptying, count};
use crate::resource::aws::s3::hosted_zone::hosted_zone;
use crate::resource::aws::s3::{self, NO_BUCKET, refused_head};
use crate::resource::aws::{listing, tags as tag_rules};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, ObjectLockEnabled,
};
use futures_util::future::OptionFuture;

/// The region whose CreateBucket takes no location, and returns 200 for a bucket of your own.
const CLASSIC: &str = "us-east-1";

/// How often a bucket that others still write to is emptied before giving up.
const ROUNDS: usize = 10;

/// An S3 bucket. A new bucket has ACLs switched off and public access blocked; the types
/// `aws:s3:BucketOwnershipControls` and `aws:s3:BucketPublicAccessBlock` change that.
/// Creating one with tags takes `s3:TagResource` (stackctl always sends its own); where it is
/// denied, the tags follow in a call of their own, which takes `s3:PutBucketTagging`. Tags of a
/// bucket with attribute-based access control (ABAC) cannot be changed here: S3 refuses
/// PutBucketTagging for it.
///
/// ```yaml
/// bucket:
///   type: aws:s3:Bucket
///   properties: {bucketPrefix: orders-}
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bucket {
    /// The name, unique within the partition. Without it, and without `bucketPrefix`, a name is
    /// generated from the resource's address.
    #[schemars(length(min = 3, max = 63))]
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$"))]
    #[schemars(extend("createOnly" = true))]
    pub bucket: Option<String>,
    /// The start of a generated name; 26 characters are put after it.
    #[schemars(length(min = 1, max = 37), regex(pattern = r"^[a-z0-9][a-z0-9.-]*$"))]
    #[schemars(extend("createOnly" = true, "prefixOf" = "bucket", "writeOnly" = true))]
    pub bucket_prefix: Option<String>,
    /// The namespace of the name: `global`, or `account-regional` for names of the form
    /// `<prefix>-<account>-<region>-an`.
    #[schemars(extend(
        "createOnly" = true,
        "writeOnly" = true,
        "enum" = ["global", "account-regional"],
        "default" = "global"
    ))]
    pub bucket_namespace: Option<String>,
    /// Delete all objects, with all their versions, when the bucket is deleted. Where
    /// `objectLockEnabled` is set, legal holds and governance retention are lifted as well.
    #[schemars(extend("writeOnly" = true, "default" = false))]
    pub force_destroy: Option<bool>,
    /// Allow object lock; switches versioning on as well.
    #[schemars(extend("createOnly" = true, "default" = false))]
    pub object_lock_enabled: Option<bool>,
    /// Tags. S3 allows 50, of which stackctl uses 3.
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<BTreeMap<String, String>>,
}

/// The outputs of `aws:s3:Bucket`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The name.
    #[schemars(extend("from" = ["bucket", "bucketPrefix"]))]
    pub id: String,
    /// The name, generated where the file gives none.
    #[schemars(extend("from" = ["bucket", "bucketPrefix"]))]
    pub bucket: String,
    /// The ARN.
    #[schemars(extend("from" = ["bucket", "bucketPrefix"]))]
    pub arn: String,
    /// The host name of the bucket, `name.s3.amazonaws.com`.
    #[schemars(extend("from" = ["bucket", "bucketPrefix"]))]
    pub bucket_domain_name: String,
    /// The host name of the bucket in its region.
    #[schemars(extend("from" = ["bucket", "bucketPrefix"]))]
    pub bucket_regional_domain_name: String,
    /// The region the bucket is in.
    #[schemars(extend("from" = []))]
    pub region: String,
    /// The Route 53 zone of the region's website endpoint; none for a region that stackctl
    /// does not know.
    #[schemars(extend("from" = []))]
    pub hosted_zone_id: Option<String>,
}

fn outputs(cx: &Cx, name: &str, region: &str) -> Outputs {
    let suffix = cx.aws.dns_suffix();
    Outputs {
        id: name.to_owned(),
        bucket: name.to_owned(),
        arn: s3::arn(&cx.aws, name),
        bucket_domain_name: format!("{name}.s3.{suffix}"),
        bucket_regional_domain_name: format!("{name}.s3.{region}.{suffix}"),
        region: region.to_owned(),
        hosted_zone_id: hosted_zone(region).map(str::to_owned),
    }
}

impl Resource for Bucket {
    const TYPE: &'static str = "aws:s3:Bucket";
    const CALLS: &'static [&'static str] = &[
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:DeleteBucketTagging",
        "s3:DeleteObject",
        "s3:DeleteObjects",
        "s3:GetBucketTagging",
        "s3:GetObjectLockConfiguration",
        "s3:HeadBucket",
        "s3:ListBuckets",
        "s3:ListObjectVersions",
        "s3:PutBucketTagging",
    ];
    const EMPTIED_BY: Option<&'static str> = Some("forceDestroy");
    const IMPORT: Import = s3::BY_BUCKET;
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const COUNTING_NEEDS_CALL: bool = true;
    const TAGGING: Option<Tagging> = Some(Tagging::Plain);
    const LANE: Option<Lane> = Some(s3::LANE);
    type Outputs = Outputs;

    fn assumed_on_import(_props: &Value, _live: &Attributes) -> &'static [&'static str] {
        &["forceDestroy"]
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let mut broken = Vec::new();
        if rules.given("bucket") && rules.given("bucketPrefix") {
            broken.push(
                Broken::at("bucketPrefix", "bucket and bucketPrefix exclude each other")
                    .code("SK0602"),
            );
        }
        let name = rules.known("bucket").and_then(Value::as_str);
        if let Some(why) = name.and_then(name_fault) {
            broken.push(Broken::at("bucket", why).code("SK0601"));
        }
        if rules.known("bucketNamespace") == Some(&json!("account-regional")) {
            if !rules.given("bucket") {
                broken.push(
                    Broken::at(
                        "bucketNamespace",
                        "an account-regional name cannot be generated; give bucket a name of the \
                     form <prefix>-<account>-<region>-an",
                    )
                    .code("SK0603"),
                );
            } else if name.is_some_and(|name| !name.ends_with("-an")) {
                broken.push(
                    Broken::at(
                        "bucket",
                        "an account-regional name has the form <prefix>-<account>-<region>-an",
                    )
                    .code("SK0603"),
                );
            }
        }
        broken
    }

    fn decide(props: &Value, draw: &mut Draw) -> Map<String, Value> {
        let name = match (props.get("bucket"), props.get("bucketPrefix")) {
            (Some(Value::String(name)), _) => name.clone(),
            (None, Some(Value::String(prefix))) => generated(prefix, draw),
            (None, None) => generated(&prefix_of(&draw.address), draw),
            // Null stands for a value that only the apply will know.
            _ => return Map::new(),
        };
        Map::from_iter([
            ("bucket".to_owned(), json!(name)),
            ("id".to_owned(), json!(name)),
        ])
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let name = name_of(&new)?;
        let region = cx.aws.region();
        if region == CLASSIC {
            refuse_existing(cx, &name)
                .await
                .map_err(Error::before_write)?;
        }
        let tags = cx.owner.tagged(new.props.tags.as_ref());
        match create_bucket(cx, &name, &new.props, Some(&tags)).await {
            Err(error) if tags_refused(&error) => {
                create_then_tag(cx, &name, &new.props, &tags).await?;
            }
            other => other.map_err(|error| explain(cx, &name, error))?,
        }
        let outputs = outputs(cx, &name, region);
        Ok(Made::new(name, outputs))
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let id = &read.id;
        let held = OptionFuture::from(read.counts.then(|| count(cx, id)));
        let (head, tags, locked, held) =
            tokio::join!(head(cx, id), tags(cx, read), locked(cx, read), held);
        let Some(region) = head.map_err(|error| unseen(cx, id, error))? else {
            return Ok(None);
        };
        let props = Self {
            bucket: Some(id.clone()),
            tags: tags?.and_then(user_tags),
            object_lock_enabled: locked?,
            ..Self::default()
        };
        let live = Live::new(props, outputs(cx, id, &region));
        Ok(Some(live.holding(held)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let id = change.id.as_str();
        if change.has(&["tags"]) {
            retag(cx, id, change.old.tags.as_ref(), change.new.tags.as_ref()).await?;
        }
        let region = change.live.get("region").and_then(Value::as_str);
        let outputs = outputs(cx, id, region.unwrap_or_else(|| cx.aws.region()));
        Ok(Made::new(change.id, outputs))
    }

    async fn delete(cx: &Cx, id: &str, attributes: &Attributes) -> Result<(), Error> {
        let is_set = |name: &str| attributes.get(name) == Some(&Value::Bool(true));
        for _ in 0..ROUNDS {
            let refused = match delete_bucket(cx, id).await {
                Err(error) if error.is(&["BucketNotEmpty"]) => error,
                other => return other,
            };
            if !is_set("forceDestroy") {
                return Err(Error::with_hint(
                    format!(
                        "bucket {id} still holds objects or versions, so S3 keeps it: {refused}"
                    ),
                    "Empty it, or set forceDestroy: true, apply, and destroy again.",
                ));
            }
            cx.waiting("the bucket's objects are being deleted");
            let all = Emptying {
                bucket: id,
                key: None,
                unlock: is_set("objectLockEnabled"),
            };
            all.run(cx).await?;
        }
        Err(Error::with_hint(
            format!("bucket {id} was emptied {ROUNDS} times and is still not empty"),
            "Stop what writes to it, then run the command again.",
        ))
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let given = known.text("bucket");
        let name = match known.is_withheld("bucket") {
            true => None,
            false => given.or(known.decided("bucket")),
        };
        let Some(name) = name.map(str::to_owned) else {
            return Ok(None);
        };
        match all_tags(cx, &name).await {
            Ok(Some(tags)) => Ok(cx.owner.made(&tags).then_some(name)),
            // A name that was drawn for this create is unique to it. Endpoints other than AWS's may
            // not keep the tags of a create.
            Ok(None) if given.is_none() => Ok(head(cx, &name).await?.is_some().then_some(name)),
            Ok(None) => Ok(None),
            // The tags cannot be read: of one's own bucket, or of somebody else's. The create of
            // that one failed, and will say so when it is retried.
            Err(error) if matches!(error.status(), Some(301 | 403)) => {
                match head(cx, &name).await {
                    Ok(Some(_)) if given.is_none() => Ok(Some(name)),
                    Ok(Some(_)) => {
                        let what = format!("A bucket named {name}");
                        Err(tag_rules::untold(&what, "s3:GetBucketTagging", &error))
                    }
                    Ok(None) => Ok(None),
                    Err(error) if matches!(error.status(), Some(301 | 403)) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn beginning(cx: &Cx, _known: &Known) -> String {
        prefix_of(&cx.owner.address)
    }

    async fn names(cx: &Cx, _known: &Known, start: &str) -> Result<Vec<String>, Error> {
        listing::all("s3:ListAllMyBuckets (ListBuckets)", |token| async move {
            let call = cx.aws.s3().list_buckets().max_buckets(1000);
            let call = call.prefix(start).bucket_region(cx.aws.region());
            let call = call.set_continuation_token(token);
            let reply = send!(call, "s3:ListAllMyBuckets (ListBuckets)")?;
            let buckets = reply.buckets.unwrap_or_default().into_iter();
            let names = buckets.filter_map(|bucket| bucket.name);
            // Endpoints other than AWS's may return all of them.
            let names = names.filter(|name| name.starts_with(start)).collect();
            Ok((names, reply.continuation_token))
        })
        .await
    }
}

fn name_of(new: &New<Bucket>) -> Result<String, Error> {
    new.props
        .bucket
        .as_deref()
        .or_else(|| new.decided.get("bucket")?.as_str())
        .map(str::to_owned)
        .ok_or_else(|| {
            Error::with_hint(
                "the bucket's name was not decided in the plan, since bucketPrefix was not known",
                "Give bucket or bucketPrefix a value that is known when the plan is made.",
            )
        })
}

/// The call that creates the bucket.
async fn create_bucket(
    cx: &Cx,
    name: &str,
    props: &Bucket,
    tags: Option<&BTreeMap<String, String>>,
) -> Result<(), Error> {
    let region = cx.aws.region();
    let tags = tags.map(s3::sdk_tags).transpose()?;
    let mut config = CreateBucketConfiguration::builder().set_tags(tags);
    if region != CLASSIC {
        config = config.location_constraint(BucketLocationConstraint::from(region));
    }
    let config = Some(config.build());
    let config = config.filter(|config| *config != CreateBucketConfiguration::builder().build());
    let namespace = props.bucket_namespace.as_deref();
    let request = cx
        .aws
        .s3_once()
        .create_bucket()
        .bucket(name)
        .set_create_bucket_configuration(config)
        .set_bucket_namespace(namespace.map(BucketNamespace::from))
        .set_object_lock_enabled_for_bucket(props.object_lock_enabled);
    send!(cx, request, "s3:CreateBucket", wait: s3::BUSY).map(|_| ())
}

/// Whether S3 refused a create for its tags: the caller has no `s3:TagResource` (roles written
/// before 2025 have `s3:PutBucketTagging` alone), or the partition takes no tags there.
fn tags_refused(error: &Error) -> bool {
    let denied = tag_rules::is_denied(error) && error.message().contains("s3:TagResource");
    let unknown = error.effect() == Effect::None
        && error.is(&["UnsupportedArgument", "MethodNotAllowed", "NotImplemented"]);
    denied || unknown
}

/// Creates the bucket and tags it in a second call. Until then nothing on it says whose it is, so
/// the name must be free before: a bucket that exists after a lost reply is then ours.
async fn create_then_tag(
    cx: &Cx,
    name: &str,
    props: &Bucket,
    tags: &BTreeMap<String, String>,
) -> Result<(), Error> {
    refuse_existing(cx, name).await?;
    match create_bucket(cx, name, props, None).await {
        Err(error) if error.effect() == Effect::Unknown => {
            if head(cx, name).await?.is_none() {
                return Err(error);
            }
        }
        other => other.map_err(|error| explain(cx, name, error))?,
    }
    cx.made(
        name,
        Attributes::new(json!(outputs(cx, name, cx.aws.region()))),
    );
    put_tags(cx, name, tags).await
}

fn explain(cx: &Cx, name: &str, error: Error) -> Error {
    match error.code() {
        "BucketAlreadyExists" => foreign(name, "another account"),
        "BucketAlreadyOwnedByYou" => name_taken(cx, name),
        _ => error,
    }
}

fn name_taken(cx: &Cx, name: &str) -> Error {
    import_id::exists(cx, &format!("a bucket named {name}"), name)
}

fn foreign(name: &str, owner: &str) -> Error {
    Error::with_hint(
        format!("a bucket called {name} exists already, in {owner}"),
        "Choose another name, or let bucketPrefix make one.",
    )
}

/// What a refused HEAD means; it has no body, so S3 says nothing of it itself.
fn unseen(cx: &Cx, name: &str, error: Error) -> Error {
    match error.status() {
        Some(403) => Error::with_hint(
            format!("bucket {name} exists, but this identity may not read it: {error}"),
            "Allow s3:ListBucket for the identity in use, or check whose bucket it is.",
        ),
        _ => refused_head(cx, &format!("bucket {name}"), error),
    }
}

/// In `us-east-1` a create of one's own bucket succeeds and resets its ACL, so look first.
async fn refuse_existing(cx: &Cx, name: &str) -> Result<(), Error> {
    match head(cx, name).await {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(name_taken(cx, name)),
        Err(error) if matches!(error.status(), Some(301 | 403)) => {
            Err(foreign(name, "another account or region"))
        }
        Err(error) => Err(error),
    }
}

/// The bucket's region; none when the bucket does not exist.
async fn head(cx: &Cx, name: &str) -> Result<Option<String>, Error> {
    let call = cx.aws.s3().head_bucket().bucket(name);
    let reply = send!(call, "s3:ListBucket (HeadBucket)", none: NO_BUCKET)?;
    Ok(reply.map(|reply| {
        let region = reply.bucket_region.filter(|region| !region.is_empty());
        region.unwrap_or_else(|| cx.aws.region().to_owned())
    }))
}

/// Whether object lock is on, where the file or the state has a say in it.
async fn locked(cx: &Cx, read: &Read) -> Result<Option<bool>, Error> {
    if !read.wants("objectLockEnabled") {
        return Ok(None);
    }
    let call = cx.aws.s3().get_object_lock_configuration().bucket(&read.id);
    let reply = send!(
        call, "s3:GetBucketObjectLockConfiguration (GetObjectLockConfiguration)",
        none: &["ObjectLockConfigurationNotFoundError", "NoSuchBucket"]
    )?;
    let enabled = reply
        .and_then(|reply| reply.object_lock_configuration)
        .and_then(|config| config.object_lock_enabled);
    Ok(Some(enabled == Some(ObjectLockEnabled::Enabled)))
}

async fn delete_bucket(cx: &Cx, name: &str) -> Result<(), Error> {
    let request = cx.aws.s3().delete_bucket().bucket(name);
    send!(cx, request, "s3:DeleteBucket", wait: s3::BUSY, gone: NO_BUCKET)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;

    fn broken(props: Value) -> Vec<String> {
        let props = Data::from(props);
        let rules = Rules {
            props: &props,
            peer: &|_| None,
        };
        Bucket::all_rules(&rules)
            .into_iter()
            .map(|broken| broken.path.to_string())
            .collect()
    }

    #[test]
    fn names_that_s3_refuses_are_refused() {
        for name in ["a..b", "10.0.0.1", "xn--abc", "abc-s3alias"] {
            assert_eq!(broken(json!({"bucket": name})), ["bucket"], "{name}");
        }
        assert!(broken(json!({"bucket": "my.logs-2"})).is_empty());
        assert_eq!(
            broken(json!({"bucket": "abc", "bucketPrefix": "abc"})),
            ["bucketPrefix"]
        );
        let regional = json!({"bucketNamespace": "account-regional", "bucketPrefix": "a"});
        assert_eq!(broken(regional), ["bucketNamespace"]);
        let reserved = json!({"tags": {"aws:a": "1", "stackctl:a": "1", "aws": "1"}});
        assert_eq!(broken(reserved).len(), 2);
    }

    #[test]
    fn a_generated_name_has_a_prefix_a_date_and_a_tail() {
        let mut draw = Draw::new(7, "code", 1_700_000_000);
        let decided = Bucket::decide(&json!({"bucketPrefix": "apigw-websocket"}), &mut draw);
        let name = decided["bucket"].as_str().unwrap();
        assert!(name.starts_with("apigw-websocket20231114221320"), "{name}");
        assert_eq!(name.len(), "apigw-websocket".len() + 26);
        assert_eq!(decided["id"], decided["bucket"]);
        let mut again = Draw::new(7, "code", 1_700_000_000);
        assert_eq!(
            decided,
            Bucket::decide(&json!({"bucketPrefix": "apigw-websocket"}), &mut again)
        );
    }

    #[test]
    fn a_name_that_is_not_known_yet_is_not_generated() {
        let mut draw = Draw::new(7, "code", 0);
        assert!(Bucket::decide(&json!({"bucket": null}), &mut draw).is_empty());
        assert!(Bucket::decide(&json!({"bucketPrefix": null}), &mut draw).is_empty());
    }
}
