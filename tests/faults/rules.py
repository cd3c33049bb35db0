"""What goes wrong, where and how often: in this process (clients.py) and in the local AWS (server.py)."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

# What the network does; every other kind is an answer of AWS.
RESET, CUT, HOLD, HOST = "reset", "cut", "hold", "host"
UNANSWERED = "unanswered"  # AWS does what it is asked, and the answer is lost
THROTTLED, BROKEN, DENIED, FULL = "throttled", "broken", "denied", "full"
PASSING = (THROTTLED, BROKEN, UNANSWERED, RESET, CUT)
REFUSALS = (THROTTLED, BROKEN, DENIED, FULL)

#: How each service says it: kind → (HTTP status, error code).
_S3 = {THROTTLED: (503, "SlowDown"), BROKEN: (500, "InternalError"), DENIED: (403, "AccessDenied")}
_OTHERS = {
    THROTTLED: (400, "ThrottlingException"),
    BROKEN: (500, "InternalFailure"),
    DENIED: (400, "AccessDeniedException"),
    FULL: (400, "ResourceLimitExceeded"),
}


@dataclass(frozen=True)
class Request:
    """A request to AWS: `s3`, `PutObject`, `bucket/key`."""

    service: str
    operation: str
    target: str = ""


@dataclass
class Rule:
    """A fault: `kind` befalls the requests that match.

    Attributes:
        kind: one of the names above
        service: of the request, as a pattern
        operation: of the request, as a pattern
        target: of the request, as a pattern: `bucket/key` for S3
        times: how often; None is for ever
        skip: how many matching requests go well before
        each: count `times` and `skip` for every different request by itself

    """

    kind: str
    service: str = "*"
    operation: str = "*"
    target: str = "*"
    times: int | None = 1
    skip: int = 0
    each: bool = False
    _seen: Counter[Request | None] = field(default_factory=Counter, repr=False)

    def befalls(self, request: Request) -> bool:
        """Return whether it is this request's turn, and count it."""
        given = (request.service, request.operation, request.target)
        if not all(map(fnmatchcase, given, (self.service, self.operation, self.target))):
            return False
        key = request if self.each else None
        self._seen[key] += 1
        before = self._seen[key] - 1 - self.skip
        return before >= 0 and (self.times is None or before < self.times)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON for a server."""
        return {key: value for key, value in asdict(self).items() if not key.startswith("_")}


class Rules:
    """The rules that hold now, and every request that came."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = list(rules)
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    def of(self, request: Request) -> str | None:
        """Return the kind of the first rule that befalls a request, or None."""
        with self._lock:
            self.requests.append(request)
            return next((rule.kind for rule in self.rules if rule.befalls(request)), None)


def refusal(kind: str, request: Request) -> tuple[int, dict[str, str], bytes]:
    """Return the answer of AWS that stands for a kind: status, headers and body in the service's protocol."""
    status, code = (_S3 if request.service == "s3" else _OTHERS)[kind]
    said = f"injected by a test: {kind}"
    if request.service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{said}</Message></Error>"
        return (
            status,
            {"content-type": "application/xml"},
            b"" if request.operation == "HeadObject" else body.encode(),
        )
    if request.service == "sns":
        told = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error>"
        body = f"<ErrorResponse>{told}</ErrorResponse>"
        return status, {"content-type": "text/xml"}, body.encode()
    body = f'{{"__type": "{code}", "message": "{said}"}}'
    return status, {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code}, body.encode()
