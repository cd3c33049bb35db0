"""Texts get on this machine what a run gives them: a single one, and those that programs send."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import urllib.request
from pathlib import Path

from tests.workflow.claims import FAST, as_csv, rows
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


def test_two_versions_are_compared_on_this_machine_with_the_figures_of_a_run(
    live: Stack, tmp_path: Path
) -> None:
    first = live.first_model.rsplit("/", 1)[-1]
    live.no_live_model()
    learned = live.upload("requests/second.csv", as_csv(rows(240, seed=95, of_words=2)))
    second = str(
        output_of(live.run({"action": "train", "data": learned, "config": FAST}))["registration"]["version"]
    )
    content = as_csv(rows(120, seed=96))
    data = live.upload("requests/both.csv", content)
    wanted = output_of(live.run({"action": "predict", "data": data}))["results"]
    (tmp_path / "both.csv").write_text(content, encoding="utf-8")
    command = (
        "env",
        f"XDG_CACHE_HOME={tmp_path}",
        "claimflow",
        "--local",
        "--stack",
        live.name,
        "models",
        "compare",
    )
    asked = (
        first,
        second,
        "--on",
        str(tmp_path / "both.csv"),
        "--to",
        str(tmp_path / "differ.csv"),
        "--json",
    )
    found = json.loads(live.command(*command, *asked).stdout)
    _, of_live = found["versions"]
    assert (found["rows"], found["learned"], found["judged"]["rows"]) == (120, 0, 120)
    assert of_live["accuracy"] == wanted["accuracy"]
    assert of_live["accepted_of_judged"] == of_live["accepted"]
    with (tmp_path / "differ.csv").open(encoding="utf-8-sig", newline="") as file:
        differing = list(csv.DictReader(file))
    assert len(differing) == found["differing"] > 0
    table = {row["description"]: row["prediction"] for row in live.table(wanted["results"])}
    assert all(table[row["description"]] == row[f"prediction_{second}"] for row in differing)
