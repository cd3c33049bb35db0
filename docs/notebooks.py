"""The pages of the notebooks: what their cells gave when they were last executed, as Markdown and pictures.

`make notebook-pages` executes the notebooks on a local AWS, which leaves them with their outputs in
out/notebooks, and writes docs/NAME.md and docs/NAME_CELL.png from there.
"""

import base64
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
EXECUTED = ROOT / "out" / "notebooks"
NAMES = ("run_pipeline", "train_sagemaker_model")

Cell = dict[str, Any]

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
_LOOKS = re.compile(r' (?:id|class|style|border)="[^"]*"')
_BLANK = re.compile(r"\n\s*\n")


def main() -> int:
    """Write the page of every executed notebook; returns the exit code."""
    for name in NAMES:
        source = EXECUTED / f"{name}.ipynb"
        if not source.exists():
            print(f"There is no {source.relative_to(ROOT)}: run `make notebook-pages`.", file=sys.stderr)
            return 1
        for path in (ROOT / "docs").glob(f"{name}_*.png"):
            path.unlink()
        for file, content in files(name, source.read_text(encoding="utf-8")).items():
            (ROOT / "docs" / file).write_bytes(content)
    return 0


def files(name: str, notebook: str) -> dict[str, bytes]:
    """Return the page and the pictures of an executed notebook, by their names."""
    cells: list[Cell] = json.loads(notebook)["cells"]
    pictures = {
        picture_name(name, cell): base64.b64decode(output["data"]["image/png"])
        for cell in cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    }
    note = f"<!-- Made by `make notebook-pages` of notebooks/{name}.ipynb; do not edit. -->"
    parts = [note, *(part for cell in cells for part in _parts(name, cell))]
    return {f"{name}.md": ("\n\n".join(parts) + "\n").encode(), **pictures}


def picture_name(name: str, cell: Cell) -> str:
    """Return the file name of the picture that a cell draws."""
    return f"{name}_{cell['id'].replace('-', '_')}.png"


def source_of(cell: Cell) -> str:
    """Return what stands in a cell, as its page has it."""
    text = "".join(cell["source"])
    if cell["cell_type"] == "code":
        return f"```python\n{text}\n```"
    return re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.md)", text).replace("](../docs/", "](")


def _parts(name: str, cell: Cell) -> Iterator[str]:
    yield source_of(cell)
    outputs = cell.get("outputs", [])
    printed = [text for output in outputs if output["output_type"] == "stream" for text in output["text"]]
    for shown in (_block("".join(printed)), *(_shown(name, cell, output) for output in outputs)):
        if shown:
            yield shown


def _shown(name: str, cell: Cell, output: Cell) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        return f"![{cell['id']}]({picture_name(name, cell)})"
    if "text/html" in data:
        html = "".join(data["text/html"])
        return "" if "<script" in html else _table(html)
    return _block("".join(data.get("text/plain", "")))


def _block(text: str) -> str:
    lines = _COLOURS.sub("", text).strip("\n")
    return f"```text\n{_BLANK.sub(chr(10), lines)}\n```" if lines.strip() else ""


def _table(html: str) -> str:
    """Return a table as GitHub shows it: without its looks, and without empty lines, which would end it."""
    return _BLANK.sub("\n", _LOOKS.sub("", _STYLE.sub("", html))).strip()


if __name__ == "__main__":
    raise SystemExit(main())
