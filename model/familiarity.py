"""Whether a text is unlike anything that was learned from (out-of-distribution detection).

Two signs are looked at: the share of its words that are known, and how near the nearest training texts are
(Sun et al. 2022, arXiv:2204.06507). Their bounds come from rows that no part has seen.
"""

from dataclasses import dataclass

import numpy as np

from model.calibration import Array, Flags

MOST_UNLIKE = 0.01  # of the rows may be called unlike the training texts,
MOST_UNKNOWN = 0.005  # by their known words alone
MOST_KNOWN_ASKED = 0.5  # a text with this share of known words is never called so by them


@dataclass(frozen=True)
class Bounds:
    """The least in-vocabulary ratio and the least similarity of a text that is like the training texts."""

    in_vocabulary_ratio: float
    similarity: float

    def unlike(self, ratios: Array, similarities: Array) -> Flags:
        """Return which texts are unlike the training texts; all arguments have the shape (texts,)."""
        unknown = (ratios == 0) | (ratios < self.in_vocabulary_ratio)
        unlike: Flags = unknown | (similarities < self.similarity)
        return unlike


def bounds(ratios: Array, similarities: Array) -> Bounds:
    """Return the bounds under which at most MOST_UNLIKE of the rows are unlike, few rows none of them.

    Rows that have too few known words count first, those of the least similarity fill up the rest.
    """
    least_ratio = min(MOST_KNOWN_ASKED, float(np.quantile(ratios, MOST_UNKNOWN)))
    known = (ratios > 0) & (ratios >= least_ratio)
    left = max(int(MOST_UNLIKE * len(ratios)) - int((~known).sum()), 0)
    ranked = np.sort(similarities[known])
    return Bounds(least_ratio, float(ranked[left]) if left < len(ranked) else 0.0)
