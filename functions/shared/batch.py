"""From what AWS Batch says of a job that failed to what people are told.

The reasons are those of the Batch and ECS user guides: a cause is only told where one of them names it.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from contract.text import count
from shared import aws

KILLED = 137  # the exit code of a program that the machine ended: 128 + SIGKILL
SHOWN = 3  # different reasons of shards
NONE = "no reason was given"
ASKED_FOR = 200  # failed shards, of Batch
REASON_LIMIT = 300
_NO_REASON = re.compile(
    r"(Essential container in task exited|Array Child Job failed|Task failed to start)[.:]?\s*", re.IGNORECASE
)
_ANEW = "or start with a smaller rows_per_shard in the configuration, which labels all rows anew."
_MEMORY = f"Give the stack more JobMemoryMiB, {_ANEW}"


@dataclass(frozen=True)
class Reason:
    """Why a job failed. `quoted` are AWS's own words, where they say more."""

    what: str
    quoted: str = ""
    advice: str = ""
    timed_out: bool = False
    is_for_good: bool = False
    """Whether waiting does not mend it."""

    @property
    def known(self) -> bool:
        """Whether there is one at all."""
        return self.what != NONE

    @property
    def said(self) -> str:
        """The reason without its advice."""
        return f"{self.what} ({self.quoted})" if self.quoted else self.what


@dataclass(frozen=True)
class Outcome:
    """What Batch says of a job, or of one shard of it."""

    exit_code: int | None
    reason: str  # of its container
    status: str  # the reason of its status


_KINDS: tuple[tuple[str, Reason], ...] = (
    (
        r"attempt duration exceeded timeout|exceeded (the )?timeout",
        Reason(
            "it took longer than the stack allows",
            advice=f"Give the stack more MaxShardSeconds, {_ANEW}",
            timed_out=True,
        ),
    ),
    (
        r"CannotPull\w*Error|pull image|image pull|ImagePull",
        Reason(
            "its image could not be pulled",
            "?",
            "Whoever runs the stack must see to it that the image is there and may be read.",
        ),
    ),
    (r"OutOfMemory", Reason("it ran out of memory", advice=_MEMORY)),
    (
        r"Host EC2|SpotInterruption|instance .*terminated",
        Reason(
            "the machine that it ran on was taken away", "?", "Start again: what is labelled already is kept."
        ),
    ),
    (
        r"MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
        Reason(
            "no machine of the stack is large enough for it",
            "?",
            "Whoever runs the stack must give it larger BatchInstanceTypes, or less JobMemoryMiB or "
            "JobVcpus.",
            is_for_good=True,
        ),
    ),
    (
        r"MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
        Reason(
            "it takes more processors than the stack may use at a time",
            "?",
            "Whoever runs the stack must give it more MaxvCpus, or less JobVcpus.",
            is_for_good=True,
        ),
    ),
    (
        r"MISCONFIGURATION:|ACTION_REQUIRED",
        Reason(
            "no machine of the stack can take it",
            "?",
            "Whoever runs the stack must change what it asks for.",
            is_for_good=True,
        ),
    ),
    (
        r"CAPACITY:|Insufficient\w*Capacity|CapacityError",
        Reason("no machine came for it, as AWS had none to give", "?", "Start again later."),
    ),
    (
        r"CannotStart|CannotCreate|ResourceInitialization|DockerTimeout|Task failed to start",
        Reason("its container could not be started", "?", "Whoever runs the stack must look at its log."),
    ),
)


def reason(outcome: Outcome) -> Reason:
    """Return why a job failed, as far as it is known."""
    words = f"{outcome.reason} {outcome.status}"
    for pattern, kind in _KINDS:
        if re.search(pattern, words, re.IGNORECASE):
            quoted = _quoted(outcome) if kind.quoted else ""
            return replace(kind, quoted=quoted)
    quoted = _quoted(outcome)
    if outcome.exit_code == KILLED and not quoted:
        return Reason("it was killed, most often for want of memory", advice=_MEMORY)
    if outcome.exit_code:
        what = f"its program ended with exit code {outcome.exit_code}"
        return Reason(what if quoted else f"{what} and gave no reason; see its log", quoted)
    return Reason(f"AWS Batch says: {quoted}" if quoted else NONE)


def failed_shards(job_id: str) -> dict[int, Outcome]:
    """Ask Batch for the failed shards of an array job, whose own reason is none, by their numbers."""
    jobs = aws.batch().list_jobs(arrayJobId=job_id, jobStatus="FAILED", maxResults=ASKED_FOR)
    return {
        job["arrayProperties"]["index"]: of_job(dict(job))
        for job in jobs["jobSummaryList"]
        if "index" in job.get("arrayProperties", {})
    }


def of_job(document: dict[str, Any]) -> Outcome:
    """Read a job as Step Functions (names in capitals) or Batch tells it; a failed array has no container."""
    container = field(document, "Container") or {}
    code = field(container, "ExitCode")
    return Outcome(
        code if isinstance(code, int) else None,
        str(field(container, "Reason") or ""),
        str(field(document, "StatusReason") or ""),
    )


def of_shards(outcomes: Iterable[Outcome]) -> tuple[list[str], bool]:
    """Return a sentence for each reason, those of the most shards first, and whether all ran out of time."""
    counted = Counter(map(reason, outcomes))
    shown = [
        " ".join(filter(None, [f"{count(number, 'shard')}: {why.said}.", why.advice]))
        for why, number in counted.most_common(SHOWN)
    ]
    rest = sum(counted.values()) - sum(number for _, number in counted.most_common(SHOWN))
    if rest:
        shown.append(f"{count(rest, 'shard')}: for other reasons.")
    return shown, bool(counted) and all(why.timed_out for why in counted)


def field(document: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Return a field: its first letter is upper case from Step Functions, lower case from AWS Batch."""
    return document.get(name, document.get(name[0].lower() + name[1:]))


def _quoted(outcome: Outcome) -> str:
    for said in (outcome.reason, outcome.status):
        line = " ".join(_NO_REASON.sub("", said).split()).rstrip(".")
        if line:
            return line if len(line) <= REASON_LIMIT else line[: REASON_LIMIT - 1] + "…"
    return ""
