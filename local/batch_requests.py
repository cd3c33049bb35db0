"""What SubmitJob was asked, put together with the queue and the job definition that it names."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from local.settings import Settings


@dataclass(frozen=True)
class JobRequest:
    """What SubmitJob was asked, with the queue and the definition that it names."""

    settings: Settings
    name: str
    queue: str
    definition: dict[str, Any]
    request: dict[str, Any]
    make_arn: Callable[[str], str]
    slots: ThreadPoolExecutor

    @property
    def overrides(self) -> dict[str, Any]:
        """The request's containerOverrides."""
        return self.request.get("containerOverrides") or {}

    @property
    def container(self) -> dict[str, Any]:
        """The definition's containerProperties."""
        return self.definition.get("containerProperties") or {}

    @property
    def parameters(self) -> dict[str, str]:
        """What `Ref::name` in the command stands for."""
        return {**(self.definition.get("parameters") or {}), **(self.request.get("parameters") or {})}

    @property
    def retry_strategy(self) -> dict[str, Any]:
        """The request's retryStrategy, else the definition's."""
        return self.request.get("retryStrategy") or self.definition.get("retryStrategy") or {}

    @property
    def timeout_seconds(self) -> float | None:
        """How long one attempt may take."""
        timeout = self.request.get("timeout") or self.definition.get("timeout") or {}
        return timeout.get("attemptDurationSeconds")

    def command(self) -> list[str]:
        """Return the command, its `Ref::` words replaced."""
        words = self.overrides.get("command") or self.container.get("command") or []
        return [self.parameters.get(word[5:], word) if word.startswith("Ref::") else word for word in words]

    def variables(self) -> dict[str, str]:
        """Return the environment that definition and request give, the request's winning."""
        pairs = [*(self.container.get("environment") or []), *(self.overrides.get("environment") or [])]
        return {pair["name"]: pair["value"] for pair in pairs}

    def record(self, job_id: str) -> dict[str, Any]:
        """Return the beginning of what DescribeJobs tells of a job."""
        record = {
            "jobArn": self.make_arn(job_id),
            "jobName": self.name,
            "jobId": job_id,
            "jobQueue": self.queue,
            "status": "SUBMITTED",
            "attempts": [],
            "createdAt": now(),
            "retryStrategy": self.retry_strategy,
            "dependsOn": [],
            "jobDefinition": self.definition["jobDefinitionArn"],
            "parameters": self.parameters,
            "tags": self.request.get("tags") or {},
            "platformCapabilities": self.definition.get("platformCapabilities") or ["EC2"],
        }
        if self.timeout_seconds:
            record["timeout"] = {"attemptDurationSeconds": self.timeout_seconds}
        return record


def now() -> int:
    """Return this moment as Batch writes moments, in milliseconds."""
    return int(time.time() * 1000)
