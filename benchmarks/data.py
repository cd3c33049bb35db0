"""The public data sets, and the plain CSV files that every contender reads."""

import csv
import gzip
import hashlib
import os
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import rows
from benchmarks.errors import BenchmarkError
from benchmarks.roster import CHINESE, CLAIMS, DRAWN, FOREIGN, NOISY, ROOT, SMALL, TWO_LANGUAGES

SEED = 0  # of the order of the rows, which is the same for everyone
WARM_UP_ROWS = 64
CLAIMS_FILE = ROOT / "examples" / "claims_train.csv"

Pair = tuple[str, str]  # text, label


@dataclass(frozen=True)
class Dataset:
    """A data set that comes as STEM_train.csv.gz and STEM_test.csv.gz, or the first rows of one."""

    name: str
    title: str
    label_column: str
    stem: str
    text_column: str = "text"
    rows: int | None = None  # of each split, in random order
    per_label: int | None = None  # training rows of each label: others each round
    share: float | None = None  # of the training rows: others each round
    wrong: float = 0.0  # share of the training rows that get a wrong label: others each round
    among: str | None = None  # the data set whose rows are mixed in
    test: str | None = None  # the data set whose test rows are labelled, if they are not its own

    @property
    def drawn(self) -> bool:
        """Whether each round has training rows of its own."""
        return any([self.per_label, self.share, self.wrong])


DATASETS = {
    "imdb": Dataset("imdb", "IMDb film reviews", "sentiment", "imdb"),
    "banking77": Dataset("banking77", "Banking77 customer messages", "category", "banking77"),
    **{
        f"banking77-{rows}": Dataset(
            f"banking77-{rows}",
            f"Banking77, {rows} rows of each label",
            "category",
            "banking77",
            per_label=rows,
        )
        for rows in (5, 10, 20)
    },
    NOISY: Dataset(NOISY, "Banking77, one label in ten wrong", "category", "banking77", wrong=0.1),
    SMALL: Dataset(SMALL, "IMDb film reviews, 5,000 of each split", "sentiment", "imdb", rows=5000),
    CHINESE: Dataset(
        CHINESE, "Chinese reviews, at most 5,000 of each split", "sentiment", "chinese", rows=5000
    ),
    TWO_LANGUAGES: Dataset(
        TWO_LANGUAGES,
        "English and Chinese reviews in one file, 5,000 of each split",
        "sentiment",
        "imdb",
        rows=5000,
        among=CHINESE,
    ),
    # The made-up claims of the demo: for time and memory only, as they are labelled and learned from at once.
    CLAIMS: Dataset(CLAIMS, "the demo's 8,000 claims", "category", CLAIMS, "description"),
    # Development sets: `benchmarks.fetch` does not have them; CLAIMFLOW_DATA names a folder that does.
    "cr": Dataset("cr", "CR product reviews", "label", "cr"),
    "subj": Dataset("subj", "SUBJ subjective and objective sentences", "label", "subj"),
    "mpqa": Dataset("mpqa", "MPQA opinion phrases", "label", "mpqa"),
    "hwu64": Dataset("hwu64", "HWU64 requests to an assistant", "label", "hwu64"),
    "r8": Dataset("r8", "R8 Reuters news", "label", "r8"),
    "ohsumed": Dataset("ohsumed", "Ohsumed medical abstracts", "label", "ohsumed"),
}
DATASETS |= {
    name: replace(DATASETS[stem], name=name, title=f"{DATASETS[stem].title}, nine rows in ten", share=0.9)
    for stem, name in DRAWN.items()
}
DATASETS |= {
    name: replace(DATASETS["banking77"], name=name, title=f"Banking77, with rows of {other}", test=other)
    for other, name in FOREIGN.items()
}


@dataclass(frozen=True)
class Prepared:
    """The files of a data set: plain CSV of `row,text,label`, in one random order for everyone."""

    train: Path
    test: Path
    warm_up: Path  # a few training rows, predicted before the clock starts
    train_rows: int
    test_rows: int
    labels: int
    digest: str


def data_folder() -> Path:
    """Return the folder that CLAIMFLOW_DATA names, else that of `benchmarks.fetch`, else ../shared/data."""
    if named := os.environ.get("CLAIMFLOW_DATA"):
        return Path(named)
    fetched = ROOT / "data"
    return fetched if fetched.exists() else ROOT.parent / "shared" / "data"


def chosen(names: str | None) -> list[Dataset]:
    """Return the data sets of a list with commas, or all whose files the data folder has.

    Raises BenchmarkError at a name that is none.
    """
    wanted = [name.strip() for name in names.split(",")] if names else [*filter(_is_there, DATASETS)]
    if unknown := [name for name in wanted if name not in DATASETS]:
        raise BenchmarkError(f"There is no data set {unknown[0]!r}; there are {', '.join(DATASETS)}.")
    return [DATASETS[name] for name in wanted]


def _is_there(name: str) -> bool:
    dataset = DATASETS[name]
    return name == CLAIMS or all(
        (data_folder() / f"{stem}_{split}.csv.gz").exists()
        for stem, split in (
            (dataset.stem, "train"),
            (tested(dataset).stem, "test"),
            *[(DATASETS[dataset.among].stem, split) for split in ("train", "test") if dataset.among],
        )
    )


def prepare(
    dataset: Dataset, source: Path, folder: Path, limit: int | None = None, draw: int = 0
) -> Prepared:
    """Write a data set's files below `folder`, at most `limit` rows of each split.

    `draw` says which rows, or which wrong labels, of a data set that is drawn anew each round.
    """
    pairs = {"train": read(dataset, "train", source), "test": read(tested(dataset), "test", source)}
    digest = content_digest(pairs["train"] + pairs["test"])
    most = min([count for count in (dataset.rows, limit) if count is not None], default=None)
    used = {"train": drawn(dataset, pairs["train"], draw)[:most], "test": shuffled(pairs["test"])[:most]}
    files = {split: folder / f"{split}.csv" for split in pairs}
    for split, path in files.items():
        rows.write(path, used[split])
    rows.write(folder / "warm_up.csv", used["train"][:WARM_UP_ROWS])
    return Prepared(
        train=files["train"],
        test=files["test"],
        warm_up=folder / "warm_up.csv",
        train_rows=len(used["train"]),
        test_rows=len(used["test"]),
        labels=len({label for _, label in used["train"]}),
        digest=digest,
    )


def drawn(dataset: Dataset, pairs: list[Pair], draw: int) -> list[Pair]:
    """Return the rows to train on, in an order that tells nothing; those of a `draw` if each has its own."""
    if dataset.per_label is not None:
        return first_of_each(shuffled(pairs, draw), dataset.per_label)
    if dataset.share is not None:
        return shuffled(pairs, draw)[: int(dataset.share * len(pairs))]
    return mislabelled(shuffled(pairs), dataset.wrong, draw) if dataset.wrong else shuffled(pairs)


def tested(dataset: Dataset) -> Dataset:
    """Return the data set whose test rows are labelled."""
    return DATASETS[dataset.test] if dataset.test else dataset


def read(dataset: Dataset, split: str, source: Path) -> list[Pair]:
    """Return the texts and labels of a split; raises BenchmarkError when its file is missing."""
    if dataset.name == CLAIMS:
        with CLAIMS_FILE.open(newline="", encoding="utf-8") as claims:
            return [pair for pair in _pairs(dataset, claims) if all(pair)]  # some are broken on purpose
    path = source / f"{dataset.stem}_{split}.csv.gz"
    if not path.exists():
        raise BenchmarkError(
            f"{path.name} is not in the data folder; run `python -m benchmarks.fetch`, which has IMDb, "
            "Banking77 and the Chinese reviews, or let CLAIMFLOW_DATA name the folder that has it."
        )
    csv.field_size_limit(rows.LARGEST_FIELD)
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        pairs = _pairs(dataset, file)
    return pairs + read(DATASETS[dataset.among], split, source) if dataset.among else pairs


def _pairs(dataset: Dataset, file: Iterable[str]) -> list[Pair]:
    return [(row[dataset.text_column], row[dataset.label_column]) for row in csv.DictReader(file)]


def shuffled(pairs: list[Pair], draw: int = SEED) -> list[Pair]:
    """Return the rows in an order that tells nothing: Banking77 comes sorted by label."""
    return random.Random(draw).sample(pairs, len(pairs))  # noqa: S311  not a secret


def first_of_each(pairs: list[Pair], count: int) -> list[Pair]:
    """Return the first rows of each label, in their order."""
    seen: Counter[str] = Counter()
    kept = []
    for text, label in pairs:
        if seen[label] < count:
            kept.append((text, label))
            seen[label] += 1
    return kept


def mislabelled(pairs: list[Pair], share: float, draw: int) -> list[Pair]:
    """Return the rows, a share of them with another label, each of the others as likely."""
    chance = random.Random(draw)  # noqa: S311  not a secret
    labels = sorted({label for _, label in pairs})
    wrong = set(chance.sample(range(len(pairs)), int(share * len(pairs))))
    return [
        (text, chance.choice([other for other in labels if other != label]) if place in wrong else label)
        for place, (text, label) in enumerate(pairs)
    ]


def repeated(prepared: Prepared, count: int, path: Path) -> Path:
    """Write a file of `count` rows, the test rows over and over."""
    texts, labels = rows.read(prepared.test)
    rows.write(path, ((texts[n % len(texts)], labels[n % len(texts)]) for n in range(count)))
    return path


def content_digest(pairs: Iterable[Pair]) -> str:
    """Return a sha256 of the rows that does not depend on their order, so that copies can be compared."""
    whole = hashlib.sha256()
    for digest in sorted(hashlib.sha256(f"{label}\0{text}".encode()).digest() for text, label in pairs):
        whole.update(digest)
    return whole.hexdigest()
