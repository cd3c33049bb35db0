"""A part: the predictions of one shard as CSV, and what it was made of, which S3 keeps as its metadata.

The container writes parts and collect reads them, both with what stands here.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_type_hints


class Prediction(NamedTuple):
    """The prediction of one row; its fields are the columns of a part, in this order.

    A number with decimals is a share between 0 and 1, and has four of them in a part.
    """

    row: int
    """Number of the data row in the input file, from 0."""
    prediction: str
    """The most likely category."""
    confidence: float
    """How likely the prediction is right: of the rows with 0.90, about nine in ten are."""
    runner_up: str
    """The second most likely category."""
    doubt: str
    """Why a person should look at the row; empty for an accepted one."""
    levels: str = ""
    """Of a hierarchy, as JSON: the deepest category that is sure enough (empty: none), then category and
    confidence of each upper level, the topmost first; empty without one.
    """
    because: str = ""
    """The words that decided, and what each adds to the log-odds; only in a part with explanations."""


# Why a person should look at a row: what `doubt` begins with; details follow a colon.
LOW_CONFIDENCE = "low confidence"
NOTHING_ACCEPTED = "nothing is accepted at this target"
UNFAMILIAR = "unlike the training texts"
MAY_BE = "may be another category"

_FIELDS = Prediction._fields
_WITHOUT_BECAUSE = _FIELDS[:-1]
_LATER = {"levels"}  # which the first images did not write
_TYPES: tuple[type, ...] = tuple(get_type_hints(Prediction).values())


def columns(*, explain: bool) -> tuple[str, ...]:
    """Return the columns of a part."""
    return _FIELDS if explain else _WITHOUT_BECAUSE


def columns_left_out(header: Sequence[str], *, explain: bool) -> list[int] | None:
    """Return the places of the columns that a part does not have, as an older image writes none of them.

    None: the header is not that of a part.

    >>> columns_left_out(["row", "prediction", "confidence", "runner_up", "doubt"], explain=False)
    [5]
    """
    wanted = columns(explain=explain)
    missing = [place for place, name in enumerate(wanted) if name not in header]
    is_part = list(header) == [name for name in wanted if name in header]
    return missing if is_part and {wanted[place] for place in missing} <= _LATER else None


def cells(prediction: Prediction, *, explain: bool) -> list[str]:
    """Return a prediction as a line of a part."""
    return [cell(value) for value in (prediction if explain else prediction[:-1])]


def cell(value: str | float) -> str:
    """Return a value as a part has it: of a share four decimals, and 1.0000 only for what is certain."""
    if isinstance(value, float):
        return f"{value if value == 1 else min(value, 0.9999):.4f}"
    return str(value)


def levels(accepted_as: str, likeliest: Sequence[tuple[str, float]]) -> str:
    """Return `levels` of a prediction; `likeliest` are category and confidence of each upper level."""
    numbers = [float(cell(confidence)) for _, confidence in likeliest]
    pairs = zip([category for category, _ in likeliest], numbers, strict=True)
    return json.dumps([accepted_as, *pairs], ensure_ascii=False)


def level_values(prediction: Prediction) -> dict[str, str | float]:
    """Return what the results say of the upper levels, by column; nothing without a hierarchy.

    >>> level_values(Prediction(0, "Fuse", 0.6, "Relay", "", levels('Electrical', [("Electrical", 0.97)])))
    {'level_1': 'Electrical', 'level_1_confidence': 0.97, 'accepted_as': 'Electrical'}
    """
    if not prediction.levels:
        return {}
    accepted_as, *likeliest = json.loads(prediction.levels)
    values = [value for pair in likeliest for value in pair]
    return dict(zip(level_columns(len(likeliest)), [*values, accepted_as], strict=True))


def level_columns(count: int) -> list[str]:
    """Return the columns that the results have for this many upper levels."""
    if not count:
        return []
    pairs = [(f"level_{number}", f"level_{number}_confidence") for number in range(1, count + 1)]
    return [*(name for pair in pairs for name in pair), "accepted_as"]


def parse(line: Sequence[str]) -> Prediction:
    """Return the prediction that a line of a part holds. Raises ValueError where a number is none."""
    return Prediction(*[kind(text) for kind, text in zip(_TYPES, line, strict=False)])


@dataclass(frozen=True)
class Origin:
    """What a part was made of (a digest of shard, model, explanations, target), and how many rows it has."""

    made_of: str
    rows: int

    def metadata(self, program: str, sha256: str) -> dict[str, str]:
        """Return what is kept beside a part of this origin: its own sha256 too, and what program made it."""
        return {"made-of": self.made_of, "program": program, "rows": str(self.rows), "sha256": sha256}

    def flaw(self, metadata: Mapping[str, str], sha256: str) -> str:
        """Return what is wrong with a part that has this sha256 and metadata, in words; empty: nothing."""
        if metadata.get("sha256") != sha256:
            return "is not whole, or an older image made it (start again: a new run takes the newest image)"
        if (metadata.get("made-of"), metadata.get("rows")) != (self.made_of, str(self.rows)):
            return "was made of other rows or by another model"
        return ""


def origin(
    shard: str, model: str, rows: int, *, explain: bool, target_precision: float | None = None
) -> Origin:
    """Return the origin of a part.

    Args:
        shard: sha256 of the shard's file
        model: ETag of the model's archive
        rows: of the shard
        explain: whether the part has explanations
        target_precision: that the model got after its training; None: its own

    """
    made_of = [shard, model, str(explain), *([] if target_precision is None else [repr(target_precision)])]
    digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:32]
    return Origin(digest, rows)


def program(metadata: Mapping[str, str]) -> str:
    """Return the digest of the program that made a part; empty if it is not known."""
    return metadata.get("program", "")
