"""What the page says of acceptance, promises, few and foreign rows and suspects follows from the results."""

from collections.abc import Callable

import pytest

from benchmarks import sections, targets
from benchmarks.results import Measurement, Results, Suspected
from benchmarks.roster import DRAWN

AUTO = "claimflow-auto"


@pytest.fixture
def drawn(sample: Results, measurement: Callable[..., Measurement]) -> Results:
    """Results in which two of six promises were broken, one of them by luck, and one had nothing to keep."""
    whole = measurement("banking77", AUTO, 1)
    figures = [
        {"precision_0.9": 0.91, "precision_0.95": 0.96, "precision_0.98": 0.99},
        {"precision_0.9": 0.89, "precision_0.95": 0.93, "accepted_0.98": 0.0},
    ]
    shares = {"accepted_0.9": 0.9, "accepted_0.95": 0.8, "accepted_0.98": 0.5}
    made = [
        whole.model_copy(update={"dataset": "banking77-drawn", "round": number + 1, "figures": shares | each})
        for number, each in enumerate(figures)
    ]
    datasets = {"banking77-drawn": sample.datasets["banking77"].model_copy(update={"test_rows": 1000})}
    return sample.model_copy(update={"measurements": made, "datasets": datasets})


def test_what_is_accepted_stands_beside_what_is_right_of_it_and_what_was_possible(sample: Results) -> None:
    lines = sections.acceptance(sample).splitlines()
    assert (
        "| banking77 | Claimflow, as it comes | 90.0% @ 93.0% | 99.0% | 80.0% @ 94.0% (!) | 85.0% "
        "| 60.0% @ 98.5% | 70.0% |" in lines
    )


def test_the_page_begins_with_what_is_accepted_at_the_default_target(sample: Results) -> None:
    assert sections.answer(sample) == (
        "At the default target of 95%, 80% of Banking77's customer messages need no person, and 94.0% of "
        "these are right; 80% of IMDb's film reviews need no person, and 94.0% of these are right."
    )
    assert sections.answer(sample.model_copy(update={"measurements": []})) == ""


def test_a_broken_promise_is_counted_and_bold(drawn: Results) -> None:
    text = sections.promised(drawn)
    assert "Of 5 promises, on 1 data set of 8, 2 were broken (40.0%), 1 of them by more than luck." in text
    assert (
        "| banking77-drawn | Claimflow, as it comes | 91.0%, **89.0%** | 96.0%, **93.0%** (!) | 99.0% |"
        in text.splitlines()
    )
    assert targets.broken_promises(drawn) is None
    every = [
        made.model_copy(update={"dataset": name}) for name in DRAWN.values() for made in drawn.measurements
    ]
    datasets = dict.fromkeys(DRAWN.values(), drawn.datasets["banking77-drawn"])
    whole = drawn.model_copy(update={"measurements": every, "datasets": datasets})
    assert targets.broken_promises(whole) == pytest.approx(0.4)


def test_without_a_draw_nothing_is_said_of_promises(sample: Results) -> None:
    assert sections.promised(sample) == ""
    assert targets.broken_promises(sample) is None


def test_the_best_of_each_data_set_is_bold(sample: Results, measurement: Callable[..., Measurement]) -> None:
    made = [
        measurement("banking77", contender, 1, accuracy=accuracy).model_copy(update={"dataset": "cr"})
        for contender, accuracy in ((AUTO, 0.84), ("fasttext", 0.79))
    ]
    text = sections.accuracies(
        sample.model_copy(update={"measurements": made, "datasets": {"cr": sample.datasets["imdb"]}})
    )
    assert "| **Claimflow, as it comes** | **84.0%** |" in text.splitlines()
    assert "| fastText, bigrams | 79.0% |" in text.splitlines()
    assert "`python -m benchmarks run --datasets cr`" in text


def test_the_accuracy_above_the_best_peer_needs_all_of_them(
    sample: Results, measurement: Callable[..., Measurement]
) -> None:
    made = [
        measurement("banking77", AUTO, 1, accuracy=accuracy).model_copy(
            update={"dataset": "cr", "contender": contender}
        )
        for contender, accuracy in (
            (AUTO, 0.84),
            ("fasttext", 0.79),
            ("minilm-logistic", 0.83),
            ("wordchar-svc", 0.85),
        )
    ]
    every = sample.model_copy(update={"measurements": made})
    assert targets.above_best_peer("cr")(every) == pytest.approx(-0.01)
    fewer = sample.model_copy(update={"measurements": made[:-1]})
    assert targets.above_best_peer("cr")(fewer) is None
    assert targets.above_best_peer("r8")(every) is None
    assert targets.mean(map(targets.above_best_peer, ("cr", "r8")), "run")(every) is None


def test_foreign_rows_are_told_by_where_they_come_from(
    sample: Results, measurement: Callable[..., Measurement]
) -> None:
    figures = {"accepted_0.9": 0.015, "accepted_0.95": 0.01, "accepted_0.98": 0.0}
    made = measurement("banking77", AUTO, 1, figures=figures).model_copy(
        update={"dataset": "banking77-hwu64"}
    )
    text = sections.foreign(sample.model_copy(update={"measurements": [made]}))
    assert "| hwu64 | Claimflow, as it comes | 1.5% | 1.0% | 0.0% |" in text


def test_suspects_are_told_with_how_many_of_them_are_wrong(sample: Results) -> None:
    made = Suspected(draw=0, rows=1000, wrong=100, listed=120, found=90, first=500, first_wrong=90)
    results = sample.model_copy(update={"suspects": [made]})
    assert "| 1 | 100 of 1,000 | 90 of 120 | 90 of 120 |" in sections.suspects(results)
    assert targets.first_suspects(results) == pytest.approx(0.75)


def test_what_protecting_categories_costs_is_told(
    sample: Results, measurement: Callable[..., Measurement]
) -> None:
    plain = measurement("banking77", AUTO, 1)
    figures = plain.figures | {"protected_0.9": 0.96, "protected_0.95": 0.97, "protected_0.98": 1.0}
    figures |= {"accepted_0.9": 0.7, "accepted_0.95": 0.6, "accepted_0.98": 0.5}
    asked = plain.model_copy(update={"contender": "claimflow-protected", "figures": figures})
    lines = sections.protected(sample.model_copy(update={"measurements": [plain, asked]})).splitlines()
    assert "| right or looked at, of the protected categories | 96.0% | 97.0% | 100.0% |" in lines
    assert "| accepted, of all rows | 70.0% | 60.0% | 50.0% |" in lines
    assert "| accepted, of all rows, where no category is protected | 90.0% | 80.0% | 60.0% |" in lines
    assert sections.protected(sample) == ""


def test_a_whole_training_is_told_with_its_seconds_and_its_memory(
    sample: Results, measurement: Callable[..., Measurement]
) -> None:
    made = measurement("banking77", AUTO, 2, train_seconds=70.0, train_cpu_seconds=120.0).model_copy(
        update={"dataset": "claims", "contender": "claimflow-claims"}
    )
    text = sections.claims(sample.model_copy(update={"measurements": [made]}))
    assert "| 70 | 120 | 900 | 50,000 | `python -m benchmarks run --datasets claims " in text
    assert sections.claims(sample) == ""
