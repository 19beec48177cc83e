//! Messages through the SDK's client, with a clock that stands still until a test moves it.

mod batches;
mod contents;
mod fifo;
mod lifetime;
mod model;
mod refused;

use crate::local_cloud::testing::Cloud;
use crate::resource::aws::Aws;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};

/// A cloud with clients in a region.
struct Here {
    cloud: Cloud,
    aws: Aws,
}

/// What is sent beside the body.
type Beside<'b> = &'b [(&'b str, &'b str)];

impl Here {
    async fn new() -> Self {
        let cloud = Cloud::new();
        let aws = cloud.clients("us-west-2").await;
        Self { cloud, aws }
    }

    /// Creates a queue; its URL.
    async fn queue(&self, name: &str, attributes: Beside<'_>) -> String {
        let mut call = self.aws.sqs_once().create_queue().queue_name(name);
        for (name, value) in attributes {
            call = call.attributes(QueueAttributeName::from(*name), *value);
        }
        call.send().await.unwrap().queue_url.unwrap()
    }

    /// A FIFO queue that tells messages apart by their bodies.
    async fn fifo(&self, attributes: Beside<'_>) -> String {
        let mut all = vec![("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];
        all.extend_from_slice(attributes);
        self.queue("q.fifo", &all).await
    }

    /// Sends a message to a standard queue.
    async fn send(&self, url: &str, body: &str) {
        let call = self.aws.sqs_once().send_message();
        call.queue_url(url).message_body(body).send().await.unwrap();
    }

    /// Sends a message to a group.
    async fn send_to(&self, url: &str, group: &str, body: &str) {
        let call = self.aws.sqs_once().send_message().queue_url(url);
        let call = call.message_body(body).message_group_id(group);
        call.send().await.unwrap();
    }

    /// Receives up to so many messages.
    async fn receive(&self, url: &str, most: i32) -> Vec<Message> {
        let call = self.aws.sqs_once().receive_message().queue_url(url);
        let call = call
            .max_number_of_messages(most)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        call.send().await.unwrap().messages.unwrap_or_default()
    }

    /// The bodies of up to so many messages that are received.
    async fn bodies(&self, url: &str, most: i32) -> Vec<String> {
        let received = self.receive(url, most).await;
        received.into_iter().map(|it| it.body.unwrap()).collect()
    }

    async fn delete(&self, url: &str, message: &Message) {
        let call = self.aws.sqs_once().delete_message().queue_url(url);
        let call = call.receipt_handle(message.receipt_handle().unwrap());
        call.send().await.unwrap();
    }

    async fn hide(&self, url: &str, message: &Message, seconds: i32) {
        let call = self.aws.sqs_once().change_message_visibility();
        let call = call
            .queue_url(url)
            .receipt_handle(message.receipt_handle().unwrap())
            .visibility_timeout(seconds);
        call.send().await.unwrap();
    }

    /// How many messages can be received, are in flight, and are delayed.
    async fn counts(&self, url: &str) -> [String; 3] {
        let call = self.aws.sqs_once().get_queue_attributes().queue_url(url);
        let call = call.attribute_names(QueueAttributeName::All);
        let attributes = call.send().await.unwrap().attributes.unwrap();
        [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ]
        .map(|name| attributes[&name].clone())
    }

    fn pass(&self, seconds: u64) {
        self.cloud.pass(seconds * 1000);
    }
}

/// A system attribute of a message.
fn attribute<'m>(message: &'m Message, name: &str) -> Option<&'m str> {
    let name = MessageSystemAttributeName::from(name);
    let attributes = message.attributes.as_ref()?;
    attributes.get(&name).map(String::as_str)
}
