"""The runbook has an entry for whatever can go wrong, and each says what to do."""

import re
from pathlib import Path

import pytest

from contract import errors, metrics

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")


def entries(section: str) -> dict[str, str]:
    """Return the entries of a section by the name that they are about."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^### (`[^\n]+`)\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    return {name: entry for names, entry in found for name in re.findall(r"`(\w+)`", names)}


def test_every_error_has_an_entry_and_no_other() -> None:
    assert set(entries("Errors")) == errors.NAMES


def test_every_alarm_and_every_queue_of_the_template_has_an_entry_and_no_other() -> None:
    watched = r"^  (\w+):\n    Type: AWS::(?:SQS::Queue|CloudWatch::(?:Composite)?Alarm)$"
    names = re.findall(watched, TEMPLATE, re.MULTILINE)
    assert names
    assert set(entries("What the stack tells by itself")) == set(names)


@pytest.mark.parametrize("section", ["Errors", "What the stack tells by itself"])
def test_every_entry_says_what_it_means_what_to_look_at_and_what_to_do(section: str) -> None:
    for name, text in entries(section).items():
        parts = re.findall(r"^- \*\*(.+?)\*\*: \S", text, re.MULTILINE)
        assert parts == ["Means", "Look at", "Do"], name


def test_every_log_group_and_every_parameter_that_is_named_is_in_the_template() -> None:
    functions = re.findall(r"LogGroupName: !Sub '/claimflow/\$\{AWS::StackName\}/(\w+)'", TEMPLATE)
    named = re.findall(r"/claimflow/STACK/([a-z]+)", PAGE)
    assert {"start", "publish", "predict"} <= set(named) <= set(functions)
    listed = PAGE.partition("The functions are ")[2].partition(".\n")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == set(functions) - {"predict", "network"}
    parameters = set(re.findall(r"`((?:Max|Image|Training|Keep|Log|Accuracy|Notification)\w+)`", PAGE))
    parameters -= errors.NAMES | {metric.name for metric in metrics.ALL}
    assert {name for name in parameters if not re.search(rf"^  {name}:$", TEMPLATE, re.MULTILINE)} == set()
