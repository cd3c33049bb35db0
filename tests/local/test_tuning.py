"""SageMaker tuning jobs, with trials that are training jobs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_server import (
    ROLE,
    Json,
    Local,
    ended_training,
    local_aws,
    run_state,
    training_request,
    wait_for,
    write_program,
)

# The score of a trial is what it was given, so that who learns from the trials finds the largest.
SCORE = 'sed \'s/.*"rate": "\\([^"]*\\)".*/score=\\1/\' input/config/hyperparameters.json'
FINAL = "FinalHyperParameterTuningJobObjectiveMetric"


def tuning_request(
    training: dict[str, Any], script: str = SCORE, trials: int = 3, **config: Json
) -> dict[str, Any]:
    """Return the request for a tuning job with the trainings of a request for one."""
    definition = {
        key: value for key, value in training.items() if key not in {"TrainingJobName", "HyperParameters"}
    }
    definition["AlgorithmSpecification"] = {
        **training["AlgorithmSpecification"],
        "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.e-]+)"}],
    }
    definition |= {"StaticHyperParameters": {"seed": "1"}, "Environment": {"SCRIPT": script}}
    ranges = {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0.1", "MaxValue": "0.9"}]}
    return {
        "HyperParameterTuningJobName": training["TrainingJobName"],
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": ranges,
            "RandomSeed": 7,
            **config,
        },
        "TrainingJobDefinition": definition,
    }


def ended_tuning(aws: Local, name: str) -> dict[str, Any]:
    def ended() -> Json:
        job = aws.client("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return job if job["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped") else None

    job: dict[str, Any] = wait_for(ended)
    return job


def finished_tuning(aws: Local, request: dict[str, Any]) -> dict[str, Any]:
    aws.client("sagemaker").create_hyper_parameter_tuning_job(**request)
    return ended_tuning(aws, request["HyperParameterTuningJobName"])


def trials_of(aws: Local, name: str) -> list[dict[str, Any]]:
    pages = (
        aws.client("sagemaker")
        .get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
        .paginate(HyperParameterTuningJobName=name, PaginationConfig={"PageSize": 2})
    )
    return [trial for page in pages for trial in page["TrainingJobSummaries"]]


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_the_best_trial_is_the_one_with_the_best_score(
    aws: Local, training: dict[str, Any], name: str, strategy: str
) -> None:
    job = finished_tuning(aws, tuning_request(training, Strategy=strategy))
    trials = trials_of(aws, name)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == len(trials) == 3
    assert [trial["TrainingJobName"].rsplit("-", 1)[0] for trial in trials] == [
        f"{name}-001", f"{name}-002", f"{name}-003",
    ]  # fmt: skip
    assert all(0.1 <= float(trial["TunedHyperParameters"]["rate"]) <= 0.9 for trial in trials)
    assert job["BestTrainingJob"][FINAL]["Value"] == pytest.approx(
        max(float(trial["TunedHyperParameters"]["rate"]) for trial in trials)
    )


def test_a_trial_is_a_training_job_with_static_and_chosen_hyperparameters(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    request = tuning_request(training, trials=1)
    request["HyperParameterTuningJobConfig"]["ParameterRanges"] |= {
        "IntegerParameterRanges": [
            {"Name": "size", "MinValue": "2", "MaxValue": "64", "ScalingType": "Logarithmic"}
        ],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ['"adam"']}],
    }
    finished_tuning(aws, request)
    (trial,) = trials_of(aws, name)
    given = ended_training(aws, trial["TrainingJobName"])["HyperParameters"]
    assert given["seed"] == "1"
    assert given["_tuning_objective_metric"] == "score"
    assert given["kind"] == '"adam"'
    assert 2 <= int(given["size"]) <= 64
    assert trial["TunedHyperParameters"] == {key: given[key] for key in ("rate", "size", "kind")}


def test_the_same_seed_tries_the_same_values(aws: Local, training: dict[str, Any], name: str) -> None:
    first = tuning_request(training)
    finished_tuning(aws, first)
    finished_tuning(aws, first | {"HyperParameterTuningJobName": f"{name}-b"})
    tried = [
        [trial["TunedHyperParameters"] for trial in trials_of(aws, each)] for each in (name, f"{name}-b")
    ]
    assert tried[0] == tried[1]


def test_a_trial_that_is_worse_than_the_others_is_stopped_early(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    # The first trials end well; each later one begins worse than these and would go on for ten minutes.
    count = "n=$(echo $TRAINING_JOB_NAME | sed 's/.*-\\(0[0-9][0-9]\\)-.*/\\1/')"
    script = f"{count}\nif [ $n -le 003 ]; then echo score=0.9; else echo score=0.1; sleep 600 & wait; fi"
    job = finished_tuning(
        aws, tuning_request(training, script, trials=4, TrainingJobEarlyStoppingType="Auto")
    )
    statuses = [trial["TrainingJobStatus"] for trial in trials_of(aws, name)]
    assert statuses == ["Completed", "Completed", "Completed", "Stopped"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"


def test_trials_that_fail_cost_a_trial_and_five_in_a_row_the_job(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    job = finished_tuning(aws, tuning_request(training, "echo 'No rows.' > output/failure; exit 1", trials=9))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "No rows." in job["FailureReason"]
    assert len(trials_of(aws, name)) == 5


def test_stopping_ends_the_trials_too(aws: Local, training: dict[str, Any], name: str) -> None:
    aws.client("sagemaker").create_hyper_parameter_tuning_job(**tuning_request(training, "sleep 600 & wait"))
    wait_for(lambda: trials_of(aws, name))
    aws.client("sagemaker").stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert ended_tuning(aws, name)["HyperParameterTuningJobStatus"] == "Stopped"
    assert [trial["TrainingJobStatus"] for trial in trials_of(aws, name)] == ["Stopped"]


def test_a_warm_start_learns_from_its_parents_and_knows_the_best_of_all(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    finished_tuning(aws, tuning_request(training))
    ranges = {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0.01", "MaxValue": "0.05"}]}
    child = tuning_request(training, trials=1, ParameterRanges=ranges)
    child |= {
        "HyperParameterTuningJobName": f"{name}-b",
        "WarmStartConfig": {
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name}],
            "WarmStartType": "IdenticalDataAndAlgorithm",
        },
    }
    job = finished_tuning(aws, child)
    assert job["BestTrainingJob"][FINAL]["Value"] <= 0.05
    assert job["OverallBestTrainingJob"]["TuningJobName"] == name


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 2}}, "MaxParallel"),
        ({"ResourceLimits": {"MaxNumberOfTrainingJobs": 751, "MaxParallelTrainingJobs": 1}}, "MaxNumber"),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "loss"}},
            "A metric is required",
        ),
        ({"Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Auto"}, "must be Off"),
        ({"ParameterRanges": {}}, "at least one hyperparameter"),
    ],
)
def test_what_aws_refuses_of_a_tuning_is_refused(
    aws: Local, training: dict[str, Any], change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ClientError, match=complaint):
        aws.client("sagemaker").create_hyper_parameter_tuning_job(**tuning_request(training, **change))


def test_a_name_is_never_taken_twice_by_tuning_jobs(aws: Local, training: dict[str, Any]) -> None:
    request = tuning_request(training, trials=1)
    finished_tuning(aws, request)
    with pytest.raises(aws.client("sagemaker").exceptions.ResourceInUse):
        aws.client("sagemaker").create_hyper_parameter_tuning_job(**request)


def test_a_state_waits_for_the_tuning_and_gets_its_description(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync",
        "Parameters": tuning_request(training, trials=2),
    }
    execution = run_state(aws, name, state)
    assert json.loads(execution["output"])["TrainingJobStatusCounters"]["Completed"] == 2


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[Local]:
    """A local AWS that may be ended and begun again."""
    with local_aws(tmp_path) as local:
        write_program(local.programs, "train", '#!/bin/sh\ncd "$CLAIMFLOW_BASE_DIR"\neval "$SCRIPT"\n')
        assert local.command("up").returncode == 0
        yield local


def test_a_tuning_that_its_server_ended_with_keeps_its_trials_for_the_next(restarted: Local) -> None:
    restarted.client("s3").create_bucket(Bucket="trials")
    restarted.client("s3").put_object(
        Bucket="trials", Key="data/train/part-00000.csv", Body=b"row,text,label\n"
    )
    training = training_request("trials", "first", "")
    assert training["RoleArn"] == ROLE
    # The first trial ends; the second would go on for ten minutes.
    script = f"case $TRAINING_JOB_NAME in *-002-*) sleep 600 & wait;; esac\n{SCORE}"
    restarted.client("sagemaker").create_hyper_parameter_tuning_job(**tuning_request(training, script))
    wait_for(lambda: len(trials_of(restarted, "first")) == 2)
    assert restarted.command("down").returncode == 0
    assert restarted.command("up").returncode == 0
    parent = ended_tuning(restarted, "first")
    assert parent["HyperParameterTuningJobStatus"] == "Failed"
    assert parent["TrainingJobStatusCounters"]["Completed"] == 1
    second = tuning_request(training, trials=2) | {
        "HyperParameterTuningJobName": "second",
        "WarmStartConfig": {
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "first"}],
            "WarmStartType": "IdenticalDataAndAlgorithm",
        },
    }
    job = finished_tuning(restarted, second)
    everything = [*trials_of(restarted, "first"), *trials_of(restarted, "second")]
    scores = [each[FINAL]["Value"] for each in everything if FINAL in each]
    assert len(scores) == 3
    assert job["OverallBestTrainingJob"][FINAL]["Value"] == max(scores)
