"""The notebooks as they are committed, and their pages in docs/."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from docs import notebooks

ROOT = Path(__file__).resolve().parents[3]


def cells(name: str) -> list[dict[str, Any]]:
    path = ROOT / "notebooks" / f"{name}.ipynb"
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


def test_every_notebook_has_a_page() -> None:
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} == set(notebooks.NAMES)


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_no_output_is_committed(name: str) -> None:
    code = [cell for cell in cells(name) if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_the_page_has_every_cell_as_it_is_and_every_picture(name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    stale = [cell["id"] for cell in cells(name) if notebooks.source_of(cell) not in page]
    assert stale == [], "run `make notebook-pages`"
    pictures = re.findall(r"^!\[[\w-]+\]\((.+)\)$", page, re.MULTILINE)
    assert sorted(pictures) == sorted(path.name for path in (ROOT / "docs").glob(f"{name}_*.png"))
    assert pictures


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_one_cell_alone_is_about_the_local_aws(name: str) -> None:
    local = [
        cell["id"]
        for cell in cells(name)
        if cell["cell_type"] == "code" and "local" in "".join(cell["source"])
    ]
    assert local == ["local"]


def executed(*outputs: dict[str, Any]) -> str:
    cell = {"cell_type": "code", "id": "a-cell", "source": ["x = 1\n", "x"], "outputs": list(outputs)}
    return json.dumps({"cells": [cell]})


def page(*outputs: dict[str, Any]) -> str:
    return notebooks.files("name", executed(*outputs))["name.md"].decode()


def test_a_cell_is_shown_with_what_it_printed_without_colours() -> None:
    printed = {
        "output_type": "stream",
        "name": "stdout",
        "text": ["\x1b[34mepoch 1\x1b[0m\n", "\n", "\n", "end\n"],
    }
    assert page(printed).endswith("```python\nx = 1\nx\n```\n\n```text\nepoch 1\nend\n```\n")


def test_a_table_is_shown_without_its_looks_and_a_drawing_of_a_script_is_left_out() -> None:
    table = {
        "output_type": "execute_result",
        "data": {
            "text/html": ['<style id="a">\n\nx</style><table id="T">\n\n', '<td class="c">1</td></table>']
        },
    }
    script = {"output_type": "execute_result", "data": {"text/html": "<script>x</script>", "text/plain": "x"}}
    assert page(table, script).endswith("```\n\n<table>\n<td>1</td></table>\n")


def test_a_picture_becomes_a_file_beside_the_page() -> None:
    drawn = {"output_type": "display_data", "data": {"image/png": "aGk=", "text/plain": "<Figure>"}}
    made = notebooks.files("name", executed(drawn))
    assert made["name_a_cell.png"] == b"hi"
    assert b"![a-cell](name_a_cell.png)" in made["name.md"]


def test_without_an_executed_notebook_the_command_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "EXECUTED", tmp_path / "out" / "notebooks")
    assert notebooks.main() == 1
    assert (
        capsys.readouterr().err
        == "There is no out/notebooks/run_pipeline.ipynb: run `make notebook-pages`.\n"
    )
