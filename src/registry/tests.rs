//! The names, what is known without a schema, and one type's schema.

use super::*;

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

mod declarations {
    use super::*;
    use crate::data::{Data, Path};
    use serde_json::json;

    #[test]
    fn a_declaration_has_our_keywords() {
        let schema = declaration(kind("AWS::Lambda::Function"));
        assert_eq!(schema.name, "AWS::Lambda::Function");
        assert!(schema.description.contains("Lambda function"));
        assert!(schema.flag(&Path::pointer("/FunctionName"), "createOnly"));
        assert!(!schema.flag(&Path::pointer("/Timeout"), "createOnly"));
        assert!(schema.flag(&Path::pointer("/Code/S3Bucket"), "writeOnly"));
        assert!(!schema.has_property("Arn") && schema.has_output("Arn"));
        assert!(schema.has_output("FunctionName"));
        assert_eq!(schema.required().collect::<Vec<_>>(), ["Code", "Role"]);
        // A part of a property that only the service sets is an output.
        assert!(schema.at(&Path::pointer("/SnapStart/ApplyOn")).is_some());
        assert!(schema.has_output("SnapStartResponse"));
        assert_eq!(schema.outputs["properties"]["Arn"]["type"], "string");
        assert!(
            schema.outputs["properties"]["Arn"]
                .get("volatile")
                .is_none()
        );
    }

    #[test]
    fn a_nested_property_of_the_service_is_an_output_alone() {
        let schema = declaration(kind("AWS::RDS::DBInstance"));
        assert!(
            schema
                .at(&Path::pointer("/MasterUserSecret/KmsKeyId"))
                .is_some()
        );
        assert!(
            schema
                .at(&Path::pointer("/MasterUserSecret/SecretArn"))
                .is_none()
        );
        let outputs = &schema.outputs["properties"];
        assert!(
            outputs["MasterUserSecret"]["properties"]
                .get("SecretArn")
                .is_some()
        );
        assert!(
            outputs["MasterUserSecret"]["properties"]
                .get("KmsKeyId")
                .is_none()
        );
        assert!(outputs["MasterUserSecret"].get("partial").is_none());
        assert!(schema.is_sensitive("MasterUserPassword"));
        assert!(
            !schema
                .from("DBInstanceArn")
                .any(|name| name == "MasterUserPassword")
        );
        assert!(schema.from("DBInstanceArn").any(|name| name == "DBName"));
    }

    #[test]
    fn what_holds_itself_is_followed() {
        let schema = declaration(kind("AWS::WAFv2::WebACL"));
        let deep =
            "/Rules/0/Statement/NotStatement/Statement/NotStatement/Statement/GeoMatchStatement";
        assert!(schema.at(&Path::pointer(deep)).is_some());
        assert!(
            schema
                .at(&Path::pointer(format!("{deep}/Nothing")))
                .is_none()
        );
        let text = schema.properties.to_string();
        assert!(text.len() < 400_000, "{}", text.len());
        let mut data = Data::from(json!({
            "Scope": "REGIONAL",
            "DefaultAction": {"Allow": {}},
            "VisibilityConfig": {
                "SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": "x",
            },
            "Rules": [{
                "Name": 7, "Priority": 1,
                "Statement": {"NotStatement": {"Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}}}},
                "VisibilityConfig": {
                    "SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": "x",
                },
            }],
        }));
        schema.conform(&mut data);
        assert_eq!(data.value["Rules"][0]["Name"], "7");
        assert_eq!(schema.validate(&data), []);
        let statement = &mut data.value["Rules"][0]["Statement"]["NotStatement"]["Statement"];
        statement["GeoMatchStatement"]["CountryCode"] = json!(["DE"]);
        let broken = schema.validate(&data);
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert_eq!(
            broken[0].help.as_deref(),
            Some("did you mean \"CountryCodes\"?")
        );
    }

    #[test]
    fn lists_maps_and_documents_are_known() {
        let group = declaration(kind("AWS::EC2::SecurityGroup"));
        assert_eq!(group.at(&Path::pointer("/Tags")).unwrap()["set"], true);
        let api = declaration(kind("AWS::ApiGatewayV2::Api"));
        assert!(api.is_map(&Path::pointer("/Tags")));
        let role = declaration(kind("AWS::IAM::Role"));
        let document = role.keyword(&Path::pointer("/AssumeRolePolicyDocument"), "document");
        assert_eq!(document, Some("policy"));
        let every = role.keyword(&Path::pointer("/Policies/0/PolicyDocument"), "document");
        assert_eq!(every, Some("policy"));
    }

    #[test]
    fn an_instance_is_valid_and_a_sample_fits() {
        let role = kind("AWS::IAM::Role");
        let made = instance(role, 0);
        assert!(made.get("AssumeRolePolicyDocument").is_some());
        assert_eq!(declaration(role).validate(&Data::from(made)), []);
        let queue = kind("AWS::SQS::Queue");
        assert_eq!(
            sample(queue, "Arn", 7),
            "arn:aws:sqs:us-east-1:123456789012:queue-7"
        );
        assert_ne!(sample(queue, "QueueUrl", 1), sample(queue, "QueueUrl", 2));
        assert_eq!(sample(queue, "Nothing", 7), Value::Null);
    }
}
