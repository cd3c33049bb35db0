"""The line of a running training that people see while they wait."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from workflow.account import Account
from workflow.executions import RUNNING, Step
from workflow.training_log import last_line

WARNING = "[01:02:03] ../src/operator/././../common/utils.h:472: Optimizer with lazy_update = True detected."


class Logs:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def describe_log_streams(self, **_: Any) -> dict[str, Any]:
        return {"logStreams": [{"logStreamName": "job/algo-1"}]}

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        return {"events": [{"message": line} for line in self.lines[-asked["limit"] :]]}


def shown(*lines: str) -> str | None:
    account = SimpleNamespace(logs=Logs(list(lines)))
    step = SimpleNamespace(status=RUNNING, job="job", tuning_job=None)
    return last_line(cast("Account", account), [cast("Step", step)])


@pytest.mark.parametrize("after", [[], [WARNING], [WARNING, "  "]])
def test_warnings_of_mxnets_c_plus_plus_are_not_the_line_that_people_see(after: list[str]) -> None:
    assert shown("epoch 1/8", *after) == "epoch 1/8"


def test_a_training_that_wrote_nothing_else_shows_nothing() -> None:
    assert shown() is None
    assert shown(WARNING) is None


def test_a_line_of_the_program_that_begins_with_a_time_is_shown() -> None:
    assert shown("[01:02:03] training loss=0.5") == "[01:02:03] training loss=0.5"


def trials(**told: Any) -> str | None:
    config = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 20}}
    answer = {"HyperParameterTuningJobConfig": config, "TrainingJobStatusCounters": {"Completed": 7}, **told}
    sagemaker = SimpleNamespace(describe_hyper_parameter_tuning_job=lambda **_: answer)
    step = SimpleNamespace(status=RUNNING, job=None, tuning_job="tuning")
    return last_line(cast("Account", SimpleNamespace(sagemaker=sagemaker)), [cast("Step", step)])


def test_a_tuning_shows_how_many_trials_are_done_and_the_best_so_far() -> None:
    best = {"FinalHyperParameterTuningJobObjectiveMetric": {"Value": 0.841}}
    assert trials() == "7 of 20 trials done"
    assert trials(BestTrainingJob=best) == "7 of 20 trials done, the best so far 84.1% right"


def test_the_best_of_a_tuning_that_goes_on_from_another_may_be_of_that_one() -> None:
    one, other = ({"FinalHyperParameterTuningJobObjectiveMetric": {"Value": value}} for value in (0.8, 0.9))
    assert "90.0%" in str(trials(BestTrainingJob=one, OverallBestTrainingJob=other))
