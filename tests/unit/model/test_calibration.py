"""Confidence that can be believed, and a threshold whose promise holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import calibration as c


def simulated(rows: int, seed: int, classes: int = 4, scale: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is the true chance of each label, and labels drawn by that chance."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, scale, (rows, classes)).astype(np.float32)
    truths = (c.probabilities(logits, 1).cumsum(axis=1) > chance.random((rows, 1))).argmax(axis=1)
    return logits, truths


def error(logits: np.ndarray, truths: np.ndarray, temperature: float) -> float:
    chances = c.probabilities(logits, temperature)
    return c.calibration_error(c.reliability(chances.max(axis=1), chances.argmax(axis=1) == truths))


def test_probabilities_sum_to_one_and_do_not_overflow() -> None:
    chances = c.probabilities(np.array([[1e6, -1e6, 0], [0, 0, 0]], dtype=np.float32), 1)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    np.testing.assert_allclose(chances[1], 1 / 3)


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_the_temperature_undoes_how_much_too_sharp_logits_are(sharpness: float) -> None:
    logits, truths = simulated(20_000, seed=0)
    assert c.temperature(logits * sharpness, truths) == pytest.approx(sharpness, rel=0.05)


def test_the_temperature_lowers_the_calibration_error_of_overconfident_logits() -> None:
    logits, truths = simulated(5_000, seed=1)
    before, after = error(logits * 4, truths, 1), error(logits * 4, truths, c.temperature(logits * 4, truths))
    assert before > 0.1
    assert after < 0.03


def test_the_temperature_stays_in_its_range_when_every_label_is_right() -> None:
    logits = np.eye(3, dtype=np.float32)
    assert 0.05 <= c.temperature(logits, np.arange(3)) <= 20


def test_the_calibration_error_of_a_known_case() -> None:
    bins = c.reliability(np.array([0.95, 0.95, 0.65, 0.65]), np.array([True, True, True, False]))
    assert [part.count for part in bins] == [0, 0, 0, 0, 0, 0, 2, 0, 0, 2]
    assert c.calibration_error(bins) == pytest.approx(0.5 * 0.05 + 0.5 * 0.15)


def test_full_confidence_falls_into_the_last_bin() -> None:
    assert c.reliability(np.array([1.0]), np.array([True]))[-1].count == 1


@pytest.mark.parametrize(
    ("right", "count", "bound"),
    [(0, 10, 0.0), (10, 10, 0.05 ** (1 / 10)), (9, 10, 0.605823), (95, 100, 0.897747), (0, 0, 0.0)],
)
def test_the_bound_is_that_of_clopper_and_pearson(right: int, count: int, bound: float) -> None:
    assert c.precision_bound(right, count, 0.05) == pytest.approx(bound, abs=2e-5)


@settings(deadline=None)
@given(st.integers(1, 400), st.data())
def test_the_bound_lies_below_the_share_that_was_seen(count: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, count))
    assert 0 <= c.precision_bound(right, count, 0.05) <= right / count


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        (0, 10, 0.0, 0.308497),
        (10, 10, 0.691503, 1.0),
        (9, 10, 0.554984, 0.997471),
        (81, 263, 0.252743, 0.367622),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_is_that_of_clopper_and_pearson(right: int, count: int, low: float, high: float) -> None:
    assert c.interval(right, count) == pytest.approx((low, high), abs=1e-5)


def test_the_interval_holds_the_true_share_in_at_least_95_of_100_trials() -> None:
    seen = np.random.default_rng(0).binomial(200, 0.9, 2_000)
    held = {
        right: c.interval(right, 200)[0] <= 0.9 <= c.interval(right, 200)[1] for right in set(seen.tolist())
    }
    assert np.mean([held[right] for right in seen.tolist()]) >= 0.95


def test_the_bound_of_a_million_rows_is_quick_and_close_to_the_normal_one() -> None:
    low, high = c.interval(900_000, 1_000_000)
    assert high - low == pytest.approx(2 * 1.96 * (0.9 * 0.1 / 1e6) ** 0.5, rel=0.01)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (6, 5, 1.0),
        (1, 0, 1.0),
        (5, 0, 2 / 2**5),
        (10, 1, 2 * (1 + 11) / 2**11),
        (2, 8, 2 * (1 + 10 + 45) / 2**10),
        (150, 86, 0.0000372),
    ],
)
def test_the_difference_of_two_models_has_the_p_value_of_mcnemars_exact_test(
    one: int, other: int, p: float
) -> None:
    assert c.chance_difference(one, other) == pytest.approx(p, rel=2e-2)
    assert c.chance_difference(other, one) == c.chance_difference(one, other)


def test_equally_good_models_rarely_seem_to_differ() -> None:
    ones = np.random.default_rng(0).binomial(60, 0.5, 2_000).tolist()
    p_values = [c.chance_difference(one, 60 - one) for one in ones]
    assert np.mean(np.array(p_values) < 0.05) <= 0.05


def test_the_coverage_curve_falls_from_the_surest_to_all() -> None:
    curve = c.coverage_curve(np.linspace(1, 0, 100), np.arange(100) < 50)
    assert [round(point.coverage, 2) for point in curve][:3] == [0.05, 0.1, 0.15]
    assert curve[-1].coverage == 1
    assert curve[-1].precision == 0.5
    assert c.coverage_curve(np.array([0.5]), np.array([True]))[0].coverage == 1
