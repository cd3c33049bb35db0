"""The records of a CSV file with the lines on which they start; no quoting mistake passes in silence."""

import csv
from collections.abc import Iterator

from contract.errors import InvalidData
from shared.reading import quoting
from shared.reading.quoting import Mistake
from shared.reading.swallowed import Watch

Record = tuple[int, list[str]]


class Records:
    """Reads with the csv module; a record that is not RFC 4180 is read once more, by `quoting`."""

    def __init__(self, lines: Iterator[str], name: str, delimiter: str, skipped: int = 0) -> None:
        """Read `lines`, before which `skipped` lines were left out."""
        csv.field_size_limit(quoting.CELL_LIMIT)
        self._name = name
        self._delimiter = delimiter
        self._source = lines
        self._line = skipped
        self._held: list[str] = []
        self._reader = csv.reader(self._pulled(), delimiter=delimiter, strict=True)
        self._sound = quoting.sound(delimiter)
        self._watch = Watch(name, delimiter)
        self._opened = 0  # the line of the record before, if a quote opens in its last cell

    def __iter__(self) -> Iterator[Record]:
        """Yield the records. Raises InvalidData for a mistake, with its line."""
        held, sound, watch = self._held, self._sound.fullmatch, self._watch
        while True:
            held.clear()
            line = self._line + 1
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                cells = self._mended(line, too_long="field limit" in str(error))
            else:
                if cells is None:
                    break
                if held and '"' in held[0] and not sound(held[0] if len(held) == 1 else "".join(held)):
                    cells = self._mended(line, too_long=False)
                    self._refuse_broken_in_two(line, cells)
            if len(held) == 1:
                watch.learn(cells)
            elif held:
                watch.suspect(line, held)
            yield line, cells
        watch.finish()

    def _pulled(self) -> Iterator[str]:
        """Pass the lines on, and hold those of the current record."""
        for line in self._source:
            self._line += 1
            self._held.append(line)
            yield line

    def _more(self) -> str | None:
        line = next(self._source, None)
        if line is not None:
            self._line += 1
            self._held.append(line)
        return line

    def _mended(self, line: int, *, too_long: bool) -> list[str]:
        try:
            cells = quoting.cells_of("".join(self._held), self._delimiter, self._more)
        except Mistake as mistake:
            raise InvalidData(self._sentence(line, mistake, too_long=too_long)) from mistake
        if too_long or any(len(cell) > quoting.CELL_LIMIT for cell in cells):
            raise InvalidData(
                f"{self._name}, line {self._line}: a cell is longer than {quoting.CELL_LIMIT:,} characters; "
                "shorten it."
            )
        return cells

    def _sentence(self, line: int, mistake: Mistake, *, too_long: bool) -> str:
        before = "".join(self._held)[: mistake.offset]
        opened = line + before.replace("\r\n", "\n").replace("\r", "\n").count("\n")
        problem, end = mistake.problem, self._line
        if problem == "is never closed" and too_long:
            limit = f"{quoting.CELL_LIMIT:,} characters"
            problem = f"is longer than {limit}, most likely because its quote is never closed"
        elif problem == "is never closed":
            problem += f": the file ends, on line {end}, inside it"
        elif problem == "is followed by more text":
            problem += f", on line {end}, where a separator or the line's end is due"
        return (
            f"{self._name}, line {opened}: the cell whose quote opens here {problem}. Put the whole cell in "
            'quotes, and write a quote inside it twice ("").'
        )

    def _refuse_broken_in_two(self, line: int, cells: list[str]) -> None:
        """Refuse a text with a line break whose quote stands in mid-cell: it would be two rows."""
        if self._opened == line - 1 and self._opened and quoting.closes(cells[0]):
            raise InvalidData(
                self._sentence(self._opened, Mistake("closes in another row", 0), too_long=False)
            )
        self._opened = line if quoting.opens(cells[-1]) else 0
