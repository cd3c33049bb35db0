"""What the machines of a run cost: what is billed, by the prices that the stack was given."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.errors import StackMisconfigured
from evaluate import job_time
from evaluate.handler import handler as evaluate
from shared import settings
from shared.prices import Prices
from tests.unit.functions.enforcement import answered
from tests.unit.functions.stack import Stack, labelled

JOB = "1f0b"
SUCCEEDED = {"succeeded": True, "job": JOB}
ON_SPOT = {
    "TrainingTimeInSeconds": 3600,
    "BillableTimeInSeconds": 900,
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30},
    "EnableManagedSpotTraining": True,
}


def attempts(*seconds: int) -> dict[str, Any]:
    """Return a job as Batch tells it, whose attempts took these seconds."""
    return {"attempts": [{"startedAt": 1_000_000, "stoppedAt": 1_000_000 + 1000 * each} for each in seconds]}


def batch_of(**jobs: dict[str, Any]) -> Callable[..., Any]:
    """Return what answers DescribeJobs in place of Batch, by the ids of the jobs it knows."""
    known = {name.replace("_", ":"): job for name, job in jobs.items()}

    def answer(jobs: list[str]) -> dict[str, Any]:
        assert len(jobs) <= 100
        return {"jobs": [{"jobId": each, **known[each]} for each in jobs if each in known]}

    return answer


def collected(stack: Stack, prediction: object, **jobs: dict[str, Any]) -> dict[str, Any]:
    """Return what collect leaves when Batch tells these jobs."""
    state = {**finished(stack), "prediction": prediction}
    with (
        answered("batch", "DescribeJobs", batch_of(**jobs)),
        answered("batch", "ListJobs", lambda **_: {"jobSummaryList": []}),
    ):
        return stack.collect(state)


def finished(stack: Stack) -> dict[str, Any]:
    """Return the state before collect."""
    stack.live()
    state = stack.validated("predict", "text\nx\ny\n")
    return {**state, "model": stack.predicted(state)}


def test_a_training_on_spot_costs_its_billable_seconds_on_each_instance(stack: Stack) -> None:
    state = stack.validated("train", labelled(20))
    state["training"] = stack.trained(state)
    with answered("sagemaker", "DescribeTrainingJob", lambda **_: ON_SPOT):
        found = evaluate(state, None)
    assert found["cost"] == {
        "seconds": 1800,
        "machines": ["ml.m5.xlarge"],
        "dollars": 0.115,
        "at_most": False,
        "saved": 0.75,
    }
    assert "Cost of the training: $0.1150: 1,800 s of ml.m5.xlarge; Spot saved 75%." in found["message"]


def test_a_training_without_spot_saves_nothing() -> None:
    took = job_time.JobTime(training=20, billable=20, instance_type="ml.x", instances=1, spot=False)
    assert "saved" not in job_time.cost(took, Prices({}))


def test_a_price_that_was_not_given_is_said_to_be_unknown(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_INSTANCE_PRICES", "c6i.xlarge:0.18")
    state = stack.validated("train", labelled(20))
    state["training"] = stack.trained(state)
    with answered("sagemaker", "DescribeTrainingJob", lambda **_: ON_SPOT):
        found = evaluate(state, None)
    assert found["cost"]["dollars"] is None
    assert "unknown, as InstancePrices does not price every machine: 1,800 s of ml.m5" in found["message"]


def test_a_prediction_costs_at_most_all_attempts_of_its_shards_on_the_dearest_machine(stack: Stack) -> None:
    array = {"arrayProperties": {"size": 2}, "attempts": []}
    shards = {f"{JOB}_0": attempts(100, 60), f"{JOB}_1": attempts(20)}
    found = collected(stack, SUCCEEDED, **{JOB: array}, **shards)
    spent = {"seconds": 180, "machines": ["c6i.xlarge", "m6i.xlarge"], "dollars": 0.01, "at_most": True}
    assert found["cost"] == spent
    assert stack.json(found["manifest"])["cost"] == spent
    assert "Cost of the prediction: at most $0.0100: 180 s of c6i.xlarge or m6i.xlarge." in found["message"]


def test_calls_of_the_function_cost_their_gb_seconds_if_a_gb_has_a_price(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {"succeeded": True, "calls": [{"gb_seconds": 20.25}, {"gb_seconds": 15.75}]}
    unknown = collected(stack, calls)
    assert unknown["cost"] == {"seconds": 36, "machines": ["lambda-gb"], "dollars": None, "at_most": False}
    monkeypatch.setenv("CLAIMFLOW_INSTANCE_PRICES", "c6i.xlarge:0.18,lambda-gb:0.06")
    known = collected(stack, calls)
    assert "Cost of the prediction: $0.0006: 36 s of lambda-gb." in known["message"]


def test_a_single_job_is_no_array(stack: Stack) -> None:
    assert collected(stack, SUCCEEDED, **{JOB: attempts(36)})["cost"]["seconds"] == 36


def test_shards_are_asked_for_in_groups_that_batch_takes(stack: Stack) -> None:
    shards = {f"{JOB}_{index}": attempts(1) for index in range(250)}
    array = {"arrayProperties": {"size": 250}}
    assert collected(stack, SUCCEEDED, **{JOB: array}, **shards)["cost"]["seconds"] == 250


def test_what_failed_is_paid_for_too(stack: Stack) -> None:
    caught = {"Error": "States.TaskFailed", "Cause": f'{{"JobId": "{JOB}"}}'}
    assert collected(stack, caught, **{JOB: attempts(36)})["cost"]["seconds"] == 36


def test_a_cost_of_which_a_part_is_forgotten_is_not_told(stack: Stack) -> None:
    found = collected(stack, SUCCEEDED, **{JOB: {"arrayProperties": {"size": 2}}, f"{JOB}_0": attempts(36)})
    assert found["cost"] is None
    assert "Cost" not in found["message"]


def test_results_come_though_batch_cannot_be_asked_what_they_cost(stack: Stack) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "busy"}}, "DescribeJobs")

    state = finished(stack)
    with answered("batch", "DescribeJobs", refuse):
        found = stack.collect({**state, "prediction": SUCCEEDED})
    assert found["predicted"] == 2
    assert found["cost"] is None


def test_results_come_from_a_function_that_does_not_know_its_machines(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_BATCH_TYPES", "")
    assert collected(stack, SUCCEEDED, **{JOB: attempts(36)})["cost"] is None


def test_a_table_that_is_none_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_INSTANCE_PRICES", "ml.m5.xlarge=0.23")
    with pytest.raises(StackMisconfigured, match=r"^CLAIMFLOW_INSTANCE_PRICES is not a list such as .*\.$"):
        settings.instance_prices()


def test_no_table_prices_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_INSTANCE_PRICES", "")
    assert settings.instance_prices() == {}
