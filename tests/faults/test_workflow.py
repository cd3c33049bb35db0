"""What befalls a whole run: busy services, lost machines, stopped executions, on the local AWS."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.control import befalling
from tests.faults.rules import DENIED, FULL, HOLD, HOST, THROTTLED, Rule
from tests.workflow.claims import FAST, as_csv, rows
from tests.workflow.fixtures import start_server
from tests.workflow.stack import Stack, kill_jobs, output_of

WHERE = "a whole run"
pytestmark = pytest.mark.local_aws


def whole(stack: Stack, ended: dict[str, Any], count: int) -> None:
    """Every row of the file came back once, in its order, with a prediction."""
    table = stack.table(output_of(ended)["results"]["results"])
    assert [row["claim_id"] for row in table] == [f"C{number:05}" for number in range(count)]
    assert all(row["prediction"] and not row["error"] for row in table)


def one_sentence(stack: Stack, ended: dict[str, Any]) -> str:
    cause = str(ended["cause"])
    assert "\n" not in cause
    assert "Traceback" not in cause
    return cause


def to_predict(stack: Stack, name: str, seed: int, **config: Any) -> dict[str, Any]:
    data = stack.upload(f"requests/{name}.csv", as_csv(rows(30, seed=seed), labelled=False))
    return {"action": "predict", "data": data, "config": {"rows_per_shard": 10} | config}


@pytest.mark.fault(
    where=WHERE,
    fault="every service is throttled again and again: Lambda, SageMaker, Batch, SNS and every object of S3",
    then="asked again; a training and its prediction end well, one version, every row once",
    reads="",
)
def test_a_training_and_its_prediction_end_well_while_every_service_is_busy(live: Stack) -> None:
    before = live.packages()
    data = live.upload("requests/busy_train.csv", as_csv(rows(240, seed=70)))
    waiting = live.upload("requests/busy_predict.csv", as_csv(rows(30, seed=71), labelled=False))
    request = {"action": "train", "data": data, "predict": waiting, "config": FAST | {"rows_per_shard": 10}}
    busy = (
        Rule(THROTTLED, "states", each=True, times=2),
        Rule(THROTTLED, "sagemaker", "Create*", each=True, times=2),
        Rule(THROTTLED, "batch", "submitjob", each=True, times=2),
        Rule(THROTTLED, "s3", target="*/runs/*", each=True),
    )
    with befalling(live.environment["AWS_ENDPOINT_URL"], *busy) as faults:
        ended = live.run(request)
        asked = {(one.service, one.operation) for one in faults.requests()}
    whole(live, ended, 30)
    assert len(live.packages()) == len(before) + 1
    assert {service for service, _ in asked} >= {"states", "sagemaker", "batch", "s3"}
    assert len(live.notifications(expected=2)) == 2


@pytest.mark.fault(
    where=WHERE,
    fault="the account has no machine left for a training, twice",
    then="the run waits, tells people so once, and trains when there is one",
    reads="The training waits: AWS gave it no machine",
)
def test_a_training_waits_for_a_machine_and_tells_so_once(live: Stack, reads: str) -> None:
    data = live.upload("requests/no_machine.csv", as_csv(rows(240, seed=75)))
    full = Rule(FULL, "sagemaker", "CreateTrainingJob", times=2)
    with befalling(live.environment["AWS_ENDPOINT_URL"], full):
        ended = live.run({"action": "train", "data": data, "config": FAST})
    output = output_of(ended)
    assert live.states(ended["executionArn"]).count("Wait for a machine") == 2
    assert "-w2-" in output["training"]["job"]
    told = [each for each in live.notifications(expected=2) if reads in each["Message"]]
    assert len(told) == 1


@pytest.mark.fault(
    where=WHERE,
    fault="the notification topic cannot be reached",
    then="the run ends well all the same; its results are there",
    reads="",
)
def test_a_run_ends_well_although_nobody_can_be_told(live: Stack) -> None:
    with befalling(live.environment["AWS_ENDPOINT_URL"], Rule(DENIED, "states", "sns", times=None)):
        ended = live.run(to_predict(live, "untold", 72))
    whole(live, ended, 30)
    assert live.notifications() == []


@pytest.mark.fault(
    where=WHERE,
    fault="the machine of a shard is taken away",
    then="Batch runs the shard again on another machine; every row once",
    reads="",
)
def test_a_shard_whose_machine_is_gone_runs_on_another(live: Stack) -> None:
    lost = (
        Rule(HOLD, "s3", "GetObject", "*/predict/shard-00001.csv"),
        Rule(HOST, "batch", "attempt", times=3),
    )
    with befalling(live.environment["AWS_ENDPOINT_URL"], *lost) as faults:
        arn = live.start(to_predict(live, "lost_host", 73))
        faults.wait_for_held()
        kill_jobs(live)
        faults.release()
        whole(live, live.wait(arn), 30)


@pytest.mark.fault(
    where=WHERE,
    fault="Batch stays too busy to take the prediction",
    then="the run fails; redriven or started again, it goes on from there",
    reads="AWS was too busy to take the step, and trying again did not help.",
)
def test_a_prediction_that_batch_did_not_take_is_redriven(live: Stack, reads: str) -> None:
    with befalling(live.environment["AWS_ENDPOINT_URL"], Rule(THROTTLED, "batch", "submitjob", times=None)):
        arn = live.start(to_predict(live, "busy_batch", 74))
        ended = live.wait(arn)
    assert ended["status"] == "FAILED"
    assert reads in one_sentence(live, ended)
    live.client("stepfunctions").redrive_execution(executionArn=arn)
    whole(live, live.wait(arn), 30)


@pytest.mark.fault(
    where=WHERE,
    fault="the server of the local AWS is killed (kill -9) in mid-run and started again",
    then="stacks, files, models and runs are there; the run has failed and, redriven, labels what is missing",
    reads="The local AWS ended during this run; start the run again.",
)
def test_a_run_goes_on_after_its_server_was_killed(live: Stack, reads: str) -> None:
    models = live.packages()
    with befalling(
        live.environment["AWS_ENDPOINT_URL"], Rule(HOLD, "s3", "GetObject", "*/shard-00001.csv")
    ) as faults:
        arn = live.start(to_predict(live, "killed_server", 75))
        faults.wait_for_held()
        told = json.loads((Path(live.environment["CLAIMFLOW_LOCAL_DIR"]) / "pid").read_text())
        os.kill(told["pid"], signal.SIGKILL)
        start_server(live.environment)
    ended = live.wait(arn)
    assert (ended["status"], one_sentence(live, ended)) == ("FAILED", reads)
    assert live.packages() == models
    live.client("stepfunctions").redrive_execution(executionArn=arn)
    whole(live, live.wait(arn), 30)
