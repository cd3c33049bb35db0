"""Which labels are probably wrong: those that the model, asked without the row, finds unlikely."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.columns import SuspectRow
from model.calibration import probabilities
from model.data import Floats, Numbers, Row
from model.suspects import MOST_WRITTEN, SHOWN, figures, find, named, write

LABELS = ("a", "b", "c")


def noisy(rows: int = 600, wrong: int = 40) -> tuple[Floats, Numbers, set[int]]:
    """Return logits of a good model, labels of which some are wrong, and the places of these."""
    chance = np.random.default_rng(0)
    truths = chance.integers(0, 3, rows)
    logits = chance.normal(0, 1, (rows, 3)).astype(np.float32)
    logits[np.arange(rows), truths] += 5
    places = chance.choice(rows, wrong, replace=False)
    labels = truths.copy()
    labels[places] = (truths[places] + 1) % 3
    return logits, labels, set(places.tolist())


def test_planted_wrong_labels_come_first() -> None:
    logits, labels, wrong = noisy()
    found = find(logits, labels, 1.0)
    assert set(found.places[:36].tolist()) <= wrong
    assert len(wrong & set(found.places.tolist())) >= 0.9 * len(wrong)
    assert found.looked_at == 600
    assert (np.diff(found.chances) >= 0).all()


def test_labels_that_the_model_agrees_with_are_no_suspects() -> None:
    logits, labels, _ = noisy(wrong=0)
    assert len(find(logits, labels, 1.0).places) < 6


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.floats(0.2, 5))
def test_the_rule_is_that_of_confident_learning(seed: int, classes: int, temperature: float) -> None:
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, 2, (40, classes)).astype(np.float32)
    labels = chance.integers(0, classes, 40)
    chances = probabilities(logits, temperature)
    thresholds = [chances[labels == c, c].mean() if (labels == c).any() else 9 for c in range(classes)]
    expected = set()
    for row, label in enumerate(labels):
        reached = [c for c in range(classes) if chances[row, c] >= thresholds[c]]
        if reached and max(reached, key=lambda c: chances[row, c]) != label:
            expected.add(row)
    assert set(find(logits, labels, temperature).places.tolist()) == expected


def test_many_labels_are_worked_on_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, labels, _ = noisy()
    whole = find(logits, labels, 1.0)
    monkeypatch.setattr("model.calibration.BLOCK", 21)
    assert np.array_equal(find(logits, labels, 1.0).places, whole.places)


def test_the_rows_are_told_with_line_text_and_both_labels(tmp_path: Path) -> None:
    logits, labels, _ = noisy()
    found = find(logits, labels, 1.0)
    rows = [Row(n, f"text {n}, with a comma", LABELS[label], n + 2) for n, label in enumerate(labels)]
    told = named(found, iter(rows), LABELS)
    first = found.places[0]
    likely = LABELS[found.likely[0]]
    assert told[0] == SuspectRow(
        first + 2, f"text {first}, with a comma", LABELS[labels[first]], likely, told[0].chance
    )
    counted = figures(found, told)
    assert (counted["rows"], counted["count"]) == (600, len(found.places))
    assert [each["line"] for each in counted["shown"]] == [row.line for row in told[:SHOWN]]
    write(tmp_path / "suspects.csv", told)
    lines = (tmp_path / "suspects.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "line,text,label,likely_label,chance"
    assert len(lines) == 1 + min(len(found.places), MOST_WRITTEN)


def test_of_several_files_each_row_is_told_with_its_file(tmp_path: Path) -> None:
    logits, labels, _ = noisy()
    found = find(logits, labels, 1.0)
    rows = [
        Row(n, "text", LABELS[label], n, "new.csv" if n % 2 else "old.csv") for n, label in enumerate(labels)
    ]
    told = named(found, iter(rows), LABELS)
    assert [row.file for row in told[:4]] == [rows[place].file for place in found.places[:4]]
    assert [each["file"] for each in figures(found, told)["shown"]] == [row.file for row in told[:SHOWN]]
    write(tmp_path / "suspects.csv", told)
    lines = (tmp_path / "suspects.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "line,text,label,likely_label,chance,file"
    assert lines[1].endswith(f",{told[0].file}")


def test_no_more_characters_are_written_than_the_next_step_can_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.suspects.MOST_CHARACTERS", 10)
    write(tmp_path / "suspects.csv", [SuspectRow(n, "text", "a", "b", 0.1) for n in (7, 8, 9)])
    lines = (tmp_path / "suspects.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "7", "8"]
