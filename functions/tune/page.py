"""Makes the page of a tuning's trials: HTML that needs nothing else; knows nothing of AWS."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd

from contract import keys
from contract.text import duration, percent
from tune.trials import Trial

LEAST_TO_TELL = 10  # good trials; fewer say nothing of what mattered
GROUPS = 3  # of about as many trials each, into which the numbers of a key are cut
FEW_VALUES = 5  # of a key are groups of their own

# The drawing areas, in SVG units.
LINES = {"width": 900.0, "height": 330.0, "left": 70.0, "right": 830.0, "top": 46.0, "bottom": 286.0}
SPOTS = {"width": 300.0, "height": 190.0, "left": 52.0, "right": 288.0, "top": 12.0, "bottom": 150.0}
COURSE = {"width": 900.0, "height": 240.0, "left": 70.0, "right": 880.0, "top": 16.0, "bottom": 200.0}

Numbered = tuple[int, Trial]  # a trial and its number, from 1


@dataclass(frozen=True)
class Axis:
    """Where the values of a key stand, from 0 to 1. `values` are texts, if it is no range of numbers."""

    key: str
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False

    def takes(self, trial: Trial) -> bool:
        """Return whether a trial has a value that stands on the axis."""
        value = json.loads(trial.chosen.get(self.key, "null"))
        return _spoken(value) in self.values if self.values else isinstance(value, int | float)

    def at(self, value: object) -> float:
        """Return the place of a value, from 0 to 1."""
        if self.values:
            steps = max(1, len(self.values) - 1)
            return self.values.index(_spoken(value)) / steps if len(self.values) > 1 else 0.5
        low, high, number = (
            (math.log(each) if self.log else each)
            for each in (self.low, self.high, float(value))  # type: ignore[arg-type]
        )
        return (number - low) / (high - low) if high > low else 0.5

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Where something is written beside the axis, and what."""
        if self.values:
            return [(self.at(value), value) for value in self.values]
        return [(0.0, f"{self.low:.4g}"), (1.0, f"{self.high:.4g}")]


class Dot(NamedTuple):
    """A trial in a chart, and what a reader is told who points at it."""

    x: float
    y: float
    told: str
    ended: bool
    """Whether it came to its end; else it was stopped early, and might have become better."""


class Line(NamedTuple):
    """A trial across all axes; `strength` is 0 for the worst that is told apart, and 100 for the best."""

    points: str
    told: str
    strength: int


def render(trials: Sequence[Trial], found: Trial, ranges: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return the page.

    Args:
        trials: all of them, in the order in which they began
        found: the best one
        ranges: SageMaker's ParameterRanges, which say what was tried

    """
    numbered = list(enumerate(trials, 1))
    judged = [(number, each) for number, each in numbered if each.accuracy is not None]
    figures = [each.accuracy or 0.0 for _, each in judged]
    every = [_axis(kind, told) for kind, listed in ranges.items() for told in listed]
    axes = [axis for axis in every if all(axis.takes(each) for _, each in judged)]
    shares = {axis.key: explained([_value(each, axis.key) for _, each in judged], figures) for axis in axes}
    axes.sort(key=lambda axis: -(shares[axis.key] or 0.0))
    named = [axis.key for axis in axes]
    scale = _scale(figures)
    return _template().render(
        trials=len(trials),
        judged=len(judged),
        table=keys.TRIALS,
        chosen=_told(trials.index(found) + 1, found),
        best={"number": trials.index(found) + 1, "accuracy": found.accuracy, "values": _pairs(found)},
        least_to_tell=LEAST_TO_TELL,
        below=scale.low if min(figures) < scale.low else None,
        course=_course(judged, len(trials), scale),
        lines=_lines(axes, judged, scale),
        spots=[{"share": shares[axis.key], **_spots(axis, judged, scale)} for axis in axes],
        keys=named,
        rows=_rows(numbered, named),
    )


def explained(values: Sequence[object], accuracies: Sequence[float]) -> float | None:
    """Return which share of the trials' order by accuracy a key explains alone, from 0 to 1.

    The trials are grouped by the value, numbers that are many into thirds, and the share is epsilon squared
    of the ranks of the accuracies: of their variance, less what as many groups at random would explain. From
    T. L. Kelley, "An unbiased correlation ratio measure", Proceedings of the National Academy of Sciences 21
    (1935). Ranks, as one trial that learned nothing would else be all that there is to explain. None stands
    for too few trials, or too many groups, to tell.
    """
    ranks = pd.Series(accuracies, dtype=float).rank()
    groups = ranks.groupby(_groups(values))
    spare = len(ranks) - groups.ngroups
    if len(ranks) < LEAST_TO_TELL or ranks.nunique() == 1 or spare <= 0:
        return None
    within = float(((ranks - groups.transform("mean")) ** 2).sum()) / spare
    return max(0.0, 1 - within / float(ranks.var()))


def _groups(values: Sequence[object]) -> list[object]:
    texts = [_spoken(value) for value in values]
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if not are_numbers or len(set(texts)) <= FEW_VALUES:
        return list(texts)
    order = pd.Series(list(values), dtype=float).rank(method="first")
    return list((order - 1) * GROUPS // len(order))


class _Scale(NamedTuple):
    """The accuracies that a chart has room for."""

    low: float
    high: float

    def at(self, accuracy: float) -> float:
        """Return the place of an accuracy, from 0 to 1; what is below the lowest stands at the edge."""
        share = (accuracy - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return min(max(share, 0.0), 1.0)


def _scale(accuracies: Sequence[float]) -> _Scale:
    """Return a scale that tells the good trials apart: those that learned nothing stand below it."""
    high, middle = max(accuracies), statistics.median(accuracies)
    room = 3 * (high - middle)
    low = max(min(accuracies), high - room) if room > 0 else min(accuracies)
    return _Scale(low, high)


def _axis(kind: str, told: Mapping[str, Any]) -> Axis:
    if kind.startswith("Categorical"):
        return Axis(told["Name"], tuple(_spoken(json.loads(text)) for text in told["Values"]))
    low, high = float(told["MinValue"]), float(told["MaxValue"])
    return Axis(told["Name"], low=low, high=high, log=told.get("ScalingType") == "Logarithmic")


def _across(frame: Mapping[str, float], share: float) -> float:
    return round(frame["left"] + share * (frame["right"] - frame["left"]), 1)


def _up(frame: Mapping[str, float], share: float) -> float:
    return round(frame["bottom"] - share * (frame["bottom"] - frame["top"]), 1)


def _tick(scale: _Scale, share: float, frame: Mapping[str, float]) -> tuple[float, str]:
    return _up(frame, share), percent(scale.low + share * (scale.high - scale.low))


def _course(judged: Sequence[Numbered], count: int, scale: _Scale) -> dict[str, Any]:
    """Return the chart of the accuracies in the order of the trials."""
    return {
        "frame": COURSE,
        "side": [_tick(scale, share, COURSE) for share in (0.0, 0.5, 1.0)],
        "dots": [_dot(COURSE, _in_turn(number, count), scale, number, each) for number, each in judged],
        "so_far": _so_far(judged, count, scale),
    }


def _lines(axes: Sequence[Axis], judged: Sequence[Numbered], scale: _Scale) -> dict[str, Any]:
    """Return the chart with an axis a key and a line a trial, the better ones drawn over the others."""
    return {
        "frame": LINES,
        "side": [_tick(scale, share, LINES) for share in (0.0, 0.5, 1.0)],
        "axes": [
            {
                "key": axis.key,
                "x": _across(LINES, place / max(1, len(axes))),
                "log": axis.log,
                "ticks": [(_up(LINES, share), text) for share, text in axis.ticks],
            }
            for place, axis in enumerate(axes)
        ],
        "trials": [
            _line(axes, scale, number, each)
            for number, each in sorted(judged, key=lambda one: one[1].accuracy or 0.0)
        ],
    }


def _line(axes: Sequence[Axis], scale: _Scale, number: int, trial: Trial) -> Line:
    shares = [axis.at(_value(trial, axis.key)) for axis in axes] + [scale.at(trial.accuracy or 0.0)]
    places = [
        f"{_across(LINES, place / max(1, len(axes)))},{_up(LINES, share)}"
        for place, share in enumerate(shares)
    ]
    return Line(" ".join(places), _told(number, trial), round(100 * shares[-1]))


def _spots(axis: Axis, judged: Sequence[Numbered], scale: _Scale) -> dict[str, Any]:
    """Return the chart of the accuracies by the value of a key."""
    return {
        "key": axis.key,
        "log": axis.log,
        "frame": SPOTS,
        "side": [_tick(scale, share, SPOTS) for share in (0.0, 1.0)],
        "ticks": [(_across(SPOTS, share), text) for share, text in axis.ticks],
        "dots": [
            _dot(SPOTS, axis.at(_value(each, axis.key)), scale, number, each) for number, each in judged
        ],
    }


def _dot(frame: Mapping[str, float], across: float, scale: _Scale, number: int, trial: Trial) -> Dot:
    x, y = _across(frame, across), _up(frame, scale.at(trial.accuracy or 0.0))
    return Dot(x, y, _told(number, trial), trial.status == "Completed")


def _in_turn(number: int, count: int) -> float:
    """Return where the trial of a number stands among so many, from 0 to 1."""
    return (number - 1) / (count - 1) if count > 1 else 0.5


def _so_far(judged: Sequence[Numbered], count: int, scale: _Scale) -> str:
    """Return the points of the best accuracy so far, as steps."""
    points: list[str] = []
    best = -1.0
    for number, each in judged:
        x = _across(COURSE, _in_turn(number, count))
        if points:
            points.append(f"{x},{_up(COURSE, scale.at(best))}")
        if each.status == "Completed":
            best = max(best, each.accuracy or 0.0)
        if best >= 0:
            points.append(f"{x},{_up(COURSE, scale.at(best))}")
    return " ".join(points)


def _rows(numbered: Sequence[Numbered], named: Sequence[str]) -> list[dict[str, Any]]:
    """Return the table: the best first, those without an accuracy last."""
    rows = [
        {
            "number": number,
            "accuracy": each.accuracy,
            "took": None if each.seconds is None else duration(each.seconds),
            "status": each.status.lower(),
            "values": [_spoken(_value(each, key)) for key in named],
            "name": each.name,
        }
        for number, each in numbered
    ]
    return sorted(rows, key=lambda row: -1.0 if row["accuracy"] is None else row["accuracy"], reverse=True)


def _told(number: int, trial: Trial) -> str:
    values = ", ".join(f"{key} {text}" for key, text in _pairs(trial))
    return f"Trial {number}: {percent(trial.accuracy or 0.0)} right; {values}"


def _pairs(trial: Trial) -> list[tuple[str, str]]:
    return [(key, _spoken(json.loads(text))) for key, text in trial.chosen.items()]


def _value(trial: Trial, key: str) -> object:
    return json.loads(trial.chosen[key])


def _spoken(value: object) -> str:
    """Return a value as a person reads it: text without quotes, numbers with four figures."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    return environment.get_template("trials.html.j2")
