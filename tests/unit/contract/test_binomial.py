"""The binomial tests of the standard library agree with those of the classifier."""

import pytest

from contract.binomial import as_good, at_most
from model.calibration import chance_difference


def test_no_chance_is_lost() -> None:
    assert at_most(7, 7, 0.3) == pytest.approx(1)
    assert at_most(0, 3, 0.5) == pytest.approx(1 / 8)


@pytest.mark.parametrize("counts", [(0, 5), (2, 9), (30, 61), (400, 521)])
def test_the_one_sided_test_of_the_less_accurate_model_is_half_the_two_sided_one(
    counts: tuple[int, int],
) -> None:
    assert 2 * as_good(*counts) == pytest.approx(chance_difference(*counts))


def test_a_more_accurate_model_is_never_shown_to_be_worse() -> None:
    assert as_good(9, 2) > 0.5
    assert as_good(3, 3) > 0.5
