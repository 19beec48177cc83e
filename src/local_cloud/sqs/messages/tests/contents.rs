//! What a message holds, and its checksums.

use super::super::contents::{md5_of_attributes, md5_of_body};
use super::Here;
use crate::local_cloud::testing::assert_refused;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
};
use serde_json::{Value, json};

/// The checksums that AWS returned for these, as others recorded them (getmoto/moto, tests of
/// SQS).
#[test]
fn checksums_are_those_of_aws() {
    assert_eq!(md5_of_body("derp"), "58fd9edd83341c29f1aebba81c31e257");
    let text = |value: &str| json!({"DataType": "String", "StringValue": value});
    let long = |value: &str| json!({"DataType": "Number.java.lang.Long", "StringValue": value});
    for (attributes, expected) in [
        (
            json!({"timestamp": {"DataType": "Number", "StringValue": "1493147359900"}}),
            "235c5c510d26fb653d073faed50ae77c",
        ),
        (
            json!({
                "id": text("2018fc74-4f77-1a5a-1be0-c2d037d5052b"),
                "contentType": text("application/json"),
                "timestamp": long("1602845432024"),
            }),
            "b12289320bb6e494b18b645ef562b4a9",
        ),
        (
            json!({
                "id": text("453ae55e-f03b-21a6-a4b1-70c2e2e8fe71"),
                "mybin": {"DataType": "Binary", "BinaryValue": "a2VrY2hlYnVrZWs="},
                "timestamp": long("1603134247654"),
                "contentType": text("application/json"),
            }),
            "049075255ebc53fb95f7f9f3cedf3c50",
        ),
    ] {
        let Value::Object(attributes) = attributes else {
            panic!("no object");
        };
        assert_eq!(md5_of_attributes(&attributes).as_deref(), Some(expected));
    }
}

fn text(kind: &str, value: &str) -> MessageAttributeValue {
    let value = MessageAttributeValue::builder()
        .data_type(kind)
        .string_value(value);
    value.build().unwrap()
}

#[tokio::test]
async fn attributes_are_given_back_as_asked_for() {
    let here = Here::new().await;
    let url = here.queue("q", &[("VisibilityTimeout", "0")]).await;
    let binary = MessageAttributeValue::builder()
        .data_type("Binary.gif")
        .binary_value(Blob::new([0, 255]))
        .build()
        .unwrap();
    let trace = MessageSystemAttributeValue::builder()
        .data_type("String")
        .string_value("Root=1-5e9f")
        .build()
        .unwrap();
    let call = here.aws.sqs_once().send_message().queue_url(&url);
    let sent = call
        .message_body("a\u{10ffff}\r\n\t\"b")
        .message_attributes("app.one", text("String", "1"))
        .message_attributes("app.two", text("Number.int", "-2.5e3"))
        .message_attributes("picture", binary)
        .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace)
        .send()
        .await
        .unwrap();
    let all = here.receive(&url, 1).await.remove(0);
    assert_eq!(all.body(), Some("a\u{10ffff}\r\n\t\"b"));
    assert_eq!(all.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(
        all.md5_of_message_attributes(),
        sent.md5_of_message_attributes()
    );
    assert!(sent.md5_of_message_system_attributes().is_some());
    assert_eq!(
        super::attribute(&all, "AWSTraceHeader"),
        Some("Root=1-5e9f")
    );
    let attributes = all.message_attributes.unwrap();
    let picture = attributes["picture"].binary_value().unwrap();
    assert_eq!(picture.as_ref(), [0, 255]);
    for (wanted, expected) in [
        ("picture", vec!["picture"]),
        ("app.*", vec!["app.one", "app.two"]),
        ("nothing", vec![]),
    ] {
        let call = here.aws.sqs_once().receive_message().queue_url(&url);
        let call = call.message_attribute_names(wanted);
        let message = call.send().await.unwrap().messages.unwrap().remove(0);
        let found = message.message_attributes.unwrap_or_default();
        let mut names: Vec<&str> = found.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(
            message.md5_of_message_attributes.is_some(),
            !names.is_empty()
        );
        assert_eq!(message.attributes, None);
    }
}

#[tokio::test]
async fn what_no_message_may_hold_is_refused() {
    let here = Here::new().await;
    let url = here.queue("q", &[]).await;
    let send = || here.aws.sqs_once().send_message().queue_url(&url);
    assert_refused!(send().message_body(""), "MissingParameter", "MessageBody");
    for body in ["a\u{0}", "\u{8}", "\u{fffe}"] {
        assert_refused!(send().message_body(body), "InvalidMessageContents");
    }
    for (name, value, why) in [
        ("", text("String", "x"), "name"),
        (".a", text("String", "x"), "name"),
        ("a..b", text("String", "x"), "name"),
        ("AWS.a", text("String", "x"), "name"),
        ("amazon.a", text("String", "x"), "name"),
        ("a b", text("String", "x"), "name"),
        ("a", text("", "x"), "type"),
        ("a", text("Text", "x"), "type"),
        ("a", text("String", ""), "non-empty"),
        ("a", text("Binary", "x"), "non-empty"),
        ("a", text("Number", "one"), "number"),
    ] {
        let call = send().message_body("x").message_attributes(name, value);
        assert_refused!(call, "InvalidParameterValue", why);
    }
    let mut many = send().message_body("x");
    for n in 0..11 {
        many = many.message_attributes(format!("a{n}"), text("String", "x"));
    }
    assert_refused!(many, "InvalidParameterValue", "[11]");
}

#[tokio::test]
async fn a_message_has_the_size_of_all_that_is_in_it() {
    let here = Here::new().await;
    let url = here.queue("q", &[("MaximumMessageSize", "1024")]).await;
    let send = |bytes: usize| {
        let call = here.aws.sqs_once().send_message().queue_url(&url);
        call.message_body("é".repeat(bytes / 2))
            .message_attributes("name", text("String", "value"))
    };
    // A name of 4 bytes, a type of 6, a value of 5.
    send(1008).send().await.unwrap();
    assert_refused!(send(1010), "InvalidParameterValue", "1024 bytes");
    let large = here.queue("large", &[]).await;
    let send = |bytes: usize| {
        let call = here.aws.sqs_once().send_message().queue_url(&large);
        call.message_body("x".repeat(bytes))
    };
    send(1 << 20).send().await.unwrap();
    assert_refused!(send((1 << 20) + 1), "InvalidParameterValue", "1048576");
}
