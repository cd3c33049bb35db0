"""The binomial distribution, by the standard library alone: for what functions and command line conclude."""

import math


def at_most(right: int, rows: int, share: float) -> float:
    """Return the chance that at most `right` of the rows are right where `share` of all are, not 0 or 1.

    >>> round(at_most(1, 4, 0.5), 4)
    0.3125
    """
    logs = (math.log(share), math.log1p(-share))
    return math.fsum(
        math.exp(
            math.lgamma(rows + 1)
            - math.lgamma(each + 1)
            - math.lgamma(rows - each + 1)
            + each * logs[0]
            + (rows - each) * logs[1]
        )
        for each in range(right + 1)
    )


def as_good(only_one_right: int, only_other_right: int) -> float:
    """Return the p-value of "the one is at least as good": McNemar's exact test, one-sided (McNemar 1947).

    Of the rows that only one of two equally good models has right, each is as likely the one's as the
    other's. The p-value is the chance that the one has as few of them right as it has, or fewer; 1 without
    such rows.

    >>> round(as_good(2, 9), 4), as_good(0, 0)
    (0.0327, 1.0)
    """
    return min(1.0, at_most(only_one_right, only_one_right + only_other_right, 0.5))
