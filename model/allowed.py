"""Says in words what a JSON Schema allows: once, for the schema's own `x-allowed`, which all others read."""

import json
from collections.abc import Mapping
from typing import Any

Rule = Mapping[str, Any]

_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def allowed(rule: Rule) -> str:
    """Return what a rule allows, as it goes after "must be": `a whole number from 2 to 10, or null`."""
    options = rule.get("anyOf", [rule])
    values = [value for option in options for value in _values(option)]
    kinds = [_kind(option) for option in options if not _values(option) and not _is_null(option)]
    null = ["null"] if any(map(_is_null, options)) else []
    return ", or ".join([*_one_of(values), *kinds, *null])


def _values(option: Rule) -> list[Any]:
    return [option["const"]] if "const" in option else option.get("enum", [])


def _is_null(option: Rule) -> bool:
    return bool(option.get("type") == "null")


def _one_of(values: list[Any]) -> list[str]:
    words = ", ".join(map(json.dumps, values))
    return [f"one of {words}" if len(values) > 1 else words] if values else []


def _kind(option: Rule) -> str:
    words = [_TYPES[option["type"]], _limits(option), _length(option)]
    if "pattern" in option:
        words.append(f"that matches {option['pattern']}")
    if "items" in option:
        words.append(f"(each {allowed(option['items'])})")
    return " ".join(filter(None, words))


def _limits(option: Rule) -> str:
    if "minimum" in option and "maximum" in option:
        return f"from {option['minimum']:,} to {option['maximum']:,}"
    limits = " and ".join(f"{words} {option[key]:,}" for key, words in _LIMITS.items() if key in option)
    return f"of {limits}" if "minimum" in option else limits


def _length(option: Rule) -> str:
    unit = "values" if option["type"] == "array" else "characters"
    shortest, longest = (
        option.get(end + ("Items" if unit == "values" else "Length")) for end in ("min", "max")
    )
    if longest is None:
        return ""
    if shortest is None:
        return f"of at most {longest:,} {unit}"
    return f"of {longest} {unit}" if shortest == longest else f"of {shortest} to {longest:,} {unit}"
