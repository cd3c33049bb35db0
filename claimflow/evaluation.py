"""How well a model labels rows whose categories are known."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from claimflow.errors import ClaimflowError
from contract.columns import AGREES, CONFIDENCE, LABEL, NEEDS_REVIEW, PREDICTION
from contract.plain import plain
from contract.text import listed, percent
from model import calibration
from model.evaluation import label_figures

ROWS = "rows"


@dataclass(frozen=True)
class Evaluation:
    """How well a model labels rows. Shares are numbers from 0 to 1.

    Attributes:
        rows: those that have a text and a category, from which all figures come
        left_out: the other rows
        accuracy: share of the rows labelled right
        accuracy_interval: its two-sided 95% Clopper-Pearson interval
        macro_f1: mean F1 of the categories that these rows have or got, each counting alike
        accepted: share of the rows that need no person
        accepted_accuracy: share of the accepted rows labelled right; None when there are none
        calibration_error: expected calibration error of the confidence
        categories: precision, recall, f1 and rows (`support`) of each category, by its name
        confusion: how many rows of a category (`label`) got which `prediction`, the wrong pairs only
        predictions: every row as `predict` gives it, with its `label` and whether it `agrees`

    """

    rows: int
    left_out: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    accepted: float
    accepted_accuracy: float | None
    calibration_error: float
    categories: pd.DataFrame = field(repr=False)
    confusion: pd.DataFrame = field(repr=False)
    predictions: pd.DataFrame = field(repr=False)

    @property
    def summary(self) -> "pd.Series[str]":
        """The figures in words, one a line.

        >>> list(result.summary.index)
        ['rows', 'accuracy', 'macro F1', 'accepted without a person', 'calibration error']
        """
        low, high = self.accuracy_interval
        of_accepted = (
            "" if self.accepted_accuracy is None else f", {percent(self.accepted_accuracy)} of them right"
        )
        left_out = f", {self.left_out:,} left out" if self.left_out else ""
        return pd.Series(
            {
                "rows": f"{self.rows:,}{left_out}",
                "accuracy": f"{percent(self.accuracy)} ({percent(low)} to {percent(high)})",
                "macro F1": percent(self.macro_f1),
                "accepted without a person": f"{percent(self.accepted)}{of_accepted}",
                "calibration error": percent(self.calibration_error),
            }
        )

    @property
    def wrong(self) -> pd.DataFrame:
        """The rows labelled wrong, those of the highest confidence first.

        >>> bool(result.wrong["agrees"].any())
        False
        """
        judged = self.predictions[self.predictions[AGREES].notna()]
        return judged[~judged[AGREES].astype(bool)].sort_values(CONFIDENCE, ascending=False, kind="stable")


def evaluate(predictions: pd.DataFrame, given: "pd.Series[str]", labels: Sequence[str]) -> Evaluation:
    """Compare predictions, as `Model.predict` gives them, with the categories of the same rows.

    `labels` are the model's. A category that it does not know counts as wrong. Raises ClaimflowError when no
    row has both.
    """
    usable = predictions[PREDICTION].notna() & (given != "")
    if not usable.any():
        raise ClaimflowError("No row has both a text and a category, so there is nothing to measure.")
    known = named_by(labels)
    truths = given[usable].map(lambda label: label if label in labels else known.get(plain(label), label))
    judged = predictions[usable]
    everything = [*labels, *sorted(set(truths) - set(labels))]
    numbers = {label: number for number, label in enumerate(everything)}
    found, wanted = (column.map(numbers).to_numpy(dtype=np.int64) for column in (judged[PREDICTION], truths))
    right, accepted = found == wanted, ~judged[NEEDS_REVIEW].to_numpy()
    categories = pd.DataFrame(label_figures(wanted, found, everything)).set_index(LABEL)
    seen = np.isin(np.arange(len(everything)), [found, wanted])
    bins = calibration.reliability(judged[CONFIDENCE].to_numpy(), right)
    agrees = np.full(len(predictions), None, dtype=object)
    agrees[usable.to_numpy()] = right
    everywhere = predictions.copy()
    everywhere[LABEL], everywhere[AGREES] = given, agrees
    return Evaluation(
        rows=len(judged),
        left_out=len(predictions) - len(judged),
        accuracy=float(right.mean()),
        accuracy_interval=calibration.interval(int(right.sum()), len(right)),
        macro_f1=float(categories["f1"].to_numpy()[seen].mean()),
        accepted=float(accepted.mean()),
        accepted_accuracy=float(right[accepted].mean()) if accepted.any() else None,
        calibration_error=calibration.calibration_error(bins),
        categories=categories,
        confusion=_confusion(truths[~right], judged[~right]),
        predictions=everywhere,
    )


def named_by(labels: Sequence[str]) -> dict[str, str]:
    """Return the categories by their plain form, in which the results compare them too."""
    return {plain(label): label for label in reversed(labels)}


def number_of(label: str, labels: Sequence[str]) -> int:
    """Return the number of a category. Raises ClaimflowError if the model does not know it."""
    known = label if label in labels else named_by(labels).get(plain(label))
    if known is None:
        raise ClaimflowError(f"The model knows no category {listed([label])}: it knows {listed(labels)}.")
    return labels.index(known)


def _confusion(truths: "pd.Series[str]", judged: pd.DataFrame) -> pd.DataFrame:
    pairs = pd.DataFrame({LABEL: truths, PREDICTION: judged[PREDICTION]})
    counted = pairs.groupby([LABEL, PREDICTION]).size().rename(ROWS).reset_index()
    return counted.sort_values(ROWS, ascending=False, kind="stable", ignore_index=True)
