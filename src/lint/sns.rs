//! Topics and subscriptions. SK04xx.

use super::facts::{Facts, Resource};
use super::iam_grants::is_open;
use super::rule::Rule;
use super::sqs;
use crate::schema::broken::Broken;

const SUBSCRIPTION: &[&str] = &["aws:sns:TopicSubscription"];
const WITH_POLICY: &[&str] = &[
    "AWS::SNS::TopicInlinePolicy",
    "AWS::SNS::TopicPolicy",
    "aws:sns:Topic",
];

pub(super) const RULES: &[Rule] = &[
    Rule::refused("SK0401", "The name of a FIFO topic ends in .fifo")
        .why("SNS refuses a FIFO topic under another name (SNS API, CreateTopic, `Name`).")
        .fix("end the name in .fifo")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {name: orders, fifoTopic: true}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {name: orders.fifo, fifoTopic: true}}"#,
        ),
    Rule::refused("SK0402", "A name in .fifo is for a FIFO topic")
        .why("The ending is reserved: SNS refuses it for a standard topic (SNS API, CreateTopic, `Name`).")
        .fix("set fifoTopic: true, or choose another name")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {name: orders.fifo}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {name: orders}}"#,
        ),
    Rule::refused("SK0403", "Deduplication and archives are for FIFO topics")
        .why("SNS refuses the attributes of FIFO topics for a standard topic (SNS API, CreateTopic).")
        .fix("set fifoTopic: true, or take the property out")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {contentBasedDeduplication: true}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {fifoTopic: true, contentBasedDeduplication: true}}"#,
        ),
    Rule::refused("SK0404", "An endpoint is of its protocol's kind")
        .why("SNS refuses an endpoint that its protocol cannot reach: sqs takes the ARN of a queue, https a URL (SNS API, Subscribe, `Endpoint`).")
        .fix("write the endpoint that the protocol takes")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: https, endpoint: example.com/hook}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: https, endpoint: "https://example.com/hook"}}"#,
        ),
    Rule::refused("SK0405", "A FIFO topic sends to queues")
        .why("The subscriptions of a FIFO topic are SQS queues (SNS developer guide, \"Message delivery for FIFO topics\").")
        .fix("subscribe a queue, and the function to the queue")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {fifoTopic: true}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: https, endpoint: "https://example.com/hook"}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: https, endpoint: "https://example.com/hook"}}"#,
        ),
    Rule::refused("SK0406", "A FIFO queue is subscribed to FIFO topics")
        .why("SNS refuses to subscribe a FIFO queue to a standard topic (SNS developer guide, \"Message delivery for FIFO topics\").")
        .fix("make both FIFO, or neither")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {}}
q: {type: "aws:sqs:Queue", properties: {fifoQueue: true, policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: "*"}]}}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: sqs, endpoint: "${q.arn}"}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {fifoTopic: true}}
q: {type: "aws:sqs:Queue", properties: {fifoQueue: true, policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: "*"}]}}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: sqs, endpoint: "${q.arn}"}}"#,
        ),
    Rule::refused("SK0407", "A delivery stream is subscribed with a role")
        .why("The protocol firehose needs a role that SNS assumes, and no other protocol takes one (SNS API, Subscribe, `SubscriptionRoleArn`).")
        .fix("add subscriptionRoleArn for firehose, take it out for others")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: https, endpoint: "https://example.com/hook", subscriptionRoleArn: "${role.arn}"}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: https, endpoint: "https://example.com/hook"}}"#,
        ),
    Rule::refused("SK0408", "The scope of a filter needs a filter")
        .why("Without a filter policy its scope has no effect, and SNS does not return it (SNS API, SetSubscriptionAttributes, `FilterPolicyScope`).")
        .fix("add filterPolicy, or take filterPolicyScope out")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: https, endpoint: "https://example.com/hook", filterPolicyScope: MessageBody}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: https, endpoint: "https://example.com/hook", filterPolicy: {kind: [order]}, filterPolicyScope: MessageBody}}"#,
        ),
    Rule::warning("SK0410", "A topic is not open to everybody")
        .why("A policy that allows a principal of * without a condition lets anybody on the internet publish or subscribe (SNS developer guide, \"Amazon SNS security best practices\").")
        .fix("name the principal, or add a condition such as StringEquals of aws:SourceAccount")
        .examples(
            r#"t:
  type: aws:sns:Topic
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "*"}, Action: "sns:Publish", Resource: "*"}]"#,
            r#"t:
  type: aws:sns:Topic
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {AWS: "*"}, Action: "sns:Publish", Resource: "*", Condition: {StringEquals: {"aws:SourceAccount": "${data.caller.accountId}"}}}]"#,
        )
        .of(WITH_POLICY, open),
    Rule::warning("SK0411", "Messages are not sent in plain text")
        .why("The protocol http sends messages unencrypted (SNS developer guide, \"Amazon SNS security best practices\", \"Enforce encryption of data in transit\").")
        .fix("use https")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: http, endpoint: "http://example.com/hook"}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: https, endpoint: "https://example.com/hook"}}"#,
        )
        .of(SUBSCRIPTION, plain),
    Rule::warning("SK0412", "A subscribed queue lets SNS send")
        .why("SNS accepts the subscription of a queue whose policy does not allow it to send, and drops every message (SNS developer guide, \"Subscribing an Amazon SQS queue to an Amazon SNS topic\").")
        .fix("allow sqs:SendMessage to sns.amazonaws.com in the queue's policy")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {}}
q: {type: "aws:sqs:Queue", properties: {}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: sqs, endpoint: "${q.arn}"}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {}}
q: {type: "aws:sqs:Queue", properties: {}}
p: {type: "aws:sqs:QueuePolicy", properties: {queueUrl: "${q.url}", policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: "${q.arn}"}]}}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: sqs, endpoint: "${q.arn}"}}"#,
        )
        .of(SUBSCRIPTION, queue_may),
    Rule::warning("SK0413", "A subscribed function lets SNS call it")
        .why("SNS calls a function only where a permission of the function allows sns.amazonaws.com to (SNS developer guide, \"Subscribing a Lambda function to an Amazon SNS topic\").")
        .fix("add an aws:lambda:Permission for sns.amazonaws.com with the topic as sourceArn")
        .examples(
            r#"t: {type: "aws:sns:Topic", properties: {}}
f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: lambda, endpoint: "${f.arn}"}}"#,
            r#"t: {type: "aws:sns:Topic", properties: {}}
f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}}
p: {type: "aws:lambda:Permission", properties: {function: "${f.name}", action: "lambda:InvokeFunction", principal: sns.amazonaws.com, sourceArn: "${t.arn}"}}
s: {type: "aws:sns:TopicSubscription", properties: {topic: "${t.arn}", protocol: lambda, endpoint: "${f.arn}"}}"#,
        )
        .of(SUBSCRIPTION, function_may),
];

fn open(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            if let Some(path) = is_open(&statement) {
                let message = "Anybody may use the topic: the statement has no condition.";
                broken.push(document.broken(&path, message));
            }
        }
    }
}

fn plain(_: &Facts<'_>, subscription: &Resource<'_>, broken: &mut Vec<Broken>) {
    if subscription.text("protocol") == Some("http") {
        let message = "Messages are sent over http, unencrypted.";
        broken.push(Broken::at("protocol", message));
    }
}

fn queue_may(facts: &Facts<'_>, subscription: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(queue) = facts.peer_of_type(subscription, "endpoint", "aws:sqs:Queue") else {
        return;
    };
    if subscription.text("protocol") == Some("sqs") && !sqs::may_be_sent_to(facts, queue) {
        let message = format!(
            "{} has no policy that lets SNS send: every message is lost.",
            queue.block
        );
        broken.push(Broken::at("endpoint", message));
    }
}

fn function_may(facts: &Facts<'_>, subscription: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(function) = facts.peer_of_type(subscription, "endpoint", "aws:lambda:Function") else {
        return;
    };
    if subscription.text("protocol") == Some("lambda")
        && !may_be_called(facts, function, "sns.amazonaws.com")
    {
        let message = format!("No permission lets SNS call {}.", function.block);
        broken.push(Broken::at("endpoint", message));
    }
}

/// Whether a permission of the stack may allow a service to call a function: where that cannot be
/// told, it may.
pub(super) fn may_be_called(facts: &Facts<'_>, function: &Resource<'_>, service: &str) -> bool {
    let of = ("aws:lambda:Permission", "function");
    let own = facts.naming(of.0, of.1, function);
    let mut all = own.into_iter().chain(facts.loose(of.0, of.1));
    all.any(|permission| {
        let principal = permission.text("principal");
        principal.is_none_or(|principal| principal == service || principal == "*")
    })
}
