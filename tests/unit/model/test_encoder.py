"""The vocabulary: which words are known, and a text as their numbers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.encoder import PADDING, UNKNOWN, Ids, WordEncoder
from model.tokenizer import TEXTS_TOGETHER, words


def fitted(*texts: str, vocab_size: int = 100, seq_len: int = 50) -> WordEncoder:
    return WordEncoder.fit(iter(texts), vocab_size, seq_len)


def numbers(encoder: WordEncoder, text: str) -> Ids:
    (ids,) = encoder.encode([text]).texts
    return ids


def test_the_vocabulary_is_ordered_by_frequency_then_alphabet() -> None:
    assert fitted("b b b a a c c d").vocabulary == ("b", "a", "c")
    assert fitted("b a", "b c", "b a", "c").vocabulary == ("b", "a", "c")


def test_a_word_seen_once_is_unknown() -> None:
    assert fitted("twice twice once").vocabulary == ("twice",)


def test_the_vocabulary_keeps_to_vocab_size_padding_and_unknown_included() -> None:
    encoder = fitted("a a a b b c c", vocab_size=4)
    assert encoder.vocabulary == ("a", "b")
    assert encoder.size == 4


def test_words_behind_seq_len_are_not_read_not_even_in_part() -> None:
    assert fitted("a a a b b b", seq_len=3).vocabulary == ("a",)
    assert fitted("a.b.c", "a.b.c", seq_len=1).vocabulary == ("a",)
    assert len(numbers(fitted("a a a", seq_len=3), "a " * 1000)) == 3


def test_known_words_have_their_numbers_and_the_others_one_number() -> None:
    assert numbers(fitted("a a a b b"), "b x a y").tolist() == [3, UNKNOWN, 2, UNKNOWN]


def test_a_text_without_words_is_one_unknown_word() -> None:
    assert numbers(fitted("a a"), " \x00 ").tolist() == [UNKNOWN]


@settings(deadline=None)
@given(st.lists(st.text(), max_size=5))
def test_texts_are_encoded_in_order_each_for_itself_and_never_as_padding(texts: list[str]) -> None:
    encoder = fitted("a a b b 1 1 . .")
    found = encoder.encode(texts)
    assert len(found.texts) == len(found.in_vocabulary_ratios) == len(texts)
    for text, ids, share in zip(texts, found.texts, found.in_vocabulary_ratios, strict=True):
        assert ids.tolist() == numbers(encoder, text).tolist()
        assert encoder.encode([text]).in_vocabulary_ratios[0] == share
        assert len(ids) == max(len(words(text)[:50]), 1)
        assert PADDING not in ids
        assert ids.dtype == np.int32


def test_more_texts_than_are_tokenized_together_are_encoded() -> None:
    encoder = fitted("brake brake")
    assert len(encoder.encode(["brake"] * (3 * TEXTS_TOGETHER + 1)).texts) == 3 * TEXTS_TOGETHER + 1
    assert len(encoder.encode(["brake " * 100_000] * 4).texts) == 4


def test_the_known_share_leaves_punctuation_out() -> None:
    found = fitted("brake brake . . ! !").encode(["brake ...", "brake xyz ! ! !", "xyz ...", "...", ""])
    assert found.in_vocabulary_ratios.tolist() == [1, 0.5, 0, 0, 0]


def test_no_texts_are_encoded_as_none() -> None:
    found = fitted("a a").encode([])
    assert found.texts == []
    assert found.in_vocabulary_ratios.shape == (0,)


def test_a_text_of_ten_megabytes_is_encoded() -> None:
    assert np.array_equal(numbers(fitted("brake brake"), "brake " * 1_700_000), np.full(50, 2))
