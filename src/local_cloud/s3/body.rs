//! Request bodies: the chunked encoding of AWS, digests, XML.

use super::super::service::Refusal;
use super::Call;
use super::error::error;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A body with what was said about it.
pub(super) struct Payload {
    pub(super) bytes: Bytes,
    /// `x-amz-checksum-…` headers and trailers.
    pub(super) checksums: BTreeMap<String, String>,
}

/// The body of a request, decoded and compared with its digests.
pub(super) fn payload(call: &Call<'_>) -> Result<Payload, Refusal> {
    let mut checksums = BTreeMap::new();
    for (name, value) in &call.request.headers {
        note_checksum(&mut checksums, name, value);
    }
    let streaming = call
        .header("x-amz-content-sha256")
        .is_some_and(|sha| sha.starts_with("STREAMING-"));
    let chunked = call
        .header("content-encoding")
        .is_some_and(|encoding| encoding.split(',').any(|part| part.trim() == "aws-chunked"));
    let bytes = if streaming || chunked {
        let decoded = unchunk(&call.request.body, &mut checksums)
            .ok_or_else(|| error("IncompleteBody", ""))?;
        let announced = call.header("x-amz-decoded-content-length");
        if announced.is_some_and(|length| length.parse() != Ok(decoded.len())) {
            return Err(error("IncompleteBody", ""));
        }
        decoded
    } else {
        call.request.body.clone()
    };
    check_digests(call, &bytes, &checksums)?;
    Ok(Payload { bytes, checksums })
}

/// What locks an object is taken with a digest of the content only; `what` is "Put Object" or "Put
/// Part". (<https://github.com/versity/versitygw/issues/1535> shows S3's reply,
/// <https://github.com/s3tools/s3cmd/issues/1436> that of a part.)
pub(super) fn require_digest(
    call: &Call<'_>,
    payload: &Payload,
    headers: &BTreeMap<String, String>,
    what: &str,
) -> Result<(), Refusal> {
    let locks = headers
        .keys()
        .any(|name| name.starts_with("x-amz-object-lock-"));
    if locks && payload.checksums.is_empty() && call.header("content-md5").is_none() {
        let message = format!(
            "Content-MD5 OR x-amz-checksum- HTTP header is required for {what} requests with \
             Object Lock parameters"
        );
        return Err(error("InvalidRequest", &message));
    }
    Ok(())
}

fn note_checksum(checksums: &mut BTreeMap<String, String>, name: &str, value: &str) {
    let about_content = name.starts_with("x-amz-checksum-")
        && ![
            "x-amz-checksum-mode",
            "x-amz-checksum-type",
            "x-amz-checksum-algorithm",
        ]
        .contains(&name);
    if about_content {
        checksums.insert(name.to_owned(), value.to_owned());
    }
}

/// Chunks of `{hex size}[;extension]\r\n{bytes}\r\n`, the last one empty, then trailers.
fn unchunk(body: &[u8], checksums: &mut BTreeMap<String, String>) -> Option<Bytes> {
    let mut decoded = BytesMut::new();
    let mut rest = body;
    loop {
        let (line, after) = take_line(rest)?;
        let size = std::str::from_utf8(line).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            rest = after;
            break;
        }
        decoded.extend_from_slice(after.get(..size)?);
        rest = after.get(size..)?.strip_prefix(b"\r\n")?;
    }
    while let Some((line, after)) = take_line(rest) {
        if let Some((name, value)) = std::str::from_utf8(line).ok()?.split_once(':') {
            note_checksum(checksums, &name.to_ascii_lowercase(), value.trim());
        }
        rest = after;
    }
    Some(decoded.freeze())
}

fn take_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&bytes[..end], &bytes[end + 2..]))
}

fn check_digests(
    call: &Call<'_>,
    bytes: &[u8],
    checksums: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    if let Some(digest) = call.header("content-md5") {
        let digest = BASE64_STANDARD.decode(digest).unwrap_or_default();
        if digest.len() != 16 {
            return Err(error("InvalidDigest", ""));
        }
        if digest != Md5::digest(bytes).as_slice() {
            return Err(error("BadDigest", ""));
        }
    }
    type Digest = fn(&[u8]) -> Vec<u8>;
    let known: [(&str, &str, Digest); 2] = [
        ("SHA256", "x-amz-checksum-sha256", |bytes| {
            Sha256::digest(bytes).to_vec()
        }),
        ("SHA1", "x-amz-checksum-sha1", |bytes| {
            Sha1::digest(bytes).to_vec()
        }),
    ];
    for (name, header, digest) in known {
        let stated = checksums.get(header);
        if stated.is_some_and(|stated| *stated != BASE64_STANDARD.encode(digest(bytes))) {
            let message =
                format!("The {name} you specified did not match the calculated checksum.");
            return Err(error("BadDigest", &message));
        }
    }
    Ok(())
}

/// Bytes as an XML document; none when there are none.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<roxmltree::Document<'_>>, Refusal> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| error("MalformedXML", ""))?;
    let document = roxmltree::Document::parse(text).map_err(|_| error("MalformedXML", ""))?;
    Ok(Some(document))
}

/// Bytes as the XML document that the operation needs.
pub(super) fn require(bytes: &[u8]) -> Result<roxmltree::Document<'_>, Refusal> {
    parse(bytes)?.ok_or_else(|| error("MissingRequestBodyError", "Request Body is empty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_trailers_read() {
        let mut checksums = BTreeMap::new();
        let body =
            b"5;chunk-signature=ab\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        assert_eq!(unchunk(body, &mut checksums).unwrap(), "hello!");
        assert_eq!(checksums["x-amz-checksum-crc32"], "AAAA");
        assert!(unchunk(b"6\r\nhello\r\n", &mut checksums).is_none());
        assert!(unchunk(b"zz\r\nhello\r\n", &mut checksums).is_none());
    }
}
