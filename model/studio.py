"""The figures of a model in the schema that SageMaker Studio draws."""

import math
from collections.abc import Sequence

import numpy as np

from contract.evaluation import LabelFigures, StudioFigure, StudioMetrics
from model.calibration import Truths

MOST_DRAWN = 50  # labels of a confusion matrix, which grows with their square


def studio_metrics(truths: Truths, guesses: Truths, per_class: Sequence[LabelFigures]) -> StudioMetrics:
    """Return the figures, each a mean of the labels' figures weighted by their rows.

    The keys are those of `multiclass_classification_metrics` in SageMaker's documentation of model quality
    metrics (Model Monitor). The standard deviation is that of a share of independent rows,
    sqrt(p (1 - p) / n). `truths` and `guesses` have shape (rows,).
    """
    found: StudioMetrics = {
        "accuracy": _share(float((truths == guesses).mean()), len(truths)),
        "weighted_precision": {"value": _mean(per_class, [each["precision"] for each in per_class])},
        "weighted_recall": _share(_mean(per_class, [each["recall"] for each in per_class]), len(truths)),
        "weighted_f1": {"value": _mean(per_class, [each["f1"] for each in per_class])},
    }
    if len(per_class) <= MOST_DRAWN:
        found["confusion_matrix"] = _matrix(truths, guesses, [each["label"] for each in per_class])
    return found


def _share(share: float, rows: int) -> StudioFigure:
    deviation = math.sqrt(max(0.0, share * (1 - share)) / rows)
    return {"value": round(share, 6), "standard_deviation": round(deviation, 6)}


def _mean(per_class: Sequence[LabelFigures], figures: Sequence[float]) -> float:
    return round(float(np.average(figures, weights=[each["support"] for each in per_class])), 6)


def _matrix(truths: Truths, guesses: Truths, labels: Sequence[str]) -> dict[str, dict[str, int]]:
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, (truths, guesses), 1)
    return {
        label: dict(zip(labels, row, strict=True)) for label, row in zip(labels, counts.tolist(), strict=True)
    }
