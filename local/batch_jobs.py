"""Batch jobs that run: one program each, or the children of an array job, as many at once as have room."""

import copy
import math
import os
import shutil
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from local import keeper, roles
from local.batch_requests import JobRequest, now
from local.cloudwatch import LogStream
from local.processes import JobProcess
from local.service_errors import ServiceError
from local.settings import REGION, inherited_environment

DEFAULT_LOG_GROUP = "/aws/batch/job"
ENDED = ("SUCCEEDED", "FAILED")
_WAITING = ("SUBMITTED", "PENDING", "RUNNABLE")
_STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
_TIMED_OUT = "Job attempt duration exceeded timeout"
_INTERRUPTED = "The local AWS ended during the job."
_KEPT_CHILDREN = 100


class Slots:
    """Room to run: for each queue a pool of threads, one for each job that may run at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, int], ThreadPoolExecutor] = {}

    def of(self, queue: str, vcpu_limit: int | None) -> ThreadPoolExecutor:
        """Return the pool of a queue: as many threads as this machine has cores, or the environment vCPUs."""
        size = max(1, min(os.cpu_count() or 1, math.inf if vcpu_limit is None else vcpu_limit))
        with self._lock:
            return self._pools.setdefault(
                (queue, int(size)), ThreadPoolExecutor(int(size), thread_name_prefix="batch")
            )


class ContainerJob:
    """A job of one program, alone or as a child of an array job; `done` is set when it has ended."""

    def __init__(
        self, request: JobRequest, parent: "ArrayJob | None" = None, index: int | None = None
    ) -> None:
        self.job_id = str(uuid.uuid4()) if parent is None else f"{parent.job_id}:{index}"
        self.done = threading.Event()
        self._request, self._parent, self._index = request, parent, index
        self._lock = threading.Lock()
        self._process: JobProcess | None = None
        self._termination = ""
        self._record = request.record(self.job_id)
        self._record["container"] = {
            "image": request.container.get("image", ""),
            "command": request.command(),
            "environment": [{"name": key, "value": value} for key, value in request.variables().items()],
            "resourceRequirements": request.container.get("resourceRequirements") or [],
            "logConfiguration": request.container.get("logConfiguration") or {"logDriver": "awslogs"},
        }
        if index is not None:
            self._record["arrayProperties"] = {"index": index}

    def start(self) -> None:
        """Wait for a slot and run, in the background."""
        self._set(status="RUNNABLE")
        self._request.slots.submit(self._run)

    def describe(self) -> dict[str, Any]:
        """Return what DescribeJobs tells."""
        with self._lock:
            return copy.deepcopy(self._record)

    def state(self) -> dict[str, Any]:
        """Return what is kept of it, see EndedJob."""
        return {"job": self.describe(), "children": []}

    @property
    def failed(self) -> bool:
        """Whether it has ended so."""
        return bool(self._record["status"] == "FAILED")

    def terminate(self, reason: str) -> None:
        """End it as FAILED with this reason: stop the program, or never start it."""
        with self._lock:
            if self._record["status"] in ENDED:
                return
            self._termination = self._termination or reason
            process = self._process
            waiting = self._record["status"] in _WAITING
        if process:
            process.stop(self._request.settings.grace_seconds)
        elif waiting:
            self._end("FAILED", reason)

    def cancel(self, reason: str) -> None:
        """End it if it has not begun; a running job goes on."""
        with self._lock:
            waiting = self._record["status"] in _WAITING
        if waiting:
            self.terminate(reason)

    def _run(self) -> None:
        if self.done.is_set():
            return
        try:
            self._run_attempts()
        except Exception as error:
            self._end("FAILED", f"The local AWS could not run the job: {type(error).__name__}: {error}")

    def _run_attempts(self) -> None:
        limit = int(self._request.retry_strategy.get("attempts", 1))
        for number in range(1, limit + 1):
            code, reason = self._run_attempt(number)
            if code == 0 and not self._termination:
                return self._end("SUCCEEDED", reason)
            if self._termination or not self._again(code, reason):
                break
        return self._end("FAILED", self._termination or reason)

    def _run_attempt(self, number: int) -> tuple[int, str]:
        """One attempt; returns its exit code and the reason that Batch would tell."""
        stream_name = f"{self._stream_prefix()}/default/{uuid.uuid4().hex}"
        stream = LogStream(self._request.settings.endpoint, self._log_group(), stream_name)
        folder = self._request.settings.jobs / f"batch-{self.job_id.replace(':', '-')}"
        folder.mkdir(parents=True, exist_ok=True)
        began = now()
        self._set(status="RUNNING", startedAt=began)
        self._set_container(logStreamName=stream_name)
        try:
            code, reason = self._run_program(number, folder, stream)
        except OSError as error:
            stream.write(f"CannotStartContainerError: {error}")
            code, reason = 127, f"CannotStartContainerError: {error}"
        finally:
            stream.close()
            shutil.rmtree(folder, ignore_errors=True)
        self._set_container(exitCode=code)
        attempt = {"container": {"exitCode": code, "logStreamName": stream_name}, "startedAt": began}
        with self._lock:
            self._record["attempts"].append(attempt | {"stoppedAt": now(), "statusReason": reason})
        return code, reason

    def _run_program(self, attempt: int, folder: Path, stream: LogStream) -> tuple[int, str]:
        settings, command = self._request.settings, self._request.command()
        program = shutil.which(command[0], path=settings.path) if command else None
        if program is None:
            raise FileNotFoundError(f"there is no program {command[:1]} in {settings.programs}")
        process = JobProcess(
            [program, *command[1:]],
            environment=self._environment(attempt, folder),
            folder=folder,
            pids=settings.pids,
            on_line=stream.write,
        )
        late = threading.Event()
        timer = self._time_limit(process, late)
        with self._lock:
            self._process, terminated = process, self._termination
        if terminated:
            process.stop(settings.grace_seconds)
        code = process.wait()
        with self._lock:
            self._process = None
        if timer:
            timer.cancel()
        return (code or 137, _TIMED_OUT) if late.is_set() else (code, "Essential container in task exited")

    def _time_limit(self, process: JobProcess, late: threading.Event) -> threading.Timer | None:
        seconds = self._request.timeout_seconds
        if not seconds:
            return None

        def expire() -> None:
            late.set()
            process.stop(self._request.settings.grace_seconds)

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        return timer

    def _environment(self, attempt: int, folder: Path) -> dict[str, str]:
        settings = self._request.settings
        child = {} if self._index is None else {"AWS_BATCH_JOB_ARRAY_INDEX": str(self._index)}
        size = {} if self._parent is None else {"AWS_BATCH_JOB_ARRAY_SIZE": str(len(self._parent.children))}
        return {
            **inherited_environment(),
            "PATH": settings.path,
            "TMPDIR": str(folder),
            "AWS_REGION": REGION,
            **settings.client_environment(),
            **roles.credentials(self._request.container.get("jobRoleArn")),
            **self._request.variables(),
            "AWS_BATCH_JOB_ID": self.job_id,
            "AWS_BATCH_JOB_ATTEMPT": str(attempt),
            "AWS_BATCH_JQ_NAME": self._request.queue.rpartition("/")[2],
            **child,
            **size,
        }

    def _again(self, code: int, reason: str) -> bool:
        """Return whether the retry strategy wants another attempt. A timeout is never retried.

        https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html: the first rule whose conditions
        all match decides; without a match the attempt is retried.
        """
        if reason == _TIMED_OUT:
            return False
        outcome = {"onExitCode": str(code), "onReason": "", "onStatusReason": reason}
        if reason.startswith("CannotStartContainerError"):
            outcome["onReason"] = reason
        for rule in self._request.retry_strategy.get("evaluateOnExit") or []:
            conditions = {key: rule[key] for key in outcome if key in rule}
            if all(fnmatchcase(outcome[key], pattern) for key, pattern in conditions.items()):
                return str(rule["action"]).upper() == "RETRY"
        return True

    def _end(self, status: str, reason: str) -> None:
        with self._lock:
            if self.done.is_set():
                return
            self._record.update(status=status, statusReason=reason, stoppedAt=now())
            self.done.set()
        if self._parent:
            self._parent.child_ended()
        keeper.state_changed("batch")

    def _set(self, **values: object) -> None:
        with self._lock:
            if not self.done.is_set():
                self._record.update(values)

    def _set_container(self, **values: object) -> None:
        with self._lock:
            self._record["container"].update(values)

    def _log_options(self) -> dict[str, str]:
        return (self._request.container.get("logConfiguration") or {}).get("options") or {}

    def _log_group(self) -> str:
        return self._log_options().get("awslogs-group", DEFAULT_LOG_GROUP)

    def _stream_prefix(self) -> str:
        return str(
            self._log_options().get("awslogs-stream-prefix", self._request.definition["jobDefinitionName"])
        )


class ArrayJob:
    """An array job: succeeds if every child does, and ends when the last child has."""

    def __init__(self, request: JobRequest, size: int) -> None:
        self.job_id = str(uuid.uuid4())
        self.done = threading.Event()
        self._lock = threading.Lock()
        self._left = size
        self._record = request.record(self.job_id)
        self.children = [ContainerJob(request, self, index) for index in range(size)]

    def start(self) -> None:
        """Let the children wait for their slots."""
        with self._lock:
            self._record.update(status="PENDING", startedAt=now())
        for child in self.children:
            child.start()

    def child(self, job_id: str) -> ContainerJob:
        """Find a child by its id.

        Raises:
            ServiceError: there is none.

        """
        index = job_id.partition(":")[2]
        if not index.isdecimal() or int(index) >= len(self.children):
            raise ServiceError("ClientException", f"Job does not exist: {job_id}")
        return self.children[int(index)]

    def describe(self) -> dict[str, Any]:
        """Return what DescribeJobs tells of the parent."""
        counts = Counter(child.describe()["status"] for child in self.children)
        with self._lock:
            record = copy.deepcopy(self._record)
        record["arrayProperties"] = {
            "size": len(self.children),
            "statusSummary": {status: counts.get(status, 0) for status in _STATUSES},
        }
        return record

    def state(self) -> dict[str, Any]:
        """Return what is kept of it, see EndedJob: of its children those that failed, and not very many."""
        failed = [child.describe() for child in self.children if child.failed]
        return {"job": self.describe(), "children": failed[:_KEPT_CHILDREN]}

    def terminate(self, reason: str) -> None:
        """End every child."""
        for child in self.children:
            child.terminate(reason)

    def cancel(self, reason: str) -> None:
        """End the children that have not begun."""
        for child in self.children:
            child.cancel(reason)

    def child_ended(self) -> None:
        """Count a child that has ended; after the last one the parent ends."""
        with self._lock:
            self._left -= 1
            if self._left:
                return
        failed = any(child.failed for child in self.children)
        with self._lock:
            self._record.update(status="FAILED" if failed else "SUCCEEDED", stoppedAt=now())
            if failed:
                self._record["statusReason"] = "Array Child Job failed"
        self.done.set()


class EndedJob:
    """A job of a server before this one: its description and those of its children that had failed."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._record: dict[str, Any] = state["job"]
        self.job_id: str = self._record["jobId"]
        self.children = [EndedJob({"job": child, "children": []}) for child in state["children"]]
        self.done = threading.Event()
        self.done.set()
        if self._record["status"] not in ENDED:
            self._record.update(status="FAILED", statusReason=_INTERRUPTED, stoppedAt=now())

    def describe(self) -> dict[str, Any]:
        """Return what DescribeJobs tells."""
        return copy.deepcopy(self._record)

    def state(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {"job": self.describe(), "children": [child.describe() for child in self.children]}

    def child(self, job_id: str) -> "EndedJob":
        """Find a child by its id.

        Raises:
            ServiceError: there is none, or nothing is kept of it.

        """
        for child in self.children:
            if child.job_id == job_id:
                return child
        raise ServiceError("ClientException", f"Job does not exist: {job_id}")

    def terminate(self, reason: str) -> None:
        """Do nothing: it does not run, whatever the reason."""

    def cancel(self, reason: str) -> None:
        """Do nothing: it does not wait, whatever the reason."""
