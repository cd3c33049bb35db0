"""The value of a workbook's cell as a spreadsheet shows it: 1 and not 1.0, 00042, 12.50, 5%, 31.01.2024.

Thousands are not grouped and currencies not shown: both differ from country to country, and a program that
reads the results does not want them.
"""

import datetime
import math
import re
from functools import cache

from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

GENERAL = "General"
# Formats that every country shows in its own way.
_LOCAL = {"mm-dd-yy", "m/d/yy h:mm", "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", "[$-F400]h:mm:ss\\ AM/PM"}
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_NUMBER = re.compile(r"[^0#?.]*?([0#?,]*)(?:\.([0#?]+))?[^0#?.]*")
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[[^\]]*\]|_.|\*.'
    r"|(?P<field>y+|m+|d+|h+|s+|AM/PM|A/P)(?P<fraction>\.0+)?|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_FIELDS = {
    "yyyy": "%Y", "yy": "%y", "mmmm": "%B", "mmm": "%b", "mm": "%m", "m": "{month}",
    "dddd": "%A", "ddd": "%a", "dd": "%d", "d": "{day}", "h": "{hour}", "ss": "%S", "s": "{second}",
    "am/pm": "%p", "a/p": "%p",
}  # fmt: skip


def number(text: str, number_format: str, *, from_1904: bool) -> str:
    """Return a number, as it stands in the file, in the format of its cell; a date too is a number."""
    value = float(text)
    if not math.isfinite(value):
        return text
    if is_date(number_format):
        return _date(value, number_format, from_1904=from_1904)
    percent, digits = "%" in _bare(number_format), _digits(number_format)
    if digits is None:
        return _general(text, value)
    whole, decimals = digits
    shown = f"{value * 100 if percent else value:.{decimals}f}"
    sign, shown = ("-", shown[1:]) if shown.startswith("-") else ("", shown)
    width = whole + (decimals + 1 if decimals else 0)
    sign = sign if shown.strip("0.") else ""
    return sign + shown.zfill(width) + ("%" if percent else "")


@cache
def is_date(number_format: str) -> bool:
    """Return whether a format shows a date or a time."""
    return number_format != GENERAL and bool(is_date_format(number_format))


@cache
def _bare(number_format: str) -> str:
    return _LITERAL.sub("", number_format.split(";", maxsplit=1)[0])


@cache
def _digits(number_format: str) -> tuple[int, int] | None:
    """Return the least digits before, and those behind the point; None for a format that says neither."""
    bare = _bare(number_format)
    match = _NUMBER.fullmatch(bare)
    if (
        match is None
        or number_format in {GENERAL, "@"}
        or "E" in bare
        or "/" in bare
        or not (match[1] or match[2])
    ):
        return None
    if match[1].endswith(",") or "#" in (match[2] or "") or "?" in (match[2] or ""):
        return None
    return match[1].count("0"), len(match[2] or "")


def _general(text: str, value: float) -> str:
    if re.fullmatch(r"-?\d+", text):
        return text
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.15g}".upper()


def _date(value: float, number_format: str, *, from_1904: bool) -> str:
    bare = _bare(number_format).lower()
    epoch = CALENDAR_MAC_1904 if from_1904 else CALENDAR_WINDOWS_1900
    try:
        if "[h" in number_format.lower() or "[m" in number_format.lower() or "[s" in number_format.lower():
            return _elapsed(value, number_format)
        moment = from_excel(value, epoch)
    except (OverflowError, ValueError):
        return _general("", value)
    if isinstance(moment, datetime.time):
        moment = datetime.datetime.combine(datetime.date(1899, 12, 31), moment)
    if not isinstance(moment, datetime.datetime):
        return _general("", value)
    with_date, with_time = re.search("[yd]", bare) is not None, re.search("[hs]", bare) is not None
    if number_format in _LOCAL or number_format.startswith("[$-F"):
        form = " ".join(["%Y-%m-%d"] * with_date + ["%H:%M:%S" if "s" in bare else "%H:%M"] * with_time)
        return moment.strftime(form)
    return _formatted(moment, number_format.split(";", maxsplit=1)[0])


def _elapsed(value: float, number_format: str) -> str:
    seconds = round(value * 86_400)
    shown = f"{seconds // 3600}:{seconds // 60 % 60:02d}"
    return f"{shown}:{seconds % 60:02d}" if "s" in number_format.lower() else shown


def _formatted(moment: datetime.datetime, number_format: str) -> str:
    tokens = list(_TOKEN.finditer(number_format))
    fields = [(token["field"] or "").lower() for token in tokens]
    twelve = any(field in {"am/pm", "a/p"} for field in fields)
    shown = []
    for index, token in enumerate(tokens):
        field = fields[index]
        if not field:
            shown.append(token["quoted"] or token["escaped"] or token["other"] or "")
        elif field in {"m", "mm"} and _is_minute(fields, index):
            shown.append(f"{moment.minute:0{len(field)}d}")
        elif field == "hh":
            shown.append(moment.strftime("%I" if twelve else "%H"))
        else:
            hour = (moment.hour % 12 or 12) if twelve else moment.hour
            form = _FIELDS.get(field) or _FIELDS[{"y": "yy", "m": "mmmm"}.get(field[0], "yyyy")]
            numbers = {"month": moment.month, "day": moment.day, "hour": hour, "second": moment.second}
            shown.append(moment.strftime(form) if form.startswith("%") else form.format(**numbers))
    return "".join(shown)


def _is_minute(fields: list[str], index: int) -> bool:
    """Return whether `m` means minutes rather than months: it stands behind hours or before seconds."""
    before = next((field for field in reversed(fields[:index]) if field), "")
    after = next((field for field in fields[index + 1 :] if field), "")
    return before.startswith("h") or after.startswith("s")
