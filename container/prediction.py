"""The program `predict`: one AWS Batch job, or one child of an array job, labels one shard.

It reads the manifest that CLAIMFLOW_MANIFEST names, the model that CLAIMFLOW_MODEL names and the shard with
the number AWS_BATCH_JOB_ARRAY_INDEX (0 if absent); it writes one part, when it is complete. A part that is
there already, whole, of the same shard, model and program, stays, and the model is not even read. When the
program fails it writes one sentence next to the parts and gives the exit code 1. Addresses are `s3://` URIs,
or paths.
"""

import hashlib
import os
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

from container import failure, program, storage
from container.driver import ensure_driver
from container.failure import ProgramError, UsageError, Wording
from container.part import write_part
from container.storage import StorageError
from contract import keys, manifest
from contract.manifest import Manifest, ManifestError
from contract.part import Origin, origin
from model.data import read_file

WORDING = Wording(
    disk_full="The disk is full: free disk space, or enlarge it, and start again.",
    more_memory="give the stack more JobMemoryMiB, or lower rows_per_shard, which labels all rows anew.",
    unexpected="unexpected {}",
)
FAILED = 1
COMMITS = 5  # tries, should others write the same part at the same time


@dataclass(frozen=True)
class Job:
    """One shard to label."""

    index: int
    shard: str  # address
    sha256: str  # of the shard; empty in a manifest that does not say
    rows: int
    part: str  # address
    failure: str  # address
    model: str  # address
    explain: bool
    target_precision: float | None  # that the model got after its training; None: its own


def main() -> int:
    """Label the shard that the environment names; returns the exit code."""
    try:
        job = read_job()
    except ProgramError as error:
        print(error, flush=True)
        return FAILED
    return _attempt(job)


def read_job() -> Job:
    """Return the job that the environment describes.

    Raises UsageError or StorageError when it cannot be told.
    """
    manifest_address, model = _setting("CLAIMFLOW_MANIFEST"), _setting("CLAIMFLOW_MODEL")
    work = _read_manifest(manifest_address)
    index = int(os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX", "0"))
    if index >= len(work.shards):
        raise UsageError(f"The manifest has {len(work.shards)} shard(s), so there is no shard {index}.")
    part = storage.join(work.output, keys.part_name(index))
    note = storage.join(work.output, keys.failure_name(index))
    shard = work.shards[index]
    target = work.target_precision
    return Job(index, shard.uri, shard.sha256, shard.rows, part, note, model, work.explain, target)


def killed(number: signal.Signals) -> None:
    """Report that a signal ended the work, next to the parts too."""
    try:
        job = read_job()
    except ProgramError as error:
        print(failure.of_signal(number, WORDING), error, flush=True)
        return
    _fail(job, f"Shard {job.index} was not labelled: {failure.of_signal(number, WORDING)}")


def _attempt(job: Job) -> int:
    try:
        storage.remove(job.failure)
        with tempfile.TemporaryDirectory() as scratch:
            _work(job, Path(scratch))
    except Exception as error:
        reason = failure.sentence(error, WORDING)
        return _fail(job, f"Shard {job.index} was not labelled: {reason}")
    return 0


def _work(job: Job, scratch: Path) -> None:
    """See to it that the part is there, made once however many do so at the same time."""
    made_of = _origin(job)
    part = None
    for _ in range(COMMITS):
        before = storage.find(job.part)
        if before and _is_whole(job, before, made_of, scratch):
            print(f"Shard {job.index}: all {job.rows} rows were labelled before", flush=True)
            return
        part = part or _label(job, scratch)
        if storage.commit(part, job.part, _metadata(made_of, part), before):
            print(f"Shard {job.index}: all {job.rows} rows labelled", flush=True)
            return
    raise StorageError(f"{job.part} was written by others again and again; start the run again.")


def _origin(job: Job) -> Origin:
    shard = job.sha256 or _tag(job.shard)
    model, target = _tag(job.model), job.target_precision
    return origin(shard, model, job.rows, explain=job.explain, target_precision=target)


def _metadata(made_of: Origin, part: Path) -> dict[str, str]:
    """Return what is kept beside a part of this origin; a part that it does not fit is made again."""
    with part.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return made_of.metadata(program.version(), sha256)


def _tag(address: str) -> str:
    if (found := storage.find(address)) is None:
        raise StorageError(f"{address} cannot be read: there is no such file.")
    return found.tag


def _is_whole(job: Job, before: storage.Found, made_of: Origin, scratch: Path) -> bool:
    return before.facts == _metadata(made_of, storage.download(job.part, scratch / "before.csv"))


def _label(job: Job, scratch: Path) -> Path:
    ensure_driver()  # before a part of the model imports MXNet
    from model import artifact  # noqa: PLC0415  not above: the supervisor imports this module and stays small
    from model.prediction import predict  # noqa: PLC0415  as well

    shard = storage.download(job.shard, scratch / "shard.csv")
    if job.sha256 and _tag(str(shard)) != job.sha256:
        raise UsageError("the shard is not the one that was checked; start the run again.")
    model = storage.download(job.model, scratch / "model.tar.gz")
    classifier = artifact.load(model, job.target_precision)
    part = scratch / "part.csv"
    predictions = predict(classifier, read_file(shard), explain=job.explain)
    written = write_part(part, predictions, job.rows, explain=job.explain)
    if written != job.rows:
        raise UsageError(f"the manifest says {job.rows} rows, but the shard has {written}.")
    return part


def _read_manifest(address: str) -> Manifest:
    try:
        return manifest.read(storage.read(address), address)
    except ManifestError as error:
        raise UsageError(str(error)) from error


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
