//! Objects: deleted.

use super::super::service::{Refusal, Reply};
use super::super::xml::{Xml, child_text, children};
use super::error::error;
use super::model::{self, Version};
use super::object::{add, check_id, new_id, same_etag};
use super::{Call, body, document, lock, reply, root, set};

/// What a deletion did.
#[derive(Debug, Default)]
struct Deleted {
    /// The version that was deleted, or the marker that was created.
    version: Option<String>,
    /// Whether that is a delete marker.
    marker: bool,
    /// Whether the marker is new.
    made: bool,
}

/// Deletes a version, or the current version of the key. What does not exist counts as deleted.
fn remove(call: &mut Call<'_>, key: &str, id: Option<&str>) -> Result<Deleted, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let mut versions = model::versions(call.store, &call.bucket, key)?;
    let mut deleted = Deleted::default();
    match id {
        Some(id) => {
            check_id(id)?;
            let gone = versions.iter().find(|version| version.id == id);
            if let Some(version) = gone {
                lock::check_deletion(call, version)?;
            }
            deleted.marker = gone.is_some_and(|version| version.marker);
            deleted.version = Some(id.to_owned());
            versions.retain(|version| version.id != id);
        }
        None if bucket.versioning.is_none() => versions.clear(),
        None => {
            let marker = Version {
                id: new_id(&bucket),
                marker: true,
                modified: call.request.now,
                ..Version::default()
            };
            deleted.marker = true;
            deleted.made = true;
            deleted.version = Some(marker.id.clone());
            add(&mut versions, marker);
        }
    }
    model::put_versions(call.store, &call.bucket, key, &versions);
    Ok(deleted)
}

pub(super) fn one(mut call: Call<'_>) -> Result<Reply, Refusal> {
    if let Some(expected) = call.header("if-match") {
        let versions = model::versions(call.store, &call.bucket, &call.key)?;
        let current = versions.first().filter(|version| !version.marker);
        let current = current.ok_or_else(|| error("NoSuchKey", ""))?;
        if !same_etag(&current.etag, expected) {
            return Err(error("PreconditionFailed", ""));
        }
    }
    let key = call.key.clone();
    let id = call.query("versionId").map(str::to_owned);
    let deleted = remove(&mut call, &key, id.as_deref())?;
    let mut reply = reply(204);
    if deleted.marker {
        set(&mut reply, "x-amz-delete-marker", "true");
    }
    if let Some(version) = deleted.version {
        set(&mut reply, "x-amz-version-id", version);
    }
    Ok(reply)
}

/// Up to 1000 keys; the error of one is returned beside it, with status 200.
pub(super) fn many(mut call: Call<'_>) -> Result<Reply, Refusal> {
    let payload = body::payload(&call)?;
    if payload.checksums.is_empty() && call.header("content-md5").is_none() {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        return Err(error("InvalidRequest", message));
    }
    let request = body::require(&payload.bytes)?;
    let node = request.root_element();
    let quiet = child_text(node, "Quiet") == Some("true");
    let objects: Vec<_> = children(node, "Object").collect();
    if objects.is_empty() || objects.len() > 1000 {
        return Err(error("MalformedXML", ""));
    }
    let mut rows = Vec::new();
    for object in objects {
        let key = child_text(object, "Key").filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| error("MalformedXML", ""))?;
        let id = child_text(object, "VersionId").filter(|id| !id.is_empty());
        let result = remove(&mut call, key, id).map_err(|refusal| match refusal.code.as_str() {
            "InvalidArgument" => error("NoSuchVersion", ""),
            _ => refusal,
        });
        rows.push((key, id, result));
    }
    let mut xml = Xml::default();
    xml.element(&root("DeleteResult"), |xml| {
        for (key, id, result) in &rows {
            write(xml, key, *id, result, quiet);
        }
    });
    Ok(document(xml))
}

fn write(
    xml: &mut Xml,
    key: &str,
    id: Option<&str>,
    result: &Result<Deleted, Refusal>,
    quiet: bool,
) {
    match result {
        Ok(_) if quiet => {}
        Ok(deleted) => xml.element("Deleted", |xml| {
            xml.text("Key", key);
            xml.maybe("VersionId", id);
            if deleted.marker {
                xml.text("DeleteMarker", true);
                xml.maybe("DeleteMarkerVersionId", deleted.version.as_ref());
            }
        }),
        Err(refusal) => xml.element("Error", |xml| {
            xml.text("Key", key);
            xml.maybe("VersionId", id);
            xml.text("Code", &refusal.code);
            xml.text("Message", &refusal.message);
        }),
    }
}
