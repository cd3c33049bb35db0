"""How much the program `serve` answers under load, next to what many would write instead.

    python -m benchmarks.serving [--seconds 10] [--connections 16] [--rounds 3]

All learn from Banking77's training rows, each server runs alone with a process for each core (with sentences
one, whose arithmetic takes all), and wrk (from the package of that name) sends the test rows over loopback,
from the same cores. The servers take turns. A row of the table is the median of the rounds; `lost` adds up
all of them: answers other than 200, and connections that failed or timed out. What wrk still waits for when
its seconds are over does not count: a server that answers none before then has no figures.
"""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import data, rows
from benchmarks.__main__ import working_folder
from benchmarks.contenders import claimflow
from benchmarks.errors import BenchmarkError
from benchmarks.roster import ROOT

PEER_PYTHON = ROOT / ".venv" / "benchmarks" / "bin" / "python"
ROWS_A_REQUEST = (1, 100)
LONGEST_START = 120  # seconds, the peer's learning included
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
SCRIPT = """
local bodies, sent = {}, 0
for body in io.lines("%s") do bodies[#bodies + 1] = body end
wrk.method, wrk.headers["Content-Type"] = "POST", "application/json"
request = function()
  sent = sent %% #bodies + 1
  return wrk.format(nil, nil, nil, bodies[sent])
end
"""


@dataclass(frozen=True)
class Server:
    """A server under load: its name in the table, and its program; `{port}` stands for its port."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]


@dataclass(frozen=True)
class Load:
    """What wrk measured in one round."""

    requests_per_second: float
    half: float  # of the answers came within so many milliseconds
    most: float  # 99% did
    lost: int


def main(
    seconds: Annotated[int, typer.Option(min=1, help="Of each load.")] = 10,
    connections: Annotated[
        int, typer.Option(min=1, help="That send at once, each waiting for its answer.")
    ] = 16,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Do it all, and print the table."""
    if shutil.which("wrk") is None:
        raise BenchmarkError("wrk is not installed: install the package wrk, and start again.")
    with working_folder() as work:
        prepared = data.prepare(data.chosen("banking77")[0], data.data_folder(), work / "data")
        scripts = {count: script(prepared.test, count, work) for count in ROWS_A_REQUEST}
        measured: dict[tuple[str, int], list[Load]] = {}
        servers = [*claimflow_servers(prepared.train, work), peer(prepared.train)]
        for number in range(rounds):
            for server in [*servers[number % len(servers) :], *servers[: number % len(servers)]]:
                with running(server, work) as port:
                    for count, path in scripts.items():
                        load(port, path, connections, 1)  # warm
                        found = load(port, path, connections, seconds)
                        measured.setdefault((server.name, count), []).append(found)
                        typer.echo(
                            f"round {number + 1}, {server.name}, {count} rows a request: {found}", err=True
                        )
    show(measured)


def script(test: Path, count: int, work: Path) -> Path:
    """Write the bodies with so many rows of the test split each, and what makes wrk send them in turn."""
    texts, _ = rows.read(test)
    bodies = work / f"bodies-{count}.txt"
    with bodies.open("w", encoding="utf-8") as file:
        for start in range(0, len(texts) - count + 1, count):
            file.write(
                json.dumps({"instances": [{"text": text} for text in texts[start : start + count]]}) + "\n"
            )
    path = work / f"send-{count}.lua"
    path.write_text(SCRIPT % bodies, encoding="utf-8")
    return path


def claimflow_servers(train: Path, work: Path) -> Iterator[Server]:
    """Train both kinds of models; yields the program of the image with each."""
    for name, architecture in (("n-grams", "ngram"), ("as it comes", "auto")):
        base = work / architecture
        options = {"config": {"architecture": architecture}}
        claimflow.prepare(train, options, base)
        claimflow.train(train, options, base)  # leaves the folder `model`, where `serve` looks for it
        variables = {"CLAIMFLOW_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": "{port}"}
        yield Server(f"`serve`, {name}", (str(ROOT / "container" / "serve"),), variables)


def peer(train: Path) -> Server:
    """Return FastAPI with scikit-learn."""
    if not PEER_PYTHON.exists():
        raise BenchmarkError("The peer's environment is missing: run `make .venv/benchmarks/.done`.")
    command = (str(PEER_PYTHON), "-m", "benchmarks.served_peer", str(train), "{port}")
    return Server("FastAPI, TF-IDF and logistic regression", command, {})


@contextmanager
def running(server: Server, work: Path) -> Iterator[int]:
    """Run a server until it answers; yields its port, and ends it."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    log = work / "server.log"
    with log.open("wb") as file:
        program = subprocess.Popen(
            [word.format(port=port) for word in server.command],
            cwd=ROOT,
            env=os.environ | {name: value.format(port=port) for name, value in server.environment.items()},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait(port, program, log)
        yield port
    finally:
        program.terminate()
        program.wait(timeout=60)


def wait(port: int, program: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server answers; raises BenchmarkError when it does not."""
    until = time.monotonic() + LONGEST_START
    while time.monotonic() < until and program.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise BenchmarkError(f"The server does not answer: {log.read_text(encoding='utf-8')[-500:]}")


def load(port: int, path: Path, connections: int, seconds: int) -> Load:
    """Send requests for so many seconds, on so many connections."""
    command = ["wrk", "--latency", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "30s"]
    done = subprocess.run(
        [*command, "-s", str(path), f"http://127.0.0.1:{port}/invocations"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"wrk failed: {done.stdout}{done.stderr}")
    return read(done.stdout)


def read(said: str) -> Load:
    """Return the figures in wrk's words; raises BenchmarkError where they are missing."""
    try:
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
        failed = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
        return Load(
            float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]),
            milliseconds(re.findall(r"\b50%\s+(\S+)", said)[0]),
            milliseconds(re.findall(r"\b99%\s+(\S+)", said)[0]),
            (int(refused[1]) if refused else 0) + (sum(map(int, failed.groups())) if failed else 0),
        )
    except IndexError:
        raise BenchmarkError(f"wrk did not say what it measured: {said}") from None


def milliseconds(said: str) -> float:
    """Return a time as wrk writes it, `1.50ms`, in milliseconds."""
    number, unit = re.findall(r"^([\d.]+)(\D+)$", said)[0]
    return float(number) * MILLISECONDS[unit]


def show(measured: dict[tuple[str, int], list[Load]]) -> None:
    """Print the table."""
    print("| server | rows a request | rows/s | half within | 99% within | lost |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for (name, count), loads in sorted(measured.items(), key=lambda each: each[0][1]):
        speed, half, most = (
            statistics.median(figures)
            for figures in zip(
                *((each.requests_per_second, each.half, each.most) for each in loads), strict=True
            )
        )
        lost = sum(each.lost for each in loads)
        figures = f"{count * speed:,.0f} | {half:.1f} ms | {most:.1f} ms" if speed else "none in time | - | -"
        print(f"| {name} | {count} | {figures} | {lost} |")


if __name__ == "__main__":
    try:
        typer.run(main)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
