"""What each Lambda handler loads, by package: a user waits for it whenever a function starts cold."""

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[3] / "functions"

#: What logging, tracing and the AWS clients bring.
EVERYWHERE = {
    *("aws-lambda-powertools", "aws-xray-sdk", "wrapt", "typing-extensions"),
    *("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"),
}
#: What else a handler loads. Workbooks load openpyxl and NumPy, only where one comes.
ALSO = {
    "start": set(),
    "prepare": {"jsonschema", "jsonschema-specifications", "referencing", "attrs", "rpds-py"},
    "validate": {"pandas", "numpy", "pytz"},
    "evaluate": set(),
    "register": set(),
    "publish": set(),
    "collect": {"jinja2", "markupsafe"},
    "explain": set(),
    "stopped": set(),
    "turn": set(),
    "tune": set(),
}


@pytest.mark.parametrize("name", sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py")))
def test_a_handler_loads_the_packages_that_it_needs_and_no_other(name: str) -> None:
    assert loaded(f"{name}.handler") == EVERYWHERE | ALSO[name]


def loaded(module: str) -> set[str]:
    """Return the locked packages that a new process has loaded once it has imported a module."""
    program = f"import json, sys; import {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=FUNCTIONS, capture_output=True, check=True)
    modules = {name.partition(".")[0] for name in json.loads(done.stdout)}
    owners = packages_distributions()
    packages = {owner.lower().replace("_", "-") for name in modules for owner in owners.get(name, [])}
    return packages & locked()


def locked() -> set[str]:
    lines = (FUNCTIONS / "requirements.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==", lines, re.MULTILINE))
