"""Starting and stopping the server as a background process."""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from local import kept
from local.identity import ProcessIdentity, identify, load_identity, stop_left_over
from local.settings import HOST, Settings, inherited_environment

START_SECONDS = 90.0
STOP_SECONDS = 20.0
_POLL_SECONDS = 0.1


class LifecycleError(Exception):
    """The server could not be started or stopped; the message is one sentence for the person who asked."""


def start(settings: Settings) -> bool:
    """Start the server unless it runs already, and wait until it answers; returns whether it was started now.

    Raises:
        LifecycleError: the port is taken, or the server ended or did not answer in time.

    """
    _check_environment()
    with _only_one(settings):
        if running(settings):
            return False
        _check_port(settings)
        stop_left_over(settings.pids)
        _clear(settings)
        server = _spawn(settings)
        try:
            _remember(settings, server)
            _wait_until_healthy(settings, server)
        except BaseException:
            _end(identify(server.pid), server)
            _forget(settings)
            raise
    return True


def stop(settings: Settings) -> bool:
    """Stop the server and every job it runs, and wait until they are gone; returns whether it was running."""
    if not settings.folder.exists():
        return False
    with _only_one(settings):
        server = running(settings)
        if server:
            _end(server)
        stop_left_over(settings.pids)
        _forget(settings)
        for folder in (settings.jobs, settings.temporary):
            shutil.rmtree(folder, ignore_errors=True)
    return server is not None


def reset(settings: Settings) -> None:
    """Stop the server and forget all it holds."""
    stop(settings)
    if settings.folder.exists():
        with _only_one(settings):
            kept.forget(settings)


def running(settings: Settings) -> ProcessIdentity | None:
    """Find the server's process, if it is alive."""
    identity = load_identity(_identity_file(settings))
    return identity if identity and identity.alive else None


def running_port(settings: Settings) -> int:
    """Return the port on which the running server was started, which may differ from today's setting."""
    try:
        return int(_port_file(settings).read_text())
    except (OSError, ValueError):
        return settings.port


def healthy(port: int) -> bool:
    """Return whether a server answers on this port."""
    url = f"http://{HOST}:{port}/_ministack/health"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # nosec B310
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _check_environment() -> None:
    if importlib.util.find_spec("ministack") is None:
        raise LifecycleError(
            "ministack is not installed here: run `make setup` and start with .venv/local/bin/python."
        )


@contextlib.contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Let one `up` or `down` at a time touch this folder; the lock goes with the process that holds it."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    with (settings.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, settings.port))
        except OSError as error:
            raise LifecycleError(
                f"Port {settings.port} cannot be used ({error.strerror}): another program has it, or "
                "it is not allowed; set CLAIMFLOW_LOCAL_PORT to a free port."
            ) from None


def _clear(settings: Settings) -> None:
    for folder in (settings.jobs, settings.pids, settings.temporary):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    with settings.server_log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "local.server"],
            cwd=settings.repository,
            env=_server_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _remember(settings: Settings, server: subprocess.Popen[bytes]) -> None:
    identify(server.pid).save(_identity_file(settings))
    _port_file(settings).write_text(str(settings.port))


def _forget(settings: Settings) -> None:
    _identity_file(settings).unlink(missing_ok=True)
    _port_file(settings).unlink(missing_ok=True)


def _server_environment(settings: Settings) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name.startswith("CLAIMFLOW_LOCAL_")}
    return {
        **inherited_environment(),
        **own,
        "CLAIMFLOW_LOCAL_DIR": str(settings.folder),
        "CLAIMFLOW_LOCAL_PORT": str(settings.port),
        "CLAIMFLOW_PROGRAMS": str(settings.programs),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(settings.temporary),
    }


def _wait_until_healthy(settings: Settings, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not healthy(settings.port):
        if server.poll() is not None:
            raise LifecycleError(
                f"The local AWS did not start: {_last_line(settings.server_log)} (log: {settings.server_log})"
            )
        if time.monotonic() > deadline:
            raise LifecycleError(
                f"The local AWS did not answer within {START_SECONDS:.0f} s; see {settings.server_log}."
            )
        time.sleep(_POLL_SECONDS)


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it wrote nothing"


def _end(server: ProcessIdentity, child: subprocess.Popen[bytes] | None = None) -> None:
    """Ask the server to end, wait, and kill it if it does not."""
    deadline = time.monotonic() + STOP_SECONDS
    server.signal_group(signal.SIGTERM)
    while server.alive:
        if time.monotonic() > deadline:
            server.signal_group(signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    if child:
        child.wait()


def _identity_file(settings: Settings) -> Path:
    return settings.folder / "pid"


def _port_file(settings: Settings) -> Path:
    return settings.folder / "port"
