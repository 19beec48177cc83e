//! Lists of buckets and objects.

use super::super::service::{Refusal, Reply};
use super::super::stamps;
use super::super::xml::Xml;
use super::acl::OWNER;
use super::error::error;
use super::model::{self, Version};
use super::{Call, document, root};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What `encoding-type=url` leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*')
    .remove(b'/');

/// How keys are written.
pub(super) struct Naming {
    url: bool,
}

impl Naming {
    /// From `encoding-type`.
    pub(super) fn of(call: &Call<'_>) -> Result<Self, Refusal> {
        match call.query("encoding-type") {
            None => Ok(Self { url: false }),
            Some("url") => Ok(Self { url: true }),
            Some(_) => Err(error(
                "InvalidArgument",
                "Invalid Encoding Method specified in Request",
            )),
        }
    }

    /// A key or prefix.
    pub(super) fn write(&self, key: &str) -> String {
        if self.url {
            utf8_percent_encode(key, ENCODED).to_string()
        } else {
            key.to_owned()
        }
    }

    /// `EncodingType`.
    pub(super) fn write_encoding(&self, xml: &mut Xml) {
        xml.maybe("EncodingType", self.url.then_some("url"));
    }
}

/// A number of up to 1000 in the query.
pub(super) fn page_size(call: &Call<'_>, name: &str) -> Result<usize, Refusal> {
    let Some(text) = call.query(name) else {
        return Ok(1000);
    };
    let size: usize = text.parse().map_err(|_| {
        error(
            "InvalidArgument",
            &format!("Provided {name} not an integer or within integer range"),
        )
    })?;
    Ok(size.min(1000))
}

pub(super) fn buckets(call: Call<'_>) -> Result<Reply, Refusal> {
    let prefix = call.query("prefix").unwrap_or_default();
    let region = call.query("bucket-region");
    let after = call.query("continuation-token").unwrap_or_default();
    let size = match call.query("max-buckets") {
        None => 10_000,
        Some(text) => match text.parse::<usize>() {
            Ok(size @ 1..=10_000) => size,
            _ => {
                return Err(error(
                    "InvalidArgument",
                    "max-buckets must be between 1 and 10000",
                ));
            }
        },
    };
    let mut buckets = model::buckets(call.store)?;
    buckets.retain(|bucket| {
        bucket.name.starts_with(prefix)
            && bucket.name.as_str() > after
            && region.is_none_or(|region| region == bucket.region)
    });
    let more = buckets.len() > size;
    buckets.truncate(size);
    let mut xml = Xml::default();
    xml.element(&root("ListAllMyBucketsResult"), |xml| {
        xml.element("Buckets", |xml| {
            for bucket in &buckets {
                xml.element("Bucket", |xml| {
                    xml.text("Name", &bucket.name);
                    xml.text("CreationDate", stamps::iso_millis(bucket.created));
                    xml.text("BucketRegion", &bucket.region);
                });
            }
        });
        xml.element("Owner", |xml| xml.text("ID", OWNER));
        xml.maybe("Prefix", call.query("prefix"));
        let last = buckets.last().filter(|_| more);
        xml.maybe("ContinuationToken", last.map(|bucket| &bucket.name));
    });
    Ok(document(xml))
}

/// A row of a list: an object, or what a group of them has in common.
enum Row {
    Object(String, Box<Version>),
    Common(String),
}

impl Row {
    fn key(&self) -> &str {
        match self {
            Self::Object(key, _) | Self::Common(key) => key,
        }
    }
}

/// The part of a key up to the delimiter behind the prefix.
fn common<'a>(key: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    if delimiter.is_empty() {
        return None;
    }
    let at = key[prefix.len()..].find(delimiter)?;
    Some(&key[..prefix.len() + at + delimiter.len()])
}

/// The rows behind `continuation-token` or `start-after`, which is a key.
fn collect_rows(call: &Call<'_>, prefix: &str, delimiter: &str) -> Result<Vec<Row>, Refusal> {
    let after = match call.query("continuation-token") {
        // The token is the last row's key, in hex so that nobody takes it for one.
        Some(token) => hex::decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| {
                let message = "The continuation token provided is incorrect";
                error("InvalidArgument", message)
            })?,
        None => call.query("start-after").unwrap_or_default().to_owned(),
    };
    let told = |key: &str| {
        let group = common(key, prefix, delimiter);
        let in_last_group = call.query("continuation-token").is_some() && group == Some(&after);
        key <= after.as_str() || in_last_group
    };
    let mut rows: Vec<Row> = Vec::new();
    for (key, mut versions) in model::objects(call.store, &call.bucket, prefix)? {
        if versions.is_empty() || versions[0].marker || told(&key) {
            continue;
        }
        match common(&key, prefix, delimiter) {
            Some(group) if rows.last().is_some_and(|row| row.key() == group) => {}
            Some(group) => rows.push(Row::Common(group.to_owned())),
            None => rows.push(Row::Object(key, Box::new(versions.swap_remove(0)))),
        }
    }
    Ok(rows)
}

pub(super) fn objects(call: Call<'_>) -> Result<Reply, Refusal> {
    if call.query("list-type") != Some("2") {
        return Err(error(
            "InvalidArgument",
            "Invalid List Type specified in Request",
        ));
    }
    let naming = Naming::of(&call)?;
    let size = page_size(&call, "max-keys")?;
    let prefix = call.query("prefix").unwrap_or_default();
    let delimiter = call.query("delimiter").unwrap_or_default();
    let token = call.query("continuation-token");
    let mut rows = collect_rows(&call, prefix, delimiter)?;
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| hex::encode(row.key()));
    let mut xml = Xml::default();
    xml.element(&root("ListBucketResult"), |xml| {
        xml.text("Name", &call.bucket);
        xml.text("Prefix", naming.write(prefix));
        xml.text("KeyCount", rows.len());
        xml.text("MaxKeys", size);
        xml.text("IsTruncated", next.is_some());
        xml.maybe(
            "Delimiter",
            call.query("delimiter").map(|text| naming.write(text)),
        );
        xml.maybe("ContinuationToken", token);
        xml.maybe("NextContinuationToken", next);
        xml.maybe(
            "StartAfter",
            call.query("start-after").map(|text| naming.write(text)),
        );
        naming.write_encoding(xml);
        for row in &rows {
            write_row(xml, row, &naming, call.query("fetch-owner") == Some("true"));
        }
    });
    Ok(document(xml))
}

fn write_row(xml: &mut Xml, row: &Row, naming: &Naming, owner: bool) {
    match row {
        Row::Common(prefix) => xml.element("CommonPrefixes", |xml| {
            xml.text("Prefix", naming.write(prefix));
        }),
        Row::Object(key, version) => xml.element("Contents", |xml| {
            xml.text("Key", naming.write(key));
            write_version(xml, version);
            if owner {
                xml.element("Owner", |xml| xml.text("ID", OWNER));
            }
        }),
    }
}

/// What lists return of an object besides its key.
pub(super) fn write_version(xml: &mut Xml, version: &Version) {
    xml.text("LastModified", stamps::iso_millis(version.modified));
    xml.text("ETag", &version.etag);
    xml.text("Size", version.size);
    xml.text("StorageClass", &version.storage_class);
}
