"""Personal data with a form of its own: replaced before a text is stored for training, or read by a model.

E-mail addresses, IBANs, numbers of payment cards and telephone numbers. What has check digits is masked only
where they are right, so that a serial number rarely passes for one. Names have no form: they stay.
"""

import re
from collections.abc import Iterator

EMAIL, IBAN, CARD, PHONE = "[email]", "[iban]", "[card]", "[phone]"

# Without one of these there is nothing to look for; most texts have none.
_HINT = re.compile("[@0-9]")
_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
# ISO 13616: country, check digits, 11 to 30 letters and digits, often in groups of four.
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?!\w)")
# ISO/IEC 7812: 13 to 19 digits, of the networks that people pay with (3 American Express, 4 Visa, 2 and 5
# Mastercard, 6 Discover and UnionPay).
_CARD = re.compile(r"(?<![\w.,-])[2-6](?:[ -]?[0-9]){12,18}(?![\w-])")
# E.164: + or 00, country, at most 15 digits in all; and numbers as they are dialled inside a country, whose
# area code stands apart: 0151 2345678, 089/123 45 67, (555) 123-4567.
_PHONES = (
    re.compile(r"(?<![\w+])(?:\+|00) ?[1-9](?:[ ()/.-]{0,3}[0-9]){6,14}(?!\w)"),
    re.compile(r"(?<![\w.,/-])\(?0[1-9][0-9]{1,4}\)?(?: ?[/-] ?| )[0-9]{2,}(?:[ -]?[0-9]){3,8}(?![\w-])"),
    re.compile(r"(?<![\w-])(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-.])[0-9]{3}[-. ][0-9]{4}(?![\w-])"),
)


def mask(text: str) -> str:
    """Return the text with `[email]`, `[iban]`, `[card]` and `[phone]` in place of such; twice is as once.

    >>> mask("Call +49 151 2345678 or write to eva@example.org, IBAN DE89 3704 0044 0532 0130 00.")
    'Call [phone] or write to [email], IBAN [iban].'
    """
    if not _HINT.search(text):
        return text
    while (masked := _masked(text)) != text:  # what stood beside a number may be one, without it
        text = masked
    return text


def _masked(text: str) -> str:
    text = _EMAIL.sub(EMAIL, text)
    text = _IBAN.sub(_iban, text)
    text = _CARD.sub(lambda found: CARD if _luhn(found[0]) else found[0], text)
    for phone in _PHONES:
        text = phone.sub(PHONE, text)
    return text


def _iban(found: re.Match[str]) -> str:
    """Mask an IBAN; words behind it may look like its last groups, so shorter ones are tried, too."""
    for end in _ends(found[0]):
        if _mod97(found[0][:end]):
            return IBAN + found[0][end:]
    return found[0]


def _ends(text: str) -> Iterator[int]:
    """Yield where an IBAN may end, the longest first."""
    yield len(text)
    yield from (place for place in range(len(text) - 1, 14, -1) if text[place] == " ")


def _mod97(text: str) -> bool:
    """Return whether the check digits of an IBAN are right (ISO 7064, MOD 97-10)."""
    number = text.replace(" ", "")
    if not 15 <= len(number) <= 34:
        return False
    return int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1


def _luhn(text: str) -> bool:
    """Return whether the last digit of a card's number is right (ISO/IEC 7812-1, annex B)."""
    digits = [int(sign) for sign in text if sign.isdecimal()][::-1]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
