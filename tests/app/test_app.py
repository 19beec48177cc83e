"""Tests of the WebSocket stack's function, without AWS: python3 -m unittest tests/app/test_app.py"""

import json
import os
import sys
import types
import unittest
from pathlib import Path
from unittest import mock

# No __pycache__ beside the sources: the folder is what gets zipped.
sys.dont_write_bytecode = True
SOURCE = Path(__file__).resolve().parents[2] / "stacks" / "websocket-sqs" / "src"
sys.path.insert(0, str(SOURCE))

import app  # noqa: E402


class Gone(Exception):
    response = {"Error": {"Code": "GoneException"}}


class FakeClient:
    """Keeps what is posted; fails for connections it has an error for."""

    def __init__(self, errors=None):
        self.errors = errors or {}
        self.posted = []

    def post_to_connection(self, ConnectionId, Data):
        if ConnectionId in self.errors:
            raise self.errors[ConnectionId]
        self.posted.append((ConnectionId, json.loads(Data)))


def record(message_id, connection="c1", group="g1", body='{"text": "hello"}'):
    return {
        "messageId": message_id,
        "body": body,
        "attributes": {"MessageGroupId": group},
        "messageAttributes": {
            "connectionId": {"stringValue": connection, "dataType": "String"},
            "requestId": {"stringValue": "r-" + message_id, "dataType": "String"},
        },
    }


class AppTest(unittest.TestCase):
    def setUp(self):
        app.logger.disabled = True
        self.addCleanup(setattr, app.logger, "disabled", False)

    def handle(self, client, *records):
        with mock.patch.object(app, "_client", client):
            reply = app.lambda_handler({"Records": list(records)}, None)
        return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]

    def test_every_record_is_answered_to_its_connection(self):
        client = FakeClient()
        failed = self.handle(client, record("1"), record("2", connection="c2", body="plain"))
        self.assertEqual(failed, [])
        self.assertEqual(
            client.posted,
            [
                (
                    "c1",
                    {"connectionId": "c1", "requestId": "r-1", "message": '{"text": "hello"}'},
                ),
                ("c2", {"connectionId": "c2", "requestId": "r-2", "message": "plain"}),
            ],
        )

    def test_a_connection_that_is_gone_is_no_failure(self):
        client = FakeClient({"c1": Gone()})
        self.assertEqual(self.handle(client, record("1"), record("2", connection="c2")), [])
        self.assertEqual([to for to, _ in client.posted], ["c2"])

    def test_a_failed_record_comes_again_with_those_behind_it_in_its_group(self):
        client = FakeClient({"bad": RuntimeError("no answer")})
        failed = self.handle(
            client,
            record("1", group="a"),
            record("2", group="a", connection="bad"),
            record("3", group="b"),
            record("4", group="a"),
        )
        self.assertEqual(failed, ["2", "4"])
        self.assertEqual([reply["requestId"] for _, reply in client.posted], ["r-1", "r-3"])

    def test_without_a_group_only_the_failed_record_comes_again(self):
        client = FakeClient({"bad": RuntimeError("no answer")})
        alone = record("1", connection="bad")
        next_one = record("2")
        del alone["attributes"], next_one["attributes"]
        self.assertEqual(self.handle(client, alone, next_one), ["1"])

    def test_a_record_without_a_connection_is_dropped(self):
        client = FakeClient()
        stray = record("1")
        del stray["messageAttributes"]
        self.assertEqual(self.handle(client, stray, record("2")), [])
        self.assertEqual(len(client.posted), 1)

    def test_the_client_is_made_once_for_the_endpoint(self):
        made = []
        boto3 = types.ModuleType("boto3")
        boto3.client = lambda name, **options: made.append((name, options)) or FakeClient()
        endpoint = {"ApiGatewayEndpoint": "https://example.test/production"}
        with mock.patch.dict(sys.modules, {"boto3": boto3}), mock.patch.dict(os.environ, endpoint):
            self.handle(None, record("1"), record("2"))
        self.assertEqual(
            made,
            [("apigatewaymanagementapi", {"endpoint_url": "https://example.test/production"})],
        )


if __name__ == "__main__":
    unittest.main()
