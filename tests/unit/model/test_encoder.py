"""The tokenizer and the vocabulary."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.encoder import PADDING, UNKNOWN, Encoder, words

TOKENIZER = [
    ("The Brake SQUEALS", ["the", "brake", "squeals"]),
    ("noise<br /><br />again<BR>now", ["noise", "again", "now"]),
    ("Stop! (Really?)", ["stop", "!", "(", "really", "?", ")"]),
    ("it's the driver\u2019s", ["it's", "the", "driver\u2019s"]),
    ("'quoted'", ["'", "quoted", "'"]),
    ("after 45km or 1,299.50 miles", ["after", "45", "km", "or", "1,299.50", "miles"]),
    ("at 5.", ["at", "5", "."]),
    ("part_no 7-A", ["part", "no", "7", "-", "a"]),
    ("Größe ÇA ÉTÉ", ["größe", "ça", "été"]),
    ("e\u0301te\u0301", ["été"]),
    ("Привет мир", ["привет", "мир"]),
    ("故障车", ["故", "障", "车"]),
    ("ok👍🏽fine", ["ok", "👍", "🏽", "fine"]),
    ("a\x00b\tc\nd\x07\u200be", ["a", "b", "c", "d", "\u200b", "e"]),
    ("http://x.io", ["http", ":", "/", "/", "x", ".", "io"]),
    ("", []),
    (" \t\r\n_ ", []),
]


@pytest.mark.parametrize(("text", "expected"), TOKENIZER)
def test_a_text_becomes_these_words(text: str, expected: list[str]) -> None:
    assert list(words(text)) == expected


@settings(deadline=None)
@given(st.text())
def test_words_never_hold_white_space_and_any_text_has_them(text: str) -> None:
    assert all(word and not any(sign.isspace() for sign in word) for word in words(text))


@settings(deadline=None)
@given(st.text())
def test_the_case_of_ascii_letters_does_not_matter(text: str) -> None:
    plain = text.encode("ascii", "ignore").decode()
    assert list(words(plain.upper())) == list(words(plain.lower()))


def fitted(*texts: str, vocab_size: int = 100, seq_len: int = 50) -> Encoder:
    return Encoder.fit(((text, "x") for text in texts), vocab_size, seq_len)


def test_the_vocabulary_is_ordered_by_frequency_then_alphabet() -> None:
    assert fitted("b b b a a c c d").vocabulary == ("b", "a", "c")


def test_a_word_seen_once_is_unknown() -> None:
    assert fitted("twice twice once").vocabulary == ("twice",)


def test_the_vocabulary_keeps_to_vocab_size_padding_and_unknown_included() -> None:
    encoder = fitted("a a a b b c c", vocab_size=4)
    assert encoder.vocabulary == ("a", "b")
    assert encoder.size == 4


def test_words_behind_seq_len_are_not_read() -> None:
    encoder = fitted("a a a b b b", seq_len=3)
    assert encoder.vocabulary == ("a",)
    assert len(encoder.encode("a " * 1000)) == 3


def test_known_words_have_their_numbers_and_the_others_one_number() -> None:
    assert fitted("a a a b b").encode("b x a y").tolist() == [3, UNKNOWN, 2, UNKNOWN]


def test_a_text_without_words_is_one_unknown_word() -> None:
    assert fitted("a a").encode(" \x00 ").tolist() == [UNKNOWN]


@settings(deadline=None)
@given(st.text())
def test_no_text_is_encoded_as_padding(text: str) -> None:
    assert PADDING not in fitted("a a b b").encode(text)


def test_labels_are_sorted() -> None:
    encoder = Encoder.fit([("t", "zebra"), ("t", "Apple"), ("t", "änder")], 10, 10)
    assert encoder.labels == ("Apple", "zebra", "änder")
    assert encoder.label_numbers == {"Apple": 0, "zebra": 1, "änder": 2}


def test_the_known_share_leaves_punctuation_out() -> None:
    encoder = fitted("brake brake . . ! !")
    assert encoder.known_share(encoder.encode("brake ...")) == 1
    assert encoder.known_share(encoder.encode("brake xyz ! ! !")) == 0.5
    assert encoder.known_share(encoder.encode("xyz ...")) == 0
    assert encoder.known_share(encoder.encode("...")) == 0


def test_a_saved_encoder_is_the_same_when_loaded(tmp_path: Path) -> None:
    encoder = Encoder.fit([("größe 👍 größe 👍", 'a "b"'), ("x x", "ß")], 10, 7)
    encoder.save(tmp_path / "encoder.json")
    assert Encoder.load(tmp_path / "encoder.json") == encoder


def test_a_text_of_ten_megabytes_is_encoded() -> None:
    encoder = fitted("brake brake")
    assert np.array_equal(encoder.encode("brake " * 1_700_000), np.full(50, 2))
