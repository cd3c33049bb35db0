"""Turns a labelled file into the training and validation channels; knows nothing of AWS."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from contract.columns import CHANNEL, LABEL, LINE, TEXT
from contract.errors import InvalidData
from contract.text import count, listed, shorten
from shared.table import Table
from validate import rows, split, warnings
from validate.columns import CONFIGURATION, Columns
from validate.rejected import RejectedFile

CLASS_LIMIT = 10_000


@dataclass
class Usable:
    """The usable rows of a file: their texts lie in `path`, here is what fits in memory (20 bytes a row)."""

    path: Path
    labels: dict[str, int] = field(default_factory=dict)
    first_lines: dict[str, int] = field(default_factory=dict)
    hashes: list[split.Hashes] = field(default_factory=list)
    codes: list[split.Codes] = field(default_factory=list)
    lengths: list[Any] = field(default_factory=list)

    def add(self, frame: pd.DataFrame) -> None:
        """Take in a chunk's usable rows."""
        for label, line in frame.drop_duplicates(LABEL)[[LABEL, LINE]].itertuples(index=False):
            self.labels.setdefault(label, len(self.labels))
            self.first_lines.setdefault(label, line)
        self.hashes.append(split.hash_texts(frame[TEXT]))
        self.codes.append(frame[LABEL].map(self.labels).to_numpy().astype(np.int32))
        self.lengths.append(frame[TEXT].str.len().to_numpy(dtype=np.int32))

    def keep(self, mask: split.Mask) -> None:
        """Keep these rows only, and number the labels that are left anew."""
        names = np.array(list(self.labels), dtype=object)
        left, codes = np.unique(np.concatenate(self.codes)[mask], return_inverse=True)
        self.labels = {name: code for code, name in enumerate(names[left])}
        self.codes = [codes.astype(np.int32)]
        self.hashes = [np.concatenate(self.hashes)[mask]]
        self.lengths = [np.concatenate(self.lengths)[mask]]


@dataclass(frozen=True)
class Channels:
    """What came of a labelled file. `report` is its part of validation.json."""

    train: Path
    validation: Path
    rejected: Path
    train_rows: int
    validation_rows: int
    validation_texts: int  # different ones
    rejected_rows: int
    classes: int
    report: dict[str, Any]

    @property
    def rows(self) -> int:
        """All data rows of the file."""
        return self.train_rows + self.validation_rows + self.rejected_rows


def make_channels(
    table: Table, columns: Columns, folder: Path, fraction: float, n_classes: int | None
) -> Channels:
    """Check a labelled file and write `train.csv`, `validation.csv` and `rejected.csv` into `folder`.

    A category with one usable row cannot be learned and judged, and is most often a misspelled one: its
    row is rejected too.

    Raises:
        InvalidData: nothing usable, one class, other classes than `n_classes`, too few texts

    """
    usable = Usable(folder / "usable.csv")
    with RejectedFile(folder / "rejected.csv", table.reading.delimiter) as rejected:
        _read(table, columns, usable, rejected)
        if not usable.labels:
            raise InvalidData(nothing_usable(table, rejected))
        _reject_lone_categories(table, columns, usable, rejected)
    hashes, codes = np.concatenate(usable.hashes), np.concatenate(usable.codes)
    _check_classes(table, usable, n_classes)
    validation = split.assign(hashes, codes, fraction)
    if validation is None:
        raise InvalidData(
            f"{table.name}: the usable rows have only "
            f"{count(len(np.unique(hashes)), 'different text')}; that is too "
            "few to train and to judge. Add rows with other texts."
        )
    report = _report(usable, hashes, codes, validation)
    train_file, validation_file = _write_sides(usable.path, validation, folder)
    return Channels(
        train=train_file,
        validation=validation_file,
        rejected=rejected.path,
        train_rows=int((~validation).sum()),
        validation_rows=int(validation.sum()),
        validation_texts=len(np.unique(hashes[validation])),
        rejected_rows=rejected.reasons.total(),
        classes=len(usable.labels),
        report={**report, "warnings": list(warnings.of(report, columns, table.header, rejected.reasons))},
    )


def nothing_usable(table: Table, rejected: RejectedFile) -> str:
    """Return the sentence for a file without one usable row."""
    reasons, first = rejected.reasons, rejected.first
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


def _read(table: Table, columns: Columns, usable: Usable, rejected: RejectedFile) -> None:
    with usable.path.open("w", encoding="utf-8", newline="") as file:
        for chunk in rows.chunks(table, columns, labelled=True):
            rejected.write(chunk.rejected)
            usable.add(chunk.usable)
            if len(usable.labels) > CLASS_LIMIT:
                raise InvalidData(_too_many_classes(table, columns))
            chunk.usable.to_csv(file, columns=list(CHANNEL), header=False, index=False, lineterminator="\r\n")


def _reject_lone_categories(table: Table, columns: Columns, usable: Usable, rejected: RejectedFile) -> None:
    """Move the row of each category that has no other from `usable` to `rejected`."""
    codes = np.concatenate(usable.codes)
    repeated = np.bincount(codes)[codes] > 1
    if repeated.all():
        return
    if not repeated.any():
        raise InvalidData(
            f"{table.name}: each of its {count(len(codes), 'usable row')} has a category of its own; a "
            f"model learns a category from 2 rows or more. {_remedy(columns)} to the column of the category."
        )
    fewer = usable.path.with_name("kept.csv")
    with (
        usable.path.open(encoding="utf-8", newline="") as source,
        fewer.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        for row, keep in zip(csv.reader(source), repeated.tolist(), strict=True):
            if keep:
                writer.writerow(row)
            else:
                rejected.write([_lone(usable.first_lines[row[2]], row[1:3])])
    fewer.replace(usable.path)
    usable.keep(repeated)


def _lone(line: int, cells: list[str]) -> rows.Rejected:
    return rows.Rejected(line, f"{rows.LONE}: '{shorten(cells[1])}' may be misspelled", cells)


def _write_sides(path: Path, validation: split.Mask, folder: Path) -> tuple[Path, Path]:
    train, judge = folder / "train.csv", folder / "validation.csv"
    with (
        path.open(encoding="utf-8", newline="") as source,
        train.open("w", encoding="utf-8", newline="") as train_file,
        judge.open("w", encoding="utf-8", newline="") as judge_file,
    ):
        writers = csv.writer(train_file), csv.writer(judge_file)
        for writer in writers:
            writer.writerow(CHANNEL)
        for row, judges in zip(csv.reader(source), validation.tolist(), strict=True):
            writers[judges].writerow(row)
    path.unlink()
    return train, judge


def _check_classes(table: Table, usable: Usable, n_classes: int | None) -> None:
    labels = list(usable.labels)
    if len(labels) == 1:
        raise InvalidData(
            f"{table.name}: every usable row has the category {listed(labels)}; a model needs two "
            "categories or more."
        )
    if n_classes is not None and n_classes != len(labels):
        raise InvalidData(
            f"{table.name}: n_classes in the configuration is {n_classes}, but the usable rows have "
            f"{len(labels)} "
            f"categories: {listed(sorted(labels))}. Correct the one or the other, or set n_classes to null."
        )


def _too_many_classes(table: Table, columns: Columns) -> str:
    name = columns.label.name if columns.label else ""
    return (
        f"{table.name}: the column '{name}' has more than {CLASS_LIMIT:,} different values; is it the "
        f"category? {_remedy(columns)}."
    )


def _remedy(columns: Columns) -> str:
    is_set = columns.label is not None and columns.label.found_by == CONFIGURATION
    return f"{'Correct' if is_set else 'Set'} label_column in the configuration"


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
