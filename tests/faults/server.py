"""The local AWS with faults, run by its own environment: `server.py up` in place of `python -m local up`.

Without rules it is the local AWS. Rules come over HTTP at `/_faults` (control.py): PUT sets them, GET gives
the requests that came and how many are held, POST lets the held ones go on, DELETE ends all of it.
"""

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from local import cli, lifecycle
from local import server as local_server
from tests.faults.rules import CUT, HOLD, HOST, REFUSALS, UNANSWERED, Request, Rule, Rules, refusal

RULES = Rules()
HELD: list[threading.Event] = []
HOST_GONE = "Host EC2 (instance i-0123456789abcdef0) terminated."
# How the state machine names a service's refusal of a call that it makes itself, without HTTP.
THROTTLED_AS = {"lambda": "Lambda.TooManyRequestsException", "sns": "SNS.ThrottledException"}
REFUSED_AS = {"lambda": "Lambda.AWSLambdaException", "sns": "SNS.AuthorizationErrorException"}


class Faulty:
    """An ASGI application in front of another."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"] == "/_faults":
            return await _control(scope["method"], receive, send)
        asked = _request(scope)
        kind = RULES.of(asked)
        if kind in REFUSALS:
            return await _answer(send, *refusal(kind, asked))
        if kind == HOLD:
            await asyncio.to_thread(_hold)
        if kind in {CUT, UNANSWERED}:
            send = _broken(send, answers=kind == CUT)
        return await self.app(scope, receive, send)


def _request(scope: Any) -> Request:
    headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
    signed = headers.get("authorization", "").split("Credential=")[-1].split("/")
    service = signed[3] if len(signed) > 3 else ""
    if service == "s3":
        return Request("s3", _s3_operation(scope), unquote(scope["path"]).lstrip("/"))
    operation = headers.get("x-amz-target", scope["path"].rsplit("/", 1)[-1]).split(".")[-1]
    return Request(service, operation)


def _s3_operation(scope: Any) -> str:
    method, query = scope["method"], parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    if "list-type" in query:
        return "ListObjectsV2"
    if "uploadId" in query:
        return "UploadPart" if method == "PUT" else "CompleteMultipartUpload"
    return f"{method.capitalize()}Object"


def _hold() -> None:
    gone_on = threading.Event()
    HELD.append(gone_on)
    gone_on.wait(120)


def _release() -> None:
    while HELD:
        HELD.pop().set()


def _broken(send: Any, *, answers: bool) -> Any:
    """Send the first half of the body (or nothing at all), and let the connection end there."""

    async def sending(message: Any) -> None:
        if answers and message["type"] == "http.response.body":
            body = message.get("body", b"")
            await send({**message, "body": body[: len(body) // 2], "more_body": True})
        elif answers:
            await send(message)
            return
        raise ConnectionAbortedError("a test broke the connection off")

    return sending


async def _control(method: str, receive: Any, send: Any) -> None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if method in {"PUT", "DELETE"}:
        RULES.rules = [Rule(**each) for each in json.loads(body)] if method == "PUT" else []
        RULES.requests.clear()
    if method in {"POST", "DELETE"}:
        _release()
    told = {"requests": [vars(request) for request in RULES.requests], "held": len(HELD)}
    await _answer(send, 200, {"content-type": "application/json"}, json.dumps(told).encode())


async def _answer(send: Any, status: int, headers: dict[str, str], body: bytes) -> None:
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    named.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": named})
    await send({"type": "http.response.body", "body": body})


def _install() -> None:
    """Put the faults in front of the services, of the state machine's own calls, and of Batch's hosts."""
    from ministack import app  # noqa: PLC0415

    from local import batch_jobs  # noqa: PLC0415
    from local.patches import replace  # noqa: PLC0415
    from local.step_functions import error  # noqa: PLC0415

    app.app = Faulty(app.app)

    def invoking(original: Any) -> Any:
        def invoke(resource: str, input_data: Any) -> Any:
            service, _, operation = resource.removeprefix("arn:aws:").replace(":states:::", "").partition(":")
            service, operation = ("sns", "Publish") if "sns:publish" in resource else (service, operation)
            kind = RULES.of(Request("states", service, operation))
            if kind in REFUSALS and service in REFUSED_AS:
                names = THROTTLED_AS if kind == "throttled" else REFUSED_AS
                raise error(names[service], f"injected by a test: {kind}")
            return original(resource, input_data)

        return invoke

    replace("services.stepfunctions", "_invoke_resource", invoking)
    run_program = batch_jobs.ContainerJob._run_program

    def run(job: Any, *arguments: Any) -> tuple[int, str]:
        code, reason = run_program(job, *arguments)
        return (code, HOST_GONE) if RULES.of(Request("batch", "attempt")) == HOST else (code, reason)

    batch_jobs.ContainerJob._run_program = run  # type: ignore[method-assign]


def serve() -> int:
    """Run the server with the faults in it."""
    extend = local_server._extend

    def extended(settings: Any) -> None:
        extend(settings)
        _install()

    local_server._extend = extended
    return local_server.main()


def up() -> int:
    """Start the server as `python -m local up` does, but this one."""

    def start(_: Any, **options: Any) -> Any:
        return subprocess.Popen([sys.executable, __file__], **options)

    lifecycle.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": start})  # type: ignore[attr-defined]
    return cli.main(["up"])


if __name__ == "__main__":
    sys.exit(up() if sys.argv[1:] == ["up"] else serve())
