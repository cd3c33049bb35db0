"""What was interrupted goes on: what is done is not done again, and what is missing is made."""

from __future__ import annotations

import time

import pytest

from tests.workflow.claims import FAST, as_csv, rows
from tests.workflow.stack import Stack, kill_jobs, output_of, wait_for_job


def parts(stack: Stack, run: str) -> dict[str, object]:
    """Return when each part of a run was written."""
    bucket = stack.outputs["ArtifactsBucket"]
    found = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"runs/{run}/predict/parts/part-")
    return {each["Key"]: each["LastModified"] for each in found.get("Contents", [])}


def redriven(stack: Stack, arn: str) -> dict[str, object]:
    stack.client("stepfunctions").redrive_execution(executionArn=arn)
    return stack.wait(arn)


@pytest.mark.fault(
    where="a whole run",
    fault="shards are killed (kill -9)",
    then="the other rows are delivered; started again or redriven, only what is missing is labelled",
    reads="were not labelled",
)
def test_killed_shards_cost_their_rows_only_and_are_labelled_when_it_is_started_again(
    live: Stack, reads: str
) -> None:
    pairs = rows(100, seed=60)
    request = {"action": "predict", "data": live.upload("requests/partly.csv", as_csv(pairs))}
    request["config"] = {"rows_per_shard": 10}
    arn = live.start(request)
    kill_jobs(live)
    ended = live.wait(arn)
    assert (ended["status"], ended["error"]) == ("FAILED", "PartlyDone")
    assert "of partly.csv" in ended["cause"]
    assert reads in ended["cause"]
    assert live.states(arn)[-1] == "PartlyDone"
    shown = live.command("claimflow", "--stack", live.name, "status", arn.rsplit(":", 1)[-1], check=False)
    assert "partly done" in shown.stdout
    (told,) = live.notifications(expected=1)
    assert "partly.csv is partly done" in told["Subject"]

    again = output_of(live.run(request))
    made = parts(live, again["run"]["id"])
    assert [row["description"] for row in live.table(again["results"]["results"])] == [t for t, _ in pairs]
    assert (again["results"]["missing_rows"], len(made)) == (0, 10)

    time.sleep(1)  # the clock of S3 counts seconds
    whole = output_of(redriven(live, arn))
    assert whole["results"]["missing_rows"] == 0
    assert parts(live, whole["run"]["id"]) == made, "a part that was there was made again"


@pytest.mark.fault(
    where="a whole run",
    fault="a training is killed (kill -9) and the run redriven",
    then="it goes on from its checkpoint; what was validated is not validated again",
    reads="killed",
)
def test_a_training_that_was_killed_is_redriven_with_a_job_of_another_name(live: Stack, reads: str) -> None:
    data = live.upload("requests/killed.csv", as_csv(rows(240, seed=61)))
    arn = live.start({"action": "train", "data": data, "config": FAST | {"num_epoch": 40}})
    wait_for_job(live)
    kill_jobs(live)
    ended = live.wait(arn)
    assert (ended["status"], ended["error"]) == ("FAILED", "TrainingFailed")
    assert reads in ended["cause"]
    assert live.states(arn)[-1] == "Failed"
    trained = output_of(redriven(live, arn))
    assert trained["training"]["job"].endswith("-1-0")
    assert live.states(arn).count("Validate") == 1


@pytest.mark.aws
@pytest.mark.fault(
    where="a whole run",
    fault="a run is stopped and redriven",
    then="it goes on from the step at which it was stopped",
    reads="",
)
def test_a_run_that_was_stopped_is_redriven_from_where_it_was(live: Stack) -> None:
    data = live.upload("requests/halted.csv", as_csv(rows(240, seed=62)))
    arn = live.start({"action": "train", "data": data, "config": FAST | {"num_epoch": 40}})
    wait_for_job(live)
    live.client("stepfunctions").stop_execution(executionArn=arn)
    assert live.wait(arn)["status"] == "ABORTED"
    assert output_of(redriven(live, arn))["training"]["status"] == "Completed"
