"""Figures and names in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.text import count, duration, is_text, listed, percent, sendable, shorten


def test_a_share_is_told_in_percent_with_one_decimal_or_as_many_as_asked_for() -> None:
    assert percent(0.12345) == "12.3%"
    assert percent(1) == "100.0%"
    assert percent(0.98, 0) == "98%"


def test_a_number_is_told_with_its_noun() -> None:
    assert count(1, "row") == "1 row"
    assert count(12_345, "row") == "12,345 rows"
    assert count(2, "category", "categories") == "2 categories"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7_620, "2 h 07 min"),
    ],
)
def test_a_duration_is_told_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("two\nlines\tand\x00more", "two lines and\\x00more"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
        ("x" * 10_000_000, "x" * 299 + "…"),
        (" " * 5_000 + "late", "…"),
        ("te\x00xt\r\n\u2066x", "te\\x00xt \\u2066x"),
    ],
    ids=range(7),
)
def test_a_text_is_cut_and_stands_on_one_line(text: str, shown: str) -> None:
    assert shorten(text, 300) == shown


@given(st.text(max_size=200))
def test_a_shortened_text_is_never_longer_than_its_limit(text: str) -> None:
    assert len(shorten(text, 10)) <= 10


def test_names_are_quoted_and_those_beyond_the_limit_counted() -> None:
    assert listed(["a", "b", "c"]) == "'a', 'b', 'c'"
    assert listed(["a", "b", "c"], limit=2) == "'a', 'b' and 1 more"
    assert listed(["a\x1b"]) == "'a\\x1b'"


@given(st.text(max_size=200))
def test_what_is_sendable_is_utf_8_without_control_characters_and_stays_so(text: str) -> None:
    sent = sendable(text)
    sent.encode()
    assert all(sign.isprintable() or sign in "\t\n" or ord(sign) > 0x9F for sign in sent)
    assert sendable(sent) == sent


def test_half_a_character_is_no_text_and_a_control_character_is() -> None:
    assert [is_text(text) for text in ("a", "\u00e9\x07", "\x07", "\ud800")] == [True, True, True, False]
