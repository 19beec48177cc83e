//! The list of an object's versions.

use super::super::service::{Refusal, Reply};
use super::super::stamps;
use super::super::xml::Xml;
use super::acl::OWNER;
use super::error::error;
use super::listing::{Naming, page_size, write_version};
use super::model::{self, Version};
use super::{Call, document, root};

/// All versions and delete markers, by key, newest first. Grouping by a delimiter is not
/// built.
pub(super) fn list(call: Call<'_>) -> Result<Reply, Refusal> {
    if call
        .query("delimiter")
        .is_some_and(|delimiter| !delimiter.is_empty())
    {
        let message = "The local cloud lists versions without a delimiter only.";
        return Err(error("NotImplemented", message));
    }
    let naming = Naming::of(&call)?;
    let size = page_size(&call, "max-keys")?;
    let prefix = call.query("prefix").unwrap_or_default();
    let key_marker = call.query("key-marker").filter(|marker| !marker.is_empty());
    let id_marker = call
        .query("version-id-marker")
        .filter(|marker| !marker.is_empty());
    if id_marker.is_some() && key_marker.is_none() {
        let message = "A version-id marker cannot be specified without a key marker.";
        return Err(error("InvalidArgument", message));
    }
    let mut rows: Vec<(String, bool, Version)> = Vec::new();
    for (key, versions) in model::objects(call.store, &call.bucket, prefix)? {
        let skip = match (key_marker, id_marker) {
            (Some(marker), _) if key.as_str() < marker => continue,
            (Some(marker), None) if key == marker => continue,
            (Some(marker), Some(id)) if key == marker => {
                let at = versions.iter().position(|version| version.id == id);
                at.map_or(0, |at| at + 1)
            }
            _ => 0,
        };
        for (at, version) in versions.into_iter().enumerate().skip(skip) {
            rows.push((key.clone(), at == 0, version));
        }
    }
    let more = rows.len() > size;
    rows.truncate(size);
    let last = rows.last().filter(|_| more);
    let mut xml = Xml::default();
    xml.element(&root("ListVersionsResult"), |xml| {
        xml.text("Name", &call.bucket);
        xml.text("Prefix", naming.write(prefix));
        xml.text("KeyMarker", naming.write(key_marker.unwrap_or_default()));
        xml.text("VersionIdMarker", id_marker.unwrap_or_default());
        xml.maybe("NextKeyMarker", last.map(|(key, ..)| naming.write(key)));
        xml.maybe(
            "NextVersionIdMarker",
            last.map(|(_, _, version)| &version.id),
        );
        xml.text("MaxKeys", size);
        xml.text("IsTruncated", last.is_some());
        naming.write_encoding(xml);
        for (key, latest, version) in &rows {
            write(xml, &naming.write(key), *latest, version);
        }
    });
    Ok(document(xml))
}

fn write(xml: &mut Xml, key: &str, latest: bool, version: &Version) {
    let name = if version.marker {
        "DeleteMarker"
    } else {
        "Version"
    };
    xml.element(name, |xml| {
        xml.text("Key", key);
        xml.text("VersionId", &version.id);
        xml.text("IsLatest", latest);
        if version.marker {
            xml.text("LastModified", stamps::iso_millis(version.modified));
        } else {
            write_version(xml, version);
        }
        xml.element("Owner", |xml| xml.text("ID", OWNER));
    });
}
