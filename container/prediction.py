"""The program `predict`: one AWS Batch job, or one child of an array job, labels one shard.

It reads the manifest that CLAIMFLOW_MANIFEST names, the model that CLAIMFLOW_MODEL names and the shard with
the number AWS_BATCH_JOB_ARRAY_INDEX (0 if absent); it writes one part, when it is complete. When it fails
it writes one sentence next to the parts and gives the exit code 1. Addresses are `s3://` URIs or paths.
"""

import csv
import json
import os
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from container import disk, storage
from container.driver import ensure_driver
from container.storage import StorageError
from model.data import read_file
from model.errors import ModelError

if TYPE_CHECKING:
    from model.prediction import Prediction

COLUMNS = ["row", "prediction", "confidence", "runner_up", "doubt"]
ROWS_A_LINE = 1_000  # of progress
MANIFEST_SCHEMA = 1
FAILED = 1


class UsageError(Exception):
    """What the job was given cannot be used; its text is one sentence for a person."""


@dataclass(frozen=True)
class Job:
    """One shard to label."""

    index: int
    shard: str  # address
    rows: int
    part: str  # address
    failure: str  # address
    model: str  # address


def main() -> int:
    """Label the shard that the environment names; gives the exit code."""
    try:
        job = read_job()
    except (StorageError, UsageError) as error:
        print(error, flush=True)
        return FAILED
    return _attempt(job)


def read_job() -> Job:
    """Give the job that the environment describes.

    Raises UsageError or StorageError when it cannot be told.
    """
    manifest_address, model = _setting("CLAIMFLOW_MANIFEST"), _setting("CLAIMFLOW_MODEL")
    manifest = _read_manifest(manifest_address)
    index = int(os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX", "0"))
    shards = manifest["shards"]
    if index >= len(shards):
        raise UsageError(f"The manifest has {len(shards)} shard(s), so there is no shard {index}.")
    part = storage.join(manifest["output"], f"part-{index:05}.csv")
    failure = storage.join(manifest["output"], f"failure-{index:05}.txt")
    return Job(index, shards[index]["uri"], int(shards[index]["rows"]), part, failure, model)


def _attempt(job: Job) -> int:
    try:
        storage.remove(job.failure)
        with tempfile.TemporaryDirectory() as scratch:
            _label(job, Path(scratch))
    except Exception as error:
        return _fail(job, f"Shard {job.index} was not labelled: {_reason(error)}")
    return 0


def _reason(error: Exception) -> str:
    """Give the sentence for an error; an unexpected one goes to the log with its traceback."""
    if disk.is_full(error):
        return disk.FULL
    if isinstance(error, (ModelError, StorageError, UsageError)):
        return str(error)
    traceback.print_exception(error)
    return f"unexpected {type(error).__name__}: {next(iter(str(error).splitlines()), 'no message')}"


def _label(job: Job, scratch: Path) -> None:
    ensure_driver()
    from model import artifact  # noqa: PLC0415  it imports MXNet, which needs the driver library first
    from model.prediction import predict  # noqa: PLC0415

    shard = storage.download(job.shard, scratch / "shard.csv")
    classifier = artifact.load(storage.download(job.model, scratch / "model.tar.gz"))
    part = scratch / "part.csv"
    written = write_part(part, predict(classifier, read_file(shard)), job.rows)
    if written != job.rows:
        raise UsageError(f"the manifest says {job.rows} rows, but the shard has {written}.")
    storage.upload(part, job.part)
    print(f"Shard {job.index}: all {written} rows labelled", flush=True)


def write_part(path: Path, predictions: "Iterator[Prediction]", rows: int) -> int:
    """Write predictions as a part, telling the progress towards `rows`; gives how many were written."""
    written = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        part = csv.writer(file, lineterminator="\n")
        part.writerow(COLUMNS)
        for found in predictions:
            part.writerow([found.row, found.label, f"{found.confidence:.4f}", found.runner_up, found.doubt])
            written += 1
            if written % ROWS_A_LINE == 0:
                print(f"{written} of {rows} rows labelled", flush=True)
    return written


def _read_manifest(address: str) -> dict[str, Any]:
    content = storage.read(address)
    try:
        manifest: dict[str, Any] = json.loads(content)
        schema = manifest["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{address} is not a shard manifest.") from error
    if schema != MANIFEST_SCHEMA:
        raise UsageError(f"{address} has schema version {schema}, and this program reads {MANIFEST_SCHEMA}.")
    return manifest


def _setting(name: str) -> str:
    if not (value := os.environ.get(name)):
        raise UsageError(f"The environment variable {name} is not set; it must name an s3:// URI or a path.")
    return value


def _fail(job: Job, sentence: str) -> int:
    print(sentence, flush=True)
    try:
        storage.write(sentence.encode(), job.failure)
    except StorageError as error:
        print(error, flush=True)
    return FAILED
