//! Templates against what Velocity and API Gateway make of them: `cases.yaml`.

use super::{Input, Template};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    template: String,
    #[serde(default)]
    body: String,
    /// What comes out.
    gives: Option<String>,
    /// Or the error, with its place.
    error: Option<String>,
    /// Where the fact is from.
    #[expect(dead_code, reason = "for the reader of the table")]
    source: Option<String>,
}

fn input(body: &str) -> Input {
    let mut input = Input {
        body: body.to_owned(),
        context: serde_json::json!({
            "connectionId": "L0SM9cOFvHcCIhw=",
            "requestId": "Mb8zGGhUPHcFRGA=",
            "identity": {"sourceIp": "127.0.0.1"},
        }),
        ..Input::default()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    input.stage_variables.extend([pair("color", "blue")]);
    input.parameters.path.extend([pair("id", "7")]);
    input.parameters.querystring.extend([pair("q", "x y")]);
    input.parameters.header.extend([pair("User-Agent", "t/1")]);
    input
}

#[test]
fn templates_give_what_velocity_gives() {
    let cases = crate::lang::source::parse(include_bytes!("cases.yaml")).unwrap();
    let groups: std::collections::BTreeMap<String, Vec<Case>> =
        serde_json::from_value(cases).unwrap();
    let mut wrong = Vec::new();
    for (group, cases) in groups {
        for case in cases {
            assert!(
                case.gives.is_some() != case.error.is_some(),
                "{}",
                case.template
            );
            let made = Template::parse("t", &case.template)
                .and_then(|template| template.evaluate(&input(&case.body)));
            let made = made.map_err(|error| error.to_string().replace("template \"t\", ", ""));
            let expected = case.gives.ok_or_else(|| case.error.unwrap_or_default());
            if made != expected {
                wrong.push(format!(
                    "{group}: {:?}\n  expected {expected:?}\n  got      {made:?}",
                    case.template
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
