//! `aws:s3:BucketAcl`: a bucket's access control list.

use crate::resource::author::*;
use crate::resource::aws::s3::{self, OfBucket};
use aws_sdk_s3::types::{
    AccessControlPolicy as SdkPolicy, BucketCannedAcl, Grant as SdkGrant, Grantee as SdkGrantee,
    Owner as SdkOwner, Permission, Type,
};

/// The ACL of a bucket. It cannot be deleted: deleting this resource keeps it as it is. A bucket
/// whose object ownership is `BucketOwnerEnforced` (every new one) has no ACL but `private`, so
/// `acl: private` is satisfied there without a change, and anything else is refused. A public one
/// also needs the bucket's public access block out of the way.
///
/// ```yaml
/// acl:
///   type: aws:s3:BucketAcl
///   properties: {bucket: "${ownership.bucket}", acl: private}
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketAcl {
    /// The bucket's name.
    #[schemars(length(min = 3, max = 63), extend("createOnly" = true))]
    pub bucket: String,
    /// A canned ACL. S3 keeps only its grants, from which it is derived again. `log-delivery-write`
    /// lets S3 write access logs into the bucket.
    #[schemars(extend("enum" = [
        "private", "public-read", "public-read-write", "authenticated-read", "log-delivery-write"
    ]))]
    pub acl: Option<String>,
    /// The grants one by one, in place of `acl`.
    pub access_control_policy: Option<AccessControlPolicy>,
    /// The account that the bucket must belong to.
    #[schemars(regex(pattern = r"^\d{12}$"))]
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
    pub expected_bucket_owner: Option<String>,
}

/// Grants, and the owner they come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessControlPolicy {
    /// The grants.
    #[serde(default)]
    #[schemars(extend("set" = true))]
    pub grants: Vec<Grant>,
    /// The bucket's owner.
    pub owner: Owner,
}

/// One grant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    /// Who is granted something.
    pub grantee: Grantee,
    /// What is granted.
    #[schemars(extend("enum" = ["FULL_CONTROL", "WRITE", "WRITE_ACP", "READ", "READ_ACP"]))]
    pub permission: String,
}

/// Who is granted something. S3 takes no e-mail addresses any more (since October 2025).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grantee {
    /// `CanonicalUser` (with `id`) or `Group` (with `uri`).
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["CanonicalUser", "Group"]))]
    pub kind: String,
    /// The canonical user id.
    pub id: Option<String>,
    /// The group's URI.
    pub uri: Option<String>,
}

/// A bucket's owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owner {
    /// The canonical user id.
    pub id: String,
}

const PRIVATE: &str = "private";

impl AccessControlPolicy {
    fn sdk(&self) -> Result<SdkPolicy, Error> {
        let grants = self
            .grants
            .iter()
            .map(|grant| {
                let grantee = SdkGrantee::builder()
                    .r#type(Type::from(grant.grantee.kind.as_str()))
                    .set_id(grant.grantee.id.clone())
                    .set_uri(grant.grantee.uri.clone())
                    .build()
                    .map_err(|error| s3::built(&error))?;
                Ok(SdkGrant::builder()
                    .grantee(grantee)
                    .permission(Permission::from(grant.permission.as_str()))
                    .build())
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(SdkPolicy::builder()
            .set_grants(Some(grants))
            .owner(SdkOwner::builder().id(&self.owner.id).build())
            .build())
    }

    fn of(owner: Option<&SdkOwner>, grants: &[SdkGrant]) -> Option<Self> {
        let grants = grants.iter().filter_map(|grant| {
            let grantee = grant.grantee()?;
            Some(Grant {
                grantee: Grantee {
                    kind: grantee.r#type().as_str().to_owned(),
                    id: grantee.id().map(str::to_owned),
                    uri: grantee.uri().map(str::to_owned),
                },
                permission: grant.permission()?.as_str().to_owned(),
            })
        });
        Some(Self {
            grants: grants.collect(),
            owner: Owner {
                id: owner?.id()?.to_owned(),
            },
        })
    }
}

/// What S3 returns where the bucket's ownership allows no ACLs, and for some seconds after
/// ownership controls switched them on (cloudposse/terraform-aws-s3-bucket#173).
const NO_ACLS: &[&str] = &["AccessControlListNotSupported"];

/// [`NO_ACLS`] passes where this run has put ownership controls on the bucket.
fn acls_off(cx: &Cx, bucket: &str, error: &Error) -> Option<Reason> {
    let put = cx.aws.fresh.has(&s3::ownership_of(bucket));
    (put && error.is(NO_ACLS) && error.effect() == Effect::None)
        .then_some(Reason::created("new ownership controls take some seconds"))
}

fn without_acls(props: &BucketAcl, error: Error) -> Error {
    if !error.is(NO_ACLS) {
        return error;
    }
    Error::with_hint(
        format!("ACLs are switched off for bucket {}: {error}", props.bucket),
        "Add an aws:s3:BucketOwnershipControls with BucketOwnerPreferred and take the bucket \
         from it: bucket: ${<its name>.bucket}.",
    )
}

fn is_enforced(controls: &Value) -> bool {
    controls["rule"]["objectOwnership"] == "BucketOwnerEnforced"
}

/// Why an ACL cannot stand beside ownership controls: they allow none but `private`.
fn enforced(acl: &Rules<'_>, controls: &Rules<'_>) -> Option<Broken> {
    let custom = acl.given("accessControlPolicy");
    let grants = custom || acl.known("acl").is_some_and(|acl| acl != PRIVATE);
    (grants && is_enforced(&controls.props.value)).then(|| {
        Broken::at(
            if custom { "accessControlPolicy" } else { "acl" },
            "the bucket's ownership controls say BucketOwnerEnforced, which leaves no ACL but \
             private; use BucketOwnerPreferred there",
        )
        .code("SK0613")
    })
}

impl Setting for BucketAcl {
    const TYPE: &'static str = "aws:s3:BucketAcl";
    const CALLS: &'static [&'static str] = &["s3:GetBucketAcl", "s3:PutBucketAcl"];
    const OF: Parent = s3::BUCKET;
    const AFTER: &'static [After] = &[
        // Of a bucket whose owner is enforced S3 takes no ACL, and it enforces no owner as long
        // as the ACL grants others something (`InvalidBucketAclWithObjectOwnership`).
        After {
            closes: |from, to| is_enforced(to) && !is_enforced(from),
            conflict: Some(enforced),
            ..After::siblings("aws:s3:BucketOwnershipControls", "bucket")
        },
        After {
            closes: |from, to| turned_on(from, to, &["blockPublicAcls", "ignorePublicAcls"]),
            ..After::siblings("aws:s3:BucketPublicAccessBlock", "bucket")
        },
    ];
    const LANE: Lane = s3::LANE;
    const IMPORT: Import = Import::Other(
        "`bucket`, `bucket,acl`, `bucket,owner` or `bucket,owner,acl`",
        import_id::bucket,
    );
    type Outputs = OfBucket;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let mut broken = Vec::new();
        let custom = rules.given("accessControlPolicy");
        if rules.given("acl") == custom {
            broken.push(
                Broken::at(
                    if custom { "accessControlPolicy" } else { "" },
                    "exactly one of acl and accessControlPolicy is given",
                )
                .code("SK0611"),
            );
        }
        broken
    }

    fn parent(&self) -> &str {
        &self.bucket
    }

    /// Without its content it cannot be identified.
    fn is_identifiable(known: &Known) -> bool {
        let policy = known.value("accessControlPolicy");
        known.value("acl").or(policy).is_some()
    }

    fn is_same(&self, live: &Self) -> bool {
        match &self.acl {
            Some(_) => live.acl == self.acl,
            None => live.access_control_policy == self.access_control_policy,
        }
    }

    async fn get(cx: &Cx, bucket: &str, attributes: &Attributes) -> Result<Option<Self>, Error> {
        let request = cx.aws.s3().get_bucket_acl().bucket(bucket);
        let request = request.set_expected_bucket_owner(s3::owner(attributes));
        let reply = send!(request, "s3:GetBucketAcl", none: &["NoSuchBucket"])?;
        Ok(reply.map(|reply| Self {
            bucket: bucket.to_owned(),
            acl: s3::grants::canned(reply.owner(), reply.grants()).map(str::to_owned),
            access_control_policy: AccessControlPolicy::of(reply.owner(), reply.grants()),
            expected_bucket_owner: None,
        }))
    }

    async fn put(cx: &Cx, props: &Self, change: Option<&Change<Self>>) -> Result<(), Error> {
        let policy = props.access_control_policy.as_ref();
        let request = s3::client(cx, change.is_none())
            .put_bucket_acl()
            .bucket(&props.bucket)
            .set_acl(props.acl.as_deref().map(BucketCannedAcl::from))
            .set_access_control_policy(policy.map(AccessControlPolicy::sdk).transpose()?)
            .set_expected_bucket_owner(props.expected_bucket_owner.clone());
        let passing = |error: &Error| acls_off(cx, &props.bucket, error);
        // ACLs are off, which is what private comes to.
        let done = match props.acl.as_deref() {
            Some(PRIVATE) => NO_ACLS,
            _ => &[],
        };
        send!(cx, request, "s3:PutBucketAcl", wait: s3::first(passing), gone: done)
            .map_err(|error| without_acls(props, error))
    }

    /// S3 has no call that deletes an ACL.
    async fn remove(_cx: &Cx, _bucket: &str, _attributes: &Attributes) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(props: Value, ownership: &str) -> Vec<String> {
        let props = Data::from(props);
        let controls = Data::from(json!({"rule": {"objectOwnership": ownership}}));
        let alone = |props| Rules {
            props,
            peer: &|_| None,
        };
        let own = <BucketAcl as Setting>::rules(&alone(&props)).into_iter();
        own.chain(enforced(&alone(&props), &alone(&controls)))
            .map(|broken| broken.path.to_string())
            .collect()
    }

    #[test]
    fn an_enforced_bucket_has_no_acl_but_private() {
        let acl = |acl: &str| json!({"bucket": "abc", "acl": acl});
        assert_eq!(broken(acl("public-read"), "BucketOwnerEnforced"), ["acl"]);
        assert!(broken(acl("private"), "BucketOwnerEnforced").is_empty());
        assert!(broken(acl("public-read"), "BucketOwnerPreferred").is_empty());
    }

    #[test]
    fn one_way_to_say_it() {
        let both = json!({"bucket": "abc", "acl": "private", "accessControlPolicy": {}});
        assert_eq!(broken(both, "ObjectWriter"), ["accessControlPolicy"]);
        assert_eq!(broken(json!({"bucket": "abc"}), "ObjectWriter"), [""]);
    }
}
