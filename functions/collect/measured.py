"""From the counts of a file to its metrics; knows nothing of AWS."""

from collect.tally import Tally
from contract import metrics
from contract.metrics import Metric


def figures(tally: Tally, *, is_broken: bool) -> dict[Metric, float]:
    """Return the metrics of a labelled file: counts and, where a row was labelled, shares in percent.

    Args:
        tally: the counts
        is_broken: whether audits show that the model's promise is broken

    """
    counts: dict[Metric, float] = {
        metrics.ROWS: tally.rows,
        metrics.ACCEPTED: tally.accepted,
        metrics.REVIEW: tally.review_rows,
        metrics.REJECTED: tally.rejected.total(),
        metrics.MISSING: tally.missing,
        metrics.UNLIKE: tally.unlike,
        metrics.BROKEN_PROMISE: int(is_broken),
    }
    if not tally.predicted:
        return counts
    return counts | {
        metrics.ACCEPTED_SHARE: 100 * tally.accepted / tally.predicted,
        metrics.REVIEW_SHARE: 100 * tally.review_rows / tally.predicted,
        metrics.UNLIKE_SHARE: 100 * tally.unlike / tally.predicted,
    }
