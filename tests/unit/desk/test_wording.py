"""No page tells anybody to type something: what a sentence says of a command becomes what one presses."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from starlette.testclient import TestClient

from desk import wording
from desk.wording import OTHERS, for_page
from tests.unit.workflow.fakes import PlayedStepFunctions
from workflow import errors

ROOT = Path(__file__).parents[3]
FOLDERS = ("contract", "functions", "model", "container", "workflow", "desk")
COMMANDS = {"command", "account.command", "self.command", "claimflow", "approve", "command(group)", "deploy"}
TYPED = re.compile(
    r"`(claimflow|make|sam|aws|git)\b|(?<!\S)--[a-z]|\bclaimflow [a-z]|\bmake [a-z]+ brings|s3://\w"
)
LISTED = ("claimflow", ".venv", "-", ":")  # begins what is a command, and no sentence of one


def sentences() -> Iterator[str]:
    """Yield every text of the code that tells of something to type, with a value for what is filled in."""
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            said = "" if id(node) in inner | told else text(node)
            if " " in said and not said.strip().startswith(LISTED) and TYPED.search(said):
                yield said


def text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else filled(ast.unparse(part.value))  # type: ignore[attr-defined]
        for part in node.values
    )


def filled(expression: str) -> str:
    ends = " models approve" if expression == "approve" else " deploy" if expression == "deploy" else ""
    return f"claimflow --local --stack 'my stack'{ends}" if expression in COMMANDS else "7"


def test_there_are_sentences_with_commands_to_look_at() -> None:
    assert sum("`claimflow" in each for each in sentences()) > 20


@pytest.mark.parametrize("sentence", sorted(set(sentences())))
def test_no_sentence_tells_a_page_what_to_type(sentence: str) -> None:
    assert not TYPED.search(for_page(sentence))


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Train one with `claimflow --local train FILE`.", f"Train one with {wording.PRESSED['train']}."),
        ("`claimflow models reject 7` goes back.", f"{wording.PRESSED['models reject']} goes back."),
        ("Train with `claimflow train --replace`.", f"Train with {OTHERS}."),
        ("`make push` brings it.", f"{OTHERS} brings it."),
        ("No region is set: add --region, say.", f"No region is set: ask {OTHERS}."),
        ("s3://uploads/predict/my claims.csv was not read.", "my claims.csv was not read."),
        ("It is gone (s3://a/b/c.csv).", "It is gone (c.csv)."),
        ("`auto` took n-grams alone.", "`auto` took n-grams alone."),
    ],
)
def test_a_command_becomes_what_one_presses(sentence: str, said: str) -> None:
    assert for_page(sentence) == said


@pytest.mark.parametrize("code", [*errors.SENTENCES, *errors.DENIED, "NoSuchKey"])
def test_what_aws_refuses_is_told_in_full_only_where_the_desk_was_started(
    browser: TestClient, machine: PlayedStepFunctions, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    machine.add("predict-claims-1", "predicted")
    machine.error = ClientError({"Error": {"Code": code, "Message": "No."}}, "DescribeExecution")
    answer = browser.get("/runs/predict-claims-1")
    assert answer.status_code == 502
    assert "claimflow" not in answer.text.split("<main>")[1]
    assert "AWS" not in answer.text.split("<main>")[1]
    there = " ".join(capsys.readouterr().out.split())
    told = errors.SENTENCES.get(code, "DescribeExecution").split("{")[0]
    assert told in there
    browser.get("/runs/predict-claims-1/state")
    assert capsys.readouterr().out == ""
    browser.get("/runs/predict-claims-1", headers={"sec-fetch-mode": "navigate"})
    assert " ".join(capsys.readouterr().out.split()) == there


def test_a_runs_sentence_names_the_button(browser: TestClient, machine: PlayedStepFunctions) -> None:
    machine.add("predict-claims-2", "predicted")
    machine.failed["predict-claims-2"] = "NoModel"
    page = browser.get("/runs/predict-claims-2").text
    assert "It is so." in page
    assert "`claimflow" not in page
