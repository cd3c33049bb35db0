"""Checks the execution's input; knows nothing of AWS."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from contract import state, tuning
from contract.errors import InvalidRequest
from contract.state import MOST_FILES, Action
from contract.text import shorten
from shared import given
from shared.storage import Location, parse_uri

ACTIONS = get_args(Action)
_ALLOWED = f"{', '.join(map(repr, ACTIONS))} or '{state.THRESHOLD}'"
_LIMITS = {"trials": (1, tuning.MOST_TRIALS), "max_minutes": (tuning.LEAST_MINUTES, tuning.MOST_MINUTES)}
KEYS = tuple(state.Request.__annotations__)


@dataclass(frozen=True)
class Request:
    """A checked request.

    `data` has one file, or several to train on, and `versions` one for each, None for the newest.
    `config` is an object, where one lies, or None for the stack's own; `replace` lets a new model lack
    categories of the live one; `decided_until` says up to when people's decisions are in the last file.
    """

    action: Action
    data: tuple[Location, ...]
    versions: tuple[str | None, ...]
    predict: Location | None
    config: dict[str, Any] | Location | None
    started_by: str | None
    replace: bool
    decided_until: str | None
    trials: int
    max_minutes: int


def parse(document: object) -> Request:
    """Check the execution's input. Raises InvalidRequest with every problem at once."""
    if not isinstance(document, dict):
        raise InvalidRequest(
            f"The request is {given.kind(document)}; it must be an object such as "
            '{"action": "train", "data": "s3://bucket/key.csv"}.'
        )
    problems = list(_problems(document))
    if problems:
        raise InvalidRequest("The request cannot be used: " + "; ".join(problems) + ".")
    predict, config = document.get("predict"), document.get("config")
    data = _several(document["data"])
    versions = _several(document.get("version")) if document.get("version") else [None] * len(data)
    return Request(
        action=document["action"],
        data=tuple(map(parse_uri, data)),
        versions=tuple(version or None for version in versions),
        predict=parse_uri(predict) if predict is not None else None,
        config=parse_uri(config) if isinstance(config, str) else config,
        started_by=document.get("started_by"),
        replace=document.get("replace") or False,
        decided_until=document.get("decided_until"),
        trials=document.get("trials") or tuning.TRIALS,
        max_minutes=document.get("max_minutes") or tuning.MINUTES,
    )


def _problems(document: dict[str, Any]) -> Iterator[str]:
    unknown = [str(key) for key in document if key not in KEYS]
    if unknown:
        yield given.unknown(unknown, KEYS)
    yield from _action_problems(document)
    if "data" not in document:
        yield "'data' is missing; it must be the file's s3:// address"
    yield from _data_problems(document)
    yield from _uri_problems("predict", document.get("predict"))
    yield from _version_problems(document)
    if problem := given.not_a_person(document.get("started_by")):
        yield problem
    yield from _decided_problems(document)
    yield from _limit_problems(document)
    config = document.get("config")
    if isinstance(config, str):
        yield from _uri_problems("config", config)
    elif config is not None and not isinstance(config, dict):
        yield f"'config' is {given.kind(config)}; it must be an object, or the s3:// address of a JSON file"


def _action_problems(document: dict[str, Any]) -> Iterator[str]:
    action = document.get("action")
    if "action" not in document:
        yield f"'action' is missing; it must be {_ALLOWED}"
    elif action not in ACTIONS:
        shown = f"'{shorten(action)}'" if isinstance(action, str) else given.kind(action)
        yield f"'action' is {shown}; it must be {_ALLOWED}"
    if action == "predict" and document.get("predict") is not None:
        yield "'predict' goes with the action 'train' only; name the file to label in 'data'"
    if not isinstance(document.get("replace") or False, bool):
        yield f"'replace' is {given.kind(document['replace'])}; it must be true or false"
    if action == "predict" and document.get("replace"):
        yield "'replace' goes with the action 'train' only; leave it out"


def _limit_problems(document: dict[str, Any]) -> Iterator[str]:
    for key, (least, most) in _LIMITS.items():
        value = document.get(key)
        if value is None:
            continue
        if document.get("action") != "tune":
            yield f"'{key}' goes with the action 'tune' only; leave it out"
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            shown = f"{value}" if isinstance(value, int | float) else given.kind(value)
            yield f"'{key}' is {shown}; it must be a whole number from {least} to {most:,}"


def _decided_problems(document: dict[str, Any]) -> Iterator[str]:
    until = document.get("decided_until")
    if until is not None and not _is_time(until):
        shown = f"'{shorten(until)}'" if isinstance(until, str) else given.kind(until)
        yield f"'decided_until' is {shown}; it must be a time such as 2026-11-27T09:30:00+00:00"
    if until is not None and document.get("action") == "predict":
        yield "'decided_until' goes with the action 'train' only; leave it out"


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _data_problems(document: dict[str, Any]) -> Iterator[str]:
    data = document.get("data")
    if "data" in document and data is None:
        yield "'data' is null; it must be text of the form s3://bucket/key"
    if not isinstance(data, list):
        yield from _uri_problems("data", data)
        return
    if document.get("action") == "predict":
        yield "'data' is a list; only a training takes several files"
    if not 1 <= len(data) <= MOST_FILES:
        yield f"'data' has {len(data):,} files; it may have 1 to {MOST_FILES}"
        return
    for number, uri in enumerate(data):
        yield from _uri_problems(f"data[{number}]", uri if uri is not None else "")
        if isinstance(uri, str) and uri in data[:number]:
            yield f"'data' names {shorten(uri, 80)} more than once"


def _version_problems(document: dict[str, Any]) -> Iterator[str]:
    data, version = document.get("data"), document.get("version")
    if version is None:
        return
    if isinstance(version, list) and len(version) != len(_several(data)):
        yield "'version' must have as many entries as 'data', or be left out"
    elif isinstance(version, list) != isinstance(data, list):
        yield (
            f"'version' is {given.kind(version)}; it must be the S3 version of 'data', as text, or a list "
            "for a list"
        )
    for each in _several(version):
        if each is not None and not given.is_filled(each):
            yield f"'version' is {given.kind(each)}; it must be the S3 version of 'data', as text"
        elif too_long := given.too_long("version", each):
            yield too_long


def _several(value: Any) -> list[Any]:  # noqa: ANN401  any JSON
    return value if isinstance(value, list) else [value]


def _uri_problems(key: str, value: object) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, str):
        yield f"'{key}' is {given.kind(value)}; it must be text of the form s3://bucket/key"
        return
    try:
        parse_uri(value)
    except ValueError as error:
        yield f"'{key}' is '{shorten(value, 80)}'; {error}"
