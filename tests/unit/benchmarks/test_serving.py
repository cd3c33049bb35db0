"""The load on servers: what wrk is told, and what it says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import rows, serving
from benchmarks.errors import BenchmarkError
from benchmarks.roster import ROOT

QUIET = """Running 2s test @ http://127.0.0.1:8080/invocations
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     9.20ms    3.04ms  44.11ms   88.13%
    Req/Sec     1.76k   203.54     2.01k    75.00%
  Latency Distribution
     50%  910.00us
     75%    9.71ms
     90%   12.12ms
     99%    1.20s
  3512 requests in 2.00s, 1.02MB read
Requests/sec:   1752.32
Transfer/sec:    521.11KB
"""
TROUBLED = QUIET.replace(
    "Requests/sec:",
    "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 30\nRequests/sec:",
)


def test_the_figures_of_wrk_are_read_in_milliseconds() -> None:
    assert serving.read(QUIET) == serving.Load(1752.32, 0.91, 1200.0, lost=0)


def test_refused_and_failed_requests_are_lost() -> None:
    assert serving.read(TROUBLED).lost == 40


def test_what_is_not_wrk_s_is_told() -> None:
    with pytest.raises(BenchmarkError, match="unable to connect"):
        serving.read("unable to connect to 127.0.0.1")


def test_a_server_that_answers_nothing_in_time_has_no_figures(capsys: pytest.CaptureFixture[str]) -> None:
    serving.show(
        {("slow", 100): [serving.Load(0.0, 0.0, 0.0, 0)], ("quick", 1): [serving.Load(20.0, 5.0, 9.0, 0)]}
    )
    rows = capsys.readouterr().out.splitlines()[2:]
    assert rows == ["| quick | 1 | 20 | 5.0 ms | 9.0 ms | 0 |", "| slow | 100 | none in time | - | - | 0 |"]


def test_every_body_has_as_many_rows_as_asked_for(tmp_path: Path) -> None:
    texts = [f'text "{number}" é' for number in range(7)]
    rows.write(tmp_path / "test.csv", [(text, "label") for text in texts])
    path = serving.script(tmp_path / "test.csv", 3, tmp_path)
    bodies = [
        json.loads(line) for line in (tmp_path / "bodies-3.txt").read_text(encoding="utf-8").splitlines()
    ]
    assert [[row["text"] for row in body["instances"]] for body in bodies] == [texts[:3], texts[3:6]]
    assert str(tmp_path / "bodies-3.txt") in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("program", ["desk", "resume", "serving", "thresholds"])
def test_the_programs_that_the_pages_name_find_all_that_they_import(program: str) -> None:
    command = [sys.executable, "-c", f"import benchmarks.{program}"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
