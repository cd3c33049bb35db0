"""What to say of what somebody gave in a request, which may be any JSON."""

from contract.text import is_text, listed

LONGEST = 1024  # characters of an S3 version, or of a person's name


def unknown(names: list[str], allowed: tuple[str, ...]) -> str:
    """Return what is wrong with keys that are not allowed."""
    which = ("key " if len(names) == 1 else "keys ") + listed(names)
    return f"it has the unknown {which}; allowed are {', '.join(allowed)}"


def not_a_person(value: object) -> str:
    """Return what is wrong with `started_by`; empty: nothing, or it is not there."""
    if value is not None and not is_filled(value):
        return f"'started_by' is {kind(value)}; it must be a person's name, as text"
    return too_long("started_by", value)


def too_long(key: str, value: object) -> str:
    """Return what is wrong with a text that is too long; empty: nothing."""
    return f"'{key}' is longer than {LONGEST:,} characters" if len(str(value or "")) > LONGEST else ""


def is_filled(value: object) -> bool:
    """Return whether it is text with something in it."""
    return isinstance(value, str) and bool(value) and is_text(value)


def kind(value: object) -> str:
    """Return what kind of JSON a value is."""
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "an object",
    }
    return (
        "null" if value is None else "empty" if value == "" else names.get(type(value), type(value).__name__)
    )
