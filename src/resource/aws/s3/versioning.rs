//! `aws:s3:BucketVersioning`: whether a bucket keeps old versions of its objects.

use crate::resource::author::*;
use crate::resource::aws::s3::{self, OfBucket};
use aws_sdk_s3::types::{BucketVersioningStatus, MfaDelete, VersioningConfiguration as Sdk};

/// The versioning of a bucket. Once on it can only be suspended, never switched off, so
/// deleting this resource suspends it (and leaves it alone on a bucket with object lock,
/// where S3 allows no change). AWS advises to wait 15 minutes after the first enabling
/// before objects are written; stackctl does not wait.
///
/// ```yaml
/// versioning:
///   type: aws:s3:BucketVersioning
///   properties: {bucket: "${bucket.bucket}", versioningConfiguration: {status: Enabled}}
/// ```
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
    #[schemars(extend("writeOnly" = true, "sensitive" = true))]
    pub mfa: Option<String>,
    /// The account that the bucket must belong to.
    #[schemars(regex(pattern = r"^\d{12}$"))]
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
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
    #[schemars(extend("enum" = ["Enabled", "Disabled"], "default" = "Disabled"))]
    pub mfa_delete: Option<String>,
}

const DISABLED: &str = "Disabled";

fn sdk(config: &VersioningConfiguration, mfa_delete: Option<&str>) -> Sdk {
    Sdk::builder()
        .status(BucketVersioningStatus::from(config.status.as_str()))
        .set_mfa_delete(mfa_delete.map(MfaDelete::from))
        .build()
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
        ).code("SK0612")
    })
}

impl Setting for BucketVersioning {
    const TYPE: &'static str = "aws:s3:BucketVersioning";
    const CALLS: &'static [&'static str] = &["s3:GetBucketVersioning", "s3:PutBucketVersioning"];
    const OF: Parent = s3::BUCKET.unless(locked);
    const LANE: Lane = s3::LANE;
    const IMPORT: Import = Import::Other("`bucket` or `bucket,owner`", import_id::bucket);
    type Outputs = OfBucket;

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

    fn parent(&self) -> &str {
        &self.bucket
    }

    fn is_identifiable(known: &Known) -> bool {
        known.value("versioningConfiguration").is_some()
    }

    fn is_same(&self, live: &Self) -> bool {
        let (wanted, live) = (
            &self.versioning_configuration,
            &live.versioning_configuration,
        );
        let mfa = |config: &VersioningConfiguration| {
            config.mfa_delete.clone().unwrap_or(DISABLED.to_owned())
        };
        live.status == wanted.status && mfa(live) == mfa(wanted)
    }

    /// A bucket that was never versioned is `Disabled`.
    async fn get(cx: &Cx, bucket: &str, attributes: &Attributes) -> Result<Option<Self>, Error> {
        let request = cx.aws.s3().get_bucket_versioning().bucket(bucket);
        let request = request.set_expected_bucket_owner(s3::owner(attributes));
        let reply = send!(request, "s3:GetBucketVersioning", none: &["NoSuchBucket"])?;
        Ok(reply.map(|reply| Self {
            bucket: bucket.to_owned(),
            versioning_configuration: VersioningConfiguration {
                status: reply
                    .status
                    .map_or(DISABLED.to_owned(), |status| status.as_str().to_owned()),
                mfa_delete: reply.mfa_delete.map(|mfa| mfa.as_str().to_owned()),
            },
            mfa: None,
            expected_bucket_owner: None,
        }))
    }

    async fn put(cx: &Cx, props: &Self, change: Option<&Change<Self>>) -> Result<(), Error> {
        let (bucket, config) = (&props.bucket, &props.versioning_configuration);
        if change.is_some_and(|change| !change.has(&["versioningConfiguration"])) {
            return Ok(());
        }
        if config.status == DISABLED {
            let is_on = match change {
                Some(_) => true,
                None => {
                    let attributes = json!({"expectedBucketOwner": props.expected_bucket_owner});
                    let attributes = Attributes::new(attributes);
                    let live = Self::get(cx, bucket, &attributes).await?;
                    live.is_some_and(|live| live.versioning_configuration.status != DISABLED)
                }
            };
            return if is_on { Err(once_on(bucket)) } else { Ok(()) };
        }
        // Taken out of the file, mfaDelete goes back to Disabled; but where it never was on
        // it is not sent, since S3 then asks for an MFA code.
        let old =
            change.and_then(|change| change.old.versioning_configuration.mfa_delete.as_deref());
        let reset = (old == Some("Enabled")).then_some(DISABLED);
        let request = s3::client(cx, change.is_none()).put_bucket_versioning();
        let request = request
            .bucket(bucket)
            .set_mfa(props.mfa.clone())
            .set_expected_bucket_owner(props.expected_bucket_owner.clone())
            .versioning_configuration(sdk(config, config.mfa_delete.as_deref().or(reset)));
        let waits = s3::writing(change.is_none(), s3::never);
        send!(cx, request, "s3:PutBucketVersioning", wait: waits).map(|_| ())
    }

    /// Suspended and Disabled are as far from Enabled as S3 goes.
    async fn remove(cx: &Cx, bucket: &str, attributes: &Attributes) -> Result<(), Error> {
        let status = attributes.pointer("/versioningConfiguration/status");
        if status.and_then(Value::as_str) != Some("Enabled") {
            return Ok(());
        }
        let suspended = Sdk::builder().status(BucketVersioningStatus::Suspended);
        let request = cx.aws.s3().put_bucket_versioning().bucket(bucket);
        let request = request
            .set_mfa(attributes["mfa"].as_str().map(str::to_owned))
            .set_expected_bucket_owner(s3::owner(attributes))
            .versioning_configuration(suspended.build());
        // A bucket with object lock keeps its versioning.
        let done = &["NoSuchBucket", "NotFound", "InvalidBucketState"];
        send!(cx, request, "s3:PutBucketVersioning", wait: s3::BUSY, gone: done)
    }
}
