"""The figures that SageMaker Studio draws beside a registered version."""

import numpy as np
import pytest

from contract.evaluation import StudioMetrics
from model.calibration import Truths
from model.evaluation import label_figures
from model.studio import MOST_DRAWN, studio_metrics

TRUTHS = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 2])
GUESSES = np.array([0, 0, 0, 0, 1, 2, 1, 0, 2, 2])


def told(truths: Truths, guesses: Truths, labels: list[str]) -> StudioMetrics:
    return studio_metrics(truths, guesses, label_figures(truths, guesses, labels))


def test_the_means_are_weighted_by_the_rows_of_each_label() -> None:
    found = told(TRUTHS, GUESSES, ["a", "b", "c"])
    precisions, recalls = (4 / 5, 1 / 2, 2 / 3), (4 / 6, 1 / 2, 1.0)
    f1s = [2 * p * r / (p + r) for p, r in zip(precisions, recalls, strict=True)]
    for key, figures in (
        ("weighted_precision", precisions),
        ("weighted_recall", recalls),
        ("weighted_f1", f1s),
    ):
        assert found[key]["value"] == pytest.approx(np.dot(figures, (0.6, 0.2, 0.2)), abs=1e-4)  # type: ignore[literal-required]
    assert found["accuracy"]["value"] == pytest.approx(0.7)
    assert found["accuracy"]["standard_deviation"] == pytest.approx((0.7 * 0.3 / 10) ** 0.5, abs=1e-6)


def test_the_matrix_counts_the_rows_of_each_label_by_what_they_were_taken_for() -> None:
    assert told(TRUTHS, GUESSES, ["a", "b", "c"])["confusion_matrix"] == {
        "a": {"a": 4, "b": 1, "c": 1},
        "b": {"a": 1, "b": 1, "c": 0},
        "c": {"a": 0, "b": 0, "c": 2},
    }


def test_of_many_labels_there_is_no_matrix_but_every_figure() -> None:
    truths = np.arange(MOST_DRAWN + 1)
    found = told(truths, truths, [f"label {number}" for number in truths])
    assert "confusion_matrix" not in found
    assert found["weighted_f1"]["value"] == 1
    assert found["accuracy"]["standard_deviation"] == 0
