"""publish: what lies below live/ is of the version that is live, whoever made it so."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from contract import keys
from contract.errors import AwsUnavailable
from contract.state import LiveModel
from publish import live
from publish.handler import handler as publish
from tests.unit.functions.enforcement import answered, by_the_test
from tests.unit.functions.stack import ARTIFACTS, GROUP, SETTINGS, Stack, tar_gz

EVENT = json.loads((Path(__file__).parents[2] / "events" / "model_package_approved.json").read_text("utf-8"))
LIVE = f"s3://{ARTIFACTS}/live"
WEIGHTS = random.Random(1).randbytes(10_000)  # gzip makes them no smaller


@pytest.fixture(autouse=True)
def topic() -> Iterator[list[dict[str, str]]]:
    """Yield the messages that are sent."""
    messages: list[dict[str, str]] = []
    with answered("sns", "Publish", lambda **message: messages.append(message) or {}):
        yield messages


def version(stack: Stack, name: str, status: str = "Approved", config: dict[str, Any] | None = None) -> str:
    """Register a version whose files say its name; give its ARN."""
    uri = f"s3://{ARTIFACTS}/models/train-{name}/job/output/model.tar.gz"
    files = {
        "manifest.json": "{}",
        "best.params": name.encode() * 1000,
        "encoder.json": json.dumps({"of": name}),
        "config.json": json.dumps({"of": name} | (config or {})),
    }
    stack.write(uri, tar_gz(files))
    arn: str = stack.sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus=status,
        InferenceSpecification={
            "Containers": [{"Image": SETTINGS["CLAIMFLOW_IMAGE"], "ModelDataUrl": uri}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ClientToken=name,
    )["ModelPackageArn"]
    return arn


def set_status(stack: Stack, arn: str, status: str) -> None:
    stack.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)


def files(stack: Stack) -> dict[str, bytes]:
    return {
        key: stack.read(f"s3://{ARTIFACTS}/{key}") for key in stack.keys(ARTIFACTS) if key.startswith("live/")
    }


def files_of(name: str) -> dict[str, bytes]:
    about = json.dumps({"of": name}).encode()
    weights = name.encode() * 1000
    return {"live/model.params": weights, "live/encoder.json": about, "live/config.json": about}


def test_an_approved_version_is_published(stack: Stack) -> None:
    version(stack, "one")
    assert publish(EVENT, None) == {"version": 1, "changed": True}
    assert files(stack) == files_of("one")


def test_a_version_that_waits_for_a_person_changes_nothing_until_it_is_approved(stack: Stack) -> None:
    version(stack, "one")
    publish(EVENT, None)
    arn = version(stack, "two", "PendingManualApproval")
    assert publish(EVENT, None) == {"version": 1, "changed": False}
    set_status(stack, arn, "Approved")
    publish(EVENT, None)
    assert files(stack) == files_of("two")


def test_a_rollback_brings_the_files_of_the_version_before_back(stack: Stack) -> None:
    version(stack, "one")
    newest = version(stack, "two")
    publish(EVENT, None)
    set_status(stack, newest, "Rejected")
    publish(EVENT, None)
    assert files(stack) == files_of("one")


def test_when_no_version_is_live_no_file_is(stack: Stack) -> None:
    arn = version(stack, "one")
    publish(EVENT, None)
    set_status(stack, arn, "Rejected")
    assert publish(EVENT, None) == {"version": None, "changed": True}
    assert files(stack) == {}


def test_the_models_own_configuration_names_the_addresses_and_no_other_file_stays(stack: Stack) -> None:
    version(stack, "one", config={"MODELPARAMSURL": f"{LIVE}/2026/weights.bin"})
    publish(EVENT, None)
    assert sorted(files(stack)) == ["live/2026/weights.bin", "live/config.json", "live/encoder.json"]
    version(stack, "two", config={"MODELPARAMSURL": None})
    publish(EVENT, None)
    assert files(stack).keys() == files_of("two").keys()


def test_the_same_event_twice_writes_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    version(stack, "one")
    publish(EVENT, None)
    monkeypatch.setattr(live.storage, "upload_stream", None)
    assert publish(EVENT, None)["changed"] is False


def test_a_call_that_ended_half_way_is_made_good_by_the_next(stack: Stack) -> None:
    version(stack, "one")
    publish(EVENT, None)
    stack.s3.delete_object(Bucket=ARTIFACTS, Key="live/encoder.json")
    publish(EVENT, None)
    assert files(stack) == files_of("one")


def test_files_of_before_there_was_a_mark_are_written_again(stack: Stack) -> None:
    for key in files_of("old"):
        stack.write(f"s3://{ARTIFACTS}/{key}", b"old")
    version(stack, "one")
    publish(EVENT, None)
    assert files(stack) == files_of("one")


def test_what_changes_while_it_is_published_is_followed(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    version(stack, "one")
    write, changes = live.publish, [lambda: version(stack, "two")]

    def overtaken(model: LiveModel, bucket: str) -> bool:
        changed = write(model, bucket)
        while changes:
            with by_the_test():
                changes.pop()()
        return changed

    monkeypatch.setattr(live, "publish", overtaken)
    assert publish(EVENT, None)["version"] == 2
    assert files(stack) == files_of("two")


def test_of_two_calls_at_once_the_slower_one_leaves_no_mixture(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call stops before its last file; meanwhile another version goes live and is published."""
    version(stack, "one")
    upload, calls = live.storage.upload_stream, []

    def slow(*arguments: Any) -> str:
        calls.append(arguments)
        if len(calls) == 3:
            with by_the_test():
                version(stack, "two")
            publish(EVENT, None)
        return upload(*arguments)

    monkeypatch.setattr(live.storage, "upload_stream", slow)
    assert publish(EVENT, None)["version"] == 2
    assert files(stack) == files_of("two")


def test_a_model_promoted_from_another_stack_has_its_files_below_live_in_this_one(stack: Stack) -> None:
    version(stack, "one", config={"MODELPARAMSURL": "s3://elsewhere/live/model.params"})
    assert publish(EVENT, None)["version"] == 1
    assert f"{LIVE}/model.params" in {f"s3://{ARTIFACTS}/{key}" for key in stack.keys(ARTIFACTS)}


@pytest.mark.parametrize(
    "address", ["s3://elsewhere/other/model.params", f"s3://{ARTIFACTS}/runs/model.params", "weights", 7]
)
def test_an_artifact_that_names_a_place_outside_is_told_and_written_nowhere(
    stack: Stack, topic: list[dict[str, str]], address: object
) -> None:
    before = set(stack.keys(ARTIFACTS))
    version(stack, "one", config={"MODELPARAMSURL": address})
    publish(EVENT, None)
    (message,) = topic
    assert message["Subject"] == "Claimflow: model version 1 could not be published"
    assert f"names an address outside {LIVE}/" in message["Message"]
    assert not [key for key in set(stack.keys(ARTIFACTS)) - before if not key.startswith("models/train-one/")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        tar_gz({"model.params": "w"}),
        tar_gz({"model.params": "w", "encoder.json": "{}", "config.json": "{"}),
        tar_gz({"model.params": "w", "config.json": "{}"}),
        tar_gz({"a.params": "w", "b.params": "w", "encoder.json": "{}", "config.json": "{}"}),
        tar_gz({"config.json": "{}", "encoder.json": "{}", "model.params": WEIGHTS})[: len(WEIGHTS) // 2],
    ],
    ids=["empty", "no archive", "weights alone", "no JSON", "no encoder", "two weights", "cut off"],
)
def test_an_artifact_that_is_not_whole_is_told_in_one_sentence_and_changes_no_file(
    stack: Stack, topic: list[dict[str, str]], content: bytes
) -> None:
    version(stack, "one")
    publish(EVENT, None)
    version(stack, "two")
    stack.write(f"s3://{ARTIFACTS}/models/train-two/job/output/model.tar.gz", content)
    publish(EVENT, None)
    (message,) = topic
    assert "Model version 2 is live, but its files are not below live/" in message["Message"]
    assert "Approve a version whose artifact is whole" in message["Message"]
    assert files(stack) == files_of("one")


def test_an_outage_is_no_damage_and_the_call_is_made_again(
    stack: Stack, topic: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    version(stack, "one")

    def broken(_uri: str) -> None:
        raise ConnectionClosedError(endpoint_url="https://s3.example")

    monkeypatch.setattr("shared.artifact.storage.open_uri", broken)
    with pytest.raises(AwsUnavailable):
        publish(EVENT, None)
    assert topic == []


def test_a_run_that_makes_a_model_live_is_followed(stack: Stack) -> None:
    state = stack.live()
    publish(EVENT, None)
    assert {key.rpartition("/")[2] for key in files(stack)} == {"model.params", "encoder.json", "config.json"}
    assert publish(EVENT, None) == {"version": state["registration"]["version"], "changed": False}
    assert set(keys.LIVE_KEYS.values()) == set(files(stack))
