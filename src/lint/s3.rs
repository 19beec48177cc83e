//! Buckets and objects. SK06xx.

use super::facts::{Facts, Resource};
use super::iam_grants::is_open;
use super::policies::Text;
use super::rule::Rule;
use crate::data::Path;
use crate::schema::broken::Broken;
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    Rule::refused("SK0601", "A bucket's name keeps the rules for names")
        .why("3 to 63 lower-case letters, digits, dots and hyphens, no address, no reserved beginning or ending (S3 user guide, \"Bucket naming rules\").")
        .fix("choose another name")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucket: Orders}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucket: orders-2}}"#,
        ),
    Rule::refused("SK0602", "A bucket's name is given or generated")
        .why("bucket and bucketPrefix exclude each other.")
        .fix("leave one of the two")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucket: orders-2, bucketPrefix: orders-}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: orders-}}"#,
        ),
    Rule::refused("SK0603", "An account-regional name has its form")
        .why("A name of the account-regional namespace is <prefix>-<account>-<region>-an (S3 user guide, \"Bucket naming rules\").")
        .fix("write the name in that form")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucket: orders-2, bucketNamespace: account-regional}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucket: orders-000000000000-eu-central-1-an, bucketNamespace: account-regional}}"#,
        ),
    Rule::warning("SK0604", "A bucket or object is not public by its ACL")
        .why("A canned ACL of public-read, public-read-write or authenticated-read lets everybody on the internet, or every AWS account, read (S3 user guide, \"Canned ACL\").")
        .fix("use private, and grant by a bucket policy what others need")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
a: {type: "aws:s3:BucketAcl", properties: {bucket: "${b.bucket}", acl: public-read}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
a: {type: "aws:s3:BucketAcl", properties: {bucket: "${b.bucket}", acl: private}}"#,
        )
        .of(&["aws:s3:Bucket", "aws:s3:BucketAcl", "aws:s3:BucketObject"], public_acl),
    Rule::warning("SK0605", "A bucket is not public by its policy")
        .why("A policy that allows a principal of * without a condition is public (S3 user guide, \"The meaning of public\").")
        .fix("name the principal, or add a condition such as StringEquals of aws:SourceAccount")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
p:
  type: aws:s3:BucketPolicy
  properties:
    bucket: "${b.bucket}"
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "${b.arn}/*"}]"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
p:
  type: aws:s3:BucketPolicy
  properties:
    bucket: "${b.bucket}"
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "${data.caller.accountId}"}, Action: "s3:GetObject", Resource: "${b.arn}/*"}]"#,
        )
        .of(&["aws:s3:BucketPolicy"], public_policy),
    Rule::warning("SK0606", "Public access stays blocked")
        .why("Each of the four settings stops one way to make a bucket public; new buckets have them all (S3 user guide, \"Blocking public access to your Amazon S3 storage\").")
        .fix("set it to true, unless the bucket is a public website")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketPublicAccessBlock", properties: {bucket: "${b.bucket}", blockPublicAcls: true, blockPublicPolicy: false, ignorePublicAcls: true, restrictPublicBuckets: true}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketPublicAccessBlock", properties: {bucket: "${b.bucket}", blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true}}"#,
        )
        .of(&["aws:s3:Bucket", "aws:s3:BucketPublicAccessBlock"], access_block),
    Rule::warning("SK0607", "A bucket's name has no dot")
        .why("The certificate of S3 does not cover a name with dots, so HTTPS requests in the form BUCKET.s3.amazonaws.com fail (S3 user guide, \"Bucket naming rules\").")
        .fix("use hyphens, unless the bucket is a website of that name")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucket: orders.example}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucket: orders-example}}"#,
        )
        .of(&["aws:s3:Bucket"], dots),
    Rule::error("SK0608", "A bucket's policy is about that bucket")
        .why("S3 refuses a policy with a resource of another bucket (S3 error MalformedPolicy, \"Policy has invalid resource\").")
        .fix("name the bucket's own ARN")
        .examples(
            r#"other: {type: "aws:s3:Bucket", properties: {bucketPrefix: other-}}
b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
p:
  type: aws:s3:BucketPolicy
  properties:
    bucket: "${b.bucket}"
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "${data.caller.accountId}"}, Action: "s3:GetObject", Resource: "${other.arn}/*"}]"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
p:
  type: aws:s3:BucketPolicy
  properties:
    bucket: "${b.bucket}"
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "${data.caller.accountId}"}, Action: "s3:GetObject", Resource: "${b.arn}/*"}]"#,
        )
        .of(&["aws:s3:BucketPolicy"], own_resource),
    Rule::refused("SK0611", "An ACL is a canned one or a policy")
        .why("A bucket's ACL is given in one of the two ways (S3 API, PutBucketAcl).")
        .fix("leave one of acl and accessControlPolicy")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
a: {type: "aws:s3:BucketAcl", properties: {bucket: "${b.bucket}"}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
a: {type: "aws:s3:BucketAcl", properties: {bucket: "${b.bucket}", acl: private}}"#,
        ),
    Rule::refused("SK0612", "Object lock keeps versioning on")
        .why("A bucket with object lock is versioned, and S3 refuses to suspend that (S3 user guide, \"How S3 Object Lock works\").")
        .fix("set the status to Enabled, or take the resource out")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-, objectLockEnabled: true}}
v: {type: "aws:s3:BucketVersioning", properties: {bucket: "${b.bucket}", versioningConfiguration: {status: Suspended}}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-, objectLockEnabled: true}}
v: {type: "aws:s3:BucketVersioning", properties: {bucket: "${b.bucket}", versioningConfiguration: {status: Enabled}}}"#,
        ),
    Rule::refused("SK0613", "A bucket whose owner is enforced has no ACL")
        .why("With BucketOwnerEnforced S3 refuses every ACL but private (S3 user guide, \"Controlling ownership of objects\").")
        .fix("use BucketOwnerPreferred, or take the ACL out")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
o: {type: "aws:s3:BucketOwnershipControls", properties: {bucket: "${b.bucket}", rule: {objectOwnership: BucketOwnerEnforced}}}
a: {type: "aws:s3:BucketAcl", properties: {bucket: "${b.bucket}", acl: log-delivery-write}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
o: {type: "aws:s3:BucketOwnershipControls", properties: {bucket: "${b.bucket}", rule: {objectOwnership: BucketOwnerPreferred}}}
a: {type: "aws:s3:BucketAcl", properties: {bucket: "${o.bucket}", acl: log-delivery-write}}"#,
        ),
    Rule::refused("SK0614", "An object has one content")
        .why("An object takes its content from source, content or contentBase64.")
        .fix("leave one of the three")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: a}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: a, content: text}}"#,
        ),
    Rule::refused("SK0615", "An ETag is no MD5 under a KMS key")
        .why("With KMS encryption the ETag of an object is not the MD5 of its content, so it would differ at each plan (S3 API, Object, `ETag`).")
        .fix("use sourceHash")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: a, content: text, etag: 1cb251ec0d568de6a929b520c4aed8d1, serverSideEncryption: "aws:kms"}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: a, content: text, serverSideEncryption: "aws:kms"}}"#,
        ),
    Rule::refused("SK0616", "A KMS key goes with KMS encryption")
        .why("AES256 is encryption with the keys of S3, which takes no key of yours (S3 API, PutObject).")
        .fix("use aws:kms")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: a, content: text, serverSideEncryption: AES256, kmsKeyId: 1234abcd-12ab-34cd-56ef-1234567890ab}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: a, content: text, serverSideEncryption: "aws:kms", kmsKeyId: 1234abcd-12ab-34cd-56ef-1234567890ab}}"#,
        ),
    Rule::refused("SK0617", "An object's lock has a mode and an end")
        .why("S3 takes the mode and the date together (S3 API, PutObject).")
        .fix("give both, or neither")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: a, content: text, objectLockMode: GOVERNANCE}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: a, content: text}}"#,
        ),
    Rule::refused("SK0618", "A key has 1,024 bytes")
        .why("S3 refuses a longer key (S3 user guide, \"Naming Amazon S3 objects\").")
        .fix("shorten the key")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: "${join(\"\", [for n in range(90) : \"ääääää\"])}", content: text}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: in-}}
x: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: a, content: text}}"#,
        ),
];

const PUBLIC: &[&str] = &["authenticated-read", "public-read", "public-read-write"];

fn public_acl(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    if let Some(acl) = resource.text("acl").filter(|acl| PUBLIC.contains(acl)) {
        let message = format!("{acl} lets others than the owner read.");
        broken.push(Broken::at("acl", message));
    }
    // The property of the CloudFormation type of a bucket.
    if let Some(acl) = resource.text("accessControl")
        && ["AuthenticatedRead", "PublicRead", "PublicReadWrite"].contains(&acl)
    {
        let message = format!("{acl} lets others than the owner read.");
        broken.push(Broken::at("accessControl", message));
    }
}

fn public_policy(_: &Facts<'_>, policy: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &policy.documents {
        for statement in document.statements() {
            if let Some(path) = is_open(&statement) {
                let message = "Anybody may use the bucket: the statement has no condition.";
                broken.push(document.broken(&path, message));
            }
        }
    }
}

const BLOCKS: &[&str] = &[
    "blockPublicAcls",
    "blockPublicPolicy",
    "ignorePublicAcls",
    "restrictPublicBuckets",
];

fn access_block(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for name in BLOCKS {
        // The CloudFormation type of a bucket has the four in a structure.
        for path in [
            (*name).to_owned(),
            format!("publicAccessBlockConfiguration.{name}"),
        ] {
            if resource.flag(&path) == Some(false) {
                let message = format!("{name} is off: the bucket may become public.");
                broken.push(Broken::at(&path, message));
            }
        }
    }
}

fn dots(_: &Facts<'_>, bucket: &Resource<'_>, broken: &mut Vec<Broken>) {
    for name in ["bucket", "bucketPrefix"] {
        if bucket.text(name).is_some_and(|text| text.contains('.')) {
            let message = "The name has a dot, which the certificate of S3 does not cover.";
            broken.push(Broken::at(name, message));
        }
    }
}

fn own_resource(facts: &Facts<'_>, policy: &Resource<'_>, broken: &mut Vec<Broken>) {
    let own = facts.peer(policy, &Path::dotted("bucket"));
    let own = own.filter(|own| own.type_name == "aws:s3:Bucket");
    let name = policy.known("bucket").and_then(Value::as_str);
    for document in &policy.documents {
        for statement in document.statements() {
            for (path, text) in statement.texts("Resource") {
                let is_other = match text {
                    Text::Known(text) => {
                        let rest = text.split_once(":s3:::").map(|(_, rest)| rest);
                        let named = rest.and_then(|rest| rest.split('/').next());
                        // A pattern may mean the bucket too.
                        let named = named.filter(|named| !named.contains(['*', '?', '$']));
                        name.is_some_and(|name| named.is_some_and(|named| named != name))
                    }
                    Text::Unknown(_) => {
                        let named = facts.peer(policy, &document.path(&path));
                        let named = named.filter(|named| named.type_name == "aws:s3:Bucket");
                        own.is_some_and(|own| named.is_some_and(|named| named.block != own.block))
                    }
                };
                if is_other {
                    let message = "The resource is of another bucket than the policy.";
                    broken.push(document.broken(&path, message));
                }
            }
        }
    }
}
