"""Reads the parts of a prediction: several ahead, at the same time, and each checked before its first row.

What a part was made of stands in its metadata (see contract/part.py).
"""

import hashlib
import io
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import IO, BinaryIO, TextIO, cast

from collect.merge import PartMissing, ShardPart
from contract.errors import PredictionFailed, StorageError
from contract.manifest import Manifest, Shard
from contract.part import origin, program
from shared import parts, storage
from shared.aws import CONNECTIONS

SPOOLED_BYTES = 2 * 1024 * 1024  # of a part that are held in memory; a larger one goes to the disk


class Parts:
    """The shards of a manifest, each with its part.

    Attributes:
        missing: number and sentence of each shard without a part that can be used, filled while reading
        programs: which versions of the program made the parts, filled while reading

    """

    def __init__(self, manifest: Manifest, model_uri: str, silent: dict[int, str] | None = None) -> None:
        """See what is there; nothing of it is read yet.

        Args:
            manifest: of the shards
            model_uri: of the model that labelled them
            silent: why shards failed that may not have said so themselves, by their numbers

        """
        self.missing: dict[int, str] = {}
        self.programs: set[str] = set()
        self._manifest = manifest
        self._silent = silent or {}
        try:
            self._model_etag = storage.head(storage.parse_uri(model_uri)).etag
        except StorageError as error:
            raise PredictionFailed(f"The model that labelled the rows is gone: {error}.") from error
        self._there, self._failed = parts.listed(manifest)

    @property
    def count(self) -> int:
        """How many shards there are."""
        return len(self._manifest.shards)

    def absent(self) -> list[int]:
        """Return the numbers of the shards of which there is no part at all."""
        return [number for number in range(self.count) if number not in self._there]

    def rows(self, numbers: Iterable[int]) -> int:
        """Return how many rows these shards have."""
        return sum(self._manifest.shards[number].rows for number in numbers)

    def sentence(self, number: int) -> str:
        """Return why a shard has no part, as far as it or AWS Batch said so."""
        if number in self._failed:
            try:
                return parts.sentence(self._manifest, number)
            except StorageError:
                pass
        if number in self._silent:
            return f"shard {number} left no part: {self._silent[number]}"
        return f"shard {number} left no part and no reason."

    def __iter__(self) -> Iterator[ShardPart]:
        """Yield the shards in order, with the next parts on their way."""
        pool = ThreadPoolExecutor(CONNECTIONS)
        waiting: deque[ShardPart] = deque()
        try:
            for number, shard in enumerate(self._manifest.shards):
                reading = pool.submit(self._read, number, shard)
                waiting.append(ShardPart(number, shard.rows, partial(self._opened, number, reading)))
                if len(waiting) > CONNECTIONS:
                    yield waiting.popleft()
            yield from waiting
        finally:
            pool.shutdown(cancel_futures=True)

    def _opened(self, number: int, reading: "Future[tuple[str, TextIO]]") -> TextIO:
        try:
            made_by, rows = reading.result()
        except PartMissing as error:
            self.missing[number] = str(error)
            raise
        self.programs.add(made_by)
        return rows

    def _read(self, number: int, shard: Shard) -> tuple[str, TextIO]:
        """Return the program that made a part, and its rows. Raises PartMissing if it cannot be used."""
        info = self._there.get(number)
        if info is None:
            raise PartMissing(self.sentence(number))
        file = cast("IO[bytes]", tempfile.SpooledTemporaryFile(SPOOLED_BYTES))  # noqa: SIM115  the reader closes it
        try:
            stream, facts = storage.open_with_metadata(info)
            digest = _copy(stream, file)
            self._check(number, shard, facts, digest)
        except BaseException as error:
            file.close()
            if isinstance(error, StorageError):
                raise self._unusable(number, f"cannot be read: {error}") from error
            raise
        file.seek(0)
        return program(facts), io.TextIOWrapper(file, encoding="utf-8", newline="")

    def _check(self, number: int, shard: Shard, facts: dict[str, str], digest: str) -> None:
        sha256 = shard.sha256 or storage.head(storage.parse_uri(shard.uri)).etag
        explain, target = self._manifest.explain, self._manifest.target_precision
        expected = origin(sha256, self._model_etag, shard.rows, explain=explain, target_precision=target)
        if flaw := expected.flaw(facts, digest):
            raise self._unusable(number, flaw)

    def _unusable(self, number: int, problem: str) -> PartMissing:
        sentence = (
            self.sentence(number) if number in self._failed else f"the part of shard {number} {problem}."
        )
        return PartMissing(sentence)


def _copy(stream: BinaryIO, file: IO[bytes]) -> str:
    """Copy, and give the digest of what was copied."""
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
        file.write(block)
    return digest.hexdigest()
