"""The split of texts into those that train and those that judge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validate import split

LABELLED = st.lists(st.tuples(st.text(max_size=3), st.integers(0, 3)), min_size=2, max_size=40)


def arrays(rows: list[tuple[str, int]]) -> tuple[split.Hashes, split.Codes]:
    _, codes = np.unique([code for _, code in rows], return_inverse=True)
    return split.hash_texts(text for text, _ in rows), codes.astype(np.int32)


@given(LABELLED, st.floats(0.01, 0.5))
def test_every_class_trains_something_judges_and_no_text_does_both(
    rows: list[tuple[str, int]], fraction: float
) -> None:
    hashes, codes = arrays(rows)
    validation = split.assign(hashes, codes, fraction)
    if validation is None:
        return
    assert validation.any()
    assert set(codes[~validation]) == set(codes)
    assert not set(hashes[validation]) & set(hashes[~validation])


@given(LABELLED)
def test_it_gives_up_only_when_no_text_can_be_spared(rows: list[tuple[str, int]]) -> None:
    hashes, codes = arrays(rows)
    if split.assign(hashes, codes, 0.1) is None:
        for text in set(hashes):
            assert set(codes[hashes != text]) != set(codes)


def test_about_the_wanted_share_judges() -> None:
    hashes = split.hash_texts(f"text {n}" for n in range(20_000))
    codes = np.zeros(20_000, np.int32)
    validation = split.assign(hashes, codes, 0.1)
    assert validation is not None
    assert validation.mean() == pytest.approx(0.1, abs=0.01)


def test_a_larger_share_only_adds_texts() -> None:
    hashes = split.hash_texts(f"text {n}" for n in range(1000))
    codes = np.zeros(1000, np.int32)
    small, large = split.assign(hashes, codes, 0.1), split.assign(hashes, codes, 0.3)
    assert small is not None
    assert large is not None
    assert (large | ~small).all()


def test_the_hash_is_the_same_on_every_machine() -> None:
    assert split.hash_texts(["The  Brake", "the brake"]).tolist() == [18080805338872363932] * 2


def test_duplicates_and_conflicts_are_counted() -> None:
    hashes, codes = arrays([("a", 0), ("A ", 1), ("b", 0), ("b", 0), ("c", 1)])
    assert split.duplicates(hashes) == 2
    assert split.conflicting(hashes, codes) == 1
