"""Checks the execution's input; knows nothing of AWS."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from contract import state
from contract.errors import InvalidRequest
from contract.state import Action
from contract.text import shorten
from shared import given
from shared.storage import Location, parse_uri

ACTIONS = get_args(Action)
KEYS = tuple(state.Request.__annotations__)


@dataclass(frozen=True)
class Request:
    """A checked request.

    `config` is an object, where one lies, or None for the stack's own; `replace` lets a new model lack
    categories of the live one.
    """

    action: Action
    data: Location
    version: str | None
    predict: Location | None
    config: dict[str, Any] | Location | None
    started_by: str | None
    replace: bool


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
    return Request(
        action=document["action"],
        data=parse_uri(document["data"]),
        version=document.get("version"),
        predict=parse_uri(predict) if predict is not None else None,
        config=parse_uri(config) if isinstance(config, str) else config,
        started_by=document.get("started_by"),
        replace=document.get("replace") or False,
    )


def _problems(document: dict[str, Any]) -> Iterator[str]:
    unknown = [str(key) for key in document if key not in KEYS]
    if unknown:
        yield given.unknown(unknown, KEYS)
    yield from _action_problems(document)
    if "data" not in document:
        yield "'data' is missing; it must be the file's s3:// address"
    yield from _uri_problems(document, "data")
    yield from _uri_problems(document, "predict")
    if document.get("version") is not None and not given.is_filled(document["version"]):
        yield f"'version' is {given.kind(document['version'])}; it must be the S3 version of 'data', as text"
    yield from filter(
        None,
        [
            given.too_long("version", document.get("version")),
            given.not_a_person(document.get("started_by")),
        ],
    )
    config = document.get("config")
    if isinstance(config, str):
        yield from _uri_problems(document, "config")
    elif config is not None and not isinstance(config, dict):
        yield f"'config' is {given.kind(config)}; it must be an object, or the s3:// address of a JSON file"


def _action_problems(document: dict[str, Any]) -> Iterator[str]:
    action = document.get("action")
    if "action" not in document:
        yield "'action' is missing; it must be 'train', 'predict' or 'threshold'"
    elif action not in ACTIONS:
        shown = f"'{shorten(action)}'" if isinstance(action, str) else given.kind(action)
        yield f"'action' is {shown}; it must be 'train', 'predict' or 'threshold'"
    if action == "predict" and document.get("predict") is not None:
        yield "'predict' goes with the action 'train' only; name the file to label in 'data'"
    if not isinstance(document.get("replace") or False, bool):
        yield f"'replace' is {given.kind(document['replace'])}; it must be true or false"
    if action == "predict" and document.get("replace"):
        yield "'replace' goes with the action 'train' only; leave it out"


def _uri_problems(document: dict[str, Any], key: str) -> Iterator[str]:
    value = document.get(key)
    if value is None and (key != "data" or key not in document):
        return
    if not isinstance(value, str):
        yield f"'{key}' is {given.kind(value)}; it must be text of the form s3://bucket/key"
        return
    try:
        parse_uri(value)
    except ValueError as error:
        yield f"'{key}' is '{shorten(value, 80)}'; {error}"
