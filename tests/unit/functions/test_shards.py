"""What shards that failed said, for people."""

import pytest

from shared import batch, shards


def test_shards_that_said_the_same_are_told_together() -> None:
    full = "Shard {} was not labelled: The disk is full."
    said = {0: full.format(0), 1: "shard 1 left no part and no reason.", 3: full.format(3)}
    assert shards.told(said) == (
        "Shards 0 and 3 were not labelled: The disk is full. Shard 1 left no part and no reason."
    )


def test_many_shards_are_told_by_the_first_numbers_and_how_many_more() -> None:
    said = {number: f"shard {number} left no part: it was killed" for number in range(8)}
    assert shards.told(said, more=2) == (
        "Shards 0, 1, 2, 3, 4 and 3 more left no part: it was killed. And 2 shards more."
    )


@pytest.mark.parametrize(
    ("reason", "first"),
    [
        ("OutOfMemoryError: Container killed", "Give the stack more JobMemoryMiB, or"),
        ("Job attempt duration exceeded timeout", "Give the stack more MaxShardSeconds, or"),
    ],
)
def test_what_labels_all_rows_anew_is_said_to_and_comes_last(reason: str, first: str) -> None:
    advice = batch.reason(batch.Outcome(None, reason, "")).advice
    assert advice.startswith(first)
    assert advice.endswith("rows_per_shard in the configuration, which labels all rows anew.")
