//! What the repository's stack makes of a message: its request template, evaluated.

use crate::support::Project;
use serde_json::json;
use stackctl::local_cloud::apigateway::template::{Input, Template};

const CONNECTION: &str = "L0SM9cOFvHcCIhw=";
const REQUEST: &str = "Mb8zGGhUPHcFRGA=";

/// The form fields that the queue gets for a message.
fn fields(template: &str, body: &str) -> Vec<(String, String)> {
    let input = Input {
        body: body.to_owned(),
        context: json!({"connectionId": CONNECTION, "requestId": REQUEST}),
        ..Input::default()
    };
    let template = Template::parse("$default", template).unwrap();
    let form = template.evaluate(&input).unwrap();
    form_urlencoded::parse(form.as_bytes())
        .into_owned()
        .collect()
}

#[test]
fn a_message_reaches_the_queue_byte_for_byte_in_its_group() {
    let project = Project::websocket();
    project.apply();
    let integration = &project.state()["resources"]["integration"]["inputs"];
    let template = integration["requestTemplates"]["$default"]
        .as_str()
        .unwrap();
    assert!(!template.contains(char::is_whitespace), "{template}");
    let injected = r#"{"MessageGroupId":"a&MessageAttribute.1.Value.StringValue=other"}"#;
    for (body, group) in [
        (r#"{"MessageGroupId":"test","data":"hello world"}"#, "test"),
        (r#"{"data": "a&b+c%d=e", "n": 10.00}"#, CONNECTION),
        (r#"{"MessageGroupId":"","text":"über 100%"}"#, CONNECTION),
        (r#"{"MessageGroupId":null}"#, CONNECTION),
        (r#"{"MessageGroupId":7}"#, "7"),
        (injected, "a&MessageAttribute.1.Value.StringValue=other"),
    ] {
        let expected = [
            ("Action", "SendMessage"),
            ("MessageGroupId", group),
            ("MessageDeduplicationId", REQUEST),
            ("MessageAttribute.1.Name", "connectionId"),
            ("MessageAttribute.1.Value.StringValue", CONNECTION),
            ("MessageAttribute.1.Value.DataType", "String"),
            ("MessageAttribute.2.Name", "requestId"),
            ("MessageAttribute.2.Value.StringValue", REQUEST),
            ("MessageAttribute.2.Value.DataType", "String"),
            ("MessageBody", body),
        ];
        let found = fields(template, body);
        let found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(found, expected, "{body}");
    }
}
