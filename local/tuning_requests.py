"""What SageMaker refuses of a request for a tuning job."""

import re
from typing import Any

from local.service_errors import ServiceError
from local.tuning_study import distributions

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}")
_STRATEGIES = ("Bayesian", "Random", "Hyperband")
_MOST_TRIALS, _MOST_PARALLEL, _MOST_PARENTS, _LEAST_SECONDS = 750, 100, 5, 120


def check_tuning_request(request: dict[str, Any]) -> None:
    """Refuse what AWS refuses, and what is known here only there.

    Raises:
        ServiceError: with AWS's code.

    """
    name = request.get("HyperParameterTuningJobName") or ""
    if not _NAME.fullmatch(name):
        _refuse(
            f"1 validation error detected: Value '{name}' at 'hyperParameterTuningJobName' failed to satisfy "
            f"constraint: Member must satisfy regular expression pattern: {_NAME.pattern} (at most 32 "
            "characters)"
        )
    _check_config(request["HyperParameterTuningJobConfig"])
    definition: dict[str, Any] = request.get("TrainingJobDefinition") or {}
    if not definition:
        _refuse("The local SageMaker tunes one TrainingJobDefinition, which is missing.")
    _check_objective(request["HyperParameterTuningJobConfig"], definition)
    parents = (request.get("WarmStartConfig") or {}).get("ParentHyperParameterTuningJobs", [])
    if len(parents) > _MOST_PARENTS:
        _refuse(f"A tuning job may have at most {_MOST_PARENTS} parents.")


def _check_config(config: dict[str, Any]) -> None:
    if config["Strategy"] not in _STRATEGIES:
        _refuse(f"The local SageMaker has the strategies {', '.join(_STRATEGIES)}, not {config['Strategy']}.")
    if config["Strategy"] == "Hyperband" and config.get("TrainingJobEarlyStoppingType") == "Auto":
        _refuse(
            "TrainingJobEarlyStoppingType must be Off with the Hyperband strategy, which stops by itself."
        )
    limits = config["ResourceLimits"]
    trials, parallel = limits.get("MaxNumberOfTrainingJobs", 0), limits["MaxParallelTrainingJobs"]
    if not 1 <= trials <= _MOST_TRIALS:
        _refuse(f"MaxNumberOfTrainingJobs must be from 1 to {_MOST_TRIALS}.")
    if not 1 <= parallel <= min(trials, _MOST_PARALLEL):
        _refuse("MaxParallelTrainingJobs must be at least 1 and at most MaxNumberOfTrainingJobs.")
    if limits.get("MaxRuntimeInSeconds", _LEAST_SECONDS) < _LEAST_SECONDS:
        _refuse(f"MaxRuntimeInSeconds must be at least {_LEAST_SECONDS}.")
    try:
        if not distributions(config.get("ParameterRanges") or {}):
            _refuse("A tuning job needs the range of at least one hyperparameter.")
    except ValueError as error:
        _refuse(str(error))


def _check_objective(config: dict[str, Any], definition: dict[str, Any]) -> None:
    wanted = config["HyperParameterTuningJobObjective"]["MetricName"]
    metrics = definition["AlgorithmSpecification"].get("MetricDefinitions", [])
    if wanted not in [each["Name"] for each in metrics]:
        _refuse(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the "
            "metric definitions."
        )


def _refuse(message: str) -> None:
    raise ServiceError("ValidationException", message)
