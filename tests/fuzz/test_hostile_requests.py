"""Whatever is sent to a model that is served, the answer is labels or a refusal, never a fault."""

import json
import os
import random
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.testclient import TestClient

from container.endpoint import application
from contract.served import SERVED_TYPES
from model import artifact
from tests.container.conftest import run, trained

__all__ = ["run", "trained"]

REQUESTS = int(os.environ.get("CLAIMFLOW_FUZZ", "500")) * 2
HEADERS = ["content-type", "accept", "x-amzn-sagemaker-custom-attributes"]
TYPES = [*SERVED_TYPES, "text/csv; header=absent", "application/x-ndjson", "*/*", "text/*", "", ";;,", "é"]
PIECES = [
    *(
        "text",
        "id,text",
        "\r\n",
        "\n",
        ",",
        '"',
        "\\",
        "\x00",
        "\ufeff",
        "{",
        "}",
        "[",
        "]",
        "[[[[",
        ":",
        "null",
    ),
    *('{"text": "brake"}', '{"instances": [', '"instances"', '"text"', "NaN", "1e999", "9" * 5000, "\\ud800"),
    *("brake disc", "é\u0301\u200b", "\u2028", "x" * 2000, "😀" * 50, "<script>", "=1+1", "true", "-0", '""'),
]


class Sent(NamedTuple):
    """A request: its headers and its body."""

    headers: dict[str, bytes]
    body: bytes


def hostile(chance: random.Random) -> Sent:
    """Make a request that is nearly right, or nonsense."""
    headers = {name: chance.choice(TYPES) for name in HEADERS if chance.random() < 0.8}
    pieces = chance.choices(PIECES, k=chance.randrange(12))
    body = "".join(pieces).encode()
    for _ in range(chance.randrange(3)):
        place = chance.randrange(len(body) + 1)
        body = body[:place] + chance.randbytes(chance.randrange(4)) + body[place + chance.randrange(4) :]
    return Sent({name: value.encode() for name, value in headers.items()}, body)


@pytest.fixture(scope="module")
def client(trained: Path) -> TestClient:
    return TestClient(application(artifact.load(trained / "model"), {}), raise_server_exceptions=False)


def test_no_request_makes_the_server_fail(client: TestClient) -> None:
    seen: set[int] = set()
    for seed in range(REQUESTS):
        sent = hostile(random.Random(seed))
        path = "/invocations?explain=true" if seed % 4 == 0 else "/invocations"
        answer = client.post(path, content=sent.body, headers=sent.headers)
        seen.add(answer.status_code)
        assert answer.status_code < 500, (seed, sent, answer.text)
        if answer.status_code >= 400:
            assert json.loads(answer.content)["error"].endswith("."), (seed, sent)
    assert seen >= {200, 400, 406, 415}
