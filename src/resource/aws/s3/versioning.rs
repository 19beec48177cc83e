//! `aws:s3:BucketVersioning`: whether a bucket keeps old versions of its objects.

use crate::resource::aws::s3;
use crate::resource::context::Cx;
use crate::resource::error::{CallResult, Error};
use crate::resource::import_id::{self, Imported};
use crate::resource::relation::Parent;
use crate::resource::{Broken, Change, Known, Live, Made, New, Resource, Rules};
use aws_sdk_s3::types::{BucketVersioningStatus, MfaDelete, VersioningConfiguration as Sdk};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The versioning of a bucket. Once on it can only be suspended, never switched off, so
/// deleting this resource suspends it (and leaves it alone on a bucket with object lock,
/// where S3 allows no change). AWS advises to wait 15 minutes after the first enabling
/// before objects are written; stackctl does not wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketVersioning {
    /// The bucket's name.
    #[schemars(length(min = 3, max = 63), extend("createOnly" = true))]
    pub bucket: String,
    /// The settings.
    pub versioning_configuration: VersioningConfiguration,
    /// The root user's MFA device and its current code, separated by a blank. Needed to
    /// change `mfaDelete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("writeOnly" = true, "sensitive" = true))]
    pub mfa: Option<String>,
    /// The account that the bucket must belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        regex(pattern = r"^\d{12}$"),
        extend("createOnly" = true, "writeOnly" = true)
    )]
    pub expected_bucket_owner: Option<String>,
}

/// The settings of a bucket's versioning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersioningConfiguration {
    /// `Enabled`, `Suspended`, or `Disabled`: never switched on.
    #[schemars(extend("enum" = ["Enabled", "Suspended", "Disabled"]))]
    pub status: String,
    /// Whether deleting a version takes the root user's MFA code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Enabled", "Disabled"], "default" = "Disabled"))]
    pub mfa_delete: Option<String>,
}

/// The outputs of `aws:s3:BucketVersioning`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The bucket's name.
    #[schemars(extend("from" = ["bucket"]))]
    pub id: String,
}

const DISABLED: &str = "Disabled";

fn made(bucket: String) -> Made<Outputs> {
    Made {
        outputs: Outputs { id: bucket.clone() },
        id: bucket,
    }
}

fn sdk(config: &VersioningConfiguration, mfa_delete: Option<&str>) -> Sdk {
    Sdk::builder()
        .status(BucketVersioningStatus::from(config.status.as_str()))
        .set_mfa_delete(mfa_delete.map(MfaDelete::from))
        .build()
}

/// The settings as they are; none without the bucket. A bucket that was never versioned is
/// `Disabled`.
async fn get(
    cx: &Cx,
    bucket: &str,
    owner: Option<&str>,
) -> Result<Option<VersioningConfiguration>, Error> {
    let reply = cx
        .aws
        .s3()
        .get_bucket_versioning()
        .bucket(bucket)
        .set_expected_bucket_owner(owner.map(str::to_owned))
        .send()
        .await
        .call_unless("s3:GetBucketVersioning", &["NoSuchBucket"])?;
    Ok(reply.map(|reply| VersioningConfiguration {
        status: reply
            .status
            .map_or(DISABLED.to_owned(), |status| status.as_str().to_owned()),
        mfa_delete: reply.mfa_delete.map(|mfa| mfa.as_str().to_owned()),
    }))
}

/// The expected owner among known attributes.
fn owner(attrs: &Value) -> Option<&str> {
    attrs.get("expectedBucketOwner")?.as_str()
}

fn once_on(bucket: &str) -> Error {
    Error::with_hint(
        format!("versioning of bucket {bucket} has been on, so it cannot be Disabled any more"),
        "Set versioningConfiguration.status to Suspended.",
    )
}

/// Why the versioning of a bucket with object lock cannot be anything but on (S3 answers
/// `InvalidBucketState`).
fn locked(versioning: &Rules<'_>, bucket: &Rules<'_>) -> Option<Broken> {
    let config = versioning.known("versioningConfiguration")?;
    let is_off = config["status"]
        .as_str()
        .is_some_and(|status| status != "Enabled");
    (is_off && bucket.known("objectLockEnabled") == Some(&Value::Bool(true))).then(|| {
        Broken::at(
            "versioningConfiguration.status",
            "The bucket has objectLockEnabled, which switches versioning on and keeps it on: set this to Enabled, or take this resource out of the stack.",
        )
    })
}

impl Resource for BucketVersioning {
    const TYPE: &'static str = "aws:s3:BucketVersioning";
    const IMPORT_ID: &'static str = "`bucket` or `bucket,owner`";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const PARENTS: &'static [Parent] =
        &[Parent::dies_with("aws:s3:Bucket", "bucket", &["bucket"]).unless(locked)];
    type Outputs = Outputs;

    fn import(text: &str) -> Result<Imported, String> {
        import_id::bucket(text)
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let config = rules.known("versioningConfiguration");
        let mfa = config.and_then(|config| config.get("mfaDelete"));
        if mfa == Some(&json!("Enabled")) && !rules.given("mfa") {
            return vec![Broken::at(
                "mfa",
                "mfaDelete can only be enabled with the root user's MFA device and code in mfa",
            )];
        }
        Vec::new()
    }

    fn lane(attrs: &Value) -> Option<String> {
        s3::lane(attrs)
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = new.props;
        let config = &props.versioning_configuration;
        if config.status == DISABLED {
            let live = get(cx, &props.bucket, props.expected_bucket_owner.as_deref()).await?;
            return match live {
                Some(live) if live.status != DISABLED => Err(once_on(&props.bucket)),
                _ => Ok(made(props.bucket)),
            };
        }
        let request = cx
            .aws
            .s3_once()
            .put_bucket_versioning()
            .bucket(&props.bucket)
            .set_mfa(props.mfa.clone())
            .set_expected_bucket_owner(props.expected_bucket_owner.clone())
            .versioning_configuration(sdk(config, config.mfa_delete.as_deref()));
        s3::first_write(cx, s3::never, || async {
            request.clone().send().await.call("s3:PutBucketVersioning")
        })
        .await?;
        Ok(made(props.bucket))
    }

    async fn read(cx: &Cx, id: &str, attrs: &Value) -> Result<Option<Live<Self, Outputs>>, Error> {
        Ok(get(cx, id, owner(attrs)).await?.map(|config| Live {
            props: Self {
                bucket: id.to_owned(),
                versioning_configuration: config,
                mfa: None,
                expected_bucket_owner: None,
            },
            outputs: Outputs { id: id.to_owned() },
        }))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        if !change.has(&["versioningConfiguration"]) {
            return Ok(made(change.id));
        }
        let config = &change.new.versioning_configuration;
        if config.status == DISABLED {
            return Err(once_on(&change.id));
        }
        // Taken out of the file, mfaDelete goes back to Disabled; but where it never was on
        // it is not sent, since S3 then asks for an MFA code.
        let was_on = change.old.versioning_configuration.mfa_delete.as_deref() == Some("Enabled");
        let mfa_delete = config.mfa_delete.as_deref().or(was_on.then_some(DISABLED));
        let request = cx
            .aws
            .s3()
            .put_bucket_versioning()
            .bucket(&change.id)
            .set_mfa(change.new.mfa.clone())
            .set_expected_bucket_owner(change.new.expected_bucket_owner.clone())
            .versioning_configuration(sdk(config, mfa_delete));
        s3::change(cx, || async {
            request.clone().send().await.call("s3:PutBucketVersioning")
        })
        .await?;
        Ok(made(change.id))
    }

    async fn delete(cx: &Cx, id: &str, attrs: &Value) -> Result<(), Error> {
        let status = attrs.pointer("/versioningConfiguration/status");
        if status.and_then(Value::as_str) != Some("Enabled") {
            // Suspended and Disabled are as far from Enabled as S3 goes.
            return Ok(());
        }
        let suspended = VersioningConfiguration {
            status: "Suspended".to_owned(),
            mfa_delete: None,
        };
        let request = cx
            .aws
            .s3()
            .put_bucket_versioning()
            .bucket(id)
            .set_mfa(attrs.get("mfa").and_then(Value::as_str).map(str::to_owned))
            .set_expected_bucket_owner(owner(attrs).map(str::to_owned))
            .versioning_configuration(sdk(&suspended, None));
        s3::change(cx, || async {
            let sent = request.clone().send().await.call("s3:PutBucketVersioning");
            // InvalidBucketState: a bucket with object lock keeps its versioning.
            s3::gone_is_done(sent, &["InvalidBucketState"])
        })
        .await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let wanted = known.get::<VersioningConfiguration>("versioningConfiguration")?;
        let (Some(bucket), Some(wanted)) = (known.text("bucket"), &wanted) else {
            return Ok(None);
        };
        let live = get(cx, bucket, known.text("expectedBucketOwner")).await?;
        let same = live.is_some_and(|live| {
            let mfa = |config: &VersioningConfiguration| {
                config.mfa_delete.clone().unwrap_or(DISABLED.to_owned())
            };
            live.status == wanted.status && mfa(&live) == mfa(wanted)
        });
        Ok(same.then(|| bucket.to_owned()))
    }
}
