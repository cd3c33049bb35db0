"""Lambda functions and what starts them."""

import json
from typing import Any

import pytest

from tests.local.local_server import Local, make_function, messages, wait_for

ECHO = """
import os
print("loaded")
class InvalidData(Exception): pass
def handler(event, context):
    for number in range(20): print("line", number)
    if event.get("fail"): raise InvalidData("no")
    return {"environment": dict(os.environ), "event": event}
"""


def invoke(aws: Local, name: str, event: dict[str, Any]) -> tuple[Any, str | None]:
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def test_the_environment_reaches_the_handler(aws: Local, name: str) -> None:
    make_function(aws, name, ECHO, Environment={"Variables": {"COLOUR": "blue"}})
    answer, error = invoke(aws, name, {})
    assert error is None
    assert answer["environment"]["COLOUR"] == "blue"
    assert answer["environment"]["AWS_ENDPOINT_URL"] == aws.endpoint
    assert "CLAIMFLOW_PROGRAMS" not in answer["environment"]


@pytest.mark.parametrize("event", [{}, {"fail": True}])
def test_every_line_of_the_log_arrives(aws: Local, name: str, event: dict[str, Any]) -> None:
    make_function(aws, name, ECHO)
    invoke(aws, name, event)
    invoke(aws, name, event)
    lines = wait_for(lambda: messages(aws, f"/aws/lambda/{name}"))
    assert [line for line in lines if line.startswith("line")] == [
        f"line {number}" for number in range(20)
    ] * 2
    assert "loaded" in lines


def test_a_handler_that_cannot_be_imported_says_so(aws: Local, name: str) -> None:
    make_function(aws, name, "import nothing_like_it\n")
    answer, error = invoke(aws, name, {})
    assert error
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "nothing_like_it" in answer["errorMessage"]


def test_a_handler_that_takes_too_long_is_ended(aws: Local, name: str) -> None:
    make_function(aws, name, "import time\ndef handler(event, context): time.sleep(60)\n", Timeout=1)
    answer, _ = invoke(aws, name, {})
    assert answer["errorType"] == "Sandbox.Timedout"


def test_functions_with_the_same_code_share_one_unpacked_copy(aws: Local, name: str) -> None:
    code = f"NAME = {name!r}\ndef handler(event, context): return __import__('os').path.realpath(__file__)\n"
    for function in (f"{name}-a", f"{name}-b"):
        make_function(aws, function, code)
    assert invoke(aws, f"{name}-a", {}) == invoke(aws, f"{name}-b", {})


def test_an_upload_starts_the_function_of_its_prefix_with_the_version(
    aws: Local, bucket: str, name: str
) -> None:
    make_function(aws, name, "import json\ndef handler(event, context): print(json.dumps(event['detail']))\n")
    arn = aws.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    s3, rules = aws.client("s3"), aws.client("events")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "train/"}]}},
    }
    rules.put_rule(Name=name, EventPattern=json.dumps(pattern))
    rules.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    s3.put_object(Bucket=bucket, Key="other/a.csv", Body=b"1")
    version = s3.put_object(Bucket=bucket, Key="train/a.csv", Body=b"1")["VersionId"]
    seen = wait_for(lambda: [line for line in messages(aws, f"/aws/lambda/{name}") if line.startswith("{")])
    details = [json.loads(line) for line in seen]
    assert [detail["object"]["key"] for detail in details] == ["train/a.csv"]
    assert details[0]["object"]["version-id"] == version
    s3.put_object(Bucket=bucket, Key="train/a.csv", Body=b"22")
    assert s3.get_object(Bucket=bucket, Key="train/a.csv", VersionId=version)["Body"].read() == b"1"
    assert s3.head_object(Bucket=bucket, Key="train/a.csv")["VersionId"] != version


def test_a_message_to_a_topic_reaches_its_queue(aws: Local, name: str) -> None:
    topic = aws.client("sns").create_topic(Name=name)["TopicArn"]
    queue = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    queue_arn = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    aws.client("sns").publish(TopicArn=topic, Subject="Done", Message="120 rows")
    received = aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    assert json.loads(received[0]["Body"])["Message"] == "120 rows"


def test_log_queries_come_in_pages_and_by_prefix(aws: Local, name: str) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=name)
    for stream in ("a-1", "b-1"):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
        entries = [{"timestamp": 1_700_000_000_000 + n, "message": f"{stream} {n}"} for n in range(5)]
        logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=entries)
    first = logs.filter_log_events(logGroupName=name, logStreamNamePrefix="a-", limit=3)
    second = logs.filter_log_events(
        logGroupName=name, logStreamNamePrefix="a-", limit=3, nextToken=first["nextToken"]
    )
    assert [event["message"] for event in first["events"] + second["events"]] == [
        f"a-1 {n}" for n in range(5)
    ]
    assert "nextToken" not in second
