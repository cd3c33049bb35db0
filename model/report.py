"""The report of a trained model: one HTML page that stands alone, for those who will rely on the model."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jinja2

from model.calibration import TRIES, Point
from model.evaluation import Evaluation
from model.wording import duration

TEMPLATE = "report.html"
TEXT_SHOWN = 300  # characters of a text

# The drawing area of the charts, in SVG units; the origin of the data is at the bottom left.
WIDTH, HEIGHT, LEFT, TOP = 540, 260, 66, 18


@dataclass(frozen=True)
class Mistake:
    """A validation row that the model got wrong; `text` is what the page shows of it."""

    confidence: float
    row: int
    text: str
    label: str
    prediction: str


@dataclass(frozen=True)
class Axis:
    """Maps a figure to a place in a chart: `low` to the axis' start, `high` to its end."""

    low: float
    high: float
    start: float
    end: float

    def at(self, figure: float) -> float:
        """Give the place of a figure, in SVG units."""
        share = (figure - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def render(evaluation: Evaluation, curve: list[Point], mistakes: list[Mistake]) -> str:
    """Give the page: evaluation.json in words and charts, precision by coverage, confident mistakes."""
    return _template().render(
        e=evaluation,
        curve=curve,
        tries=TRIES,
        mistakes=mistakes,
        pairs=_confused_pairs(evaluation),
        frame={"width": WIDTH, "height": HEIGHT, "left": LEFT, "top": TOP},
        reliability=_reliability(evaluation["calibration"]["bins"]),
        learning=_learning(evaluation["training"]["history"]),
        trade=_trade(curve),
    )


def shorten(text: str, limit: int = TEXT_SHOWN) -> str:
    """Give the beginning of a text, on one line and without control characters, cut at `limit` characters."""
    head = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * limit])
    line = " ".join(head.split())
    return line if len(line) <= limit and len(text) <= 4 * limit else line[:limit] + "…"


def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"percent": _percent, "count": "{:,}".format, "duration": duration}
    return environment.from_string(files("model").joinpath(TEMPLATE).read_text(encoding="utf-8"))


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}%"


def _confused_pairs(evaluation: Evaluation) -> list[tuple[str, str, int]]:
    """Give the label pairs most often taken for each other: (true, predicted, rows), at most ten."""
    labels, confusion = evaluation["labels"], evaluation["confusion"]
    pairs = [
        (labels[true], labels[guess], rows)
        for true, line in enumerate(confusion)
        for guess, rows in enumerate(line)
        if rows and true != guess
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:10]


def _vertical(low: float, high: float) -> Axis:
    return Axis(low, high, TOP + HEIGHT, TOP)


def _horizontal(low: float, high: float) -> Axis:
    return Axis(low, high, LEFT, LEFT + WIDTH)


def _line(points: Iterable[tuple[float, float]], x: Axis, y: Axis) -> str:
    return " ".join(f"{x.at(across)},{y.at(up)}" for across, up in points)


def _percent_ticks(axis: Axis) -> list[tuple[float, str]]:
    """Mark an axis of 10% in steps of 2%, a longer one in steps of 10% or 20%."""
    span = axis.high - axis.low
    step = 0.02 if span < 0.15 else 0.1 if span < 0.65 else 0.2
    count = round(span / step)
    return [(axis.at(axis.low + n * step), _percent(axis.low + n * step, 0)) for n in range(count + 1)]


def _reliability(bins: list[dict[str, Any]]) -> dict[str, Any]:
    x, y = _horizontal(0, 1), _vertical(0, 1)
    most = max(part["count"] for part in bins)
    dots = [
        {
            "x": x.at(part["confidence"]),
            "y": y.at(part["accuracy"]),
            "r": 4 + 8 * (part["count"] / most) ** 0.5,
        }
        for part in bins
        if part["count"]
    ]
    return {
        "dots": dots,
        "diagonal": _line([(0, 0), (1, 1)], x, y),
        "x": _percent_ticks(x),
        "y": _percent_ticks(y),
    }


def _learning(history: list[dict[str, float]]) -> dict[str, Any]:
    """Draw the validation accuracy after each epoch."""
    last = [list(group)[-1] for _, group in itertools.groupby(history, key=lambda entry: entry["epoch"])]
    points = [(entry["epoch"], entry["validation_accuracy"]) for entry in last]
    floor = min(accuracy for _, accuracy in points) // 0.1 * 0.1
    x, y = _horizontal(1, max(len(points), 2)), _vertical(floor, 1)
    every = -(-len(points) // 10)
    return {
        "line": _line(points, x, y),
        "dots": [{"x": x.at(epoch), "y": y.at(accuracy), "r": 4} for epoch, accuracy in points],
        "x": [(x.at(epoch), f"{epoch:.0f}") for epoch, _ in points[::every]],
        "y": _percent_ticks(y),
        "epochs": last,
    }


def _trade(curve: list[Point]) -> dict[str, Any]:
    floor = min(point.precision for point in curve) // 0.1 * 0.1
    x, y = _horizontal(0, 1), _vertical(floor, 1)
    return {
        "line": _line([(point.coverage, point.precision) for point in curve], x, y),
        "dots": [{"x": x.at(point.coverage), "y": y.at(point.precision), "r": 3} for point in curve],
        "x": _percent_ticks(x),
        "y": _percent_ticks(y),
    }
