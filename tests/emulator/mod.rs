//! The whole stack over HTTP against moto, an AWS emulator that others wrote: what it holds
//! in the end is compared with what the file says, property by property.

mod acceptance;
mod answers;
mod broken;
mod clients;
pub(crate) mod models;
mod s3_state;

use crate::support::moto::Moto;
use crate::support::{Project, actions};
use serde_json::{Value, json};
use stackctl::resource::aws::Aws;
use std::collections::HashMap;

fn project(moto: &Moto) -> Project {
    let mut project = Project::websocket();
    project.flags = vec!["--endpoint-url".to_owned(), moto.url()];
    project
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    project
}

/// SDK clients of the test's own, to look at what moto holds.
async fn clients(moto: &Moto) -> Aws {
    let config = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(aws_credential_types::Credentials::from_keys(
            "test", "test", None,
        ))
        .region(aws_config::Region::new("us-west-2"))
        .endpoint_url(moto.url())
        .load()
        .await;
    Aws::new(config, true)
}

fn id(state: &Value, address: &str) -> String {
    state["resources"][address]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The queue's name has the suffix before its ending.
fn queue_name(state: &Value) -> String {
    format!("tf-APIGWWebsocketQueue-{}.fifo", id(state, "suffix"))
}

fn queue_arn(state: &Value) -> String {
    format!("arn:aws:sqs:us-west-2:123456789012:{}", queue_name(state))
}

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

async fn holds_what_the_file_says(aws: &Aws, state: &Value) {
    queue_and_api(aws, state).await;
    code(aws, state).await;
    function(aws, state).await;
    roles(aws, state).await;
}

async fn queue_and_api(aws: &Aws, state: &Value) {
    let queue = aws
        .sqs()
        .get_queue_attributes()
        .queue_url(id(state, "queue"))
        .attribute_names(aws_sdk_sqs::types::QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    let attributes: HashMap<String, String> = queue
        .attributes
        .unwrap()
        .into_iter()
        .map(|(name, value)| (name.as_str().to_owned(), value))
        .collect();
    assert_eq!(attributes["QueueArn"], queue_arn(state));
    assert_eq!(attributes["FifoQueue"], "true");
    assert_eq!(attributes["VisibilityTimeout"], "90");
    assert_eq!(attributes["SqsManagedSseEnabled"], "true");

    let suffix = id(state, "suffix");
    let api_id = id(state, "api");
    let api = aws
        .apigateway()
        .get_api()
        .api_id(&api_id)
        .send()
        .await
        .unwrap();
    assert_eq!(
        api.name.unwrap(),
        format!("APIGWWebsocketSQSLambda-{suffix}")
    );
    assert_eq!(api.protocol_type.unwrap().as_str(), "WEBSOCKET");
    assert_eq!(
        api.route_selection_expression.unwrap(),
        "$request.body.action"
    );

    let integrations = aws
        .apigateway()
        .get_integrations()
        .api_id(&api_id)
        .send()
        .await
        .unwrap();
    let mut integrations = integrations.items.unwrap();
    assert_eq!(integrations.len(), 1);
    let found = integrations.remove(0);
    let text = |value: Option<String>| value.unwrap();
    assert_eq!(found.integration_type.unwrap().as_str(), "AWS");
    assert_eq!(text(found.integration_method), "POST");
    assert_eq!(found.connection_type.unwrap().as_str(), "INTERNET");
    assert_eq!(
        text(found.credentials_arn),
        format!("arn:aws:iam::123456789012:role/ApiGatewayWebsocketSQSRole-{suffix}")
    );
    assert_eq!(
        text(found.integration_uri),
        format!(
            "arn:aws:apigateway:us-west-2:sqs:path/123456789012/{}",
            queue_name(state)
        )
    );
    assert_eq!(found.passthrough_behavior.unwrap().as_str(), "NEVER");
    assert_eq!(found.timeout_in_millis.unwrap(), 29000);
    assert_eq!(
        found.request_parameters.unwrap(),
        map(&[(
            "integration.request.header.Content-Type",
            "'application/x-www-form-urlencoded'"
        )])
    );
    assert_eq!(text(found.template_selection_expression), "\\$default");
    let templates = found.request_templates.unwrap();
    assert_eq!(templates.keys().collect::<Vec<_>>(), ["$default"]);
    let template = &templates["$default"];
    // What it makes of a message is in `tests/template.rs`.
    assert!(
        template.starts_with("Action=SendMessage#set("),
        "{template}"
    );
    assert!(!template.contains(char::is_whitespace), "{template}");

    let routes = aws
        .apigateway()
        .get_routes()
        .api_id(&api_id)
        .send()
        .await
        .unwrap();
    let routes = routes.items.unwrap();
    assert_eq!(routes.len(), 1);
    assert_eq!(routes[0].route_key.as_deref(), Some("$default"));
    let target = format!("integrations/{}", found.integration_id.unwrap());
    assert_eq!(routes[0].target.as_deref(), Some(target.as_str()));
    let stages = aws
        .apigateway()
        .get_stages()
        .api_id(&api_id)
        .send()
        .await
        .unwrap();
    let stages = stages.items.unwrap();
    assert_eq!(stages.len(), 1);
    assert_eq!(stages[0].stage_name.as_deref(), Some("production"));
    assert_eq!(stages[0].auto_deploy, Some(true));
}

async fn code(aws: &Aws, state: &Value) {
    let bucket = id(state, "code_bucket");
    assert!(bucket.starts_with("apigw-websocket"), "{bucket}");
    let rules = aws
        .s3()
        .get_bucket_ownership_controls()
        .bucket(&bucket)
        .send()
        .await
        .unwrap();
    let rules = rules.ownership_controls.unwrap().rules;
    assert_eq!(rules[0].object_ownership.as_str(), "BucketOwnerPreferred");
    let acl = aws
        .s3()
        .get_bucket_acl()
        .bucket(&bucket)
        .send()
        .await
        .unwrap();
    assert_eq!(
        acl.grants.unwrap().len(),
        1,
        "private: the owner and nobody else"
    );
    let key = "apigw-websocket-response.zip";
    let object = aws
        .s3()
        .head_object()
        .bucket(&bucket)
        .key(key)
        .send()
        .await
        .unwrap();
    let etag = state["resources"]["code"]["inputs"]["etag"]
        .as_str()
        .unwrap();
    assert_eq!(object.e_tag.unwrap().trim_matches('"'), etag);
}

async fn function(aws: &Aws, state: &Value) {
    let name = format!("apigw-websocket-response-{}", id(state, "suffix"));
    let found = aws
        .lambda()
        .get_function()
        .function_name(&name)
        .send()
        .await
        .unwrap();
    let function = found.configuration.unwrap();
    assert_eq!(function.runtime.unwrap().as_str(), "python3.13");
    assert_eq!(function.handler.unwrap(), "app.lambda_handler");
    assert_eq!(function.timeout.unwrap(), 15);
    assert_eq!(
        function.tracing_config.unwrap().mode.unwrap().as_str(),
        "PassThrough"
    );
    assert_eq!(
        function.role.unwrap(),
        format!("arn:aws:iam::123456789012:role/WebsocketApi-{name}")
    );
    let api = id(state, "api");
    let endpoint = format!("https://{api}.execute-api.us-west-2.amazonaws.com/production");
    assert_eq!(
        function.environment.unwrap().variables.unwrap(),
        map(&[("ApiGatewayEndpoint", &endpoint)])
    );
    let hash = &state["resources"]["responder"]["inputs"]["sourceCodeHash"];
    assert_eq!(function.code_sha256.as_deref(), hash.as_str());

    let groups = aws
        .logs()
        .describe_log_groups()
        .send()
        .await
        .unwrap()
        .log_groups
        .unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(
        groups[0].log_group_name.as_deref(),
        Some(format!("/aws/lambda/{name}").as_str())
    );
    assert_eq!(groups[0].retention_in_days, Some(7));

    let mapping = aws
        .lambda()
        .get_event_source_mapping()
        .uuid(id(state, "mapping"))
        .send()
        .await
        .unwrap();
    assert_eq!(mapping.event_source_arn.unwrap(), queue_arn(state));
    assert!(mapping.function_arn.unwrap().ends_with(&name));
    assert_eq!(mapping.batch_size, Some(10));
}

async fn roles(aws: &Aws, state: &Value) {
    let api = id(state, "api");
    let suffix = id(state, "suffix");
    let queue = queue_arn(state);
    let cases = [
        (
            format!("ApiGatewayWebsocketSQSRole-{suffix}"),
            "apigateway.amazonaws.com",
            format!("APIGatewaySQSSendMessagePolicy-{suffix}"),
            vec![queue.clone()],
        ),
        (
            format!("WebsocketApi-apigw-websocket-response-{suffix}"),
            "lambda.amazonaws.com",
            format!("SQSWebsocketResponseServiceRole-{suffix}"),
            vec![
                format!("arn:aws:execute-api:us-west-2:123456789012:{api}/production/POST/*"),
                queue,
            ],
        ),
    ];
    for (role, service, policy, resources) in cases {
        let found = aws
            .iam()
            .get_role()
            .role_name(&role)
            .send()
            .await
            .unwrap()
            .role
            .unwrap();
        let trust = decoded(&found.assume_role_policy_document.unwrap());
        assert_eq!(trust["Statement"][0]["Principal"]["Service"], service);
        let attached = aws
            .iam()
            .list_attached_role_policies()
            .role_name(&role)
            .send()
            .await
            .unwrap();
        let attached = attached.attached_policies.unwrap();
        assert_eq!(attached.len(), 1);
        assert_eq!(attached[0].policy_name.as_deref(), Some(policy.as_str()));
        let version = aws
            .iam()
            .get_policy_version()
            .policy_arn(attached[0].policy_arn.as_deref().unwrap())
            .version_id("v1")
            .send()
            .await
            .unwrap();
        let document = decoded(&version.policy_version.unwrap().document.unwrap());
        for (index, resource) in resources.iter().enumerate() {
            assert_eq!(document["Statement"][index]["Resource"], **resource);
        }
    }
}

fn decoded(text: &str) -> Value {
    let text = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn nothing_is_left(aws: &Aws) {
    let queues = aws.sqs().list_queues().send().await.unwrap();
    assert_eq!(queues.queue_urls.unwrap_or_default(), Vec::<String>::new());
    let apis = aws.apigateway().get_apis().send().await.unwrap();
    assert!(apis.items.unwrap_or_default().is_empty());
    let buckets = aws.s3().list_buckets().send().await.unwrap();
    assert!(buckets.buckets.unwrap_or_default().is_empty());
    let functions = aws.lambda().list_functions().send().await.unwrap();
    assert!(functions.functions.unwrap_or_default().is_empty());
    let mappings = aws
        .lambda()
        .list_event_source_mappings()
        .send()
        .await
        .unwrap();
    assert!(
        mappings
            .event_source_mappings
            .unwrap_or_default()
            .is_empty()
    );
    let groups = aws.logs().describe_log_groups().send().await.unwrap();
    assert!(groups.log_groups.unwrap_or_default().is_empty());
    let roles = aws.iam().list_roles().send().await.unwrap();
    assert!(roles.roles.is_empty());
    let policies = aws
        .iam()
        .list_policies()
        .scope(aws_sdk_iam::types::PolicyScopeType::Local)
        .send()
        .await
        .unwrap();
    assert!(policies.policies.unwrap_or_default().is_empty());
}

#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn the_stack_goes_up_changes_and_comes_down() {
    let moto = Moto::start();
    let project = project(&moto);
    project.apply();
    let state = project.state();
    holds_what_the_file_says(&clients(&moto).await, &state).await;
    project.expect_no_changes();

    let outputs = project.run(&["outputs", "--json"]).expect(0).json();
    assert_eq!(outputs["account_id"], "123456789012");
    let api = id(&state, "api");
    assert_eq!(
        outputs["websocket_URI"],
        format!("wss://{api}.execute-api.us-west-2.amazonaws.com/production")
    );

    let change = ["--var", "lambda_log_retention=30"];
    let plan = project
        .run(&[&["plan", "--json"], &change[..]].concat())
        .expect(0)
        .json();
    assert_eq!(actions(&plan).len(), 1, "{plan:#}");
    project
        .run(&[&["apply", "--yes"], &change[..]].concat())
        .expect(0);
    project
        .run(&[&["plan", "--detailed-exitcode"], &change[..]].concat())
        .expect(0);

    project.run(&["destroy", "--yes"]).expect(0);
    nothing_is_left(&clients(&moto).await).await;
    assert_eq!(project.state()["resources"], json!({}));
}

#[test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
fn a_lost_state_is_rebuilt() {
    let moto = Moto::start();
    let project = project(&moto);
    project.apply();
    let before = project.state();
    std::fs::remove_dir_all(project.dir().join("state")).unwrap();
    std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap();
    // moto drops the tags of a bucket's create: the bucket has to be named.
    let bucket = format!("code_bucket={}", id(&before, "code_bucket"));
    project
        .run(&["state", "rebuild", "--yes", "--id", &bucket])
        .expect(0);
    let after = project.state();
    for address in before["resources"].as_object().unwrap().keys() {
        assert_eq!(id(&after, address), id(&before, address), "{address}");
    }
    assert_eq!(actions(&project.plan()), []);
}

#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn what_was_changed_outside_is_seen_and_put_right() {
    let moto = Moto::start();
    let project = project(&moto);
    project.apply();
    let aws = clients(&moto).await;
    let state = project.state();
    let group = id(&state, "lambda_logs");
    aws.logs()
        .put_retention_policy()
        .log_group_name(&group)
        .retention_in_days(90)
        .send()
        .await
        .unwrap();
    aws.sqs()
        .delete_queue()
        .queue_url(id(&state, "queue"))
        .send()
        .await
        .unwrap();
    let plan = project.plan();
    let found = actions(&plan);
    assert!(
        found.contains(&("lambda_logs".to_owned(), vec!["update".to_owned()])),
        "{found:?}"
    );
    assert!(
        found.contains(&("queue".to_owned(), vec!["create".to_owned()])),
        "{found:?}"
    );
    let row = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["address"] == "lambda_logs");
    assert_eq!(row.unwrap()["drift"][0]["live"], 90);
    project.apply();
    project.expect_no_changes();
}
