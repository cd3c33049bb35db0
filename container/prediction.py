"""The program `predict`: one AWS Batch job, or one child of an array job, labels one shard.

It reads the manifest that CLAIMFLOW_MANIFEST names, the model that CLAIMFLOW_MODEL names and the shard with
the number AWS_BATCH_JOB_ARRAY_INDEX (0 if absent); it writes one part, when it is complete. When it fails
it writes one sentence next to the parts and gives the exit code 1. Addresses are `s3://` URIs or paths.
"""

import csv
import json
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from container import disk, failure, storage
from container.driver import ensure_driver
from container.failure import ProgramError, UsageError, Wording
from container.storage import StorageError
from model.data import read_file

if TYPE_CHECKING:
    from model.prediction import Prediction

COLUMNS = ["row", "prediction", "confidence", "runner_up", "doubt"]
BECAUSE = "because"  # the last column, when explanations are asked for
ROWS_A_LINE = 1_000  # of progress
MANIFEST_SCHEMA = 1
WORDING = Wording(
    disk_full=disk.FULL,
    more_memory="give the job more (JobMemoryMiB), or lower rows_per_shard.",
    unexpected="unexpected {}",
)
FAILED = 1


@dataclass(frozen=True)
class Job:
    """One shard to label."""

    index: int
    shard: str  # address
    rows: int
    part: str  # address
    failure: str  # address
    model: str  # address
    explain: bool


def main() -> int:
    """Label the shard that the environment names; gives the exit code."""
    try:
        job = read_job()
    except ProgramError as error:
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
    note = storage.join(manifest["output"], f"failure-{index:05}.txt")
    explain = bool(manifest.get("explain", False))
    return Job(index, shards[index]["uri"], int(shards[index]["rows"]), part, note, model, explain)


def killed(number: signal.Signals) -> None:
    """Say that a signal ended the work, next to the parts too."""
    job = read_job()
    _fail(job, f"Shard {job.index} was not labelled: {failure.of_signal(number, WORDING)}")


def _attempt(job: Job) -> int:
    try:
        storage.remove(job.failure)
        with tempfile.TemporaryDirectory() as scratch:
            _label(job, Path(scratch))
    except Exception as error:
        reason = failure.sentence(error, WORDING)
        return _fail(job, f"Shard {job.index} was not labelled: {reason}")
    return 0


def _label(job: Job, scratch: Path) -> None:
    ensure_driver()
    from model import artifact  # noqa: PLC0415  it imports MXNet, which needs the driver library first
    from model.prediction import predict  # noqa: PLC0415

    shard = storage.download(job.shard, scratch / "shard.csv")
    classifier = artifact.load(storage.download(job.model, scratch / "model.tar.gz"))
    part = scratch / "part.csv"
    predictions = predict(classifier, read_file(shard), explain=job.explain)
    written = write_part(part, predictions, job.rows, explain=job.explain)
    if written != job.rows:
        raise UsageError(f"the manifest says {job.rows} rows, but the shard has {written}.")
    storage.upload(part, job.part)
    print(f"Shard {job.index}: all {written} rows labelled", flush=True)


def write_part(path: Path, predictions: "Iterator[Prediction]", rows: int, *, explain: bool = False) -> int:
    """Write predictions as a part, telling the progress towards `rows`; gives how many were written."""
    written = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        part = csv.writer(file, lineterminator="\n")
        part.writerow([*COLUMNS, BECAUSE] if explain else COLUMNS)
        for found in predictions:
            cells = [found.row, found.label, f"{found.confidence:.4f}", found.runner_up, found.doubt]
            part.writerow([*cells, found.because] if explain else cells)
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
