"""start: an upload's event becomes one execution."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from shared import aws
from shared.errors import AwsUnavailable
from start import upload
from start.handler import handler
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
        "started_by": "upload",
    }
    assert described["name"].startswith("train-warranty-claims-notes-")


def test_an_upload_under_predict_starts_a_prediction(machine: Stack) -> None:
    handler(event("upload_predict"), None)
    assert [found["name"][:17] for found in executions(machine)] == ["predict-november-"]


def test_the_same_event_twice_starts_one_execution(machine: Stack) -> None:
    first, second = handler(event("upload_train"), None), handler(event("upload_train"), None)
    assert first["name"] == second["name"]
    assert len(executions(machine)) == 1


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


def test_a_folder_marker_starts_nothing(machine: Stack) -> None:
    assert handler(event("folder_marker"), None) == {"started": None}
    assert executions(machine) == []


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
        "started_by": "upload",
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
