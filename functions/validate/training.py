"""Turns a labelled file into the training and validation channels; knows nothing of AWS."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from contract.columns import CHANNEL, FILE, LABEL, ROW, TEXT
from contract.errors import InvalidData
from contract.hierarchy import MOST_LEVELS, depth, too_deep
from contract.masking import mask
from contract.text import count, listed, shorten
from shared.table import Table
from validate import rows, split, warnings
from validate.columns import CONFIGURATION, Columns
from validate.rejected import RejectedFile

CLASS_LIMIT = 10_000


@dataclass(frozen=True)
class LabelledTable:
    """A labelled file, and which of its columns are used."""

    table: Table
    columns: Columns
    shown: str = ""
    """Its name, where there are several files."""
    mask: bool = False
    """Whether personal data of its texts is masked."""


@dataclass(frozen=True)
class Wanted:
    """What the configuration says of the categories."""

    n_classes: int | None = None
    """How many there are; None: as many as there are."""
    floored: Sequence[str] = ()
    """Those that the gate looks at."""
    hierarchy_separator: str | None = None
    """What stands between the levels of a category; None: they have one level."""


@dataclass
class Usable:
    """The usable rows of the files: the texts lie in `path`, here is what fits in memory (24 bytes a row)."""

    path: Path
    labels: dict[str, int] = field(default_factory=dict)
    files: list[split.Codes] = field(default_factory=list)
    """Which file each row is of, from 0."""
    hashes: list[split.Hashes] = field(default_factory=list)
    codes: list[split.Codes] = field(default_factory=list)
    lengths: list[Any] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(map(len, self.codes))

    def add(self, frame: pd.DataFrame, file: int) -> None:
        """Take in the usable rows of a chunk of a file."""
        for label in frame[LABEL].drop_duplicates():
            self.labels.setdefault(label, len(self.labels))
        self.files.append(np.full(len(frame), file, dtype=np.int32))
        self.hashes.append(split.hash_texts(frame[TEXT]))
        self.codes.append(frame[LABEL].map(self.labels).to_numpy().astype(np.int32))
        self.lengths.append(frame[TEXT].str.len().to_numpy(dtype=np.int32))

    def keep(self, mask: split.Mask) -> None:
        """Keep these rows only, and number the labels that are left anew."""
        names = np.array(list(self.labels), dtype=object)
        left, codes = np.unique(np.concatenate(self.codes)[mask], return_inverse=True)
        self.labels = {name: code for code, name in enumerate(names[left])}
        self.codes = [codes.astype(np.int32)]
        self.files = [np.concatenate(self.files)[mask]]
        self.hashes = [np.concatenate(self.hashes)[mask]]
        self.lengths = [np.concatenate(self.lengths)[mask]]


@dataclass(frozen=True)
class Channels:
    """What came of the labelled files. `report` is their part of validation.json."""

    train: Path
    validation: Path
    rejected: Path
    train_rows: int
    validation_rows: int
    validation_texts: int  # different ones
    rejected_rows: int
    classes: int
    report: dict[str, Any]
    hashes: split.Hashes
    """Of the texts of the training rows, in their order."""
    codes: split.Codes
    """The numbers of their categories."""

    @property
    def rows(self) -> int:
        """All data rows of the files."""
        return self.train_rows + self.validation_rows + self.rejected_rows


def make_channels(
    sources: Sequence[LabelledTable],
    folder: Path,
    fraction: float,
    wanted: Wanted,
) -> Channels:
    """Check labelled files and write `train.csv`, `validation.csv` and `rejected.csv` into `folder`.

    A text that stands in several files counts as in the last of them: its rows in the others are rejected. A
    category with one usable row cannot be learned and judged, and is most often a misspelled one: its row is
    rejected too.

    Raises:
        InvalidData: nothing usable in a file, one class, other classes than `wanted`, too few texts

    """
    usable, name = Usable(folder / "usable.csv"), " + ".join(source.table.name for source in sources)
    with RejectedFile(folder / "rejected.csv", sources[0].table.reading.delimiter) as rejected:
        _read(sources, usable, rejected)
        if len(sources) > 1:
            _reject_superseded(usable, rejected)
        _reject_lone_categories(name, sources[0].columns, usable, rejected)
    hashes, codes = np.concatenate(usable.hashes), np.concatenate(usable.codes)
    _check_classes(name, usable, wanted.n_classes)
    _check_floored(name, usable, wanted.floored)
    _check_levels(name, usable, wanted.hierarchy_separator)
    validation = split.assign(hashes, codes, fraction)
    if validation is None:
        raise InvalidData(
            f"{name}: the usable rows have only "
            f"{count(len(np.unique(hashes)), 'different text')}; that is too "
            "few to train and to judge. Add rows with other texts."
        )
    report = _report(usable, hashes, codes, validation)
    columns = _columns(several=len(sources) > 1)
    train_file, validation_file = folder / "train.csv", folder / "validation.csv"
    _write_sides(usable.path, validation, columns, (train_file, validation_file))
    return Channels(
        train=train_file,
        validation=validation_file,
        rejected=rejected.path,
        train_rows=int((~validation).sum()),
        validation_rows=int(validation.sum()),
        validation_texts=len(np.unique(hashes[validation])),
        rejected_rows=rejected.reasons.total(),
        classes=len(usable.labels),
        hashes=hashes[~validation],
        codes=codes[~validation],
        report={
            **report,
            "warnings": [
                *warnings.of(report, rejected.reasons),
                *warnings.structure(usable.labels, wanted.hierarchy_separator),
                *_guesses(sources),
            ],
        },
    )


def make_trial_channels(made: Channels, fraction: float) -> tuple[Path, Path]:
    """Cut the training rows into those that the trials of a tuning learn from, and those that judge them.

    Returns both files; that of the training rows is gone. Raises InvalidData: too few texts.
    """
    codes = np.unique(made.codes, return_inverse=True)[1].astype(np.int32)
    judges = split.assign(split.again(made.hashes), codes, fraction)
    if judges is None:
        texts = count(len(np.unique(made.hashes)), "different text")
        raise InvalidData(
            f"The training rows have only {texts}; that is too few to tune with. Add rows with other texts."
        )
    sides = made.train.with_name("trial_train.csv"), made.train.with_name("trial_validation.csv")
    with made.train.open(encoding="utf-8", newline="") as file:
        columns = tuple(next(csv.reader(file)))
    _write_sides(made.train, judges, columns, sides, skip=1)
    return sides


def nothing_usable(table: Table, reasons: Counter[str], first: rows.Rejected | None) -> str:
    """Return the sentence for a file without one usable row: why, and which is the first."""
    if first is None:
        return f"{table.name} has a header and no rows; add rows below it."
    why = ", ".join(f"{count(n, 'row')}: {reason}" for reason, n in reasons.most_common())
    return (
        f"{table.name}: none of its {count(reasons.total(), 'row')} can be used ({why}). The first is on "
        f"line {first.line} ({first.reason}): correct it and those like it, and upload the file again."
    )


def text_lengths(rows_of: "np.ndarray[Any, Any]") -> dict[str, int]:
    """Return the spread of the texts' lengths; `rows_of` has how many rows there are of each length."""
    ends = np.cumsum(rows_of)
    names = {"shortest": 0.0, "median": 0.5, "95th percentile": 0.95, "longest": 1.0}
    return {name: int(np.searchsorted(ends, 1 + share * (ends[-1] - 1))) for name, share in names.items()}


def _read(sources: Sequence[LabelledTable], usable: Usable, rejected: RejectedFile) -> None:
    with usable.path.open("w", encoding="utf-8", newline="") as file:
        for number, source in enumerate(sources):
            _read_one(source, number, usable, rejected, file)


def _read_one(
    source: LabelledTable, number: int, usable: Usable, rejected: RejectedFile, file: TextIO
) -> None:
    reasons, found, rejected.first = Counter(rejected.reasons), usable.rows, None
    before = found + reasons.total()
    for chunk in rows.chunks(source.table, source.columns, labelled=True):
        rejected.write(chunk.rejected, source.shown)
        rows_of = chunk.usable
        if source.mask:
            rows_of = rows_of.assign(**{TEXT: rows_of[TEXT].map(mask)})
        usable.add(rows_of, number)
        if len(usable.labels) > CLASS_LIMIT:
            raise InvalidData(_too_many_classes(source))
        frame = rows_of.assign(row=rows_of[ROW] + before, file=source.shown)
        columns = _columns(several=bool(source.shown))
        frame.to_csv(file, columns=list(columns), header=False, index=False, lineterminator="\r\n")
    if usable.rows == found:
        raise InvalidData(nothing_usable(source.table, rejected.reasons - reasons, rejected.first))


def _columns(*, several: bool) -> tuple[str, ...]:
    return (*CHANNEL, FILE) if several else CHANNEL


def _reject_superseded(usable: Usable, rejected: RejectedFile) -> None:
    """Move the rows whose text stands in a later file, too, from `usable` to `rejected`."""
    files = np.concatenate(usable.files)
    texts, of_row = np.unique(np.concatenate(usable.hashes), return_inverse=True)
    last = np.zeros(len(texts), dtype=np.int32)
    last[of_row] = files  # of what is written twice the last stays
    _reject(last[of_row] > files, lambda _: rows.SUPERSEDED, usable, rejected)


def _reject_lone_categories(name: str, columns: Columns, usable: Usable, rejected: RejectedFile) -> None:
    """Move the row of each category that has no other from `usable` to `rejected`."""
    codes = np.concatenate(usable.codes)
    lone = np.bincount(codes)[codes] == 1
    if lone.all():
        raise InvalidData(
            f"{name}: each of its {count(len(codes), 'usable row')} has a category of its own; a model "
            f"learns a category from 2 rows or more. {_remedy(columns)} to the column of the category."
        )
    _reject(lone, _misspelled, usable, rejected)


def _reject(mask: split.Mask, reason: Callable[[str], str], usable: Usable, rejected: RejectedFile) -> None:
    """Move rows from `usable` to `rejected`; `reason` is made of a row's category."""
    if not mask.any():
        return
    fewer = usable.path.with_name("kept.csv")
    with (
        usable.path.open(encoding="utf-8", newline="") as source,
        fewer.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        for row, is_out in zip(csv.reader(source), mask.tolist(), strict=True):
            if is_out:
                rejected.write([rows.Rejected(int(row[3]), reason(row[2]), row[1:3])], *row[4:])
            else:
                writer.writerow(row)
    fewer.replace(usable.path)
    usable.keep(~mask)


def _misspelled(label: str) -> str:
    return f"{rows.LONE}: '{shorten(label)}' may be misspelled"


def _write_sides(
    path: Path, validation: split.Mask, columns: tuple[str, ...], sides: tuple[Path, Path], skip: int = 0
) -> None:
    """Deal the rows of a file into two and remove it; `skip` rows at its beginning are its header."""
    train, judge = sides
    with (
        path.open(encoding="utf-8", newline="") as source,
        train.open("w", encoding="utf-8", newline="") as train_file,
        judge.open("w", encoding="utf-8", newline="") as judge_file,
    ):
        writers = csv.writer(train_file), csv.writer(judge_file)
        for writer in writers:
            writer.writerow(columns)
        for row, judges in zip(islice(csv.reader(source), skip, None), validation.tolist(), strict=True):
            writers[judges].writerow(row)
    path.unlink()


def _check_classes(name: str, usable: Usable, n_classes: int | None) -> None:
    labels = list(usable.labels)
    if len(labels) == 1:
        raise InvalidData(
            f"{name}: every usable row has the category {listed(labels)}; a model needs two "
            "categories or more."
        )
    if n_classes is not None and n_classes != len(labels):
        raise InvalidData(
            f"{name}: n_classes in the configuration is {n_classes}, but the usable rows have "
            f"{len(labels)} "
            f"categories: {listed(sorted(labels))}. Correct the one or the other, or set n_classes to null."
        )


def _check_floored(name: str, usable: Usable, floored: Sequence[str]) -> None:
    """Refuse a name that no row has before a training is paid for: it could never be judged."""
    if unknown := [label for label in floored if label not in usable.labels]:
        raise InvalidData(
            f"{name}: recall_floor_categories in the configuration names {listed(unknown)}, but the usable "
            f"rows have the categories {listed(sorted(usable.labels))}. Correct the one or the other."
        )


def _check_levels(name: str, usable: Usable, separator: str | None) -> None:
    if separator and depth(usable.labels, separator) > MOST_LEVELS:
        raise InvalidData(f"{name}: {too_deep(list(usable.labels), separator)}")


def _too_many_classes(source: LabelledTable) -> str:
    columns = source.columns
    name = columns.label.name if columns.label else ""
    return (
        f"{source.table.name}: the column '{name}' has more than {CLASS_LIMIT:,} different values; is it the "
        f"category? {_remedy(columns)}."
    )


def _remedy(columns: Columns) -> str:
    is_set = columns.label is not None and columns.label.found_by == CONFIGURATION
    return f"{'Correct' if is_set else 'Set'} label_column in the configuration"


def _guesses(sources: Sequence[LabelledTable]) -> Iterator[str]:
    """Yield the warnings about guessed columns, of several files with the file's name."""
    for source in sources:
        for guess in warnings.guesses(source.columns, source.table.header):
            yield f"{source.shown}: {guess}" if source.shown else guess


def _report(
    usable: Usable, hashes: split.Hashes, codes: split.Codes, validation: split.Mask
) -> dict[str, Any]:
    size = len(usable.labels)
    train, judge = (
        np.bincount(codes[~validation], minlength=size),
        np.bincount(codes[validation], minlength=size),
    )
    categories = {
        label: {"train": int(train[code]), "validation": int(judge[code])}
        for label, code in sorted(usable.labels.items())
    }
    return {
        "categories": categories,
        "duplicate_texts": split.duplicates(hashes),
        "texts_with_several_categories": split.conflicting(hashes, codes),
        "text_characters": text_lengths(np.bincount(np.concatenate(usable.lengths))),
    }
