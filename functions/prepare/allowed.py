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
    """Give what a rule of the schema `root` allows: `a whole number from 2 to 10000, or null`."""
    if "$ref" in rule:
        return describe(_resolve(rule["$ref"], root), root)
    for either in ("anyOf", "oneOf"):
        if either in rule:
            return ", or ".join(describe(option, root) for option in rule[either])
    if "const" in rule:
        return json.dumps(rule["const"], ensure_ascii=False)
    if "enum" in rule:
        return "one of " + ", ".join(json.dumps(value, ensure_ascii=False) for value in rule["enum"])
    return " ".join(filter(None, (_type(rule, root), _range(rule), _length(rule))))


def _resolve(reference: str, root: Rule) -> Rule:
    place: Any = root
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    found: Rule = place
    return found


def _type(rule: Rule, root: Rule) -> str:
    kinds = rule.get("type", "value")
    words = " or ".join(_TYPES.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))
    if kinds == "array" and "items" in rule:
        words += f" (each {describe(rule['items'], root)})"
    return words


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
        if low in rule and high in rule:
            return f"of {rule[low]} to {rule[high]} {unit}"
        if rule.get(low) == 1:
            return "that is not empty"
        if low in rule:
            return f"of at least {rule[low]} {unit}"
        if high in rule:
            return f"of at most {rule[high]} {unit}"
    return ""
