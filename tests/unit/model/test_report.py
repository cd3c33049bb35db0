"""The report: one page that stands alone, for any labels and any texts."""

import html.parser
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.evaluation import Evaluation
from model.acceptance import Wishes
from model.comparison import Outcome, figures
from model.data import Row
from model.evaluation import Measured, Trained, evaluate
from model.parts import kind
from model.report import render, trials

NGRAM_SETTINGS = {
    "ngram_words": 3,
    "ngram_skip": 2,
    "ngram_chars": [2, 5],
    "ngram_end": 20,
    "ngram_scale": "nb",
    "ngram_norm": "none",
    "ngram_epochs": 1,
    "n-grams": 1_734_112,
}
PLAIN_SETTINGS = {
    "ngram_words": 1,
    "ngram_skip": 0,
    "ngram_chars": None,
    "ngram_end": 0,
    "ngram_scale": "none",
    "ngram_norm": "sqrt",
}


def part(architecture: str, epochs: int, settings: dict[str, Any]) -> dict[str, Any]:
    history = [
        {
            "epoch": epoch,
            "batch": 9,
            "learning_rate": 0.001,
            "train_loss": 1 / epoch,
            "validation_loss": 1.1 / epoch,
            "validation_perplexity": 3.0,
            "validation_accuracy": 1 - 0.5 / epoch,
        }
        for epoch in range(1, epochs + 1)
    ]
    return {
        "architecture": architecture,
        "epochs": epochs,
        "best_epoch": epochs,
        "seconds": 75.0,
        "settings": settings,
        "history": history,
    }


CNN = part("cnn", 3, {"words": 20_000})
ONE_PASS = part("ngram", 1, NGRAM_SETTINGS)
ALONE = {"architecture": "cnn", "seconds": 76.0, "mixture": None, "parts": [CNN]}
MIXED = {
    "architecture": "ngram+cnn",
    "seconds": 151.0,
    "mixture": {"ngram": 0.62, "cnn": 0.38},
    "parts": [ONE_PASS, CNN],
}


def evaluation(
    *,
    classes: int = 3,
    rows: int = 600,
    champion: float | None = None,
    training: dict[str, Any] = MIXED,
    prefix: str = "l",
    wrong: int = 3,
) -> Evaluation:
    """A model that has all but the first rows right, and perhaps a live one with its own share of right."""
    chance = np.random.default_rng(0)
    truths = chance.integers(0, classes, rows)
    logits = chance.normal(0, 0.1, (rows, classes)).astype(np.float32)
    logits[np.arange(rows), (truths + (np.arange(rows) < wrong)) % classes] += 6
    labels = [f"{prefix}{number}" for number in range(classes)]
    texts = [Row(number, f"{prefix} text {number}", labels[truth]) for number, truth in enumerate(truths)]
    phrases = {label: [{"phrase": f"{prefix} phrase of {label}", "weight": 1.5}] for label in labels}
    nothing = np.zeros(rows, dtype=bool)
    right, live_right = np.arange(rows) >= wrong, np.arange(rows)[::-1] < (champion or 0) * rows
    live = None if champion is None else figures(Outcome(right, live_right, nothing, nothing))
    trained = Trained(labels, training, phrases, champion=live)
    return evaluate(Measured(logits, truths, np.ones(rows), np.ones(rows)), texts, trained, Wishes(0.98))[0]


def page(**changes: Any) -> str:
    return render(evaluation(**changes))


def words(content: str) -> str:
    """Return what a reader reads, on one line."""
    apart = re.sub(r"</t[dh]>", " ", content)
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", "", apart, flags=re.DOTALL).split())


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


@pytest.mark.parametrize("classes", [3, 77])
def test_texts_labels_and_phrases_cannot_bring_markup_in(classes: int) -> None:
    content = page(classes=classes, prefix="<script>alert(1)</script>")
    assert "<script" not in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt; text 0" in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt; phrase of" in content


def test_the_headline_is_in_words() -> None:
    content = words(page())
    assert re.search(r"\d+% of texts need no person", content.split("Learned from")[0])
    assert "that were held out, in 3 categories, the model labels 99.5% right" in content
    assert "can be labelled without a person looking" in content
    assert "No model is live" in content


def test_the_accuracy_is_told_with_its_interval_and_that_it_is_slightly_kind() -> None:
    content = words(page())
    assert "expect between 98.5% and 99.9% right: a trial of 600 texts cannot tell it more closely" in content
    assert (
        "slightly kind: the same texts also chose how long the model learned, how its parts are mixed"
        in content
    )
    assert "how its parts are mixed" not in words(page(training=ALONE))


def test_a_page_with_nothing_accepted_says_why_and_what_would_help() -> None:
    content = words(page(rows=50))
    assert "No text can yet be labelled without a person looking" in content
    assert "Why nothing is accepted: No row is accepted without a person: with 50 held-out rows" in content
    assert "What would help: a target of 0." in content
    assert "Why" not in words(page()).split("Compared with")[0]


def test_the_page_opens_with_the_file_the_date_the_answer_and_what_was_found_odd() -> None:
    document = evaluation()
    warnings = ["The categories 'Brakes' and 'brakes' differ only in case.", "<b>odd</b>"]
    document["data"] = {
        "file": "s3://uploads/train/2026/claims.csv",
        "training_rows": 5_400,
        "rejected_rows": 3,
        "warnings": warnings,
    }
    document["date"] = "2026-11-06"
    first_screen = words(render(document)).split("Some of the texts")[0]
    assert (
        "Learned from claims.csv on 6 November 2026: 5,400 rows to learn from, 600 held out to judge it, "
        "3 could not be used." in first_screen
    )
    assert "Look at these first: The categories" in first_screen
    assert "&lt;b&gt;odd&lt;/b&gt;" in first_screen
    assert "s3://" not in first_screen


def test_the_page_opens_with_what_each_target_gives() -> None:
    document = evaluation()
    document["acceptance"]["targets"] = [
        {"target_precision": 0.9, "threshold": 0.4, "coverage": 0.97, "precision": 0.93, "chances": []},
        {"target_precision": 0.91, "threshold": 0.5, "coverage": 0.96, "precision": 0.94, "chances": []},
        {"target_precision": 0.98, "threshold": 0.9, "coverage": 0.64, "precision": 0.985, "chances": []},
        {"target_precision": 0.99, "threshold": None, "coverage": 0.0, "precision": None, "chances": []},
    ]
    first_screen = words(render(document)).split("Some of the texts")[0]
    assert "90% 97% 93.0% 98% (the target) 64% 98.5% 99% out of reach" in first_screen
    assert "91%" not in first_screen


def test_folds_are_told_in_words() -> None:
    document = evaluation()
    document["measured"] = {
        "on": "folds",
        "rows": 5_400,
        "folds": 5,
        "accuracy": 0.9,
        "accuracy_interval": [0.89, 0.91],
    }
    document["architecture_choice"] = "`auto` took n-grams alone: because."
    content = words(render(document))
    assert (
        "found on 5,400 labelled texts, each of which was labelled by a model that had learned without it"
        in content
    )
    assert "auto took n-grams alone: because." in content


def test_rows_whose_category_may_be_wrong_are_told_and_shown() -> None:
    document = evaluation()
    row = {"line": 12, "text": "It squeals.", "label": "engine", "likely": "brakes", "chance": 0.01}
    document["suspects"] = {"rows": 600, "count": 21, "shown": [row, row | {"file": "new.csv"}]}  # type: ignore[typeddict-item,list-item]
    content = words(render(document))
    assert "12 of new.csv" in content
    assert "21 of 600 rows may have a wrong category in the file." in content
    assert "It squeals. engine brakes 1.0% 12" in content


def test_categories_that_are_watched_or_cannot_be_told_apart_are_named() -> None:
    document = evaluation()
    document["acceptance"]["watched"] = [
        {"labels": ["Fire"], "why": "protected", "sent": 0.0},
        {"labels": ["a", "b"], "why": "few rows", "sent": 0.012},
        {"labels": ["c"], "why": "low recall", "sent": 0.0},
    ]
    document["inseparable"] = [{"labels": ["hail", "storm"], "rows": 9}]
    content = words(render(document))
    assert "Fire: protected by the configuration; 0.0% of all texts" in content
    assert "a, b: too few rows to judge; 1.2% of all texts" in content
    assert "often taken for another" not in content
    assert "hail and storm (9 texts)" in content


def test_a_page_of_an_unknown_file_says_what_is_known() -> None:
    content = words(page())
    assert "Learned from a file: 600 held out to judge it." in content
    assert "Look at these first" not in content


JARGON = [
    "precision",
    "recall",
    "F1",
    "Clopper",
    "McNemar",
    "epoch",
    "perplexity",
    "calibration error",
    "logit",
]


def test_the_main_text_has_no_jargon_and_a_foldable_note_names_the_terms() -> None:
    content = page(champion=0.9)
    shown = words(re.sub(r"<details>.*?</details>", "", content, flags=re.DOTALL))
    assert [term for term in JARGON if term.lower() in shown.lower()] == []
    assert "Clopper-Pearson" in words(content)


def test_example_rows_show_the_text_both_labels_and_how_sure_the_model_is() -> None:
    content = words(page()).split("Some of the texts, and what it made of them")[1]
    assert re.search(r"l text \d+ l\d l\d 99\.\d%", content)


def test_three_thousand_categories_make_a_page_that_shows_the_weakest() -> None:
    content = page(classes=3_000, rows=600, wrong=100)
    assert "500 of 3,000 categories, the weakest first" in words(content)
    assert len(content) < 1_000_000


def test_a_live_model_that_is_clearly_worse_is_hardly_so_by_chance() -> None:
    content = words(page(champion=0.5))
    assert (
        "On 600 texts that neither has learned from, the live model labels 50.0% right, the new one 99.5%. "
        "The new one is better by 49.5 points." in content
    )
    assert "The difference is hardly chance" in content
    assert "in fewer than 1 of 1,000 trials" in content
    assert "disagree about what is right in 297 of 600 texts" in content
    assert "New model right 300 297" in content
    assert "New model wrong 0 3" in content


def test_the_rows_of_the_live_models_own_file_are_told() -> None:
    same = evaluation(champion=0.5)
    same["champion"]["rows_of_live"] = 270
    assert "neither has learned from, 270 of them held out when the live model was trained" in words(
        render(same)
    )


def test_categories_that_would_be_lost_are_named() -> None:
    same = evaluation(champion=0.5)
    same["champion"]["lost"] |= {"labels": [f"c{n}" for n in range(7)], "count": 7}
    assert "does not know categories of the live one: c0, c1, c2, c3, c4 and 2 more." in words(render(same))


def test_models_that_share_no_row_cannot_be_compared() -> None:
    same = evaluation(champion=0.5)
    same["champion"] |= {"rows": 0, "accuracy": None, "new_accuracy": None}
    assert "they cannot be compared" in words(render(same))


def test_a_small_difference_may_well_be_chance() -> None:
    content = words(page(champion=0.99))
    assert "better by 0.5 points" in content
    assert "The difference may well be chance" in content
    assert "in about 25 of 100 trials" in content


def test_a_live_model_that_is_better_is_said_to_be() -> None:
    assert "worse by 0.5 points" in words(page(champion=1.0))


def test_a_live_model_that_is_exactly_as_good_differs_in_nothing_or_in_rows() -> None:
    same = evaluation(champion=1.0, wrong=0)
    assert "exactly as good" in words(render(same))
    assert "right and wrong on exactly the same texts" in words(render(same))
    same["champion"] |= {"both_right": 598, "only_new_right": 1, "only_live_right": 1}
    balanced = words(render(same))
    assert "disagree about what is right in 2 of 600 texts" in balanced
    assert "by chance" not in balanced


@pytest.mark.parametrize(
    ("p_value", "said"),
    [
        (1.0, "about 100 of 100 trials"),
        (0.34, "about 34 of 100 trials"),
        (0.054, "about 54 of 1,000 trials"),
        (0.0123, "about 12 of 1,000 trials"),
        (0.001, "about 1 of 1,000 trials"),
        (1e-9, "fewer than 1 of 1,000 trials"),
    ],
)
def test_a_p_value_is_told_in_trials(p_value: float, said: str) -> None:
    assert trials(p_value) == said


def test_a_page_of_few_classes_shows_all_of_them_at_once() -> None:
    content = page(classes=12)
    shown = re.sub(r"<details>.*?</details>", "", content, flags=re.DOTALL)
    assert all(f'<th scope="row">l{number}</th>' in shown for number in range(12))
    assert all(f"l phrase of l{number}<" in shown for number in range(12))
    assert "weakest" not in content


def test_a_page_of_many_classes_shows_the_weakest_and_the_commonest_and_unfolds_the_others() -> None:
    content = page(classes=77)
    shown = re.sub(r"<details>.*?</details>", "", content, flags=re.DOTALL)
    assert "The 10 weakest of 77:" in words(shown)
    assert shown.count("<dt>") == 6
    assert content.split("The terms and methods")[0].count("<dt>") == 77
    assert "The other 71 categories" in content
    assert content.split("Each category")[1].count('<tr><th scope="row">') == 10 + 77


def test_a_model_without_phrases_has_no_section_of_them() -> None:
    assert "What speaks for" not in render(evaluation() | {"phrases": {}})


def test_mistakes_are_shown_with_both_labels() -> None:
    document = evaluation(wrong=1)
    (mistake,) = document["mistakes"]
    line = words(render(document).split("Its most confident mistakes")[1])
    assert f"l text 0 {mistake['label']} {mistake['prediction']} 99." in line


def test_a_model_without_mistakes_says_so() -> None:
    content = words(page(wrong=0))
    assert "It made no mistakes" in content
    assert "Nothing was mistaken for anything else" in content


def test_the_learning_of_each_part_is_told_and_drawn_and_so_is_the_mixture() -> None:
    content = page()
    assert content.count('class="drawn s') == 2
    said = words(content)
    assert (
        "in each answer the phrase model counts for 62% and the word-by-word network (CNN) counts for 38%."
        in said
    )
    assert (
        "The phrase model read the training texts once in 1 min 15 s. By itself it labels 50.0% right."
        in said
    )
    assert "read the training texts 3 times in 1 min 15 s; after reading 3 it was at its best" in said


def test_a_single_pass_is_told_in_words_and_not_drawn() -> None:
    alone = {"architecture": "ngram", "seconds": 80.0, "mixture": None, "parts": [ONE_PASS]}
    content = page(training=alone)
    assert outline(content).tags.count("svg") == 2
    assert "The training took 1 min 20 s. The phrase model read the training texts once" in words(content)
    assert "mixture" not in words(content)


def test_a_history_without_losses_is_shown_without_them() -> None:
    bare = {**ONE_PASS, "history": [{"epoch": 1, "validation_accuracy": 0.9}]}
    content = words(page(training={**MIXED, "parts": [bare, CNN]}))
    assert "1 \N{EN DASH} \N{EN DASH} \N{EN DASH} 90.0%" in content


@pytest.mark.parametrize(
    ("architecture", "settings", "said"),
    [
        (
            "ngram",
            NGRAM_SETTINGS,
            "It adds up phrases of up to 3 words, pairs of words with up to 2 between them, "
            "pieces of words, 2 to 5 letters long and once more the last 20 words of a text "
            "(1,734,112 of them), "
            "those that tell the categories apart counting more.",
        ),
        (
            "ngram",
            NGRAM_SETTINGS | PLAIN_SETTINGS,
            "It adds up single words (1,734,112 of them), each counting the same; "
            "in a long text each counts less.",
        ),
        (
            "ngram",
            NGRAM_SETTINGS | PLAIN_SETTINGS | {"ngram_repeats": "log"},
            "It adds up single words (1,734,112 of them), each counting the same, "
            "the more the oftener a text has it; in a long text each counts less.",
        ),
        ("cnn", CNN["settings"], "It knows 20,000 words."),
        (
            "cnn",
            {"words": 20_000, "words with a vector": 18_211},
            "It knows 20,000 words; 18,211 of them started from spaCy's vectors, the others at random.",
        ),
    ],
    ids=["all", "plain", "repeats", "cnn", "cnn from vectors"],
)
def test_the_settings_are_told_in_words(architecture: str, settings: dict[str, Any], said: str) -> None:
    assert kind(architecture).settings_in_words(settings) == said


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_handful_of_rows_makes_a_page(rows: int) -> None:
    assert "</html>" in page(rows=rows, wrong=rows, champion=0.0)


def test_the_report_of_a_real_training_has_every_section(saved: Path) -> None:
    content = (saved / "report.html").read_text(encoding="utf-8")
    assert content.count("<h2>") == (9 if "What speaks for each category" in content else 8)
    assert content.rstrip().endswith("</html>")
