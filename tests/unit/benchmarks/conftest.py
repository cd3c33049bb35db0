"""Results as a full run would leave them, with figures that are easy to check."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.results import Measured, Measurement, Results, Stream

# contender: accuracy, training CPU seconds, documents a second
FIGURES = {
    "imdb": {
        "claimflow-auto": (0.924, 10.0, 8000),
        "claimflow-ngram": (0.923, 9.0, 8200),
        "claimflow-best": (0.928, 300.0, 700),
        "claimflow-original": (0.892, 600.0, 360),
        "fasttext": (0.897, 30.0, 8800),
        "fasttext-10": (0.894, 12.0, 15000),
        "tfidf-logistic": (0.906, 14.0, 3000),
        "tfidf-svc": (0.907, 13.0, 3100),
        "nbsvm": (0.919, 49.0, 2000),
        "spacy-bow": (0.886, 44.0, 2400),
        "torch-textcnn": (0.891, 590.0, 380),
    },
    "banking77": {
        "claimflow-auto": (0.910, 9.0, 50000),
        "claimflow-ngram": (0.909, 8.0, 52000),
        "fasttext": (0.892, 1.3, 97000),
        "tfidf-logistic": (0.891, 7.0, 80000),
    },
}
QUALITY = {
    "ece": 0.012,
    **{f"accepted_{target}": share for target, share in ((0.9, 0.9), (0.95, 0.8), (0.98, 0.6))},
    **{f"precision_{target}": share for target, share in ((0.9, 0.93), (0.95, 0.94), (0.98, 0.985))},
    **{f"oracle_{target}": share for target, share in ((0.9, 0.99), (0.95, 0.85), (0.98, 0.7))},
}


def measured(dataset: str, contender: str, number: int, **changes: Any) -> Measurement:
    """A measurement of round `number`; the second round is the median one."""
    accuracy, cpu, speed = FIGURES[dataset][contender]
    drift = 1 + (number - 2) / 10
    values: dict[str, Any] = {
        "cores": 1,
        "train_seconds": cpu * drift,
        "train_cpu_seconds": cpu * drift,
        "train_peak_mib": 900.0,
        "predict_seconds": 1.0,
        "predict_cpu_seconds": 1.0,
        "predict_peak_mib": 400.0,
        "documents_per_second": speed * drift,
        "accuracy": accuracy,
        "figures": QUALITY if contender.startswith("claimflow") else {},
    }
    return Measurement(dataset=dataset, contender=contender, round=number, **values | changes)


@pytest.fixture
def sample() -> Results:
    """Three rounds of everyone."""
    return Results(
        date="2026-11-01",
        machine={"processor": "A processor", "cores": "2", "memory": "8 GiB", "system": "Linux 6"},
        versions={"python": "3.11.2", "claimflow": "abc1234"},
        rounds=3,
        limit=None,
        datasets={
            "imdb": Measured(train_rows=25000, test_rows=25000, labels=2, digest="a" * 64),
            "banking77": Measured(train_rows=10003, test_rows=3080, labels=77, digest="b" * 64),
        },
        measurements=[
            measured(dataset, contender, number)
            for number in (1, 2, 3)
            for dataset, contenders in FIGURES.items()
            for contender in contenders
        ],
        streams=[
            Stream(dataset="imdb", contender="claimflow-ngram", rows=10_000, seconds=1, peak_mib=400),
            Stream(dataset="imdb", contender="claimflow-ngram", rows=1_000_000, seconds=100, peak_mib=420),
        ],
    )


@pytest.fixture
def measurement() -> Callable[..., Measurement]:
    """Makes one measurement."""
    return measured
