"""The plot of the page: accuracy against documents a second, as an SVG that follows a reader's dark mode."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from benchmarks.data import DATASETS
from benchmarks.results import Results
from benchmarks.roster import ROSTER, SMALL
from benchmarks.targets import PROTECTED

WIDTH, PANEL, GAP = 860, 330, 75  # a panel a data set
LEFT, RIGHT, TOP = 60, 30, 50
PANELS = ("banking77", "imdb", SMALL)  # data sets
LETTER, LINE = 6.3, 15  # about the size of a character at 12 px
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 14px }
  .axis, .peer { fill: #59636e }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  circle { fill: #818b98 }
  circle.ours { fill: #0969da }
  text.ours { fill: #0969da; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .axis, .peer { fill: #9198a1 }
    .grid { stroke: #3d444d }
    circle { fill: #9198a1 }
    circle.ours { fill: #4493f8 }
    text.ours { fill: #4493f8 }
  }
"""


@dataclass(frozen=True)
class Point:
    """A contender in the plot."""

    label: str
    ours: bool
    speed: float  # documents a second
    accuracy: float  # percent


@dataclass(frozen=True)
class Box:
    """Where a mark or its label lies, in pixels."""

    left: float
    top: float
    right: float
    bottom: float
    anchor: str = "start"  # which side of the box its text begins or ends at

    def meets(self, other: "Box") -> bool:
        """Return whether the two overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True)
class Scale:
    """From a value to a pixel; `low` and `high` are the values at `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def draw(results: Results) -> str:
    """Return the SVG: a panel for each data set, one above the other."""
    panels = [(DATASETS[name].title, points(results, name)) for name in PANELS if name in results.datasets]
    drawn = [(title, found) for title, found in panels if found]
    height = TOP + len(drawn) * (PANEL + GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="Accuracy against documents a second">',
        f"<style>{STYLE}</style>",
    ]
    for number, (title, found) in enumerate(drawn):
        lines += panel(title, found, TOP + number * (PANEL + GAP))
    return "\n".join([*lines, "</svg>", ""])


def points(results: Results, dataset: str) -> list[Point]:
    """Return everyone who was measured on a data set, but one that only accepts fewer rows."""
    found = []
    for contender in (each for each in ROSTER if each.name != PROTECTED):
        speed = results.median(dataset, contender.name, "documents_per_second")
        accuracy = results.median(dataset, contender.name, "accuracy")
        if speed is not None and accuracy is not None:
            found.append(Point(contender.title, contender.ours, speed, 100 * accuracy))
    return found


def panel(title: str, found: list[Point], top: float) -> Iterator[str]:
    """Yield one data set's lines of the SVG."""
    speeds = [math.log10(point.speed) for point in found]
    accuracies = [point.accuracy for point in found]
    across = Scale(min(speeds) - 0.1, max(speeds) + 0.1, LEFT, WIDTH - RIGHT)
    margin = max(0.25, 0.08 * (max(accuracies) - min(accuracies)))
    up = Scale(min(accuracies) - margin, max(accuracies) + margin, top + PANEL, top)
    yield text(LEFT, top - 14, title, "title")
    yield from grid(across, up, top)
    marks = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in places(found, across, up)]
    taken = list(marks)
    for point, (x, y) in zip(found, places(found, across, up), strict=True):
        kind = "ours" if point.ours else "peer"
        box = label_box(
            point.label, x, y, [other for other in taken if other != Box(x - 6, y - 6, x + 6, y + 6)]
        )
        taken.append(box)
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        side = box.right if box.anchor == "end" else box.left
        yield text(side, box.bottom - 4, point.label, kind, box.anchor)


def places(found: Iterable[Point], across: Scale, up: Scale) -> list[tuple[float, float]]:
    """Return the pixels of the points."""
    return [(across(math.log10(point.speed)), up(point.accuracy)) for point in found]


def label_box(label: str, x: float, y: float, taken: list[Box]) -> Box:
    """Return the first free place for a label near its mark: right, left, then further up and down."""
    wide = LETTER * len(label)
    boxes = []
    for down in (0, -LINE, LINE, -2 * LINE, 2 * LINE, -3 * LINE, 3 * LINE):
        top, bottom = y + down - LINE / 2, y + down + LINE / 2
        boxes.append(Box(x + 9, top, x + 9 + wide, bottom))
        boxes.append(Box(x - 9 - wide, top, x - 9, bottom, "end"))
    inside = [box for box in boxes if box.left >= LEFT and box.right <= WIDTH - RIGHT]
    own = Box(x - 6, y - 6, x + 6, y + 6)
    free = (box for box in inside if not any(box.meets(other) for other in [*taken, own]))
    return next(free, inside[0])


def grid(across: Scale, up: Scale, top: float) -> Iterator[str]:
    """Yield the lines and figures of both axes."""
    for value in speed_ticks(across):
        x = across(math.log10(value))
        yield f'<line class="grid" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + PANEL}"/>'
        yield text(x, top + PANEL + 18, f"{value:,}", "axis", "middle")
    for accuracy in accuracy_ticks(up):
        y = up(accuracy)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        yield text(LEFT - 8, y + 4, f"{accuracy:g}%", "axis", "end")
    yield text(WIDTH - RIGHT, top + PANEL + 36, "documents a second →", "axis", "end")


def speed_ticks(across: Scale) -> list[int]:
    """Return 1, 2, 5, 10, … within the scale, or every digit if those are few."""
    every = [digit * 10**power for power in range(9) for digit in range(1, 10)]
    within = [value for value in every if across.low <= math.log10(value) <= across.high]
    few = [value for value in within if str(value)[0] in "125"]
    return few if len(few) > 2 else within


def accuracy_ticks(up: Scale) -> list[float]:
    """Return round percentages within the scale, ten at most."""
    step = next(each for each in (0.5, 1, 2, 5, 10, 20) if 10 * each >= up.high - up.low)
    return [step * number for number in range(math.ceil(up.low / step), math.floor(up.high / step) + 1)]


def text(x: float, y: float, content: str, kind: str, anchor: str = "start") -> str:
    """Return a text element."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'
