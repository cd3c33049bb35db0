"""SageMaker tuning jobs: trials that are training jobs of this server, chosen by `local.tuning_study`."""

import copy
import itertools
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from optuna.trial import Trial

from local import keeper
from local.service_errors import ServiceError, page
from local.training_jobs import EndedTrainingJob, TrainingJob, TrainingJobs
from local.tuning_requests import check_tuning_request
from local.tuning_study import Study

Json = dict[str, Any]
OBJECTIVE = "_tuning_objective_metric"  # SageMaker tells each trial by this hyperparameter what is judged
_ENDED = ("Completed", "Failed", "Stopped")
_LOOK_SECONDS = 0.2
# A tuning job fails when its trials do, one after the other.
_MOST_FAILURES_IN_A_ROW = 5


class TuningJobs:
    """The tuning jobs of one server. Every operation takes and gives the JSON of the AWS API."""

    def __init__(self, trainings: TrainingJobs, make_arn: Callable[[str], str]) -> None:
        self._trainings, self._make_arn = trainings, make_arn
        self._lock = threading.Lock()
        self._jobs: dict[str, TuningJob] = {}

    def operations(self) -> dict[str, Callable[[Json], Json]]:
        """Return the API's operations by name."""
        return {
            "CreateHyperParameterTuningJob": self.create,
            "DescribeHyperParameterTuningJob": lambda request: self.find(_named(request)).describe(),
            "ListHyperParameterTuningJobs": self.list_jobs,
            "ListTrainingJobsForHyperParameterTuningJob": self.list_trials,
            "StopHyperParameterTuningJob": self.stop,
        }

    def reset(self) -> None:
        """Stop and forget every job."""
        with self._lock:
            jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            job.stop()

    def state(self) -> list[Json]:
        """Return the descriptions of all jobs with the names of their trials, to be kept as JSON."""
        with self._lock:
            return [{"job": job.record(), "trials": job.names()} for job in self._jobs.values()]

    def restore(self, state: list[Json]) -> None:
        """Take what `state` gave, after the training jobs. What was running then has failed."""
        with self._lock:
            for kept in state:
                trials = [self._trainings.find(name) for name in kept["trials"]]
                parents = [self._jobs[name] for name in _parents(kept["job"])]
                job = TuningJob.ended(kept["job"], trials, parents, self._trainings)
                self._jobs[job.name] = job

    def find(self, name: str) -> "TuningJob":
        """Find a job by its name.

        Raises:
            ServiceError: there is none.

        """
        with self._lock:
            job = self._jobs.get(name)
        if job is None:
            raise ServiceError("ResourceNotFound", f"There is no hyperparameter tuning job {name}.")
        return job

    def create(self, request: Json) -> Json:
        """CreateHyperParameterTuningJob."""
        check_tuning_request(request)
        parents = [self.find(name) for name in _parents(request)]
        if running := [parent.name for parent in parents if not parent.done.is_set()]:
            raise ServiceError(
                "ValidationException", f"The parent tuning job {running[0]} has not reached a final status."
            )
        name = _named(request)
        arn = self._make_arn(f"hyper-parameter-tuning-job/{name}")
        with self._lock:
            if name in self._jobs:
                raise ServiceError(
                    "ResourceInUse",
                    "Hyperparameter tuning job names must be unique within an AWS account and region, and a "
                    f"job with this name already exists ({arn})",
                )
            job = TuningJob(request, arn, self._trainings, parents)
            self._jobs[name] = job
        job.start()
        return {"HyperParameterTuningJobArn": arn}

    def list_jobs(self, request: Json) -> Json:
        """ListHyperParameterTuningJobs."""
        with self._lock:
            jobs = [job.describe() for job in self._jobs.values()]
        chosen = [
            {
                "HyperParameterTuningJobName": job["HyperParameterTuningJobName"],
                "HyperParameterTuningJobArn": job["HyperParameterTuningJobArn"],
                "HyperParameterTuningJobStatus": job["HyperParameterTuningJobStatus"],
                "Strategy": job["HyperParameterTuningJobConfig"]["Strategy"],
                "CreationTime": job["CreationTime"],
                "LastModifiedTime": job["LastModifiedTime"],
                "TrainingJobStatusCounters": job["TrainingJobStatusCounters"],
                "ObjectiveStatusCounters": job["ObjectiveStatusCounters"],
                "ResourceLimits": job["HyperParameterTuningJobConfig"]["ResourceLimits"],
            }
            for job in jobs
            if request.get("NameContains", "") in job["HyperParameterTuningJobName"]
            and request.get("StatusEquals") in (None, job["HyperParameterTuningJobStatus"])
        ]
        by_time = request.get("SortBy") == "CreationTime"
        key = "CreationTime" if by_time else "HyperParameterTuningJobName"
        chosen.sort(key=lambda job: job[key], reverse=request.get("SortOrder") == "Descending")
        shown, token = page(chosen, request.get("NextToken"), int(request.get("MaxResults") or 10))
        return {"HyperParameterTuningJobSummaries": shown} | ({"NextToken": token} if token else {})

    def list_trials(self, request: Json) -> Json:
        """ListTrainingJobsForHyperParameterTuningJob."""
        trials = self.find(_named(request)).trials()
        chosen = [each for each in trials if request.get("StatusEquals") in (None, each["TrainingJobStatus"])]
        order = request.get("SortBy", "Name")
        if order == "FinalObjectiveMetricValue":
            chosen = [each for each in chosen if _FINAL in each]
        chosen.sort(key=_ORDERS[order], reverse=request.get("SortOrder") == "Descending")
        shown, token = page(chosen, request.get("NextToken"), int(request.get("MaxResults") or 10))
        return {"TrainingJobSummaries": shown} | ({"NextToken": token} if token else {})

    def stop(self, request: Json) -> Json:
        """StopHyperParameterTuningJob: returns at once, the job and its trials end as Stopped."""
        job = self.find(_named(request))
        if not job.stop():
            raise ServiceError("ValidationException", f"The tuning job {job.name} has ended already.")
        return {}


_FINAL = "FinalHyperParameterTuningJobObjectiveMetric"
_ORDERS: dict[str, Callable[[Json], Any]] = {
    "Name": lambda each: each["TrainingJobName"],
    "CreationTime": lambda each: each["CreationTime"],
    "Status": lambda each: each["TrainingJobStatus"],
    "FinalObjectiveMetricValue": lambda each: each[_FINAL]["Value"],
}


class TuningJob:
    """One tuning job; `done` is set when it has reached its last status."""

    def __init__(self, request: Json, arn: str, trainings: TrainingJobs, parents: "list[TuningJob]") -> None:
        now = time.time()
        self.name: str = request["HyperParameterTuningJobName"]
        self.done = threading.Event()
        self._trainings, self._parents = trainings, parents
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._trials: list[TrainingJob | EndedTrainingJob] = []
        self._numbers = itertools.count(1)
        self._failures = 0
        self._record: Json = {
            **{key: value for key, value in request.items() if key != "Tags"},
            "HyperParameterTuningJobArn": arn,
            "HyperParameterTuningJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }

    @classmethod
    def ended(
        cls,
        record: Json,
        trials: list[TrainingJob | EndedTrainingJob],
        parents: "list[TuningJob]",
        trainings: TrainingJobs,
    ) -> "TuningJob":
        """Return a job of a server before this one; one that was running then has failed."""
        job = cls(record, record["HyperParameterTuningJobArn"], trainings, parents)
        job._record, job._trials = record, trials
        if record["HyperParameterTuningJobStatus"] not in _ENDED:
            reason = "InternalServerError: The local AWS ended during the job."
            record.update(HyperParameterTuningJobStatus="Failed", FailureReason=reason)
            record["HyperParameterTuningEndTime"] = time.time()
        job.done.set()
        return job

    def start(self) -> None:
        """Run it in the background."""
        threading.Thread(target=self._run, name=f"tuning-{self.name}", daemon=True).start()

    def record(self) -> Json:
        """Return its own description, without what its trials say."""
        with self._lock:
            return copy.deepcopy(self._record)

    def names(self) -> list[str]:
        """Return the names of its trials, in the order in which they began."""
        with self._lock:
            return [trial.name for trial in self._trials]

    def trials(self) -> list[Json]:
        """Return what ListTrainingJobsForHyperParameterTuningJob tells of each trial."""
        with self._lock:
            jobs = list(self._trials)
        return [self._summary(job.describe()) for job in jobs]

    def describe(self) -> Json:
        """Return what DescribeHyperParameterTuningJob answers."""
        trials, answer = self.trials(), self.record()
        statuses = Counter(each["TrainingJobStatus"] for each in trials)
        answer["TrainingJobStatusCounters"] = {
            "Completed": statuses["Completed"],
            "InProgress": statuses["InProgress"] + statuses["Stopping"],
            "RetryableError": 0,
            "NonRetryableError": statuses["Failed"],
            "Stopped": statuses["Stopped"],
        }
        answer["ObjectiveStatusCounters"] = {
            status: sum(each["ObjectiveStatus"] == status for each in trials)
            for status in ("Succeeded", "Pending", "Failed")
        }
        if best := self._best(trials):
            answer["BestTrainingJob"] = best
        if answer.get("WarmStartConfig") and (best := self._best(self._with_parents(trials))):
            answer["OverallBestTrainingJob"] = best
        return answer

    def stop(self) -> bool:
        """Ask it and its trials to stop; returns whether it was still running."""
        with self._lock:
            if self.done.is_set():
                return False
            self._record["HyperParameterTuningJobStatus"] = "Stopping"
            self._stopping.set()
            trials = list(self._trials)
        for trial in trials:
            trial.stop("Stopped")
        return True

    def _run(self) -> None:
        config = self._record["HyperParameterTuningJobConfig"]
        limits = config["ResourceLimits"]
        study = Study(config)
        for trial in self._with_parents([]):
            if _FINAL in trial and trial["TrainingJobStatus"] == "Completed":
                study.add(trial["TunedHyperParameters"], trial[_FINAL]["Value"])
        timer = threading.Timer(limits.get("MaxRuntimeInSeconds", 30 * 86_400), self.stop)
        timer.daemon = True
        timer.start()
        workers = [
            threading.Thread(target=self._work, args=(study, limits["MaxNumberOfTrainingJobs"]), daemon=True)
            for _ in range(limits["MaxParallelTrainingJobs"])
        ]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        finally:
            timer.cancel()
            self._end()

    def _work(self, study: Study, trials: int) -> None:
        """Run one trial after the other until there are enough."""
        while not self._stopping.is_set():
            number = next(self._numbers)
            if number > trials:
                return
            trial, chosen = study.ask()
            try:
                value, stopped = self._try(study, trial, number, chosen)
            except ServiceError as error:  # what SageMaker refuses of a training
                with self._lock:
                    self._record["FailureReason"] = f"ClientError: {error.message}"
                self._stopping.set()
                return
            study.tell(trial, value, stopped=stopped)
            with self._lock:
                self._failures = self._failures + 1 if value is None else 0
                if self._failures >= _MOST_FAILURES_IN_A_ROW:
                    self._stopping.set()

    def _try(
        self, study: Study, trial: Trial, number: int, chosen: dict[str, str]
    ) -> tuple[float | None, bool]:
        """Run one trial; returns its last value, None without one, and whether it was stopped early."""
        with self._lock:
            request = self._training_request(number, chosen)
            self._trainings.create(request)
            job = self._trainings.find(request["TrainingJobName"])
            self._trials.append(job)
            if self._stopping.is_set():
                job.stop("Stopped")
        keeper.state_changed("sagemaker")
        values: list[float] = []
        hopeless = ended = False
        while not ended:
            ended = job.done.wait(_LOOK_SECONDS)
            for value in job.values(self._objective)[len(values) :]:
                values.append(value)
                hopeless = study.is_hopeless(trial, value, len(values)) or hopeless
            if hopeless and not ended:
                job.stop("Stopped")
        status = job.describe()["TrainingJobStatus"]
        failed = status == "Failed" or not values
        stopped = hopeless and status == "Stopped"
        return (None if failed else values[-1]), stopped

    def _training_request(self, number: int, chosen: dict[str, str]) -> Json:
        definition = copy.deepcopy(self._record["TrainingJobDefinition"])
        static = definition.pop("StaticHyperParameters", {})
        definition.pop("DefinitionName", None)
        return {
            **definition,
            "TrainingJobName": f"{self.name}-{number:03d}-{secrets.token_hex(4)}",
            "HyperParameters": {OBJECTIVE: self._objective, **static, **chosen},
        }

    @property
    def _objective(self) -> str:
        config = self._record["HyperParameterTuningJobConfig"]
        return str(config["HyperParameterTuningJobObjective"]["MetricName"])

    def _summary(self, job: Json) -> Json:
        config = self._record["HyperParameterTuningJobConfig"]
        names = {each["Name"] for kind in config["ParameterRanges"].values() for each in kind}
        kept = (
            "TrainingJobName",
            "TrainingJobArn",
            "CreationTime",
            "TrainingStartTime",
            "TrainingEndTime",
            "TrainingJobStatus",
            "FailureReason",
        )
        value = next(
            (
                each["Value"]
                for each in job.get("FinalMetricDataList", [])
                if each["MetricName"] == self._objective
            ),
            None,
        )
        running = job["TrainingJobStatus"] in ("InProgress", "Stopping")
        summary: Json = {
            **{key: job[key] for key in kept if key in job},
            "TuningJobName": self.name,
            "TunedHyperParameters": {key: job["HyperParameters"][key] for key in sorted(names)},
            "ObjectiveStatus": "Pending" if running else "Failed" if value is None else "Succeeded",
        }
        if value is not None and not running:
            objective = config["HyperParameterTuningJobObjective"]
            summary[_FINAL] = {"Type": objective["Type"], "MetricName": self._objective, "Value": value}
        return summary

    def _with_parents(self, trials: list[Json]) -> list[Json]:
        return [*trials, *itertools.chain.from_iterable(parent.lineage() for parent in self._parents)]

    def lineage(self) -> Iterator[Json]:
        """Yield the trials of this job and of its parents."""
        yield from self._with_parents(self.trials())

    def _best(self, trials: list[Json]) -> Json | None:
        judged = [each for each in trials if each["TrainingJobStatus"] == "Completed" and _FINAL in each]
        objective = self._record["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        choose = max if objective["Type"] == "Maximize" else min
        return choose(judged, key=lambda each: each[_FINAL]["Value"]) if judged else None

    def _end(self) -> None:
        with self._lock:
            now = time.time()
            asked = self._record["HyperParameterTuningJobStatus"] == "Stopping"
            status = "Stopped" if asked else "Completed"
            if not asked and self._best(self.trials()) is None:
                status = "Failed"
                self._record.setdefault("FailureReason", _why(self.trials()))
            self._record.update(
                HyperParameterTuningJobStatus=status, HyperParameterTuningEndTime=now, LastModifiedTime=now
            )
            self.done.set()
        keeper.state_changed("sagemaker")


def _named(request: Json) -> str:
    return str(request["HyperParameterTuningJobName"])


def _parents(request: Json) -> list[str]:
    warm = request.get("WarmStartConfig") or {}
    return [_named(each) for each in warm.get("ParentHyperParameterTuningJobs", [])]


def _why(trials: list[Json]) -> str:
    said = next((each["FailureReason"] for each in trials if "FailureReason" in each), "")
    none = "No training job succeeded after 5 attempts, or none told its objective metric."
    return f"{none} The first said: {said}"[:1024] if said else none
