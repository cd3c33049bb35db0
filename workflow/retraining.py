"""Training anew from what the live model learned and from what people have decided since.

The files of the live model are taken in the versions that it learned from. Behind them goes one file of all
decided rows, so that a decision beats an older label of the same text (see `functions/validate`). A model
trained in this way has such a file already: its rows go on, as the results that they are from may be gone.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from contract import keys
from contract.lineage import LearnedFile, Lineage
from contract.queue import NONE_OF_THESE
from contract.state import MOST_FILES, THRESHOLD, Request, ThresholdRequest
from contract.text import count
from workflow import decided, lineage, models, objects, runs, submission, suspects
from workflow.account import Account
from workflow.decided import DecidedRow
from workflow.decisions import Decision, every_decision
from workflow.errors import CommandError
from workflow.models import Model
from workflow.programs import ROOT
from workflow.queue import read_index
from workflow.runs import Run
from workflow.stack import Stack
from workflow.submission import Uploaded

# How far the clocks of two people may be apart, as AWS would not answer them otherwise: by a slow one a
# decision seems older than those that were learned already.
CLOCKS = timedelta(minutes=15)
LOOKED_AT = 25  # of the newest runs: whether the same training goes on already
CONFIG_SCHEMA = ROOT / "config" / "config.schema.json"
GONE = {"404", "NoSuchKey", "NoSuchVersion", "NotFound", "400", "405", "MethodNotAllowed"}


@dataclass(frozen=True)
class Retraining:
    """What a new training learns from."""

    request: Request
    version: int
    """The live one."""
    rows: int
    """Decided ones."""
    left_out: int
    """Decisions whose texts are gone with the results of their runs."""
    older: int = 0
    """Decisions from before the newest of the model's files was uploaded, which are not learned."""
    none: int = 0
    """Decisions that a row belongs to none of the categories, of which nothing is learned."""


def plan(account: Account, stack: Stack) -> Retraining:
    """Write the file of decided rows and return the request for a training with it.

    Raises CommandError where no model is live, nothing was decided since it was trained, one of its files is
    gone, there are too many of them, or an older Claimflow trained it, which did not tell its files.
    """
    model = models.read_live(account, stack)
    made_of = lineage.read(account, model)
    if made_of is None:
        raise CommandError(
            f"Model version {model.version} was made by an older Claimflow, which did not tell what it "
            f"learned from: train once more with `{account.command} train FILE`, and retrain from then on."
        )
    first, *more = [Uploaded(file["uri"], file["version"]) for file in _first_files(made_of, model, account)]
    uploaded, since = _since(account, made_of, model)
    decisions = list(every_decision(account.dynamodb, stack.decisions))
    found, left_out = _found(account, stack, decisions, since)
    older = sum(each.category is not None and each.changes[-1].at < uploaded for _, each in decisions)
    before = _decided_before(account, made_of)
    rows = decided.merged(before, found)
    none = sum(each.label == NONE_OF_THESE for each in found)
    forgotten = any("rewritten" in file for file in made_of["files"])
    if rows == before and not forgotten:
        raise CommandError(_nothing(account, model, _unlearned(account, left_out, older, none)))
    if rows:
        more.append(_upload(account, stack, rows, model))
    request = submission.request("train", first, None, _config(made_of), more=more)
    if rows:
        request["decided_until"] = max(each.at for each in (*before, *found))
    return Retraining(request, model.version, len(rows), left_out, older, none)


def start(account: Account, stack: Stack, planned: Retraining) -> str:
    """Start a training and return its ARN; where the same one goes on already, that one's."""
    newest = runs.recent(account, stack, LOOKED_AT)
    going_on = [each["executionArn"] for each in newest if each["status"] == "RUNNING"]
    same = (run.arn for run in runs.glances(account, going_on) if _learns(run) == _of(planned.request))
    return next(same, None) or submission.start(account, stack, planned.request)


def sentence(account: Account, planned: Retraining) -> str:
    """Return in words what is learned, and what is not."""
    return (
        f"The files of model version {planned.version} and {count(planned.rows, 'row')} that people decided."
        f"{_unlearned(account, planned.left_out, planned.older, planned.none)}"
    )


def _learns(run: Run) -> Any:  # noqa: ANN401  to be compared
    return _of(run.data["request"]) if "request" in run.data else None


def _of(request: Request | ThresholdRequest) -> Any:  # noqa: ANN401  to be compared
    """Return what a training learns; its file of decisions is written anew each time."""
    if request["action"] == THRESHOLD:
        return None
    return request["action"], request["data"][:-1], request.get("decided_until")


def _nothing(account: Account, model: Model, unlearned: str) -> str:
    return (
        f"Nothing was decided since model version {model.version} was trained: decide rows of a file with "
        f"`{account.command} review`, and retrain then.{unlearned}"
    )


def _unlearned(account: Account, left_out: int, older: int, none: int) -> str:
    """Return how many decisions are not learned, and what to do where they should be."""
    gone = f" {count(left_out, 'decision')} left out, as the results with the texts are gone."
    before = (
        f" {count(older, 'decision')} left out, made before the model's newest file was uploaded, which is "
        "taken to have what was right then: where it has not, train with the final file of that review "
        f"(`{account.command} final RUN`) as well."
    )
    nowhere = f" {count(none, 'decision')} left out, as the rows belong to none of the categories."
    told = [(gone, left_out), (before, older), (nowhere, none)]
    return "".join(sentence for sentence, decisions in told if decisions)


def _config(made_of: Lineage) -> dict[str, object]:
    """Return the configuration that the model was trained with, but for keys that there are no more."""
    known = json.loads(CONFIG_SCHEMA.read_text(encoding="utf-8"))["properties"]
    return {key: value for key, value in made_of["config"].items() if key in known}


def _first_files(made_of: Lineage, model: Model, account: Account) -> list[LearnedFile]:
    """Return the files that the model learned from, but that of the decided rows; raises CommandError."""
    files = [file.get("rewritten", file) for file in made_of["files"]]
    files = files[:-1] if made_of["decisions"] else files
    if len(files) >= MOST_FILES:
        raise CommandError(
            f"Model version {model.version} learned from {len(files)} files, and with the decisions there "
            f"may be {MOST_FILES}: put some of them together, train once more with `{account.command} train "
            "FILES`, and retrain from then on."
        )
    return files


def _since(account: Account, made_of: Lineage, model: Model) -> tuple[str, str]:
    """Return when the newest of a model's files was uploaded, and since when it may not know a decision.

    Both are ISO 8601; the file of decisions is none of the files here. A model that learned decisions may
    not know those since the last of them. Raises CommandError where one of its files is gone.
    """
    written = [_written(account, file.get("rewritten", file), model) for file in made_of["files"]]
    uploaded = since = max(written[:-1] if made_of["decisions"] else written)
    if decisions := made_of["decisions"]:
        since = max(uploaded, datetime.fromisoformat(decisions["until"]) - CLOCKS)
    return uploaded.isoformat(timespec="seconds"), since.isoformat(timespec="seconds")


def _written(account: Account, file: LearnedFile, model: Model) -> datetime:
    try:
        found = account.s3.head_object(**_object(file))
        if found["ETag"].strip('"') == file["etag"]:  # else it was replaced, in a bucket without versions
            since = file.get("uploaded")
            return datetime.fromisoformat(since) if since else found["LastModified"].astimezone(UTC)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
    raise CommandError(
        f"{file['uri']}, from which model version {model.version} was trained, is not there any more in the "
        f"version of then: train from what there is now, with `{account.command} train FILE`."
    )


def _decided_before(account: Account, made_of: Lineage) -> list[DecidedRow]:
    """Return the decided rows that the model has learned already."""
    if not made_of["decisions"]:
        return []
    file = made_of["files"][-1].get("rewritten", made_of["files"][-1])
    with closing(account.s3.get_object(**_object(file))["Body"]) as body:
        try:
            return list(decided.read(body.iter_lines()))
        except (ValueError, TypeError, AttributeError):
            raise CommandError(
                f"{file['uri']} is not a file of decided rows, though the live model's training was told "
                f"so: train once more with `{account.command} train FILE`."
            ) from None


def _found(
    account: Account, stack: Stack, decided_rows: Iterable[tuple[str, Decision]], since: str
) -> tuple[list[DecidedRow], int]:
    """Return what was decided since then, and how many decisions have no text any more."""
    by_run: dict[str, list[Decision]] = defaultdict(list)
    for run, decision in decided_rows:
        if decision.changes[-1].at >= since:
            by_run[run].append(decision)
    found = [
        DecidedRow(texts[each.number], each.category, run, each.number, each.changes[-1].at)
        for run, decisions in by_run.items()
        for texts in [_texts(account, stack, run, {each.number for each in decisions})]
        for each in decisions
        if each.number in texts
    ]
    return found, sum(map(len, by_run.values())) - len(found)


def _texts(account: Account, stack: Stack, run: str, numbers: set[int]) -> dict[int, str]:
    """Return the texts of some rows of a run by their numbers; none of a run whose results are gone."""
    folder, _, kind = run.partition("/")
    read = _of_suspects if kind and run == keys.suspects_of(folder) else _of_queue
    try:
        return {number: text for number, text in read(account, stack, folder) if number in numbers}
    except (CommandError, account.s3.exceptions.NoSuchKey):
        return {}


def _of_suspects(account: Account, stack: Stack, folder: str) -> Iterator[tuple[int, str]]:
    _, rows = suspects.read(account, stack, folder)
    yield from ((number, row.text) for number, row in enumerate(rows))


def _of_queue(account: Account, stack: Stack, folder: str) -> Iterator[tuple[int, str]]:
    index = read_index(account, stack, folder)
    bucket, key = objects.place(index["rows"])
    with closing(account.s3.get_object(Bucket=bucket, Key=key)["Body"]) as body:
        rows = map(json.loads, body.iter_lines())
        yield from ((row["number"], row["cells"][index["text"]]) for row in rows)


def _upload(account: Account, stack: Stack, rows: list[DecidedRow], model: Model) -> Uploaded:
    card = models.card(account, model)
    names = (card["text_column"], card["label_column"]) if card else (None, None)
    with tempfile.TemporaryDirectory(prefix="claimflow-") as folder:
        path = Path(folder) / decided.FILE
        path.write_bytes(decided.write(rows, names[0] or "text", names[1] or "label"))
        return submission.upload(account, stack, path)


def _object(file: LearnedFile) -> Any:  # noqa: ANN401  the arguments of several calls
    bucket, key = objects.place(file["uri"])
    return {"Bucket": bucket, "Key": key, **({"VersionId": file["version"]} if file["version"] else {})}
