//! Tags of buckets and objects.

use super::super::service::{Refusal, Reply};
use super::super::xml::{Xml, child, child_text, children};
use super::acl::edit_version;
use super::error::error;
use super::model::{self, Tag};
use super::object::pick;
use super::{Call, body, document, reply, root, set};
use crate::resource::aws::tags::is_tag_character;

/// The tags in an element `list` under `node`; none when the element does not exist.
pub(super) fn parse(
    node: roxmltree::Node<'_, '_>,
    list: &str,
    max: usize,
) -> Result<Vec<Tag>, Refusal> {
    let items = child(node, list).into_iter();
    let items: Vec<_> = items
        .flat_map(|list| children(list, "Tag").collect::<Vec<_>>())
        .collect();
    let tags = items
        .into_iter()
        .map(|tag| {
            let key = child_text(tag, "Key").ok_or_else(|| error("MalformedXML", ""))?;
            let value = child_text(tag, "Value").ok_or_else(|| error("MalformedXML", ""))?;
            Ok((key.to_owned(), value.to_owned()))
        })
        .collect::<Result<Vec<Tag>, Refusal>>()?;
    check(&tags, max)?;
    Ok(tags)
}

/// Checks a set of tags.
pub(super) fn check(tags: &[Tag], max: usize) -> Result<(), Refusal> {
    if tags.len() > max {
        let message = if max == 10 {
            "Object tags cannot be greater than 10".to_owned()
        } else {
            format!("Bucket tag count cannot be greater than {max}")
        };
        return Err(error("BadRequest", &message));
    }
    let fits = |text: &str| text.chars().all(is_tag_character);
    for (at, (key, value)) in tags.iter().enumerate() {
        let invalid = |message: &str| Err(error("InvalidTag", message));
        if key.is_empty() || key.chars().count() > 128 || !fits(key) {
            return invalid("The TagKey you have provided is invalid");
        }
        if value.chars().count() > 256 || !fits(value) {
            return invalid("The TagValue you have provided is invalid");
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return invalid("System tags cannot be added/updated by requester");
        }
        if tags[..at].iter().any(|(known, _)| known == key) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
    }
    Ok(())
}

/// The tags in the `x-amz-tagging` header, written as a query.
pub(super) fn from_header(call: &Call<'_>) -> Result<Vec<Tag>, Refusal> {
    let text = call.header("x-amz-tagging").unwrap_or_default();
    let tags: Vec<Tag> = form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect();
    check(&tags, 10)?;
    Ok(tags)
}

fn from_body(call: &Call<'_>, max: usize) -> Result<Vec<Tag>, Refusal> {
    let payload = body::payload(call)?;
    let document = body::require(&payload.bytes)?;
    let root = document.root_element();
    child(root, "TagSet").ok_or_else(|| error("MalformedXML", ""))?;
    parse(root, "TagSet", max)
}

fn write(tags: &[Tag]) -> Reply {
    let mut xml = Xml::default();
    xml.element(&root("Tagging"), |xml| {
        xml.element("TagSet", |xml| {
            for (key, value) in tags {
                xml.element("Tag", |xml| {
                    xml.text("Key", key);
                    xml.text("Value", value);
                });
            }
        });
    });
    document(xml)
}

/// Replaces all tags.
pub(super) fn put_bucket(call: Call<'_>) -> Result<Reply, Refusal> {
    let mut bucket = model::bucket(call.store, &call.bucket)?;
    bucket.tags = from_body(&call, 50)?;
    model::put_bucket(call.store, &bucket);
    Ok(reply(204))
}

pub(super) fn get_bucket(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    if bucket.tags.is_empty() {
        return Err(error("NoSuchTagSet", ""));
    }
    Ok(write(&bucket.tags))
}

pub(super) fn delete_bucket(call: Call<'_>) -> Result<Reply, Refusal> {
    let mut bucket = model::bucket(call.store, &call.bucket)?;
    bucket.tags.clear();
    model::put_bucket(call.store, &bucket);
    Ok(reply(204))
}

/// Replaces all tags.
pub(super) fn put_object(call: Call<'_>) -> Result<Reply, Refusal> {
    let tags = from_body(&call, 10)?;
    edit_version(call, |version| version.tags = tags)
}

pub(super) fn get_object(call: Call<'_>) -> Result<Reply, Refusal> {
    let versions = model::versions(call.store, &call.bucket, &call.key)?;
    let at = pick(&versions, call.query("versionId"))?;
    let mut reply = write(&versions[at].tags);
    if versions[at].id != "null" {
        set(&mut reply, "x-amz-version-id", &versions[at].id);
    }
    Ok(reply)
}

pub(super) fn delete_object(call: Call<'_>) -> Result<Reply, Refusal> {
    let mut reply = edit_version(call, |version| version.tags.clear())?;
    reply.status = 204;
    Ok(reply)
}
