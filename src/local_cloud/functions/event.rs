//! The event of an SQS batch (Lambda developer guide, "Using Lambda with Amazon SQS").

use serde_json::{Map, Value, json};

/// A message as ReceiveMessage returned it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message(Value);

impl Message {
    pub(super) fn new(value: Value) -> Self {
        Self(value)
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    pub(super) fn id(&self) -> &str {
        self.text("MessageId")
    }

    pub(super) fn handle(&self) -> &str {
        self.text("ReceiptHandle")
    }

    /// How many bytes of an event it takes, about.
    pub(super) fn size(&self) -> usize {
        self.0.to_string().len() + 512
    }

    /// Its record in the event.
    pub(super) fn record(&self, queue_arn: &str, region: &str) -> Value {
        let attributes = self.0["MessageAttributes"].as_object();
        let attributes = attributes.into_iter().flatten();
        let attributes: Map<String, Value> = attributes
            .map(|(name, value)| (name.clone(), attribute(value)))
            .collect();
        let mut record = json!({
            "messageId": self.id(),
            "receiptHandle": self.handle(),
            "body": self.0["Body"],
            "attributes": self.0.get("Attributes").cloned().unwrap_or_else(|| json!({})),
            "messageAttributes": attributes,
            "md5OfBody": self.0["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": region,
        });
        if let Some(md5) = self.0.get("MD5OfMessageAttributes") {
            record["md5OfMessageAttributes"] = md5.clone();
        }
        record
    }
}

fn attribute(value: &Value) -> Value {
    let mut told = json!({
        "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"],
    });
    for (member, name) in [
        ("StringValue", "stringValue"),
        ("BinaryValue", "binaryValue"),
    ] {
        if let Some(value) = value.get(member) {
            told[name] = value.clone();
        }
    }
    told
}

/// The event of some records.
pub(super) fn event(records: Vec<Value>) -> Value {
    json!({"Records": records})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_aws_members() {
        let message = Message::new(json!({
            "MessageId": "id", "ReceiptHandle": "handle", "Body": "hello", "MD5OfBody": "m",
            "MD5OfMessageAttributes": "n",
            "Attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g"},
            "MessageAttributes": {
                "a": {"DataType": "String", "StringValue": "x"},
                "b": {"DataType": "Binary", "BinaryValue": "AAE="},
            },
        }));
        let record = message.record("arn:aws:sqs:us-west-2:000000000000:q", "us-west-2");
        assert_eq!(
            record,
            json!({
                "messageId": "id", "receiptHandle": "handle", "body": "hello",
                "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g"},
                "messageAttributes": {
                    "a": {
                        "stringValue": "x", "stringListValues": [], "binaryListValues": [],
                        "dataType": "String",
                    },
                    "b": {
                        "binaryValue": "AAE=", "stringListValues": [], "binaryListValues": [],
                        "dataType": "Binary",
                    },
                },
                "md5OfBody": "m", "md5OfMessageAttributes": "n", "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-west-2:000000000000:q",
                "awsRegion": "us-west-2",
            })
        );
    }
}
