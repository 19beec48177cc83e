//! Bodies sent with the `aws-chunked` content encoding: chunks with an optional signature
//! each, then trailing headers.

use super::service::Request;
use bytes::Bytes;

/// Takes the encoding off a request's body, where its headers say it is on; trailing
/// headers join the others. False where the body is not what the headers say.
pub(super) fn decode(request: &mut Request) -> bool {
    let encodings = request.headers.get("content-encoding").cloned();
    let named = encodings
        .as_deref()
        .is_some_and(|list| list.split(',').any(|name| name.trim() == "aws-chunked"));
    let streamed = request
        .headers
        .get("x-amz-content-sha256")
        .is_some_and(|hash| hash.starts_with("STREAMING-"));
    if !named && !streamed {
        return true;
    }
    let Some((body, trailers)) = split(&request.body) else {
        return false;
    };
    let announced = request.headers.get("x-amz-decoded-content-length");
    if announced.is_some_and(|length| length.parse() != Ok(body.len())) {
        return false;
    }
    // It is no hash, and says that the encoding is on.
    if streamed {
        request.headers.remove("x-amz-content-sha256");
    }
    let rest: Vec<&str> = encodings
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|name| *name != "aws-chunked")
        .collect();
    if rest.is_empty() {
        request.headers.remove("content-encoding");
    } else {
        request
            .headers
            .insert("content-encoding".to_owned(), rest.join(","));
    }
    request.headers.extend(trailers);
    request.body = body;
    true
}

type Trailers = Vec<(String, String)>;

fn split(mut rest: &[u8]) -> Option<(Bytes, Trailers)> {
    let mut body = Vec::with_capacity(rest.len());
    loop {
        let line = line(&mut rest)?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
    let mut trailers = Vec::new();
    while let Some(line) = line(&mut rest) {
        if let Some((name, value)) = line.split_once(':') {
            trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    Some((body.into(), trailers))
}

fn line<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&rest[..end]).ok()?;
    *rest = &rest[end + 2..];
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn request(body: &'static str) -> Request {
        Request {
            method: "PUT".to_owned(),
            path: "/".to_owned(),
            query: Vec::new(),
            headers: BTreeMap::from([(
                "content-encoding".to_owned(),
                "gzip,aws-chunked".to_owned(),
            )]),
            body: Bytes::from_static(body.as_bytes()),
            region: String::new(),
            now: 0,
        }
    }

    #[test]
    fn a_decoded_request_is_not_decoded_again() {
        let mut sent = request("3\r\n1\r\n\r\n0\r\n\r\n");
        let streamed = "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned();
        sent.headers
            .insert("x-amz-content-sha256".to_owned(), streamed);
        assert!(decode(&mut sent) && decode(&mut sent));
        assert_eq!(sent.body, "1\r\n");
    }

    #[test]
    fn chunks_are_joined_and_trailers_become_headers() {
        let mut sent = request(
            "5;chunk-signature=00\r\nhello\r\n3\r\n\r\nx\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n",
        );
        assert!(decode(&mut sent));
        assert_eq!(sent.body, "hello\r\nx");
        assert_eq!(sent.headers["content-encoding"], "gzip");
        assert_eq!(sent.headers["x-amz-checksum-crc32"], "AAAA");
    }

    #[test]
    fn a_short_body_is_noticed() {
        let mut other = request("5\r\nhello\r\n0\r\n\r\n");
        let header = |length: &str| ("x-amz-decoded-content-length".to_owned(), length.to_owned());
        other.headers.extend([header("6")]);
        assert!(!decode(&mut other.clone()));
        other.headers.extend([header("5")]);
        assert!(decode(&mut other));
        assert!(!decode(&mut request("9\r\nhello\r\n0\r\n\r\n")));
        assert!(!decode(&mut request("hello")));
    }
}
