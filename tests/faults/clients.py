"""Faults for the boto3 clients of this process: before a request reaches moto, or instead of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlparse

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.models import botocore_stubber

from tests.faults.rules import CUT, REFUSALS, RESET, UNANSWERED, Request, Rule, Rules, refusal

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def faults(clients: list[Any], *rules: Rule) -> Iterator[Rules]:
    """Let rules hold for clients; yields them, with the requests that came. Nothing waits between retries."""
    active = Rules(*rules)

    def before_send(event_name: str, request: Any, **_: Any) -> None:
        _, service, operation = event_name.split(".")
        request.asked = Request(service, operation, _target(request.url))

    def process(request: Any) -> Answer | None:
        return _answer(active.of(request.asked), request, original)

    original = botocore_stubber.process_request
    for client in clients:
        client.meta.events.register_first("before-send", before_send)
    try:
        with (
            patch("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None)),
            # Used up by the test before, it would let this one fail at once.
            patch("botocore.retries.quota.RetryQuota.acquire", return_value=True),
            patch.object(botocore_stubber, "process_request", process),
        ):
            yield active
    finally:
        for client in clients:
            client.meta.events.unregister("before-send", before_send)


def _answer(kind: str | None, request: Any, ask: Callable[[Any], Answer | None]) -> Answer | None:
    if kind == RESET:
        raise ConnectionClosedError(endpoint_url=request.url)
    if kind in REFUSALS:
        return refusal(kind, request.asked)
    answer = ask(request)
    if kind == UNANSWERED:
        raise ReadTimeoutError(endpoint_url=request.url)
    if kind == CUT and answer:
        status, headers, body = answer
        return status, headers, body[: len(body) // 2]
    return answer


def _target(url: str) -> str:
    """Return `bucket/key`, whether the bucket stands in the host's name or in the path."""
    parts = urlparse(url)
    bucket, found, _ = parts.netloc.partition(".s3.")
    path = unquote(parts.path).lstrip("/")
    return f"{bucket}/{path}" if found else path
