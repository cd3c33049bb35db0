"""Checks a configuration against the schema; knows nothing of AWS."""

import difflib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from prepare.allowed import describe
from shared.errors import InvalidConfig
from shared.keys import LIVE_KEYS, LIVE_PREFIX
from shared.messages import is_text, shorten

Config = dict[str, Any]


def parse(text: bytes, source: str) -> Config:
    """Read a configuration file. Raises InvalidConfig that says where the JSON goes wrong."""
    try:
        document = json.loads(
            text.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        raise InvalidConfig(f"{source} is not UTF-8 text; save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise InvalidConfig(
            f"{source} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from error
    except ValueError as error:
        raise InvalidConfig(f"{source}: {error}.") from error
    if not isinstance(document, dict):
        raise InvalidConfig(f'{source} must be a JSON object, such as {{"num_epoch": 5}}.')
    return document


def complete(given: Config, source: str, artifacts: str) -> Config:
    """Check what was given and fill in the rest.

    Args:
        given: the keys that somebody set
        source: where they stand, for the sentence
        artifacts: the name of the stack's artifacts bucket

    Returns:
        every key of the schema, in its order, with the addresses of the live model filled in

    Raises:
        InvalidConfig: with every problem at once; each names the key, its value and what is allowed

    """
    problems = _schema_problems(given)
    defaults = {key: rule.get("default") for key, rule in schema()["properties"].items()}
    config = {key: given.get(key, default) for key, default in defaults.items()}
    for key, live_key in LIVE_KEYS.items():
        config[key] = config.get(key) or f"s3://{artifacts}/{live_key}"
    problems += _address_problems(
        config, artifacts, already={problem.split(" ", 1)[0] for problem in problems}
    )
    if problems:
        raise InvalidConfig(f"{source} cannot be used: " + "; ".join(problems) + ".")
    return config


@cache
def schema() -> dict[str, Any]:
    """Give the schema, the copy that this function carries."""
    document: dict[str, Any] = json.loads(Path(__file__).with_name("config.schema.json").read_text("utf-8"))
    return document


def _schema_problems(given: Config) -> list[str]:
    rules = schema()["properties"]
    unknown = [_unknown(key, list(rules)) for key in given if key not in rules]
    wrong = {str(error.path[0]) for error in Draft202012Validator(schema()).iter_errors(given) if error.path}
    unknown += [
        f"{shorten(key)} holds half a character (a lone surrogate), which is no text"
        for key, value in given.items()
        if key in rules and not is_text(json.dumps(value, ensure_ascii=False))
    ]
    return unknown + [
        f"{key} is {_shown(given[key])}, but must be {describe(rules[key], schema())}"
        for key in given
        if key in wrong
    ]


def _unknown(key: str, known: list[str]) -> str:
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(key.lower(), lowered, n=1)
    hint = f"did you mean {lowered[near[0]]}?" if near else "see config/config.json for every key"
    return f"{shorten(key)} is not a key of the configuration ({hint})"


def _address_problems(config: Config, artifacts: str, already: set[str]) -> list[str]:
    """Check where the live model goes: into the folder of the stack that it alone may be written to."""
    folder = f"s3://{artifacts}/{LIVE_PREFIX}"
    problems = [
        f"{key} is {_shown(config[key])}, but must be null, or an address below {folder}"
        for key in LIVE_KEYS
        if key not in already and not _is_file_below(config[key], folder)
    ]
    addresses = [config[key] for key in LIVE_KEYS]
    if not problems and len(set(map(str, addresses))) < len(addresses):
        problems.append(f"{', '.join(LIVE_KEYS)} must be three different addresses")
    return problems


def _is_file_below(address: object, folder: str) -> bool:
    return isinstance(address, str) and address.startswith(folder) and not address.endswith("/")


def _shown(value: object) -> str:
    return shorten(json.dumps(value, ensure_ascii=False), 80)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shorten(twice)} is given twice")
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON value")
