"""The split of texts into those that train and those that judge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validate import split

Labelled = list[tuple[str, int]]
LABELLED = st.lists(st.tuples(st.text(max_size=3), st.integers(0, 3)), min_size=2, max_size=40)
FRACTIONS = st.floats(0.01, 0.5)
# Texts of one category each: its number is part of the text.
CLEAN = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), min_size=2, max_size=40).map(
    lambda rows: [(f"{text} of {code}", code) for text, code in rows]
)


def arrays(rows: Labelled) -> tuple[split.Hashes, split.Codes]:
    _, codes = np.unique([code for _, code in rows], return_inverse=True)
    return split.hash_texts(text for text, _ in rows), codes.astype(np.int32)


def texts_of(hashes: split.Hashes, codes: split.Codes, code: int) -> int:
    return len(np.unique(hashes[codes == code]))


@given(LABELLED, FRACTIONS)
def test_every_class_trains_something_judges_and_no_text_does_both(rows: Labelled, fraction: float) -> None:
    hashes, codes = arrays(rows)
    validation = split.assign(hashes, codes, fraction)
    if validation is None:
        return
    assert validation.any()
    assert set(codes[~validation]) == set(codes)
    assert not set(hashes[validation]) & set(hashes[~validation])


@given(CLEAN, FRACTIONS)
def test_every_class_with_two_texts_is_judged(rows: Labelled, fraction: float) -> None:
    hashes, codes = arrays(rows)
    validation = split.assign(hashes, codes, fraction)
    wanted = {code for code in set(codes) if texts_of(hashes, codes, code) > 1}
    assert (set() if validation is None else set(codes[validation])) == wanted


@given(LABELLED, FRACTIONS)
def test_a_class_stays_unjudged_only_when_none_of_its_texts_can_be_spared(
    rows: Labelled, fraction: float
) -> None:
    hashes, codes = arrays(rows)
    validation = split.assign(hashes, codes, fraction)
    training = np.ones(len(rows), bool) if validation is None else ~validation
    for code in set(codes) - set(codes[~training]):
        for text in set(hashes[codes == code]):
            assert set(codes[training & (hashes != text)]) != set(codes)


@given(CLEAN, CLEAN, FRACTIONS)
def test_more_rows_move_no_text_that_its_hash_has_decided(
    rows: Labelled, more: Labelled, fraction: float
) -> None:
    hashes, codes = arrays(rows)
    before, after = split.assign(hashes, codes, fraction), split.assign(*arrays(rows + more), fraction)
    if before is None or after is None:
        return
    by_hash = hashes < np.uint64(fraction * 2**64)
    assert after[: len(rows)][before & by_hash].all()
    smallest = [hashes[codes == code].min() for code in set(codes)]
    stayed = ~before & ~by_hash & ~np.isin(hashes, smallest)
    assert not after[: len(rows)][stayed].any()


def test_three_rows_of_a_class_among_thousands_are_judged_too() -> None:
    rows = [(f"text {n}", 0) for n in range(5000)] + [(f"rare {n}", 1) for n in range(3)]
    hashes, codes = arrays(rows)
    validation = split.assign(hashes, codes, 0.1)
    assert validation is not None
    assert 1 <= validation[codes == 1].sum() <= 2


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


@pytest.mark.parametrize(
    "other", ["the bra\u00adke", "the\u00a0bra\u200bke", "\uff34he brake", "the brake\ufeff"]
)
def test_texts_that_look_the_same_have_the_same_hash(other: str) -> None:
    assert split.hash_texts([other]).tolist() == split.hash_texts(["The brake"]).tolist()


def test_duplicates_and_conflicts_are_counted() -> None:
    hashes, codes = arrays([("a", 0), ("A ", 1), ("b", 0), ("b", 0), ("c", 1)])
    assert split.duplicates(hashes) == 2
    assert split.conflicting(hashes, codes) == 1
