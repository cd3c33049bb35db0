"""A model version on this machine: its files are fetched once, checked, and kept in the user's cache folder.

    $XDG_CACHE_HOME/claimflow/models/STACK/MODEL/    0700, its files 0600; ~/.cache without the variable

STACK is a digest of the model package group, MODEL one of the archive's address and ETag, so that another
target for the same model fetches nothing, and a local AWS that begins anew does. One model a stack is kept:
its report and its figures quote texts.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError
from rich import filesize

from workflow import display, objects
from workflow.account import Account
from workflow.errors import CommandError
from workflow.models import Model
from workflow.stack import Stack

if TYPE_CHECKING:  # NumPy and Numba, which the other commands do not wait for
    from contract.evaluation import Evaluation
    from model.classifier import Classifier
    from model.texts import Hashes

ARCHIVE, UNPACKED = "model.tar.gz", "model"
MISSING = {"404", "NoSuchKey", "NotFound"}


class Loaded(NamedTuple):
    """A model version on this machine."""

    classifier: "Classifier"
    evaluation: "Evaluation"
    learned: "Hashes | None"
    """Of the texts that it learned from; None: it was saved before they were kept."""


def load(account: Account, stack: Stack, model: Model) -> Loaded:
    """Return a model version, with the version's own target.

    Raises CommandError when the archive is
    not there, lies in another stack's bucket, is damaged, or is of a version that this program does not read;
    nothing of such an archive is kept.
    """
    bucket, key = _address(account, stack, model)
    size, etag = _head(account, model, bucket, key)
    of_stack = _digest(account.endpoint or "", model.arn.rsplit("/", 1)[0])
    folder = cache() / of_stack / _digest(key, etag)
    if folder.is_dir():
        return _read(folder, model, f" Remove the folder {folder}, then repeat the command.")
    display.note(f"Fetching version {model.version} of the model, once ({filesize.decimal(size)}).")
    with _scratch(folder.parent) as scratch:
        account.s3.download_file(bucket, key, str(scratch / ARCHIVE))
        loaded = _unpacked(scratch, model)
        _place(scratch / UNPACKED, folder)
    return loaded


def cache() -> Path:
    """Return the folder of the models that are kept for this user (XDG Base Directory Specification 0.8)."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path("~/.cache").expanduser()) / "claimflow" / "models"


def _address(account: Account, stack: Stack, model: Model) -> tuple[str, str]:
    """Return bucket and key of the archive; anybody who may approve a version may have registered it."""
    bucket, key = objects.place(model.model_uri or "")
    if bucket != stack.artifacts or not key:
        raise CommandError(
            f"Version {model.version} of the model was not made by this stack: its file is "
            f"{model.model_uri or 'not named'}; if it is live, `{account.command} models reject "
            f"{model.version}` brings back the one before."
        )
    return bucket, key


def _head(account: Account, model: Model, bucket: str, key: str) -> tuple[int, str]:
    """Return the archive's size in bytes and its ETag."""
    try:
        head = account.s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in MISSING:
            raise
        raise CommandError(
            f"The file of version {model.version} of the model, s3://{bucket}/{key}, is gone: train again; "
            f"if it is live, `{account.command} models reject {model.version}` brings back the one before."
        ) from None
    return head["ContentLength"], head["ETag"]


def _unpacked(scratch: Path, model: Model) -> Loaded:
    """Unpack the archive and read it."""
    from model import artifact  # noqa: PLC0415  as above

    folder = scratch / UNPACKED
    folder.mkdir(mode=0o700)
    with _told(model):
        artifact.unpack(scratch / ARCHIVE, folder)
    for path in folder.iterdir():
        path.chmod(0o600)
    return _read(folder, model)


def _read(folder: Path, model: Model, advice: str = "") -> Loaded:
    """Read the model of a folder; each file must have the sha256 that the model's manifest names."""
    from model import artifact  # noqa: PLC0415  as above

    with _told(model, advice):
        classifier = artifact.load(folder, model.target)
        return Loaded(classifier, artifact.evaluation(folder), artifact.learned(folder))


@contextmanager
def _told(model: Model, advice: str = "") -> Iterator[None]:
    """Turn what is wrong with a model into a sentence of the command line."""
    from model.errors import ModelError  # noqa: PLC0415  as above

    try:
        yield
    except ModelError as error:
        raise CommandError(
            f"Version {model.version} of the model cannot be used on this machine. {error}{advice}"
        ) from error


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """Yield a folder of our own beside where the model will lie, so that one rename puts it there, whole."""
    try:
        cache().parent.parent.mkdir(parents=True, exist_ok=True)
        for folder in (cache().parent, cache(), parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".unfinished-") as scratch:
            yield Path(scratch)
    except OSError as error:
        raise CommandError(
            f"The model cannot be kept in {parent} ({error.strerror or error}): free disk space, or name "
            "another folder in XDG_CACHE_HOME."
        ) from error


def _place(unpacked: Path, folder: Path) -> None:
    """Put the model where it is looked for, and remove those that were live before."""
    try:
        unpacked.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was first, with the same files
            raise
    for other in folder.parent.iterdir():
        if other != folder and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
