"""Calls of boto3 on a served local cloud; the environment says where it is. Fails where something
does not hold."""

import time
import urllib.request

import boto3
from botocore.exceptions import ClientError

sqs = boto3.client("sqs")


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error
    raise AssertionError(f"{code} was expected")


def bodies(queue, **arguments):
    reply = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, **arguments)
    return reply.get("Messages", [])


def consumer():
    """Ten groups, a hundred messages, each read once and in order."""
    (queue,) = sqs.list_queues()["QueueUrls"]
    for n in range(0, 100, 10):
        entries = [
            {
                "Id": str(group),
                "MessageBody": str(n + group),
                "MessageGroupId": str(group),
                "MessageDeduplicationId": str(n + group),
                "MessageAttributes": {
                    "n": {"DataType": "Number", "StringValue": str(n)},
                    "b": {"DataType": "Binary", "BinaryValue": bytes([0, group])},
                },
            }
            for group in range(10)
        ]
        reply = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        assert len(reply["Successful"]) == 10, reply
    read = []
    end = time.monotonic() + 120
    while len(read) < 100:
        assert time.monotonic() < end, read
        messages = bodies(
            queue,
            WaitTimeSeconds=20,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        for message in messages:
            group = message["Attributes"]["MessageGroupId"]
            value = message["MessageAttributes"]["b"]["BinaryValue"]
            assert value == bytes([0, int(group)]), message
            read.append((group, int(message["Body"])))
        entries = [
            {"Id": str(at), "ReceiptHandle": message["ReceiptHandle"]}
            for at, message in enumerate(messages)
        ]
        if entries:
            reply = sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
            assert "Failed" not in reply, reply
    for group in range(10):
        of_group = [n for known, n in read if known == str(group)]
        assert of_group == list(range(group, 100, 10)), of_group
    started = time.monotonic()
    assert bodies(queue, WaitTimeSeconds=10) == []
    assert time.monotonic() - started >= 0.1


def refusals():
    missing = "https://sqs.us-west-2.amazonaws.com/000000000000/missing"
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.receive_message, QueueUrl=missing)
    queue = sqs.create_queue(QueueName="plain")["QueueUrl"]
    refused("InvalidMessageContents", sqs.send_message, QueueUrl=queue, MessageBody="\x01")
    error = refused(
        "ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=queue, ReceiptHandle="x"
    )
    assert isinstance(error, sqs.exceptions.ReceiptHandleIsInvalid), error
    sqs.purge_queue(QueueUrl=queue)
    error = refused(
        "AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=queue
    )
    assert isinstance(error, sqs.exceptions.PurgeQueueInProgress), error
    sqs.delete_queue(QueueUrl=queue)


def objects():
    s3 = boto3.client("s3")
    bucket = "objects-of-boto3"
    s3.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    s3.put_object(Bucket=bucket, Key="a b/ü", Body=b"hello", Metadata={"by": "boto3"})
    found = s3.get_object(Bucket=bucket, Key="a b/ü")
    assert found["Body"].read() == b"hello" and found["Metadata"] == {"by": "boto3"}, found
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü"})
    assert urllib.request.urlopen(url).read() == b"hello"
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="missing")
    s3.delete_object(Bucket=bucket, Key="a b/ü")
    s3.delete_bucket(Bucket=bucket)


consumer()
refusals()
objects()
