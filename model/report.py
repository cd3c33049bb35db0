"""The report of a trained model: one HTML page that stands alone, for those who will rely on the model."""

import datetime
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeAlias

import jinja2
from markupsafe import Markup

from contract.evaluation import (
    Acceptance,
    Bin,
    CoveragePoint,
    Evaluation,
    HistoryEntry,
    LabelFigures,
    Part,
    Phrase,
    Target,
)
from contract.text import duration, percent, shorten
from model.advice import contradiction
from model.parts import kind

TEMPLATE = "report.html"
MENU = (0.9, 0.95, 0.98, 0.99)  # targets whose share is shown
WATCHED = {
    "protected": "protected by the configuration",
    "few rows": "too few rows to judge",
    "low recall": "often taken for another",
}
FEW_LABELS = 12  # up to so many are all shown; of more, SOME_LABELS are, and the others unfold
SOME_LABELS = 6
PAIRS_SHOWN = 10
MOST_LABELS = 500  # in a table

# The drawing area of the charts, in SVG units; the origin of the data is at the bottom left.
WIDTH, HEIGHT, LEFT, TOP = 540, 260, 66, 18

Drawing: TypeAlias = dict[str, Any]  # what the template needs to draw a chart, in SVG units


@dataclass(frozen=True)
class Axis:
    """Maps a figure to a place in a chart: `low` to the axis' start, `high` to its end."""

    low: float
    high: float
    start: float
    end: float

    def at(self, figure: float) -> float:
        """Return the place of a figure, in SVG units."""
        share = (figure - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def render(evaluation: Evaluation) -> str:
    """Return the page: evaluation.json in words and charts."""
    return _template().render(
        e=evaluation,
        menu=_menu(evaluation["acceptance"]),
        contradiction=contradiction(evaluation["acceptance"]),
        suspects=evaluation.get("suspects", {"rows": 0, "count": 0, "shown": []}),
        watched=_watched(evaluation["acceptance"]),
        pairs=evaluation["confusion"][:PAIRS_SHOWN],
        weakest=_weakest(evaluation["per_class"]),
        categories=_categories(evaluation["per_class"]),
        share_held_out=_share_held_out(evaluation),
        spoken=_phrases(evaluation),
        frame={"width": WIDTH, "height": HEIGHT, "left": LEFT, "top": TOP},
        reliability=_reliability(evaluation["calibration"]["bins"]),
        learning=_learning(evaluation["training"]["parts"], evaluation["accuracy"]),
        trade=_trade(evaluation["coverage"], evaluation["acceptance"]),
    )


def trials(p_value: float) -> str:
    """Return a p-value as `about 3 of 100 trials`; a small one of 1,000, a tiny one as fewer than one."""
    if p_value < 0.001:
        return "fewer than 1 of 1,000 trials"
    of = 100 if p_value >= 0.095 else 1000
    return f"about {round(p_value * of):,} of {of:,} trials"


def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {
        "percent": percent,
        "count": "{:,}".format,
        "duration": duration,
        "day": _day,
        "file_name": _file_name,
        "points": _points,
        "breakable": _breakable,
        "trials": trials,
    }
    return environment.from_string(files("model").joinpath(TEMPLATE).read_text(encoding="utf-8"))


def _file_name(address: str) -> str:
    """Return the name of a file whose address is an S3 URI."""
    return shorten(address.rsplit("/", 1)[-1])


def _breakable(label: str) -> Markup:
    """Let a browser break a long label after an underscore."""
    return Markup("_<wbr>").join(label.split("_"))


def _points(difference: float) -> str:
    said = f"{difference:.1f}" if difference >= 0.05 else f"{difference:.2g}"
    return f"{said} point{'' if said == '1.0' else 's'}"


def _menu(acceptance: Acceptance) -> list[Target]:
    """Return what the targets of MENU give, and the one that was asked for."""
    shown = {*MENU, acceptance["target_precision"]}
    return [step for step in acceptance.get("targets", []) if step["target_precision"] in shown]


def _watched(acceptance: Acceptance) -> list[dict[str, Any]]:
    """Return the watched groups for which texts go to a person, and those that were asked for."""
    groups = acceptance.get("watched", [])
    return [
        {"labels": group["labels"], "sent": group["sent"], "reason": WATCHED[group["why"]]}
        for group in groups
        if group["sent"] or group["why"] == "protected"
    ]


def _weakest(per_class: list[LabelFigures]) -> list[LabelFigures]:
    """Return the labels of the lowest F1, the lowest first; none when all labels are few enough to show."""
    if len(per_class) <= FEW_LABELS:
        return []
    return sorted(per_class, key=lambda entry: entry["f1"])[:PAIRS_SHOWN]


def _categories(per_class: list[LabelFigures]) -> list[LabelFigures]:
    """Return all labels in their order; of more than MOST_LABELS, the weakest."""
    if len(per_class) <= MOST_LABELS:
        return per_class
    return sorted(per_class, key=lambda entry: entry["f1"])[:MOST_LABELS]


def _share_held_out(evaluation: Evaluation) -> str:
    judging = evaluation["validation_rows"]
    return percent(judging / (judging + evaluation["data"]["training_rows"]), 0)


def _day(date: str) -> str:
    """Return `2026-11-26` as `26 November 2026`."""
    day = datetime.date.fromisoformat(date)
    return f"{day.day} {day:%B %Y}"


def _phrases(evaluation: Evaluation) -> dict[str, list[dict[str, Any]]]:
    """Return each label's phrases with their strength, 0 to 1: `shown` at once, `more` to unfold.

    Of many labels, those of the most rows are shown.
    """
    found = evaluation["phrases"]
    by_rows = sorted(evaluation["per_class"], key=lambda entry: -entry["support"])
    labels = [entry["label"] for entry in by_rows if found.get(entry["label"])]
    first = len(labels) if len(labels) <= FEW_LABELS else SOME_LABELS
    lines = [{"label": label, "phrases": _with_strength(found[label])} for label in labels]
    return {"shown": lines[:first], "more": sorted(lines[first:], key=lambda line: line["label"])}


def _with_strength(phrases: list[Phrase]) -> list[tuple[str, float]]:
    strongest = max(abs(entry["weight"]) for entry in phrases) or 1.0
    return [(entry["phrase"], round(abs(entry["weight"]) / strongest, 2)) for entry in phrases]


def _vertical(low: float, high: float) -> Axis:
    return Axis(low, high, TOP + HEIGHT, TOP)


def _horizontal(low: float, high: float) -> Axis:
    return Axis(low, high, LEFT, LEFT + WIDTH)


def _line(points: Iterable[tuple[float, float]], x: Axis, y: Axis) -> str:
    return " ".join(f"{x.at(across)},{y.at(up)}" for across, up in points)


def _dots(points: Iterable[tuple[float, float]], x: Axis, y: Axis, radius: float) -> list[dict[str, float]]:
    return [{"x": x.at(across), "y": y.at(up), "r": radius} for across, up in points]


def _from_floor(shares: Iterable[float]) -> Axis:
    """Return an upward axis that ends at 100% and starts at the tenth below the lowest share."""
    return _vertical(int(min(*shares, 0.9) * 10) / 10, 1)


def _percent_ticks(axis: Axis) -> list[tuple[float, str]]:
    """Mark an axis of 10% in steps of 2%, a longer one in steps of 10% or 20%."""
    span = axis.high - axis.low
    step = 0.02 if span < 0.15 else 0.1 if span < 0.65 else 0.2
    count = int(span / step + 1e-6)
    return [(axis.at(axis.high - n * step), percent(axis.high - n * step, 0)) for n in range(count + 1)]


def _reliability(bins: list[Bin]) -> Drawing:
    x, y = _horizontal(0, 1), _vertical(0, 1)
    most = max(part["count"] for part in bins)
    return {
        "dots": [
            dot
            for part in bins
            if part["count"]
            for dot in _dots(
                [(part["confidence"], part["accuracy"])], x, y, 4 + 8 * (part["count"] / most) ** 0.5
            )
        ],
        "diagonal": _line([(0, 0), (1, 1)], x, y),
        "x": _percent_ticks(x),
        "y": _percent_ticks(y),
    }


def _learning(parts: list[Part], accuracy: float) -> Drawing:
    """Draw the validation accuracy after each epoch, a line a part, and that of the whole model.

    With one epoch there is nothing to draw: `drawn` is false then.
    """
    lines = [_last_of_each_epoch(part["history"]) for part in parts]
    longest = int(max(entry["epoch"] for line in lines for entry in line))
    x = _horizontal(1, max(longest, 2))
    y = _from_floor([accuracy, *(entry["validation_accuracy"] for line in lines for entry in line)])
    return {
        "drawn": longest > 1,
        "parts": [_learned(part, line, x, y) for part, line in zip(parts, lines, strict=True)],
        "whole": _line([(1, accuracy), (max(longest, 2), accuracy)], x, y),
        "dots": [],
        "x": [(x.at(epoch), f"{epoch}") for epoch in range(1, longest + 1, -(-longest // 10))],
        "y": _percent_ticks(y),
    }


def _learned(part: Part, line: list[HistoryEntry], x: Axis, y: Axis) -> Drawing:
    points = [(entry["epoch"], entry["validation_accuracy"]) for entry in line]
    part_kind = kind(part["architecture"])
    return {
        **part,
        "name": part_kind.title,
        "settings": part_kind.settings_in_words(part["settings"]),
        "best": max(accuracy for _, accuracy in points),
        "line": _line(points, x, y),
        "dots": _dots(points, x, y, 4.5),
        "table": line,
    }


def _last_of_each_epoch(history: list[HistoryEntry]) -> list[HistoryEntry]:
    return [list(group)[-1] for _, group in itertools.groupby(history, key=lambda entry: entry["epoch"])]


def _trade(curve: list[CoveragePoint], accepted: Acceptance) -> Drawing:
    """Draw precision by coverage; `chosen` is where the threshold lies, if there is one."""
    points = [(point["coverage"], point["precision"]) for point in curve]
    precision = accepted["precision"]
    at_threshold = (
        [(accepted["coverage"], precision)] if accepted["threshold"] and precision is not None else []
    )
    target = accepted["target_precision"]
    x, y = _horizontal(0, 1), _from_floor([target, *(up for _, up in [*points, *at_threshold])])
    return {
        "line": _line(points, x, y),
        "dots": _dots(points, x, y, 3),
        "chosen": _dots(at_threshold, x, y, 8),
        "target": _line([(0, target), (1, target)], x, y),
        "x": _percent_ticks(x),
        "y": _percent_ticks(y),
    }
