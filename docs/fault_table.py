"""The table of docs/reliability.md: one row for each fault that a test proves (`@pytest.mark.fault`)."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs.tables import markdown

_TESTS = Path(__file__).resolve().parent.parent / "tests"
# In the order of the table; the tests of faults come first.
_PLACES = ("faults", "container", "workflow", "local", "unit")
_OPEN = "**open**"


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


def faults() -> str:
    """Return the faults, what happens then, and the tests that prove it."""
    return markdown(
        ["where", "fault", "what happens", "what people read", "proved by"],
        [
            [
                row.where,
                row.fault,
                _OPEN if row.open else row.then,
                f"“{row.reads}”" if row.reads else "nothing: the run ends well",
                "<br>".join(f"`{test}`" for test in row.tests),
            ]
            for row in rows()
        ],
    )


def rows() -> list[Row]:
    """Collect the marked tests, and return the rows that they are marked with."""
    table: dict[tuple[str, str], Row] = {}
    for item in _collected():
        for mark in item.iter_markers("fault"):
            row = Row(**mark.kwargs, tests=[])
            row = table.setdefault((row.where, row.fault), row)
            test = item.name.split("[")[0]
            if test not in row.tests:
                row.tests.append(test)
            row.open = row.open or item.get_closest_marker("xfail") is not None
    places = list(dict.fromkeys(row.where for row in table.values()))
    return sorted(table.values(), key=lambda row: places.index(row.where))


def _collected() -> list[pytest.Item]:
    """Collect the files with a marked test only: all of them would import the whole project."""
    files = [file for place in _PLACES for file in sorted((_TESTS / place).rglob("test_*.py"))]
    marked = [str(file) for file in files if "pytest.mark.fault(" in file.read_text(encoding="utf-8")]
    plugin = _Collected()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *marked], plugins=[plugin])
    return plugin.items
