"""Which n-grams a text holds: the same as a plain reference that makes sets of them, and their numbers."""

import dataclasses
import functools
import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.ngram_buckets import AT_THE_END, SKIPPED, Grams, Repeats, all_buckets
from model.ngrams import LEAST_TEXTS, NgramEncoder
from model.sparse_rows import SparseRows
from model.tokenizer import tokenize, words

Gram = tuple[str, ...]

PLAIN = Grams(1, 0, None, 0)
EVERY_SORT = [
    PLAIN,
    Grams(3, 0, None, 0),
    Grams(1, 2, None, 0),
    Grams(2, 2, (1, 4), 0),
    Grams(1, 0, (3, 3), 0),
    Grams(2, 3, None, 3),
    Grams(8, 8, (1, 8), 4),
    Grams(1, 0, None, 0, repeats=True),
    Grams(3, 2, (1, 3), 2, repeats=True),
]
WORDS = ["brake", "brakes", "disc", "oil", "don't", "1,5", "!", "中", "é"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), max_size=6)


def reference(text: str, grams: Grams, seq_len: int = 50) -> set[Gram]:
    """The n-grams of a text, each named by its sort and its words or characters."""
    read = words(text)[:seq_len]
    last = read[max(len(read) - grams.end, 0) :] if grams.end else []
    found = {("words", *run) for run in runs(read, 1, grams.words)}
    found |= {("end", *run) for run in runs(last, 1, 2)}
    for apart in range(2, grams.skip + 2):
        found |= {("pair", one, other) for one, other in zip(read, read[apart:], strict=False)}
    if grams.chars:
        for word in read:
            found |= {("chars", *run) for run in runs(["<", *word, ">"], *grams.chars)}
    if grams.repeats:
        times = Counter(read)
        found |= {("often", word, str(least)) for word in read for least in (2, 4) if times[word] >= least}
    return found


def runs(items: Sequence[str], shortest: int, longest: int) -> set[Gram]:
    return {
        tuple(items[start : start + length])
        for length in range(shortest, longest + 1)
        for start in range(len(items) - length + 1)
    }


def fitted(texts: Sequence[str], grams: Grams = PLAIN, seq_len: int = 50, most: int = 10**6) -> NgramEncoder:
    return NgramEncoder.fit(iter(texts), grams, seq_len, most)[0]


def listed(rows: SparseRows) -> list[list[int]]:
    """Return the numbers of each text."""
    return [ids.tolist() for ids in np.split(rows.numbers, rows.offsets[1:-1])[: len(rows)]]


def places(holders: Sequence[set[Gram]] | Sequence[set[int]]) -> Counter[frozenset[int]]:
    """Return how many n-grams are in exactly these texts."""
    where: dict[object, set[int]] = {}
    for number, held in enumerate(holders):
        for gram in held:
            where.setdefault(gram, set()).add(number)
    return Counter(frozenset(texts) for texts in where.values())


@pytest.mark.parametrize("grams", EVERY_SORT, ids=str)
@settings(deadline=None, max_examples=15)
@given(texts=TEXTS)
@example(texts=["brake disc oil", "disc oil", "brake", "", "oil brake disc oil", "disc"])
@example(texts=["brake", "brake"])
@example(texts=["", ""])
@example(texts=[])
def test_a_text_has_the_n_grams_of_the_reference(grams: Grams, texts: list[str]) -> None:
    expected = [reference(text, grams) for text in texts]
    counts = Counter(gram for held in expected for gram in held)
    known = {gram for gram, count in counts.items() if count >= LEAST_TEXTS}
    encoder, encoded = NgramEncoder.fit(iter(texts), grams, 50, 10**6)
    assert encoder.size == len(known) + 1
    assert encoded.counts.tolist() == [len(held & known) for held in expected]
    assert places([set(ids) for ids in listed(encoded)]) == places([held & known for held in expected])


@settings(deadline=None, max_examples=15)
@given(texts=TEXTS, grams=st.sampled_from(EVERY_SORT))
def test_the_texts_that_were_learned_from_are_encoded_as_encode_does(texts: list[str], grams: Grams) -> None:
    encoder, encoded = NgramEncoder.fit(iter(texts), grams, 50, 10**6)
    again = encoder.encode(texts).texts
    assert listed(again) == listed(encoded)


@settings(deadline=None, max_examples=15)
@given(texts=TEXTS, grams=st.sampled_from(EVERY_SORT))
def test_each_number_is_given_once_lies_in_range_and_does_not_depend_on_the_texts_beside(
    texts: list[str], grams: Grams
) -> None:
    encoder = fitted(texts, grams)
    for ids, text in zip(listed(encoder.encode(texts).texts), texts, strict=True):
        assert len(set(ids)) == len(ids)
        assert all(1 <= number < encoder.size for number in ids)
        assert listed(encoder.encode([text]).texts) == [ids]


@settings(deadline=None, max_examples=15)
@given(texts=TEXTS, grams=st.sampled_from(EVERY_SORT))
@example(texts=["oil oil oil oil brake brake", "oil brake"], grams=PLAIN)
def test_by_the_logarithm_the_same_n_grams_count_once_more_whenever_their_times_double(
    texts: list[str], grams: Grams
) -> None:
    once = fitted(texts, dataclasses.replace(grams, repeats=False))
    log = fitted(texts, dataclasses.replace(grams, repeats="log"))
    assert np.array_equal(once.buckets, log.buckets)
    for ids, text in zip(listed(log.encode(texts).texts), texts, strict=True):
        all_numbers = log.numbers[all_buckets(tokenize([text], 50), log.grams)]
        times = Counter(all_numbers[all_numbers > 0].tolist())
        assert Counter(ids) == {number: count.bit_length() for number, count in times.items()}
        assert len(list(itertools.groupby(ids))) == len(times)
        assert sorted(number for number, _ in log.phrases(text)) == sorted(ids)


@functools.cache
def rich() -> NgramEncoder:
    text = "brake disc oil don't squeal 中 !"
    return fitted([text, text], Grams(3, 2, (2, 3), 3))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["brake", "disc", "oil", "don't", "squeal", "中", "!", "new"]), max_size=9))
def test_every_n_gram_is_written_as_a_person_would(text_words: list[str]) -> None:
    encoder, text = rich(), " ".join(text_words)
    written = {
        *(" ".join(run) for run in runs(text_words, 1, 3)),
        *(" ".join(run) + AT_THE_END for run in runs(text_words[-3:], 1, 2)),
        *(
            one + SKIPPED + other
            for apart in (2, 3)
            for one, other in zip(text_words, text_words[apart:], strict=False)
        ),
    }
    phrases = encoder.phrases(text)
    assert {phrase for _, phrase in phrases} <= written
    assert sorted(number for number, _ in phrases) == sorted(encoder.encode([text]).texts.numbers.tolist())


def test_an_n_gram_of_each_sort_is_written_so() -> None:
    encoder = fitted(["brake disc oil"] * 2, Grams(2, 1, None, 2))
    assert {phrase for _, phrase in encoder.phrases("brake disc oil")} == {
        *("brake", "disc", "oil", "brake disc", "disc oil", "brake … oil"),
        *("disc (at the end)", "oil (at the end)", "disc oil (at the end)"),
    }
    assert encoder.phrases("") == []
    often = fitted(["oil oil brake oil oil"] * 2, Grams(1, 0, None, 0, repeats=True))
    assert {text for _, text in often.phrases("oil oil brake oil oil")} == {
        *("oil", "brake"),
        *("oil (2+ times)", "oil (4+ times)"),
    }
    characters = fitted(["oil"] * 2, Grams(1, 0, (2, 2), 0))
    assert [phrase for _, phrase in characters.phrases("boil")] == ["boil"] * 3  # oi, il, l and the edge


def test_the_same_word_counts_apart_in_a_pair_and_at_the_end() -> None:
    assert fitted(["a b", "a b"], Grams(2, 0, None, 0)).size == 3 + 1
    assert fitted(["a b", "a b"], Grams(2, 0, None, 20)).size == 6 + 1
    assert fitted(["a x b", "a y b"], Grams(1, 1, None, 0)).size == 3 + 1


def test_n_grams_do_not_reach_into_the_next_text() -> None:
    encoder = fitted(["oil", "brake", "oil", "brake"], Grams(3, 3, None, 2))
    assert encoder.size == 4 + 1  # two words, each also at the end


def test_n_grams_of_characters_stay_within_their_word() -> None:
    encoder = fitted(["ab cd", "ab cd"], Grams(1, 0, (2, 2), 0))
    expected = {("<", "a"), ("a", "b"), ("b", ">"), ("<", "c"), ("c", "d"), ("d", ">")}
    assert encoder.size == len(expected) + 2 + 1


def test_words_behind_seq_len_are_not_read_not_even_in_part() -> None:
    grams = Grams(2, 1, (1, 3), 2)
    whole, cut = ["ab.cd ef"] * 2, ["ab"] * 2
    assert fitted(whole, grams, seq_len=1).size == fitted(cut, grams).size
    assert fitted(whole, grams, seq_len=3).size == fitted(["ab.cd"] * 2, grams).size


@pytest.mark.parametrize("repeats", [False, "log"])
def test_an_n_gram_in_one_text_is_not_known_however_often_it_is_in_it(repeats: Repeats) -> None:
    encoder = fitted(["oil oil oil smoke", "smoke"], dataclasses.replace(PLAIN, repeats=repeats))
    assert encoder.phrases("oil smoke") == [(1, "smoke")]


def test_of_too_many_n_grams_those_in_most_texts_are_kept() -> None:
    texts = ["oil brake disc", "oil brake disc", "oil brake", "oil"]
    assert {phrase for _, phrase in fitted(texts, most=2).phrases("oil brake disc")} == {"oil", "brake"}
    assert fitted(texts, most=1).encode(["oil brake disc"]).texts.numbers.tolist() == [1]
    assert fitted(texts, most=3).size == fitted(texts, most=100).size == 3 + 1
    _, encoded = NgramEncoder.fit(iter(texts), PLAIN, 50, 2)
    assert encoded.counts.tolist() == [2, 2, 2, 1]


def test_unknown_n_grams_are_left_out() -> None:
    encoder = fitted(["oil brake"] * 2, Grams(2, 0, None, 0))
    assert len(encoder.encode(["oil brake"]).texts.numbers) == 3
    assert len(encoder.encode(["brake oil"]).texts.numbers) == 2
    assert encoder.encode(["zzz yyy"]).texts.numbers.tolist() == []


def test_the_known_share_is_that_of_words_and_leaves_signs_out() -> None:
    encoder = fitted(["brake , oil"] * 2, Grams(2, 2, (1, 3), 2))
    shares = encoder.encode(
        ["brake oil", "brake xyz ! ,", "xyz", "...", "", "oil oil oil oil zz"]
    ).in_vocabulary_ratios
    assert shares.tolist() == [1, 0.5, 0, 0, 0, 0.8]
    assert shares.dtype == np.float64


def test_no_texts_are_encoded_as_none() -> None:
    found = fitted(["oil"] * 2).encode([])
    assert len(found.texts) == 0
    assert found.in_vocabulary_ratios.shape == (0,)


def test_where_no_n_gram_is_in_two_texts_none_is_known() -> None:
    encoder = fitted(["one", "two", ""])
    assert encoder.size == 1
    assert encoder.encode(["one two"]).texts.numbers.tolist() == []
    assert encoder.phrases("one two") == []


def test_the_same_texts_give_the_same_numbers_whatever_texts_they_are_read_with() -> None:
    texts = ["oil smoke", "brake disc", "oil smoke brake"]
    one, other = (
        fitted(texts * 2, Grams(2, 2, (1, 4), 3)),
        fitted([*texts, *texts[::-1]], Grams(2, 2, (1, 4), 3)),
    )
    assert np.array_equal(one.buckets, other.buckets)


@pytest.mark.parametrize(
    ("one", "other"),
    [("so it", "to is"), ("i a", "ai"), ("1 2", "21"), ("to the", "me too"), ("waiting a", "awaiting")],
)
def test_different_n_grams_of_words_do_not_share_a_hash_by_their_letters(one: str, other: str) -> None:
    encoder = fitted([one, one, other, other], Grams(2, 0, None, 0))
    expected = {gram for text in (one, other) for gram in reference(text, Grams(2, 0, None, 0))}
    assert encoder.size == len(expected) + 1
