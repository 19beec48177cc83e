//! The names, what is known without a schema, and one type's schema.

use super::*;
use serde_json::Value;

fn kind(name: &str) -> &'static RegistryType {
    registry_type(name).unwrap()
}

#[test]
fn the_index_has_every_type() {
    assert!(names().len() > 1_800);
    assert!(names().is_sorted());
    assert_eq!(regions().len(), 46);
    assert!(registry_type("AWS::SQS::Nothing").is_none());
}

#[test]
fn the_pack_is_small() {
    let size = ["index", "dictionary", "schemas"].map(|name| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/registry/data");
        std::fs::metadata(format!("{folder}/{name}.zst"))
            .unwrap()
            .len()
    });
    let size: u64 = size.iter().sum();
    assert!(size <= 1_400_000, "{size}");
}

#[test]
fn what_is_known_without_a_schema() {
    assert!(is_in_cloud_control("AWS::SQS::Queue"));
    assert!(!is_in_cloud_control("AWS::IAM::Policy"));
    assert_eq!(is_offered("AWS::SQS::Queue", "eu-central-1"), Some(true));
    assert_eq!(is_offered("AWS::SQS::Queue", "xx-nowhere-1"), None);
    assert_eq!(is_offered("AWS::SQS::Nothing", "eu-central-1"), None);
    let elsewhere = names()
        .iter()
        .filter(|name| is_offered(name, "eu-central-2") == Some(false));
    assert!(elsewhere.count() > 50);
    assert_eq!(
        arn_template("AWS::SQS::Queue"),
        Some("arn:${Partition}:sqs:${Region}:${Account}:${QueueName}")
    );
    assert_eq!(arn_template("AWS::SQS::QueuePolicy"), None);
}

#[test]
fn a_type_says_what_its_schema_says() {
    let function = kind("AWS::Lambda::Function");
    assert_eq!(function.name(), "AWS::Lambda::Function");
    assert!(function.description().contains("Lambda function"));
    assert_eq!(function.primary_identifier(), ["FunctionName"]);
    assert!(function.read_only().contains(&"Arn".to_owned()));
    assert!(function.create_only().contains(&"FunctionName".to_owned()));
    assert!(function.write_only().contains(&"Code/S3Bucket".to_owned()));
    assert_eq!(function.required(), ["Code", "Role"]);
    let code = function.resolve(&function.properties()["Code"]);
    assert!(code["properties"].get("S3Bucket").is_some());
    assert_eq!(function.at("Code/S3Bucket").len(), 1);
    assert_eq!(function.at("Tags/*/Key").len(), 1);
    assert!(function.at("Code/Nothing").is_empty());
    let create = function.handler(Handler::Create).unwrap();
    assert!(
        create
            .permissions
            .contains(&"lambda:CreateFunction".to_owned())
    );
    let route = kind("AWS::ApiGatewayV2::Route");
    assert!(route.source_url().is_some() && route.documentation_url().is_none());
    assert_eq!(route.primary_identifier(), ["ApiId", "RouteId"]);
    let wanted = route
        .handler(Handler::List)
        .unwrap()
        .schema
        .as_ref()
        .unwrap();
    let api = route.resolve(&wanted["properties"]["ApiId"]);
    assert_eq!(api["type"], "string");
    assert!(
        kind("AWS::SQS::QueuePolicy")
            .handler(Handler::Read)
            .is_none()
    );
    let transform = kind("AWS::RDS::DBClusterParameterGroup").property_transform();
    assert!(transform.contains_key("DBClusterParameterGroupName"));
}

#[test]
fn tags_are_a_list_or_a_map() {
    let queue = kind("AWS::SQS::Queue").tagging();
    assert!(queue.taggable && queue.tag_on_create && queue.tag_updatable && queue.is_list);
    assert_eq!(queue.property.as_deref(), Some("Tags"));
    assert_eq!((queue.key.as_str(), queue.value.as_str()), ("Key", "Value"));
    assert!(!kind("AWS::ApiGatewayV2::Api").tagging().is_list);
    assert!(!kind("AWS::IAM::ManagedPolicy").tagging().taggable);
}

#[test]
fn other_spellings_find_the_name() {
    for spelling in [
        "aws:dynamodb:Table",
        "AWS::DynamoDb::table",
        "aws_dynamodb_table",
        "dynamodb table",
        "AWS::DynamoDB::Tabel",
        "aws:dynamodb/table:Table",
    ] {
        let found = nearest(spelling);
        assert_eq!(found.first(), Some(&"AWS::DynamoDB::Table"), "{spelling}");
    }
    assert!(nearest("eventbus").contains(&"AWS::Events::EventBus"));
    assert_eq!(nearest("AWS::DynamoDB::Tabel"), ["AWS::DynamoDB::Table"]);
    assert!(nearest("").is_empty());
    assert!(nearest("zzzzqqqqxxxx").is_empty());
}

#[test]
fn words_find_names() {
    assert_eq!(search("sqs queue").first(), Some(&"AWS::SQS::Queue"));
    assert_eq!(
        search("lambda function").first(),
        Some(&"AWS::Lambda::Function")
    );
    assert!(search("s3 bucket").iter().all(|name| name.contains("S3")));
    assert_eq!(search("aws").len(), names().len());
    assert!(search("").is_empty());
    assert!(search("zzzz").is_empty());
}

/// The text of a schema, as the pack has it: a sample of what must not be lost.
#[test]
fn nothing_is_lost_from_a_schema() {
    let schema = kind("AWS::SQS::Queue").schema();
    assert_eq!(schema["typeName"], "AWS::SQS::Queue");
    let described = schema["properties"].as_object().unwrap().values();
    assert!(
        described
            .filter(|property| property["description"].is_string())
            .count()
            > 10
    );
    assert!(matches!(
        schema["handlers"]["create"]["permissions"],
        Value::Array(_)
    ));
}
