"""The state machine's source: what it writes is current, and what the SDK does on import stays inside."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workflow import definition
from workflow.drawing import draw


def test_the_committed_files_are_current() -> None:
    for path, text in definition.render().items():
        assert path.read_text(encoding="utf-8") == text, "run: python -m workflow.definition --graph"


def test_building_twice_gives_the_same() -> None:
    assert definition.render() == definition.render()


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
def test_the_definition_does_not_depend_on_who_builds_it(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert definition.render()[definition.ASL_FILE] == definition.ASL_FILE.read_text(encoding="utf-8")


def test_check_refuses_a_stale_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "old.json"
    monkeypatch.setattr(definition, "ROOT", tmp_path)
    monkeypatch.setattr(definition, "render", lambda: {stale: "new"})
    stale.write_text("old", encoding="utf-8")
    assert definition.main(["--check"]) == 1
    assert "old.json is not current" in capsys.readouterr().err
    assert stale.read_text(encoding="utf-8") == "old"
    stale.write_text("new", encoding="utf-8")
    assert definition.main(["--check"]) == 0


def test_writing_leaves_the_drawing_alone_unless_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asl, graph = tmp_path / "asl.json", tmp_path / "graph.md"
    monkeypatch.setattr(definition, "ASL_FILE", asl)
    monkeypatch.setattr(definition, "render", lambda: {asl: "{}\n", graph: "# drawing\n"})
    assert definition.main([]) == 0
    assert (asl.exists(), graph.exists()) == (True, False)
    assert definition.main(["--graph"]) == 0
    assert graph.read_text(encoding="utf-8") == "# drawing\n"


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
    assert drawn.count("-->") == arrows + 1, "one more, from Explain to Unexplained"


def _lines_of_training() -> list[str]:
    """Return the f-strings of model/training.py as it would print them, every figure being 0.1234."""
    tree = ast.parse((definition.ROOT / "model" / "training.py").read_text(encoding="utf-8"))
    return [
        "".join(part.value if isinstance(part, ast.Constant) else "0.1234" for part in node.values)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
    ]
