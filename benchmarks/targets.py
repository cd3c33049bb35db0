"""What Claimflow sets out to reach; whether it does is computed from the results."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.results import Results
from benchmarks.roster import SMALL

Figure = Callable[[Results], float | None]
NGRAM, AUTO, BEST = "claimflow-ngram", "claimflow-auto", "claimflow-best"
FASTTEXT, LOGISTIC = "fasttext", "tfidf-logistic"
ORIGINAL_CNN, TORCH = "claimflow-original", "torch-textcnn"


@dataclass(frozen=True)
class Target:
    """A figure and its bound; `shown` is how to print both."""

    text: str
    figure: Figure
    least: float | None = None
    most: float | None = None
    shown: str = "{:.2f}"


@dataclass(frozen=True)
class Outcome:
    """A target as it came out; `met` is None when the figure was not measured."""

    text: str
    bound: str
    figure: str
    met: bool | None


def figure(dataset: str, contender: str, name: str) -> Figure:
    """Return a measured figure."""
    return lambda results: results.median(dataset, contender, name)


def ratio(dataset: str, contender: str, other: str, name: str) -> Figure:
    """Return how many times another's figure a contender's is, by the medians of the same run."""
    return lambda results: quotient(
        results.median(dataset, contender, name), results.median(dataset, other, name)
    )


def difference(dataset: str, contender: str, other: str, name: str) -> Figure:
    """Return by how much a contender's figure is above another's."""

    def gap(results: Results) -> float | None:
        ours, theirs = results.median(dataset, contender, name), results.median(dataset, other, name)
        return ours - theirs if ours is not None and theirs is not None else None

    return gap


def stream_growth(results: Results) -> float | None:
    """Return how many times the memory of the smallest file the largest one took."""
    ordered = sorted(results.streams, key=lambda made: made.rows)
    return ordered[-1].peak_mib / ordered[0].peak_mib if len(ordered) > 1 else None


def quotient(value: float | None, other: float | None) -> float | None:
    """Return value / other, or None if either was not measured."""
    return value / other if value is not None and other else None


PERCENT, SECONDS, TIMES, MIB = "{:.2%}", "{:,.1f} s", "{:.2f} times", "{:,.0f} MiB"
POINTS = "{:+.2%}"
TARGETS = [
    Target("IMDb: n-grams, accuracy", figure("imdb", NGRAM, "accuracy"), least=0.925, shown=PERCENT),
    Target(
        "IMDb: n-grams, training, CPU", figure("imdb", NGRAM, "train_cpu_seconds"), most=10, shown=SECONDS
    ),
    Target("IMDb: best, accuracy", figure("imdb", BEST, "accuracy"), least=0.93, shown=PERCENT),
    Target(
        "IMDb: best, training on two cores", figure("imdb", BEST, "train_seconds"), most=1200, shown=SECONDS
    ),
    Target(
        "IMDb, 5,000 rows: the original's CNN, accuracy against the same in PyTorch",
        difference(SMALL, ORIGINAL_CNN, TORCH, "accuracy"),
        least=-0.005,
        shown=POINTS,
    ),
    Target(
        "Banking77: as it comes, accuracy", figure("banking77", AUTO, "accuracy"), least=0.915, shown=PERCENT
    ),
    Target(
        "IMDb: n-grams, training CPU against fastText",
        ratio("imdb", NGRAM, FASTTEXT, "train_cpu_seconds"),
        most=0.25,
        shown=TIMES,
    ),
    Target(
        "IMDb: n-grams, documents/s against fastText",
        ratio("imdb", NGRAM, FASTTEXT, "documents_per_second"),
        least=1.5,
        shown=TIMES,
    ),
    Target(
        "IMDb: n-grams, documents/s against TF-IDF and logistic regression",
        ratio("imdb", NGRAM, LOGISTIC, "documents_per_second"),
        least=3,
        shown=TIMES,
    ),
    Target(
        "Banking77: as it comes, documents/s",
        figure("banking77", AUTO, "documents_per_second"),
        least=20_000,
        shown="{:,.0f}",
    ),
    Target("IMDb: n-grams, calibration error", figure("imdb", NGRAM, "ece"), most=0.02, shown="{:.3f}"),
    Target(
        "IMDb: n-grams, accepted rows that are right",
        figure("imdb", NGRAM, "precision"),
        least=0.975,
        shown=PERCENT,
    ),
    Target("IMDb: n-grams, memory of training", figure("imdb", NGRAM, "train_peak_mib"), most=858, shown=MIB),
    Target("Memory of labelling 1,000,000 rows against 10,000", stream_growth, most=1.1, shown=TIMES),
]


def outcomes(results: Results) -> list[Outcome]:
    """Return every target with its figure and whether it is met."""
    return [outcome(target, results) for target in TARGETS]


def outcome(target: Target, results: Results) -> Outcome:
    """Compare a target with its figure."""
    value = target.figure(results)
    least, most = target.least, target.most
    sign, limit = ("at least", least) if least is not None else ("at most", most)
    bound = f"{sign} {target.shown.format(limit)}"
    if value is None:
        return Outcome(target.text, bound, "-", None)
    met = (least is None or value >= least) and (most is None or value <= most)
    return Outcome(target.text, bound, target.shown.format(value), met)
