"""Goes through all files of a stack and takes the rows of claims out, in all versions.

The rows are looked for first, in the files that have the column. By them their copies are known in the files
that have not, which go first: so a command that was interrupted finds what is left when it is given again.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from contract import keys, manifest
from contract.lineage import LearnedFile, Lineage
from contract.queue import Queue
from workflow import lineage, models, objects, runs, suspects
from workflow.account import Account
from workflow.decisions import Decisions
from workflow.errors import CommandError
from workflow.forgetting import files, queues, versions
from workflow.forgetting.claims import Claim
from workflow.forgetting.files import Rewrite
from workflow.forgetting.tables import NotReadableError, opened
from workflow.forgetting.versions import Version
from workflow.models import Model
from workflow.stack import Stack

Tell = Callable[[str], None]
LOOKED_AT = 1000  # of the newest runs: which go on


@dataclass(frozen=True)
class Effect:
    """What becomes of an object."""

    uri: str
    rows: int
    """Rows or quoted texts in the version that has most of them."""
    versions: int
    """That hold some, and are deleted."""
    rewritten: bool
    """Whether it stays, without the rows: at the same address, or at `now`."""
    now: str = ""


@dataclass
class Erasure:
    """What was found, and done if it was asked for."""

    searched: int = 0
    """Versions of files."""
    effects: list[Effect] = field(default_factory=list)
    decisions: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    """Why a file could not be searched or rewritten, by its address."""
    without: int = 0
    """Uploads that have no such column."""
    learned: list[tuple[Model, str]] = field(default_factory=list)
    """The versions of the model that learned from a file with such a row, and how each stands."""

    @property
    def rows(self) -> int:
        """Rows in all files, a row in several files as often."""
        return sum(effect.rows for effect in self.effects)


def erase(account: Account, stack: Stack, claim: Claim, tell: Tell, *, do: bool) -> Erasure:
    """Look for the claims and, with `do`, delete them.

    Raises CommandError where a run goes on that reads a file of theirs, or something may not be deleted.
    """
    work = _Work(account, stack, claim, tell, do)
    tables = list(work.find())
    work.done.learned = list(_learned(account, stack, claim))
    if not tables:
        return work.done
    if do:
        _refuse_running(account, stack, claim)
    work.predictions()
    work.others("artifacts", stack.artifacts)
    work.others("results", stack.results)
    work.decisions()
    work.queues()
    for versions_of in tables:
        if versions_of[0].bucket == stack.results:
            work.rewrite(versions_of, partial(files.by_column, keep_places=_keeps_places(versions_of[0].key)))
    work.uploads([each for each in tables if each[0].bucket == stack.uploads])
    return work.done


def _keeps_places(key: str) -> bool:
    return keys.kind(key.rsplit("/", 1)[-1]).startswith("results.")


@dataclass
class _Work:
    """The way through the files."""

    account: Account
    stack: Stack
    claim: Claim
    tell: Tell
    do: bool
    done: Erasure = field(default_factory=Erasure)

    def find(self) -> Iterator[list[Version]]:
        """Learn the claim's rows from the files that have the column; yields those that hold some."""
        for role, bucket in (("uploads", self.stack.uploads), ("results", self.stack.results)):
            for listed in versions.listed(self.account, bucket):
                if files.has_column(role, listed[0].key) and sum(map(self._learn, listed)):
                    yield listed
        self._find_suspects()
        yield from self._find_decided()

    def predictions(self) -> None:
        """Delete the work of predictions of the claim's files: nothing can go on with it without its file."""
        for listed in versions.listed(self.account, self.stack.artifacts, keys.RUNS_PREFIX):
            key = listed[0].key
            if key.rsplit("/", 1)[-1] != "manifest.json" or not files.PREDICT_WORK.match(key):
                continue
            if not any(self._reads_claim(each) for each in listed):
                continue
            folder = key.rsplit("/", 1)[0] + "/"
            every = list(versions.listed(self.account, self.stack.artifacts, folder))
            found = [each for of_key in every for each in of_key]
            self.done.effects.append(
                Effect(f"s3://{self.stack.artifacts}/{folder}", 0, len(found), rewritten=False)
            )
            if self.do:
                self.tell(f"Deleting {folder}")
                own = [each for each in found if each.key == key]
                versions.delete(self.account, [each for each in found if each.key != key])
                versions.delete(self.account, own)  # by which the folder is known

    def others(self, role: str, bucket: str) -> None:
        """Rewrite the files of a bucket that hold copies or quote texts."""
        for listed in versions.listed(self.account, bucket):
            if made := files.rewriting(role, listed[0].key):
                self.rewrite(listed, made)

    def decisions(self) -> None:
        """Delete what people decided of the claim's rows."""
        for run, numbers in self.claim.numbers.items():
            kept = Decisions(self.account.dynamodb, self.stack.decisions, run)
            for number in sorted(numbers):
                if kept.one(number) is None:
                    continue
                self.done.decisions += 1
                if self.do:
                    kept.forget(number)

    def queues(self) -> None:
        """Rewrite the queues that have the claim's rows."""
        for listed in versions.listed(self.account, self.stack.results):
            if folder := files.queue_of(listed[0].key):
                self._queue(folder, listed)

    def rewrite(self, listed: Sequence[Version], made: Rewrite) -> None:
        """Rewrite the newest version of a file, and delete all versions that hold the claim."""
        found = 0
        held: list[Version] = []
        is_there = False
        for version, count, to in self._holding(listed, made):
            held.append(version)
            found = max(found, count)
            if version.newest:
                is_there = True
                if self.do:
                    self.tell(f"Rewriting {version.uri}")
                    versions.replace(self.account, version, to)
        if held:
            self.done.effects.append(Effect(held[0].uri, found, len(held), is_there))
        if self.do:
            versions.delete(self.account, [each for each in held if not each.newest])

    def uploads(self, tables: Iterable[list[Version]]) -> None:
        """Rewrite uploads that are there, or that a model learned from; delete all that hold the claim."""
        made_of = _lineages(self.account, [model for model, _ in self.done.learned])
        wanted = {_place(file) for each in made_of.values() for file in each["files"]}
        moved: dict[tuple[str, str], LearnedFile] = {}
        for listed in tables:
            held: list[Version] = []
            found, now = 0, ""
            rewriting = files.rewriting("uploads", listed[0].key) or partial(
                files.by_column, keep_places=False
            )
            for version, count, to in self._holding(listed, rewriting):
                held.append(version)
                found = max(found, count)
                stays = version.newest or (version.uri, version.id) in wanted
                if stays and self.do:
                    self.tell(f"Rewriting {version.uri}")
                    file = versions.move(self.account, self.stack, version, to)
                    moved[version.uri, version.id] = file
                    now = file["uri"] if version.newest else now
            if not held:
                continue
            is_newest = any(each.newest for each in held)
            self.done.effects.append(Effect(held[0].uri, found, len(held), is_newest, now))
            if self.do:
                _write_lineages(self.account, made_of, moved)
                if is_newest and len(held) < len(listed):
                    versions.hide(self.account, held[0])
                versions.delete(self.account, held)

    def _holding(self, listed: Sequence[Version], made: Rewrite) -> Iterator[tuple[Version, int, Path]]:
        """Yield each version that holds something of the claim, how much, and a file with the rest."""
        for version in listed:
            with self._reading(version, made) as (count, to):
                if count:
                    yield version, count, to

    @contextmanager
    def _reading(self, version: Version, made: Rewrite) -> Iterator[tuple[int, Path]]:
        """Give how much of the claim a version holds, and a file with the rest."""
        self.done.searched += 1
        self.tell(f"Reading {version.uri}")
        with tempfile.TemporaryDirectory(prefix="claimflow-") as folder:
            path, to = Path(folder) / "file", Path(folder) / version.key.rsplit("/", 1)[-1]
            versions.fetch(self.account, version, path)
            try:
                found = made(path, to, self.claim)
            except NotReadableError as error:
                self.done.unread[version.uri] = str(error)
                found = 0
            yield found, to

    def _learn(self, version: Version) -> bool:
        """Learn the claim's rows of a version; tells whether there are any."""
        is_input = version.bucket == self.stack.uploads
        is_results = not is_input and _keeps_places(version.key)
        folder = version.key.split("/", 1)[0]

        def learn(path: Path, _: Path, claim: Claim) -> int:
            table = opened(path, claim.column)
            self.done.without += table is None and is_input and version.newest
            found = [row for row in table.rows() if claim.has(row)] if table else []
            for row in found:
                claim.learn(row, is_input=is_input)
                if is_results:
                    claim.numbers[folder].add(row.number)
            return len(found)

        with self._reading(version, learn) as (count, _):
            if count and is_input:
                self.claim.uploads.add((version.uri, version.id))
        return count > 0

    def _find_suspects(self) -> None:
        """Learn which places the claim's rows have among the suspects: decisions name them so."""
        for listed in versions.listed(self.account, self.stack.results):
            folder, _, name = listed[0].key.partition("/")
            if not keys.kind(name).startswith("suspects.") or not listed[0].newest:
                continue
            _, rows = suspects.read(self.account, self.stack, folder)
            for place, row in enumerate(rows):
                if self.claim.is_copy(row.text, line=row.line):
                    self.claim.numbers[keys.suspects_of(folder)].add(place)

    def _find_decided(self) -> Iterator[list[Version]]:
        """Learn where the claim's rows stand in files of decided rows; yields those."""

        def learn(path: Path, _: Path, claim: Claim) -> int:
            found = files.decided_copies(path, claim)
            for line, text in found:
                claim.learn_copy(line, text)
            return len(found)

        for listed in versions.listed(self.account, self.stack.uploads, keys.REQUESTS_PREFIX):
            if files.rewriting("uploads", listed[0].key) is None:
                continue
            holding = False
            for version in listed:
                with self._reading(version, learn) as (count, _):
                    holding = holding or count > 0
                    if count:
                        self.claim.uploads.add((version.uri, version.id))
            if holding:
                yield listed

    def _reads_claim(self, version: Version) -> bool:
        """Return whether a shard manifest names a file of the claim."""

        def read(path: Path, _: Path, claim: Claim) -> int:
            try:
                source = manifest.read(path.read_bytes(), version.uri).source
            except manifest.ManifestError as error:
                raise NotReadableError(str(error)) from error
            return (source.uri, source.version or "null") in claim.uploads

        with self._reading(version, read) as (found, _):
            return bool(found)

    def _queue(self, folder: str, listed: list[Version]) -> None:
        """Rewrite a queue: the rows under another name, then the index, which names them."""
        address = f"s3://{self.stack.results}/{folder}/{keys.QUEUE_INDEX}"
        index = cast("Queue | None", objects.read_json(self.account, address))
        numbers = self.claim.numbers.get(folder.split("/", 1)[0], set())
        held: list[Version] = []
        found = 0
        for version in listed:
            made: list[Queue] = []

            def rewrite(path: Path, to: Path, _: Claim, made: list[Queue] = made) -> int:
                if index is None:
                    raise NotReadableError("its index is not there")
                document, gone = queues.rewrite(index, path, to, lambda row: row["number"] in numbers)
                made.append(document)
                return gone

            with self._reading(version, rewrite) as (count, to):
                if not count:
                    continue
                held.append(version)
                found = max(found, count)
                if version.newest and index and index["rows"] == version.uri and self.do:
                    self._write_queue(folder, made[0], to)
        if held:
            self.done.effects.append(Effect(held[0].uri, found, len(held), held[0].newest))
        if self.do:
            versions.delete(self.account, held)

    def _write_queue(self, folder: str, index: Queue, rows: Path) -> None:
        self.tell(f"Rewriting {folder}/{keys.QUEUE_FOLDER}")
        key = f"{folder}/{keys.QUEUE_FOLDER}/rows-{versions.digest(rows)[:16]}.jsonl"
        self.account.s3.upload_file(str(rows), self.stack.results, key)
        index["rows"] = f"s3://{self.stack.results}/{key}"
        self.account.s3.put_object(
            Bucket=self.stack.results,
            Key=f"{folder}/{keys.QUEUE_INDEX}",
            Body=json.dumps(index, indent=2, ensure_ascii=False).encode() + b"\n",
            ContentType="application/json",
        )


def _learned(account: Account, stack: Stack, claim: Claim) -> Iterator[tuple[Model, str]]:
    every = models.list_models(account, stack)
    live = models.live(every)
    for model in every:
        made_of = lineage.read(account, model)
        if made_of and any(places(file) & claim.uploads for file in made_of["files"]):
            yield model, model.state(model == live)


def places(file: LearnedFile) -> set[tuple[str, str]]:
    """Return address and version of a file as it was learned, and as it was rewritten since."""
    return {(file["uri"], file["version"] or "null"), _place(file)}


def _place(file: LearnedFile) -> tuple[str, str]:
    """Return address and version of what a training would read now of a file."""
    now = file.get("rewritten", file)
    return now["uri"], now["version"] or "null"


def _lineages(account: Account, learned: Iterable[Model]) -> dict[str, Lineage]:
    """Return what models were made of, by the addresses of these documents."""
    found = ((model.model_uri, lineage.read(account, model)) for model in learned)
    return {keys.lineage(uri): made_of for uri, made_of in found if uri and made_of}


def _write_lineages(
    account: Account, made_of: dict[str, Lineage], moved: dict[tuple[str, str], LearnedFile]
) -> None:
    """Say in the documents from which file a training learns from now on."""
    for address, document in made_of.items():
        changed = False
        for file in document["files"]:
            if (now := moved.get(_place(file))) is not None:
                before = file.get("rewritten", now)
                file["rewritten"] = {**now, "uploaded": before.get("uploaded", now.get("uploaded", ""))}
                changed = True
        if changed:
            bucket, key = objects.place(address)
            body = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
            account.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")


def _refuse_running(account: Account, stack: Stack, claim: Claim) -> None:
    newest = runs.recent(account, stack, LOOKED_AT)
    going_on = [each["executionArn"] for each in newest if each["status"] == "RUNNING"]
    held = {uri for uri, _ in claim.uploads}
    for run in runs.glances(account, going_on):
        request = dict(run.data.get("request", {}))
        data: Any = request.get("data", [])
        named = {*(data if isinstance(data, list) else [data]), request.get("predict")}
        if read := sorted(filter(None, named & held)):
            raise CommandError(
                f"The run {run.name} goes on and reads {read[0]}: wait for its end, or stop it with "
                f"`{account.command} stop {run.name}`, then begin again."
            )
