"""SageMaker training jobs, each a run of the program `train` in a process of its own."""

import copy
import re
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local import keeper, training_files
from local.clients import client
from local.cloudwatch import LogStream
from local.processes import JobProcess
from local.service_errors import ServiceError, page
from local.settings import Settings, inherited_environment
from local.storage import FolderUpload, download_prefix, upload_archive
from local.training_requests import check_request

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_SYNC_SECONDS = 1.0
_UNFINISHED = ("InProgress", "Stopping")
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class TrainingJobs:
    """The training jobs of one server. Every operation takes and gives the JSON of the AWS API."""

    def __init__(self, settings: Settings, make_arn: Callable[[str], str]) -> None:
        self._settings, self._make_arn = settings, make_arn
        self._lock = threading.Lock()
        self._jobs: dict[str, TrainingJob | EndedTrainingJob] = {}

    def operations(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """Return the API's operations by name."""
        return {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": lambda request: self.find(request["TrainingJobName"]).describe(),
            "ListTrainingJobs": self.list_jobs,
            "StopTrainingJob": self.stop,
        }

    @property
    def endpoint(self) -> str:
        """The address of the server that these jobs belong to."""
        return self._settings.endpoint

    @property
    def settings(self) -> Settings:
        """The settings of that server."""
        return self._settings

    def reset(self) -> None:
        """Stop and forget every job."""
        with self._lock:
            jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            job.stop("Stopped")

    def state(self) -> list[dict[str, Any]]:
        """Return the descriptions of all jobs, to be kept as JSON."""
        with self._lock:
            return [job.describe() for job in self._jobs.values()]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Take what `state` gave. What was running then has failed."""
        with self._lock:
            for record in state:
                job = EndedTrainingJob(record)
                self._jobs[job.name] = job

    def find(self, name: str) -> "TrainingJob | EndedTrainingJob":
        """Find a job by its name.

        Raises:
            ServiceError: there is none.

        """
        with self._lock:
            job = self._jobs.get(name)
        if job is None:
            raise ServiceError("ValidationException", "Requested resource not found.")
        return job

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateTrainingJob: checked as AWS checks it; a name is never taken a second time."""
        check_request(request)
        name = request["TrainingJobName"]
        arn = self._make_arn(f"training-job/{name}")
        with self._lock:
            if name in self._jobs:
                raise ServiceError(
                    "ResourceInUse",
                    "Training job names must be unique within an AWS account and region, and a training job "
                    f"with this name already exists ({arn})",
                )
            job = TrainingJob(request, arn, self._settings)
            self._jobs[name] = job
        job.start()
        return {"TrainingJobArn": arn}

    def list_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTrainingJobs."""
        with self._lock:
            jobs = [job.describe() for job in self._jobs.values()]
        keys = (
            "TrainingJobName",
            "TrainingJobArn",
            "CreationTime",
            "TrainingEndTime",
            "LastModifiedTime",
            "TrainingJobStatus",
        )
        chosen = [
            {key: job[key] for key in keys if key in job}
            for job in jobs
            if request.get("StatusEquals") in (None, job["TrainingJobStatus"])
            and request.get("NameContains", "") in job["TrainingJobName"]
        ]
        order = {"Name": "TrainingJobName", "Status": "TrainingJobStatus"}.get(
            request.get("SortBy", ""), "CreationTime"
        )
        chosen.sort(key=lambda job: job[order], reverse=request.get("SortOrder") != "Ascending")
        shown, token = page(chosen, request.get("NextToken"), int(request.get("MaxResults") or 10))
        return {"TrainingJobSummaries": shown} | ({"NextToken": token} if token else {})

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """StopTrainingJob: returns at once, the job ends as Stopped."""
        job = self.find(request["TrainingJobName"])
        if not job.stop("Stopped"):
            status = job.describe()["TrainingJobStatus"]
            raise ServiceError(
                "ValidationException",
                f"The request was rejected because the training job is in status {status}.",
            )
        return {}


class TrainingJob:
    """One training job; `done` is set when it has reached its last status."""

    def __init__(self, request: dict[str, Any], arn: str, settings: Settings) -> None:
        self.name: str = request["TrainingJobName"]
        self.done = threading.Event()
        self._request, self._settings = request, settings
        self._base = settings.jobs / f"training-{self.name}"
        self._s3 = client("s3", settings.endpoint, request["RoleArn"])
        self._lock = threading.RLock()
        self._process: JobProcess | None = None
        self._stopped_as = ""
        self._metrics: dict[str, dict[str, Any]] = {}
        self._values: dict[str, list[float]] = {}
        now = time.time()
        self._record: dict[str, Any] = {
            **{key: value for key, value in request.items() if key != "Tags"},
            "TrainingJobArn": arn,
            "TrainingJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
            "ModelArtifacts": {"S3ModelArtifacts": self._output_uri("model.tar.gz")},
            "SecondaryStatusTransitions": [],
        }
        self._enter("Starting")

    def start(self) -> None:
        """Run it in the background."""
        threading.Thread(target=self._run, name=f"training-{self.name}", daemon=True).start()

    def describe(self) -> dict[str, Any]:
        """Return what DescribeTrainingJob answers."""
        with self._lock:
            answer = copy.deepcopy(self._record)
            if self._metrics:
                answer["FinalMetricDataList"] = list(copy.deepcopy(self._metrics).values())
        return answer

    def values(self, metric: str) -> list[float]:
        """Return all values of a metric so far, the oldest first."""
        with self._lock:
            return list(self._values.get(metric, []))

    def stop(self, secondary_status: str) -> bool:
        """Ask it to stop (SIGTERM, later SIGKILL); returns whether it was still running."""
        with self._lock:
            if self._record["TrainingJobStatus"] not in _UNFINISHED:
                return False
            first = not self._stopped_as
            self._stopped_as = self._stopped_as or secondary_status
            self._record["TrainingJobStatus"] = "Stopping"
            process = self._process
            if first:
                self._enter("Stopping")
        if first and process:
            process.stop(self._settings.grace_seconds)
        return True

    def _run(self) -> None:
        try:
            self._train()
        except training_files.NoTrainingDataError as error:
            self._fail(str(error))
        except Exception as error:
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            self.done.set()

    def _train(self) -> None:
        self._enter("Downloading")
        training_files.lay_out(self._base, self._request)
        training_files.download_channels(self._s3, self._base, self._request)
        uploads = self._fetch_checkpoints()
        with self._lock:
            self._record["TrainingStartTime"] = time.time()
        exit_code = 0 if self._stopped_as else self._run_program(uploads)
        with self._lock:
            self._record["TrainingEndTime"] = ended = time.time()
            seconds = max(1, round(ended - self._record["TrainingStartTime"]))
            self._record.update(TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds)
        if self._stopped_as:
            self._finish_stopped()
        elif exit_code:
            self._fail(training_files.failure_reason(self._base, exit_code))
        else:
            self._finish_completed()

    def _run_program(self, checkpoints: FolderUpload | None) -> int:
        """Run `train` with its log, time limit and checkpoints being copied; returns the exit code."""
        stream = LogStream(self._settings.endpoint, LOG_GROUP, f"{self.name}/algo-1-{int(time.time())}")
        ended = threading.Event()
        syncing = threading.Thread(target=self._sync, args=(checkpoints, ended), daemon=True)
        limit = threading.Timer(
            self._request["StoppingCondition"].get("MaxRuntimeInSeconds", 86400),
            self.stop,
            ["MaxRuntimeExceeded"],
        )
        limit.daemon = True
        try:
            self._enter("Training")
            process = self._start_program(lambda line: self._take_line(line, stream))
            limit.start()
            syncing.start()
            return process.wait()
        finally:
            limit.cancel()
            ended.set()
            if syncing.is_alive():
                syncing.join()
            if checkpoints:
                checkpoints.run()
            stream.close()

    def _start_program(self, on_line: Callable[[str], None]) -> JobProcess:
        """Start `train`; a stop that came just before is passed on to it."""
        program = shutil.which("train", path=self._settings.path)
        if program is None:
            raise FileNotFoundError(f"there is no program 'train' in {self._settings.programs}")
        arn = self._record["TrainingJobArn"]
        reach = {} if self._request.get("EnableNetworkIsolation") else self._settings.client_environment()
        process = JobProcess(
            [program],
            environment={
                **inherited_environment(),
                "PATH": self._settings.path,
                "TMPDIR": str(self._scratch()),
                "AWS_REGION": "us-east-1",
                **reach,
                **training_files.program_environment(self._base, self._request, arn),
            },
            folder=self._base,
            pids=self._settings.pids,
            on_line=on_line,
        )
        with self._lock:
            self._process = process
            stopped = self._stopped_as
        if stopped:
            process.stop(self._settings.grace_seconds)
        return process

    def _scratch(self) -> Path:
        folder = self._base / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def _fetch_checkpoints(self) -> FolderUpload | None:
        config = self._request.get("CheckpointConfig")
        if not config:
            return None
        folder = training_files.checkpoint_folder(self._base, self._request)
        uri = config["S3Uri"].rstrip("/") + "/"
        download_prefix(self._s3, uri, folder)
        upload = FolderUpload(self._s3, folder, uri)
        upload.remember()
        return upload

    @staticmethod
    def _sync(upload: FolderUpload | None, ended: threading.Event) -> None:
        while upload and not ended.wait(_SYNC_SECONDS):
            upload.run()

    def _take_line(self, line: str, stream: LogStream) -> None:
        stream.write(line)
        for definition in self._request["AlgorithmSpecification"].get("MetricDefinitions", []):
            match = re.search(definition["Regex"], line)
            if match:
                value = {"MetricName": definition["Name"], "Value": float(match[1]), "Timestamp": time.time()}
                with self._lock:
                    self._metrics[definition["Name"]] = value
                    self._values.setdefault(definition["Name"], []).append(float(match[1]))

    def _finish_completed(self) -> None:
        self._enter("Uploading")
        upload_archive(self._s3, self._base / "model", self._output_uri("model.tar.gz"))
        upload_archive(self._s3, self._base / "output" / "data", self._output_uri("output.tar.gz"))
        shutil.rmtree(self._base, ignore_errors=True)
        self._enter("Completed", status="Completed")

    def _finish_stopped(self) -> None:
        """Keep what the program saved in its grace, as SageMaker does."""
        for folder, name in (("model", "model.tar.gz"), ("output/data", "output.tar.gz")):
            if any((self._base / folder).iterdir()):
                upload_archive(self._s3, self._base / folder, self._output_uri(name))
        shutil.rmtree(self._base, ignore_errors=True)
        self._enter(self._stopped_as, status="Stopped")

    def _fail(self, reason: str) -> None:
        """End as Failed; the job's folder stays for whoever wants to look."""
        reason = reason[: training_files.FAILURE_LIMIT]
        with self._lock:
            self._record["FailureReason"] = reason
        self._enter("Failed", status="Failed", message=reason)

    def _enter(self, secondary_status: str, *, status: str | None = None, message: str | None = None) -> None:
        now = time.time()
        with self._lock:
            transitions = self._record["SecondaryStatusTransitions"]
            if transitions:
                transitions[-1]["EndTime"] = now
            text = message or _MESSAGES[secondary_status]
            transitions.append({"Status": secondary_status, "StartTime": now, "StatusMessage": text})
            self._record.update(SecondaryStatus=secondary_status, LastModifiedTime=now)
            if status:
                self._record.update(TrainingJobStatus=status, TrainingEndTime=now)
        keeper.state_changed("sagemaker")

    def _output_uri(self, name: str) -> str:
        return f"{self._request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output/{name}"


class EndedTrainingJob:
    """A training job of a server before this one: its description, and that nothing of it runs."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.name: str = record["TrainingJobName"]
        self.done = threading.Event()
        self.done.set()
        self._record = record
        if record["TrainingJobStatus"] in _UNFINISHED:
            reason = "InternalServerError: The local AWS ended during the job."
            failure = {"TrainingJobStatus": "Failed", "SecondaryStatus": "Failed", "FailureReason": reason}
            record.update(failure, TrainingEndTime=time.time())

    def describe(self) -> dict[str, Any]:
        """Return what DescribeTrainingJob answers."""
        return copy.deepcopy(self._record)

    def values(self, metric: str) -> list[float]:
        """Return the last value of a metric, if it had one."""
        told = self._record.get("FinalMetricDataList", [])
        return [each["Value"] for each in told if each["MetricName"] == metric]

    def stop(self, secondary_status: str) -> bool:
        """Return False: it does not run, whatever it was to end as."""
        return False
