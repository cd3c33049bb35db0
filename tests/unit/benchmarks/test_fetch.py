"""What is fetched is what was measured, or one sentence and no file; downloads are from file:// here."""

import csv
import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from benchmarks import fetch
from benchmarks.errors import FetchError
from benchmarks.fetch import Source

CSV = b'text,category\nWhere is my card?,card_arrival\n"It broke, twice",card_broken\n'
REVIEWS = {
    f"aclImdb/{split}/{label}/{n}_7.txt": f"{split} {label} {n}"
    for split in ("train", "test")
    for label in ("pos", "neg")
    for n in range(3)
}
OTHERS = {
    "aclImdb/train/unsup/0_0.txt": "not used",
    "aclImdb/train/labeledBow.feat": "not used",
    "aclImdb/README": "not used",
    "../outside.txt": "not used",
}
COUNTS = {"train": 6, "test": 6}


def served(path: Path, content: bytes) -> Source:
    path.write_bytes(content)
    return Source(path.as_uri(), hashlib.sha256(content).hexdigest())


def archive(members: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


def read(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


def test_banking77_is_the_downloaded_file_gzipped(tmp_path: Path, folder: Path) -> None:
    target = folder / "banking77_test.csv.gz"
    fetch.banking(served(tmp_path / "test.csv", CSV), target, lambda _: None)
    assert gzip.decompress(target.read_bytes()) == CSV
    assert list(folder.iterdir()) == [target]


def test_a_file_that_is_there_stays(tmp_path: Path, folder: Path) -> None:
    target = folder / "banking77_test.csv.gz"
    target.write_bytes(b"mine")
    said: list[str] = []
    fetch.banking(Source("file:///nowhere", ""), target, said.append)
    assert target.read_bytes() == b"mine"
    assert said == ["banking77_test.csv.gz is there already"]


def test_another_file_than_the_one_measured_is_refused_and_not_left(tmp_path: Path, folder: Path) -> None:
    source = served(tmp_path / "test.csv", CSV)
    (tmp_path / "test.csv").write_bytes(CSV[:-1])
    with pytest.raises(FetchError, match=f"its sha256 is .*, not {source.sha256}"):
        fetch.banking(source, folder / "banking77_test.csv.gz", lambda _: None)
    assert not list(folder.iterdir())


def test_an_address_that_does_not_answer_is_one_sentence(folder: Path) -> None:
    with pytest.raises(FetchError, match=r"^file:///nowhere could not be downloaded \(.*\)\.$"):
        fetch.download(Source("file:///nowhere", ""), folder / "file", lambda _: None)
    assert not list(folder.iterdir())


def test_chinese_reviews_are_each_in_one_split_and_once_and_those_of_two_labels_in_none(
    tmp_path: Path, folder: Path
) -> None:
    good, bad = [f"很好{number}" for number in range(10)], [f"不好{number}" for number in range(10)]
    texts = {"pos": [*good, good[0], "", "一般"], "neg": [*bad, "一般 "]}
    sources = {
        name: served(tmp_path / f"{name}.txt", "\n".join(lines).encode()) for name, lines in texts.items()
    }
    fetch.chinese(sources, folder, lambda _: None)
    splits = {split: read(folder / f"chinese_{split}.csv.gz") for split in ("train", "test")}
    assert {split: len(found) for split, found in splits.items()} == {"train": 16, "test": 4}
    found = [(row["text"], row["sentiment"]) for rows in splits.values() for row in rows]
    assert sorted(found) == sorted([(text, "1") for text in good] + [(text, "0") for text in bad])
    assert len(list(folder.iterdir())) == 2


def test_imdb_has_the_reviews_of_each_split_and_nothing_else(tmp_path: Path, folder: Path) -> None:
    source = served(tmp_path / "imdb.tar.gz", archive(REVIEWS | OTHERS))
    fetch.imdb(source, folder, COUNTS, lambda _: None)
    assert sorted(path.name for path in folder.iterdir()) == ["imdb_test.csv.gz", "imdb_train.csv.gz"]
    rows = read(folder / "imdb_train.csv.gz")
    assert list(rows[0]) == ["sentiment", "text"]
    assert sorted((row["sentiment"], row["text"]) for row in rows) == sorted(
        ("1" if label == "pos" else "0", f"train {label} {n}") for label in ("pos", "neg") for n in range(3)
    )


def test_imdb_is_the_same_bytes_whatever_the_order_of_the_archive(tmp_path: Path, folder: Path) -> None:
    made = []
    for members in (REVIEWS, dict(reversed(REVIEWS.items()))):
        fetch.imdb(served(tmp_path / "imdb.tar.gz", archive(members)), folder, COUNTS, lambda _: None)
        made.append([path.read_bytes() for path in sorted(folder.iterdir())])
        for path in folder.iterdir():
            path.unlink()
    assert made[0] == made[1]


def test_an_archive_with_too_few_reviews_is_refused(tmp_path: Path, folder: Path) -> None:
    few = dict(list(REVIEWS.items())[:-1])
    with pytest.raises(FetchError, match="'test': 5} reviews, not "):
        fetch.imdb(served(tmp_path / "imdb.tar.gz", archive(few)), folder, COUNTS, lambda _: None)
    assert not list(folder.glob("imdb_*"))


def test_an_archive_cut_short_is_refused(tmp_path: Path, folder: Path) -> None:
    cut = archive(REVIEWS)[:-200]
    with pytest.raises(FetchError, match="cannot be read"):
        fetch.imdb(served(tmp_path / "imdb.tar.gz", cut), folder, COUNTS, lambda _: None)
    assert not list(folder.glob("imdb_*"))


def test_a_long_download_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SILENT_SECONDS", -1.0)
    said: list[str] = []
    assert list(fetch.told(io.BytesIO(b"x" * (fetch.BLOCK + 1)), said.append)) == [b"x" * fetch.BLOCK, b"x"]
    assert said == ["  1 MiB so far", "  2 MiB so far"]


def test_the_addresses_are_pinned() -> None:
    sources = [fetch.IMDB_SOURCE, *fetch.BANKING_SOURCES.values()]
    assert all(source.address.startswith("https://") and len(source.sha256) == 64 for source in sources)
