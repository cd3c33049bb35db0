"""A single text gets on this machine what a run gives it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.workflow.claims import as_csv, rows
from tests.workflow.stack import Stack, output_of


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
