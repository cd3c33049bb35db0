"""start: an upload's event becomes one execution."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from contract.errors import AwsUnavailable
from shared import aws
from start import upload
from start.handler import handler
from tests.unit.functions.enforcement import answered
from tests.unit.functions.stack import SETTINGS, Stack

EVENTS = Path(__file__).parents[2] / "events"


def event(name: str) -> dict[str, Any]:
    return dict(json.loads((EVENTS / f"{name}.json").read_text()))


@pytest.fixture
def machine(stack: Stack) -> Stack:
    stack.step_functions.create_state_machine(
        name="claimflow", definition="{}", roleArn="arn:aws:iam::123456789012:role/claimflow"
    )
    return stack


def executions(machine: Stack) -> list[dict[str, Any]]:
    arn = SETTINGS["CLAIMFLOW_STATE_MACHINE"]
    return list(machine.step_functions.list_executions(stateMachineArn=arn)["executions"])


def test_an_upload_under_train_starts_a_training_of_that_version(machine: Stack) -> None:
    started = handler(event("upload_train"), None)
    described = machine.step_functions.describe_execution(executionArn=started["started"])
    assert json.loads(described["input"]) == {
        "action": "train",
        "data": "s3://uploads-bucket/train/warranty claims + notes.csv",
        "version": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        "started_by": "upload by 123456789012",
    }
    assert described["name"].startswith("train-warranty-claims-notes-")


def test_an_upload_under_predict_starts_a_prediction(machine: Stack) -> None:
    handler(event("upload_predict"), None)
    assert [found["name"][:17] for found in executions(machine)] == ["predict-november-"]


def test_the_same_event_twice_starts_one_execution(machine: Stack) -> None:
    first, second = handler(event("upload_train"), None), handler(event("upload_train"), None)
    assert first["name"] == second["name"]
    assert len(executions(machine)) == 1


def test_an_upload_of_which_s3_names_nobody_is_just_an_upload(machine: Stack) -> None:
    told = upload.from_event({"detail": {**event("upload_train")["detail"], "requester": ""}})
    assert upload.request(told, "train")["started_by"] == "upload"


def test_an_execution_that_exists_is_no_error(stack: Stack) -> None:
    with Stubber(aws.step_functions()) as stub:
        stub.add_client_error("start_execution", "ExecutionAlreadyExists")
        assert handler(event("upload_train"), None)["started"] is None


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "StateMachineDoesNotExist"])
def test_every_other_fault_of_aws_is_raised_so_that_the_event_comes_again(stack: Stack, code: str) -> None:
    with Stubber(aws.step_functions()) as stub:
        for _ in range(5):
            stub.add_client_error("start_execution", code)
        with pytest.raises((ClientError, AwsUnavailable), match=code):
            handler(event("upload_train"), None)


LEFT_OVER = [
    "train/2026/",
    "train/2026_$folder$",
    "predict/_SUCCESS",
    "predict/_committed_7189",
    "predict/_temporary/0/part-00000.csv",
    "predict/.part-00000.csv.crc",
    "predict/part-00000.csv.crc",
    "train/.DS_Store",
    "train/._claims.csv",
    "train/__MACOSX/._claims.csv",
    "train/.hidden/claims.csv",
    "train/.~lock.claims.csv#",
    "train/~$claims.xlsx",
    "train/Thumbs.db",
    "train/Desktop.ini",
    "train/claims.csv.filepart",
    "train/claims.csv~",
    ".gitkeep",
    "elsewhere/_SUCCESS",
]


@pytest.mark.parametrize("key", LEFT_OVER)
def test_what_systems_leave_beside_files_starts_nothing_and_gets_no_answer(
    machine: Stack, topic: list[dict[str, str]], key: str
) -> None:
    assert handler(uploaded(key), None) == {"started": None, "answered": False}
    assert (executions(machine), topic) == ([], [])


def test_an_empty_marker_starts_nothing_but_an_empty_table_is_told(machine: Stack) -> None:
    assert handler(uploaded("train/2026", size=0), None)["started"] is None
    assert handler(uploaded("train/claims.csv", size=0), None)["started"]


@pytest.mark.parametrize(
    "key", ["train/_claims.csv", "train/a.b/claims.csv", "predict/part-00000", "train/a.md"]
)
def test_a_file_that_a_person_may_mean_starts_a_run(machine: Stack, key: str) -> None:
    assert handler(uploaded(key), None)["started"]


@pytest.mark.parametrize(
    "key",
    ["claims.csv", "training/claims.csv", "Train/claims.csv", "/train/claims.csv", "config.json", "ü/ä b"],
)
def test_a_file_where_it_starts_nothing_gets_an_answer_that_says_where_it_belongs(
    machine: Stack, topic: list[dict[str, str]], key: str
) -> None:
    assert handler(uploaded(key), None) == {"started": None, "answered": True}
    (told,) = topic
    assert told["Message"].startswith(f"s3://uploads-bucket/{key} was uploaded where it starts nothing.")
    assert "s3://uploads-bucket/train/" in told["Message"]
    assert "s3://uploads-bucket/predict/" in told["Message"]
    assert told["Subject"].isascii()
    assert executions(machine) == []


@pytest.mark.parametrize("key", ["config/config.json", "requests/1/claims.csv"])
def test_a_file_that_is_where_it_belongs_gets_no_answer(topic: list[dict[str, str]], key: str) -> None:
    assert handler(uploaded(key), None)["answered"] is False
    assert topic == []


def uploaded(key: str, size: int = 100) -> dict[str, Any]:
    made = event("upload_train")
    made["detail"]["object"] |= {"key": key, "size": size}
    return made


@pytest.fixture
def topic() -> Iterator[list[dict[str, str]]]:
    """Yield what is published."""
    told: list[dict[str, str]] = []
    with answered("sns", "Publish", lambda **message: told.append(message) or {}):
        yield told


@pytest.mark.parametrize("key", ["requests/a.csv", "config/config.json", "training/a.csv", "a.csv"])
def test_other_folders_start_nothing(key: str) -> None:
    assert upload.action(upload.Upload("b", key, None, "e")) is None


def test_a_workbook_starts_a_run_so_that_validate_tells_the_person(machine: Stack) -> None:
    handler(event("upload_workbook"), None)
    assert len(executions(machine)) == 1


def test_without_versions_the_etag_names_the_execution_and_none_is_asked_for(machine: Stack) -> None:
    unversioned = upload.from_event(event("upload_unversioned"))
    assert upload.request(unversioned, "train") == {
        "action": "train",
        "data": "s3://uploads-bucket/train/claims.csv",
        "started_by": "upload by 123456789012",
    }
    changed = upload.Upload(unversioned.bucket, unversioned.key, None, "another")
    assert upload.execution_name(unversioned, "train") != upload.execution_name(changed, "train")


@pytest.mark.parametrize(
    "key", ["train/" + "ü" * 300 + ".csv", "train/" + "a b" * 100, "train/.csv", "train/ä.CSV.GZ"]
)
def test_an_execution_name_is_short_and_plain(key: str) -> None:
    name = upload.execution_name(upload.Upload("bucket", key, "v", "e"), "predict")
    assert len(name) <= 80
    assert name.replace("-", "").isalnum()
    assert name.isascii()
