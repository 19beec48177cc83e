//! What an update sends: the patch documents that the local cloud was given.

use super::stack;
use crate::support::Project;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The stack before and after.
fn resources(is_after: bool) -> Value {
    let of = |before: Value, after: Value| if is_after { after } else { before };
    let rule = |port: u16| json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0"});
    json!({
        "table": {"type": "AWS::DynamoDB::Table", "properties": {
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": {
                "ReadCapacityUnits": of(json!(1), json!(3)), "WriteCapacityUnits": 2,
            },
            "SSESpecification": of(
                json!({"SSEEnabled": true, "SSEType": "KMS"}), json!({"SSEEnabled": true}),
            ),
        }},
        "answer": {"type": "AWS::ApiGateway::GatewayResponse", "properties": {
            "RestApiId": "a1", "ResponseType": "UNAUTHORIZED",
            "ResponseTemplates": {
                "application/json": of(json!("{}"), json!("[]")), "text/plain": "no",
            },
        }},
        "group": {"type": "AWS::EC2::SecurityGroup", "properties": {
            "GroupDescription": "web",
            "SecurityGroupIngress": of(
                json!([rule(80), rule(443)]), json!([rule(443), rule(8080)]),
            ),
        }},
        "secret": {"type": "AWS::SecretsManager::Secret", "properties": {
            "SecretString": "s3cr3t", "Description": of(json!("one"), json!("two")),
        }},
        "topic": {"type": "AWS::SNS::Topic", "properties": of(
            json!({"DisplayName": "a", "Tags": {"stays": "1", "goes": "2"}}),
            json!({"Tags": {"stays": "1", "comes": "3"}}),
        )},
        "parameter": {"type": "AWS::SSM::Parameter", "properties": {
            "Type": "String", "Value": "v",
            "Tags": of(json!({"stays": "1", "a/b": "2"}), json!({"stays": "1", "c=d": "3"})),
        }},
    })
}

/// The patch documents of the last updates, by type.
fn patches(project: &Project) -> BTreeMap<String, Value> {
    let entries = project.cloud().into_iter();
    entries
        .map(|entry| (entry.kind, entry.value["patch"].clone()))
        .collect()
}

#[test]
fn an_update_sends_only_what_differs() {
    let project = stack(&resources(false));
    project.apply();
    let after = stack(&resources(true));
    project.write("stacks/s.yaml", after.read("stacks/s.yaml"));
    project.apply();
    project.expect_no_changes();
    let patches = patches(&project);
    let add = |path: &str, value: Value| json!({"op": "add", "path": path, "value": value});
    let remove = |path: &str| json!({"op": "remove", "path": path});
    let expected = [
        (
            "AWS::DynamoDB::Table",
            json!([
                add("/ProvisionedThroughput/ReadCapacityUnits", json!(3)),
                remove("/SSESpecification/SSEType"),
            ]),
        ),
        (
            "AWS::ApiGateway::GatewayResponse",
            json!([add("/ResponseTemplates/application~1json", json!("[]")),]),
        ),
        (
            "AWS::SecretsManager::Secret",
            json!([
                add("/Description", json!("two")),
                add("/SecretString", json!("s3cr3t")),
            ]),
        ),
        (
            "AWS::SSM::Parameter",
            json!([remove("/Tags/a~1b"), add("/Tags/c=d", json!("3")),]),
        ),
    ];
    for (name, patch) in expected {
        assert_eq!(patches[name], patch, "{name}");
    }
    let ingress = &patches["AWS::EC2::SecurityGroup"];
    assert_eq!(ingress[0]["path"], "/SecurityGroupIngress", "{ingress}");
    assert_eq!(
        ingress[0]["value"].as_array().unwrap().len(),
        2,
        "{ingress}"
    );
    assert_eq!(ingress.as_array().unwrap().len(), 1, "{ingress}");
    let topic = patches["AWS::SNS::Topic"].as_array().unwrap();
    assert_eq!(topic[0], remove("/DisplayName"));
    assert_eq!(topic[1]["path"], "/Tags");
    let tags = topic[1]["value"].as_array().unwrap().iter();
    let tags: Vec<&str> = tags.filter_map(|tag| tag["Key"].as_str()).collect();
    let expected = [
        "comes",
        "stackctl:address",
        "stackctl:operation",
        "stackctl:stack",
        "stays",
    ];
    assert_eq!(tags, expected);
}

#[test]
fn a_value_that_the_service_writes_in_another_form_is_no_difference() {
    let instance = |version: &str| {
        json!({"base": {"type": "AWS::RDS::DBInstance", "properties": {
            "DBInstanceClass": "db.t4g.micro", "Engine": "Postgres", "EngineVersion": version,
            "AllocatedStorage": "20", "KmsKeyId": "1234-5678", "StorageType": "gp3",
        }}})
    };
    let project = stack(&instance("14"));
    project.apply();
    let meddle = |property: &str, value: &str| {
        let cloud = project.local_cloud();
        let mut entry = cloud.resources().unwrap().remove(0);
        entry.value["model"][property] = value.into();
        cloud.meddle(&entry.key, Some(entry.value)).unwrap();
    };
    meddle("Engine", "postgres");
    meddle("EngineVersion", "14.3");
    meddle(
        "KmsKeyId",
        "arn:aws:kms:us-west-2:123456789012:key/1234-5678",
    );
    project.expect_no_changes();
    project.write(
        "stacks/s.yaml",
        stack(&instance("15")).read("stacks/s.yaml"),
    );
    let reason = |plan: Value| plan["changes"][0]["reason"].clone();
    assert_eq!(reason(project.plan()), "EngineVersion differs");
    project.write(
        "stacks/s.yaml",
        stack(&instance("14")).read("stacks/s.yaml"),
    );
    meddle("StorageType", "gp2");
    assert_eq!(reason(project.plan()), "StorageType differs");
}
