"""Deciding rows in the terminal, one at a time.

Neither confidence nor reason are shown: an audit, which is a row that the model had accepted, looks like all
others, so that it is decided as carefully.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from contract.queue import NONE_OF_THESE, QueueRow
from workflow.decisions import Answer, Decision, NotYoursError, Person
from workflow.queue import QueueReader

SKIP, UNDO, QUIT, HELP = "s", "u", "q", "?"
NONE_KEY = "0"
KEYS = (
    "Enter takes the first category, 1 or 2 one of the two; or type how a category begins, or a part of it. "
    "0 says that it is none of the categories, s skips the row, u takes the last decision back, q ends, "
    "? lists the categories."
)
MOST_LISTED = 12


@dataclass
class Review:
    """One person's turn at a queue; `ask` gives what the person types, `say` shows a line."""

    reader: QueueReader
    person: Person
    ask: Callable[[], str]
    say: Callable[[str], None]
    skipped: set[int] = field(default_factory=set)
    made: list[tuple[QueueRow, Decision]] = field(default_factory=list)

    def run(self) -> int:
        """Go on until the queue is empty or the person ends; returns how many rows were decided."""
        self.say(KEYS)
        while held := self.reader.next(self.person, frozenset(self.skipped)):
            self._show(held.row)
            if not self._decide(held.row, held.revision):
                self.reader.release(held.row["number"], self.person)
                break
        return len(self.made)

    def _decide(self, row: QueueRow, revision: int) -> bool:
        """Ask until the row is decided or left; returns False when the person ends."""
        while (typed := self.ask().strip()) != QUIT:
            if typed == SKIP:
                self.skipped.add(row["number"])
                self.reader.release(row["number"], self.person)
                return True
            if typed == UNDO:
                self._undo()
            elif typed == HELP:
                self._list(self.reader.index["categories"])
            elif category := self._category(typed, row):
                self._write(row, Answer(category, uuid.uuid4().hex, revision))
                return True
        return False

    def _category(self, typed: str, row: QueueRow) -> str | None:
        """Return the category that is meant; None, and a line that says why, where none or several are."""
        found = matches(typed, row, self.reader.index["categories"])
        if len(found) == 1:
            return found[0]
        if found:
            self._list(found)
        else:
            self.say(f"No category begins with or has {typed!r} in it: ? lists them.")
        return None

    def _write(self, row: QueueRow, answer: Answer) -> None:
        try:
            self.made.append((row, self.reader.decide(row, answer, self.person)))
            said = f"{answer.category}."
        except NotYoursError as error:
            said = str(error)
        self.say(f"{said} {self.reader.left:,} left.")

    def _undo(self) -> None:
        if not self.made:
            self.say("Nothing was decided here so far.")
            return
        row, last = self.made.pop()
        try:
            self.reader.decide(row, Answer(None, uuid.uuid4().hex, last.revision), self.person)
        except NotYoursError as error:
            self.say(str(error))
        else:
            self.say(f"{last.category} was taken back: the row comes again.")

    def _show(self, row: QueueRow) -> None:
        index = self.reader.index
        others = [
            f"{name}: {cell}"
            for place, (name, cell) in enumerate(zip(index["columns"], row["cells"], strict=False))
            if place != index["text"] and cell
        ]
        self.say("")
        self.say(f"Line {row['line']:,}" + (f"  ({', '.join(others)})" if others else ""))
        self.say(row["cells"][index["text"]])
        self.say(f"  1 {row['prediction']}   2 {row['second']}")

    def _list(self, categories: list[str]) -> None:
        more = len(categories) - MOST_LISTED
        self.say(", ".join(categories[:MOST_LISTED]) + (f" and {more:,} more" if more > 0 else ""))


def matches(typed: str, row: QueueRow, categories: list[str]) -> list[str]:
    """Return the categories that are meant by what was typed: one, none, or several to choose from.

    The whole name of a category is that one; then 0 is none of them, 1 and 2 are the two likeliest, and else
    the categories count that begin with it, or, where none does, those that have it in them.
    """
    if not typed:
        return [row["prediction"]]
    lowered = typed.casefold()
    whole = [each for each in categories if each.casefold() == lowered]
    if len(whole) == 1 or typed in whole:
        return [typed] if typed in whole else whole
    if typed == NONE_KEY:
        return [NONE_OF_THESE]
    if typed in {"1", "2"}:
        return [row["prediction"] if typed == "1" else row["second"]]
    begins = [each for each in categories if each.casefold().startswith(lowered)]
    return begins or [each for each in categories if lowered in each.casefold()]
