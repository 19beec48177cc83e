"""Answers WebSocket messages that come through an SQS FIFO queue.

Each record carries the connection it came from as a message attribute. The reply goes to
that connection, through the API's address in the environment variable ApiGatewayEndpoint:

    {"connectionId": ..., "requestId": ..., "message": <the record's body, as text>}
"""

import json
import logging
import os

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

_client = None


def connections():
    """The API's client, made at the first use and kept while the function stays warm."""
    global _client
    if _client is None:
        import boto3

        _client = boto3.client(
            "apigatewaymanagementapi", endpoint_url=os.environ["ApiGatewayEndpoint"]
        )
    return _client


def lambda_handler(event, _context):
    """Answers every record, and reports those that are to come again.

    A message group is a sequence: once one of its records has failed, those behind it are
    not answered but reported as failed too, so that they stay in order.
    """
    failed = []
    failed_groups = set()
    for record in event.get("Records", []):
        message_id = record["messageId"]
        group = record.get("attributes", {}).get("MessageGroupId")
        if group is not None and group in failed_groups:
            logger.warning("message %s waits for an earlier one of group %s", message_id, group)
            failed.append(message_id)
            continue
        try:
            answer(record)
        except Exception:
            logger.exception("message %s could not be answered", message_id)
            failed.append(message_id)
            failed_groups.add(group)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def answer(record):
    """Posts the reply to one record."""
    connection_id = attribute(record, "connectionId")
    request_id = attribute(record, "requestId")
    if connection_id is None:
        # It would never find its way back, and would hold up its group if it came again.
        logger.error("message %s names no connection and is dropped", record["messageId"])
        return
    reply = {
        "connectionId": connection_id,
        "requestId": request_id,
        "message": record["body"],
    }
    try:
        connections().post_to_connection(
            ConnectionId=connection_id, Data=json.dumps(reply).encode()
        )
    except Exception as error:
        if not is_gone(error):
            raise
        logger.info("connection %s of request %s is gone", connection_id, request_id)
    else:
        logger.info("request %s was answered to connection %s", request_id, connection_id)


def attribute(record, name):
    """A message attribute's text; none where the record has no such attribute."""
    return record.get("messageAttributes", {}).get(name, {}).get("stringValue")


def is_gone(error):
    """Whether API Gateway says that the client has hung up."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    return code == "GoneException" or type(error).__name__ == "GoneException"
