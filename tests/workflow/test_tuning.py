"""Tuning: trials as real trainings, the best of them trained once more, and none lost."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.workflow.claims import FAST, NETWORK, as_csv, rows
from tests.workflow.stack import Stack, output_of

QUICK = FAST | {"tuning": {"ngram_words": [1, 2], "ngram_norm": ["none", "sqrt"]}, "tuning_parallel": 1}


def request(stack: Stack, name: str, config: dict[str, Any], trials: int) -> dict[str, Any]:
    data = stack.upload(f"requests/{name}.csv", as_csv(rows(240, seed=21)))
    return {"action": "tune", "data": data, "config": config, "trials": trials}


def ended_trials(stack: Stack, run: str) -> int:
    """Count the trials that ended well of all tuning jobs of a run's work."""
    listed = stack.client("sagemaker").list_hyper_parameter_tuning_jobs(NameContains=run, MaxResults=100)
    jobs = listed["HyperParameterTuningJobSummaries"]
    return sum(int(job["TrainingJobStatusCounters"]["Completed"]) for job in jobs)


def test_the_best_settings_become_the_live_model_whose_lineage_names_the_trial(live: Stack) -> None:
    arn = live.start(request(live, "tuned", QUICK, 2))
    output = output_of(live.wait(arn))
    assert [name for name in live.states(arn) if name in {"Plan", "Tune", "Choose", "Train"}] == [
        "Plan", "Tune", "Choose", "Train",
    ]  # fmt: skip
    best = output["run"]["tuning"]["best"]
    assert (best["trials"], best["completed"]) == (2, 2)
    table = live.table(best["table"])
    assert max(float(row["accuracy"]) for row in table) == round(best["accuracy"], 4)
    assert "is the best of 2" in live.read(best["report"]).decode()
    lineage = json.loads(live.read(output["evaluation"]["card"].replace("card.json", "lineage.json")))
    assert lineage["tuned"]["trial"] == best["trial"]
    chosen = {key: json.loads(text) for key, text in best["chosen"].items()}
    assert lineage["tuned"]["chosen"] == chosen
    assert {key: lineage["config"][key] for key in chosen} == chosen
    assert live.packages("Approved")[0]["ModelPackageArn"] == output["registration"]["arn"]


def test_the_same_tuning_again_makes_no_trial_twice_and_more_trials_only_those_that_are_left(
    live: Stack,
) -> None:
    asked = request(live, "again", QUICK, 1)
    output_of(live.run(asked))
    same = live.start(asked)
    output_of(live.wait(same))
    assert "Choose" in live.states(same)
    assert not {"Tune", "Tune further"} & set(live.states(same))
    more = live.start({**asked, "trials": 3})
    output = output_of(live.wait(more))
    assert "Tune further" in live.states(more)
    assert output["plan"]["left"] == 2
    assert output["run"]["tuning"]["best"]["trials"] == 3


def test_a_tuning_that_is_stopped_keeps_its_trials_for_the_redrive(live: Stack) -> None:
    slow = NETWORK | {"tuning": {"dropout": {"min": 0.1, "max": 0.3}}, "tuning_parallel": 1}
    arn = live.start(request(live, "stopped", slow, 3))
    deadline = time.monotonic() + live.wait_seconds
    while "Plan" not in live.states(arn) or not ended_trials(live, _work(live, arn)):
        assert time.monotonic() < deadline, live.states(arn)
        time.sleep(live.pause)
    live.client("stepfunctions").stop_execution(executionArn=arn)
    live.wait(arn)
    live.client("stepfunctions").redrive_execution(executionArn=arn)
    live.wait(arn)
    assert "Choose" in live.states(arn)


def _work(stack: Stack, arn: str) -> str:
    """Return how the names of an execution's tuning jobs begin."""
    events = stack.client("stepfunctions").get_execution_history(executionArn=arn, maxResults=100)["events"]
    left = [
        json.loads(event["stateExitedEventDetails"]["output"])
        for event in events
        if event.get("stateExitedEventDetails", {}).get("name") == "Prepare"
    ]
    return str(left[0]["run"]["tuning"]["name"])
