//! The parts of an integration: its maps, the way a PATCH changes them, its rules.
//!
//! A PATCH merges `requestParameters` and `responseParameters` into what is stored: a key
//! goes away only when it is sent empty.

use super::protocol::Protocol;
use super::{Tags, only_for, peer_protocol};
use crate::resource::author::*;
use aws_sdk_apigatewayv2::types;

/// How the parameters of responses with one status are changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResponseParameters {
    /// The status, 200 to 599.
    #[schemars(regex(pattern = "^[2-5][0-9]{2}$"))]
    pub status_code: String,
    /// New values by destination, such as `overwrite:header.Location`.
    pub mappings: Tags,
}

/// TLS towards a private endpoint.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsConfig {
    /// The name that the endpoint's certificate must have.
    #[schemars(length(min = 1, max = 512))]
    pub server_name_to_verify: Option<String>,
}

impl TlsConfig {
    pub(crate) fn to_sdk(server_name: &str) -> types::TlsConfigInput {
        types::TlsConfigInput::builder()
            .server_name_to_verify(server_name)
            .build()
    }
}

impl ResponseParameters {
    /// From a reply, by status; a status with nothing in it says nothing.
    pub(crate) fn from_sdk(live: HashMap<String, HashMap<String, String>>) -> Vec<Self> {
        let mut list: Vec<Self> = live
            .into_iter()
            .filter(|(_, mappings)| !mappings.is_empty())
            .map(|(status_code, mappings)| Self {
                status_code,
                mappings: mappings.into_iter().collect(),
            })
            .collect();
        list.sort_by(|a, b| a.status_code.cmp(&b.status_code));
        list
    }
}

/// Response parameters as they are sent: by status.
pub(crate) fn statuses(list: &[ResponseParameters]) -> HashMap<String, HashMap<String, String>> {
    list.iter()
        .map(|item| {
            let mappings = item.mappings.clone().into_iter().collect();
            (item.status_code.clone(), mappings)
        })
        .collect()
}

/// The new map, with the keys that go sent empty: a PATCH would keep them otherwise.
pub(crate) fn merged(old: Option<&Tags>, new: Option<&Tags>) -> HashMap<String, String> {
    let mut map: HashMap<String, String> = old
        .into_iter()
        .flatten()
        .map(|(key, _)| (key.clone(), String::new()))
        .collect();
    map.extend(new.cloned().unwrap_or_default());
    map
}

/// The same for response parameters: a status that goes is sent with nothing in it.
pub(crate) fn merged_statuses(
    old: Option<&[ResponseParameters]>,
    new: Option<&[ResponseParameters]>,
) -> HashMap<String, HashMap<String, String>> {
    let mut map: HashMap<String, HashMap<String, String>> = old
        .into_iter()
        .flatten()
        .map(|item| (item.status_code.clone(), HashMap::new()))
        .collect();
    map.extend(statuses(new.unwrap_or_default()));
    map
}

/// The statuses of which single mappings are removed, each to be sent with nothing in it before the
/// new ones: nothing documents how a PATCH removes one mapping, and an empty one is refused
/// ("Mapping expression missing source or destination").
pub(crate) fn emptied_statuses(
    old: Option<&[ResponseParameters]>,
    new: Option<&[ResponseParameters]>,
) -> HashMap<String, HashMap<String, String>> {
    let new = new.unwrap_or_default();
    let loses = |old: &&ResponseParameters| {
        let same = |item: &&ResponseParameters| item.status_code == old.status_code;
        let mappings = new.iter().find(same).map(|item| &item.mappings);
        mappings.is_some_and(|new| old.mappings.keys().any(|key| !new.contains_key(key)))
    };
    let losing = old.unwrap_or_default().iter().filter(loses);
    losing
        .map(|item| (item.status_code.clone(), HashMap::new()))
        .collect()
}

const WEBSOCKET_ONLY: &[&str] = &[
    "contentHandlingStrategy",
    "passthroughBehavior",
    "requestTemplates",
    "templateSelectionExpression",
];
const HTTP_ONLY: &[&str] = &["integrationSubtype", "responseParameters", "tlsConfig"];

/// The rules of an integration.
pub(crate) fn checks(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let protocol = peer_protocol(rules);
    let text = |name: &str| rules.known(name).and_then(Value::as_str);
    let kind = text("integrationType").unwrap_or_default();
    if protocol == Some(Protocol::Http) && matches!(kind, "AWS" | "HTTP" | "MOCK") {
        broken.push(
            Broken::at(
                "integrationType",
                format!("{kind} is for WebSocket APIs; an HTTP API takes AWS_PROXY or HTTP_PROXY."),
            )
            .code("SK0809"),
        );
    }
    only_for(
        rules,
        protocol,
        Protocol::WebSocket,
        WEBSOCKET_ONLY,
        &mut broken,
    );
    only_for(rules, protocol, Protocol::Http, HTTP_ONLY, &mut broken);
    let timeout = rules.known("timeoutMilliseconds").and_then(Value::as_i64);
    if protocol == Some(Protocol::WebSocket) && timeout.is_some_and(|ms| ms > 29_000) {
        broken.push(
            Broken::at(
                "timeoutMilliseconds",
                "An integration of a WebSocket API may take 50 to 29000 ms.",
            )
            .code("SK0810"),
        );
    }
    if protocol == Some(Protocol::WebSocket) && text("payloadFormatVersion") == Some("2.0") {
        broken.push(
            Broken::at(
                "payloadFormatVersion",
                "2.0 is for functions behind HTTP APIs; a WebSocket API has 1.0.",
            )
            .code("SK0811"),
        );
    }
    if matches!(kind, "HTTP" | "HTTP_PROXY") && !rules.given("integrationMethod") {
        broken.push(Broken::at(
            "integrationMethod",
            format!("An {kind} integration needs integrationMethod, such as ANY."),
        ));
    }
    if rules.given("integrationSubtype") && !kind.is_empty() && kind != "AWS_PROXY" {
        broken.push(Broken::at(
            "integrationSubtype",
            "integrationSubtype is for integrations of type AWS_PROXY only.",
        ));
    }
    if text("connectionType") == Some("VPC_LINK") && !rules.given("connectionId") {
        broken.push(
            Broken::at(
                "connectionId",
                "A connection of type VPC_LINK needs connectionId, the id of the VPC link.",
            )
            .code("SK0812"),
        );
    }
    broken.extend(uri_check(rules, kind));
    broken.extend(empty_mappings(rules));
    broken
}

/// Mappings with an empty value: API Gateway refuses them in a create and for the action of a
/// subtype, and elsewhere an update takes them for a mapping to delete.
fn empty_mappings(rules: &Rules<'_>) -> Vec<Broken> {
    let base = Path::root().join("requestParameters");
    let requests = rules.known("requestParameters").into_iter();
    let mut maps: Vec<(Path, &Value)> = requests.map(|map| (base.clone(), map)).collect();
    let base = Path::root().join("responseParameters");
    let list = rules.known("responseParameters").and_then(Value::as_array);
    for (index, item) in list.into_iter().flatten().enumerate() {
        let path = base.join(index).join("mappings");
        maps.extend(item.get("mappings").map(|map| (path, map)));
    }
    let mut broken = Vec::new();
    for (base, map) in maps {
        for (key, value) in map.as_object().into_iter().flatten() {
            let path = base.join(key);
            if value.as_str() == Some("") && rules.props.unknown_at(&path).is_none() {
                let message = format!("The value of {key:?} is empty: leave it out.");
                broken.push(Broken::new(path, message));
            }
        }
    }
    broken
}

fn uri_check(rules: &Rules<'_>, kind: &str) -> Option<Broken> {
    let subtype = rules.given("integrationSubtype");
    if !rules.given("integrationUri") {
        return (!matches!(kind, "" | "MOCK") && !subtype).then(|| {
            Broken::at(
                "integrationUri",
                format!("An integration of type {kind} needs integrationUri."),
            )
        });
    }
    let uri = rules.known("integrationUri")?.as_str()?;
    let by_link = rules.known("connectionType").and_then(Value::as_str) == Some("VPC_LINK");
    let (fits, wanted) = match kind {
        "AWS" => (
            is_service_arn(uri),
            "arn:{partition}:apigateway:{region}:{service}:path/{path} (or action/{action})",
        ),
        "AWS_PROXY" => (
            uri.starts_with("arn:"),
            "the invokeArn of a Lambda function",
        ),
        "HTTP" | "HTTP_PROXY" if !by_link => (
            uri.starts_with("http://") || uri.starts_with("https://"),
            "a URL that begins with https:// or http://",
        ),
        _ => return None,
    };
    (!fits).then(|| {
        Broken::at(
            "integrationUri",
            format!("The URI of an integration of type {kind} is {wanted}."),
        )
    })
}

/// `arn:{partition}:apigateway:{region}:{service}:path/…` or `…:action/…`.
fn is_service_arn(uri: &str) -> bool {
    let fields: Vec<&str> = uri.splitn(6, ':').collect();
    let [arn, partition, apigateway, region, service, rest] = fields[..] else {
        return false;
    };
    arn == "arn"
        && partition.starts_with("aws")
        && apigateway == "apigateway"
        && !region.is_empty()
        && !service.is_empty()
        && ["path/", "action/"]
            .iter()
            .any(|kind| rest.strip_prefix(kind).is_some_and(|rest| !rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use serde_json::json;

    fn broken(props: Value, protocol: &str) -> Vec<String> {
        let api = Data::from(json!({"protocolType": protocol}));
        let props = Data::from(props);
        let peer =
            |path: &Path| (path.to_string() == "apiId").then_some(("aws:apigatewayv2:Api", &api));
        let rules = Rules {
            props: &props,
            peer: &peer,
        };
        checks(&rules)
            .iter()
            .map(|rule| rule.path.to_string())
            .collect()
    }

    #[test]
    fn a_removed_key_is_sent_empty() {
        let map = |pairs: &[(&str, &str)]| -> Tags {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        let sent = merged(
            Some(&map(&[("a", "1"), ("b", "2")])),
            Some(&map(&[("b", "3")])),
        );
        assert_eq!(sent["a"], "");
        assert_eq!(sent["b"], "3");
        let old = [ResponseParameters {
            status_code: "200".into(),
            mappings: map(&[("a", "1")]),
        }];
        assert!(merged_statuses(Some(&old), None)["200"].is_empty());
        let with = |keys: &[(&str, &str)]| {
            [ResponseParameters {
                status_code: "200".into(),
                mappings: map(keys),
            }]
        };
        let emptied = |new: &[(&str, &str)]| emptied_statuses(Some(&old), Some(&with(new))).len();
        assert_eq!(emptied(&[("a", "2"), ("b", "1")]), 0);
        assert_eq!(emptied(&[("b", "1")]), 1);
    }

    #[test]
    fn a_queue_uri_is_an_aws_uri() {
        let good = "arn:aws:apigateway:us-west-2:sqs:path/123456789012/a.fifo";
        assert_eq!(
            broken(
                json!({"integrationType": "AWS", "integrationUri": good}),
                "WEBSOCKET"
            ),
            [""; 0]
        );
        for bad in [
            "https://sqs.us-west-2.amazonaws.com/1/a",
            "arn:aws:sqs:us-west-2:1:a",
            "arn:aws:apigateway:us-west-2:sqs:path/",
            "arn:aws:apigateway::sqs:path/1/a",
        ] {
            let found = broken(
                json!({"integrationType": "AWS", "integrationUri": bad}),
                "WEBSOCKET",
            );
            assert_eq!(found, ["integrationUri"], "{bad}");
        }
        assert_eq!(
            broken(json!({"integrationType": "AWS"}), "WEBSOCKET"),
            ["integrationUri"]
        );
        assert_eq!(
            broken(json!({"integrationType": "MOCK"}), "WEBSOCKET"),
            [""; 0]
        );
    }

    #[test]
    fn an_empty_mapping_is_refused() {
        let props = json!({
            "integrationType": "AWS_PROXY", "integrationSubtype": "SQS-SendMessage",
            "requestParameters": {"QueueUrl": "u", "DelaySeconds": ""},
            "responseParameters": [{"statusCode": "200", "mappings": {"remove:header.a": ""}}],
        });
        assert_eq!(
            broken(props, "HTTP"),
            [
                "requestParameters.DelaySeconds",
                "responseParameters[0].mappings[\"remove:header.a\"]"
            ]
        );
    }

    #[test]
    fn an_http_api_does_not_take_what_is_for_websockets() {
        let props = json!({
            "integrationType": "MOCK", "passthroughBehavior": "NEVER", "timeoutMilliseconds": 30000,
        });
        assert_eq!(
            broken(props, "HTTP"),
            ["integrationType", "passthroughBehavior"]
        );
        let props = json!({
            "integrationType": "HTTP_PROXY", "integrationUri": "https://example.com",
            "integrationMethod": "ANY", "timeoutMilliseconds": 29001, "tlsConfig": {},
        });
        assert_eq!(
            broken(props, "WEBSOCKET"),
            ["tlsConfig", "timeoutMilliseconds"]
        );
    }
}
