"""Categories that the model cannot tell apart."""

from collections.abc import Sequence

import numpy as np

from contract.evaluation import Inseparable
from model.calibration import Truths

LEAST_SWAPPED = 0.25  # of each category's rows, on average: half of what a coin would swap
LEAST_ROWS = 5  # swapped in all: fewer may be chance
PAIRS_SHOWN = 20


def inseparable(truths: Truths, guesses: Truths, labels: Sequence[str]) -> list[Inseparable]:
    """Return the pairs of labels that are taken for each other too often, those of the most rows first.

    Of the rows of two categories that were given one of the two labels, LEAST_SWAPPED got the wrong one; the
    mean of both categories' shares counts, so that a rare one that vanishes in a large one is found.
    `truths` and `guesses` have shape (rows,).
    """
    hits = np.bincount(truths[truths == guesses], minlength=len(labels))
    wrong = truths != guesses
    given, taken = truths[wrong], guesses[wrong]
    numbers, pair_of_row = np.unique(
        np.minimum(given, taken) * len(labels) + np.maximum(given, taken), return_inverse=True
    )
    first, second = numbers // len(labels), numbers % len(labels)
    of_first = np.bincount(pair_of_row, weights=given < taken, minlength=len(numbers))
    of_second = np.bincount(pair_of_row, weights=given > taken, minlength=len(numbers))
    shares = [
        swapped / np.maximum(swapped + hits[own], 1)
        for swapped, own in ((of_first, first), (of_second, second))
    ]
    share = np.mean(shares, axis=0)
    rows = of_first + of_second
    order = np.argsort(-rows, kind="stable")
    worst = order[(share[order] >= LEAST_SWAPPED) & (rows[order] >= LEAST_ROWS)][:PAIRS_SHOWN]
    return [{"labels": [labels[first[i]], labels[second[i]]], "rows": int(rows[i])} for i in worst.tolist()]
