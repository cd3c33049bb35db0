"""Serves the desk on the loopback address, to whoever has the address that is printed here."""

import socket
import webbrowser
from contextlib import suppress

import uvicorn

from desk.app import make_app
from desk.desk import Desk
from desk.guard import Guard
from workflow import display
from workflow.account import Account
from workflow.errors import CommandError
from workflow.stack import Stack

LOOPBACK = "127.0.0.1"
SECONDS_TO_END = 5  # that an answer under way has


def serve(account: Account, stack: Stack, port: int, *, open_browser: bool) -> None:
    """Serve the desk until Ctrl-C; raises CommandError where the port is taken."""
    desk = Desk(account, stack, account.caller or "somebody")
    for client in ("s3", "step_functions", "sagemaker", "dynamodb", "logs"):
        getattr(account, client)  # made here, as boto3's session is not for several threads
    with _bound(port) as listening:
        hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}
        addresses: list[str] = []

        def tell(token: str) -> None:
            what = "For another browser" if addresses else "Open in a browser"
            addresses.append(f"http://{LOOPBACK}:{port}/?token={token}")
            display.say(f"{what}: {addresses[-1]}")

        display.say(f"The desk of the stack {account.stack}; Ctrl-C ends it.", "bold")
        guard = Guard(make_app(desk), hosts, tell)
        if open_browser:
            webbrowser.open(addresses[0])
        _run(uvicorn.Server(_config(guard)), listening)


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    display.say("The desk is closed. What was decided is stored.")


def _config(guard: Guard) -> uvicorn.Config:
    return uvicorn.Config(
        guard,
        log_level="warning",
        access_log=False,  # addresses and texts stay out of every log
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=SECONDS_TO_END,
    )


def _bound(port: int) -> socket.socket:
    """Return a socket on the loopback address, which no other machine reaches."""
    # asyncio lets a small answer go at once (TCP_NODELAY) only where the protocol is named.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
        listening.listen()  # who opens the address at once waits until it is served
    except OSError as error:
        listening.close()
        raise CommandError(
            f"Port {port} cannot be used ({error.strerror}): another desk may run; name another with --port."
        ) from None
    return listening
