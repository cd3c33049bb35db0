"""Lambda: what is left to try of a tuning, and afterwards the best of what was tried."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from contract import keys
from contract.state import Choice, ChooseEvent, Plan, PlanEvent, Run
from shared import aws, settings, storage
from shared.storage import Location
from shared.telemetry import lambda_handler, logger
from tune import trials
from tune.plan import TuningJob, plan
from tune.trials import Trial

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import HyperParameterTrainingJobSummaryTypeDef


def _handle(event: PlanEvent | ChooseEvent) -> Plan | Choice:
    if "plan" in event:
        return _choose(event["run"])
    jobs = list(_jobs(event["run"]))
    made = plan(event["run"], jobs, settings.artifacts_bucket(), event["execution"], event["redrives"])
    logger.info("Planned", extra={"left": made["left"], "parents": len(made["parents"])})
    return made


def _choose(run: Run) -> Choice:
    """Return the run with the best hyperparameters, and put all trials where people find them."""
    from tune import page  # noqa: PLC0415 - it loads pandas and Jinja, which planning does not need

    tried = [trial for job in reversed(list(_jobs(run))) for trial in _trials(job.name)]
    found = trials.best(tried)
    bucket, folder = settings.results_bucket(), run["name"]
    table = storage.write_bytes(
        Location(bucket, f"{folder}/{keys.TRIALS}"),
        trials.table(tried).encode("utf-8-sig"),
        "text/csv; charset=utf-8",
    )
    report = storage.write_bytes(
        Location(bucket, f"{folder}/{keys.TRIALS_REPORT}"),
        page.render(tried, found, run["tuning"]["config"]["ParameterRanges"]).encode(),
        "text/html; charset=utf-8",
    )
    kept = trials.described(tried, found, table, report)
    logger.info("Chosen", extra={"trial": found.name, "accuracy": found.accuracy, "trials": len(tried)})
    hyperparameters = {**run["hyperparameters"], **found.chosen}
    return {"run": {**run, "hyperparameters": hyperparameters, "tuning": {**run["tuning"], "best": kept}}}


def _jobs(run: Run) -> Iterator[TuningJob]:
    """Yield the tuning jobs of a run's work, of all executions, the newest first."""
    listed = aws.sagemaker().get_paginator("list_hyper_parameter_tuning_jobs")
    name = f"{run['tuning']['name']}-"
    for some in listed.paginate(NameContains=name, SortBy="CreationTime", SortOrder="Descending"):
        for job in some["HyperParameterTuningJobSummaries"]:
            if job["HyperParameterTuningJobName"].startswith(name):
                counters = job["TrainingJobStatusCounters"]
                yield TuningJob(
                    job["HyperParameterTuningJobName"],
                    job["HyperParameterTuningJobStatus"],
                    counters.get("Completed", 0),
                )


def _trials(job: str) -> Iterator[Trial]:
    listed = aws.sagemaker().get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    order: Any = {"SortBy": "CreationTime", "SortOrder": "Ascending"}
    for some in listed.paginate(HyperParameterTuningJobName=job, **order):
        for each in some["TrainingJobSummaries"]:
            yield _trial(job, each)


def _trial(job: str, told: "HyperParameterTrainingJobSummaryTypeDef") -> Trial:
    final = told.get("FinalHyperParameterTuningJobObjectiveMetric")
    began, ended = told.get("TrainingStartTime"), told.get("TrainingEndTime")
    return Trial(
        name=told["TrainingJobName"],
        job=job,
        status=told["TrainingJobStatus"],
        accuracy=final["Value"] if final else None,
        seconds=round((ended - began).total_seconds()) if began and ended else None,
        chosen=told["TunedHyperParameters"],
        reason=told.get("FailureReason", ""),
    )


handler = lambda_handler(_handle)
