"""The tokenizer: each rule, and the same words as a plain reference that reads one character at a time."""

import re
import subprocess
import sys
import tracemalloc
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.folding import ASSIGNED, LOOKED_AT
from model.tokenizer import (
    FACTOR,
    GROUP_CHARACTERS,
    MOST_CHARACTERS,
    TEXTS_TOGETHER,
    grouped,
    groups,
    tokenize,
    words,
)

ROOT = Path(__file__).resolve().parents[3]

RULES = [
    ("The Brake SQUEALS", ["the", "brake", "squeals"]),
    ("noise<br /><br />again<BR>now<br\t/>", ["noise", "again", "now"]),
    ("a<b>r <brx>", ["a", "<", "b", ">", "r", "<", "brx", ">"]),
    ("Stop! (Really?)", ["stop", "!", "(", "really", "?", ")"]),
    ("it's the driver\u2019s", ["it's", "the", "driver's"]),
    ("rock'n'roll", ["rock'n'roll"]),
    ("'quoted'", ["'", "quoted", "'"]),
    ("a''b x'\u2019y", ["a", "'", "'", "b", "x", "'", "'", "y"]),
    ("\u201chi\u201d e\u2011mail 3\u22121 \u2013", ['"', "hi", '"', "e", "-", "mail", "3", "-", "1", "-"]),
    ("m\u00b2 10\u00b2 5\u00bd \u2460", ["m", "2", "10", "2", "5", "1", "\u2044", "2", "1"]),
    ("Acme\u2122 \u2116 5", ["acme", "tm", "no", "5"]),
    ("stra\u00dfe STRASSE \u0130stanbul", ["strasse", "strasse", "istanbul"]),
    ("7'6 a'1", ["7", "'", "6", "a", "'", "1"]),
    ("after 45km or 1,299.50 miles", ["after", "45", "km", "or", "1,299.50", "miles"]),
    ("1.,2 3..4 a.b", ["1", ".", ",", "2", "3", ".", ".", "4", "a", ".", "b"]),
    ("at 5. .5 ,", ["at", "5", ".", ".", "5", ","]),
    ("٣\u066b٤ १२", ["٣", "\u066b", "٤", "१२"]),
    ("part_no 7-A", ["part", "no", "7", "-", "a"]),
    ("Grüße ÇA ÉTÉ", ["grüsse", "ça", "été"]),
    ("e\u0301te\u0301 q\u0307", ["été", "q\u0307"]),
    ("Привет мир", ["привет", "мир"]),
    ("故障车 ok", ["故", "障", "车", "ok"]),
    ("ブレーキが", ["ブ", "レ", "ー", "キ", "が"]),
    ("ดี", ["ด", "ี"]),
    ("한국어 좋다", ["한국어", "좋다"]),
    ("ok👍🏽fine", ["ok", "👍", "🏽", "fine"]),
    ("❤️👨\u200d👩", ["❤", "👨", "👩"]),
    ("a\x00b\tc\nd\x07\u200be\ud800f", ["a", "b", "c", "d", "e", "f"]),
    ("5€ + 3%", ["5", "€", "+", "3", "%"]),
    ("http://x.io", ["http", ":", "/", "/", "x", ".", "io"]),
    ("", []),
    (" \t\r\n_ \u200d \u2800 \u3164", []),
]

UNSPACED = [
    ("\u0e00", "\u0e7f"),  # Thai
    ("\u0e80", "\u0eff"),  # Lao
    ("\u1000", "\u109f"),  # Burmese
    ("\u1780", "\u17ff"),  # Khmer
    ("\u3040", "\u309f"),  # Hiragana
    ("\u30a0", "\u30ff"),  # Katakana
    ("\u3400", "\u4dbf"),  # Chinese: extension A,
    ("\u4e00", "\u9fff"),  # the unified ideographs,
    ("\uf900", "\ufaff"),  # the compatibility ideographs,
    ("\U00020000", "\U0003ffff"),  # and the planes of the rest
]
INNER = {"letter": "'", "digit": ".,"}
NOT_SEEN = "[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0000-\U000e01ff]"
STRAIGHT = str.maketrans(
    "\u2018\u2019\u201a\u201b\u2032\u00b4\u02b9\u02bc\u055a\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    9 * "'" + 7 * '"' + 7 * "-",
)


def kind(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign == "_":
        return "nothing"
    if category == "Nd":
        return "digit"
    if category[0] in "LMN":
        return "unspaced" if any(first <= sign <= last for first, last in UNSPACED) else "letter"
    return "sign" if category[0] in "PS" or category in {"Cn", "Co"} else "nothing"


def seen(sign: str) -> str:
    """Return what is to be seen of a character."""
    if sign in "\u115f\u1160\u3164\uffa0\u2800\u200b":
        return " "
    if unicodedata.category(sign) == "Cf" or re.match(NOT_SEEN, sign):
        return ""
    composed = unicodedata.normalize("NFKC", sign.translate(STRAIGHT))
    raised = unicodedata.category(sign) == "So" and "<super>" in unicodedata.decomposition(sign)
    number = unicodedata.category(sign) == "No" and unicodedata.decomposition(sign)
    plain = composed.translate(STRAIGHT)
    return f" {plain}" if raised or number else plain


def folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = re.sub(
        r"([\u0300-\u0345]{30})[\u0300-\u0345]+",
        r"\1",
        "".join(map(seen, text)),
    )
    lower = unicodedata.normalize("NFKC", plain).casefold().replace("i\u0307", "i")
    return unicodedata.normalize("NFKC", lower)


def reference(text: str) -> list[str]:
    """The words of a text, read one character at a time."""
    plain = re.sub(r"<br\s*/?>", " ", folded(text[:MOST_CHARACTERS]))
    found, place = [], 0
    while place < len(plain):
        start, own = place, kind(plain[place])
        place += 1
        while own in INNER and place < len(plain):
            joined = plain[place] in INNER[own] and kind(plain[place + 1 : place + 2] or " ") == own
            if kind(plain[place]) != own and not joined:
                break
            place += 1
        if own != "nothing":
            found.append(plain[start:place])
    return found


AWKWARD = (
    "aZzéßİΣςǅ'\u2019.,159٣²½Ⅳ_-<>/!? \n\t\r\0\x1b\u00a0\u2028\u200b\u200d\ufe0f\u20e3\u0301\u0327\u0345"
)
AWKWARD += "👍🏽🇩🇪❤中文のカーไทยดีລາວကခកំ한ﬁשׁअि\ue000\uffff\U000e0067\U0010fffe\ud800\udc00\ufeff"
TEXTS = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters()), max_size=40)
MIXED = st.lists(st.one_of(TEXTS, st.sampled_from(["<br />", "<BR>", "don't", "1,299.50", "45km"]))).map(
    "".join
)


@pytest.mark.parametrize(("text", "expected"), RULES)
def test_a_text_becomes_these_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected
    assert reference(text) == expected


@settings(deadline=None, max_examples=300)
@given(MIXED)
@example("'")
@example("a'")
@example("'a")
@example("1.")
@example(".1")
def test_any_text_has_the_words_of_the_reference(text: str) -> None:
    assert words(text) == reference(text)


@settings(deadline=None)
@given(st.lists(MIXED, max_size=6))
@example(["don", "'", "t"])
@example(["a'", "b", "'c"])
@example(["1.", "5", ",2"])
@example(["", "", ""])
@example([])
def test_texts_have_the_same_words_and_hashes_alone_and_together(texts: list[str]) -> None:
    together = tokenize(texts, 10_000)
    assert len(together.offsets) == len(texts) + 1
    assert together.offsets[-1] == len(together.words)
    for text, start, end in zip(texts, together.offsets[:-1], together.offsets[1:], strict=True):
        alone = tokenize([text], 10_000)
        assert together.words[start:end] == alone.words == reference(text)
        assert together.hashes[start:end].tolist() == alone.hashes.tolist()


@settings(deadline=None)
@given(MIXED)
def test_a_hash_is_the_sum_of_the_formula(text: str) -> None:
    found = tokenize([text], 10_000)
    expected = [
        sum(ord(sign) * FACTOR**place for place, sign in enumerate(word)) % 2**64 for word in found.words
    ]
    assert found.hashes.tolist() == expected


def test_different_words_have_different_hashes() -> None:
    letters = "abcdefghijklmnopqrstuvwxyzäöüøéжщю"
    short = {a + b + c for a in letters for b in ["", *letters] for c in ["", *letters]}
    numbers = {str(number) for number in range(20_000)}
    found = tokenize([" ".join(sorted(short | numbers))], 10**6)
    assert len(set(found.words)) == len(short | numbers)
    assert len(set(found.hashes.tolist())) == len(short | numbers)


@settings(deadline=None)
@given(st.lists(MIXED, max_size=4), st.integers(1, 8))
@example(["a.b c", "ok!!! fine"], 1)
@example(["ok!!! fine"], 2)
def test_only_the_first_words_of_each_text_are_read(texts: list[str], most: int) -> None:
    found, whole = tokenize(texts, most), tokenize(texts, 10_000)
    for number, text in enumerate(texts):
        start, end = found.offsets[number : number + 2]
        first = whole.offsets[number]
        assert found.words[start:end] == reference(text)[:most]
        assert found.hashes[start:end].tolist() == whole.hashes[first : first + end - start].tolist()
        assert found.signs[start:end].tolist() == whole.signs[first : first + end - start].tolist()


SAME = {
    "a soft hyphen": "re\u00adfund the pay\u00adment",
    "a zero-width non-joiner": "re\u200cfund the payment",
    "a zero-width joiner": "re\u200dfund the payment",
    "a word joiner": "re\u2060fund the payment",
    "a byte order mark": "\ufeffre\ufefffund the payment",
    "direction marks": "\u200erefund\u200f \u202athe\u202c \u2066pay\u061cment\u2069",
    "a combining grapheme joiner": "re\u034ffund the payment",
    "a variation selector": "refu\ufe0end the payment",
    "tags": "refund\U000e0067 the payment",
    "a ligature": "re\ufb01nd".replace("\ufb01n", "fun") + " the payment",
    "full-width letters": "\uff32\uff45\uff46\uff55\uff4e\uff44 the payment",
    "bold letters of mathematics": "\U0001d42b\U0001d41e\U0001d41f\U0001d42e\U0001d427\U0001d41d the payment",
    "a no-break space": "refund\u00a0the\u202fpayment",
    "wide blanks": "refund\u3000the\u2003\u2009payment",
    "line separators": "refund\u2028the\u0085payment",
    "a zero-width space, which separates": "refund\u200bthe payment",
    "the blanks of other scripts": "refund\u2800the\u3164payment",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME.keys())
def test_what_is_not_seen_and_how_a_letter_is_drawn_make_no_other_word(text: str) -> None:
    assert words(text) == ["refund", "the", "payment"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\ufb01le o\ufb00er \ufb03", "file offer ffi"),
        ("don\u2019t don\u02bct don\uff07t don\u00b4t", "don't don't don't don't"),
        ("caf\u00e9 \u1ec7", "cafe\u0301 e\u0323\u0302"),
        ("\ud55c\uad6d", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
        ("\uff76\uff9e", "\u30ac"),
        ("\ufefb", "\u0644\u0627"),  # an Arabic ligature
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u062e\u0648\u0627\u0647\u0645"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u0937"),
        ("\u05e9\u05c1\u200f", "\ufb2a"),  # a Hebrew letter with its dot
        ("\U0001f469\u200d\U0001f467 \u2764\ufe0f", "\U0001f469\U0001f467 \u2764"),
        ("\u1e9e \u03a3 \u03c2", "ss \u03c3 \u03c3"),
    ],
    ids=range(11),
)
def test_two_ways_to_write_a_word_are_one_word_with_one_hash(one: str, other: str) -> None:
    assert words(one) == words(other)
    assert tokenize([one], 99).hashes.tolist() == tokenize([other], 99).hashes.tolist()


def test_every_format_character_of_unicode_is_nothing_inside_a_word() -> None:
    every = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf"]
    assert len(every) > 150
    texts = [f"pay{sign}ment" for sign in every if sign != "\u200b"]
    assert {tuple(words(text)) for text in texts} == {("payment",)}


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_texts_have_the_words_that_older_models_learned(text: str) -> None:
    plain = re.sub(r"<br\s*/?>", " ", text.lower())
    assert words(text) == re.findall(r"[a-z]+(?:'[a-z]+)*|[0-9]+(?:[.,][0-9]+)*|[!-^`:-@{-~]", plain)


def test_signs_are_told_from_other_words() -> None:
    assert tokenize(["ok 5 中 ! 👍"], 9).signs.tolist() == [False, False, False, True, True]


def test_no_texts_have_no_words() -> None:
    found = tokenize([], 10)
    assert (found.words, found.offsets.tolist(), found.hashes.tolist()) == ([], [0], [])


def test_a_text_is_read_up_to_its_first_characters() -> None:
    cut = tokenize(["a " * MOST_CHARACTERS, "last"], 10**7)
    assert cut.offsets.tolist() == [0, MOST_CHARACTERS // 2, MOST_CHARACTERS // 2 + 1]
    assert words("x" * (MOST_CHARACTERS - 1) + "yz") == ["x" * (MOST_CHARACTERS - 1) + "y"]


def test_a_text_of_ten_megabytes_takes_the_memory_of_one() -> None:
    tokenize(["brake é " * (MOST_CHARACTERS // 8)], 1000)  # what stays for the next texts

    def peak(text: str) -> int:
        tracemalloc.start()
        assert len(tokenize([text], 1000).words) == 1000
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    one, ten = "brake é " * (MOST_CHARACTERS // 8), "brake é " * (10_000_000 // 8)
    assert peak(ten) < 1.05 * peak(one)


@pytest.mark.parametrize("marks", ["\\u0301\\u0327", "\\u0301\\u034f\\u0327"], ids=["alone", "with joiners"])
def test_a_text_full_of_combining_marks_does_not_hang(marks: str) -> None:
    program = f"from model.tokenizer import words; assert words('a' + 300_000 * '{marks}')"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=30, check=True)


@settings(deadline=None)
@given(st.lists(st.sampled_from([0, 1, GROUP_CHARACTERS // 3, GROUP_CHARACTERS, GROUP_CHARACTERS + 1])))
def test_groups_hold_every_text_in_order_and_few_characters(lengths: list[int]) -> None:
    texts = [chr(ord("a") + number % 26) * length for number, length in enumerate(lengths)]
    found = list(groups(texts))
    assert [text for group in found for text in group] == texts
    assert all(group for group in found)
    for group in found:
        assert sum(map(len, group)) <= GROUP_CHARACTERS or sum(bool(text) for text in group) == 1


def test_texts_are_grouped_without_holding_them_all() -> None:
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for _ in range(10 * TEXTS_TOGETHER):
            taken += 1
            yield "brake"

    stream = grouped(texts())
    assert len(next(stream)) == taken == TEXTS_TOGETHER
    assert sum(map(len, stream)) == 9 * TEXTS_TOGETHER


def test_arrays_have_the_types_that_they_promise() -> None:
    for texts in ([], [""], ["brake"]):
        found = tokenize(texts, 9)
        assert (found.hashes.dtype, found.offsets.dtype) == (np.uint64, np.int64)


def test_characters_that_the_table_does_not_look_at_are_left_to_nfkc_and_case_folding() -> None:
    looked_at = {code for first, last in LOOKED_AT for code in range(first, last + 1)}
    others = {code for first, last in ASSIGNED for code in range(max(first, 0x80), last + 1)} - looked_at
    assert len(others) > 100_000
    for sign in map(chr, others):
        assert unicodedata.normalize("NFKC", sign) == sign == sign.casefold(), hex(ord(sign))
        assert not unicodedata.combining(sign)
        assert unicodedata.category(sign) != "Cf"
