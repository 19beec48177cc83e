//! A bucket's ownership controls, public access block, policy, versioning and encryption.

use super::super::policy::{self, Kind};
use super::super::service::{ACCOUNT, Refusal, Reply};
use super::super::xml::{Xml, child, child_text};
use super::acl::Grant;
use super::bucket::check_ownership;
use super::error::error;
use super::model::{self, Block, Bucket};
use super::{Call, body, document, reply, root, set};
use serde_json::Value;

/// Changes a bucket and returns a status.
fn change(
    call: Call<'_>,
    status: u16,
    edit: impl FnOnce(&mut Bucket) -> Result<(), Refusal>,
) -> Result<Reply, Refusal> {
    let mut bucket = model::bucket(call.store, &call.bucket)?;
    edit(&mut bucket)?;
    model::put_bucket(call.store, &bucket);
    Ok(reply(status))
}

pub(super) fn put_ownership(call: Call<'_>) -> Result<Reply, Refusal> {
    let payload = body::payload(&call)?;
    let document = body::require(&payload.bytes)?;
    let rule = child(document.root_element(), "Rule");
    let ownership = rule.and_then(|rule| child_text(rule, "ObjectOwnership"));
    let ownership = ownership
        .ok_or_else(|| error("MalformedXML", ""))?
        .to_owned();
    check_ownership(&ownership).map_err(|_| error("MalformedXML", ""))?;
    change(call, 200, |bucket| {
        if ownership == "BucketOwnerEnforced" && bucket.grants != Grant::private() {
            return Err(error("InvalidBucketAclWithObjectOwnership", ""));
        }
        bucket.ownership = Some(ownership);
        Ok(())
    })
}

pub(super) fn get_ownership(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let ownership = bucket
        .ownership
        .ok_or_else(|| error("OwnershipControlsNotFoundError", ""))?;
    let mut xml = Xml::default();
    xml.element(&root("OwnershipControls"), |xml| {
        xml.element("Rule", |xml| xml.text("ObjectOwnership", ownership));
    });
    Ok(document(xml))
}

pub(super) fn delete_ownership(call: Call<'_>) -> Result<Reply, Refusal> {
    change(call, 204, |bucket| {
        bucket.ownership = None;
        Ok(())
    })
}

pub(super) fn put_block(call: Call<'_>) -> Result<Reply, Refusal> {
    let payload = body::payload(&call)?;
    let document = body::require(&payload.bytes)?;
    let root = document.root_element();
    let flag = |name: &str| match child(root, name).and_then(|node| node.text()) {
        None | Some("false" | "FALSE") => Ok(false),
        Some("true" | "TRUE") => Ok(true),
        Some(_) => Err(error("MalformedXML", "")),
    };
    let block = Block {
        acls: flag("BlockPublicAcls")?,
        ignore_acls: flag("IgnorePublicAcls")?,
        policy: flag("BlockPublicPolicy")?,
        restrict: flag("RestrictPublicBuckets")?,
    };
    change(call, 200, |bucket| {
        bucket.block = Some(block);
        Ok(())
    })
}

pub(super) fn get_block(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let block = bucket
        .block
        .ok_or_else(|| error("NoSuchPublicAccessBlockConfiguration", ""))?;
    let mut xml = Xml::default();
    xml.element(&root("PublicAccessBlockConfiguration"), |xml| {
        xml.text("BlockPublicAcls", block.acls);
        xml.text("IgnorePublicAcls", block.ignore_acls);
        xml.text("BlockPublicPolicy", block.policy);
        xml.text("RestrictPublicBuckets", block.restrict);
    });
    Ok(document(xml))
}

pub(super) fn delete_block(call: Call<'_>) -> Result<Reply, Refusal> {
    change(call, 204, |bucket| {
        bucket.block = None;
        Ok(())
    })
}

pub(super) fn put_policy(call: Call<'_>) -> Result<Reply, Refusal> {
    let payload = body::payload(&call)?;
    let malformed = |message: &str| error("MalformedPolicy", message);
    let text = std::str::from_utf8(&payload.bytes)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?
        .to_owned();
    if !text.starts_with('{') {
        return Err(malformed(
            "Policies must be valid JSON and the first byte must be '{'",
        ));
    }
    if text.len() > 20 * 1024 {
        return Err(error(
            "PolicyTooLarge",
            "Policy exceeds the maximum allowed document size.",
        ));
    }
    let document = policy::check(&text, Kind::Resource).map_err(|message| malformed(&message))?;
    check_scope(&document, &call.bucket)?;
    check_roles(&call, &document)?;
    change(call, 204, |bucket| {
        if bucket.block.is_some_and(|block| block.policy) && policy::is_public(&document) {
            return Err(error(
                "AccessDenied",
                "User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            ));
        }
        bucket.policy = Some(text);
        Ok(())
    })
}

/// Visits strings that may be one or a list, under a name or its negation.
fn any_text(statement: &Value, names: [&str; 2], wrong: impl Fn(&str) -> bool) -> bool {
    names.iter().any(|name| match &statement[*name] {
        Value::String(text) => wrong(text),
        Value::Array(items) => items.iter().filter_map(Value::as_str).any(&wrong),
        _ => false,
    })
}

/// A bucket's policy is about S3's actions on this bucket and its objects.
fn check_scope(document: &Value, bucket: &str) -> Result<(), Refusal> {
    let arn = format!("arn:aws:s3:::{bucket}");
    let statements = match &document["Statement"] {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    for statement in statements {
        let foreign =
            |action: &str| action != "*" && !action.to_ascii_lowercase().starts_with("s3:");
        if any_text(statement, ["Action", "NotAction"], foreign) {
            return Err(error("MalformedPolicy", "Policy has invalid action"));
        }
        let elsewhere = |resource: &str| {
            let inside = resource.strip_prefix(&arn);
            !inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if any_text(statement, ["Resource", "NotResource"], elsewhere) {
            return Err(error("MalformedPolicy", "Policy has invalid resource"));
        }
    }
    Ok(())
}

/// Roles of this account that the policy names must exist.
fn check_roles(call: &Call<'_>, document: &Value) -> Result<(), Refusal> {
    let own_roles = format!("arn:aws:iam::{ACCOUNT}:role/");
    let statements = match &document["Statement"] {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let unknown = |arn: &str| {
        arn.starts_with(&own_roles) && super::super::iam::role_of_arn(call.store, arn).is_none()
    };
    let named = |statement: &Value| {
        any_text(&statement["Principal"], ["AWS", ""], unknown)
            || any_text(&statement["NotPrincipal"], ["AWS", ""], unknown)
    };
    if statements.iter().any(named) {
        return Err(error("MalformedPolicy", "Invalid principal in policy"));
    }
    Ok(())
}

pub(super) fn get_policy(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let policy = bucket
        .policy
        .ok_or_else(|| error("NoSuchBucketPolicy", ""))?;
    let mut reply = reply(200);
    set(&mut reply, "content-type", "application/json");
    reply.body = policy.into();
    Ok(reply)
}

pub(super) fn delete_policy(call: Call<'_>) -> Result<Reply, Refusal> {
    change(call, 204, |bucket| {
        bucket.policy = None;
        Ok(())
    })
}

pub(super) fn put_versioning(call: Call<'_>) -> Result<Reply, Refusal> {
    let payload = body::payload(&call)?;
    let document = body::require(&payload.bytes)?;
    let root = document.root_element();
    if child(root, "MfaDelete").is_some() {
        let message = "MFA delete can only be set by the root user with an MFA device.";
        return Err(error("AccessDenied", message));
    }
    let status = match child_text(root, "Status") {
        Some(status @ ("Enabled" | "Suspended")) => status.to_owned(),
        Some(_) => return Err(error("MalformedXML", "")),
        None => {
            let message = "The Versioning element must be specified";
            return Err(error("IllegalVersioningConfigurationException", message));
        }
    };
    change(call, 200, |bucket| {
        bucket.versioning = Some(status);
        Ok(())
    })
}

pub(super) fn get_versioning(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let mut xml = Xml::default();
    xml.element(&root("VersioningConfiguration"), |xml| {
        xml.maybe("Status", bucket.versioning);
    });
    Ok(document(xml))
}

pub(super) fn get_object_lock(call: Call<'_>) -> Result<Reply, Refusal> {
    if !model::bucket(call.store, &call.bucket)?.object_lock {
        return Err(error("ObjectLockConfigurationNotFoundError", ""));
    }
    let mut xml = Xml::default();
    xml.element(&root("ObjectLockConfiguration"), |xml| {
        xml.text("ObjectLockEnabled", "Enabled".to_owned());
    });
    Ok(document(xml))
}

/// What S3 gives to every bucket; it cannot be changed here.
pub(super) fn get_encryption(call: Call<'_>) -> Result<Reply, Refusal> {
    model::bucket(call.store, &call.bucket)?;
    let mut xml = Xml::default();
    xml.element(&root("ServerSideEncryptionConfiguration"), |xml| {
        xml.element("Rule", |xml| {
            xml.element("ApplyServerSideEncryptionByDefault", |xml| {
                xml.text("SSEAlgorithm", "AES256");
            });
            xml.text("BucketKeyEnabled", false);
        });
    });
    Ok(document(xml))
}
