"""What Claimflow relies on of S3: conditional writes and reads, versions, metadata, ordered listings."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.workflow.stack import Stack

pytestmark = pytest.mark.aws


class Object:
    """An object of one test, in the bucket of the stack's working files."""

    def __init__(self, stack: Stack) -> None:
        self.client = stack.client("s3")
        self.place = {"Bucket": stack.outputs["ArtifactsBucket"], "Key": f"{stack.prefix}{uuid.uuid4()}"}

    def put(self, body: bytes, **options: Any) -> str:
        """Write the object; returns its entity tag."""
        return str(self.client.put_object(**self.place, Body=body, **options)["ETag"])

    def get(self, **options: Any) -> dict[str, Any]:
        """Read the object; its body as bytes."""
        answer = self.client.get_object(**self.place, **options)
        return {**answer, "Body": answer["Body"].read()}


@pytest.fixture
def thing(stack: Stack) -> Object:
    return Object(stack)


def status_of(error: pytest.ExceptionInfo[ClientError]) -> int:
    return int(error.value.response["ResponseMetadata"]["HTTPStatusCode"])


def test_if_none_match_writes_only_an_object_that_is_not_there(thing: Object) -> None:
    thing.put(b"first", IfNoneMatch="*")
    with pytest.raises(ClientError) as error:
        thing.put(b"second", IfNoneMatch="*")
    assert (status_of(error), thing.get()["Body"]) == (412, b"first")


def test_if_match_writes_only_over_the_object_that_was_read(thing: Object) -> None:
    tag = thing.put(b"first")
    thing.put(b"second", IfMatch=tag)
    with pytest.raises(ClientError) as error:
        thing.put(b"third", IfMatch=tag)
    assert (status_of(error), thing.get()["Body"]) == (412, b"second")


def test_if_match_writes_no_object_that_is_gone(thing: Object) -> None:
    tag = thing.put(b"first")
    thing.client.delete_object(**thing.place)
    with pytest.raises(ClientError) as error:
        thing.put(b"second", IfMatch=tag)
    assert status_of(error) == 404


def test_a_range_is_read_of_the_object_that_was_looked_up_only(thing: Object) -> None:
    tag = thing.put(b"0123456789")
    assert thing.get(Range="bytes=2-4", IfMatch=tag)["Body"] == b"234"
    thing.put(b"abcdefghij")
    with pytest.raises(ClientError) as error:
        thing.get(Range="bytes=5-9", IfMatch=tag)
    assert status_of(error) == 412


def test_an_objects_own_metadata_come_with_each_range(thing: Object) -> None:
    thing.put(b"0123456789", Metadata={"rows": "10"})
    assert thing.get(Range="bytes=8-9")["Metadata"] == {"rows": "10"}
    assert thing.client.head_object(**thing.place)["Metadata"] == {"rows": "10"}


def test_an_object_that_is_not_there_is_told_from_one_that_may_not_be_read(thing: Object) -> None:
    for ask in (thing.client.get_object, thing.client.head_object):
        with pytest.raises(ClientError) as error:
            ask(**thing.place)
        assert status_of(error) == 404


def test_an_upload_that_was_written_over_is_still_there_by_its_version(stack: Stack) -> None:
    client, bucket = stack.client("s3"), stack.outputs["UploadsBucket"]
    key = stack.upload("requests/twice.csv", "first").removeprefix(f"s3://{bucket}/")
    version = client.head_object(Bucket=bucket, Key=key)["VersionId"]
    stack.upload("requests/twice.csv", "second")
    assert client.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read() == b"first"
    assert client.head_object(Bucket=bucket, Key=key)["VersionId"] != version


def test_a_listing_is_in_the_order_of_the_keys_and_whole_at_once(thing: Object) -> None:
    bucket, folder = thing.place["Bucket"], thing.place["Key"]
    names = [f"{folder}/part-{number:05}.csv" for number in (2, 10, 0, 1)]
    for name in names:
        thing.client.put_object(Bucket=bucket, Key=name, Body=b"")
    pages = thing.client.get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=bucket, Prefix=f"{folder}/", PaginationConfig={"PageSize": 3})
    assert [each["Key"] for page in listed for each in page["Contents"]] == sorted(names)
