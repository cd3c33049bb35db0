"""The template and the state machine as data, read once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from docs import policies

ROOT = Path(__file__).resolve().parents[2]

Data = dict[str, Any]


@pytest.fixture(scope="session")
def template() -> Data:
    """Return the template, its functions in their long form."""
    return policies.template()


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
