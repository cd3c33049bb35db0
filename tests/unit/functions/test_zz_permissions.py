"""What the handlers did in all tests of this folder: each role has what that needs, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.policies import Grant, template
from tests.unit.functions.enforcement import code_grants, decisions

ROLES = sorted(
    f"{name}Role"
    for name, each in template()["Resources"].items()
    if each["Type"] == "AWS::Serverless::Function"
)
GRANTS = [
    pytest.param(role, each, id=f"{role}-{each.action}-{each.pattern}")
    for role in ROLES
    for each in code_grants(role)
]


@pytest.fixture(autouse=True)
def after_all_others(request: pytest.FixtureRequest) -> None:
    ran = {item.path for item in request.session.items}
    if not ran >= set(Path(__file__).parent.glob("test_*.py")) or request.config.getoption("keyword"):
        pytest.skip("judges what the whole folder did: run pytest tests/unit/functions")


def test_every_handler_was_run_with_its_role() -> None:
    assert {each.role for each in decisions} == set(ROLES)


@pytest.mark.parametrize(("role", "grant"), GRANTS)
def test_without_any_one_action_a_function_is_denied_what_it_needs(role: str, grant: Grant) -> None:
    """Some request of the tests was allowed by this action on this resource, and by nothing else."""
    assert any(each.role == role and each.by == {grant} for each in decisions)


def test_handlers_were_denied_only_what_belongs_to_others() -> None:
    denied = {(each.role, each.request.action, each.request.resource) for each in decisions if not each.by}
    assert denied == {("PrepareFunctionRole", "s3:GetObject", "arn:aws:s3:::no-such-bucket/train/a.csv")}
