"""The rule that says which rows need no person, for each target."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.acceptance import TARGETS, CalibrationRows, Rule, Wishes, described, protected_numbers, rule
from model.calibration import Flags, probabilities
from model.classifier import Decision, Watched
from model.errors import DataError
from model.review import review_reasons

LABELS = ["Leak", "Noise", "Fire", "Other"]


def drawn(rows: int, seed: int, scale: float = 4.0, rare: float = 0.25) -> CalibrationRows:
    """Rows whose softmax is the true chance of each label; `rare` is the share of the category Fire."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, scale, (rows, len(LABELS))).astype(np.float32)
    logits[:, 2] += np.log(rare / 0.25)
    truths = (probabilities(logits, 1).cumsum(axis=1) > chance.random((rows, 1))).argmax(axis=1)
    return CalibrationRows(logits, 1.0, truths, np.zeros(rows, dtype=bool))


def accepted(found: Rule, rows: CalibrationRows, target: float) -> Flags:
    """Which rows a prediction accepts with the rule of a target."""
    (step,) = (step for step in found.targets if step["target_precision"] == target)
    groups = zip(found.watched, step["chances"], strict=True)
    watched = tuple(Watched(tuple(map(LABELS.index, group["labels"])), chance) for group, chance in groups)
    reasons = review_reasons(
        Decision(threshold=step["threshold"], watched=watched),
        probabilities(rows.logits, rows.temperature),
        rows.unlike,
        LABELS,
    )
    return np.array(reasons) == ""


def correct(rows: CalibrationRows) -> Flags:
    right: Flags = rows.logits.argmax(axis=1) == rows.truths
    return right


def test_the_ladder_has_the_configured_target_and_rises() -> None:
    found = rule(drawn(500, 0), LABELS, Wishes(0.937))
    targets = [step["target_precision"] for step in found.targets]
    assert targets == sorted({*TARGETS, 0.937})
    assert {0.9, 0.95, 0.98, 0.99} <= set(targets)
    assert found.own["target_precision"] == 0.937


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 800), st.integers(0, 10_000), st.sampled_from([0.02, 0.25]), st.booleans())
def test_a_higher_target_never_accepts_a_row_that_a_lower_one_does_not(
    rows: int, seed: int, rare: float, protect: bool
) -> None:
    calibration, fresh = drawn(rows, seed, rare=rare), drawn(300, seed + 1, rare=rare)
    found = rule(calibration, LABELS, Wishes(0.95, ["Fire"] if protect else []))
    steps = [accepted(found, fresh, step["target_precision"]) for step in found.targets]
    assert all(not (higher & ~lower).any() for lower, higher in itertools.pairwise(steps))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 800), st.integers(0, 10_000))
def test_coverage_and_precision_are_what_a_prediction_would_give(rows: int, seed: int) -> None:
    calibration = drawn(rows, seed, rare=0.02)
    found = rule(calibration, LABELS, Wishes(0.9))
    for step in found.targets:
        taken = accepted(found, calibration, step["target_precision"])
        assert step["coverage"] == pytest.approx(taken.mean())
        if step["precision"] is not None:
            assert step["precision"] == pytest.approx(correct(calibration)[taken].mean())


@pytest.mark.parametrize("target", [0.9, 0.98])
def test_the_promise_holds_on_fresh_rows_in_19_of_20_files(target: float) -> None:
    fresh = drawn(50_000, 99_999)
    broken = 0
    for seed in range(40):
        taken = accepted(rule(drawn(1_000, seed), LABELS, Wishes(target)), fresh, target)
        broken += taken.any() and correct(fresh)[taken].mean() < target
    assert broken <= 2


def test_rows_unlike_the_training_texts_are_never_accepted() -> None:
    rows = replace(drawn(2_000, 0), unlike=np.arange(2_000) % 2 == 0)
    assert all(step["coverage"] <= 0.5 for step in rule(rows, LABELS, Wishes(0.9)).targets)
    nothing = rule(replace(rows, unlike=np.ones(2_000, dtype=bool)), LABELS, Wishes(0.5))
    assert {step["threshold"] for step in nothing.targets} == {None}


def test_a_protected_category_is_right_or_looked_at() -> None:
    fresh = drawn(100_000, 99_999, rare=0.01)
    fire = fresh.truths == LABELS.index("Fire")
    kept, without = [], []
    for seed in range(10):
        rows = drawn(4_000, seed, rare=0.01)
        for protect, shares in ((["Fire"], kept), ([], without)):
            found = rule(rows, LABELS, Wishes(0.9, protect))
            silent = accepted(found, fresh, 0.9) & ~correct(fresh)
            shares.append(1 - silent[fire].mean())
    assert np.mean(kept) >= 0.95
    assert np.mean(kept) > np.mean(without)


def test_a_protected_category_is_named_with_what_it_sends() -> None:
    found = rule(drawn(4_000, 0, rare=0.01), LABELS, Wishes(0.9, ["Fire"]))
    assert found.watched[0]["labels"] == ["Fire"]
    assert found.watched[0]["why"] == "protected"
    assert 0 < found.watched[0]["sent"] < 0.5


def test_a_protected_category_that_the_file_does_not_have_is_refused_in_one_sentence() -> None:
    with pytest.raises(DataError, match=r"^protect names 'Flood', but no training row has that label, only "):
        rule(drawn(10, 0), LABELS, Wishes(0.9, ["Fire", "Flood"]))


def test_a_category_that_is_protected_twice_counts_once() -> None:
    assert protected_numbers(["Fire", "Leak", "Fire"], LABELS) == [2, 0]


def test_validation_rows_that_agree_change_nothing() -> None:
    rows = drawn(3_000, 0)
    found = rule(rows, LABELS, Wishes(0.95), drawn(500, 1))
    assert found.targets == rule(rows, LABELS, Wishes(0.95)).targets
    assert found.check is not None
    assert not found.check["contradicted"]
    assert found.check["rows"] == 500
    assert found.check["accepted"] > 0


def harder(rows: int, seed: int) -> CalibrationRows:
    """Rows of which one in ten has another label than the model has reason to think."""
    found = drawn(rows, seed)
    other = np.random.default_rng(seed).random(rows) < 0.1
    return replace(found, truths=np.where(other, (found.truths + 1) % len(LABELS), found.truths))


def test_validation_rows_that_contradict_the_folds_take_the_stricter_threshold() -> None:
    rows = drawn(3_000, 0)
    promised = rule(rows, LABELS, Wishes(0.85)).own["threshold"]
    found = rule(rows, LABELS, Wishes(0.85), harder(2_000, 1))
    assert found.check is not None
    assert found.check["contradicted"]
    assert promised is not None
    assert found.own["threshold"] is None or found.own["threshold"] > promised


@settings(max_examples=20, deadline=None)
@given(st.integers(50, 1_000), st.integers(0, 10_000))
def test_a_target_that_is_not_contradicted_keeps_its_threshold(rows: int, seed: int) -> None:
    calibration, check = drawn(rows, seed), harder(max(rows // 9, 5), seed + 1)
    alone, checked = (rule(calibration, LABELS, Wishes(0.9), each) for each in (None, check))
    assert checked.check is not None
    before, after = alone.own["threshold"] or 2.0, checked.own["threshold"] or 2.0
    assert after >= before if checked.check["contradicted"] else after == before


def test_where_the_validation_rows_show_no_precision_nothing_is_accepted() -> None:
    found = rule(drawn(3_000, 0), LABELS, Wishes(0.98), harder(1_000, 1))
    assert found.check is not None
    assert found.check["contradicted"]
    assert found.own["threshold"] is None
    assert found.own["coverage"] == 0


def test_the_rule_as_evaluation_json_holds_it() -> None:
    found = rule(drawn(1_000, 0, rare=0.01), LABELS, Wishes(0.95, ["Fire"]))
    document = described(found, "Advice.", 0.4, 0.3)
    assert document["chances"] == found.own["chances"]
    assert document["targets"][-1]["target_precision"] == 0.995
    assert (document["advice"], document["least_known_share"], document["least_similarity"]) == (
        "Advice.",
        0.4,
        0.3,
    )
    assert document["check"] is None


def test_1700_categories_of_two_rows_are_watched_as_one_group() -> None:
    classes = 1_700
    chance = np.random.default_rng(0)
    truths = np.repeat(np.arange(classes), 2)
    logits = chance.normal(0, 1, (len(truths), classes)).astype(np.float32)
    logits[np.arange(len(truths)), truths] += np.where(chance.random(len(truths)) < 0.8, 12, 0)
    labels = [str(number) for number in range(classes)]
    rows = CalibrationRows(logits, 1.0, truths, np.zeros(len(truths), dtype=bool))
    found = rule(rows, labels, Wishes(0.9))
    assert [(len(group["labels"]), group["why"]) for group in found.watched] == [(classes, "few rows")]
    assert found.watched[0]["sent"] <= 0.02
    assert found.own["coverage"] > 0.7
