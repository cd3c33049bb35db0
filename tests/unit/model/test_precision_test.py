"""The test of many thresholds: what it accepts is right as often as it promises, in 95 of 100 files."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.calibration import Array, Flags, precision_bound
from model.precision_test import RISK, STARTS, _tries, fewest_rows, lowest_threshold, luck, most_wrong


def drawn(rows: int, seed: int) -> tuple[Array, Flags]:
    """Confidences that are the true chances of being right, and which rows are right."""
    chance = np.random.default_rng(seed)
    confidences = 1 - chance.beta(0.5, 2.5, rows)
    return confidences, chance.random(rows) < confidences


@pytest.mark.parametrize(("rows", "target"), [(200, 0.9), (1_000, 0.9), (1_000, 0.98), (5_000, 0.98)])
def test_the_promise_is_broken_in_at_most_5_of_100_files(rows: int, target: float) -> None:
    fresh, _ = drawn(200_000, seed=99_999)
    broken = 0
    for seed in range(200):
        threshold = lowest_threshold(*drawn(rows, seed), target)
        accepted = fresh[fresh >= threshold]
        broken += len(accepted) > 0 and accepted.mean() < target
    assert broken <= 200 * RISK


def test_files_of_a_thousand_rows_nearly_always_have_a_threshold() -> None:
    none = [math.isinf(lowest_threshold(*drawn(1_000, seed), 0.95)) for seed in range(100)]
    assert np.mean(none) <= 0.02


def test_a_mistake_of_the_highest_confidence_costs_one_sequence_and_not_the_threshold() -> None:
    confidences, correct = np.linspace(1, 0.5, 2_000), np.ones(2_000, dtype=bool)
    correct[0] = False
    assert lowest_threshold(confidences, correct, 0.98) == 0.5


@pytest.mark.parametrize(("rows", "accepted"), [(148, False), (149, True)])
def test_a_target_of_98_percent_takes_149_rows_without_a_mistake(rows: int, accepted: bool) -> None:
    threshold = lowest_threshold(np.full(rows, 0.99), np.ones(rows, dtype=bool), 0.98)
    assert math.isfinite(threshold) == accepted


def test_of_good_thresholds_the_lowest_is_taken() -> None:
    confidences = np.linspace(1, 0, 1_000)
    assert lowest_threshold(confidences, np.arange(1_000) < 800, 0.95) <= confidences[799]


def test_rows_of_equal_confidence_are_accepted_together_or_not_at_all() -> None:
    correct = np.arange(1_000) < 900
    assert math.isinf(lowest_threshold(np.full(1_000, 0.9), correct, 0.95))
    assert lowest_threshold(np.full(1_000, 0.9), correct, 0.85) == 0.9


def test_no_rows_have_no_threshold() -> None:
    assert math.isinf(lowest_threshold(np.empty(0), np.empty(0, dtype=bool), 0.5))


@given(st.integers(1, 300), st.floats(0.5, 0.995), st.floats(0, 1))
def test_the_p_value_agrees_with_the_clopper_pearson_bound(rows: int, target: float, some: float) -> None:
    wrong = int(some * rows * (1 - target) / 2)
    p_value = luck(wrong, rows, target)
    assert precision_bound(rows - wrong, rows, p_value) == pytest.approx(target, abs=1e-6)


def test_a_million_rows_do_not_overflow() -> None:
    assert luck(20_500, 1_000_000, 0.98) == pytest.approx(1.0, abs=1e-3)
    assert luck(19_500, 1_000_000, 0.98) == pytest.approx(0.0002, abs=1e-4)


@given(st.integers(1, 2_000), st.floats(0.5, 0.99))
def test_one_row_more_than_may_be_wrong_no_longer_shows_the_target(rows: int, target: float) -> None:
    allowed = most_wrong(rows, target, RISK)
    if allowed is None:
        assert luck(0, rows, target) > RISK
    else:
        assert luck(allowed, rows, target) <= RISK < luck(allowed + 1, rows, target)


@given(st.integers(0, 5_000), st.floats(0.5, 0.995))
def test_the_starts_share_the_risk_and_the_tries_rise_to_all_rows(rows: int, target: float) -> None:
    tries = list(_tries(rows, target))
    if rows < fewest_rows(target, RISK):
        assert tries == []
        return
    counts, risks = zip(*tries, strict=True)
    assert list(counts) == sorted(set(counts))
    assert counts[-1] == rows
    assert sum(risks) <= RISK + 1e-12
    assert sum(risk > 0 for risk in risks) <= STARTS
