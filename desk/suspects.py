"""The suspects of a training: labelled rows whose label is probably wrong, as a queue that people decide.

What people decide of them is stored beside what they decide of the run's own rows, under a name of its own;
the number of a row is its place in the file of suspects, from 0.
"""

from typing import cast

from contract import keys
from contract.columns import FILE, SuspectRow
from contract.evaluation import Evaluation
from contract.queue import NO_RESULTS, SCHEMA, Queue, QueueRow
from workflow import objects, suspects
from workflow.account import Account
from workflow.decisions import Decisions
from workflow.queue import QueueReader
from workflow.stack import Stack

GROUP = "the label is probably wrong"


def open_suspects(account: Account, stack: Stack, folder: str) -> QueueReader:
    """Return the suspects of a training by the folder of its results; raises CommandError for one without."""
    file, found = suspects.read(account, stack, folder)
    rows = [_row(number, suspect) for number, suspect in enumerate(found) if suspect != suspects.NO_SUSPECT]
    evaluation = objects.read_json(account, f"s3://{stack.results}/{folder}/{keys.EVALUATION}")
    labels = cast("Evaluation", evaluation)["labels"] if evaluation else []
    decisions = Decisions(account.dynamodb, stack.decisions, keys.suspects_of(folder))
    return QueueReader(_index(folder, file, labels, rows), decisions, lambda _: rows)


def _index(folder: str, file: str, labels: list[str], rows: list[QueueRow]) -> Queue:
    categories = sorted({*labels, *(row["prediction"] for row in rows)})
    places = {category: place for place, category in enumerate(categories)}
    predictions = [row["prediction"] for row in rows]
    return {
        "schema": SCHEMA,
        "run": folder,
        "file": file,
        "model": 0,
        "columns": [*SuspectRow._fields[1:3], FILE],
        "text": 0,
        "label": 1,
        "categories": categories,
        "rows": "",
        "to_review": len(rows),
        "audits": 0,
        "left_out": 0,
        "groups": {GROUP: len(rows)},
        "by_category": {each: predictions.count(each) for each in dict.fromkeys(predictions)},
        "order": {
            "numbers": [row["number"] for row in rows],
            "predictions": [places[each] for each in predictions],
            "groups": [0] * len(rows),
        },
        "pages": [{"first": 0, "rows": len(rows), "offset": 0, "size": 0}],
        "results": NO_RESULTS,
    }


def _row(number: int, suspect: SuspectRow) -> QueueRow:
    return {
        "number": number,
        "line": suspect.line,
        "cells": [suspect.text, suspect.label, suspect.file],
        "prediction": suspect.likely_label,
        "confidence": 0.0,  # the file does not tell it
        "second": suspect.label,
        "decided": "",
        "reason": GROUP,
        "group": GROUP,
        "audit": False,
    }
