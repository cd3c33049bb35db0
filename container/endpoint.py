"""The web application that answers with a model, and the processes in which it runs.

`GET /ping` says that the model is there, `POST /invocations` labels rows (see `container.invocation`), and
`GET /execution-parameters` tells a batch transform of SageMaker how much to send. A model whose parts all
fork is served by a process for each core.
"""

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

import anyio
import uvicorn
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from container import failure, invocation
from container.failure import UsageError, Wording
from container.invocation import MOST_BYTES, Body, Kind, RequestError
from contract.part import Prediction
from contract.served import CSV
from model.classifier import Classifier
from model.cores import available_cores
from model.data import Row
from model.lifetime import end_with
from model.prediction import chunks, predict_chunk

WORDING = Wording(
    disk_full="The disk is full: free disk space, or enlarge it, and start again.",
    more_memory="send fewer or shorter texts at once, or serve on a machine with more of it.",
    unexpected="The texts were not labelled: unexpected {}",
)
ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"  # the one header that an endpoint passes on
EXPLAIN = "explain=true"
PAYLOAD_MB = 6  # of a batch transform's request
SECONDS_TO_END = 20  # that an answer under way has; SageMaker kills after thirty
FAILED = 1


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address. Raises UsageError where it cannot."""
    # asyncio lets a small answer go at once (TCP_NODELAY) only where the protocol is named.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen()
    except OSError as error:
        made.close()
        raise UsageError(f"Port {port} cannot be used ({error.strerror}): name another one.") from None
    return made


def serve(classifier: Classifier, at: socket.socket, headers: Mapping[str, str] | None = None) -> int:
    """Answer requests at a socket until a signal asks to stop; returns the exit code.

    `headers` go along with each answer.
    """
    app = application(classifier, headers or {})
    classifier.predict_proba(["é"])  # builds the tables once, for all processes
    count = available_cores() if all(part.forks for part in classifier.parts) else 1
    if count == 1:
        _answer(app, at)
        return 0
    return _side_by_side(lambda: _answer(app, at), count)


def application(classifier: Classifier, headers: Mapping[str, str]) -> Starlette:
    """Return the web application that answers with a model."""
    one_at_a_time = CapacityLimiter(1)  # a prediction has a core to itself; other requests wait their turn

    async def invoke(request: Request) -> Response:
        body_kind = invocation.kind_of(request.headers.get("content-type", CSV))
        kind = invocation.answer_kind(request.headers.get("accept", ""), body_kind)
        content = await _content(request)
        answer = await anyio.to_thread.run_sync(
            _labelled, classifier, content, body_kind, kind, _explain(request), limiter=one_at_a_time
        )
        return Response(answer, media_type=kind.media_type, headers=dict(headers))

    async def ping(_: Request) -> Response:
        return Response()

    async def parameters(_: Request) -> Response:
        told = {
            "MaxConcurrentTransforms": available_cores(),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": PAYLOAD_MB,
        }
        return JSONResponse(told)

    return Starlette(
        routes=[
            Route("/ping", ping),
            Route("/invocations", invoke, methods=["POST"]),
            Route("/execution-parameters", parameters),
        ],
        exception_handlers={RequestError: _refused, ClientDisconnect: _gone, Exception: _failed},
    )


def _labelled(classifier: Classifier, content: bytes, body_kind: Kind, kind: Kind, explain: bool) -> bytes:
    body = invocation.read(content, body_kind, classifier.config.text_column)
    found = invocation.lines(body, _predictions(classifier, body, explain), explain=explain)
    return invocation.written(found, kind)


def _predictions(classifier: Classifier, body: Body, explain: bool) -> list[Prediction]:
    pairs = enumerate(zip(body.texts, body.errors, strict=True))
    rows = (Row(number, text) for number, (text, error) in pairs if not error)
    return [each for chunk in chunks(rows) for each in predict_chunk(classifier, chunk, explain)]


def _explain(request: Request) -> bool:
    """Return whether a request wants the column `because`, by its address or by the header of SageMaker."""
    attributes = request.headers.get(ATTRIBUTES, "").replace(" ", "").lower().split(",")
    return EXPLAIN in attributes or request.query_params.get("explain", "").lower() == "true"


async def _content(request: Request) -> bytes:
    """Return the body. Raises RequestError as soon as it is too large."""
    parts, size = [], 0
    async for part in _stream(request):
        size += len(part)
        if size > MOST_BYTES:
            raise RequestError(
                413, f"The body is larger than {MOST_BYTES // 2**20} MiB: send fewer rows at once."
            )
        parts.append(part)
    return b"".join(parts)


async def _stream(request: Request) -> AsyncIterator[bytes]:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > MOST_BYTES:
        yield bytes(MOST_BYTES + 1)
        return
    async for part in request.stream():
        yield part


async def _refused(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RequestError) else 400
    return JSONResponse({"error": str(error)}, status)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # which nobody reads


async def _failed(_: Request, error: Exception) -> Response:
    sentence = failure.sentence(error, WORDING) if isinstance(error, Exception) else ""
    print(sentence, flush=True)
    return JSONResponse({"error": sentence}, 500)


def _answer(app: Starlette, at: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=SECONDS_TO_END,
    )
    signal.signal(signal.SIGTERM, _leave)  # what uvicorn raises again when it has ended
    with suppress(KeyboardInterrupt, SystemExit):
        uvicorn.Server(config).run(sockets=[at])


def _leave(*_: object) -> NoReturn:
    sys.exit()


def _side_by_side(answer: Callable[[], None], count: int) -> int:
    """Let processes answer at the same socket; when one is killed, end them all, as its place stays empty."""
    parent = os.getpid()
    children = [_forked(answer, parent) for _ in range(count)]
    asked: list[int] = []

    def stop(number: int, _: Any) -> None:  # noqa: ANN401  a frame
        asked.append(number)
        _end(children, signal.SIGTERM)

    for asking in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asking, stop)
    code = 0
    for _ in range(count):
        ended, status = os.waitpid(-1, 0)
        children.remove(ended)
        number = -os.waitstatus_to_exitcode(status)
        if not asked:
            if number > 0:
                print(failure.of_signal(signal.Signals(number), WORDING), flush=True)
            code = FAILED
            _end(children, signal.SIGTERM)
    return code


def _forked(answer: Callable[[], None], parent: int) -> int:
    child = os.fork()
    if child:
        return child
    end_with(parent)
    code = FAILED
    try:
        answer()
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)


def _end(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
