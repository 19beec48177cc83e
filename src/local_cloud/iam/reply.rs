//! IAM's replies: the shapes that several operations write.

use super::super::policy::{self, Kind};
use super::super::query::{Form, Tag};
use super::super::service::Refusal;
use super::super::xml::Xml;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 3986 leaves as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A document as IAM gives it back: percent-encoded.
pub(super) fn encode(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// A page of a list: `name` with a `member` per item, and the marker to go on with.
pub(super) fn write_page<T>(
    form: &Form,
    name: &str,
    items: &[T],
    mut write: impl FnMut(&mut Xml, &T),
) -> Result<Xml, Refusal> {
    let size = form.number("MaxItems", 1, 1000)?.unwrap_or(100) as usize;
    let start = match form.get("Marker") {
        None => 0,
        Some(marker) => marker
            .parse()
            .map_err(|_| Refusal::new(400, "ValidationError", "Invalid Marker"))?,
    };
    let page = items.iter().skip(start).take(size);
    let end = start + page.len();
    let mut xml = Xml::default();
    xml.element(name, |xml| page.for_each(|item| write(xml, item)));
    xml.text("IsTruncated", end < items.len());
    if end < items.len() {
        xml.text("Marker", end);
    }
    Ok(xml)
}

/// `NoSuchEntity`.
pub(super) fn missing(message: String) -> Refusal {
    Refusal::new(404, "NoSuchEntity", message)
}

/// Checks a document's grammar.
pub(super) fn check_document(text: &str, kind: Kind) -> Result<serde_json::Value, Refusal> {
    policy::check(text, kind)
        .map_err(|message| Refusal::new(400, "MalformedPolicyDocument", message))
}

/// Puts tags over those there are; 50 at most.
pub(super) fn merge_tags(tags: &mut Vec<Tag>, new: Vec<Tag>) -> Result<(), Refusal> {
    for (key, value) in new {
        match tags
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(&key))
        {
            Some(tag) => *tag = (key, value),
            None => tags.push((key, value)),
        }
    }
    if tags.len() > 50 {
        let message = "The number of tags has reached the maximum limit: 50";
        return Err(Refusal::new(409, "LimitExceeded", message));
    }
    Ok(())
}

/// Removes the tags that `TagKeys` names.
pub(super) fn remove_tags(tags: &mut Vec<Tag>, form: &Form) {
    let keys = form.list("TagKeys");
    tags.retain(|(key, _)| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
}
