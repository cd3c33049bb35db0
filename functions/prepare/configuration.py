"""Checks a configuration against the schema; knows nothing of AWS."""

import difflib
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from contract import tuning
from contract.errors import InvalidConfig
from contract.keys import LIVE_KEYS, LIVE_PREFIX
from contract.text import is_text, shorten

Config = dict[str, Any]

MOST_DEPTH, MOST_VALUES = 8, 1_000  # of one key
SHOWN = 8  # problems


def complete(given: Config, source: str, artifacts: str) -> Config:
    """Check what was given and fill in the rest.

    Args:
        given: the keys that somebody set
        source: where they stand, for the sentence
        artifacts: the name of the stack's artifacts bucket

    Returns:
        every key of the schema, in its order, with the addresses of the live model filled in

    Raises:
        InvalidConfig: with every problem at once, or the first SHOWN of them; each names the key, its value
            and what is allowed

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
        more = f"; and {len(problems) - SHOWN:,} more" if len(problems) > SHOWN else ""
        raise InvalidConfig(f"{source} cannot be used: " + "; ".join(problems[:SHOWN]) + more + ".")
    return config


@cache
def schema() -> dict[str, Any]:
    """Return the schema; the file beside this one is a link to it, which `sam build` follows."""
    document: dict[str, Any] = json.loads(Path(__file__).with_name("config.schema.json").read_text("utf-8"))
    return document


def _schema_problems(given: Config) -> list[str]:
    rules = schema()["properties"]
    near = iter(range(SHOWN))  # to look for a similar name takes a while
    problems = [
        _unknown(key, list(rules) if next(near, None) is not None else [])
        for key in given
        if key not in rules
    ]
    impossible = {key: said for key in given if key in rules and (said := _impossible(given[key]))}
    problems += [f"{key} {said}" for key, said in impossible.items()]
    possible = {key: given[key] for key in given if key in rules and key not in impossible}
    wrong = {
        str(error.path[0]) for error in Draft202012Validator(schema()).iter_errors(possible) if error.path
    }
    problems += [
        f"{key} is {_shown(given[key])}, but must be {rules[key]['x-allowed']}"
        for key in given
        if key in wrong - {"tuning"}
    ]
    return problems + _tuning_problems(possible)


def _tuning_problems(given: Config) -> list[str]:
    """Check the ranges to tune in one by one, each by the rule of its key."""
    if given.get("tuning") is None:
        return []
    rules = schema()["properties"]

    def takes(key: str, value: object) -> bool:
        return Draft202012Validator(rules[key]).is_valid(value)

    return list(tuning.problems(given["tuning"], takes, lambda key: str(rules[key]["x-allowed"])))


def _impossible(value: object) -> str | None:
    """Return what is wrong with a value that no schema describes: not JSON, no text, too deep or too long."""
    values: list[tuple[object, int]] = [(value, 0)]
    for seen, (part, depth) in enumerate(values):
        if depth > MOST_DEPTH:
            return "is nested too deeply"
        if seen >= MOST_VALUES:
            return f"holds more than {MOST_VALUES:,} values"
        if isinstance(part, float) and not math.isfinite(part):
            return f"is {_shown(part)}, which is no number of JSON, or too large for one"
        if isinstance(part, str) and not is_text(part):
            return "holds half a character (a lone surrogate), which is no text"
        if isinstance(part, dict):
            values += [(inner, depth + 1) for pair in part.items() for inner in pair]
        elif isinstance(part, list):
            values += [(inner, depth + 1) for inner in part]
    return None


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
