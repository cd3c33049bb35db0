"""The table in docs/reliability.md is what the tests prove."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_fault_table_is_current_and_has_no_open_row() -> None:
    command = [sys.executable, str(ROOT / "tests/faults/table.py"), "--print"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    assert done.stdout == page, "run: make faults-table"
    assert "**open**" not in page
