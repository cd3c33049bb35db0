"""Makes SageMaker's HyperParameterTuningJobConfig of a configuration; knows nothing of AWS."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from contract import tuning
from contract.state import Tuning
from prepare.configuration import schema


def describe(config: Mapping[str, Any], work: str, image: str, trials: int, seconds: int) -> Tuning:
    """Return what a run tunes.

    Args:
        config: complete
        work: the run's id; what was tried for it before is not tried again
        image: what trains; what another one measured is not compared with this one's
        trials: how many, those of earlier tries among them
        seconds: how long it may take

    """
    digest = hashlib.sha256(f"{work}\n{image}".encode()).hexdigest()[:10]
    return {
        "name": f"claimflow-{digest}",
        "trials": trials,
        "seconds": seconds,
        "parallel": config["tuning_parallel"],
        "config": _job_config(config, seconds),
    }


def _job_config(config: Mapping[str, Any], seconds: int) -> dict[str, object]:
    """Return the config without its number of trials, which depends on how many there are already."""
    hyperband = config["tuning_strategy"] == "hyperband"
    made: dict[str, object] = {
        "Strategy": tuning.STRATEGIES[config["tuning_strategy"]],
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": tuning.OBJECTIVE},
        "ParameterRanges": _ranges(tuning.ranges(config)),
        "TrainingJobEarlyStoppingType": (
            "Auto" if config["tuning_early_stopping"] and not hyperband else "Off"
        ),
        "RandomSeed": config["seed"],
    }
    if hyperband:
        epochs = {"MinResource": 1, "MaxResource": max(2, config["num_epoch"])}
        made["StrategyConfig"] = {"HyperbandStrategyConfig": epochs}
    return made


def _ranges(ranges: Mapping[str, Any]) -> dict[str, list[dict[str, object]]]:
    made: dict[str, list[dict[str, object]]] = {}
    for key, given in ranges.items():
        kind, described = _range(key, given)
        made.setdefault(f"{kind}ParameterRanges", []).append({"Name": key, **described})
    return made


def _range(key: str, given: Any) -> tuple[str, dict[str, object]]:  # noqa: ANN401  a list or an object
    """Return the kind of a range and how SageMaker describes it; every value is text there."""
    if isinstance(given, list):
        return "Categorical", {"Values": [json.dumps(value) for value in given]}
    continuous = tuning.is_continuous(schema()["properties"][key])
    ends = [str(float(end) if continuous else int(end)) for end in (given["min"], given["max"])]
    scale = tuning.SCALES[given.get("scale", "linear")]
    described: dict[str, object] = {"MinValue": ends[0], "MaxValue": ends[1], "ScalingType": scale}
    return "Continuous" if continuous else "Integer", described
