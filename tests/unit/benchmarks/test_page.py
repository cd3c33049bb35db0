"""The page, the plot and the targets say what the results say, and nothing that was typed."""

import re
import sys
import xml.etree.ElementTree as ET  # the plot is our own
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import page, plot, results, targets
from benchmarks.__main__ import main
from benchmarks.errors import BenchmarkError
from benchmarks.results import Failure, Measurement, Results


def test_a_line_shows_the_median_with_the_lowest_and_the_highest(sample: Results) -> None:
    assert (
        "| fastText, bigrams | 89.70% | 30.0 (27.0 to 33.0) | 8,800 (7,920 to 9,680) | 900 | 400 |"
        in page.render(sample)
    )


def test_each_figure_stands_beside_the_command_that_makes_it(sample: Results) -> None:
    text = page.render(sample)
    assert "`python -m benchmarks run --datasets imdb --contenders nbsvm`" in text
    assert "`python -m benchmarks memory`" in text


def test_each_target_stands_beside_the_command_that_measures_it(sample: Results) -> None:
    lines = [line for line in page.targets(sample).splitlines() if line.startswith("| ")][2:]
    assert len(lines) == len(targets.TARGETS)
    assert all(line.endswith("` |") and "| `python -m benchmarks " in line for line in lines)
    against = next(line for line in lines if line.startswith("| Banking77: n-grams, documents/s against f"))
    assert (
        "`python -m benchmarks run --datasets banking77 --contenders claimflow-ngram-auto,fasttext`"
        in against
    )


def test_ratios_are_those_of_the_medians(sample: Results) -> None:
    lines = page.ratios(sample).splitlines()
    assert "| imdb | Claimflow, n-grams | fastText, bigrams | +2.60 | 0.30 times | 0.93 times |" in lines


def test_tables_have_as_many_cells_in_each_line(sample: Results) -> None:
    for block in re.findall(r"(?:^\|.*\n)+", page.render(sample), re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_a_failure_is_shown_with_its_sentence(sample: Results) -> None:
    failed = Failure(dataset="imdb", contender="nbsvm", round=2, sentence="It could not.")
    text = page.render(sample.model_copy(update={"failures": [failed]}))
    assert "| imdb | nbsvm | 2 | It could not. |" in text


def test_what_was_not_measured_is_left_out(sample: Results) -> None:
    bare = sample.model_copy(update={"streams": [], "measurements": []})
    assert "Memory and the size" not in page.render(bare)
    assert {outcome.met for outcome in targets.outcomes(bare)} == {None}


def test_publishing_writes_three_files_that_make_each_other_again(sample: Results, tmp_path: Path) -> None:
    text, picture, figures = page.publish(sample, tmp_path)
    again = results.read(figures)
    assert again == sample
    assert text.read_text(encoding="utf-8") == page.render(again)
    assert picture.read_text(encoding="utf-8") == plot.draw(again)


def test_a_note_on_how_it_was_measured_stands_beside_the_machine(
    sample: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.write(tmp_path / "results.json", sample)
    arguments = ["publish", "--output", str(tmp_path / "results.json"), "--folder", str(tmp_path / "docs")]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments, "--note", "Others worked beside it."])
    with pytest.raises(SystemExit, match="0"):
        main()
    assert "| note | Others worked beside it. |" in (tmp_path / "docs" / page.PAGE).read_text(
        encoding="utf-8"
    )


def test_a_try_on_a_few_rows_is_not_published(sample: Results, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="a few rows only"):
        page.publish(sample.model_copy(update={"limit": 2000}), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_target_is_met_by_its_figure_and_by_nothing_else(
    sample: Results, measurement: Callable[..., Measurement]
) -> None:
    met = {outcome.text: outcome.met for outcome in targets.outcomes(sample)}
    assert met["IMDb: right of these"] is True
    assert met["Banking77: accepted at 98%"] is False
    assert met["IMDb, 5,000 rows: the original's CNN, accuracy against the same in PyTorch"] is None
    slow = [measurement("banking77", "claimflow-auto", number, accuracy=0.5) for number in (1, 2, 3)]
    worse = sample.model_copy(update={"measurements": slow})
    assert targets.outcomes(worse)[0].met is False
    assert targets.outcomes(worse)[0].figure == "50.00%"


def test_memory_may_hardly_grow_with_the_file(sample: Results) -> None:
    assert targets.stream_growth(sample) == pytest.approx(1.05)
    assert targets.stream_growth(sample.model_copy(update={"streams": sample.streams[:1]})) is None


def test_the_plot_has_a_mark_and_a_label_for_each_contender(sample: Results) -> None:
    drawing = ET.fromstring(plot.draw(sample))  # noqa: S314
    space = {"svg": "http://www.w3.org/2000/svg"}
    labels = [element.text for element in drawing.iterfind("svg:text", space)]
    assert len(drawing.findall("svg:circle", space)) == 15
    assert labels.count("fastText, bigrams") == 2
    assert "NB-SVM, 1 to 3 words" in labels


def test_labels_of_the_plot_do_not_overlap(sample: Results) -> None:
    taken: list[plot.Box] = []
    for x in (100.0, 102.0, 104.0, 106.0):
        box = plot.label_box("a label of some length", x, 200.0, taken)
        assert not any(box.meets(other) for other in taken)
        taken.append(box)
