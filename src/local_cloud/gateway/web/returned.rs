//! What a function's result is as a response (API Gateway developer guide, "Create AWS Lambda proxy
//! integrations for HTTP APIs", "Lambda function response").

use super::super::integration::function::Returned;
use crate::local_cloud::service::Reply;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

/// The response; or the end of a sentence that says why there is none.
pub(super) fn reply(returned: &Returned, version: &str) -> Result<Reply, String> {
    if returned.is_error {
        return Err(format!("the function failed: {}", returned.body));
    }
    let made: Value = serde_json::from_str(&returned.body)
        .map_err(|_| format!("the function's result is no JSON: {}", returned.body))?;
    if version == "2.0" && made.get("statusCode").is_none() {
        // Any JSON is a body; a string is the text of it.
        let body = match &made {
            Value::String(text) => text.clone(),
            _ => returned.body.clone(),
        };
        return Ok(Reply {
            status: 200,
            headers: vec![json_type()],
            body: body.into(),
        });
    }
    let status = match &made["statusCode"] {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64().and_then(|it| u16::try_from(it).ok()),
    };
    let status = status
        .filter(|status| (200..=599).contains(status))
        .ok_or_else(|| format!("the function's result has no statusCode: {}", returned.body))?;
    let body = match &made["body"] {
        Value::Null => Bytes::new(),
        Value::String(text) if made["isBase64Encoded"] == true => {
            let bytes = STANDARD.decode(text);
            Bytes::from(bytes.map_err(|_| "the function's body is no base64".to_owned())?)
        }
        Value::String(text) => Bytes::from(text.clone()),
        other => Bytes::from(other.to_string()),
    };
    Ok(Reply {
        status,
        headers: headers(&made, version),
        body,
    })
}

fn json_type() -> (String, String) {
    ("content-type".to_owned(), "application/json".to_owned())
}

fn headers(made: &Value, version: &str) -> Vec<(String, String)> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let many = made["multiValueHeaders"]
        .as_object()
        .filter(|_| version != "2.0");
    let mut all = Vec::new();
    for (name, value) in made["headers"].as_object().into_iter().flatten() {
        if many.is_none_or(|many| !many.contains_key(name)) {
            all.push((name.to_ascii_lowercase(), text(value)));
        }
    }
    for (name, values) in many.into_iter().flatten() {
        let values = values.as_array().into_iter().flatten();
        all.extend(values.map(|value| (name.to_ascii_lowercase(), text(value))));
    }
    if version == "2.0" {
        let cookies = made["cookies"].as_array().into_iter().flatten();
        all.extend(cookies.map(|cookie| ("set-cookie".to_owned(), text(cookie))));
    }
    // The length is that of what is sent.
    all.retain(|(name, _)| !["content-length", "transfer-encoding"].contains(&name.as_str()));
    if !all.iter().any(|(name, _)| name == "content-type") {
        all.push(match version {
            "2.0" => (
                "content-type".to_owned(),
                "text/plain;charset=UTF-8".to_owned(),
            ),
            _ => json_type(),
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(body: &str, version: &str) -> Result<(u16, String, String), String> {
        let returned = Returned {
            body: body.to_owned(),
            is_error: false,
        };
        reply(&returned, version).map(|reply| {
            let mut headers: Vec<String> = reply
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            headers.sort();
            let body = String::from_utf8(reply.body.to_vec()).unwrap();
            (reply.status, headers.join("; "), body)
        })
    }

    #[test]
    fn results_are_responses_by_their_format() {
        for (body, version, status, headers, text) in [
            (
                r#"{"a": 1}"#,
                "2.0",
                200,
                "content-type: application/json",
                r#"{"a": 1}"#,
            ),
            (
                r#""hello""#,
                "2.0",
                200,
                "content-type: application/json",
                "hello",
            ),
            (
                r#"{"statusCode": 201, "body": "aGk=", "isBase64Encoded": true, "headers": {"X-A": 1}, "cookies": ["a=1", "b=2"]}"#,
                "2.0",
                201,
                "content-type: text/plain;charset=UTF-8; set-cookie: a=1; set-cookie: b=2; x-a: 1",
                "hi",
            ),
            (
                r#"{"statusCode": "404", "headers": {"Content-Type": "text/html", "x": "1"}, "multiValueHeaders": {"x": ["2", "3"]}}"#,
                "1.0",
                404,
                "content-type: text/html; x: 2; x: 3",
                "",
            ),
        ] {
            let expected = (status, headers.to_owned(), text.to_owned());
            assert_eq!(made(body, version), Ok(expected), "{body}");
        }
        for (body, version) in [
            ("{}", "1.0"),
            ("no", "2.0"),
            (r#"{"statusCode": 7}"#, "2.0"),
        ] {
            assert!(made(body, version).is_err(), "{body}");
        }
    }
}
