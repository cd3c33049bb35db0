"""Lets faults befall a local AWS that `server.py` runs."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.faults.rules import Request, Rule

WAIT_SECONDS = 120


class Faults:
    """The faults of one local AWS, by its address."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def requests(self) -> list[Request]:
        """Return the requests that came since the rules were set."""
        return [Request(**each) for each in self._ask("GET")["requests"]]

    def wait_for_held(self, count: int = 1) -> None:
        """Wait until so many requests are held."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._ask("GET")["held"] < count:
            assert time.monotonic() < deadline, "no request was held"
            time.sleep(0.05)

    def release(self) -> None:
        """Let the held requests go on."""
        self._ask("POST")

    def _ask(self, method: str, document: Any = None) -> Any:
        body = json.dumps(document).encode()
        asked = urllib.request.Request(f"{self.endpoint}/_faults", method=method, data=body)  # noqa: S310
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())


@contextmanager
def befalling(endpoint: str, *rules: Rule) -> Iterator[Faults]:
    """Let rules hold for a while."""
    faults = Faults(endpoint)
    faults._ask("PUT", [rule.as_json() for rule in rules])
    try:
        yield faults
    finally:
        faults._ask("DELETE")
