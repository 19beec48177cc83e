//! Buckets: created, looked up, deleted.

use super::super::service::{Refusal, Reply, Request, Store};
use super::super::xml::{Xml, child_text};
use super::acl::{self, Grant};
use super::error::error;
use super::model::{self, Block, Bucket};
use super::{Call, body, document, reply, root, set, tags};

/// Returns that the bucket is in another region, where it is.
pub(super) fn redirect(
    request: &Request,
    store: &dyn Store,
    name: &str,
) -> Result<Option<Reply>, Refusal> {
    let bucket = model::bucket(store, name)?;
    // A URL that was signed by Signature Version 2 names no region.
    if request.region.is_empty() || bucket.region == request.region {
        return Ok(None);
    }
    let mut xml = Xml::default();
    xml.element("Error", |xml| {
        xml.text("Code", "PermanentRedirect");
        xml.text("Message", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.");
        xml.text("Endpoint", format!("s3.{}.amazonaws.com", bucket.region));
        xml.text("Bucket", name);
    });
    let mut reply = document(xml);
    reply.status = 301;
    set(&mut reply, "x-amz-bucket-region", bucket.region);
    if request.method == "HEAD" {
        reply.body.clear();
    }
    Ok(Some(reply))
}

pub(super) fn create(call: Call<'_>) -> Result<Reply, Refusal> {
    check_name(&call.bucket)?;
    let configuration = body::payload(&call)?;
    let (constraint, tags) = match body::parse(&configuration.bytes)? {
        None => (None, Vec::new()),
        Some(document) => {
            let node = document.root_element();
            let constraint = child_text(node, "LocationConstraint").map(str::to_owned);
            (constraint, tags::parse(node, "Tags", 50)?)
        }
    };
    check_location(&call.request.region, constraint.as_deref())?;
    let ownership = call
        .header("x-amz-object-ownership")
        .unwrap_or("BucketOwnerEnforced");
    check_ownership(ownership)?;
    let grants = acl::from_headers(&call)?.unwrap_or_else(Grant::private);
    if ownership == "BucketOwnerEnforced" && grants != Grant::private() {
        return Err(error("InvalidBucketAclWithObjectOwnership", ""));
    }
    // Public access is blocked on every new bucket.
    if acl::is_public(&grants) {
        return Err(error("AccessDenied", ""));
    }
    let locked = call.header("x-amz-bucket-object-lock-enabled") == Some("true");
    let bucket = match model::bucket(call.store, &call.bucket) {
        Ok(_) if call.request.region != "us-east-1" => {
            return Err(error("BucketAlreadyOwnedByYou", ""));
        }
        // The oldest region returns 200 and resets the ACL.
        Ok(bucket) => Bucket { grants, ..bucket },
        Err(_) => Bucket {
            name: call.bucket.clone(),
            region: call.request.region.clone(),
            created: call.request.now,
            ownership: Some(ownership.to_owned()),
            block: Some(Block {
                acls: true,
                ignore_acls: true,
                policy: true,
                restrict: true,
            }),
            grants,
            tags,
            policy: None,
            versioning: locked.then(|| "Enabled".to_owned()),
            object_lock: locked,
        },
    };
    model::put_bucket(call.store, &bucket);
    let mut reply = reply(200);
    set(&mut reply, "location", format!("/{}", call.bucket));
    set(
        &mut reply,
        "x-amz-bucket-arn",
        format!("arn:aws:s3:::{}", call.bucket),
    );
    Ok(reply)
}

/// Refuses an unknown ownership setting.
pub(super) fn check_ownership(ownership: &str) -> Result<(), Refusal> {
    if [
        "BucketOwnerEnforced",
        "BucketOwnerPreferred",
        "ObjectWriter",
    ]
    .contains(&ownership)
    {
        return Ok(());
    }
    let message = format!("Invalid x-amz-object-ownership header: {ownership}");
    Err(error("InvalidArgument", &message))
}

fn check_location(region: &str, constraint: Option<&str>) -> Result<(), Refusal> {
    let incompatible = |constraint: &str| {
        let message = format!(
            "The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        Err(error("IllegalLocationConstraintException", &message))
    };
    match constraint {
        None | Some("") if region == "us-east-1" => Ok(()),
        None | Some("") => incompatible("unspecified"),
        Some("us-east-1") if region == "us-east-1" => Err(error("InvalidLocationConstraint", "")),
        Some("EU") if region == "eu-west-1" => Ok(()),
        Some(constraint) if constraint == region => Ok(()),
        Some(constraint) => incompatible(constraint),
    }
}

/// The rules for names of general purpose buckets (S3 user guide).
fn check_name(name: &str) -> Result<(), Refusal> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    let reserved = ["xn--", "sthree-", "amzn-s3-demo-"]
        .iter()
        .any(|p| name.starts_with(p))
        || ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]
            .iter()
            .any(|s| name.ends_with(s));
    let fits = (3..=63).contains(&name.len())
        && name.chars().all(inner)
        && edge(name.chars().next())
        && edge(name.chars().last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !reserved;
    if fits {
        Ok(())
    } else {
        Err(error("InvalidBucketName", ""))
    }
}

pub(super) fn head(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let mut reply = reply(200);
    set(&mut reply, "x-amz-bucket-region", bucket.region);
    set(
        &mut reply,
        "x-amz-bucket-arn",
        format!("arn:aws:s3:::{}", bucket.name),
    );
    set(&mut reply, "x-amz-access-point-alias", "false");
    Ok(reply)
}

pub(super) fn delete(call: Call<'_>) -> Result<Reply, Refusal> {
    model::bucket(call.store, &call.bucket)?;
    if !model::objects(call.store, &call.bucket, "")?.is_empty() {
        return Err(error("BucketNotEmpty", ""));
    }
    call.store.remove(&format!("s3/bucket/{}", call.bucket));
    Ok(reply(204))
}

/// Empty for the oldest region, as ever.
pub(super) fn location(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let mut xml = Xml::default();
    let region = if bucket.region == "us-east-1" {
        ""
    } else {
        &bucket.region
    };
    xml.text(&root("LocationConstraint"), region);
    Ok(document(xml))
}
