use super::Sns;
use crate::local_cloud::service::{Request, Service, Store};
use crate::local_cloud::testing::Memory;
use std::collections::BTreeMap;

/// Calls in order, each with words of its answer: the XML, or code and message. `~` is the ARN of the
/// topic `t`, `$1` that of the first subscription, `+Name=value` an attribute; `48h` lets time pass.
const CALLS: &str = r#"
CreateTopic&Name=a.b => InvalidParameter Invalid parameter: Topic Name
CreateTopic&Name=t+FifoTopic=true => Topic Name
CreateTopic&Name=t+Colour=red => Attributes Reason: AttributeName
CreateTopic&Name=t+TracingConfig=On => TracingConfig: Invalid value
CreateTopic&Name=t+FifoThroughputScope=Topic => FifoThroughputScope: Invalid value
CreateTopic&Name=t+SQSSuccessFeedbackSampleRate=101 => SampleRate: Invalid value
CreateTopic&Name=t+Policy={} => Policy: Invalid value
GetTopicAttributes&TopicArn=~ => NotFound Topic does not exist
GetTopicAttributes&TopicArn=t => InvalidParameter Invalid parameter: TopicArn
ListTagsForResource&ResourceArn=~ => ResourceNotFound
CreateTopic&Name=t&Tags.member.1.Key=k+DisplayName=x => :t</TopicArn>
CreateTopic&Name=t&Tags.member.1.Key=k => :t</TopicArn>
CreateTopic&Name=t+DisplayName=y => Topic already exists with different attributes
CreateTopic&Name=t&Tags.member.1.Key=k&Tags.member.1.Value=1 => different tags
TagResource&ResourceArn=~&Tags.member.1.Key=aws:x => reserved
SetTopicAttributes&TopicArn=~&AttributeName=FifoTopic&AttributeValue=true => FifoTopic: Invalid
CreateTopic&Name=t.fifo+FifoTopic=true => :t.fifo</TopicArn>
SetTopicAttributes&TopicArn=~.fifo&AttributeName=ArchivePolicy&AttributeValue= => Invalid value
SetTopicAttributes&TopicArn=~.fifo&AttributeName=ArchivePolicy&AttributeValue={"MessageRetentionPeriod":"366"} => Invalid
SetTopicAttributes&TopicArn=~.fifo&AttributeName=ArchivePolicy&AttributeValue={"MessageRetentionPeriod":"365"} => <Set
GetTopicAttributes&TopicArn=~.fifo => <value>1970-01-01T00:00:00.000Z</value>
Subscribe&TopicArn=~.fifo&Protocol=email&Endpoint=a@b => Endpoint must match
DeleteTopic&TopicArn=~.fifo => InvalidState
SetTopicAttributes&TopicArn=~.fifo&AttributeName=ArchivePolicy&AttributeValue={} => <Set
DeleteTopic&TopicArn=~.fifo => <DeleteTopicResponse
DeleteTopic&TopicArn=~.fifo => <DeleteTopicResponse
Subscribe&TopicArn=~.fifo&Protocol=email&Endpoint=a@b => NotFound Topic does not exist
Subscribe&TopicArn=~&Protocol=https&Endpoint=https://me:secret@a.example/ => >pending confirmation<
Subscribe&TopicArn=~&Protocol=https&Endpoint=https://me:secret@a.example/&ReturnSubscriptionArn=true => $1
Subscribe&TopicArn=~&Protocol=sqs&Endpoint=arn:aws:sqs:::q+RawMessageDelivery=true => :t:
Subscribe&TopicArn=~&Protocol=sqs&Endpoint=arn:aws:sqs:::q => :t:
Subscribe&TopicArn=~&Protocol=sqs&Endpoint=arn:aws:sqs:::q+RawMessageDelivery=false => different attributes
Subscribe&TopicArn=~&Protocol=sqs&Endpoint=arn:aws:sqs:::q.fifo => FIFO SQS Queues
Subscribe&TopicArn=~&Protocol=pigeon&Endpoint=a => protocol string: pigeon
Subscribe&TopicArn=~&Protocol=lambda&Endpoint=arn:aws:sqs:::q => Endpoint must match
Subscribe&TopicArn=~&Protocol=firehose&Endpoint=arn:aws:firehose:::s => SubscriptionRoleArn
ListSubscriptionsByTopic&TopicArn=~ => <SubscriptionArn>PendingConfirmation<
ListSubscriptionsByTopic&TopicArn=~ => >https://me:****@a.example/<
SetSubscriptionAttributes&SubscriptionArn=$1&AttributeName=RedrivePolicy&AttributeValue= => Invalid
SetSubscriptionAttributes&SubscriptionArn=$1&AttributeName=RedrivePolicy => <SetSubscription
SetSubscriptionAttributes&SubscriptionArn=$1&AttributeName=ReplayPolicy&AttributeValue={} => Invalid
Unsubscribe&SubscriptionArn=$1 => Cannot unsubscribe a subscription that is pending confirmation
GetSubscriptionAttributes&SubscriptionArn=$1 => PendingConfirmation
48h
GetSubscriptionAttributes&SubscriptionArn=$1 => NotFound Subscription does not exist
Unsubscribe&SubscriptionArn=$1 => <UnsubscribeResponse
Unsubscribe&SubscriptionArn=$1 => <UnsubscribeResponse
DeleteTopic&TopicArn=~ => <DeleteTopicResponse
"#;

#[test]
fn each_call_is_answered_as_by_sns() {
    let (mut store, mut now, mut first) = (Memory::default(), 0, String::new());
    for line in CALLS.lines().filter(|line| !line.is_empty()) {
        let Some((form, words)) = line.split_once(" => ") else {
            now += super::PENDING_MS;
            continue;
        };
        let mut form = form.replace('~', "arn:aws:sns:us-west-2:000000000000:t");
        form = form.replace("$1", &first);
        if let Some((before, attribute)) = form.clone().split_once('+') {
            let (name, value) = attribute.split_once('=').unwrap();
            let entry = "Attributes.entry.1";
            form = format!("{before}&{entry}.key={name}&{entry}.value={value}");
        }
        let request = Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: Vec::new(),
            headers: BTreeMap::new(),
            body: format!("Action={form}").into(),
            region: "us-west-2".to_owned(),
            now,
        };
        let said = match Sns.answer(&request, &mut store) {
            Ok(reply) => String::from_utf8_lossy(&reply.body).into_owned(),
            Err(refusal) => format!("{} {}", refusal.code, refusal.message),
        };
        match said.split_once("<SubscriptionArn>arn") {
            Some((_, rest)) if words == "$1" => {
                first = format!("arn{}", rest.split('<').next().unwrap());
            }
            _ => assert!(said.contains(words), "{form}: {said}"),
        }
    }
    assert!(store.scan("").is_empty(), "{store:?}");
}
