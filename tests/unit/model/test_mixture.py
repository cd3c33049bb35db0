"""How much each part of a model counts."""

import itertools

import numpy as np
import pytest

from model.calibration import cross_entropy, temperature
from model.data import Floats, Numbers
from model.mixture import fit_mixture, mix_logits

CLASSES, ROWS = 3, 400


def parts(*knowledge: float) -> tuple[list[Floats], Numbers]:
    """Return logits of parts that know the truths more or less well, and the truths."""
    chance = np.random.default_rng(0)
    truths = chance.integers(0, CLASSES, ROWS)
    logits = [chance.normal(0, 1, (ROWS, CLASSES)).astype(np.float32) for _ in knowledge]
    for part, known in zip(logits, knowledge, strict=True):
        part[np.arange(ROWS), truths] += known
    return logits, truths


def loss(logits: list[Floats], truths: Numbers, mixture: tuple[float, ...]) -> float:
    mixed = mix_logits(logits, mixture)
    return cross_entropy(mixed, truths, temperature(mixed, truths))


def test_the_only_part_counts_for_all() -> None:
    logits, truths = parts(2)
    assert fit_mixture(logits, truths) == (1.0,)


@pytest.mark.parametrize("better", [0, 1])
def test_a_part_that_knows_nothing_counts_for_next_to_nothing(better: int) -> None:
    logits, truths = parts(*(4.0 * (part == better) for part in range(2)))
    mixture = fit_mixture(logits, truths)
    assert mixture[better] == pytest.approx(1, abs=0.2)
    assert sum(mixture) == pytest.approx(1)


def test_parts_that_know_as_much_share_the_weight() -> None:
    logits, truths = parts(2, 2)
    assert fit_mixture(logits, truths)[0] == pytest.approx(0.5, abs=0.15)


def test_a_part_that_is_wrong_on_purpose_counts_for_nothing() -> None:
    logits, truths = parts(2, -2)
    assert fit_mixture(logits, truths) == (1.0, 0.0)


def test_parts_that_say_the_same_are_no_trouble() -> None:
    logits, truths = parts(2)
    assert fit_mixture([logits[0], logits[0]], truths) == pytest.approx((0.5, 0.5), abs=0.01)


def test_no_other_mixture_of_three_parts_has_a_lower_loss() -> None:
    logits, truths = parts(1, 2, 3)
    least = loss(logits, truths, fit_mixture(logits, truths))
    grid = [
        (a / 10, b / 10, 1 - a / 10 - b / 10)
        for a, b in itertools.product(range(11), repeat=2)
        if a + b <= 10
    ]
    assert least <= min(loss(logits, truths, mixture) for mixture in grid) + 1e-4


def test_many_labels_are_worked_on_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, truths = parts(1, 2)
    whole = fit_mixture(logits, truths)
    monkeypatch.setattr("model.calibration.BLOCK", 7 * CLASSES)
    assert fit_mixture(logits, truths) == pytest.approx(whole, abs=1e-3)


def test_logits_without_bounds_are_no_trouble() -> None:
    logits, truths = parts(2, 2)
    assert sum(fit_mixture([logits[0] * 1000, logits[1]], truths)) == pytest.approx(1)
