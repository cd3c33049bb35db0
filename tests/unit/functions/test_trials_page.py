"""The page of a tuning's trials: what it shows, and what it says mattered."""

import json
import random
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tune import page
from tune.trials import Trial, best

RANGES: dict[str, Any] = {
    "ContinuousParameterRanges": [
        {"Name": "wd", "MinValue": "0.0001", "MaxValue": "0.01", "ScalingType": "Logarithmic"},
        {"Name": "dropout", "MinValue": "0.1", "MaxValue": "0.7", "ScalingType": "Linear"},
    ],
    "CategoricalParameterRanges": [{"Name": "kernel_size", "Values": ["[2, 3]", "5"]}],
}


def trial(number: int, accuracy: float | None, status: str = "Completed", **chosen: object) -> Trial:
    values = {"wd": 0.001, "dropout": 0.4, "kernel_size": 5, **chosen}
    texts = {key: json.dumps(value) for key, value in values.items()}
    return Trial(f"job-{number}", "job", status, accuracy, 60 if accuracy else None, texts)


def many(count: int) -> list[Trial]:
    """Return trials that are the better, the nearer dropout is to its most; the rest is luck."""
    draw = random.Random(5)
    shares = [draw.uniform(0.1, 0.7) for _ in range(count)]
    return [
        trial(number, 0.5 + share / 2, dropout=share, wd=draw.uniform(0.0001, 0.01))
        for number, share in enumerate(shares, 1)
    ]


def render(trials: list[Trial]) -> str:
    return page.render(trials, best(trials), RANGES)


def shares(html: str) -> dict[str, str]:
    return dict(re.findall(r'<h3>(\w+)<span class="soft">: (\d+%)</span>', html))


def test_the_page_opens_with_the_best_trial_and_its_values() -> None:
    html = render([trial(1, 0.7), trial(2, 0.9, wd=0.00212345), trial(3, 0.8)])
    assert "Trial 2 is the best of 3: it was right on 90.0%" in html
    assert "<code>wd</code> 0.002123" in html
    assert "<code>kernel_size</code> 5" in html


def test_each_trial_with_an_accuracy_is_a_dot_and_a_line_and_every_one_is_in_the_table() -> None:
    html = render([trial(1, 0.7), trial(2, None, "Failed"), trial(3, 0.8), trial(4, 0.6, "Stopped")])
    charts = 1 + 3  # all in turn, and each key
    assert html.count("<circle") == 3 * charts
    assert html.count('<polyline class="trial') == 3
    assert html.count("<tr><td>") + html.count('<tr class="best"><td>') == 4
    assert "never began" in html
    assert html.count('class="dot early"') == charts, "the one that was stopped"


def test_the_best_is_marked_once_in_each_chart() -> None:
    html = render([trial(1, 0.7), trial(2, 0.7), trial(3, 0.6)])
    assert html.count('class="dot best"') == 4
    assert html.count("trial best") == 1


def test_what_mattered_is_what_the_accuracy_hangs_on() -> None:
    found = shares(render(many(40)))
    assert int(found["dropout"].rstrip("%")) > 60
    assert int(found["wd"].rstrip("%")) < 20
    assert next(iter(found)) == "dropout", "what mattered most stands first"


def test_one_trial_that_learned_nothing_does_not_hide_what_mattered() -> None:
    found = shares(render([*many(40), trial(41, 0.01, dropout=0.69)]))
    assert int(found["dropout"].rstrip("%")) > 60


def test_values_at_random_explain_next_to_nothing() -> None:
    draw = random.Random(7)
    told = [
        page.explained([draw.random() for _ in range(30)], [draw.random() for _ in range(30)])
        for _ in range(200)
    ]
    shares = [share for share in told if share is not None]
    assert len(shares) == 200
    assert sum(shares) / 200 < 0.06


def test_few_trials_say_nothing_of_what_mattered() -> None:
    html = render(many(9))
    assert "9 trials are too few to tell" in html
    assert not shares(html)


@pytest.mark.parametrize(
    ("values", "accuracies"),
    [
        ([0.1] * 12, [0.5] * 12),
        (list(range(12)), [0.5] * 12),
        ([f"v{each}" for each in range(12)], range(12)),
    ],
)
def test_what_cannot_be_told_is_not_told(values: list[object], accuracies: list[float]) -> None:
    assert page.explained(values, list(accuracies)) is None


def test_a_range_on_a_log_scale_has_its_middle_at_the_geometric_mean() -> None:
    axis = page.Axis("wd", low=0.0001, high=0.01, log=True)
    assert axis.at(0.001) == pytest.approx(0.5)
    assert page.Axis("dropout", low=0.1, high=0.7).at(0.4) == pytest.approx(0.5)
    assert page.Axis("kernel_size", ("[2, 3]", "5")).at(5) == 1


def test_a_key_of_which_a_trial_has_no_value_is_left_out() -> None:
    odd = Trial("job", "job", "Completed", 0.5, 1, {"wd": "0.001", "kernel_size": "7"})
    html = render([trial(1, 0.7), odd])
    assert "<h3>wd</h3>" in html
    assert "<h3>dropout</h3>" not in html
    assert "<h3>kernel_size</h3>" not in html, "7 is none of its values"
    assert "Trial 1 is the best of 1" in page.render([trial(1, 0.7)], trial(1, 0.7), {})


def test_values_are_escaped_and_the_page_is_well_formed() -> None:
    ranges = {"CategoricalParameterRanges": [{"Name": "optimizer", "Values": ['"<b>adam</b>"', '"sgd"']}]}
    trials = [Trial("job", "job", "Completed", 0.5, 1, {"optimizer": '"<b>adam</b>"'})]
    html = page.render(trials, trials[0], ranges)
    assert "<b>adam" not in html
    assert "&lt;b&gt;adam&lt;/b&gt;" in html
    assert Tags(html).open == []


class Tags(HTMLParser):
    """The tags of a page that are never closed."""

    NEVER_CLOSED = frozenset({"meta", "line", "circle", "polyline"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.NEVER_CLOSED:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.NEVER_CLOSED:
            assert self.open.pop() == tag
