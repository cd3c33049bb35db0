"""What all pages work with: the account and its stack, the queues that are open, and who it is."""

import re
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from desk.live_model import LiveModel
from desk.suspects import open_suspects
from workflow import display, objects, runs
from workflow.account import Account
from workflow.decisions import Decisions, Person
from workflow.errors import CommandError, ExecutionUnknownError
from workflow.queue import QueueReader
from workflow.runs import Run
from workflow.stack import Stack

MOST_OPEN = 8  # queues whose indexes are kept
MOST_WINDOWS = 1_000  # whose skipped rows are known
RECENT = 25  # runs on the first page
COUNTED_SECONDS = 30  # that a count is shown at least
PAUSE = 100  # times as long as counting took, before it is counted again
WAITED_SECONDS = 0.03  # for a count; what takes longer stands on the page when it is asked for again
AT_ONCE = 8  # queues whose decisions are counted
_RUN = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_WINDOW = re.compile(r"[A-Za-z0-9-]{8,64}")


class NotFoundError(CommandError):
    """What a page was asked for is not there; the text is one sentence."""


@dataclass
class Desk:
    """The desk of one stack. Its methods are called by several threads at once."""

    account: Account
    stack: Stack
    name: str
    """Of whoever decides; a login can take its place in `person`."""
    one_training: Lock = field(default_factory=Lock)
    """Held while a training is started, so that a second click finds it."""
    _lock: Lock = field(default_factory=Lock)
    _readers: OrderedDict[tuple[str, bool], QueueReader] = field(default_factory=OrderedDict)
    _ended: dict[tuple[str, str], Run] = field(default_factory=dict)
    _documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    _opening: dict[tuple[str, bool], Lock] = field(default_factory=dict)
    _told: str = ""
    _counted: dict[str, tuple[int, float]] = field(default_factory=dict)
    _counting: dict[str, Future[None]] = field(default_factory=dict)
    _counters: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE))
    _skipped: OrderedDict[tuple[str, str], set[int]] = field(default_factory=OrderedDict)

    @cached_property
    def live_model(self) -> LiveModel:
        """The live model on this machine."""
        return LiveModel(self.account, self.stack)

    def person(self, window: str) -> Person:
        """Return who sits at a window of a browser; raises CommandError for a name that no page gives."""
        if not _WINDOW.fullmatch(window):
            raise CommandError("The window has no name: load the page again.")
        return Person(self.name, window)

    def tell(self, sentence: str, *, again: bool) -> None:
        """Say a sentence in the window in which the desk was started.

        What was said last is said once more only if `again`: parts of a page ask every few seconds.
        """
        if again or sentence != self._told:
            self._told = sentence
            display.say(sentence, "red")

    def run(self, name: str) -> Run:
        """Return a run with its steps; raises NotFoundError."""
        return runs.read_run(self.account, self._arn(name))

    def glance(self, name: str) -> Run | None:
        """Return a run without its steps; None: Step Functions has forgotten it, as it does after 90 days."""
        try:
            return runs.glance(self.account, self._arn(name))
        except ExecutionUnknownError:
            return None

    def recent(self, first: int = 0) -> list[Run]:
        """Return RECENT runs without their steps, newest first; `first` are left out.

        What has ended is read once.
        """
        listed = runs.recent(self.account, self.stack, first + RECENT)[first : first + RECENT]
        marks = {each["executionArn"]: f"{each['status']} {each.get('stopDate')}" for each in listed}
        unknown = [arn for arn, mark in marks.items() if (arn, mark) not in self._ended]
        read = {run.arn: run for run in runs.glances(self.account, unknown)}
        self._ended.update({(arn, marks[arn]): run for arn, run in read.items() if not run.running})
        return [read.get(arn) or self._ended[arn, mark] for arn, mark in marks.items()]

    def reader(self, name: str, *, suspects: bool = False) -> QueueReader:
        """Return the queue of a run, or the suspects of a training; what was opened last stays open.

        Raises CommandError for a run without them.
        """
        check_run_name(name)
        key = (name, suspects)
        with self._lock:
            opening = self._opening.setdefault(key, Lock())
        with opening:  # of this run only: the others' reviewers do not wait
            if key not in self._readers:
                try:
                    read = open_suspects if suspects else QueueReader.of_run
                    made = read(self.account, self.stack, self.folder(name))
                finally:
                    with self._lock:
                        self._opening.pop(key, None)
                with self._lock:
                    self._readers[key] = made
        with self._lock:
            reader = self._readers[key]
            self._readers.move_to_end(key)
            while len(self._readers) > MOST_OPEN:
                self._readers.popitem(last=False)
            return reader

    def document(self, uri: str) -> dict[str, Any]:
        """Return a JSON file that a run left and nobody changes; an empty one where there is none."""
        if uri not in self._documents and (found := objects.read_json(self.account, uri)):
            self._documents[uri] = found
        return self._documents.get(uri, {})

    def skipped(self, run: str, window: str) -> set[int]:
        """Return the rows that a window has left for later, to be changed."""
        self.person(window)
        with self._lock:
            while len(self._skipped) > MOST_WINDOWS:
                self._skipped.popitem(last=False)
            return self._skipped.setdefault((run, window), set())

    def folder(self, name: str) -> str:
        """Return the folder of a run's files, which stay when Step Functions forgets it after 90 days."""
        found = self.glance(name)
        return found.folder if found else name

    def left(self, labelled: list[Run]) -> dict[str, int]:
        """Return how many rows of labelled files are for people to decide still, as far as it is known.

        Of a queue that nobody has opened here, what was decided is counted beside, now and then.
        """
        asked = {run.name: run for run in labelled if "queue_rows" in run.data.get("results", {})}
        opened = {name: reader for name in asked if (reader := self._readers.get((name, False)))}
        unopened = {name: run.folder for name, run in asked.items() if name not in opened}
        wait([each for folder in unopened.values() if (each := self._recount(folder))], WAITED_SECONDS)
        decided = {name: reader.rows - reader.left for name, reader in opened.items()}
        decided |= {
            name: self._counted[folder][0] for name, folder in unopened.items() if folder in self._counted
        }
        return {name: asked[name].data["results"]["queue_rows"] - rows for name, rows in decided.items()}

    def _recount(self, folder: str) -> Future[None] | None:
        """Let it be counted what was decided of a queue, unless that is known or under way."""
        with self._lock:
            going = self._counting.get(folder)
            if (going is None or going.done()) and self._counted.get(folder, (0, 0.0))[1] < time.monotonic():
                self._counting[folder] = going = self._counters.submit(self._count, folder)
            return going

    def _count(self, folder: str) -> None:
        began = time.monotonic()
        with suppress(BotoCoreError, ClientError):  # only to be told; the review says what is wrong
            rows = Decisions(self.account.dynamodb, self.stack.decisions, folder).count()
            now = time.monotonic()
            self._counted[folder] = rows, now + max(COUNTED_SECONDS, PAUSE * (now - began))

    def _arn(self, name: str) -> str:
        check_run_name(name)
        return runs.arn_of(self.stack, name)


def check_run_name(name: str) -> None:
    """Raise NotFoundError unless this may be the name of a run."""
    if not _RUN.fullmatch(name) or name.strip(".") == "":
        raise NotFoundError("There is no such run: the first page lists them.")
