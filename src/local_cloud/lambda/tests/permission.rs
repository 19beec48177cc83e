//! Permissions.

use super::with_function;
use crate::local_cloud::testing::assert_refused;
use serde_json::{Value, json};

const SOURCE: &str = "arn:aws:execute-api:us-west-2:000000000000:api/*/$default";

#[tokio::test]
async fn a_statement_has_the_form_of_aws() {
    let (_, aws) = with_function().await;
    let lambda = aws.lambda();
    let add = |id: &str| {
        lambda
            .add_permission()
            .function_name("f")
            .statement_id(id)
            .action("lambda:InvokeFunction")
    };
    let get = || lambda.get_policy().function_name("f");
    assert_refused!(get(), "ResourceNotFoundException");
    let reply = add("one")
        .principal("apigateway.amazonaws.com")
        .source_arn(SOURCE)
        .source_account("000000000000")
        .send()
        .await
        .unwrap();
    let expected = json!({
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:us-west-2:000000000000:function:f",
        "Condition": {
            "ArnLike": {"AWS:SourceArn": SOURCE},
            "StringEquals": {"AWS:SourceAccount": "000000000000"},
        },
    });
    let statement: Value = serde_json::from_str(&reply.statement.unwrap()).unwrap();
    assert_eq!(statement, expected);
    add("two").principal("123456789012").send().await.unwrap();
    let reply = get().send().await.unwrap();
    let policy: Value = serde_json::from_str(&reply.policy.unwrap()).unwrap();
    assert_eq!(policy["Statement"][0], expected);
    assert_eq!(
        policy["Statement"][1]["Principal"],
        json!({"AWS": "arn:aws:iam::123456789012:root"})
    );
    assert!(policy["Statement"][1].get("Condition").is_none());
    assert!(reply.revision_id.is_some());
    assert_refused!(
        add("two").principal("*"),
        "ResourceConflictException",
        "already exists"
    );
    assert_refused!(
        add("a b").principal("*"),
        "ValidationException",
        "'statementId'"
    );
    assert_refused!(
        add("x").principal("someone"),
        "InvalidParameterValueException",
        "principal"
    );
    assert_refused!(
        add("x").principal("*").action("s3:Get"),
        "ValidationException",
        "'action'"
    );
    assert_refused!(
        add("x").principal("*").source_account("1"),
        "ValidationException",
        "'sourceAccount'"
    );
    assert_refused!(
        add("x").principal("*").source_arn("a"),
        "ValidationException",
        "'sourceArn'"
    );
    assert_refused!(
        add("x").principal("*").qualifier("$LATEST"),
        "InvalidParameterValueException"
    );
    assert_refused!(
        add("x").principal("*").revision_id("old"),
        "PreconditionFailedException"
    );
    let remove = |id: &str| {
        lambda
            .remove_permission()
            .function_name("f")
            .statement_id(id)
    };
    remove("one").send().await.unwrap();
    assert_refused!(
        remove("one"),
        "ResourceNotFoundException",
        "one is not found"
    );
    remove("two").send().await.unwrap();
    assert_refused!(get(), "ResourceNotFoundException");
    assert_refused!(
        lambda.get_policy().function_name("none"),
        "ResourceNotFoundException",
        "Function not found"
    );
}

#[tokio::test]
async fn a_version_has_a_policy_of_its_own() {
    let (_, aws) = with_function().await;
    let lambda = aws.lambda();
    lambda
        .publish_version()
        .function_name("f")
        .send()
        .await
        .unwrap();
    let add = lambda
        .add_permission()
        .function_name("f")
        .statement_id("s")
        .action("lambda:*");
    let reply = add.principal("*").qualifier("1").send().await.unwrap();
    let statement: Value = serde_json::from_str(&reply.statement.unwrap()).unwrap();
    assert!(statement["Resource"].as_str().unwrap().ends_with(":f:1"));
    assert_refused!(
        lambda.get_policy().function_name("f"),
        "ResourceNotFoundException"
    );
    assert!(
        lambda
            .get_policy()
            .function_name("f")
            .qualifier("1")
            .send()
            .await
            .is_ok()
    );
}
