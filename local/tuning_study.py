"""The choice of a tuning job's trials, by Optuna: what the next one gets, and which are stopped early.

SageMaker's strategies and what stands for them here: Bayesian is the tree-structured Parzen estimator, Random
draws independently, Hyperband is Optuna's pruner of that name, and early stopping (`Auto`) its median rule.
"""

import threading
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import Trial, TrialState

optuna.logging.set_verbosity(optuna.logging.WARNING)

_WARM_UP = 3  # trials before one is stopped early, or a choice is more than random


class Study:
    """The trials of one tuning job. May be used from several threads."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._distributions = distributions(config.get("ParameterRanges") or {})
        self.maximize = config["HyperParameterTuningJobObjective"]["Type"] == "Maximize"
        self._study = optuna.create_study(
            direction="maximize" if self.maximize else "minimize",
            sampler=_sampler(config["Strategy"], config.get("RandomSeed")),
            pruner=_pruner(config),
        )
        self._lock = threading.Lock()

    def add(self, hyperparameters: Mapping[str, str], value: float) -> None:
        """Take in a trial of another tuning job; one outside these ranges teaches nothing here."""
        chosen = {name: hyperparameters.get(name) for name in self._distributions}
        try:
            params = {name: self._read(name, text) for name, text in chosen.items()}
            trial = optuna.trial.create_trial(
                params=params, distributions=self._distributions, value=value, state=TrialState.COMPLETE
            )
        except (TypeError, ValueError):
            return
        with self._lock:
            self._study.add_trial(trial)

    def ask(self) -> tuple[Trial, dict[str, str]]:
        """Begin a trial; returns it with its hyperparameters as SageMaker passes them: as text."""
        with self._lock:
            trial = self._study.ask(self._distributions)
        return trial, {name: str(value) for name, value in trial.params.items()}

    def is_hopeless(self, trial: Trial, value: float, step: int) -> bool:
        """Tell a value on the way; returns whether the trial should be stopped."""
        with self._lock:
            trial.report(value, step)
            return trial.should_prune()

    def tell(self, trial: Trial, value: float | None, *, stopped: bool) -> None:
        """End a trial: with its last value, stopped early or not, or with none when it failed."""
        state = TrialState.FAIL if value is None else TrialState.PRUNED if stopped else TrialState.COMPLETE
        with self._lock:
            self._study.tell(trial, value if state is TrialState.COMPLETE else None, state)

    def _read(self, name: str, text: str | None) -> str | int | float:
        if text is None:
            raise ValueError(name)
        distribution = self._distributions[name]
        if isinstance(distribution, CategoricalDistribution):
            return text
        return int(text) if isinstance(distribution, IntDistribution) else float(text)


def distributions(ranges: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    """Return the distributions of SageMaker's ParameterRanges. Raises ValueError for what none can be."""
    found: dict[str, BaseDistribution] = {}
    for each in ranges.get("ContinuousParameterRanges") or []:
        found[each["Name"]] = FloatDistribution(
            float(each["MinValue"]), float(each["MaxValue"]), log=_is_logarithmic(each)
        )
    for each in ranges.get("IntegerParameterRanges") or []:
        found[each["Name"]] = IntDistribution(
            int(each["MinValue"]), int(each["MaxValue"]), log=_is_logarithmic(each)
        )
    for each in ranges.get("CategoricalParameterRanges") or []:
        found[each["Name"]] = CategoricalDistribution(each["Values"])
    return found


def _is_logarithmic(given: Mapping[str, str]) -> bool:
    scale = given.get("ScalingType", "Auto")
    if scale == "ReverseLogarithmic":
        raise ValueError("The local SageMaker has no ScalingType ReverseLogarithmic.")
    return scale == "Logarithmic"


def _sampler(strategy: str, seed: int | None) -> BaseSampler:
    if strategy == "Bayesian":
        return TPESampler(seed=seed, n_startup_trials=_WARM_UP, constant_liar=True)
    return RandomSampler(seed=seed)


def _pruner(config: Mapping[str, Any]) -> BasePruner:
    if config["Strategy"] == "Hyperband":
        resource = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
        return HyperbandPruner(
            min_resource=resource.get("MinResource", 1), max_resource=resource.get("MaxResource", "auto")
        )
    if config.get("TrainingJobEarlyStoppingType") == "Auto":
        return MedianPruner(n_startup_trials=_WARM_UP)
    return NopPruner()
