"""A hierarchy: upper categories are as likely as their labels together, and are accepted by themselves."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import claimflow
from container import invocation
from container.invocation import Body
from contract.part import level_values
from model import artifact
from model.classifier import Classifier, Decision, Watched
from model.config import Config
from model.data import Row
from model.errors import DataError
from model.hierarchy import upper_levels
from model.levels import told
from model.pipeline import Folders, run
from model.prediction import predict
from workflow import classification

LABELS = ("Electrical > Battery > Cell", "Electrical > Fuse", "Mechanical > Gear", "Noise")


def _told(chances: Sequence[float], decision: Decision, reason: str = "low confidence") -> list[object]:
    classifier = Classifier(Config(hierarchy_separator=" > "), LABELS, (), decision=decision)
    (text,) = told(classifier, np.array([chances]), np.zeros(1, dtype=bool), [reason])
    return list(json.loads(text))


def test_an_upper_category_is_as_likely_as_its_labels_together() -> None:
    top, middle = upper_levels(LABELS, " > ")
    chances = np.array([[0.2, 0.3, 0.4, 0.1]])
    assert top.names == ("Electrical", "Mechanical", "Noise")
    assert top.chances(chances).round(6).tolist() == [[0.5, 0.4, 0.1]]
    assert middle.names == ("Electrical > Battery", "Electrical > Fuse", "Mechanical > Gear", "Noise")
    assert middle.chances(chances).round(6).tolist() == [[0.2, 0.3, 0.4, 0.1]]


def test_without_a_separator_there_is_no_upper_level() -> None:
    assert upper_levels(LABELS, None) == ()
    assert upper_levels(("A > B", "C"), "/") == ()


def test_each_level_says_its_own_likeliest_category() -> None:
    assert _told([0.2, 0.3, 0.4, 0.1], Decision(levels=(0.9, 0.9))) == [
        "",
        ["Electrical", 0.5],
        ["Mechanical > Gear", 0.4],
    ]


@pytest.mark.parametrize(
    ("thresholds", "chances", "reason", "named"),
    [
        ((0.4, 0.4), [0.9, 0.1, 0, 0], "", "Electrical > Battery > Cell"),
        ((0.4, 0.4), [0.9, 0.1, 0, 0], "low confidence", "Electrical > Battery"),
        ((0.4, 0.41), [0.2, 0.3, 0.4, 0.1], "low confidence", "Electrical"),
        ((0.6, 0.41), [0.2, 0.3, 0.4, 0.1], "low confidence", ""),
        ((None, None), [0.9, 0.1, 0, 0], "low confidence", ""),
    ],
)
def test_a_row_is_accepted_as_the_deepest_category_that_is_sure_enough(
    thresholds: tuple[float | None, ...], chances: list[float], reason: str, named: str
) -> None:
    assert _told(chances, Decision(levels=thresholds), reason)[0] == named


def test_a_text_unlike_the_training_texts_is_accepted_at_no_level() -> None:
    classifier = Classifier(
        Config(hierarchy_separator=" > "), LABELS, (), decision=Decision(levels=(0.1, 0.1))
    )
    chances = np.array([[0.2, 0.3, 0.4, 0.1]])
    (text,) = told(classifier, chances, np.ones(1, dtype=bool), ["unlike the training texts"])
    assert json.loads(text)[0] == ""


@pytest.mark.parametrize(("watched", "named"), [((0,), "Electrical"), ((3,), "")])
def test_a_watched_category_keeps_back_only_what_it_does_not_lie_below(
    watched: tuple[int, ...], named: str
) -> None:
    decision = Decision(levels=(0.5, None), watched=(Watched(watched, 0.05),))
    assert _told([0.2, 0.3, 0.4, 0.1], decision)[0] == named


def _channel(folder: Path, rows: Sequence[tuple[str, str]]) -> Path:
    folder.mkdir(parents=True)
    lines = [f"{number},{text},{label}" for number, (text, label) in enumerate(rows)]
    (folder / "rows.csv").write_text("\r\n".join(["row,text,label", *lines, ""]), encoding="utf-8")
    return folder


def _folders(tmp_path: Path) -> Folders:
    """Labels below A share their words, so that only A itself can be told."""
    some = [
        (
            f"shared words {'left' if number % 2 else 'right'} {number}",
            f"A > {'one' if number % 4 < 2 else 'two'}",
        )
        for number in range(400)
    ]
    other = [(f"other things here {number}", "B > only") for number in range(400)]
    rows = [*some, *other]
    return Folders(
        train=_channel(tmp_path / "train", rows[::5] + rows[1::5] + rows[2::5] + rows[3::5]),
        validation=_channel(tmp_path / "validation", rows[4::5]),
        model=tmp_path / "model",
        output=tmp_path / "output",
    )


CONFIG = {
    "architecture": "ngram",
    "ngram_words": 1,
    "ngram_skip": 0,
    "ngram_chars": None,
    "ngram_scale": "none",
    "ngram_epochs": 2,
    "ngram_least_texts": 2,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A model of a hierarchy whose upper level is easy and whose labels are not."""
    folders = _folders(tmp_path_factory.mktemp("levels"))
    run(Config.parse({**CONFIG, "hierarchy_separator": " > "}), folders)
    return folders


def test_the_evaluation_says_how_right_each_level_is(trained: Folders) -> None:
    figures = json.loads((trained.output / "evaluation.json").read_text())
    (level,) = figures["levels"]
    assert (level["categories"], level["accuracy"], level["macro_f1"]) == (2, 1.0, 1.0)
    assert figures["accuracy"] < 0.9
    assert level["coverage"] > figures["acceptance"]["coverage"]
    assert all(len(step["levels"]) == 1 for step in figures["acceptance"]["targets"])
    assert "Each level" in (trained.output / "report.html").read_text()


def test_a_row_is_accepted_at_the_upper_level_where_its_label_is_not_sure(trained: Folders) -> None:
    (found,) = predict(artifact.load(trained.model), [Row(0, "shared words left")])
    values = level_values(found)
    assert found.doubt
    assert (values["level_1"], values["accepted_as"]) == ("A", "A")
    assert float(values["level_1_confidence"]) > 0.9


def test_another_target_has_thresholds_of_its_own_at_each_level(trained: Folders) -> None:
    lower, higher = (artifact.load(trained.model, target).decision.levels for target in (0.6, 0.995))
    assert len(lower) == len(higher) == 1
    assert lower[0] is not None
    assert higher[0] is None or higher[0] >= lower[0]


def test_plain_categories_have_no_levels(tmp_path: Path) -> None:
    folders = _folders(tmp_path)
    figures = run(Config.parse({**CONFIG, "architecture": "ngram"}), folders)
    assert "levels" not in figures
    assert "levels" not in figures["acceptance"]
    classifier: Classifier = artifact.load(folders.model)
    (found,) = predict(classifier, [Row(0, "shared words left")])
    assert (found.levels, level_values(found)) == ("", {})


def test_a_separator_that_makes_too_many_levels_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"hierarchy_separator 'o' cuts|at most 6 are told"):
        run(
            Config.parse({**CONFIG, "hierarchy_separator": "o"}),
            Folders(
                _channel(tmp_path / "train", [("a b", "ooooooo"), ("c d", "x")]),
                _channel(tmp_path / "validation", [("a b", "x")]),
                tmp_path / "model",
                tmp_path / "output",
            ),
        )


def test_python_the_service_and_single_texts_say_the_levels_by_the_columns_of_the_results(
    trained: Folders,
) -> None:
    columns = ["level_1", "level_1_confidence", "accepted_as"]
    table = claimflow.load(trained.model).predict(["shared words left", ""])
    assert list(table.columns)[3:6] == columns
    assert table.loc[0, ["level_1", "accepted_as"]].to_list() == ["A", "A"]
    (found,) = predict(artifact.load(trained.model), [Row(0, "shared words left")])
    values = level_values(found)
    lines = invocation.lines(Body(["", "shared words left"], ["no text", ""]), [found], explain=False)
    assert [[line[name] for name in columns] for line in lines] == [[None] * 3, list(values.values())]
    said = classification.document(classification.Text(0, "shared words left"), found, 1)
    assert {name: said[name] for name in columns} == values
    assert ("accepted_as", "A") in classification.facts(found, 1)
