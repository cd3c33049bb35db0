"""Sending a file of this machine to the stack and starting a run with it."""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from contract import keys, strict_json
from contract.state import THRESHOLD, Action, Request, ThresholdRequest
from contract.strict_json import JsonError
from workflow.account import Account
from workflow.errors import CommandError
from workflow.stack import Stack

NAME_LIMIT = 80  # Step Functions' limit on an execution's name
AS_XLSX = "open it in a spreadsheet and save it as .xlsx or CSV"
AS_CSV = "convert it to CSV (with pandas: read it, then to_csv)"
UNPACK = "unpack it and name the one file that has the texts"
TYPE_OUT = "copy its table into a spreadsheet and save that as .xlsx or CSV"
RENAME = "save it as one of these, or rename it if it is one already"
INSTEAD = {
    **dict.fromkeys(
        (".xls", ".xlsb", ".xlt", ".xltx", ".xltm", ".ods", ".fods", ".numbers", ".dbf"), AS_XLSX
    ),
    **dict.fromkeys((".parquet", ".pq", ".feather", ".arrow", ".avro", ".orc", ".h5", ".hdf5"), AS_CSV),
    **dict.fromkeys((".pkl", ".pickle", ".npy", ".npz", ".sav", ".dta", ".sas7bdat", ".rds"), AS_CSV),
    **dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".lz4"), UNPACK),
    **dict.fromkeys((".pdf", ".doc", ".docx", ".odt", ".rtf", ".html", ".htm"), TYPE_OUT),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3", ".mdb", ".accdb", ".xml"), "export its rows as CSV"),
}  # what to do with a file of such a name

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Uploaded:
    """An object in the uploads bucket: its address, and the version that is meant."""

    uri: str
    version: str | None


@dataclass(frozen=True)
class Limits:
    """How many trials a tuning makes, and how many minutes it may take."""

    trials: int
    max_minutes: int


def check_file(path: Path) -> None:
    """Raise CommandError unless `path` is a file with something in it, named as a table is."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise CommandError(f"The name {str(path)!a} is not UTF-8 text: rename it.") from None
    if not path.exists():
        raise CommandError(f"There is no file {path}: check the name, and the folder that you are in.")
    if not path.is_file():
        raise CommandError(f"{path} is not a file: name one file.")
    if not keys.is_table(path.name):
        name = path.name.lower().removesuffix(".gz")
        todo = next((todo for kind, todo in INSTEAD.items() if name.endswith(kind)), RENAME)
        raise CommandError(
            f"{path.name} is no file with rows: its name must end in .csv, .xlsx, .tsv, .txt or .jsonl, "
            f"or one of these and .gz; {todo}."
        )
    if path.stat().st_size == 0:
        raise CommandError(f"{path.name} is empty: it needs a header line and rows.")


def read_config(path: Path) -> dict[str, Any]:
    """Read a training configuration; what its keys may be is checked by the run.

    Raises CommandError if it is not there or not a JSON object.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise CommandError(f"There is no file {path}: check the name after --config.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read as text: {error}.") from None
    return _config(content, str(path))


def explained(account: Account, stack: Stack, config: dict[str, Any] | None) -> dict[str, Any]:
    """Return the configuration, the stack's own for None, with explanations asked for.

    A request with a configuration does without the stack's own, so what is there has to come along. Raises
    CommandError if it cannot be read.
    """
    return {**(stack_config(account, stack) if config is None else config), "explain": True}


def upload(account: Account, stack: Stack, path: Path, progress: Progress = lambda _: None) -> Uploaded:
    """Upload a file; one that lies there already, byte for byte, is not sent again.

    The key holds a hash of the content: the same file gives the same key, version and so the same run id, and
    two people who upload files of one name at once do not get each other's. `progress` is told of bytes sent.
    """
    key = keys.request(_hash(path), path.name)
    version = _version(account, stack.uploads, key)
    if version is None:
        with _only_if_absent(account):
            account.s3.upload_file(str(path), stack.uploads, key, Callback=progress)
        version = _version(account, stack.uploads, key)
    return Uploaded(f"s3://{stack.uploads}/{key}", version or None)


def request(  # noqa: PLR0913  what a request may say
    action: Action,
    data: Uploaded,
    predict: Uploaded | None = None,
    config: dict[str, Any] | None = None,
    *,
    more: Sequence[Uploaded] = (),
    replace: bool = False,
    limits: Limits | None = None,
) -> Request:
    """Return the execution's input.

    Args:
        action: what is done
        data: the file
        predict: a file to label after a training
        config: the configuration, None for the stack's own
        more: other files to train on
        replace: whether the new model may lack categories of the live one
        limits: of a tuning

    """
    made: Request = {"action": action, "data": data.uri}
    if data.version:
        made["version"] = data.version
    if more:
        made["data"] = [data.uri, *(each.uri for each in more)]
        made["version"] = [data.version, *(each.version for each in more)]
    if predict:
        made["predict"] = predict.uri
    if config is not None:
        made["config"] = config
    if replace:
        made["replace"] = True
    if limits:
        made["trials"], made["max_minutes"] = limits.trials, limits.max_minutes
    return made


def start(account: Account, stack: Stack, made: Request | ThresholdRequest) -> str:
    """Start a run; returns the execution's ARN. The request also says who started it."""
    by = {"started_by": account.caller} if account.caller else {}
    name = execution_name(made["action"], _about(made), datetime.now(UTC))
    started = account.step_functions.start_execution(
        stateMachineArn=stack.starts, name=name, input=json.dumps({**made, **by})
    )
    return started["executionArn"]


def execution_name(action: str, about: str, now: datetime) -> str:
    """Return a name that is never used twice and still tells a reader what runs: action, file, time.

    `about` is the file's address; of a request for another target, the target.
    """
    return f"{action}-{keys.stem(about)}-{now:%y%m%d-%H%M%S}-{secrets.token_hex(2)}"[:NAME_LIMIT]


def _about(made: Request | ThresholdRequest) -> str:
    """Return what a request is about: its file, the first of several, or its target."""
    if made["action"] == THRESHOLD:
        return f"{made['target_precision']:g}"
    return made["data"] if isinstance(made["data"], str) else made["data"][0]


def stack_config(account: Account, stack: Stack) -> dict[str, Any]:
    """Return what the stack's own configuration says; a run checks it, this does not."""
    try:
        content = account.s3.get_object(Bucket=stack.uploads, Key=keys.CONFIG_KEY)["Body"].read()
    except account.s3.exceptions.NoSuchKey:
        return {}
    return _config(content, f"s3://{stack.uploads}/{keys.CONFIG_KEY}")


def _config(content: bytes, source: str) -> dict[str, Any]:
    try:
        return strict_json.parse_object(content, keys.CONFIG_BYTES)
    except JsonError as error:
        raise CommandError(f"{source} {error}.") from None


@contextmanager
def _only_if_absent(account: Account) -> Iterator[None]:
    """Let an upload make no second version of what somebody else has uploaded in the meantime.

    boto3's transfers do not take IfNoneMatch as an argument, so the requests that end them get it here.
    """

    def add(params: dict[str, Any], **_: object) -> None:
        params["IfNoneMatch"] = "*"

    events = account.s3.meta.events
    endings = [f"before-parameter-build.s3.{call}" for call in ("PutObject", "CompleteMultipartUpload")]
    for ending in endings:
        events.register(ending, add)
    try:
        yield
    except S3UploadFailedError as error:
        refused = error.__context__
        code = refused.response["Error"]["Code"] if isinstance(refused, ClientError) else ""
        if code != "PreconditionFailed":
            raise
    finally:
        for ending in endings:
            events.unregister(ending, add)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _version(account: Account, bucket: str, key: str) -> str | None:
    """Return the newest version's id, "" without versions, None if there is no such object."""
    try:
        return account.s3.head_object(Bucket=bucket, Key=key).get("VersionId", "")
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return None
        raise
