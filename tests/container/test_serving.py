"""The program `serve`: it answers like `predict`, refuses what it cannot read, and ends in order."""

import csv
import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from contract import keys
from model.cores import available_cores

from .conftest import HANGING_SECONDS, ROOT, Run, environment, rows

TEXTS = [text for _, text, _ in rows(40, seed=10)]  # those of the first shard, too


class Answer(NamedTuple):
    """What came back: the status, the headers and the body."""

    status: int
    headers: dict[str, str]
    body: str


class Served(NamedTuple):
    """The program as it runs, and its port."""

    program: "subprocess.Popen[str]"
    port: int

    def ask(
        self, body: bytes | str, content_type: str = "text/csv", path: str = "/invocations", **headers: str
    ) -> Answer:
        """Send a body, and return the answer; headers are given with `_` for `-`."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._send("POST", path, body, {"content-type": content_type, **names})

    def get(self, path: str) -> Answer:
        return self._send("GET", path, None, {})

    def _send(self, method: str, path: str, body: bytes | str | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANGING_SECONDS)
        try:
            content = body.encode() if isinstance(body, str) else body
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(base: Path, **variables: str) -> Iterator[Served]:
    """Start the program, and wait until it answers."""
    port = free_port()
    given = {"CLAIMFLOW_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": str(port), **variables}
    program = subprocess.Popen(
        [str(ROOT / "container" / "serve")],
        cwd="/",
        env=environment(**given),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with program:
        assert program.stdout is not None
        assert f"Answering at port {port}." in program.stdout.readline()
        try:
            yield Served(program, port)
        finally:
            program.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def served(trained: Path) -> Iterator[Served]:
    with serving(trained) as started:
        yield started


def labelled(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200, answer.body
    return list(csv.DictReader(answer.body.splitlines()))


def test_ping_says_that_the_model_is_there(served: Served) -> None:
    assert served.get("/ping").status == 200


def test_a_batch_transform_is_told_how_much_to_send(served: Served) -> None:
    told = json.loads(served.get("/execution-parameters").body)
    assert told["MaxConcurrentTransforms"] == available_cores()
    assert told["BatchStrategy"] == "MULTI_RECORD"
    assert told["MaxPayloadInMB"] > 0


def test_texts_are_labelled_as_the_program_predict_does(
    served: Served, trained: Path, shards: Path, run: Run
) -> None:
    variables = {"CLAIMFLOW_MANIFEST": str(shards), "CLAIMFLOW_MODEL": str(trained / "model.tar.gz")}
    assert run("predict", **variables).returncode == 0
    with (shards.parent / "parts" / keys.part_name(0)).open(newline="", encoding="utf-8") as file:
        part = list(csv.DictReader(file))
    found = labelled(served.ask("\n".join(["text", *TEXTS])))
    shared = ("prediction", "confidence", "runner_up")
    assert [[row[name] for name in shared] for row in found] == [
        [row[name] for name in shared] for row in part
    ]
    assert [row["reason"] for row in found] == [row["doubt"] for row in part]
    assert [row["needs_review"] == "true" for row in found] == [bool(row["doubt"]) for row in part]


@pytest.mark.parametrize(
    ("content_type", "make"),
    [
        ("text/csv", lambda texts: "\n".join(["id,text", *(f"7,{text}" for text in texts)])),
        ("text/csv; header=absent", "\n".join),
        ("application/jsonlines", lambda texts: "\n".join(json.dumps({"text": text}) for text in texts)),
        ("application/x-ndjson", lambda texts: "\n".join(map(json.dumps, texts))),
        ("application/json", lambda texts: json.dumps({"instances": [{"text": text} for text in texts]})),
        ("application/json", json.dumps),
    ],
)
def test_every_form_of_a_body_gives_the_same_labels(
    served: Served, content_type: str, make: Callable[[list[str]], str]
) -> None:
    expected = [row["prediction"] for row in labelled(served.ask("\n".join(["text", *TEXTS])))]
    answer = served.ask(make(TEXTS), content_type, accept="application/json")
    assert answer.headers["content-type"] == "application/json"
    assert [row["prediction"] for row in json.loads(answer.body)["predictions"]] == expected


def test_an_answer_has_the_form_of_its_question_unless_another_is_asked_for(served: Served) -> None:
    assert served.ask("text\nbrake", accept="*/*").headers["content-type"].startswith("text/csv")
    line = served.ask('"brake"\n', "application/x-jsonlines")
    assert line.headers["content-type"] == "application/jsonlines"
    assert json.loads(line.body)["prediction"] == "brakes"
    bare = served.ask("brake disc", "text/csv; header=absent")
    assert bare.body.splitlines()[0].startswith("brakes,")
    assert len(bare.body.splitlines()) == 1


def test_rows_that_cannot_be_labelled_stand_in_their_place_with_the_reason(served: Served) -> None:
    found = labelled(served.ask("id,text\n1,brake disc\n2,\n3\n4,oil piston\n"))
    assert [row["error"] for row in found] == ["", "no text", "wrong number of cells", ""]
    assert [row["prediction"] for row in found] == ["brakes", "", "", "engine"]
    lines = served.ask('{"text": null}\n{"text": 3}\n{"text": "belt cushion"}\n', "application/jsonlines")
    told = [json.loads(line) for line in lines.body.splitlines()]
    assert [row["error"] for row in told] == ["no text", "not a text", ""]
    assert [row["prediction"] for row in told] == [None, None, "seats"]


@pytest.mark.parametrize(
    "asked", [{"path": "/invocations?explain=true"}, {"X_Amzn_SageMaker_Custom_Attributes": "explain=true"}]
)
def test_the_words_that_decided_come_along_where_they_are_asked_for(
    served: Served, asked: dict[str, str]
) -> None:
    (row,) = labelled(served.ask("text\nthe brake disc", **asked))
    assert "brake" in row["because"]
    assert "because" not in labelled(served.ask("text\nthe brake disc"))[0]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "says"),
    [
        ("image/png", "x", 415, "Content-Type has to be"),
        ("text/csv; charset=latin1", "text\nx", 415, "UTF-8"),
        ("text/csv", b"text\n\xff", 400, "not UTF-8 text (byte 6)"),
        ("text/csv", "", 400, "no column of texts"),
        ("text/csv", "text\n", 400, "no rows"),
        ("text/csv", "number\n5", 400, "names no column of texts"),
        ("text/csv", 'text\n"a" b', 400, "not CSV: line 2"),
        ("application/json", '{"text": "a"', 400, "is not JSON"),
        ("application/json", "[]", 400, "no rows"),
        ("application/json", "[3]", 400, "Row 1 is neither"),
        ("application/json", '{"instances": 3}', 400, "names no column of texts"),
        ("application/json", "[" * 100_000, 400, "nested too deeply"),
        ("application/jsonlines", '"a"\n{"text": "a", "text": "b"}', 400, "Line 2 has the key"),
        ("application/jsonlines", '"\\ud800"', 400, "half a character"),
        ("application/json", json.dumps(["a"] * 5_001), 413, "more than 5,000 rows"),
        ("text/csv", "text\n" + "x" * 26 * 2**20, 413, "larger than 25 MiB"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused_in_one_sentence(
    served: Served, content_type: str, body: str | bytes, status: int, says: str
) -> None:
    answer = served.ask(body, content_type)
    assert answer.status == status
    assert says in json.loads(answer.body)["error"]


def test_only_kinds_that_are_known_can_be_asked_for(served: Served) -> None:
    assert served.ask("text\nx", accept="text/html").status == 406
    assert served.get("/invocations").status == 405
    assert served.get("/elsewhere").status == 404


def test_many_who_ask_at_once_each_get_their_own_answer(served: Served) -> None:
    expected = labelled(served.ask("\n".join(["text", *TEXTS])))
    with ThreadPoolExecutor(16) as people:
        answers = list(people.map(lambda text: labelled(served.ask(f"text\n{text}"))[0], TEXTS * 10))
    assert answers == expected * 10


def test_a_version_with_another_target_reviews_by_it(trained: Path) -> None:
    evaluation = json.loads((trained / "output" / "data" / "evaluation.json").read_text(encoding="utf-8"))
    targets = evaluation["acceptance"]["targets"]
    lowest, highest = targets[0]["target_precision"], targets[-1]["target_precision"]
    accepted = []
    for target in (lowest, highest):
        with serving(trained, CLAIMFLOW_TARGET_PRECISION=repr(target)) as started:
            found = labelled(started.ask("\n".join(["text", *TEXTS])))
            accepted.append(sum(row["needs_review"] == "false" for row in found))
    assert accepted[0] > accepted[1]


def test_it_ends_when_it_is_asked_to(trained: Path) -> None:
    with serving(trained) as started:
        started.ask("text\nbrake")
        started.program.send_signal(signal.SIGTERM)
        assert started.program.wait(HANGING_SECONDS) == 0


def test_one_killed_process_ends_all_with_a_sentence(trained: Path) -> None:
    with serving(trained) as started:
        started.ask("text\nbrake")
        os.kill(descendants(started.program.pid)[-1], signal.SIGKILL)
        said = started.program.communicate(timeout=HANGING_SECONDS)[0]
    assert "memory was full" in said
    assert started.program.returncode not in {0, None}


def descendants(process: int) -> list[int]:
    """Return the processes that a process started, those they started behind them."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return [found for child in map(int, children) for found in [child, *descendants(child)]]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "model"),
        ({"CLAIMFLOW_TARGET_PRECISION": "high"}, "must be a number"),
        ({"SAGEMAKER_BIND_TO_PORT": "eighty"}, "must be a number"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    tmp_path: Path, run: Run, variables: dict[str, str], says: str
) -> None:
    done = run("serve", CLAIMFLOW_BASE_DIR=str(tmp_path), **variables)
    assert done.returncode == 1
    (sentence,) = done.stdout.splitlines()
    assert says in sentence


def test_a_port_that_is_taken_is_one_sentence(trained: Path, run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104  as the program does
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("serve", CLAIMFLOW_BASE_DIR=str(trained), SAGEMAKER_BIND_TO_PORT=port)
    assert (done.returncode, done.stdout) == (
        1,
        f"Port {port} cannot be used (Address already in use): name another one.\n",
    )
