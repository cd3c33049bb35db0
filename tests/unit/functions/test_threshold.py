"""threshold: another target for the live model, which becomes a new version of it without a training."""

import json
import math
from typing import Any
from unittest.mock import Mock

import pytest

from contract.errors import InvalidRequest, NoLiveModel
from contract.served import TARGET_VARIABLE
from contract.state import Registration
from prepare.handler import handler as prepare
from register import wanted
from register.handler import handler as register
from shared import aws, registry
from tests.unit.functions.stack import ACCEPTANCE, EXECUTION, GROUP, Stack, champion, labelled
from tests.unit.functions.test_register import passed, versions


@pytest.fixture
def live(stack: Stack) -> Stack:
    """An account with a live model whose target is 0.98."""
    stack.live(acceptance=ACCEPTANCE)
    return stack


def threshold(target: object, execution: str = EXECUTION, **more: object) -> Registration:
    request = {"action": "threshold", "target_precision": target, **more}
    found: Any = register({"request": request, "execution": execution}, None)
    return found


def live_now() -> Any:
    return registry.live_model(GROUP)


def test_the_live_model_gets_another_target_as_a_new_version_that_is_live(live: Stack) -> None:
    before = live_now()
    found = threshold(0.9, started_by="ana")
    after = live_now()
    assert (found["live"], found["version"], after["version"]) == (True, 2, 2)
    assert (after["target_precision"], before["target_precision"]) == (0.9, None)
    assert {key: after[key] for key in ("model_uri", "card", "job")} == {
        key: before[key] for key in ("model_uri", "card", "job")
    }
    assert found["target"] == {"target_precision": 0.9, "coverage": 0.9, "precision": 0.95, "of": 1}


def test_the_version_says_who_changed_it_and_of_which_one_and_keeps_what_was_known(live: Stack) -> None:
    before = live.sagemaker.describe_model_package(ModelPackageName=live_now()["arn"])
    threshold(0.9, started_by="ana")
    after = live.sagemaker.describe_model_package(ModelPackageName=live_now()["arn"])
    about, kept = after["CustomerMetadataProperties"], before["CustomerMetadataProperties"]
    assert (about["started_by"], about["target_precision"], about["target_of"]) == ("ana", "0.9", "1")
    assert about["run"] == EXECUTION.rsplit(":", 1)[-1]
    others = kept.keys() - {"started_by", "run"}
    assert {key: about[key] for key in others} == {key: kept[key] for key in others}
    assert after["ModelMetrics"] == before["ModelMetrics"]
    assert after["ModelPackageDescription"] == "Version 1 with the target 90.0%, set by ana"
    (container,) = after["InferenceSpecification"]["Containers"]
    assert container["Environment"] == {TARGET_VARIABLE: "0.9"}, "an endpoint accepts by the new target, too"


def test_people_read_what_the_target_gives_and_how_to_go_back(live: Stack) -> None:
    message = threshold(0.9, started_by="ana")["message"]
    assert "Model version 2 is live with the target 90.0%" in message
    assert "it accepts 90.0% without a person, and gives 95.0% of these the right category" in message
    assert "`claimflow models reject 2` goes back" in message
    assert "asked for by ana" in message


def test_a_target_between_two_takes_the_higher_one_and_says_so(live: Stack) -> None:
    found = threshold(0.93)
    assert found["target"]["target_precision"] == 0.95
    assert "0.93 was asked for; the next higher one was measured" in found["message"]


def test_a_second_attempt_of_the_same_execution_makes_no_second_version(
    live: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as lost:
        lost.setattr(aws.sagemaker(), "update_model_package", Mock(side_effect=OSError("lost")))
        with pytest.raises(OSError, match="lost"):
            threshold(0.9)
    assert live_now()["version"] == 1
    assert [threshold(0.9)["version"] for _ in range(2)] == [2, 2]
    assert versions(live) == {1: "Approved", 2: "Approved"}


def test_the_target_that_it_has_already_makes_no_version(live: Stack) -> None:
    assert (threshold(0.98)["version"], threshold(0.98)["live"]) == (1, True)
    threshold(0.9)
    found = threshold(0.9, "another-execution")
    assert (found["version"], found["live"], "goes back" in found["message"]) == (2, True, False)
    assert len(versions(live)) == 2


def test_a_rejected_version_leads_back_to_the_target_before(live: Stack) -> None:
    arn = threshold(0.9)["arn"]
    live.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    assert (live_now()["version"], live_now()["target_precision"]) == (1, None)


def test_a_stack_that_asks_for_a_person_keeps_its_target_until_then(
    live: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_APPROVAL", "manual")
    found = threshold(0.9)
    assert (found["live"], live_now()["version"]) == (False, 1)
    assert "`claimflow models approve 2`" in found["message"]
    assert "waits for approval" in found["subject"]


@pytest.mark.parametrize("target", [0.985, 0.99])
def test_a_target_out_of_reach_is_refused_with_the_highest_one(live: Stack, target: float) -> None:
    with pytest.raises(InvalidRequest, match=rf"The target {target} is out of reach .* they show is 0.98"):
        threshold(target)
    assert len(versions(live)) == 1


def test_beyond_the_highest_target_that_was_measured_it_is_refused_too(live: Stack) -> None:
    with pytest.raises(InvalidRequest, match=r"The target 0.999 is out of reach"):
        threshold(0.999)


def test_without_a_live_model_there_is_nothing_to_change(stack: Stack) -> None:
    with pytest.raises(NoLiveModel, match="No model is live whose target could be changed"):
        threshold(0.9)


def test_a_model_of_an_older_version_says_that_it_has_to_be_trained_again(stack: Stack) -> None:
    stack.live()
    with pytest.raises(InvalidRequest, match=r"older Claimflow.*train again"):
        threshold(0.9)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "'target_precision' is missing"),
        ({"target_precision": "0.9"}, "'target_precision' is text; it must be a number"),
        ({"target_precision": True}, "'target_precision' is true or false"),
        ({"target_precision": None}, "'target_precision' is null"),
        ({"target_precision": 95}, "'target_precision' is 95; it must be at least 0.5 and below 1"),
        ({"target_precision": 1.0}, "'target_precision' is 1.0; it must be"),
        ({"target_precision": 0.4999}, "'target_precision' is 0.4999; it must be"),
        ({"target_precision": math.nan}, "'target_precision' is nan; it must be"),
        ({"target_precision": 10**400}, "it must be at least 0.5 and below 1"),
        ({"target_precision": 0.9, "data": "s3://a/b"}, "the unknown key 'data'"),
        ({"target_precision": 0.9, "started_by": 3}, "'started_by' is a number"),
        ({"target_precision": 0.9, "started_by": "x" * 2000}, "'started_by' is longer than 1,024 characters"),
    ],
)
def test_a_request_that_cannot_be_used_is_told_what_is_wrong(request_: Any, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        wanted.parse({"action": "threshold"} | request_)
    assert said in str(refused.value)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InvalidRequest, match=r"'data'.*'target_precision' is missing.*'started_by' is"):
        wanted.parse({"action": "threshold", "data": 1, "started_by": 2})


def test_a_prediction_is_labelled_and_told_at_the_new_target(live: Stack) -> None:
    threshold(0.9)
    state = live.validated("predict", "text\nbrake squeals\nengine knocks\n")
    manifest = live.json(state["validation"]["predict"]["manifest"])
    assert manifest["target_precision"] == 0.9
    state["model"] = live.predicted(state)
    found = live.collect(state)
    assert "at most 10.0% is what was asked for" in found["message"]


def test_parts_that_were_labelled_at_another_target_are_not_taken(live: Stack) -> None:
    threshold(0.9)
    state = live.validated("predict", "text\nbrake squeals\n")
    uri = state["validation"]["predict"]["manifest"]
    own = {key: value for key, value in live.json(uri).items() if key != "target_precision"}
    live.write(uri, json.dumps(own).encode())
    state["model"] = live.predicted(state)
    live.write(uri, json.dumps(own | {"target_precision": 0.9}).encode())
    with pytest.raises(Exception, match="was made of other rows or by another model"):
        live.collect(state)


def test_a_prediction_after_the_change_is_another_run(live: Stack) -> None:
    before = live.validated("predict", "text\nbrake squeals\n")["run"]["id"]
    threshold(0.9)
    assert live.validated("predict", "text\nbrake squeals\n")["run"]["id"] != before


def test_what_a_training_labels_in_the_same_run_has_the_new_models_own_target(live: Stack) -> None:
    threshold(0.9)
    data, predict = live.upload("train/a.csv", labelled(20)), live.upload("predict/b.csv", "text\nx\n")
    request = {"action": "train", "data": data, "predict": predict, "config": {}}
    state: dict[str, Any] = {"request": request}
    state["run"] = prepare({"request": request, "execution": EXECUTION}, None)
    manifest = live.json(live.validate(state)["predict"]["manifest"])
    assert manifest["target_precision"] is None


def test_a_target_that_was_set_while_a_model_was_trained_does_not_hinder_it(live: Stack) -> None:
    state = passed(live, {"target_precision": 0.97}, champion=champion(9, 9))
    threshold(0.9)
    found: Any = register(state, None)
    assert (found["live"], found["version"]) == (True, 3)
    assert "Its target is 97.0%, as configured; version 2 was set to 90.0%" in found["message"]
    assert "`claimflow models threshold 0.9` sets it again" in found["message"]
