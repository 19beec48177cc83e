use super::{Place, check, fill, model};
use crate::local_cloud::fixture::Fixture;
use crate::local_cloud::service::ACCOUNT;
use crate::local_cloud::{Fault, Options};
use aws_sdk_cloudcontrol::error::ProvideErrorMetadata;
use aws_sdk_cloudcontrol::types::{
    HandlerErrorCode, Operation, OperationStatus as Status, ProgressEvent,
    ResourceRequestStatusFilter,
};
use serde_json::{Value, json};

const TABLE: &str = "AWS::DynamoDB::Table";
const TOPIC: &str = "AWS::SNS::Topic";
const VPC: &str = "AWS::EC2::VPC";
const SECRET: &str = "AWS::SecretsManager::Secret";
const RESOURCE: &str = "AWS::ApiGateway::Resource";

/// The error of a call that must fail: code and message.
macro_rules! refused {
    ($call:expr) => {{
        let error = $call.send().await.unwrap_err();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (text(error.code()), text(error.message()))
    }};
}

/// Sends a write, and returns its first event.
macro_rules! accepted {
    ($call:expr) => {
        $call.send().await.unwrap().progress_event.unwrap()
    };
}

/// Starts to create.
macro_rules! create {
    ($here:expr, $kind:expr, $state:tt) => {{
        let create = $here.aws.cloud_control_once().create_resource();
        create
            .type_name($kind)
            .desired_state(json!($state).to_string())
    }};
}

/// Starts to update.
macro_rules! update {
    ($here:expr, $kind:expr, $id:expr, $patch:tt) => {{
        let update = $here.aws.cloud_control_once().update_resource();
        let update = update.type_name($kind).identifier($id);
        update.patch_document(json!($patch).to_string())
    }};
}

impl Fixture {
    /// A cloud whose time runs slowly, so that a test can see a write under way.
    async fn slow(faults: &str) -> Self {
        let faults = Fault::parse(faults).unwrap();
        let change = |options: &mut Options| (options.speed, options.faults) = (0.1, faults);
        Self::with(change).await
    }

    async fn event(&self, token: &str) -> ProgressEvent {
        let status = self.aws.cloud_control().get_resource_request_status();
        accepted!(status.request_token(token))
    }

    /// Waits for a request's end.
    async fn end(&self, event: &ProgressEvent) -> ProgressEvent {
        loop {
            let event = self.event(event.request_token().unwrap()).await;
            match event.operation_status().unwrap() {
                Status::Pending | Status::InProgress | Status::CancelInProgress => {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                _ => return event,
            }
        }
    }

    /// Waits for its success, and returns the identifier.
    async fn done(&self, event: ProgressEvent) -> String {
        let event = self.end(&event).await;
        assert_eq!(
            event.operation_status(),
            Some(&Status::Success),
            "{event:?}"
        );
        event.identifier.unwrap()
    }

    async fn properties(&self, kind: &str, id: &str) -> Value {
        let get = self.aws.cloud_control().get_resource();
        let reply = get.type_name(kind).identifier(id).send().await.unwrap();
        let text = reply.resource_description.unwrap().properties.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    async fn delete(&self, kind: &str, id: &str) -> ProgressEvent {
        let delete = self.aws.cloud_control_once().delete_resource();
        accepted!(delete.type_name(kind).identifier(id))
    }
}

#[tokio::test]
async fn a_table_lives() {
    let here = Fixture::slow("[]").await;
    let create = create!(here, TABLE, {
        "TableName": "orders",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
    });
    let first = accepted!(create);
    assert_eq!(first.operation_status(), Some(&Status::Pending));
    assert_eq!(first.operation(), Some(&Operation::Create));
    assert!(first.retry_after().is_some() && first.event_time().is_some());
    // The caller could tell it.
    assert_eq!(first.identifier(), Some("orders"));
    let get = || here.aws.cloud_control().get_resource().type_name(TABLE);
    let gone = "ResourceNotFoundException";
    assert_eq!(refused!(get().identifier("orders")).0, gone);
    assert_eq!(here.done(first).await, "orders");
    let table = here.properties(TABLE, "orders").await;
    let arn = "arn:aws:dynamodb:us-west-2:000000000000:table/orders";
    assert_eq!(table["Arn"], arn);
    let patch = json!([{"op": "add", "path": "/TableClass", "value": "STANDARD"},
        {"op": "replace", "path": "BillingMode", "value": "PROVISIONED"},
        {"op": "remove", "path": "/Tags/0"}]);
    let event = accepted!(update!(here, TABLE, "orders", patch));
    assert_eq!(here.properties(TABLE, "orders").await, table);
    here.done(event).await;
    let updated = here.properties(TABLE, "orders").await;
    assert_eq!(updated["BillingMode"], "PROVISIONED");
    assert_eq!(updated["Tags"], json!([table["Tags"][1]]));
    assert_eq!(updated["Arn"], arn);
    let event = here.delete(TABLE, "orders").await;
    assert_eq!(here.properties(TABLE, "orders").await, updated);
    here.done(event).await;
    assert_eq!(refused!(get().identifier("orders")).0, gone);
    assert!(here.keys().is_empty());
    let event = here.delete(TABLE, "orders").await;
    let event = here.end(&event).await;
    assert_eq!(event.error_code(), Some(&HandlerErrorCode::NotFound));
}

#[tokio::test]
async fn each_type_has_its_identifier() {
    let here = Fixture::new().await;
    let role = "arn:aws:iam::000000000000:role/r";
    let cases = [
        (
            TABLE,
            json!({"KeySchema": [{"AttributeName": "i", "KeyType": "HASH"}]}),
            "^[A-Za-z0-9_.-]{3,}$",
        ),
        (
            TOPIC,
            json!({"TopicName": "t"}),
            "^arn:aws:sns:us-west-2:000000000000:t$",
        ),
        (
            TOPIC,
            json!({}),
            "^arn:aws:sns:us-west-2:000000000000:[A-Za-z0-9_-]+$",
        ),
        (
            VPC,
            json!({"CidrBlock": "10.0.0.0/16"}),
            "^vpc-[0-9a-f]{17}$",
        ),
        (
            "AWS::EC2::Subnet",
            json!({"VpcId": "vpc-00000000000000001", "CidrBlock": "10.0.0.0/24"}),
            "^subnet-[0-9a-f]{17}$",
        ),
        (
            "AWS::StepFunctions::StateMachine",
            json!({"RoleArn": role, "StateMachineName": "m"}),
            "^arn:aws:states:us-west-2:000000000000:stateMachine:m$",
        ),
        (
            RESOURCE,
            json!({"RestApiId": "api", "ParentId": "p", "PathPart": "x"}),
            r"^api\|[a-z0-9-]+$",
        ),
        (
            "AWS::ApiGateway::Method",
            json!({"RestApiId": "api", "ResourceId": "r", "HttpMethod": "GET"}),
            r"^api\|r\|GET$",
        ),
    ];
    for (kind, state, pattern) in cases {
        let create = || create!(here, kind, state);
        let first = here.done(accepted!(create())).await;
        let pattern = regex::Regex::new(pattern).unwrap();
        assert!(pattern.is_match(&first), "{kind}: {first}");
        here.properties(kind, &first).await;
        // A second one is another one, or exists already.
        let event = here.end(&accepted!(create())).await;
        match event.error_code() {
            None => assert_ne!(event.identifier(), Some(first.as_str())),
            Some(code) => assert_eq!(code, &HandlerErrorCode::AlreadyExists),
        }
    }
}

#[tokio::test]
async fn a_token_stands_for_one_request() {
    let here = Fixture::with(|options| options.speed = 300_000.0).await;
    let create = || create!(here, VPC, {"CidrBlock": "10.0.0.0/16"}).client_token("token-1");
    let first = accepted!(create());
    let again = accepted!(create());
    assert_eq!(first.request_token, again.request_token);
    let other = create!(here, VPC, {"CidrBlock": "10.1.0.0/16"});
    let (code, _) = refused!(other.client_token("token-1"));
    assert_eq!(code, "ClientTokenConflictException");
    assert_eq!(
        refused!(create().client_token("a b")).0,
        "ValidationException"
    );
    // 36 hours later, and a week later.
    tokio::time::sleep(std::time::Duration::from_millis(450)).await;
    assert_ne!(accepted!(create()).request_token, first.request_token);
    tokio::time::sleep(std::time::Duration::from_millis(1600)).await;
    let status = here.aws.cloud_control_once().get_resource_request_status();
    let (code, _) = refused!(status.request_token(first.request_token.unwrap()));
    assert_eq!(code, "RequestTokenNotFoundException");
    assert_eq!(here.keys().len(), 2);
}

#[tokio::test]
async fn one_write_at_a_time() {
    let here = Fixture::slow("[]").await;
    let event = accepted!(create!(here, VPC, {"CidrBlock": "10.0.0.0/16"}));
    // The service chooses it.
    assert_eq!(event.identifier(), None);
    let id = here.done(event).await;
    let on = json!([{"op": "add", "path": "/EnableDnsSupport", "value": true}]);
    let event = accepted!(update!(here, VPC, &id, on));
    let busy = "ConcurrentOperationException";
    assert_eq!(refused!(update!(here, VPC, &id, on)).0, busy);
    let delete = here.aws.cloud_control_once().delete_resource();
    assert_eq!(refused!(delete.type_name(VPC).identifier(&id)).0, busy);
    here.done(event).await;
    here.done(accepted!(update!(here, VPC, &id, on))).await;
}

#[tokio::test]
async fn what_a_schema_forbids_is_refused() {
    let here = Fixture::new().await;
    let (invalid, arn) = (
        "ValidationException",
        "arn:aws:sns:us-west-2:000000000000:t",
    );
    for (kind, state, code, part) in [
        (
            TOPIC,
            json!({"Nope": 1}),
            invalid,
            "#: extraneous key [Nope] is not permitted",
        ),
        (
            TOPIC,
            json!({"TopicArn": arn}),
            invalid,
            "readOnlyProperties [/properties/TopicArn]",
        ),
        (TOPIC, json!({"FifoTopic": "x"}), invalid, "#/FifoTopic"),
        (
            RESOURCE,
            json!({"RestApiId": "a"}),
            invalid,
            "#: required key [ParentId] not found",
        ),
        (
            TABLE,
            json!({"KeySchema": 5}),
            invalid,
            "#/KeySchema: failed",
        ),
        (
            "AWS::Logs::LogGroup",
            json!({"RetentionInDays": 2, "LogGroupName": "a b"}),
            invalid,
            "#/RetentionInDays: failed validation constraint for keyword [enum]",
        ),
        (
            "AWS::Logs::LogGroup",
            json!({"LogGroupName": "a b"}),
            invalid,
            "#/LogGroupName: failed validation constraint for keyword [pattern]",
        ),
        (
            "AWS::No::Such",
            json!({}),
            "TypeNotFoundException",
            "AWS::No::Such",
        ),
        (
            "AWS::IAM::Policy",
            json!({}),
            "UnsupportedActionException",
            "CREATE",
        ),
    ] {
        let (found, message) = refused!(create!(here, kind, state));
        assert_eq!(found, code, "{kind} {message}");
        assert!(message.contains(part), "{message}");
    }
    let id = here
        .done(accepted!(create!(here, TOPIC, {"TopicName": "t"})))
        .await;
    for (patch, code, part) in [
        (
            json!([{"op": "replace", "path": "/TopicName", "value": "u"}]),
            "NotUpdatableException",
            "createOnlyProperties [/properties/TopicName]",
        ),
        (
            json!([{"op": "remove", "path": "/TopicArn"}]),
            invalid,
            "readOnlyProperties [/properties/TopicArn]",
        ),
        (
            json!([{"op": "add", "path": "/Nope", "value": 1}]),
            invalid,
            "extraneous key [Nope]",
        ),
        (
            json!([{"op": "remove", "path": "/DisplayName"}]),
            invalid,
            "remove",
        ),
    ] {
        let (found, message) = refused!(update!(here, TOPIC, &id, patch));
        assert_eq!(found, code, "{message}");
        assert!(message.contains(part), "{message}");
    }
    let none = update!(here, TOPIC, "other", []);
    assert_eq!(refused!(none).0, "ResourceNotFoundException");
    let fixed = update!(here, "AWS::EC2::VolumeAttachment", "v|i", []);
    let (code, message) = refused!(fixed);
    assert_eq!(code, "UnsupportedActionException");
    assert!(message.ends_with("AWS::EC2::VolumeAttachment does not support UPDATE action"));
    let tags = json!([{"Key": "aws:x", "Value": "1"}]);
    let event = accepted!(create!(here, TOPIC, {"Tags": tags}));
    let event = here.end(&event).await;
    assert_eq!(event.error_code(), Some(&HandlerErrorCode::InvalidRequest));
}

#[tokio::test]
async fn a_secret_is_never_returned() {
    let here = Fixture::new().await;
    let state = json!({"Name": "s", "SecretString": "hidden", "Description": "d"});
    let id = here.done(accepted!(create!(here, SECRET, state))).await;
    let read = here.properties(SECRET, &id).await;
    assert_eq!(
        (&read["Description"], read.get("SecretString")),
        (&json!("d"), None)
    );
    let stored = here.cloud.resources().unwrap().remove(0);
    assert_eq!(
        (stored.kind.as_str(), &stored.value["sent"]["SecretString"]),
        (SECRET, &json!("hidden"))
    );
    let patch = json!([{"op": "add", "path": "/SecretString", "value": "other"}]);
    here.done(accepted!(update!(here, SECRET, &id, patch)))
        .await;
    let stored = here.cloud.resources().unwrap().remove(0);
    assert_eq!(stored.value["sent"]["SecretString"], "other");
}

#[tokio::test]
async fn a_write_fails_as_a_fault_says() {
    let fails = r#"[
        {"call": "cloudcontrolapi:CreateResource", "at": 1, "what": {"handler": {"code": "NotStabilized", "effect": true}}},
        {"call": "cloudcontrolapi:CreateResource", "at": 2, "what": {"handler": {"code": "ServiceLimitExceeded", "message": "no more"}}},
        {"call": "cloudcontrolapi:DeleteResource", "at": 1, "what": {"handler": {"code": "ResourceConflict"}}},
        {"call": "cloudcontrolapi:UpdateResource", "at": 1, "what": {"handler": {"millis": 5000}}},
        {"call": "cloudcontrolapi:ListResources", "what": "throttle"},
        {"call": "cloudcontrolapi:GetResource", "at": 4, "what": "deny"}]"#;
    let here = Fixture::faulty(Fault::parse(fails).unwrap()).await;
    let create = || create!(here, VPC, {"CidrBlock": "10.0.0.0/16"});
    let event = here.end(&accepted!(create())).await;
    assert_eq!(event.operation_status(), Some(&Status::Failed));
    assert_eq!(event.error_code(), Some(&HandlerErrorCode::NotStabilized));
    let id = event.identifier.unwrap();
    here.properties(VPC, &id).await;
    let event = here.end(&accepted!(create())).await;
    assert_eq!(
        event.error_code(),
        Some(&HandlerErrorCode::ServiceLimitExceeded)
    );
    assert_eq!(
        (event.identifier(), event.status_message()),
        (None, Some("no more"))
    );
    let event = here.delete(VPC, &id).await;
    let event = here.end(&event).await;
    assert_eq!(
        event.error_code(),
        Some(&HandlerErrorCode::ResourceConflict)
    );
    here.properties(VPC, &id).await;
    let event = accepted!(
        update!(here, VPC, &id, [{"op": "add", "path": "/EnableDnsSupport", "value": false}])
    );
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let event = here.event(event.request_token().unwrap()).await;
    assert_eq!(event.operation_status(), Some(&Status::InProgress));
    assert_ne!(here.properties(VPC, &id).await["EnableDnsSupport"], false);
    let list = here
        .aws
        .cloud_control_once()
        .list_resources()
        .type_name(VPC);
    assert_eq!(refused!(list).0, "ThrottlingException");
    let get = here.aws.cloud_control_once().get_resource().type_name(VPC);
    let (code, message) = refused!(get.identifier(&id));
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("cloudformation:GetResource"));
}

#[tokio::test]
async fn lists_want_the_parent_and_come_in_pages() {
    let here = Fixture::new().await;
    for (api, part) in [("a", "x"), ("a", "y"), ("b", "x")] {
        let state = json!({"RestApiId": api, "ParentId": "p", "PathPart": part});
        here.done(accepted!(create!(here, RESOURCE, state))).await;
    }
    let list = || {
        here.aws
            .cloud_control()
            .list_resources()
            .type_name(RESOURCE)
    };
    let (code, message) = refused!(list());
    assert_eq!(code, "InvalidRequestException");
    assert!(message.ends_with("(#: required key [RestApiId] not found)"));
    let of_a = || {
        list()
            .resource_model(r#"{"RestApiId": "a"}"#)
            .max_results(1)
    };
    let first = of_a().send().await.unwrap();
    let second = of_a().next_token(first.next_token().unwrap());
    let second = second.send().await.unwrap();
    assert_eq!(second.next_token(), None);
    let ids =
        [first, second].map(|page| page.resource_descriptions()[0].identifier.clone().unwrap());
    assert!(ids[0] < ids[1] && ids.iter().all(|id| id.starts_with("a|")));
    let all = here.aws.cloud_control().list_resources().type_name(VPC);
    assert!(all.send().await.unwrap().resource_descriptions().is_empty());
    let bad = list().resource_model("[]");
    assert_eq!(refused!(bad).0, "InvalidRequestException");
}

#[tokio::test]
async fn unordered_lists_come_back_in_an_order_of_their_own() {
    let here = Fixture::new().await;
    let tag = |key: &str| json!({"Key": key, "Value": "v"});
    let mut orders = Vec::new();
    for tags in [
        ["a", "b", "c", "d"],
        ["d", "c", "b", "a"],
        ["b", "d", "a", "c"],
    ] {
        let state = json!({"CidrBlock": "10.0.0.0/16", "Tags": tags.map(tag)});
        let id = here.done(accepted!(create!(here, VPC, state))).await;
        orders.push(here.properties(VPC, &id).await["Tags"].clone());
    }
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[0], orders[2]);
    assert_ne!(orders[0], json!(["a", "b", "c", "d"].map(tag)));
}

#[tokio::test]
async fn requests_are_listed_and_cancelled() {
    let long = r#"[{"call": "cloudcontrolapi:CreateResource", "at": 3,
        "what": {"handler": {"millis": 200}}}]"#;
    let here = Fixture::slow(long).await;
    let client = here.aws.cloud_control();
    let create = || create!(here, VPC, {"CidrBlock": "10.0.0.0/16"});
    let id = here.done(accepted!(create())).await;
    // Before it starts, nothing is created.
    let cancel = |event: &ProgressEvent| {
        let cancel = here.aws.cloud_control_once().cancel_resource_request();
        cancel.request_token(event.request_token().unwrap())
    };
    let event = accepted!(create());
    let event = accepted!(cancel(&event));
    assert_eq!(event.operation_status(), Some(&Status::CancelComplete));
    assert_eq!(here.keys().len(), 1);
    // Later, it is.
    let event = accepted!(create());
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let event = accepted!(cancel(&event));
    assert_eq!(event.operation_status(), Some(&Status::CancelInProgress));
    let event = here.end(&event).await;
    assert_eq!(event.operation_status(), Some(&Status::CancelComplete));
    assert_eq!(here.keys().len(), 2);
    assert_eq!(refused!(cancel(&event)).0, "ValidationException");
    here.done(here.delete(VPC, &id).await).await;
    let mut pages = Vec::new();
    let mut next = None;
    loop {
        let list = client
            .list_resource_requests()
            .max_results(3)
            .set_next_token(next);
        let page = list.send().await.unwrap();
        next = page.next_token.clone();
        pages.push(page.resource_request_status_summaries.unwrap());
        if next.is_none() {
            break;
        }
    }
    let lengths: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(lengths, [3, 1]);
    assert_eq!(pages[0][0].operation(), Some(&Operation::Delete));
    let filter = ResourceRequestStatusFilter::builder();
    let filter = filter
        .operations(Operation::Create)
        .operation_statuses(Status::Success);
    let list = client
        .list_resource_requests()
        .resource_request_status_filter(filter.build());
    let found = list.send().await.unwrap();
    let found = found.resource_request_status_summaries();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].identifier(), Some(id.as_str()));
    let unknown = here.aws.cloud_control_once().get_resource_request_status();
    let (code, _) = refused!(unknown.request_token("none"));
    assert_eq!(code, "RequestTokenNotFoundException");
}

/// Types for which it is not: patterns with look-around, lists of at least two, an enum as the
/// identifier, alternatives in alternatives.
const NOT_FILLED_IN: &[&str] = &[
    "AWS::Bedrock::PromptVersion",
    "AWS::CleanRooms::IdMappingTable",
    "AWS::DataZone::FormType",
    "AWS::DevOpsGuru::ResourceCollection",
    "AWS::GroundStation::DataflowEndpointGroupV2",
    "AWS::Lambda::Url",
    "AWS::WorkSpacesWeb::Portal",
];

/// All types take 17 seconds.
const STEP: usize = 6;

/// What the service fills in is what the schema allows, and tells resources apart.
#[test]
fn every_type_is_filled_in() {
    let mut wrong = Vec::new();
    for name in crate::registry::names().iter().step_by(STEP) {
        let kind = crate::registry::registry_type(name).unwrap();
        let supported = crate::registry::is_in_cloud_control(name);
        if !supported || NOT_FILLED_IN.contains(name) {
            continue;
        }
        let model = |count| {
            let region = "eu-central-1";
            let now = 1_795_441_289_120;
            fill::model(kind, &json!({}), &Place { region, now, count })
        };
        let (Ok(one), Ok(two)) = (model(1), model(2)) else {
            wrong.push(format!("{name}: {:?}", model(1)));
            continue;
        };
        let ids = [&one, &two].map(|model| model::identifier(kind, model));
        let mut parts = kind.primary_identifier().iter();
        let chosen = parts.any(|path| kind.read_only().contains(path));
        // What an account has one of is called by the account's number.
        let is_single = ids[0] == ACCOUNT;
        if chosen && !is_single && (ids[0].is_empty() || ids[0] == ids[1]) {
            wrong.push(format!("{name}: {ids:?}"));
        }
        for fault in check::faults(kind, &one).unwrap() {
            let at = fault.split(['/', ':']).nth(1).unwrap_or_default();
            if kind.read_only().iter().any(|path| path == at) {
                wrong.push(format!("{name}: {fault} {}", one[at]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
