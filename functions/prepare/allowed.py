"""Says in words what a JSON Schema allows, for the sentences of InvalidConfig."""

import json
from typing import Any

Rule = dict[str, Any]

_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}


def describe(rule: Rule, root: Rule) -> str:
    """Return what a rule of the schema `root` allows: `a whole number from 2 to 10000, or null`."""
    if "$ref" in rule:
        return describe(_resolve(rule["$ref"], root), root)
    for either in ("anyOf", "oneOf"):
        if either in rule:
            return ", or ".join(_options(rule[either], root))
    if values := _values(rule):
        return _one_of(values)
    return " ".join(filter(None, (_type(rule), _range(rule), _length(rule), _items(rule, root))))


def _resolve(reference: str, root: Rule) -> Rule:
    place: Any = root
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    found: Rule = place
    return found


def _options(rules: list[Rule], root: Rule) -> list[str]:
    """Return the words for each option, with all that are plain values as one: `one of "auto", "none"`."""
    values = [value for rule in rules for value in _values(rule)]
    others = [describe(rule, root) for rule in rules if not _values(rule)]
    return [_one_of(values), *others] if values else others


def _values(rule: Rule) -> list[Any]:
    values: list[Any] = [rule["const"]] if "const" in rule else rule.get("enum", [])
    return values


def _one_of(values: list[Any]) -> str:
    words = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
    return words if len(values) == 1 else f"one of {words}"


def _type(rule: Rule) -> str:
    kinds = rule.get("type", "value")
    return " or ".join(_TYPES.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _items(rule: Rule, root: Rule) -> str:
    return f"(each {describe(rule['items'], root)})" if "items" in rule else ""


def _range(rule: Rule) -> str:
    if "minimum" in rule and "maximum" in rule:
        return f"from {rule['minimum']} to {rule['maximum']}"
    bounds = (
        ("minimum", "of at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "of at most"),
        ("exclusiveMaximum", "below"),
    )
    return " and ".join(f"{words} {rule[key]}" for key, words in bounds if key in rule)


def _length(rule: Rule) -> str:
    if "pattern" in rule:
        return f"that matches {rule['pattern']}"
    for low, high, unit in (("minLength", "maxLength", "characters"), ("minItems", "maxItems", "items")):
        if low in rule or high in rule:
            return _between(rule.get(low), rule.get(high), unit)
    return ""


def _between(low: int | None, high: int | None, unit: str) -> str:
    if high is None:
        return "that is not empty" if low == 1 else f"of at least {low} {unit}"
    if low is None:
        return f"of at most {high} {unit}"
    return f"of {low} {unit}" if low == high else f"of {low} to {high} {unit}"
