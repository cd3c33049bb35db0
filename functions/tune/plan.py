"""What is left to try, and how; knows nothing of AWS."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from contract import keys
from contract.state import Plan, Run

MOST_PARENTS = 5  # of a warm start
ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class TuningJob:
    """A tuning job of the same work, as SageMaker lists it."""

    name: str
    status: str
    completed: int
    """Trials that ended well."""


def plan(run: Run, before: Sequence[TuningJob], artifacts: str, execution: str, redrives: int) -> Plan:
    """Return the tuning job that is to be made.

    Args:
        run: with `tuning`
        before: the tuning jobs of the same work, the newest first; those that run still teach nothing
        artifacts: the name of the artifacts bucket
        execution: the ARN of the execution
        redrives: how often it was redriven: SageMaker takes no name twice

    """
    asked = run["tuning"]
    parents = [job for job in before if job.status in ENDED and job.completed][:MOST_PARENTS]
    left = max(0, asked["trials"] - sum(job.completed for job in parents))
    digest = hashlib.sha256(f"{execution}\n{redrives}".encode()).hexdigest()[:8]
    limits = {
        "MaxNumberOfTrainingJobs": max(1, left),
        "MaxParallelTrainingJobs": max(1, min(asked["parallel"], left)),
        "MaxRuntimeInSeconds": asked["seconds"],
    }
    ranged = {key for kind in asked["config"]["ParameterRanges"].values() for key in _names(kind)}
    # A trial is judged by its accuracy alone: the folds that the acceptance comes from would be for nothing.
    fixed = {key: text for key, text in run["hyperparameters"].items() if key not in ranged}
    longest = min(asked["seconds"], run["stopping_condition"]["MaxRuntimeInSeconds"])
    return {
        "name": f"{asked['name']}-{digest}",
        "left": left,
        "further": bool(parents),
        "parents": [{"HyperParameterTuningJobName": job.name} for job in parents],
        "config": {**asked["config"], "ResourceLimits": limits},
        "hyperparameters": {**fixed, "folds": "0"},
        "output_config": {
            **run["output_config"],
            "S3OutputPath": f"s3://{artifacts}/{keys.trials(run['id'])}",
        },
        "stopping_condition": {"MaxRuntimeInSeconds": longest},
        "network": {"VpcConfig": run["vpc_config"]} if "vpc_config" in run else {},
    }


def _names(ranges: list[dict[str, object]]) -> list[str]:
    return [str(each["Name"]) for each in ranges]
