"""What a person does wrong ends in one sentence: execution, notification and command line show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workflow.claims import FAST, as_csv, rows
from tests.workflow.stack import Stack

GOOD = as_csv(rows(30))

#: What is uploaded as a training file, the error's name and what its sentence must name.
FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "no header": (b"C1,the battery drains,battery\nC2,the screen flickers,screen\n", "column"),
    "header only": (b"claim_id,description,category\n", "no rows"),
    "missing column": (GOOD.replace("description", "colour").encode(), "colour"),
    "one class only": (
        b"description,category\nthe battery drains,battery\nit drains again,battery\n",
        "battery",
    ),
    "no encoding": (GOOD.encode() + b"C9,caf\xe9 \x81 machine,noise\n", "0x81"),
    "nul bytes": (GOOD.encode() + b"C9,bad\x00byte,noise\n", "NUL"),
    "unclosed quote": (GOOD.encode() + b'C9,"never closed,noise\nC10,more,noise\n', "quote"),
    "binary": (b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)) * 8, "CSV"),
    "nothing usable": (b"description,category\n,battery\nthe screen,\n", "row"),
}

CONFIGS: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "unknown key": ({"droput": 0.1}, "InvalidConfig", ["droput"]),
    "dropout 1.5": ({"dropout": 1.5}, "InvalidConfig", ["dropout", "1.5"]),
    "two at once": ({"dropout": 1.5, "num_epoch": "many"}, "InvalidConfig", ["dropout", "num_epoch", "many"]),
    "n_classes disagrees": (FAST | {"n_classes": 7}, "InvalidData", ["n_classes", "7", "3"]),
}

REQUESTS: dict[str, tuple[Any, list[str]]] = {
    "not an object": ("train", ["object"]),
    "empty": ({}, ["action", "data"]),
    "wrong action": ({"action": "tarin", "data": "s3://bucket/key.csv"}, ["tarin"]),
    "unknown key": ({"action": "train", "data": "s3://bucket/key.csv", "dada": 1}, ["dada"]),
    "not an s3 address": ({"action": "train", "data": "claims.csv"}, ["claims.csv"]),
}


def check(stack: Stack, ended: dict[str, Any], error: str, *parts: str) -> None:
    cause = ended["cause"]
    assert (ended["status"], ended["error"]) == ("FAILED", error), cause
    assert all(part.lower() in cause.lower() for part in parts), cause
    assert "Traceback" not in cause
    assert "\n" not in cause
    (told,) = stack.notifications(expected=1)
    assert cause in told["Message"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.aws] * (name == "unclosed quote")) for name in FILES]
)
def test_a_file_that_cannot_be_used(stack: Stack, name: str) -> None:
    body, part = FILES[name]
    stack.notifications()
    data = stack.upload(f"train/wrong {name}.csv", body)
    check(stack, stack.wait(stack.execution_of(data)), "InvalidData", part, f"wrong {name}.csv")


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_that_cannot_be_used(stack: Stack, name: str) -> None:
    config, error, parts = CONFIGS[name]
    stack.notifications()
    data = stack.upload("requests/good.csv", GOOD)
    check(stack, stack.run({"action": "train", "data": data, "config": config}), error, *parts)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_is_none(stack: Stack, name: str) -> None:
    request, parts = REQUESTS[name]
    stack.notifications()
    check(stack, stack.run(request), "InvalidRequest", *parts)


def test_a_file_that_is_not_there(stack: Stack) -> None:
    stack.notifications()
    data = f"s3://{stack.outputs['UploadsBucket']}/train/gone.csv"
    check(stack, stack.run({"action": "train", "data": data}), "InvalidRequest", "train/gone.csv")


def test_an_upload_to_a_folder_of_which_nothing_starts_gets_an_answer(stack: Stack) -> None:
    stack.notifications()
    data = stack.upload("claims.csv", GOOD)
    (told,) = stack.notifications(expected=1)
    assert told["Message"].startswith(f"{data} was uploaded where it starts nothing.")
    assert not stack.executions_of(data)


def test_the_command_line_prints_the_same_sentence(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "claims.csv"
    file.write_bytes(FILES["unclosed quote"][0])
    done = stack.command("claimflow", "--local", "--stack", stack.name, "train", str(file), check=False)
    assert done.returncode == 1
    shown = " ".join((done.stdout + done.stderr).split())
    assert "quote" in shown
    assert "Traceback" not in shown
