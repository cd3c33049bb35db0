"""Runs the programs of the container, undisturbed or interrupted at a named point."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.container.conftest import ROOT, environment

AT = str(Path(__file__).with_name("at.py"))
Done = subprocess.CompletedProcess[str]


def run(program: str, **variables: str) -> Done:
    """Run `train` or `predict` to its end."""
    return _run([str(ROOT / "container" / program)], variables)


def run_until(program: str, point: str, count: int, name: str, **variables: str) -> Done:
    """Run it until the `count`-th call of a function (`module:name`), where the signal comes."""
    done = _run([sys.executable, AT, program, point, str(count), name], variables)
    assert f"{name} now" in done.stdout, f"{point} was not reached: {done.stdout}{done.stderr}"
    return done


def _run(command: list[str], variables: dict[str, str]) -> Done:
    return subprocess.run(
        command,
        cwd="/",
        env=environment(**variables),
        capture_output=True,  # so it ends only when every process that the program started has ended
        text=True,
        check=False,
        timeout=120,
    )
