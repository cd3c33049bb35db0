"""Finds what the failed shards of a prediction said, and what Batch says of those that said nothing."""

from typing import Any

from explain.batch import Outcome, of_job
from shared import aws, parts, storage
from shared.errors import StorageError

SHOWN = 3
LOOKED_AT = 50
ASKED_FOR = 200  # failed shards, of Batch


def sentences(validation: dict[str, Any]) -> tuple[dict[int, str], bool]:
    """Give the sentences of failed shards by the shards' numbers, and whether these are all.

    A shard that failed once and succeeded on its next attempt has a part, and does not count.
    """
    manifest = storage.read_json(validation["predict"]["manifest"])
    there, failed = parts.listed(manifest)
    numbers = sorted(failed - set(there))
    # Of up to 10,000 shards few fail, and asking for each one's sentence would take minutes.
    found = {number: _said(manifest, number) for number in numbers[:LOOKED_AT]}
    return {number: said for number, said in found.items() if said}, len(numbers) <= LOOKED_AT


def failed_at_batch(job_id: str) -> dict[int, Outcome]:
    """Ask Batch for the failed shards of an array job, whose own reason is none, by their numbers."""
    jobs = aws.batch().list_jobs(arrayJobId=job_id, jobStatus="FAILED", maxResults=ASKED_FOR)
    return {
        job["arrayProperties"]["index"]: of_job(dict(job))
        for job in jobs["jobSummaryList"]
        if "index" in job.get("arrayProperties", {})
    }


def _said(manifest: parts.Manifest, number: int) -> str:
    try:
        return parts.sentence(manifest, number)
    except StorageError:
        return ""
