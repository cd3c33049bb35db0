"""What is sent to people: subjects that SNS accepts, and text in plain English."""

import os
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

from contract.state import Run, labelled_files
from contract.text import and_more, sendable, shorten
from shared.storage import parse_uri

SUBJECT_LIMIT = 100
DEFAULT_STACK = "claimflow"
WARNINGS_LIMIT = 20
WARNING_LIMIT = 300  # characters


def subject(text: str) -> str:
    """Make a subject that SNS accepts: ASCII, one line, at most 100 characters (SNS refuses the rest)."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    line = " ".join("".join(c if c.isprintable() else " " for c in ascii_text).split())
    return line if len(line) <= SUBJECT_LIMIT else line[: SUBJECT_LIMIT - 3].rstrip() + "..."


def message(paragraphs: Iterable[str]) -> str:
    """Join paragraphs with an empty line between; empty ones fall away."""
    return sendable("\n\n".join(part.strip() for part in paragraphs if part.strip()) + "\n")


def bounded(warnings: Iterable[str]) -> list[str]:
    """Return at most 20 warnings of at most 300 characters, for the state; the last tells of more."""
    every = list(warnings)
    shown = every if len(every) <= WARNINGS_LIMIT else every[: WARNINGS_LIMIT - 1]
    rest = [f"There are {len(every) - len(shown):,} more warnings."] if len(shown) < len(every) else []
    return [shorten(warning, WARNING_LIMIT) for warning in [*shown, *rest]]


def trained_from(run: Run) -> str:
    """Return what a run trains on: the file's address, of several the first with how many more there are."""
    first, *more = labelled_files(run)
    return and_more(first["uri"], len(more))


def noticed(warnings: Iterable[str] | None) -> str:
    """Return what was noticed of a labelled file as a paragraph, empty without warnings."""
    lines = list(warnings or ())
    return "\n".join(["About the labelled file:", *lines]) if lines else ""


def command(stack: str) -> str:
    """Return how to write `claimflow` for the stack, for sentences that tell what to type."""
    local = " --local" if os.environ.get("AWS_ENDPOINT_URL") else ""
    return f"claimflow{local}" + ("" if stack == DEFAULT_STACK else f" --stack {stack}")


def file_address(uri: str) -> str:
    """Return a file's address for a message: the `s3://` URI and, on AWS, the console page that opens it."""
    region = os.environ.get("AWS_REGION", "")
    if not region or os.environ.get("AWS_ENDPOINT_URL"):
        return uri
    location = parse_uri(uri)
    page = f"https://{region}.console.aws.amazon.com/s3/object/{location.bucket}?region={region}"
    return f"{uri}\n{page}&prefix={quote(location.key)}"
