"""How quickly the desk answers with very many rows and decisions, and whether many people lose nothing.

    claimflow local up && claimflow --local deploy && claimflow --local train examples/claims_train.csv
    python -m benchmarks.desk [--rows 100000] [--decided 100000] [--reviewers 50] [--seconds 60]

It labels a file whose rows are unlike all that the model knows, so that people are to decide each, and stores
decisions of as many of them. Then it serves the desk as a person does, opens the queue, asks for the first
page and for rows one after the other, and lets all reviewers decide at once, each on a connection and in a
window of their own. What was acknowledged is compared with what is stored. The peer is a file of the same
server, which needs no AWS: what the desk adds is the ratio to it.
"""

import csv
import http.client
import json
import statistics
import subprocess
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from workflow import runs, stack
from workflow.account import Account
from workflow.decisions import Answer, Asked, Decisions, Person
from workflow.queue import QueueReader
from workflow.stack import Stack

TEXT = "Zzqx kwvrt jjpl mmwq, ghxk wwzt vvbn qqrs ttyx llpk ddfg hhjk xxcv bbnm. "
PORT = 8699
ONE_BY_ONE = 300
A_SITTING = 15  # rows that are decided on a page


@dataclass
class Client:
    """A browser that was let in, on one connection."""

    cookie: str
    window: str = field(default_factory=lambda: str(uuid.uuid4()))
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Connect."""
        self._connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=600)

    def ask(self, what: str, path: str, sent: dict[str, Any] | None = None) -> bytes:
        """Return an answer, and keep how long it took; raises RuntimeError for a refusal."""
        headers = {"cookie": self.cookie, "origin": f"http://127.0.0.1:{PORT}"}
        began = time.perf_counter()
        body = None if sent is None else json.dumps(sent)
        self._connection.request("GET" if sent is None else "POST", path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        self.seconds.setdefault(what, []).append(time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content.decode()}")
        return content

    def decide_next(self, run: str) -> int | None:
        """Take the next row and decide it; returns its number, None where there is none."""
        api = f"/api/runs/{run}"
        row = json.loads(self.ask("next row", f"{api}/next", {"window": self.window}))["row"]
        if row is None:
            return None
        sent = {"window": self.window, "number": row["number"], "category": row["prediction"]}
        self.ask("decision", f"{api}/decide", {**sent, "token": str(uuid.uuid4())})
        return int(row["number"])


def main(
    rows: Annotated[int, typer.Option(min=1_000)] = 100_000,
    decided: Annotated[int, typer.Option(min=1)] = 100_000,
    reviewers: Annotated[int, typer.Option(min=1)] = 50,
    seconds: Annotated[float, typer.Option(min=1)] = 60,
) -> None:
    """Do it all, and print the figures."""
    account = Account(local=True)
    found = stack.read_stack(account)
    run = label(account, found, rows + decided)
    decisions = store(account, found, run, decided)
    with served() as address:
        cookie = entered(address)
        first = Client(cookie)
        first.ask("queue opened", f"/runs/{run}/review")
        show("the first to open the queue", [first])
        alone = Client(cookie)
        for number in range(ONE_BY_ONE):
            alone.ask("peer: a file", "/static/desk.css")
            alone.ask("first page", "/")
            if number % A_SITTING == 0:
                alone.ask("review page", f"/runs/{run}/review")
                alone.ask("what U undoes", f"/api/runs/{run}/recent")
            alone.decide_next(run)
        show(f"one person, {rows:,} rows to review, {decided:,} decided", [alone])
        people = [Client(cookie) for _ in range(reviewers)]
        acknowledged = at_once(people, run, time.monotonic() + seconds)
        show(f"{reviewers} people at once for {seconds:g} s", people)
    compare(acknowledged, decisions)


def label(account: Account, found: Stack, rows: int) -> str:
    """Label a file of so many rows that are unlike the training's; returns the run."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "unlike.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["claim_id", "description"])
            table.writerows([f"WC-{number}", f"{TEXT * (1 + number % 5)}{number}"] for number in range(rows))
        subprocess.run(["claimflow", "--local", "predict", str(path)], check=True)
    return runs.recent(account, found, 1)[0]["name"]


def store(account: Account, found: Stack, run: str, decided: int) -> Decisions:
    """Store decisions of the queue's first rows, all like one that is made; returns the run's."""
    reader = QueueReader.of_run(account, found, runs.read_run(account, runs.arn_of(found, run)).folder)
    numbers = reader.index["order"]["numbers"][:decided]
    row = reader.row(0)
    asked = Asked(row["number"], row["prediction"], reader.index["model"], row["audit"])
    answer, person = Answer(row["prediction"], str(uuid.uuid4())), Person("somebody", str(uuid.uuid4()))
    reader.decisions.decide(asked, answer, person)
    key = {"run": {"S": reader.index["run"]}, "number": {"N": str(row["number"])}}
    item = account.dynamodb.get_item(TableName=found.decisions, Key=key)["Item"]
    for each in numbers:
        item["number"] = {"N": str(each)}
        account.dynamodb.put_item(TableName=found.decisions, Item=item)
    return reader.decisions


@contextmanager
def served() -> Iterator[str]:
    """Serve the desk in a process of its own; yields the address that it prints."""
    command = ["claimflow", "--local", "desk", "--port", str(PORT)]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None  # noqa: S101  asked for above
    try:
        yield next(line for line in program.stdout if "token=" in line).split(": ", 1)[1].strip()
    finally:
        program.terminate()
        program.wait()
        program.stdout.close()


def entered(address: str) -> str:
    """Open the address; returns the cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=600)
    connection.request("GET", address.split(str(PORT), 1)[1])
    return (connection.getresponse().getheader("set-cookie") or "").split(";", 1)[0]


def at_once(people: list[Client], run: str, until: float) -> Counter[int]:
    """Let all decide at once; returns how often a decision of each row was acknowledged."""
    acknowledged: list[int] = []
    failures: list[str] = []
    threads = [
        threading.Thread(target=_review, args=(each, run, until, acknowledged, failures)) for each in people
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        print(f"{len(failures)} request(s) failed, the first: {failures[0]}")
    return Counter(acknowledged)


def _review(client: Client, run: str, until: float, acknowledged: list[int], failures: list[str]) -> None:
    while time.monotonic() < until:
        try:
            number = client.decide_next(run)
        except (RuntimeError, OSError) as error:
            failures.append(str(error))
            return
        if number is None:
            return
        acknowledged.append(number)


def show(title: str, clients: list[Client]) -> None:
    """Print how long the answers took."""
    print(title)
    names = list(dict.fromkeys(name for each in clients for name in each.seconds))
    times = {
        name: sorted(second for each in clients for second in each.seconds.get(name, [])) for name in names
    }
    peer = statistics.median(times.get("peer: a file", [0]))
    for name, seconds in times.items():
        half, most = (1e3 * seconds[int(share * (len(seconds) - 1))] for share in (0.5, 0.95))
        ratio = f", {half / 1e3 / peer:.1f} times the peer" if peer else ""
        print(
            f"  {name:<14}{len(seconds):>7,} answers: median {half:.1f} ms, 95% within {most:.1f} ms{ratio}"
        )


def compare(acknowledged: Counter[int], decisions: Decisions) -> None:
    """Print whether what was acknowledged is stored, once each."""
    stored = {each.number: each for each in decisions.all()}
    lost = [number for number in acknowledged if number not in stored]
    doubled = [number for number, times in acknowledged.items() if times > 1]
    doubled += [number for number, each in stored.items() if each.revision > 1]
    print(
        f"{len(stored):,} decisions stored; acknowledged and lost: {len(lost)}; decided twice: {len(doubled)}"
    )


if __name__ == "__main__":
    typer.run(main)
