//! Access control lists of buckets and objects.

use super::super::service::{Refusal, Reply};
use super::super::xml::{Xml, child, child_text, children};
use super::error::error;
use super::model::{self, Version};
use super::object::pick;
use super::{Call, body, document, reply, root};
use serde::{Deserialize, Serialize};

/// The canonical user id of the account.
pub(super) const OWNER: &str = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// A right of a user or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Grant {
    /// A group's URI, or a user's canonical id.
    who: String,
    /// `FULL_CONTROL`, `READ`, …
    permission: String,
}

impl Grant {
    fn new(who: &str, permission: &str) -> Self {
        Self {
            who: who.to_owned(),
            permission: permission.to_owned(),
        }
    }

    /// What the owner alone has.
    pub(super) fn private() -> Vec<Self> {
        vec![Self::new(OWNER, "FULL_CONTROL")]
    }

    fn is_group(&self) -> bool {
        self.who.starts_with("http://")
    }
}

/// Whether everybody, or everybody with an account, has some right.
pub(super) fn is_public(grants: &[Grant]) -> bool {
    grants
        .iter()
        .any(|grant| [ALL_USERS, AUTHENTICATED].contains(&grant.who.as_str()))
}

/// The grants that a canned ACL gives.
fn canned(name: &str, bucket: bool) -> Option<Vec<Grant>> {
    let more: &[(&str, &str)] = match name {
        "private" => &[],
        "public-read" => &[(ALL_USERS, "READ")],
        "public-read-write" => &[(ALL_USERS, "READ"), (ALL_USERS, "WRITE")],
        "authenticated-read" => &[(AUTHENTICATED, "READ")],
        "log-delivery-write" if bucket => &[(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")],
        // With one account, the bucket's owner is the object's owner.
        "bucket-owner-read" | "bucket-owner-full-control" if !bucket => &[],
        _ => return None,
    };
    let more = more
        .iter()
        .map(|(who, permission)| Grant::new(who, permission));
    Some(Grant::private().into_iter().chain(more).collect())
}

/// The grants in `x-amz-acl` or `x-amz-grant-…`, where there are such headers.
pub(super) fn from_headers(call: &Call<'_>) -> Result<Option<Vec<Grant>>, Refusal> {
    let mut grants = Vec::new();
    for (header, permission) in [
        ("x-amz-grant-full-control", "FULL_CONTROL"),
        ("x-amz-grant-read", "READ"),
        ("x-amz-grant-read-acp", "READ_ACP"),
        ("x-amz-grant-write", "WRITE"),
        ("x-amz-grant-write-acp", "WRITE_ACP"),
    ] {
        for grantee in call
            .header(header)
            .into_iter()
            .flat_map(|value| value.split(','))
        {
            let (kind, who) = grantee.trim().split_once('=').unwrap_or_default();
            let who = who.trim_matches('"');
            check_grantee(kind, who)?;
            grants.push(Grant::new(who, permission));
        }
    }
    match call.header("x-amz-acl") {
        Some(_) if !grants.is_empty() => Err(error(
            "InvalidRequest",
            "Specifying both Canned ACLs and Header Grants is not allowed",
        )),
        Some(name) => canned(name, call.key.is_empty())
            .map(Some)
            .ok_or_else(|| error("InvalidArgument", &format!("{name} is not a canned ACL"))),
        None => Ok((!grants.is_empty()).then_some(grants)),
    }
}

fn check_grantee(kind: &str, who: &str) -> Result<(), Refusal> {
    match kind {
        "emailAddress" => Err(error("MethodNotAllowed", "")),
        "id" if who == OWNER => Ok(()),
        "id" => Err(error("InvalidArgument", "Invalid id")),
        "uri" if [ALL_USERS, AUTHENTICATED, LOG_DELIVERY].contains(&who) => Ok(()),
        "uri" => Err(error("InvalidArgument", "Invalid group uri")),
        _ => Err(error("InvalidArgument", "Argument format not recognized")),
    }
}

/// The grants in headers or body; exactly one of them must be there.
fn from_request(call: &Call<'_>) -> Result<Vec<Grant>, Refusal> {
    let payload = body::payload(call)?;
    match (from_headers(call)?, body::parse(&payload.bytes)?) {
        (Some(grants), None) => Ok(grants),
        (None, Some(document)) => from_xml(document.root_element()),
        (Some(_), Some(_)) => Err(error(
            "UnexpectedContent",
            "This request does not support content",
        )),
        (None, None) => Err(error(
            "MissingSecurityHeader",
            "Your request was missing a required header",
        )),
    }
}

fn from_xml(policy: roxmltree::Node<'_, '_>) -> Result<Vec<Grant>, Refusal> {
    let malformed = || {
        error(
            "MalformedACLError",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    };
    let owner = child(policy, "Owner").and_then(|owner| child_text(owner, "ID"));
    if owner.is_some_and(|id| id != OWNER) {
        return Err(error("AccessDenied", ""));
    }
    let grants = child(policy, "AccessControlList").ok_or_else(malformed)?;
    children(grants, "Grant")
        .map(|grant| {
            let permission = child_text(grant, "Permission").ok_or_else(malformed)?;
            let known = ["FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"];
            let grantee = child(grant, "Grantee").ok_or_else(malformed)?;
            let who = [
                ("id", "ID"),
                ("uri", "URI"),
                ("emailAddress", "EmailAddress"),
            ]
            .into_iter()
            .find_map(|(kind, name)| child_text(grantee, name).map(|who| (kind, who)));
            let (kind, who) = who.ok_or_else(malformed)?;
            check_grantee(kind, who)?;
            if !known.contains(&permission) {
                return Err(malformed());
            }
            Ok(Grant::new(who, permission))
        })
        .collect()
}

pub(super) fn put_bucket(call: Call<'_>) -> Result<Reply, Refusal> {
    let mut bucket = model::bucket(call.store, &call.bucket)?;
    let grants = from_request(&call)?;
    if bucket.enforced() {
        return Err(error("AccessControlListNotSupported", ""));
    }
    if bucket.blocks_acls() && is_public(&grants) {
        return Err(error("AccessDenied", ""));
    }
    bucket.grants = grants;
    model::put_bucket(call.store, &bucket);
    Ok(reply(200))
}

pub(super) fn get_bucket(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    Ok(write(&bucket.grants))
}

pub(super) fn put_object(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let grants = from_request(&call)?;
    if bucket.enforced() {
        return Err(error("AccessControlListNotSupported", ""));
    }
    if bucket.blocks_acls() && is_public(&grants) {
        return Err(error("AccessDenied", ""));
    }
    edit_version(call, |version| version.grants = grants)
}

/// Changes the version that a request names.
pub(super) fn edit_version(
    call: Call<'_>,
    edit: impl FnOnce(&mut Version),
) -> Result<Reply, Refusal> {
    let mut versions = model::versions(call.store, &call.bucket, &call.key)?;
    let at = pick(&versions, call.query("versionId"))?;
    edit(&mut versions[at]);
    model::put_versions(call.store, &call.bucket, &call.key, &versions);
    let mut reply = reply(200);
    if versions[at].id != "null" {
        super::set(&mut reply, "x-amz-version-id", &versions[at].id);
    }
    Ok(reply)
}

pub(super) fn get_object(call: Call<'_>) -> Result<Reply, Refusal> {
    let versions = model::versions(call.store, &call.bucket, &call.key)?;
    let at = pick(&versions, call.query("versionId"))?;
    Ok(write(&versions[at].grants))
}

fn write(grants: &[Grant]) -> Reply {
    let mut xml = Xml::default();
    xml.element(&root("AccessControlPolicy"), |xml| {
        xml.element("Owner", |xml| xml.text("ID", OWNER));
        xml.element("AccessControlList", |xml| {
            for grant in grants {
                xml.element("Grant", |xml| write_grant(xml, grant));
            }
        });
    });
    document(xml)
}

fn write_grant(xml: &mut Xml, grant: &Grant) {
    let (kind, member) = if grant.is_group() {
        ("Group", "URI")
    } else {
        ("CanonicalUser", "ID")
    };
    let start = format!(
        "Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{kind}\""
    );
    xml.element(&start, |xml| xml.text(member, &grant.who));
    xml.text("Permission", &grant.permission);
}
