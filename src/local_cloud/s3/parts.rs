//! Uploads in parts. An unfinished one is kept under `s3/upload/{bucket}/{id}`.

use super::super::service::{Refusal, Reply};
use super::super::stamps;
use super::super::xml::{Xml, child_text, children};
use super::error::error;
use super::listing::Naming;
use super::model::{self, Version};
use super::object::{add, check_conditions, described, same_etag, stored};
use super::{Call, body, document, reply, root, set, set_xml};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The least a part but the last one may have: 5 MiB.
const LEAST: u64 = 5 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Upload {
    key: String,
    version: Version,
    #[serde(default)]
    parts: BTreeMap<u32, Part>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Part {
    /// Without quotes: the MD5 in hex.
    etag: String,
    size: u64,
    blob: String,
}

fn place(call: &Call<'_>, id: &str) -> String {
    format!("s3/upload/{}/{id}", call.bucket)
}

/// The upload that the request names.
fn upload(call: &Call<'_>) -> Result<(String, Upload), Refusal> {
    let place = place(call, call.query("uploadId").unwrap_or_default());
    let found = call.store.get(&place);
    let upload = found.and_then(|value| serde_json::from_value::<Upload>(value).ok());
    match upload.filter(|upload| upload.key == call.key) {
        Some(upload) => Ok((place, upload)),
        None => Err(error("NoSuchUpload", "")),
    }
}

fn keep(call: &mut Call<'_>, place: &str, upload: &Upload) {
    let value = serde_json::to_value(upload).unwrap_or_default();
    call.store.put(place, value);
}

pub(super) fn start(mut call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let version = described(&call, &bucket)?;
    let id = stamps::id("", 40);
    let place = place(&call, &id);
    let upload = Upload {
        key: call.key.clone(),
        version,
        parts: BTreeMap::new(),
    };
    keep(&mut call, &place, &upload);
    let mut xml = Xml::default();
    xml.element(&root("InitiateMultipartUploadResult"), |xml| {
        xml.text("Bucket", &call.bucket);
        xml.text("Key", &call.key);
        xml.text("UploadId", &id);
    });
    Ok(document(xml))
}

pub(super) fn part(mut call: Call<'_>) -> Result<Reply, Refusal> {
    let (place, mut upload) = upload(&call)?;
    let number = call.query("partNumber").and_then(|text| text.parse().ok());
    let number: u32 = number
        .filter(|number| (1..=10_000).contains(number))
        .ok_or_else(|| {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            error("InvalidArgument", message)
        })?;
    let payload = body::payload(&call)?;
    body::require_digest(&call, &payload, &upload.version.headers, "Put Part")?;
    let part = Part {
        etag: hex::encode(Md5::digest(&payload.bytes)),
        size: payload.bytes.len() as u64,
        blob: call.store.put_blob(&payload.bytes),
    };
    let mut reply = reply(200);
    set(&mut reply, "etag", format!("\"{}\"", part.etag));
    for (name, value) in &payload.checksums {
        set(&mut reply, name, value);
    }
    upload.parts.insert(number, part);
    keep(&mut call, &place, &upload);
    Ok(reply)
}

pub(super) fn finish(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let mut versions = model::versions(call.store, &call.bucket, &call.key)?;
    let (place, upload) = upload(&call)?;
    check_conditions(&call, &versions)?;
    let payload = body::payload(&call)?;
    let parts = named(&payload.bytes, &upload)?;
    let mut bytes = Vec::new();
    let mut digests = Md5::new();
    for part in &parts {
        let blob = call.store.blob(&part.blob);
        bytes.extend_from_slice(&blob.ok_or_else(|| error("InvalidPart", ""))?);
        digests.update(hex::decode(&part.etag).unwrap_or_default());
    }
    let mut version = upload.version;
    version.modified = call.request.now;
    version.size = bytes.len() as u64;
    if version.etag.is_empty() {
        let digest = hex::encode(digests.finalize());
        version.etag = format!("\"{digest}-{}\"", parts.len());
    }
    version.blob = call.store.put_blob(&bytes.into());
    let mut reply = stored(&bucket, &version);
    let mut xml = Xml::default();
    xml.element(&root("CompleteMultipartUploadResult"), |xml| {
        xml.text("Bucket", &call.bucket);
        xml.text("Key", &call.key);
        xml.text("ETag", &version.etag);
    });
    set_xml(&mut reply, xml);
    add(&mut versions, version);
    model::put_versions(call.store, &call.bucket, &call.key, &versions);
    call.store.remove(&place);
    Ok(reply)
}

/// The parts that the request names, in its order.
fn named(request: &[u8], upload: &Upload) -> Result<Vec<Part>, Refusal> {
    let xml = body::require(request)?;
    let mut parts: Vec<Part> = Vec::new();
    let mut last = 0;
    for node in children(xml.root_element(), "Part") {
        let number = child_text(node, "PartNumber").and_then(|text| text.parse().ok());
        let number: u32 = number.ok_or_else(|| error("MalformedXML", ""))?;
        if number <= last {
            return Err(error("InvalidPartOrder", ""));
        }
        last = number;
        let etag = child_text(node, "ETag").unwrap_or_default();
        let part = upload.parts.get(&number);
        let part = part.filter(|part| same_etag(&part.etag, etag));
        parts.push(part.ok_or_else(|| error("InvalidPart", ""))?.clone());
    }
    let Some((_, before)) = parts.split_last() else {
        return Err(error("MalformedXML", ""));
    };
    if before.iter().any(|part| part.size < LEAST) {
        return Err(error("EntityTooSmall", ""));
    }
    Ok(parts)
}

pub(super) fn abort(call: Call<'_>) -> Result<Reply, Refusal> {
    model::bucket(call.store, &call.bucket)?;
    let (place, _) = upload(&call)?;
    call.store.remove(&place);
    Ok(reply(204))
}

pub(super) fn list(call: Call<'_>) -> Result<Reply, Refusal> {
    model::bucket(call.store, &call.bucket)?;
    let naming = Naming::of(&call)?;
    let prefix = call.query("prefix").unwrap_or_default();
    let start = place(&call, "");
    let mut xml = Xml::default();
    xml.element(&root("ListMultipartUploadsResult"), |xml| {
        xml.text("Bucket", &call.bucket);
        xml.text("IsTruncated", "false");
        naming.write_encoding(xml);
        for (place, value) in call.store.scan(&start) {
            let key = value["key"].as_str().unwrap_or_default();
            if key.starts_with(prefix) {
                xml.element("Upload", |xml| {
                    xml.text("Key", naming.write(key));
                    xml.text("UploadId", &place[start.len()..]);
                });
            }
        }
    });
    Ok(document(xml))
}
