"""Texts get on this machine what a run gives them: a single one, and those that programs send."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from pathlib import Path

from tests.workflow.claims import as_csv, rows
from tests.workflow.stack import ROOT, Stack, free_port, output_of


def test_a_text_is_labelled_on_this_machine_as_a_run_labels_it(live: Stack, tmp_path: Path) -> None:
    pairs = rows(1, seed=90)
    data = live.upload("requests/single.csv", as_csv(pairs))
    (wanted,) = live.table(output_of(live.run({"action": "predict", "data": data}))["results"]["results"])
    cache = f"XDG_CACHE_HOME={tmp_path}"
    command = ("claimflow", "--local", "--stack", live.name, "classify", pairs[0][0], "--json")
    found = json.loads(live.command("env", cache, *command).stdout)
    assert found["prediction"] == wanted["prediction"]
    assert found["runner_up"] == wanted["runner_up"]
    assert found["confidence"] == float(wanted["confidence"])
    assert (found["reason"] is not None) == (wanted["needs_review"] == "true")
    live.notifications(expected=1)


def test_programs_are_answered_as_a_run_labels(live: Stack, tmp_path: Path) -> None:
    pairs = rows(20, seed=92)
    data = live.upload("requests/served.csv", as_csv(pairs, labelled=False))
    wanted = live.table(output_of(live.run({"action": "predict", "data": data}))["results"]["results"])
    port = free_port()
    command = ["claimflow", "--local", "--stack", live.name, "serve", "--port", str(port)]
    environment = live.environment | {"XDG_CACHE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            next(line for line in program.stdout if f"http://127.0.0.1:{port}/invocations" in line)
            body = json.dumps([text for text, _ in pairs]).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/invocations", body, {"content-type": "application/json"}
            )
            with urllib.request.urlopen(request) as answer:  # noqa: S310  to ourselves
                version = answer.headers["x-claimflow-model"]
                found = json.load(answer)["predictions"]
        finally:
            program.send_signal(signal.SIGINT)
    assert program.returncode == 0
    assert version == str(live.packages("Approved")[0]["ModelPackageVersion"])
    assert [(row["prediction"], row["confidence"], row["needs_review"]) for row in found] == [
        (row["prediction"], float(row["confidence"]), row["needs_review"] == "true") for row in wanted
    ]
    live.notifications(expected=1)
