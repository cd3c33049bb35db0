"""turn: trainings begin in the order in which their runs did."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from contract.errors import AnotherTrains
from shared import aws
from turn.handler import handler
from turn.request import trained_file

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:claimflow"
BEGAN = datetime(2026, 5, 1, 12, tzinfo=UTC)


def arn(name: str) -> str:
    return f"{MACHINE.replace(':stateMachine:', ':execution:')}:{name}"


def training(data: object = "s3://uploads/train/claims.csv") -> str:
    return json.dumps({"action": "train", "data": data})


def item(name: str, minutes: int) -> dict[str, Any]:
    started = BEGAN + timedelta(minutes=minutes)
    about = {"executionArn": arn(name), "stateMachineArn": MACHINE, "name": name}
    return {**about, "status": "RUNNING", "startDate": started}


def ask(*running: tuple[str, int, str], own: int = 0) -> None:
    """Ask for the turn of a run among those that run: each has a name, minutes after BEGAN, and an input."""
    listed = [item("own", own), *(item(name, minutes) for name, minutes, _ in running)]
    with Stubber(aws.step_functions()) as stub:
        stub.add_response("describe_execution", item("own", own), {"executionArn": arn("own")})
        asked = {"stateMachineArn": MACHINE, "statusFilter": "RUNNING"}
        stub.add_response("list_executions", {"executions": listed}, asked)
        for name, minutes, given in sorted(running, key=lambda each: (each[1], each[0])):
            if (minutes, arn(name)) < (own, arn("own")):
                described = {**item(name, minutes), "input": given}
                stub.add_response("describe_execution", described, {"executionArn": arn(name)})
        handler({"execution": arn("own")}, None)
        stub.assert_no_pending_responses()


@pytest.fixture(autouse=True)
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_TRAININGS_AT_ONCE", "1")


def test_a_training_that_is_alone_begins() -> None:
    ask()


def test_a_training_waits_for_one_that_began_before_it_and_says_for_which() -> None:
    with pytest.raises(AnotherTrains, match=r"waits for the training of claims\.csv, which began before it"):
        ask(("other", -5, training()))


def test_of_several_the_one_that_began_first_is_named() -> None:
    first = training(["s3://uploads/train/first.csv", "s3://uploads/train/b.csv"])
    with pytest.raises(AnotherTrains, match=r"training of first\.csv and 1 more file, which"):
        ask(("second", -5, training()), ("first", -9, first))


def test_a_training_does_not_wait_for_one_that_began_after_it() -> None:
    ask(("other", 5, training()))


def test_of_two_that_began_at_the_same_moment_one_waits() -> None:
    with pytest.raises(AnotherTrains):
        ask(("a", 0, training()))
    ask(("z", 0, training()))


def test_a_training_does_not_wait_for_a_prediction() -> None:
    ask(("other", -5, json.dumps({"action": "predict", "data": "s3://uploads/predict/a.csv"})))


def test_as_many_train_at_once_as_the_stack_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_TRAININGS_AT_ONCE", "2")
    ask(("other", -5, training()))
    with pytest.raises(AnotherTrains):
        ask(("other", -5, training()), ("third", -3, training()))


@pytest.mark.parametrize("text", ["", "{", "7", "[]", "{}", training(None), training([]), training([7])])
def test_an_input_that_trains_on_no_file_holds_nobody_up(text: str) -> None:
    assert trained_file(text) == ""
