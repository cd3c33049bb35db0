"""What is compiled is compiled once, and anew when its source changes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCE = """
from model.compiled import compiled

@compiled
def double(number):
    return number * 2

if __name__ != "__main__":
    print(double(21), sum(double.stats.cache_hits.values()), sum(double.stats.cache_misses.values()))
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module with a compiled function that tells its result, and whether it was found or compiled."""
    path = tmp_path / "doubling.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def told(module: Path) -> str:
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(module.parent)!r}]; import doubling"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_second_process_finds_what_the_first_has_compiled(module: Path) -> None:
    assert [told(module), told(module)] == ["42 0 1", "42 1 0"]


def test_a_change_of_the_source_is_compiled_anew(module: Path) -> None:
    told(module)
    module.write_text(SOURCE.replace("number * 2", "number * 3"), encoding="utf-8")
    assert told(module) == "63 0 1"


def test_where_nothing_can_be_kept_it_is_compiled_each_time(module: Path) -> None:
    (module.parent / "__pycache__").write_text("in the way", encoding="utf-8")
    assert [told(module), told(module)] == ["42 0 1", "42 0 1"]
