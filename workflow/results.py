"""Fetching what a run made for people to open."""

import hashlib
import tempfile
from pathlib import Path, PurePosixPath

from contract import keys
from contract.state import is_threshold
from workflow.account import Account
from workflow.errors import CommandError, ExecutionUnknownError
from workflow.outcome import sentence, state_of
from workflow.runs import Run, find, glance, read_run, recent
from workflow.stack import Stack

SEARCHED = 100  # runs that the newest one with files is looked for in


def choose(account: Account, stack: Stack, name: str | None) -> tuple[str, Run | None]:
    """Return the folder of a run's files, and the run; without a name, those of the newest that makes any.

    A folder may be there without its run, which Step Functions forgets after 90 days. Raises CommandError if
    the run goes on, or left no files: another run's are never taken in its place.
    """
    try:
        run = read_run(account, find(account, stack, name or _newest(account, stack)))
    except ExecutionUnknownError:
        if name and files_of(account, stack, name):
            return name, None
        raise
    if run.running:
        raise CommandError(
            f"The run {run.name} goes on: `{account.command} status {run.name}` shows how far it is."
        )
    if not files_of(account, stack, run.folder):
        raise CommandError(_without_files(account, stack, run, newest=name is None))
    return run.folder, run


def files_of(account: Account, stack: Stack, folder: str) -> list[str]:
    """Return the files in a run's folder, relative to it, in order."""
    pages = account.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.results, Prefix=f"{folder}/")
    names = [each["Key"].removeprefix(f"{folder}/") for page in pages for each in page.get("Contents", [])]
    return sorted(name for name in names if _is_for_people(PurePosixPath(name)))


def download(account: Account, stack: Stack, folder: str, to: Path, replace: bool = False) -> list[Path]:
    """Fetch the files of a run's folder into `to`; returns their paths.

    Raises CommandError if there are none, or if a file of that name with another content is there and must
    not be replaced: somebody may have worked on it.
    """
    names = files_of(account, stack, folder)
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to, prefix=".claimflow-") as scratch:
        for name in names:
            _fetch(account, stack.results, f"{folder}/{name}", Path(scratch) / name)
        if not replace:
            _refuse_other_content(Path(scratch), to, names)
        for name in names:
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / name).replace(to / name)
    return [to / name for name in names]


def _newest(account: Account, stack: Stack) -> str | None:
    """Return the name of the newest run that has a file, not just another target for the model."""
    runs = (glance(account, each["executionArn"]) for each in recent(account, stack, SEARCHED))
    return next((run.name for run in runs if not is_threshold(run.data)), None)


def _is_for_people(path: PurePosixPath) -> bool:
    is_ours = path.name in {"", keys.RESULTS_MANIFEST} or keys.QUEUE_FOLDER in path.parts[:-1]
    return not is_ours and not path.is_absolute() and ".." not in path.parts


def _without_files(account: Account, stack: Stack, run: Run, newest: bool) -> str:
    which = f"The newest run, {run.name}," if newest else f"The run {run.name}"
    refusal = f"{which} has no results, as it ended as {state_of(run)}: {sentence(run)}"
    other = _newest_with_files(account, stack) if newest else None
    if other is None:
        return refusal
    return f"{refusal} The newest files are those of {other}: `{account.command} results {other}`."


def _newest_with_files(account: Account, stack: Stack) -> str | None:
    names = (each["name"] for each in recent(account, stack, SEARCHED) if each["status"] == "SUCCEEDED")
    return next((name for name in names if files_of(account, stack, name)), None)


def _fetch(account: Account, bucket: str, key: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    account.s3.download_file(bucket, key, str(path))


def _refuse_other_content(fetched: Path, folder: Path, names: list[str]) -> None:
    for name in names:
        there = folder / name
        if there.exists() and _hash(there) != _hash(fetched / name):
            raise CommandError(f"{there} is there with another content: name another folder with --to.")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
