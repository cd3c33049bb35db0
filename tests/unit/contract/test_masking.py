"""What is masked, what is left alone, and that a text which is masked already stays as it is."""

import random
import string

import pytest

from contract.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to eva.muster+claims@mail.example.co.uk, please.", "Write to [email], please."),
        ("Größe XL, jürgen@müller.de", "Größe XL, [email]"),
        ("IBAN DE89370400440532013000.", "IBAN [iban]."),
        ("to GB82 WEST 1234 5698 7654 32 and wait", "to [iban] and wait"),
        ("card 4111 1111 1111 1111, thanks", "card [card], thanks"),
        ("card 378282246310005", "card [card]"),
        ("+49 (0)151 2345678", "[phone]"),
        ("call 0049 89 123456 or 089/123 45 67.", "call [phone] or [phone]."),
        ("Tel. 0151 2345678 ab 18 Uhr", "Tel. [phone] ab 18 Uhr"),
        ("(555) 123-4567 or 555-123-4567", "[phone] or [phone]"),
    ],
)
def test_personal_data_with_a_form_is_replaced(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "It leaks since 02.03.2024, order 4711, part 0815-12.",
        "DE89370400440532013002 has wrong check digits",
        "serial 4111 1111 1111 1112",
        "model WX-2000, 1.200,50 EUR, 220-240 V, 50/60 Hz",
        "from 2023-01-02 to 2024-03-01 at 10:30",
        "0.5 l of oil at 20 000 km, @ the dealer",
        "Frau Muster",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert mask(text) == text


def test_a_masked_text_is_not_masked_again() -> None:
    draw = random.Random(0)
    signs = string.digits * 3 + "+@.-/() DEab\n[]"
    for _ in range(20_000):
        text = "".join(draw.choices(signs, k=draw.randrange(60)))
        once = mask(text)
        assert mask(once) == once


def test_a_long_text_of_digits_and_signs_is_read_through() -> None:
    for sign in ("1 ", "a@", "a.", "+1", "0151 ", "AB12 "):
        assert len(mask(sign * 20_000)) > 0
