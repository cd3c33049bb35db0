"""What Claimflow sets out to reach; whether it does is computed from the results."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmarks.results import Results
from benchmarks.roster import CLAIMS, DEVELOPMENT, DRAWN, FOREIGN, NOISY, PRECISIONS, ROSTER, SMALL
from model.precision_test import RISK, luck

AUTO, NGRAM_AUTO, NGRAM, BEST = "claimflow-auto", "claimflow-ngram-auto", "claimflow-ngram", "claimflow-best"
BEFORE, PROTECTED, OF_CLAIMS = "claimflow-before", "claimflow-protected", "claimflow-claims"
FASTTEXT, LOGISTIC = "fasttext", "tfidf-logistic"
ORIGINAL_CNN, TORCH = "claimflow-original", "torch-textcnn"


@dataclass(frozen=True)
class Figure:
    """What is computed from results, and the arguments of `python -m benchmarks` that measure it."""

    value: Callable[[Results], float | None]
    command: str

    def __call__(self, results: Results) -> float | None:
        """Return the figure, or None if it was not measured."""
        return self.value(results)


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
    command: str


@dataclass(frozen=True)
class Promise:
    """What a model accepted of test rows at a target, in one round."""

    dataset: str
    contender: str
    round: int
    target: float
    accepted: int  # rows
    wrong: int  # of these

    @property
    def precision(self) -> float:
        """The share of the accepted rows that are right."""
        return 1 - self.wrong / self.accepted

    @property
    def broken(self) -> bool:
        """Whether fewer of the accepted rows are right than was promised."""
        return self.precision < self.target

    @property
    def surely_broken(self) -> bool:
        """Whether luck would hardly explain it: the target is above the one-sided 95% interval."""
        return self.broken and 1 - luck(self.wrong - 1, self.accepted, self.target) <= RISK


def measuring(datasets: Iterable[str], *contenders: str) -> str:
    """Return the arguments of the command that measures contenders, or everyone, on data sets."""
    named = f" --contenders {','.join(contenders)}" if contenders else ""
    return f"run --datasets {','.join(datasets)}{named}"


def figure(dataset: str, contender: str, name: str) -> Figure:
    """Return a measured figure."""
    return Figure(lambda results: results.median(dataset, contender, name), measuring([dataset], contender))


def ratio(dataset: str, contender: str, other: str, name: str) -> Figure:
    """Return how many times another's figure a contender's is, by the medians of the same run."""
    return _of_two(dataset, contender, other, name, quotient)


def difference(dataset: str, contender: str, other: str, name: str) -> Figure:
    """Return by how much a contender's figure is above another's."""
    return _of_two(dataset, contender, other, name, minus)


def above_best_peer(dataset: str) -> Figure:
    """Return by how much Claimflow as it comes is more accurate than the best of all others."""

    def gap(results: Results) -> float | None:
        peers = [peer.name for peer in ROSTER if not peer.ours and dataset in peer.datasets]
        others = [results.median(dataset, peer, "accuracy") for peer in peers]
        known = [accuracy for accuracy in others if accuracy is not None]
        best = max(known) if len(known) == len(peers) else None
        return minus(results.median(dataset, AUTO, "accuracy"), best)

    return Figure(gap, measuring([dataset]))


def least(figures: Iterable[Figure], command: str) -> Figure:
    """Return the least of some figures."""
    return _of_all(figures, min, command)


def greatest(figures: Iterable[Figure], command: str) -> Figure:
    """Return the greatest of some figures."""
    return _of_all(figures, max, command)


def mean(figures: Iterable[Figure], command: str) -> Figure:
    """Return the mean of some figures."""
    return _of_all(figures, lambda values: sum(values) / len(values), command)


def promises(results: Results) -> list[Promise]:
    """Return what was promised and held or not, over the data sets that were drawn several times."""
    drawn = set(DRAWN.values())
    return [
        Promise(
            made.dataset,
            made.contender,
            made.round,
            target,
            accepted,
            round(accepted * (1 - made.figures[f"precision_{target}"])),
        )
        for made in results.measurements
        if made.dataset in drawn
        for target in PRECISIONS
        for accepted in [round(made.figures[f"accepted_{target}"] * results.datasets[made.dataset].test_rows)]
        if accepted
    ]


def broken_promises(results: Results) -> float | None:
    """Return the share of the promises that were broken, or None if not all data sets were drawn."""
    every = promises(results)
    if {each.dataset for each in every} != set(DRAWN.values()):
        return None
    return sum(each.broken for each in every) / len(every)


def first_suspects(results: Results) -> float | None:
    """Return the share of wrong labels among the first suspects."""
    first = sum(min(each.first, each.listed) for each in results.suspects)
    return sum(each.first_wrong for each in results.suspects) / first if first else None


def stream_growth(results: Results) -> float | None:
    """Return how many times the memory of the smallest file the largest one took."""
    ordered = sorted(results.streams, key=lambda made: made.rows)
    return ordered[-1].peak_mib / ordered[0].peak_mib if len(ordered) > 1 else None


def quotient(value: float | None, other: float | None) -> float | None:
    """Return value / other, or None if either was not measured."""
    return value / other if value is not None and other else None


def minus(value: float | None, other: float | None) -> float | None:
    """Return value - other, or None if either was not measured."""
    return value - other if value is not None and other is not None else None


def _of_two(
    dataset: str,
    contender: str,
    other: str,
    name: str,
    compare: Callable[[float | None, float | None], float | None],
) -> Figure:
    return Figure(
        lambda results: compare(
            results.median(dataset, contender, name), results.median(dataset, other, name)
        ),
        measuring([dataset], contender, other),
    )


def _of_all(figures: Iterable[Figure], join: Callable[[list[float]], float], command: str) -> Figure:
    every = list(figures)

    def joined(results: Results) -> float | None:
        values = [value for each in every if (value := each(results)) is not None]
        return join(values) if len(values) == len(every) else None

    return Figure(joined, command)


PERCENT, SECONDS, TIMES, MIB = "{:.2%}", "{:,.1f} s", "{:.2f} times", "{:,.0f} MiB"
POINTS = "{:+.2%}"
PROMISED = f"{measuring(DRAWN.values(), AUTO, NGRAM_AUTO)} --rounds 3"
FOREIGN_ACCEPTED = [
    figure(name, AUTO, f"accepted_{target}") for name in FOREIGN.values() for target in PRECISIONS
]
TARGETS = [
    Target("Banking77: as it comes, accuracy", figure("banking77", AUTO, "accuracy"), 0.935, shown=PERCENT),
    Target(
        "Banking77, 10 rows a category: accuracy",
        figure("banking77-10", AUTO, "accuracy"),
        0.84,
        shown=PERCENT,
    ),
    Target(
        "Banking77, one label in ten wrong: accuracy", figure(NOISY, AUTO, "accuracy"), 0.92, shown=PERCENT
    ),
    *(
        Target(f"{name.upper()}: accuracy above the best peer's", above_best_peer(name), -0.003, shown=POINTS)
        for name in DEVELOPMENT
    ),
    Target(
        "The six development sets: mean of these",
        mean(map(above_best_peer, DEVELOPMENT), measuring(DEVELOPMENT)),
        0.01,
        shown=POINTS,
    ),
    Target("Banking77: accepted at 98%", figure("banking77", AUTO, "accepted_0.98"), 0.8, shown=PERCENT),
    Target("Banking77: right of these", figure("banking77", AUTO, "precision_0.98"), 0.98, shown=PERCENT),
    Target("IMDb: accepted at 98%", figure("imdb", AUTO, "accepted_0.98"), 0.6, shown=PERCENT),
    Target("IMDb: right of these", figure("imdb", AUTO, "precision_0.98"), 0.98, shown=PERCENT),
    Target(
        "Promises broken, all draws and targets", Figure(broken_promises, PROMISED), most=0.05, shown=PERCENT
    ),
    Target(
        "Foreign rows accepted, at any target",
        greatest(FOREIGN_ACCEPTED, measuring(FOREIGN.values(), AUTO)),
        most=0.02,
        shown=PERCENT,
    ),
    Target(
        "Banking77, protected categories: right or looked at, at any target",
        least(
            (figure("banking77", PROTECTED, f"protected_{target}") for target in PRECISIONS),
            measuring(["banking77"], PROTECTED),
        ),
        0.95,
        shown=PERCENT,
    ),
    Target(
        "Wrong labels among the first 500 suspects", Figure(first_suspects, "suspects"), 0.9, shown=PERCENT
    ),
    *(
        Target(
            f"{data}: n-grams, documents/s against {title}",
            ratio(name, NGRAM_AUTO, other, "documents_per_second"),
            bound,
            shown=TIMES,
        )
        for data, name, other, title, bound in (
            ("Banking77", "banking77", BEFORE, "the version before", 2),
            ("IMDb", "imdb", BEFORE, "the version before", 2),
            ("Banking77", "banking77", FASTTEXT, "fastText", 1),
            ("IMDb", "imdb", FASTTEXT, "fastText", 2.5),
        )
    ),
    Target(
        "Banking77: n-grams, training CPU against the version before",
        ratio("banking77", NGRAM_AUTO, BEFORE, "train_cpu_seconds"),
        most=1 / 3,
        shown=TIMES,
    ),
    Target("IMDb: n-grams, accuracy", figure("imdb", NGRAM_AUTO, "accuracy"), 0.923, shown=PERCENT),
    Target("IMDb: n-grams, calibration error", figure("imdb", NGRAM_AUTO, "ece"), most=0.02, shown="{:.3f}"),
    Target(
        "8,000 claims: training on two cores",
        figure(CLAIMS, OF_CLAIMS, "train_seconds"),
        most=90,
        shown=SECONDS,
    ),
    Target(
        "8,000 claims: memory of training",
        figure(CLAIMS, OF_CLAIMS, "train_peak_mib"),
        most=1536,
        shown=MIB,
    ),
    Target(
        "Memory of labelling 1,000,000 rows against 10,000",
        Figure(stream_growth, "memory"),
        most=1.1,
        shown=TIMES,
    ),
    Target("IMDb: best, accuracy", figure("imdb", BEST, "accuracy"), 0.93, shown=PERCENT),
    Target(
        "IMDb: best, training on two cores", figure("imdb", BEST, "train_seconds"), most=1200, shown=SECONDS
    ),
    Target(
        "IMDb, 5,000 rows: the original's CNN, accuracy against the same in PyTorch",
        difference(SMALL, ORIGINAL_CNN, TORCH, "accuracy"),
        -0.005,
        shown=POINTS,
    ),
]


def outcomes(results: Results) -> list[Outcome]:
    """Return every target with its figure and whether it is met."""
    return [outcome(target, results) for target in TARGETS]


def outcome(target: Target, results: Results) -> Outcome:
    """Compare a target with its figure."""
    value = target.figure(results)
    lowest, most = target.least, target.most
    sign, limit = ("at least", lowest) if lowest is not None else ("at most", most)
    bound = f"{sign} {target.shown.format(limit)}"
    if value is None:
        return Outcome(target.text, bound, "-", None, target.figure.command)
    met = (lowest is None or value >= lowest) and (most is None or value <= most)
    return Outcome(target.text, bound, target.shown.format(value), met, target.figure.command)
