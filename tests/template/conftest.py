"""The template and the state machine as data, read once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

Data = dict[str, Any]


class _CloudFormation(yaml.SafeLoader):
    """Reads `!Ref x` as {"Ref": "x"} and `!Sub x` as {"Fn::Sub": "x"}."""


def _function(loader: _CloudFormation, tag: str, node: yaml.Node) -> Data:
    name = "Ref" if tag == "Ref" else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_CloudFormation.add_multi_constructor("!", _function)


@pytest.fixture(scope="session")
def template() -> Data:
    """Return the template, its functions in their long form."""
    return yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=_CloudFormation)  # noqa: S506


@pytest.fixture(scope="session")
def resources(template: Data) -> Data:
    """Return the resources by their names in the template."""
    return template["Resources"]


@pytest.fixture(scope="session")
def machine() -> Data:
    """Return the state machine as it is committed."""
    return json.loads((ROOT / "workflow" / "state_machine.asl.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def states(machine: Data) -> Data:
    """Return the states by their names."""
    return machine["States"]
