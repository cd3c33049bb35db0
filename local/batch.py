"""The AWS Batch API. ministack keeps compute environments and queues, but runs no jobs; they run here."""

import json
import re
import threading
from collections.abc import Callable
from typing import Any

from local.batch_jobs import ArrayJob, ContainerJob, EndedJob, Slots
from local.batch_requests import JobRequest
from local.patches import Part, part, replace
from local.service_errors import ServiceError, page
from local.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_OVERRIDES_LIMIT = 8192
_ARRAY_SIZES = range(2, 10_001)
KEPT_JOBS = 200

_state: dict[str, Settings] = {}
_slots = Slots()
_jobs: dict[str, ContainerJob | ArrayJob | EndedJob] = {}
_lock = threading.Lock()


def install(settings: Settings) -> None:
    """Take over the operations of jobs and of job definitions, and add those that are missing."""
    _state["settings"] = settings
    operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "submitjob": submit_job,
        "describejobs": describe_jobs,
        "listjobs": list_jobs,
        "terminatejob": terminate_job,
        "canceljob": cancel_job,
        "registerjobdefinition": register_job_definition,
        "describejobdefinitions": describe_job_definitions,
        "deregisterjobdefinition": deregister_job_definition,
        "updatejobqueue": update_job_queue,
        "deletejobqueue": delete_job_queue,
        "deletecomputeenvironment": delete_compute_environment,
    }
    dispatch = part("services.batch", "_DISPATCH")
    for name, operation in operations.items():
        dispatch[f"/v1/{name}"] = _as_handler(operation)
    replace("services.batch", "reset", _reset_too)
    replace("services.batch", "get_state", _with_jobs)
    replace("services.batch", "load_persisted_state", _restoring_jobs)


def find_job(job_id: str) -> ContainerJob | ArrayJob | EndedJob:
    """Find a job, or a child of an array job, by its id.

    Raises:
        ServiceError: there is none.

    """
    with _lock:
        job = _jobs.get(job_id.partition(":")[0])
    if job is not None and not isinstance(job, ContainerJob) and ":" in job_id:
        return job.child(job_id)
    if job is None:
        raise ServiceError("ClientException", f"Job does not exist: {job_id}")
    return job


def submit_job(request: dict[str, Any]) -> dict[str, Any]:
    """SubmitJob: starts the job, or the children of an array job, as soon as there is room."""
    name = request.get("jobName", "")
    if not _NAME.fullmatch(name):
        raise ServiceError("ClientException", "jobName should match ^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")
    if len(json.dumps(request.get("containerOverrides") or {})) > _OVERRIDES_LIMIT:
        raise ServiceError(
            "ClientException", f"Container Overrides length must be at most {_OVERRIDES_LIMIT}"
        )
    queue = _queue(request.get("jobQueue", ""))
    if queue["state"] != "ENABLED":
        raise ServiceError("ClientException", f"JobQueue {queue['jobQueueArn']} is not ENABLED")
    environment = _first_environment(queue)
    job_request = JobRequest(
        settings=_state["settings"],
        name=name,
        queue=queue["jobQueueArn"],
        definition=_definition(request.get("jobDefinition", "")),
        request=request,
        make_arn=part("services.batch", "_job_arn"),
        slots=_slots.of(queue["jobQueueArn"], _vcpu_limit(environment)),
    )
    job = _make(job_request, (request.get("arrayProperties") or {}).get("size"))
    with _lock:
        _jobs[job.job_id] = job
    job.start()
    return {"jobId": job.job_id, "jobName": name, "jobArn": job.describe()["jobArn"]}


def describe_jobs(request: dict[str, Any]) -> dict[str, Any]:
    """DescribeJobs: unknown ids are left out, as AWS does."""
    found = []
    for job_id in request.get("jobs") or []:
        try:
            found.append(find_job(job_id.rpartition("job/")[2]).describe())
        except ServiceError:
            continue
    return {"jobs": found}


def list_jobs(request: dict[str, Any]) -> dict[str, Any]:
    """ListJobs of a queue or of an array job, in one status (RUNNING if none is named, as on AWS)."""
    wanted = request.get("jobStatus") or "RUNNING"
    if request.get("arrayJobId"):
        parent = find_job(request["arrayJobId"])
        children = [] if isinstance(parent, ContainerJob) else parent.children
        jobs = [child.describe() for child in children]
    elif request.get("jobQueue"):
        queue = _queue(request["jobQueue"])["jobQueueArn"]
        with _lock:
            known = list(_jobs.values())
        jobs = [job for job in (job.describe() for job in known) if job["jobQueue"] == queue]
    else:
        raise ServiceError("ClientException", "Exactly one of jobQueue or arrayJobId must be specified")
    summaries = [_summary(job) for job in jobs if job["status"] == wanted]
    shown, token = page(summaries, request.get("nextToken"), int(request.get("maxResults") or 1000))
    return {"jobSummaryList": shown} | ({"nextToken": token} if token else {})


def terminate_job(request: dict[str, Any]) -> dict[str, Any]:
    """TerminateJob: waiting jobs end at once, running ones are stopped; all as FAILED with the reason."""
    find_job(request["jobId"]).terminate(request["reason"])
    return {}


def cancel_job(request: dict[str, Any]) -> dict[str, Any]:
    """CancelJob: only what has not begun to run."""
    find_job(request["jobId"]).cancel(request["reason"])
    return {}


def register_job_definition(request: dict[str, Any]) -> dict[str, Any]:
    """RegisterJobDefinition: the next revision, whole (ministack drops half of it)."""
    for variable in (request.get("containerProperties") or {}).get("environment") or []:
        if variable["name"].startswith("AWS_BATCH"):
            raise ServiceError(
                "ClientException", f"Environment variable {variable['name']}: AWS_BATCH is reserved"
            )
    revisions = part("services.batch", "_job_definitions").setdefault(request["jobDefinitionName"], [])
    name, number = request["jobDefinitionName"], len(revisions) + 1
    arn = part("services.batch", "_jd_arn")(name, number)
    revisions.append(
        {"type": "container", **request, "jobDefinitionArn": arn, "revision": number, "status": "ACTIVE"}
    )
    return {"jobDefinitionName": name, "jobDefinitionArn": arn, "revision": number}


def describe_job_definitions(request: dict[str, Any]) -> dict[str, Any]:
    """DescribeJobDefinitions by name, status or ARN (name:revision)."""
    definitions = [
        revision
        for revisions in part("services.batch", "_job_definitions").values()
        for revision in revisions
    ]
    if request.get("jobDefinitionName"):
        definitions = [
            item for item in definitions if item["jobDefinitionName"] == request["jobDefinitionName"]
        ]
    if request.get("status"):
        definitions = [item for item in definitions if item["status"] == request["status"]]
    if request.get("jobDefinitions"):
        wanted = {reference.rpartition("/")[2] for reference in request["jobDefinitions"]}
        definitions = [
            item for item in definitions if f"{item['jobDefinitionName']}:{item['revision']}" in wanted
        ]
    return {"jobDefinitions": definitions}


def deregister_job_definition(request: dict[str, Any]) -> dict[str, Any]:
    """DeregisterJobDefinition: the revision stays known as INACTIVE; its number is not given again."""
    name, _, revision = request["jobDefinition"].rpartition("/")[2].partition(":")
    for item in part("services.batch", "_job_definitions").get(name, []):
        if str(item["revision"]) == revision:
            item["status"] = "INACTIVE"
    return {}


def update_job_queue(request: dict[str, Any]) -> dict[str, Any]:
    """UpdateJobQueue."""
    queue = _queue(request["jobQueue"])
    queue.update({key: value for key, value in request.items() if key != "jobQueue"})
    return {"jobQueueName": queue["jobQueueName"], "jobQueueArn": queue["jobQueueArn"]}


def delete_job_queue(request: dict[str, Any]) -> dict[str, Any]:
    """DeleteJobQueue (its running jobs are terminated)."""
    queue = _queue(request["jobQueue"])
    with _lock:
        jobs = list(_jobs.values())
    for job in jobs:
        if job.describe()["jobQueue"] == queue["jobQueueArn"]:
            job.terminate("Job Queue Deleted")
    part("services.batch", "_job_queues").pop(queue["jobQueueName"], None)
    return {}


def delete_compute_environment(request: dict[str, Any]) -> dict[str, Any]:
    """DeleteComputeEnvironment: refused while a queue uses it."""
    name = request["computeEnvironment"].rpartition("/")[2]
    for queue in part("services.batch", "_job_queues").values():
        if any(
            item["computeEnvironment"].rpartition("/")[2] == name for item in queue["computeEnvironmentOrder"]
        ):
            raise ServiceError(
                "ClientException",
                f"Cannot delete, found existing JobQueue relationship: {queue['jobQueueName']}",
            )
    part("services.batch", "_compute_envs").pop(name, None)
    return {}


def _as_handler(operation: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], Part]:
    def handle(request: dict[str, Any]) -> Part:
        try:
            return part("services.batch", "_json")(200, operation(request))
        except ServiceError as error:
            return part("core.responses", "error_response_json")(
                error.code, error.message, 400, content_type="application/json"
            )

    return handle


def _reset_too(original: Callable[[], None]) -> Callable[[], None]:
    def reset() -> None:
        with _lock:
            jobs = list(_jobs.values())
            _jobs.clear()
        for job in jobs:
            job.terminate("The local AWS was reset")
        original()

    return reset


def _with_jobs(original: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Keep the newest jobs, and of array jobs the children that failed."""

    def get_state() -> dict[str, Any]:
        with _lock:
            newest = list(_jobs.values())[-KEPT_JOBS:]
        return original() | {"local_jobs": [job.state() for job in newest]}

    return get_state


def _restoring_jobs(original: Callable[[Part], None]) -> Callable[[Part], None]:
    def load_persisted_state(data: Part) -> None:
        original(data)
        with _lock:
            for state in data.get("local_jobs", []):
                job = EndedJob(state)
                _jobs[job.job_id] = job

    return load_persisted_state


def _make(request: JobRequest, size: int | None) -> ContainerJob | ArrayJob:
    if size is None:
        return ContainerJob(request)
    if size not in _ARRAY_SIZES:
        raise ServiceError("ClientException", f"Array size must be between 2 and 10000, it is {size}")
    return ArrayJob(request, size)


def _queue(reference: str) -> dict[str, Any]:
    queue: dict[str, Any] | None = part("services.batch", "_job_queues").get(reference.rpartition("/")[2])
    if queue is None:
        raise ServiceError("ClientException", f"Job Queue {reference} does not exist")
    return queue


def _first_environment(queue: dict[str, Any]) -> dict[str, Any]:
    order = sorted(queue["computeEnvironmentOrder"], key=lambda item: item.get("order", 0))
    name = order[0]["computeEnvironment"].rpartition("/")[2] if order else ""
    return dict(part("services.batch", "_compute_envs").get(name) or {})


def _vcpu_limit(environment: dict[str, Any]) -> int | None:
    limit = (environment.get("computeResources") or {}).get("maxvCpus")
    return None if limit is None else int(limit)


def _definition(reference: str) -> dict[str, Any]:
    """Find an active revision by ARN, `name:revision`, or the newest by `name`."""
    name, _, revision = reference.rpartition("/")[2].partition(":")
    active = [
        item
        for item in part("services.batch", "_job_definitions").get(name, [])
        if item["status"] == "ACTIVE" and revision in ("", str(item["revision"]))
    ]
    if not active:
        raise ServiceError("ClientException", f"JobDefinition {reference} does not exist or is not ACTIVE")
    newest: dict[str, Any] = active[-1]
    return newest


def _summary(job: dict[str, Any]) -> dict[str, Any]:
    keys = (
        "jobArn",
        "jobId",
        "jobName",
        "createdAt",
        "status",
        "statusReason",
        "startedAt",
        "stoppedAt",
        "arrayProperties",
    )
    summary = {key: job[key] for key in keys if key in job}
    if "container" in job:
        summary["container"] = {
            key: job["container"][key] for key in ("exitCode", "reason") if key in job["container"]
        }
    return summary
