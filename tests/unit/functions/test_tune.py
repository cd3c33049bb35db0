"""tune: what is left to try, and the best of what was tried."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.errors import InvalidConfig, TrainingFailed
from evaluate.handler import handler as evaluate
from tests.unit.functions.enforcement import answered
from tests.unit.functions.stack import ARTIFACTS, EXECUTION, RESULTS, Stack, State, csv_text, labelled
from tune.handler import handler as tune
from validate.handler import handler as validate

BEGAN = datetime(2026, 5, 1, 12, tzinfo=UTC)
CNN = {"architecture": "cnn", "num_epoch": 3}


def asked(stack: Stack, config: State | None = None, **request: object) -> State:
    """Return the run of a request to tune."""
    data = stack.upload("train/claims.csv", labelled(40))
    return stack.prepare({"action": "tune", "data": data, "config": {**CNN, **(config or {})}, **request})


def trial(number: int, accuracy: float | None, status: str = "Completed", **chosen: object) -> State:
    """Return a trial as SageMaker lists it; `chosen` are values, not yet text."""
    told: State = {
        "TrainingJobName": f"job-{number:03d}-abc",
        "TrainingJobStatus": status,
        "CreationTime": BEGAN,
        "TrainingStartTime": BEGAN,
        "TrainingEndTime": BEGAN + timedelta(seconds=30 * number),
        "TunedHyperParameters": {key: json.dumps(value) for key, value in chosen.items()},
    }
    if accuracy is not None:
        objective = {"MetricName": "validation:accuracy", "Type": "Maximize", "Value": accuracy}
        told["FinalHyperParameterTuningJobObjectiveMetric"] = objective
    if status == "Failed":
        told["FailureReason"] = "AlgorithmError: The disk is full., exit code: 1"
    return told


@pytest.fixture
def sagemaker() -> Iterator["SageMaker"]:
    """SageMaker with the tuning jobs that a test gives it."""
    with ExitStack() as answers:
        fake = SageMaker()
        for operation, answer in (
            ("ListHyperParameterTuningJobs", fake.jobs),
            ("ListTrainingJobsForHyperParameterTuningJob", fake.trials),
        ):
            answers.enter_context(answered("sagemaker", operation, answer))
        yield fake


class SageMaker:
    """The tuning jobs of an account, the oldest first, and their trials."""

    def __init__(self) -> None:
        self.given: dict[str, tuple[str, list[State]]] = {}

    def add(self, name: str, trials: list[State], status: str = "Completed") -> None:
        self.given[name] = status, trials

    def jobs(self, NameContains: str, **_: object) -> State:  # noqa: N803  as the API calls it
        return {
            "HyperParameterTuningJobSummaries": [
                {
                    "HyperParameterTuningJobName": name,
                    "HyperParameterTuningJobStatus": status,
                    "TrainingJobStatusCounters": {
                        "Completed": sum(each["TrainingJobStatus"] == "Completed" for each in trials)
                    },
                }
                for name, (status, trials) in reversed(self.given.items())
                if NameContains in name
            ]
        }

    def trials(self, HyperParameterTuningJobName: str, **_: object) -> State:  # noqa: N803
        return {"TrainingJobSummaries": self.given[HyperParameterTuningJobName][1]}


def plan(run: State, execution: str = EXECUTION, redrives: int = 0) -> State:
    return dict(tune({"run": run, "execution": execution, "redrives": redrives}, None))


def choose(run: State) -> State:
    return dict(tune({"run": run, "plan": plan(run)}, None))["run"]


def test_the_first_tuning_makes_all_trials_within_its_limits(stack: Stack, sagemaker: SageMaker) -> None:
    made = plan(asked(stack, trials=7, max_minutes=30))
    assert (made["left"], made["further"], made["parents"]) == (7, False, [])
    assert made["config"]["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": 7,
        "MaxParallelTrainingJobs": 2,
        "MaxRuntimeInSeconds": 1800,
    }
    assert made["stopping_condition"] == {"MaxRuntimeInSeconds": 1800}
    assert made["output_config"]["S3OutputPath"].startswith(f"s3://{ARTIFACTS}/runs/tune-claims-")


def test_a_trial_takes_no_longer_than_a_training_may(stack: Stack, sagemaker: SageMaker) -> None:
    assert plan(asked(stack, max_minutes=600))["stopping_condition"] == {"MaxRuntimeInSeconds": 3600}


def test_trials_run_in_the_network_of_the_trainings(
    stack: Stack, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plan(asked(stack))["network"] == {}
    monkeypatch.setenv("CLAIMFLOW_SUBNETS", "subnet-1")
    monkeypatch.setenv("CLAIMFLOW_SECURITY_GROUP", "sg-1")
    run = asked(stack)
    assert plan(run)["network"] == {"VpcConfig": run["vpc_config"]}


def test_what_is_tuned_is_not_fixed_and_everything_else_is(stack: Stack, sagemaker: SageMaker) -> None:
    run = asked(stack, {"tuning": {"wd": {"min": 0, "max": 0.1}, "optimizer": ["adam", "sgd"]}})
    fixed = plan(run)["hyperparameters"]
    assert set(run["hyperparameters"]) - set(fixed) == {"wd", "optimizer"}
    assert fixed["num_epoch"] == "3"
    assert fixed["folds"] == "0", "a trial needs no folds"


def test_a_tuning_begun_again_makes_the_trials_that_are_left_and_learns_from_the_others(
    stack: Stack, sagemaker: SageMaker
) -> None:
    run = asked(stack, trials=5)
    first = plan(run)["name"]
    sagemaker.add(f"{first}-0", [trial(1, 0.7), trial(2, 0.8), trial(3, None, "Failed")], "Stopped")
    sagemaker.add("claimflow-of-another-0", [trial(1, 0.9)])
    made = plan(run, EXECUTION + "-again")
    assert made["left"] == 3
    assert made["parents"] == [{"HyperParameterTuningJobName": f"{first}-0"}]
    assert made["further"] is True
    assert made["name"] != first, "SageMaker takes no name twice"
    assert made["name"].startswith(run["tuning"]["name"])


def test_a_redriven_tuning_has_a_job_of_another_name(stack: Stack, sagemaker: SageMaker) -> None:
    run = asked(stack)
    assert plan(run)["name"] != plan(run, redrives=1)["name"]


def test_a_tuning_that_still_runs_or_has_no_good_trial_teaches_nothing(
    stack: Stack, sagemaker: SageMaker
) -> None:
    run = asked(stack)
    sagemaker.add(f"{run['tuning']['name']}-a-0", [trial(1, 0.7)], "InProgress")
    sagemaker.add(f"{run['tuning']['name']}-b-0", [trial(1, None, "Failed")], "Failed")
    assert plan(run)["parents"] == []


def test_nothing_is_left_when_there_are_enough_trials(stack: Stack, sagemaker: SageMaker) -> None:
    run = asked(stack, trials=2)
    sagemaker.add(f"{run['tuning']['name']}-a-0", [trial(1, 0.7), trial(2, 0.8)])
    assert plan(run)["left"] == 0


def test_names_of_tuning_jobs_fit_into_the_32_characters_of_sagemaker(
    stack: Stack, sagemaker: SageMaker
) -> None:
    assert len(plan(asked(stack))["name"] + "-5") <= 32


def test_the_best_trial_gives_its_values_to_the_training(stack: Stack, sagemaker: SageMaker) -> None:
    run = asked(stack)
    job = f"{run['tuning']['name']}-a-0"
    sagemaker.add(job, [trial(1, 0.7, wd=0.1), trial(2, 0.9, wd=0.2), trial(3, 0.95, "Stopped", wd=0.3)])
    chosen = choose(run)
    assert chosen["hyperparameters"] == {**run["hyperparameters"], "wd": "0.2"}
    best = chosen["tuning"]["best"]
    assert (best["trial"], best["job"], best["accuracy"]) == ("job-002-abc", job, 0.9)
    assert (best["trials"], best["completed"], best["chosen"]) == (3, 2, {"wd": "0.2"})


def test_the_best_of_a_tuning_before_is_not_lost(stack: Stack, sagemaker: SageMaker) -> None:
    run = asked(stack)
    sagemaker.add(f"{run['tuning']['name']}-a-0", [trial(1, 0.9, wd=0.1)], "Stopped")
    sagemaker.add(f"{run['tuning']['name']}-b-0", [trial(1, 0.8, wd=0.2)])
    assert choose(run)["hyperparameters"]["wd"] == "0.1"


def test_a_tuning_without_a_good_trial_fails_with_what_the_first_said(
    stack: Stack, sagemaker: SageMaker
) -> None:
    run = asked(stack)
    sagemaker.add(
        f"{run['tuning']['name']}-a-0", [trial(1, None, "Failed"), trial(2, None, "Failed")], "Failed"
    )
    with pytest.raises(
        TrainingFailed, match=r"None of the 2 trials ended with an accuracy: .*The disk is full"
    ):
        choose(run)


def test_all_trials_are_in_a_table_with_a_column_for_each_key(stack: Stack, sagemaker: SageMaker) -> None:
    run = asked(stack)
    trials = [trial(1, 0.75, wd=0.1, optimizer="adam"), trial(2, None, "Failed", wd=0.2, optimizer="sgd")]
    sagemaker.add(f"{run['tuning']['name']}-a-0", trials)
    uri = choose(run)["tuning"]["best"]["table"]
    assert uri == f"s3://{RESULTS}/{run['name']}/trials.csv"
    rows = list(csv.DictReader(io.StringIO(stack.read(uri).decode("utf-8-sig"))))
    assert [(row["status"], row["accuracy"], row["seconds"]) for row in rows] == [
        ("Completed", "0.7500", "30"),
        ("Failed", "", "60"),
    ]
    assert [(row["wd"], row["optimizer"]) for row in rows] == [("0.1", "adam"), ("0.2", "sgd")]


def test_the_page_of_the_trials_stands_beside_their_table(stack: Stack, sagemaker: SageMaker) -> None:
    run = asked(stack, {"tuning": {"wd": {"min": 0, "max": 0.5}}})
    sagemaker.add(f"{run['tuning']['name']}-a-0", [trial(1, 0.75, wd=0.1), trial(2, 0.8, wd=0.2)], "Stopped")
    sagemaker.add(f"{run['tuning']['name']}-b-0", [trial(1, 0.9, wd=0.3)])
    report = choose(run)["tuning"]["best"]["report"]
    assert report == f"s3://{RESULTS}/{run['name']}/trials.html"
    assert "Trial 3 is the best of 3" in stack.read(report).decode(), "in the order in which they began"


def test_the_lineage_of_a_tuned_model_names_the_tuning_job_and_the_trial(
    stack: Stack, sagemaker: SageMaker
) -> None:
    run = asked(stack)
    job = f"{run['tuning']['name']}-a-0"
    sagemaker.add(job, [trial(1, 0.9, wd=0.25)])
    state: State = {"run": choose(run)}
    state["validation"] = validate(state, None)
    state["training"] = stack.trained(state)
    card = evaluate(state, None)["card"]
    found = stack.json(card.replace("card.json", "lineage.json"))
    assert found["tuned"] == {"job": job, "trial": "job-001-abc", "trials": 1, "chosen": {"wd": 0.25}}
    assert found["config"]["wd"] == 0.25


@pytest.mark.parametrize(
    ("config", "kind", "described"),
    [
        ({"learning_rate": {"min": 0.001, "max": 1, "scale": "log"}}, "Continuous",
         {"MinValue": "0.001", "MaxValue": "1.0", "ScalingType": "Logarithmic"}),
        ({"batch_size": {"min": 16.0, "max": 64}}, "Integer",
         {"MinValue": "16", "MaxValue": "64", "ScalingType": "Linear"}),
        ({"kernel_size": [[2, 3], 4]}, "Categorical", {"Values": ["[2, 3]", "4"]}),
        ({"optimizer": ["adam", "sgd"]}, "Categorical", {"Values": ['"adam"', '"sgd"']}),
    ],
)  # fmt: skip
def test_ranges_are_described_as_sagemaker_takes_them(
    stack: Stack, config: State, kind: str, described: State
) -> None:
    (key,) = config
    ranges = asked(stack, {"tuning": config})["tuning"]["config"]["ParameterRanges"]
    assert ranges == {f"{kind}ParameterRanges": [{"Name": key, **described}]}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, {"Strategy": "Bayesian", "TrainingJobEarlyStoppingType": "Auto"}),
        ({"tuning_strategy": "random", "tuning_early_stopping": False},
         {"Strategy": "Random", "TrainingJobEarlyStoppingType": "Off"}),
        ({"tuning_strategy": "hyperband"}, {
            "Strategy": "Hyperband",
            "TrainingJobEarlyStoppingType": "Off",
            "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 3}},
        }),
    ],
)  # fmt: skip
def test_the_strategy_is_that_of_the_configuration(stack: Stack, config: State, said: State) -> None:
    made = asked(stack, config)["tuning"]["config"]
    assert {key: made.get(key) for key in said} == said


def test_ranges_that_cannot_be_are_refused_before_anything_runs(stack: Stack) -> None:
    with pytest.raises(InvalidConfig, match=r"tuning\.seed cannot be tuned"):
        asked(stack, {"tuning": {"seed": [1, 2]}})


def test_only_a_run_that_tunes_depends_on_how_to_tune(stack: Stack) -> None:
    config = {"tuning_strategy": "random"}
    assert asked(stack)["id"] != asked(stack, config)["id"]
    data = stack.upload("train/claims.csv", labelled(40))
    trains: list[Any] = [
        stack.prepare({"action": "train", "data": data, "config": {**CNN, **each}}) for each in ({}, config)
    ]
    assert trains[0]["id"] == trains[1]["id"]


def test_more_trials_are_more_of_the_same_work(stack: Stack) -> None:
    runs = [asked(stack, trials=trials) for trials in (5, 10)]
    assert runs[0]["tuning"]["name"] == runs[1]["tuning"]["name"]


def rows_of(stack: Stack, run: State, channel: str) -> set[str]:
    body = stack.read(f"s3://{ARTIFACTS}/runs/{run['id']}/{channel}/part-00000.csv").decode()
    return {row["text"] for row in csv.DictReader(io.StringIO(body, newline=""))}


def test_trials_see_training_rows_only_each_on_one_side(stack: Stack) -> None:
    run = asked(stack)
    checked = validate({"run": run}, None)["train"]
    learned, judged = rows_of(stack, run, "trial_train"), rows_of(stack, run, "trial_validation")
    assert learned | judged == rows_of(stack, run, "train")
    assert not learned & judged
    assert judged
    assert not (learned | judged) & rows_of(stack, run, "validation")
    folders = [each["DataSource"]["S3DataSource"]["S3Uri"] for each in checked["trial_channels"]]
    assert [each["ChannelName"] for each in checked["trial_channels"]] == ["train", "validation"]
    assert [folder.split("/")[-2] for folder in folders] == ["trial_train", "trial_validation"]


def test_a_run_that_does_not_tune_has_no_rows_for_trials(stack: Stack) -> None:
    state = stack.validated("train", labelled(40))
    assert state["validation"]["train"]["trial_channels"] == []
    assert not [key for key in stack.keys(ARTIFACTS) if "/trial_" in key]


def test_too_few_texts_to_tune_with_are_told(stack: Stack) -> None:
    rows = [("brakes", "a"), ("brakes", "a"), ("engine", "b"), ("engine", "b"), ("motor", "b")]
    data = stack.upload("train/few.csv", csv_text(["text", "category"], rows))
    run = stack.prepare({"action": "tune", "data": data})
    with pytest.raises(Exception, match=r"The training rows have only 2 different texts; .*Add rows"):
        validate({"run": run}, None)
