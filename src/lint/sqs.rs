//! Queues. SK03xx.

use super::facts::{Facts, Resource};
use super::iam_grants::is_open;
use super::rule::Rule;
use crate::schema::broken::Broken;
use serde_json::Value;

const QUEUE: &[&str] = &["aws:sqs:Queue"];
const WITH_POLICY: &[&str] = &[
    "AWS::SQS::QueueInlinePolicy",
    "aws:sqs:Queue",
    "aws:sqs:QueuePolicy",
];

/// How long a queue keeps a message that says nothing of it, in seconds (SQS API,
/// SetQueueAttributes).
const DEFAULT_RETENTION: i64 = 345_600;

pub(super) const RULES: &[Rule] = &[
    Rule::refused("SK0301", "The name of a FIFO queue ends in .fifo")
        .why("SQS refuses a FIFO queue under another name (SQS developer guide, \"FIFO queue and message identifiers\").")
        .fix("end the name in .fifo")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {name: orders, fifoQueue: true}}"#,
            r#"q: {type: "aws:sqs:Queue", properties: {name: orders.fifo, fifoQueue: true}}"#,
        ),
    Rule::refused("SK0302", "A name in .fifo is for a FIFO queue")
        .why("The ending is reserved: SQS refuses it for a standard queue (SQS API, CreateQueue, `QueueName`).")
        .fix("set fifoQueue: true, or choose another name")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {name: orders.fifo}}"#,
            r#"q: {type: "aws:sqs:Queue", properties: {name: orders}}"#,
        ),
    Rule::refused("SK0303", "Deduplication and its limits are for FIFO queues")
        .why("SQS refuses the attributes of FIFO queues for a standard queue (SQS API, SetQueueAttributes, \"The following attributes apply only to FIFO queues\").")
        .fix("set fifoQueue: true, or take the property out")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {contentBasedDeduplication: true}}"#,
            r#"q: {type: "aws:sqs:Queue", properties: {fifoQueue: true, contentBasedDeduplication: true}}"#,
        ),
    Rule::refused("SK0304", "A limit for each group needs deduplication in the group")
        .why("SQS takes perMessageGroupId only together with a deduplication scope of messageGroup (SQS API, SetQueueAttributes, `FifoThroughputLimit`).")
        .fix("set deduplicationScope: messageGroup")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {fifoQueue: true, fifoThroughputLimit: perMessageGroupId}}"#,
            r#"q: {type: "aws:sqs:Queue", properties: {fifoQueue: true, fifoThroughputLimit: perMessageGroupId, deduplicationScope: messageGroup}}"#,
        ),
    Rule::refused("SK0305", "A queue has one kind of encryption")
        .why("A queue is encrypted with keys of SQS or with a key of KMS (SQS API, SetQueueAttributes, `SqsManagedSseEnabled`).")
        .fix("leave one of the two")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {kmsMasterKeyId: alias/orders, sqsManagedSseEnabled: true}}"#,
            r#"q: {type: "aws:sqs:Queue", properties: {kmsMasterKeyId: alias/orders}}"#,
        ),
    Rule::refused("SK0306", "The reuse of data keys needs a KMS key")
        .why("Without a KMS key the attribute has no effect and SQS does not return it (SQS API, SetQueueAttributes, `KmsDataKeyReusePeriodSeconds`).")
        .fix("take kmsDataKeyReusePeriodSeconds out")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {kmsDataKeyReusePeriodSeconds: 60}}"#,
            r#"q: {type: "aws:sqs:Queue", properties: {kmsMasterKeyId: alias/orders, kmsDataKeyReusePeriodSeconds: 60}}"#,
        ),
    Rule::refused("SK0307", "A redrive policy has a target and a count from 1 to 1000")
        .why("SQS refuses a redrive policy without deadLetterTargetArn, with another count, or with other members (SQS API, SetQueueAttributes, `RedrivePolicy`).")
        .fix("write {deadLetterTargetArn, maxReceiveCount}")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {redrivePolicy: {maxReceiveCount: 3}}}"#,
            r#"dead: {type: "aws:sqs:Queue", properties: {messageRetentionSeconds: 1209600}}
q: {type: "aws:sqs:Queue", properties: {redrivePolicy: {deadLetterTargetArn: "${dead.arn}", maxReceiveCount: 3}}}"#,
        ),
    Rule::refused("SK0308", "A dead-letter queue is of its queue's kind")
        .why("The dead-letter queue of a FIFO queue is FIFO, that of a standard queue is standard (SQS developer guide, \"Using dead-letter queues\").")
        .fix("make both FIFO, or neither")
        .examples(
            r#"dead: {type: "aws:sqs:Queue", properties: {messageRetentionSeconds: 1209600}}
q: {type: "aws:sqs:Queue", properties: {fifoQueue: true, redrivePolicy: {deadLetterTargetArn: "${dead.arn}", maxReceiveCount: 3}}}"#,
            r#"dead: {type: "aws:sqs:Queue", properties: {fifoQueue: true, messageRetentionSeconds: 1209600}}
q: {type: "aws:sqs:Queue", properties: {fifoQueue: true, redrivePolicy: {deadLetterTargetArn: "${dead.arn}", maxReceiveCount: 3}}}"#,
        ),
    Rule::refused("SK0309", "A redrive allow policy says who may use the queue")
        .why("redrivePermission is allowAll, denyAll or byQueue, and byQueue comes with up to 10 ARNs (SQS API, SetQueueAttributes, `RedriveAllowPolicy`).")
        .fix("write {redrivePermission: byQueue, sourceQueueArns: […]}, allowAll or denyAll")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {redriveAllowPolicy: {redrivePermission: byQueue}}}"#,
            r#"q: {type: "aws:sqs:Queue", properties: {redriveAllowPolicy: {redrivePermission: denyAll}}}"#,
        ),
    Rule::warning("SK0310", "A queue is not open to everybody")
        .why("A policy that allows a principal of * without a condition lets anybody on the internet use the queue (SQS developer guide, \"Amazon SQS security best practices\").")
        .fix("name the principal, or add a condition such as ArnEquals of aws:SourceArn")
        .examples(
            r#"q:
  type: aws:sqs:Queue
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: "*", Action: "sqs:SendMessage", Resource: "*"}]"#,
            r#"q:
  type: aws:sqs:Queue
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: "*", Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {"aws:PrincipalOrgID": o-a1b2c3d4e5}}}]"#,
        )
        .of(WITH_POLICY, open),
    Rule::warning("SK0311", "A dead-letter queue keeps messages longer than its queue")
        .why("A message keeps the time at which it was first sent when a standard queue puts it aside, so a dead-letter queue with the same retention may drop it at once (SQS developer guide, \"Using dead-letter queues\").")
        .fix("give the dead-letter queue a longer messageRetentionSeconds")
        .examples(
            r#"dead: {type: "aws:sqs:Queue", properties: {}}
q: {type: "aws:sqs:Queue", properties: {redrivePolicy: {deadLetterTargetArn: "${dead.arn}", maxReceiveCount: 3}}}"#,
            r#"dead: {type: "aws:sqs:Queue", properties: {messageRetentionSeconds: 1209600}}
q: {type: "aws:sqs:Queue", properties: {redrivePolicy: {deadLetterTargetArn: "${dead.arn}", maxReceiveCount: 3}}}"#,
        )
        .of(QUEUE, retention),
    Rule::warning("SK0312", "A dead-letter queue lets its queue use it")
        .why("A redrive allow policy of denyAll stops every queue from naming this one as its dead-letter queue (SQS API, SetQueueAttributes, `RedriveAllowPolicy`).")
        .fix("set redrivePermission to allowAll, or to byQueue with the queue's ARN")
        .examples(
            r#"dead: {type: "aws:sqs:Queue", properties: {messageRetentionSeconds: 1209600, redriveAllowPolicy: {redrivePermission: denyAll}}}
q: {type: "aws:sqs:Queue", properties: {redrivePolicy: {deadLetterTargetArn: "${dead.arn}", maxReceiveCount: 3}}}"#,
            r#"dead: {type: "aws:sqs:Queue", properties: {messageRetentionSeconds: 1209600, redriveAllowPolicy: {redrivePermission: allowAll}}}
q: {type: "aws:sqs:Queue", properties: {redrivePolicy: {deadLetterTargetArn: "${dead.arn}", maxReceiveCount: 3}}}"#,
        )
        .of(QUEUE, allowed),
    Rule::warning("SK0313", "A queue's messages are encrypted")
        .why("New queues are encrypted by SQS at no cost; switching it off without a KMS key leaves the messages in plain text at rest (SQS developer guide, \"Encryption at rest\").")
        .fix("take sqsManagedSseEnabled out, or name a kmsMasterKeyId")
        .examples(
            r#"q: {type: "aws:sqs:Queue", properties: {sqsManagedSseEnabled: false}}"#,
            r#"q: {type: "aws:sqs:Queue", properties: {sqsManagedSseEnabled: true}}"#,
        )
        .of(QUEUE, encrypted),
    Rule::warning("SK0314", "The policy of a queue is about that queue")
        .why("SQS accepts a policy whose Resource is another queue, and the statement never applies (SQS developer guide, \"Custom policy elements\").")
        .fix("name this queue's ARN, or *, as the Resource")
        .examples(
            r#"other: {type: "aws:sqs:Queue", properties: {}}
q: {type: "aws:sqs:Queue", properties: {}}
p:
  type: aws:sqs:QueuePolicy
  properties:
    queueUrl: "${q.url}"
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: "${other.arn}"}]"#,
            r#"q: {type: "aws:sqs:Queue", properties: {}}
p:
  type: aws:sqs:QueuePolicy
  properties:
    queueUrl: "${q.url}"
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: "${q.arn}"}]"#,
        )
        .of(&["aws:sqs:QueuePolicy"], own_resource),
];

fn open(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for document in &resource.documents {
        for statement in document.statements() {
            if let Some(path) = is_open(&statement) {
                let message = "Anybody may use the queue: the statement has no condition.";
                broken.push(document.broken(&path, message));
            }
        }
    }
}

/// The dead-letter queue, where it is of the same stack.
fn dead<'f, 'a>(facts: &'f Facts<'a>, queue: &Resource<'_>) -> Option<&'f Resource<'a>> {
    facts.peer_of_type(queue, "redrivePolicy.deadLetterTargetArn", "aws:sqs:Queue")
}

fn retention(facts: &Facts<'_>, queue: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(dead) = dead(facts, queue) else {
        return;
    };
    let kept = |queue: &Resource<'_>| queue.number("messageRetentionSeconds", DEFAULT_RETENTION);
    // A FIFO queue resets the time.
    let is_standard = !queue.given("fifoQueue") || queue.flag("fifoQueue") == Some(false);
    if let (Some(own), Some(longer)) = (kept(queue), kept(dead))
        && longer <= own
        && is_standard
        && longer < 1_209_600
    {
        let message = format!(
            "{} keeps messages for {longer} seconds, and the queue itself for {own}: what is put \
             aside late is dropped early.",
            dead.block
        );
        broken.push(Broken::at("redrivePolicy.deadLetterTargetArn", message));
    }
}

fn allowed(facts: &Facts<'_>, queue: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(dead) = dead(facts, queue) else {
        return;
    };
    let permission = dead.known("redriveAllowPolicy.redrivePermission");
    if permission.and_then(Value::as_str) == Some("denyAll") {
        let message = format!(
            "{} lets no queue use it as its dead-letter queue.",
            dead.block
        );
        broken.push(Broken::at("redrivePolicy.deadLetterTargetArn", message));
    }
}

fn encrypted(_: &Facts<'_>, queue: &Resource<'_>, broken: &mut Vec<Broken>) {
    if queue.flag("sqsManagedSseEnabled") == Some(false) && !queue.given("kmsMasterKeyId") {
        let message = "The queue's messages are not encrypted at rest.";
        broken.push(Broken::at("sqsManagedSseEnabled", message));
    }
}

fn own_resource(facts: &Facts<'_>, policy: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(own) = facts.peer_of_type(policy, "queueUrl", "aws:sqs:Queue") else {
        return;
    };
    for document in &policy.documents {
        for statement in document.statements() {
            for (path, _) in statement.texts("Resource") {
                let named = facts.peer(policy, &document.path(&path));
                let Some(other) = named.filter(|named| named.block != own.block) else {
                    continue;
                };
                let message = format!("The policy of {} is about {}.", own.block, other.block);
                broken.push(document.broken(&path, message));
            }
        }
    }
}

/// Whether a policy of the queue, its own or a resource of the stack, may allow a service to send:
/// where that cannot be told, it may.
pub(super) fn may_be_sent_to(facts: &Facts<'_>, queue: &Resource<'_>) -> bool {
    let other = ["AWS::SQS::QueueInlinePolicy", "AWS::SQS::QueuePolicy"];
    queue.given("policy")
        || facts.may_name("aws:sqs:QueuePolicy", "queueUrl", queue)
        || other.iter().any(|name| facts.of(name).next().is_some())
}
