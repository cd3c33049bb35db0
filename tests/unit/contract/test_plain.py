"""Names that people take for the same are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.plain import is_blank, plain


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Brakes", "BRAKES"),
        ("Straße", "STRASSE"),
        (" oil  leak ", "oil leak"),
        ("oil\xa0leak", "oil leak"),
        ("oil\nleak", "oil leak"),
        ("re\xadfund", "refund"),
        ("re\u200bfund", "refund"),
        ("\ufeffre\u2060fund\u200e", "refund"),
        ("ﬁlter", "filter"),
        ("ｂｒａｋｅ", "brake"),
        ("café", "cafe\u0301"),
        ("driver’s", "driver's"),
        ("“cold” start", '"cold" start'),
        ("e‑mail", "e-mail"),
        ("1.0", "1"),
        ("01", "1"),
        ("1.50", "1.5"),
        ("-0.0", "0"),
        ("−3", "-3"),
        ("１", "1"),
    ],
)
def test_two_ways_to_write_a_name_have_one_plain_form(name: str, other: str) -> None:
    assert plain(name) == plain(other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("brakes", "brake"),
        ("cafe", "café"),
        ("1", "10"),
        ("1", "1.01"),
        ("1.2.0", "1.2"),
        ("1", "-1"),
        ("a b", "ab"),
    ],
)
def test_names_that_mean_something_else_stay_apart(name: str, other: str) -> None:
    assert plain(name) != plain(other)


@pytest.mark.parametrize("nothing", ["", " ", "\ufeff", "\u200b\xad\u2060", "\x00", "\xa0\u3000"])
def test_what_nobody_sees_is_nothing(nothing: str) -> None:
    assert plain(nothing) == ""
    assert is_blank(nothing)


def test_what_can_be_seen_is_not_blank() -> None:
    assert not is_blank(" .\u200b")


@given(st.text())
def test_a_plain_form_is_its_own_plain_form(text: str) -> None:
    assert plain(plain(text)) == plain(text)
