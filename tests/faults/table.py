"""The table in docs/reliability.md: one row for each fault that a test proves.

`python tests/faults/table.py` writes it; with `--print` the page goes to standard output instead.
tests/faults/test_table.py fails while the page is not current.
"""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "reliability.md"
PLACES = ("container", "workflow", "local", "unit/functions/test_register.py")
FOLDERS = [FOLDER, *(FOLDER.parent / name for name in PLACES)]
BEGIN, END = "<!-- the fault table begins -->", "<!-- the fault table ends -->"
OPEN = "**open**"
HEADER = ("where", "fault", "what happens", "what people read", "proved by")


@dataclass
class Row:
    """A fault of the table, with the tests that prove it."""

    where: str
    fault: str
    then: str
    reads: str
    tests: list[str]
    open: bool = False


class _Collected:
    """A plugin of pytest that keeps what was collected."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = session.items


def rows() -> list[Row]:
    """Collect the tests that may be marked, and give the rows that they are marked with."""
    collected = _Collected()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", *map(str, FOLDERS)], plugins=[collected]
        )
    found: dict[tuple[str, ...], Row] = {}
    for item in collected.items:
        for mark in item.iter_markers("fault"):
            row = Row(**mark.kwargs, tests=[])
            row = found.setdefault((row.where, row.fault), row)
            place = item.name.split("[")[0]
            if place not in row.tests:
                row.tests.append(place)
            row.open = row.open or item.get_closest_marker("xfail") is not None
    places = list(dict.fromkeys(row.where for row in found.values()))
    return sorted(found.values(), key=lambda row: places.index(row.where))


def table(found: list[Row]) -> str:
    """Return the rows in Markdown."""
    lines = ["| " + " | ".join(HEADER) + " |", "|---" * len(HEADER) + "|"]
    for row in found:
        reads = f"“{row.reads}”" if row.reads else "nothing: the run ends well"
        tests = "<br>".join(f"`{test}`" for test in row.tests)
        lines.append(f"| {row.where} | {row.fault} | {OPEN if row.open else row.then} | {reads} | {tests} |")
    return "\n".join(lines)


def render(page: str) -> str:
    """Return the page with the table of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(rows())}\n{END}{after}"


if __name__ == "__main__":
    page = render(PAGE.read_text(encoding="utf-8"))
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(page)
    else:
        PAGE.write_text(page, encoding="utf-8")
