"""evaluation.json: the figures of the contract, checked on a case small enough to count by hand."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from contract.evaluation import Champion, Evaluation
from model import comparison
from model.acceptance import Wishes
from model.calibration import Flags
from model.classifier import Watched
from model.data import Row
from model.evaluation import Measured, Trained, decision, evaluate
from model.report import render

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "config" / "evaluation.schema.json").read_text(encoding="utf-8"))

LABELS = ["a", "b", "c"]
# True labels and predictions: a is right twice and taken for b once, b is right once, c never appears.
TRUTHS = np.array([0, 0, 0, 1])
LOGITS = np.array([[3, 0, 0], [3, 0, 0], [0, 3, 0], [0, 3, 0]], dtype=np.float32)
ROWS = [Row(10, "one", "a"), Row(11, "two", "a"), Row(12, "three", "a"), Row(13, "four", "b")]

NGRAM = {
    "architecture": "ngram",
    "epochs": 1,
    "best_epoch": 1,
    "seconds": 1.5,
    "settings": {
        "ngram_words": 3,
        "ngram_skip": 0,
        "ngram_chars": [2, 5],
        "ngram_end": 20,
        "ngram_scale": "nb",
        "ngram_norm": "none",
        "ngram_epochs": 1,
        "n-grams": 9,
    },
    "history": [{"epoch": 1, "validation_accuracy": 0.75}],
}
CNN = {**NGRAM, "architecture": "cnn", "settings": {"words": 20_000}}
TRAINING = {
    "architecture": "ngram+cnn",
    "seconds": 3.0,
    "mixture": {"ngram": 0.6, "cnn": 0.4},
    "parts": [NGRAM, CNN],
}
PHRASES = {"a": [{"phrase": "not worth", "weight": 1.23}], "b": []}
TRAINED = Trained(LABELS, TRAINING, PHRASES)


def figures_of(champion: Sequence[bool] | None = None, rows: Sequence[Row] = ROWS) -> Evaluation:
    right = LOGITS.argmax(axis=1) == TRUTHS
    live = None if champion is None else compared(right, np.array(champion))
    return evaluate(
        Measured(LOGITS, TRUTHS, np.ones(4), np.ones(4)),
        rows,
        dataclasses.replace(TRAINED, champion=live),
        Wishes(0.98),
    )[0]


def compared(new: Flags, live: Flags) -> Champion:
    """Return the comparison of two models on the new file's rows."""
    return comparison.figures(comparison.Outcome(new, live, np.zeros_like(new), np.zeros_like(new)))


@pytest.fixture
def figures() -> Evaluation:
    return figures_of()


def simulated(classes: int, rows: int, champion: bool) -> Evaluation:
    """A model that is nearly always right, and perhaps a live one that is right three times of four."""
    chance = np.random.default_rng(0)
    truths = chance.integers(0, classes, rows)
    logits = chance.normal(0, 1, (rows, classes)).astype(np.float32)
    logits[np.arange(rows), truths] += 4
    labels = [f"label {number}" for number in range(classes)]
    texts = [Row(number, "x" * number, labels[truth]) for number, truth in enumerate(truths)]
    live = compared(np.ones(rows, bool), chance.random(rows) < 0.75) if champion else None
    phrases = {label: [{"phrase": "p", "weight": 1.0 / n} for n in range(1, 20)] for label in labels}
    trained = Trained(labels, TRAINING, phrases, champion=live)
    return evaluate(Measured(logits, truths, np.ones(rows), np.ones(rows)), texts, trained, Wishes(0.9))[0]


def test_accuracy_and_rows_are_counted_and_only_what_was_confused_is_listed(figures: Evaluation) -> None:
    assert figures["accuracy"] == 0.75
    assert figures["validation_rows"] == 4
    assert figures["confusion"] == [{"label": "a", "prediction": "b", "rows": 1}]
    assert figures["confusion_left_out"] == {"pairs": 0, "rows": 0}


def test_the_pairs_confused_most_come_first() -> None:
    truths = np.array([0, 1, 1, 2, 2, 2, 0])
    guesses = np.array([1, 2, 2, 0, 0, 0, 0])
    rows = [Row(number, "text", LABELS[truth]) for number, truth in enumerate(truths)]
    logits = np.eye(3, dtype=np.float32)[guesses]
    found = evaluate(Measured(logits, truths, np.ones(7), np.ones(7)), rows, TRAINED, Wishes(0.98))[0][
        "confusion"
    ]
    assert [(pair["label"], pair["prediction"], pair["rows"]) for pair in found] == [
        ("c", "a", 3),
        ("b", "c", 2),
        ("a", "b", 1),
    ]


def test_three_thousand_categories_that_are_all_confused_stay_small() -> None:
    classes = 3_000
    truths = np.repeat(np.arange(classes), 2)
    logits = np.zeros((len(truths), classes), dtype=np.float32)
    guesses = np.where(np.arange(len(truths)) % 2, truths, (truths * 7 + 1) % classes)
    logits[np.arange(len(truths)), guesses] = 3
    labels = [f"category {number} " + "\N{GREEK SMALL LETTER ALPHA}" * 150 for number in range(classes)]
    rows = [Row(number, "text", labels[truth]) for number, truth in enumerate(truths.tolist())]
    phrases = {label: [{"phrase": "p" * 100_000, "weight": 1.0}] * 20 for label in labels}
    trained = Trained(labels, TRAINING, phrases)
    document = evaluate(
        Measured(logits, truths, np.ones(len(rows)), np.ones(len(rows))), rows, trained, Wishes(0.98)
    )[0]
    assert len(document["confusion"]) == 1_000
    assert document["confusion_left_out"] == {"pairs": 2_000, "rows": 2_000}
    assert len(document["per_class"]) == classes
    assert len(json.dumps(document, indent=2, ensure_ascii=False).encode()) < 5_000_000
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)] == []
    assert len(render(document)) < 3_000_000


def test_the_file_its_warnings_and_the_date_are_told() -> None:
    notes = {"schema": 1, "file": "claims.csv", "rows": 9, "rejected": 2, "warnings": ["Odd.", "x" * 999]}
    trained = dataclasses.replace(TRAINED, training_rows=3, date="2026-11-26", notes=notes)
    document = evaluate(Measured(LOGITS, TRUTHS, np.ones(4), np.ones(4)), ROWS, trained, Wishes(0.98))[0]
    assert document["date"] == "2026-11-26"
    assert document["data"] == {
        "file": "claims.csv",
        "training_rows": 3,
        "rejected_rows": 2,
        "warnings": ["Odd.", "x" * 299 + "…"],
    }
    assert Draft202012Validator(SCHEMA).is_valid(document)


def test_the_examples_go_from_the_surest_row_to_the_least_sure() -> None:
    examples = simulated(4, 400, champion=False)["examples"]
    sure = [example["confidence"] for example in examples]
    assert len(examples) == 6
    assert sure == sorted(sure, reverse=True)


def test_the_accuracy_has_its_95_percent_interval(figures: Evaluation) -> None:
    assert figures["accuracy_interval"] == pytest.approx([0.194120, 0.993691], abs=1e-6)


def test_each_label_has_precision_recall_and_f1_and_a_label_never_seen_has_zeros(figures: Evaluation) -> None:
    a, b, c = figures["per_class"]
    assert a == {"label": "a", "precision": 1.0, "recall": 0.666667, "f1": 0.8, "support": 3}
    assert b == {"label": "b", "precision": 0.5, "recall": 1.0, "f1": 0.666667, "support": 1}
    assert c == {"label": "c", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert figures["macro_f1"] == pytest.approx((0.8 + 0.666667) / 3, abs=1e-6)


def test_too_few_rows_accept_nothing(figures: Evaluation) -> None:
    assert figures["acceptance"]["threshold"] is None
    assert figures["acceptance"]["coverage"] == 0


def test_the_coverage_ends_with_all_rows_and_the_accuracy() -> None:
    curve = simulated(4, 400, champion=False)
    assert curve["coverage"][-1]["coverage"] == 1
    assert curve["coverage"][-1]["precision"] == pytest.approx(curve["accuracy"], abs=1e-6)
    assert len(curve["coverage"]) == 20


def test_the_champion_is_null_when_there_is_none(figures: Evaluation) -> None:
    assert figures["champion"] is None


def test_a_mistake_names_its_row_its_text_and_both_labels(figures: Evaluation) -> None:
    (mistake,) = figures["mistakes"]
    confidence = mistake.pop("confidence")
    assert mistake == {"row": 12, "text": "three", "label": "a", "prediction": "b"}
    assert figures["calibration"]["bins"][int(confidence * 10)]["count"] == 4


def test_the_most_confident_mistakes_come_first_and_are_at_most_twenty() -> None:
    sure = np.linspace(1, 4, 30).astype(np.float32)
    logits = np.stack([np.zeros_like(sure), sure], axis=1)
    logits = np.concatenate([logits, [[0, 9]]]).astype(np.float32)
    truths = np.array([0] * 30 + [1])
    rows = [Row(number, "wrong" * 100, "a") for number in range(30)] + [Row(30, "right", "b")]
    trained = Trained(["a", "b"], TRAINING)
    shown = evaluate(Measured(logits, truths, np.ones(31), np.ones(31)), rows, trained, Wishes(0.98))[0][
        "mistakes"
    ]
    assert [mistake["row"] for mistake in shown] == list(range(29, 9, -1))
    assert [m["confidence"] for m in shown] == sorted((m["confidence"] for m in shown), reverse=True)
    assert {len(mistake["text"]) for mistake in shown} == {300}


def test_the_rows_are_streamed_once() -> None:
    def stream() -> Iterator[Row]:
        yield from ROWS

    again = evaluate(Measured(LOGITS, TRUTHS, np.ones(4), np.ones(4)), stream(), TRAINED, Wishes(0.98))[0]
    assert again == figures_of()


@pytest.mark.parametrize("rows", [ROWS[:-1], [*ROWS, Row(14, "five", "a")]])
def test_rows_that_are_not_those_measured_are_refused(rows: list[Row]) -> None:
    with pytest.raises(ValueError, match="zip"):
        figures_of(rows=rows)


def test_the_training_and_the_phrases_are_kept_and_of_many_phrases_the_first_twelve() -> None:
    assert figures_of()["training"] == TRAINING
    assert figures_of()["phrases"] == PHRASES
    assert {len(found) for found in simulated(2, 50, champion=False)["phrases"].values()} == {12}


def test_the_decision_rule_can_be_read_back() -> None:
    figures, rule = evaluate(Measured(LOGITS, TRUTHS, np.ones(4), np.ones(4)), ROWS, TRAINED, Wishes(0.98))
    assert decision(json.loads(json.dumps(figures))) == rule


def test_another_target_takes_the_rule_of_the_ladders_next_step_and_its_watched_categories(
    figures: Evaluation,
) -> None:
    steps = [
        {"target_precision": 0.9, "threshold": 0.6, "coverage": 0.8, "precision": 0.95, "chances": [0.3]},
        {"target_precision": 0.95, "threshold": 0.7, "coverage": 0.7, "precision": 0.97, "chances": [0.2]},
    ]
    watched = [{"labels": ["c", "b"], "why": "few rows"}]
    figures["acceptance"] |= {"watched": watched, "chances": [0.1], "targets": steps, "least_similarity": 0.4}
    rule = decision(figures, 0.93)
    assert (rule.threshold, rule.watched, rule.min_similarity) == (0.7, (Watched((2, 1), 0.2),), 0.4)
    assert decision(figures).watched == (Watched((2, 1), 0.1),)
    with pytest.raises(ValueError, match=r"no rule for the target 0.99"):
        decision(figures, 0.99)


def test_the_schema_is_a_schema_and_refuses_unknown_keys_everywhere() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert [path for path, part in objects(SCHEMA, "") if part.get("additionalProperties") is not False] == []


def objects(part: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a schema that says what keys an object has, with its path."""
    if isinstance(part, dict):
        if "properties" in part and part.get("type") == "object":
            yield path, part
        for key, inner in part.items():
            yield from objects(inner, f"{path}/{key}")
    if isinstance(part, list):
        for number, inner in enumerate(part):
            yield from objects(inner, f"{path}/{number}")


@pytest.mark.parametrize(
    ("classes", "rows", "champion", "accepts"),
    [
        (2, 600, False, True),
        (2, 600, True, True),
        (77, 1_500, True, True),
        (2, 8, True, False),
        (3, 1, False, False),
    ],
    ids=["two classes", "with a champion", "77 classes", "nothing accepted", "one row"],
)
def test_the_schema_describes_it(classes: int, rows: int, champion: bool, accepts: bool) -> None:
    document = simulated(classes, rows, champion)
    assert (document["acceptance"]["threshold"] is not None) == accepts
    assert (document["champion"] is not None) == champion
    text = json.dumps(document, allow_nan=False)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(json.loads(text))] == []


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_an_omitted_key_breaks_the_schema(key: str, figures: Evaluation) -> None:
    del figures[key]
    assert not Draft202012Validator(SCHEMA).is_valid(figures)


@pytest.mark.parametrize(
    ("place", "key"),
    [("acceptance", "threshold"), ("calibration", "bins"), ("champion", "p_value"), ("training", "parts")],
)
def test_an_omitted_inner_key_breaks_the_schema(place: str, key: str) -> None:
    document = figures_of(champion=[True] * 4)
    assert Draft202012Validator(SCHEMA).is_valid(document)
    del document[place][key]
    assert not Draft202012Validator(SCHEMA).is_valid(document)


@pytest.mark.parametrize(
    ("architecture", "settings"),
    [("ngram", {}), ("ngram", {**NGRAM["settings"], "ngram_words": "auto"}), ("cnn", NGRAM["settings"])],
)
def test_the_settings_of_a_part_are_those_of_its_architecture(architecture: str, settings: Any) -> None:
    part = {**NGRAM, "architecture": architecture, "settings": settings}
    document = {**figures_of(), "training": {**TRAINING, "parts": [part]}}
    assert not Draft202012Validator(SCHEMA).is_valid(document)


def test_the_schema_describes_the_evaluation_of_a_real_training(saved: Path) -> None:
    document = json.loads((saved / "evaluation.json").read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)] == []
