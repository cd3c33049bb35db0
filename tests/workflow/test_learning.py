"""The loop on the local AWS: label, decide, retrain; the new model knows what was decided, and goes live."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.workflow.claims import FAST, FILLER, as_csv, rows
from tests.workflow.stack import Stack, output_of
from workflow.decisions import Answer, Asked, Decisions, Person
from workflow.queue import QueueRow

DECIDED, LEFT = 60, 30  # texts of the new kind that people decide, and others by which models are judged
SWOLLEN = ["swollen", "bulging", "leaking", "corroded", "overheats"]


def swollen(count: int) -> list[tuple[str, str]]:
    """Make claims about batteries in words that no claim had before."""
    source = random.Random(7)
    made = []
    for number in range(count):
        words = [*source.sample(SWOLLEN, 2), *source.sample(FILLER, 4), f"swell{number}"]
        source.shuffle(words)
        made.append((" ".join(words), "battery"))
    return made


@pytest.fixture
def unlearned(trained: Stack) -> Stack:
    """Return the stack with a live model that has seen no claim of the new kind."""
    stack = trained
    stack.no_live_model()
    data = stack.upload("requests/learned.csv", as_csv(rows(240, seed=90)))
    ended = stack.run({"action": "train", "data": data, "config": FAST})
    assert output_of(ended)["registration"]["live"] is True
    return stack


def labelled(stack: Stack, data: str) -> tuple[str, list[dict[str, str]]]:
    """Label a file with the live model; returns the run's name and the rows of the results."""
    output = output_of(stack.run({"action": "predict", "data": data}))
    return output["run"]["name"], stack.table(output["results"]["results"])


def right(predicted: list[dict[str, str]]) -> float:
    """Return the share of the rows of the new kind that nobody decides whose category is right."""
    return sum(row["prediction"] == "battery" for row in predicted[DECIDED:]) / LEFT


def decide(stack: Stack, run: str) -> int:
    """Decide the rows of the new kind that lie in the queue, but those by which models are judged."""
    results = stack.outputs["ResultsBucket"]
    index: dict[str, Any] = json.loads(stack.read(f"s3://{results}/{run}/queue/index.json"))
    decisions = Decisions(stack.client("dynamodb"), stack.outputs["DecisionsTable"], run)
    queued: list[QueueRow] = [json.loads(line) for line in stack.read(index["rows"]).splitlines()]
    for row in (row for row in queued if row["number"] < DECIDED):
        asked = Asked(row["number"], row["prediction"], index["model"], audit=row["audit"])
        decisions.decide(asked, Answer("battery", f"{run}-{row['number']}"), Person("ana", "window"))
    return sum(row["number"] < DECIDED for row in queued)


def claimflow(stack: Stack, *arguments: str, check: bool = True) -> str:
    done = stack.command("claimflow", "--local", "--stack", stack.name, *arguments, check=check)
    return done.stdout + done.stderr


def test_what_people_decide_reaches_the_next_model_which_is_better_at_it_and_goes_live(
    unlearned: Stack,
) -> None:
    data = unlearned.upload("requests/swollen.csv", as_csv(swollen(DECIDED + LEFT), labelled=False))
    said = claimflow(unlearned, "retrain", check=False)
    assert "Nothing was decided since" in said
    run, before = labelled(unlearned, data)
    decided = decide(unlearned, run)
    assert decided >= DECIDED // 2
    live = unlearned.packages("Approved")[0]["ModelPackageVersion"]
    said = claimflow(unlearned, "retrain")
    assert f"The files of model version {live} and {decided} rows that people decided." in said
    newest = unlearned.packages("Approved")[0]["ModelPackageVersion"]
    assert newest > live
    _, after = labelled(unlearned, data)
    assert right(before) < 0.6
    assert right(after) > 0.9
    made_of = json.loads(claimflow(unlearned, "models", "show", str(newest), "--json"))["lineage"]
    assert [file["uri"].rsplit("/", 1)[-1] for file in made_of["files"]] == ["learned.csv", "decided.jsonl"]
    assert all(file["sha256"] and file["version"] for file in made_of["files"])
    assert made_of["decisions"]["file"] == made_of["files"][1]["uri"]
    assert (made_of["live_before"], made_of["config"]["architecture"]) == (live, "ngram")
    assert "Nothing was decided since" in claimflow(unlearned, "retrain", check=False)
