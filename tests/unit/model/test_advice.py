"""Advice to a model that accepts little: it says why, and what it names does help."""

import re

import numpy as np
import pytest

from contract.evaluation import Target
from model.acceptance import TARGETS, Rule, Wishes, described
from model.acceptance import rule as rule_of
from model.advice import LITTLE, Trial, advice, contradiction, with_suspects
from model.precision_test import lowest_threshold

from .test_acceptance import LABELS, drawn, harder


def trial(rows: int, right: float, fraction: float = 0.1) -> Trial:
    """Rows of which the surest half are nearly all right and the others as often as needed."""
    chance = np.random.default_rng(0)
    confidences = np.sort(chance.random(rows))[::-1]
    surest = np.arange(rows) < rows / 2
    correct = np.where(surest, chance.random(rows) < 0.999, chance.random(rows) < right)
    return Trial(confidences, correct, np.ones(rows, dtype=bool), round(rows / fraction))


def rule(given: Trial, target: float) -> Rule:
    """The rule of a trial without watched categories."""
    return Rule(target, [step(given, each) for each in sorted({*TARGETS, target})], [], None)


def step(given: Trial, target: float) -> Target:
    threshold = lowest_threshold(given.confidences[given.like], given.correct[given.like], target)
    accepted = given.like & (given.confidences >= threshold)
    return {
        "target_precision": target,
        "threshold": threshold if accepted.any() else None,
        "coverage": float(accepted.mean()),
        "precision": float(given.correct[accepted].mean()) if accepted.any() else None,
        "chances": [],
    }


def advised(given: Trial, target: float = 0.98) -> str | None:
    return advice(given, rule(given, target))


def times(given: Trial, factor: float) -> Trial:
    """The same trial with more rows of the same kinds."""
    places = np.linspace(0, len(given.correct) - 1, round(factor * len(given.correct))).round().astype(int)
    spread = given.confidences[places] - np.arange(len(places)) * 1e-9
    return Trial(spread, given.correct[places], given.like[places], given.labelled_rows)


def test_a_model_that_accepts_enough_is_given_no_advice() -> None:
    assert advised(trial(2_000, 0.9)) is None


def test_with_few_rows_the_advice_names_how_many_more_and_a_target() -> None:
    said = advised(trial(280, 0.8))
    assert said is not None
    assert said.startswith("No row is accepted without a person: with 280 held-out rows it cannot be shown")
    assert re.search(r"What would help: about [\d,]+ more labelled rows, or a target of 0\.\d\d \(", said)


@pytest.mark.parametrize("rows", [120, 200, 280, 400])
def test_as_many_more_rows_as_advised_help(rows: int) -> None:
    given = trial(rows, 0.8)
    said = advised(given)
    assert said is not None
    (more,) = re.findall(r"about ([\d,]+) more", said)
    factor = 1 + int(more.replace(",", "")) / given.labelled_rows
    assert step(times(given, factor * 1.1), 0.98)["coverage"] >= LITTLE


@pytest.mark.parametrize("rows", [120, 200, 280, 400])
def test_the_target_that_is_advised_is_reached(rows: int) -> None:
    given = trial(rows, 0.8)
    said = advised(given)
    assert said is not None
    (target,) = re.findall(r"target of (0\.\d\d)", said)
    assert step(given, float(target))["coverage"] >= LITTLE


def test_a_model_that_is_too_often_wrong_is_promised_nothing_of_more_rows() -> None:
    chance = np.random.default_rng(0)
    correct = chance.random(2_000) < 0.4
    said = advised(Trial(chance.random(2_000), correct, np.ones(2_000, dtype=bool), 20_000))
    assert said is not None
    assert "more labelled rows" not in said
    assert said.endswith("Its labels are wrong too often: clearer categories, or other texts, would help.")


def test_a_model_that_accepts_a_little_says_how_little() -> None:
    confidences = np.linspace(1, 0, 4_000)
    correct = (np.arange(4_000) < 700) | (np.arange(4_000) % 10 != 0)
    given = Trial(confidences, correct, np.ones(4_000, dtype=bool), 40_000)
    said = advised(given)
    assert said is not None
    assert said.startswith("Only ")
    assert "% of the rows are accepted without a person" in said


@pytest.mark.parametrize(("rows", "categories"), [(3, 2), (34, 12), (2_000, 1_000)])
def test_few_rows_are_not_blamed_for_wrong_labels(rows: int, categories: int) -> None:
    correct = np.arange(rows) % 3 == 1
    given = Trial(np.linspace(0.9, 0.5, rows), correct, np.ones(rows, dtype=bool), 10 * rows, categories)
    said = advised(given, 0.95)
    assert said is not None
    assert said.endswith(
        "What would help: more labelled rows of each category; with so few it cannot be told how many."
    )


def test_one_row_is_a_row() -> None:
    one = Trial(np.array([0.9]), np.array([True]), np.array([True]), 1)
    said = advised(one)
    assert said is not None
    assert "with 1 held-out row it" in said


def test_texts_that_are_all_unlike_those_learned_have_advice_too() -> None:
    given = Trial(np.full(9, 0.9), np.ones(9, dtype=bool), np.zeros(9, dtype=bool), 90)
    said = advised(given)
    assert said is not None
    assert "wrong too often" not in said


def test_a_contradiction_is_told_in_figures() -> None:
    found = rule_of(drawn(3_000, 0), LABELS, Wishes(0.85), harder(2_000, 1))
    said = contradiction(described(found, None, 0.0, 0.0))
    assert said is not None
    assert re.match(
        r"The validation rows contradict the folds: \d\d\.\d% of the [\d,]+ rows accepted are right, not 85%",
        said,
    )


def test_without_a_contradiction_nothing_is_told() -> None:
    agreed = rule_of(drawn(3_000, 0), LABELS, Wishes(0.95), drawn(500, 1))
    alone = rule_of(drawn(300, 0), LABELS, Wishes(0.95))
    assert contradiction(described(agreed, None, 0.0, 0.0)) is None
    assert contradiction(described(alone, None, 0.0, 0.0)) is None


@pytest.mark.parametrize(("suspects", "named"), [(860, True), (200, False)])
def test_suspects_are_named_where_they_alone_can_keep_the_target_out_of_reach(
    suspects: int, named: bool
) -> None:
    acceptance = described(rule(trial(2_000, 0.2), 0.98), "Nothing is accepted.", 0.5, 0.0)
    said = with_suspects(acceptance, {"rows": 10_000, "count": suspects, "shown": []})
    assert said is not None
    first = " Decide the suspects first, then train again: 860 of 10,000 rows (suspects.csv) may"
    assert said.startswith(f"Nothing is accepted.{first}" if named else "Nothing is accepted.")


def test_other_remedies_come_after_the_suspects() -> None:
    given = trial(280, 0.8)
    acceptance = described(rule(given, 0.98), advised(given), 0.5, 0.0)
    said = with_suspects(acceptance, {"rows": 2_800, "count": 300, "shown": []})
    assert said is not None
    assert "What would help" not in said
    assert said.index("Decide the suspects first") < said.index("If that is not enough: about")


def test_a_model_that_accepts_enough_is_not_told_of_suspects() -> None:
    acceptance = described(rule(trial(2_000, 0.9), 0.98), None, 0.5, 0.0)
    assert with_suspects(acceptance, {"rows": 10_000, "count": 5_000, "shown": []}) is None
