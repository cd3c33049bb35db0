"""The report: one page that stands alone, for any labels and any texts."""

import html.parser
from pathlib import Path

import numpy as np
import pytest

from model.calibration import coverage_curve
from model.evaluation import Measured, evaluate
from model.report import Mistake, render, shorten
from model.wording import duration

HISTORY = [
    {
        "epoch": epoch,
        "batch": 9,
        "learning_rate": 0.001,
        "train_loss": 1 / epoch,
        "validation_loss": 1.1 / epoch,
        "validation_perplexity": 3.0,
        "validation_accuracy": 1 - 0.5 / epoch,
    }
    for epoch in (1, 2, 3)
]


def page(
    classes: int = 3,
    rows: int = 600,
    champion: float | None = None,
    mistakes: tuple[Mistake, ...] = (),
    prefix: str = "l",
) -> str:
    chance = np.random.default_rng(0)
    truths = chance.integers(0, classes, rows)
    logits = chance.normal(0, 1, (rows, classes)).astype(np.float32)
    logits[np.arange(rows), truths] += 6
    training = {"architecture": "textcnn", "epochs": 3, "best_epoch": 2, "seconds": 75.0, "history": HISTORY}
    labels = [f"{prefix}{number}" for number in range(classes)]
    evaluation, _ = evaluate(Measured(logits, truths, np.ones(rows)), labels, 0.98, champion, training)
    curve = coverage_curve(logits.max(axis=1).astype(np.float64), logits.argmax(axis=1) == truths)
    return render(evaluation, curve, list(mistakes))


class Outline(html.parser.HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)


def outline(content: str) -> Outline:
    parsed = Outline()
    parsed.feed(content)
    return parsed


def test_the_page_loads_nothing_from_elsewhere_and_runs_no_script() -> None:
    parsed = outline(page())
    assert not {"script", "link", "img", "iframe", "object"} & set(parsed.tags)
    assert not [
        value for name, value in parsed.attributes if name in {"src", "href"} or name.startswith("on")
    ]
    assert "url(" not in page()


def test_the_page_names_its_language_has_one_main_heading_and_tells_its_charts_in_words() -> None:
    parsed = outline(page())
    assert ("lang", "en") in parsed.attributes
    assert parsed.tags.count("h1") == 1
    assert parsed.tags.count("svg") == 3
    assert parsed.attributes.count(("role", "img")) == 3
    assert len([1 for name, value in parsed.attributes if name == "aria-label" and value]) >= 3


def test_texts_and_labels_cannot_bring_markup_in() -> None:
    evil = "<script>alert(1)</script>"
    content = page(prefix=evil, mistakes=(Mistake(0.9, 3, evil, evil, evil),))
    assert "<script" not in content
    assert "&lt;script&gt;" in content


def test_the_headline_is_in_words() -> None:
    content = " ".join(page().split())
    assert "can be labelled without a person looking" in content
    assert "No model is live" in content


def test_a_page_with_nothing_accepted_says_why() -> None:
    assert "No text can yet be labelled without a person looking" in page(rows=50)


@pytest.mark.parametrize(("champion", "words"), [(0.5, "better by"), (1.1, "worse by")])
def test_the_live_model_is_compared(champion: float, words: str) -> None:
    assert words in page(champion=champion)


def test_a_page_of_many_classes_and_one_of_two_are_made() -> None:
    assert page(classes=100).count("<tr>") > 200
    assert "l1" in page(classes=2)


def test_mistakes_are_shown_with_both_labels() -> None:
    content = page(mistakes=(Mistake(0.987, 41, "the brake", "brakes", "seats"),))
    assert all(part in content for part in ("the brake", "brakes", "seats", "98.7%", "41"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 300 + "…"),
        ("x" * 10_000_000, "x" * 300 + "…"),
        (" " * 5_000 + "late", "…"),
    ],
    ids=range(6),
)
def test_a_text_is_cut_and_kept_on_one_line(text: str, shown: str) -> None:
    assert shorten(text) == shown


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s")])
def test_a_duration_is_told_in_minutes_and_seconds(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_report_of_a_real_training_has_every_section(saved: Path) -> None:
    content = (saved / "report.html").read_text(encoding="utf-8")
    assert content.count("<h2>") == 7
