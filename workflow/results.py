"""Fetching what a run made for people to open."""

import hashlib
import json
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from workflow.account import Account
from workflow.errors import CommandError
from workflow.runs import Run, find, read_run, recent
from workflow.stack import Stack

MANIFEST = "manifest.json"
FROM_TRAINING = ("report.html", "evaluation.json")
CHECKS = "validation.json"  # it names the rows that were left out
KINDS = ("results", "review", "rejected")  # of the files that are named after the input
PREDICTION_TOO = "predict"  # where a run that trains and then predicts has the files of its prediction
SEARCHED = 100  # runs that the newest one with results is looked for in


def find_run_id(account: Account, stack: Stack, name: str | None) -> str:
    """Give the run id for a run's name, its beginning or a run id; without one, the newest good run's.

    Raises CommandError if there is none, or if the run goes on.
    """
    if name is None:
        return _newest(account, stack)
    if files_of(account, stack, name):
        return name
    return run_id(read_run(account, find(account, stack, name)), account.command)


def run_id(run: Run, command: str) -> str:
    """Give the run id of a run that ended; raises CommandError if it goes on or ended before it had one.

    `command` is how to write `claimflow` for the account.
    """
    found = run.data.get("run", {}).get("id")
    if run.running:
        raise CommandError(
            f"The run '{run.name}' goes on: `{command} status {run.name}` shows how far it is."
        )
    if not found:
        raise CommandError(f"The run '{run.name}' has no results: {run.cause or 'it ended too early.'}")
    return str(found)


def files_of(account: Account, stack: Stack, run_id: str) -> list[str]:
    """Give a run's result files, relative to its folder.

    Those of a prediction are in its manifest, which is written last; those of a training are looked for.
    """
    found = [name for name in FROM_TRAINING if _is_there(account, stack.results, f"{run_id}/{name}")]
    uris = [_left_out(account, stack, run_id)]
    for folder in (run_id, f"{run_id}/{PREDICTION_TOO}"):
        manifest = _read_json(account, stack.results, f"{folder}/{MANIFEST}") or {"files": {}}
        uris += manifest["files"].values()
    keys = [uri.removeprefix(f"s3://{stack.results}/") for uri in uris]
    found += [key.removeprefix(f"{run_id}/") for key in keys if key.startswith(f"{run_id}/")]
    return sorted(name for name in set(found) if ".." not in PurePosixPath(name).parts)


def kind(path: Path) -> str:
    """Give what a result file is, without the input's name: `results.csv` for `claims.results.csv`."""
    stem, found, extension = path.name.rsplit(".", 2) if path.name.count(".") > 1 else ("", "", "")
    return f"{found}.{extension}" if stem and found in KINDS else path.name


def download(account: Account, stack: Stack, run_id: str, folder: Path, replace: bool = False) -> list[Path]:
    """Fetch a run's result files into `folder`; gives their paths.

    Raises CommandError if there are none, or if a file of that name with another content is in the folder and
    must not be replaced: somebody may have worked on it.
    """
    names = files_of(account, stack, run_id)
    if not names:
        raise CommandError(
            f"The run '{run_id}' has no results: `{account.command} status` tells how far it came."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".claimflow-") as scratch:
        for name in names:
            _fetch(account, stack.results, f"{run_id}/{name}", Path(scratch) / name)
        if not replace:
            _refuse_other_content(Path(scratch), folder, names)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / name).replace(folder / name)
    return [folder / name for name in names]


def _left_out(account: Account, stack: Stack, run_id: str) -> str:
    """Give the address of the rows that a training left out, or an empty text."""
    checks = _read_json(account, stack.results, f"{run_id}/{CHECKS}") or {}
    return str((checks.get("train") or {}).get("rejected_uri", ""))


def _newest(account: Account, stack: Stack) -> str:
    for each in recent(account, stack, SEARCHED):
        if each["status"] == "SUCCEEDED":
            return run_id(read_run(account, each["executionArn"]), account.command)
    raise CommandError(f"No run has ended well yet: start with `{account.command} train FILE`.")


def _fetch(account: Account, bucket: str, key: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    account.s3.download_file(bucket, key, str(path))


def _refuse_other_content(fetched: Path, folder: Path, names: list[str]) -> None:
    for name in names:
        there = folder / name
        if there.exists() and _hash(there) != _hash(fetched / name):
            raise CommandError(f"{there} is there with another content: name another folder with --to.")


def _read_json(account: Account, bucket: str, key: str) -> dict[str, Any] | None:
    try:
        body = account.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except account.s3.exceptions.NoSuchKey:
        return None
    read: dict[str, Any] = json.loads(body)
    return read


def _is_there(account: Account, bucket: str, key: str) -> bool:
    try:
        account.s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return False
        raise
    return True


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
