//! The reference on a terminal: types and functions.

use crate::support::{Ended, Project};
use serde_json::Value;

/// No command of these needs a project, or a cloud.
fn told(args: &[&str]) -> Ended {
    let mut bare = Project::new();
    bare.flags.clear();
    bare.run(args)
}

fn shown(args: &[&str]) -> String {
    told(args).expect(0).stdout
}

#[test]
fn one_type_is_shown_whole() {
    insta::assert_snapshot!(shown(&["types", "aws_sqs_queue_policy"]), @r#"
    aws:sqs:QueuePolicy

    The policy of a queue, kept apart from the queue so that it may name the queue itself. A queue has
    one policy: one that others set before is overwritten.

    Example:
      queue_policy:
        type: aws:sqs:QueuePolicy
        properties:
          queueUrl: ${queue.url}
          policy:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Principal: {Service: events.amazonaws.com}
                Action: sqs:SendMessage
                Resource: ${queue.arn}

    Properties:
      policy  policy document, required
          Who may do what to the queue. Every statement names a principal.
      queueUrl  string, required, at least 1 character, a change replaces the resource
          The queue's URL.

    Outputs:
      id  string
          The queue's URL.

    Import id:
      the queue's URL, such as https://sqs.us-west-2.amazonaws.com/123456789012/orders

    IAM actions:
      sqs:GetQueueAttributes
      sqs:SetQueueAttributes
    "#);
}

#[test]
fn a_type_of_the_registry_names_what_cloud_control_takes() {
    insta::assert_snapshot!(shown(&["types", "AWS::SNS::TopicInlinePolicy"]), @"
    AWS::SNS::TopicInlinePolicy (CloudFormation registry, through the Cloud Control API)

    Example:
      topicInlinePolicy:
        type: AWS::SNS::TopicInlinePolicy
        properties:
          PolicyDocument:
            Statement: []
            Version: 2012-10-17
          TopicArn: ${topic.TopicArn}

    Properties:
      PolicyDocument  policy document, required
      TopicArn  string, required, a change replaces the resource
          The Amazon Resource Name (ARN) of the topic to which you want to add the policy.

    Outputs:
      TopicArn  string
          The Amazon Resource Name (ARN) of the topic to which you want to add the policy.
      id  string
          The identifier; a vertical bar joins the parts of a compound one.

    stackctl types AWS::SNS::TopicInlinePolicy PROPERTY shows the whole text of one.

    Import id:
      the resource's TopicArn

    IAM actions:
      cloudformation:CreateResource
      cloudformation:DeleteResource
      cloudformation:GetResource
      cloudformation:GetResourceRequestStatus
      cloudformation:ListResourceRequests
      cloudformation:ListResources
      cloudformation:UpdateResource
      sns:GetTopicAttributes
      sns:SetTopicAttributes to create, update and delete
    ");
    let policy = shown(&["types", "AWS::SQS::QueuePolicy"]);
    assert!(
        policy.contains("AWS has no read handler for it; use"),
        "{policy}"
    );
    let queue = shown(&["types", "AWS::SQS::Queue"]);
    assert!(
        queue.contains("aws:sqs:Queue is stackctl's own type for the same"),
        "{queue}"
    );
}

#[test]
fn a_property_is_shown_with_what_is_in_it() {
    insta::assert_snapshot!(
        shown(&["types", "AWS::DynamoDB::Table", "GlobalSecondaryIndexes.KeySchema"]),
        @"
    AWS::DynamoDB::Table

    KeySchema  list of objects, required, at least 1 item
        AttributeName  string, required
        KeyType  string, required
    "
    );
    let error = told(&["types", "aws:sqs:Queue", "nam"]).expect(1);
    insta::assert_snapshot!(error.stderr, @r#"
    error: "nam" is not a property or output of aws:sqs:Queue.
      next: stackctl types aws:sqs:Queue lists them.
    "#);
}

#[test]
fn words_find_types_of_both_kinds() {
    let found = shown(&["types", "queue", "policy"]);
    insta::assert_snapshot!(found, @"
    Types of stackctl's own (2):
      aws:lambda:EventSourceMapping  Reads a queue or stream and calls a function with what is in it.
      aws:sqs:QueuePolicy            The policy of a queue, kept apart from the queue so that it may na…

    CloudFormation registry (2):
      AWS::SQS::QueuePolicy        The `AWS::SQS::QueuePolicy` type applies a policy to SQS queues.
      AWS::SQS::QueueInlinePolicy
    ");
    let all = shown(&["types"]);
    for name in ["aws:sqs:Queue ", "aws:getRegion ", "types, as AWS::"] {
        assert!(all.contains(name), "{all}");
    }
    let error = told(&["types", "aws:sqs:Qeue"]).expect(1);
    insta::assert_snapshot!(error.stderr, @r#"
    error: unknown type "aws:sqs:Qeue", and no type has it in its name
      next: Did you mean aws:sqs:Queue or AWS::SQS::Queue?
    "#);
}

#[test]
fn scripts_read_the_schemas() {
    let queue = told(&["types", "aws:sqs:Queue", "--json"]).expect(0);
    let queue = queue.json();
    assert_eq!(queue["properties"]["properties"]["name"]["type"], "string");
    assert_eq!(queue["actions"][0]["action"], "sqs:CreateQueue");
    let table = told(&["types", "AWS::DynamoDB::Table", "--json"]);
    let table = table.expect(0).json();
    assert_eq!(table["origin"], "registry");
    assert_eq!(table["outputs"]["properties"]["Arn"]["type"], "string");
    let all = told(&["types", "--json"]).expect(0).json();
    assert!(all["types"].as_array().unwrap().len() > 1_900);
    let words = told(&["functions", "--json"]).expect(0).json();
    let names = words["words"].as_array().unwrap();
    assert!(names.iter().any(|word| word["name"] == "join"));
    let join = told(&["functions", "join", "--json"]).expect(0);
    assert_eq!(join.json()["result"], Value::from("a-b"));
}

#[test]
fn a_function_is_shown_with_an_example_and_its_result() {
    insta::assert_snapshot!(shown(&["functions", "join"]), @r#"
    join(separator, list, …)

      The strings of the lists with the separator between them.

    Example:
      join("-", ["a", "b"])
      = "a-b"
    "#);
    insta::assert_snapshot!(shown(&["functions", "for"]), @"
    [for item in list : value if condition], {for key, item in map : key => value}

      A list or a map made from another; the condition is optional.

    Example:
      ${[for n in [1, 2, 3] : n * 2 if n > 1]}
      = [4,6]
    ");
    insta::assert_snapshot!(shown(&["functions", "cidr"]), @"
    Functions:
      cidrhost     The address of that number in the range. A negative number counts from the end.
      cidrnetmask  The netmask of an IPv4 range.
      cidrsubnet   The subnet of that number, where the prefix is longer by so many bits.
    ");
    let error = told(&["functions", "joni"]).expect(1);
    insta::assert_snapshot!(error.stderr, @r#"
    error: unknown function "joni"
      next: Did you mean join?
    "#);
}
