"""An upload in parts that fails is given up: parts that are left behind cost money, and nobody sees them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from contract.errors import AwsUnavailable
from publish.handler import handler as publish
from tests.unit.functions.enforcement import answered
from tests.unit.functions.stack import ARTIFACTS, RESULTS, Stack, csv_text, labelled
from tests.unit.functions.test_publish import EVENT, version


@pytest.fixture(autouse=True)
def all_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file go up in parts, however small."""
    for module in ("inject", "transfer"):
        monkeypatch.setattr(
            f"boto3.s3.{module}.TransferConfig", partial(TransferConfig, multipart_threshold=1)
        )


def validates(stack: Stack) -> Callable[[], object]:
    data = stack.upload("train/claims.csv", labelled(20))
    state = {"run": stack.prepare({"action": "train", "data": data})}
    return lambda: stack.validate(state)


def collects(stack: Stack) -> Callable[[], object]:
    stack.live()
    state = stack.validated("predict", csv_text(["text"], [["the brakes failed"]]))
    state["model"] = stack.predicted(state)
    return lambda: stack.collect(state)


def publishes(stack: Stack) -> Callable[[], object]:
    version(stack, "one")
    return lambda: publish(EVENT, None)


@pytest.mark.parametrize(
    ("step", "bucket"),
    [(validates, ARTIFACTS), (validates, RESULTS), (collects, RESULTS), (publishes, ARTIFACTS)],
)
def test_an_upload_in_parts_that_fails_leaves_none_behind(
    stack: Stack, step: Callable[[Stack], Callable[[], object]], bucket: str
) -> None:
    failed: list[str] = []

    def part(**given: Any) -> None:
        if given["Bucket"] == bucket:
            failed.append(given["UploadId"])
            raise ClientError(
                {"Error": {"Code": "InternalError"}, "ResponseMetadata": {"HTTPStatusCode": 500}},
                "UploadPart",
            )

    run = step(stack)
    with answered("s3", "UploadPart", part), pytest.raises(AwsUnavailable):
        run()
    assert failed
    assert stack.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
