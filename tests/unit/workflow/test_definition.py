"""The state machine's source: it builds the same everywhere, and what the SDK does on import stays inside."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from workflow import definition
from workflow.drawing import draw


def test_building_twice_gives_the_same() -> None:
    assert definition.render() == definition.render()


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
def test_the_definition_does_not_depend_on_who_builds_it(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert definition.render() == definition.ASL_FILE.read_text(encoding="utf-8")


def test_importing_the_sdk_says_nothing_and_changes_no_logging() -> None:
    program = (
        "import logging; logging.getLogger().setLevel(logging.INFO)\n"
        "import workflow.definition\n"
        "assert logging.getLogger().level == logging.INFO\n"
        "assert logging.root.manager.disable == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=definition.ROOT,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_curve_has_a_line_of_the_training_to_read() -> None:
    lines = _lines_of_training()
    for name, pattern in definition.METRICS.items():
        found = {match.group(1) for line in lines for match in re.finditer(pattern, line)}
        assert found == {"0.1234"}, name


def test_the_drawing_has_every_state_and_every_arrow_but_those_to_explain() -> None:
    asl = definition.build()
    drawn = draw(asl)
    assert all(f'"{name}"' in drawn for name in asl["States"])
    arrows = sum(
        len(state.get("Choices", [])) + ("Default" in state) + ("Next" in state)
        for state in asl["States"].values()
    )
    assert drawn.count("-->|if that fails|") == 2, "from Explain to Unexplained, from the function to Batch"
    assert drawn.count("-->") == arrows + 2


def _lines_of_training() -> list[str]:
    """Return the f-strings of model/training.py as it would print them, every figure being 0.1234."""
    tree = ast.parse((definition.ROOT / "model" / "training.py").read_text(encoding="utf-8"))
    return [
        "".join(part.value if isinstance(part, ast.Constant) else "0.1234" for part in node.values)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
    ]
