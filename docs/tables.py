"""The tables of docs/configuration.md: the keys of the configuration, the stack's parameters and outputs."""

import json
from pathlib import Path
from typing import Any

import yaml

from model.config import schema

_TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"


class _CloudFormation(yaml.SafeLoader):
    """Reads the template's functions (`!Ref`, `!Sub`, …) as nothing: no table here needs them."""


_CloudFormation.add_multi_constructor("!", lambda _loader, _tag, _node: None)


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown; a `|` in a cell is escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def configuration() -> str:
    """Return the keys of the configuration: default, what is allowed, meaning."""
    rows = [
        [f"`{key}`", f"`{json.dumps(rule['default'])}`", rule["x-allowed"], rule["description"]]
        for key, rule in schema()["properties"].items()
    ]
    return markdown(["key", "default", "allowed", "meaning"], rows)


def parameters() -> str:
    """Return the parameters of the stack, a table for each group in which the console shows them."""
    template = _template()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    return "\n\n".join(
        f"**{group['Label']['default']}**\n\n{_group(template['Parameters'], group['Parameters'])}"
        for group in groups
    )


def outputs() -> str:
    """Return the outputs of the stack."""
    rows = [
        [f"`{name}`", _one_line(output["Description"])] for name, output in _template()["Outputs"].items()
    ]
    return markdown(["output", "what it is"], rows)


def _template() -> dict[str, Any]:
    return dict(yaml.load(_TEMPLATE.read_text(encoding="utf-8"), Loader=_CloudFormation))  # noqa: S506


def _group(rules: dict[str, Any], names: list[str]) -> str:
    rows = [
        [f"`{name}`", _default(rules[name]), _limits(rules[name]), _one_line(rules[name]["Description"])]
        for name in names
    ]
    return markdown(["parameter", "default", "allowed", "meaning"], rows)


def _default(rule: dict[str, Any]) -> str:
    return f"`{rule['Default']}`" if rule["Default"] != "" else "empty"


def _limits(rule: dict[str, Any]) -> str:
    if "AllowedValues" in rule:
        return ", ".join(str(value) for value in rule["AllowedValues"])
    if "MinValue" in rule:
        return f"{rule['MinValue']:,} to {rule['MaxValue']:,}"
    return {"CommaDelimitedList": "a list"}.get(rule["Type"], "text")


def _one_line(text: str) -> str:
    return " ".join(text.split())
