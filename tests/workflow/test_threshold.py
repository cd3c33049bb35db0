"""Another target for the live model: a new version of it, which the next prediction takes."""

from __future__ import annotations

import pytest

from tests.workflow.claims import FAST, as_csv, rows
from tests.workflow.stack import Stack, output_of


def accepted(stack: Stack, data: str) -> int:
    return int(output_of(stack.run({"action": "predict", "data": data}))["results"]["accepted"])


@pytest.fixture
def unsure(live: Stack) -> Stack:
    """Return the stack with a live model that has learned from some wrong labels."""
    live.no_live_model()
    data = live.upload("requests/unsure.csv", as_csv(rows(240, seed=70) + rows(120, seed=71, noise=True)))
    request = {
        "action": "train",
        "data": data,
        "config": FAST | {"accuracy_bar": 0.5, "target_precision": 0.9},
    }
    assert output_of(live.run(request))["registration"]["live"]
    live.notifications(expected=1)
    return live


@pytest.mark.aws
def test_a_lower_target_accepts_more_of_the_same_file_and_the_way_back_is_open(unsure: Stack) -> None:
    data = unsure.upload("requests/open.csv", as_csv(rows(60, seed=72) + rows(60, seed=73, noise=True)))
    before, was_live = accepted(unsure, data), unsure.packages("Approved")[0]["ModelPackageArn"]
    unsure.notifications(expected=1)
    request = {"action": "threshold", "target_precision": 0.5, "started_by": "ana"}
    registration = output_of(unsure.run(request))["registration"]
    arn = registration["arn"]
    assert unsure.packages("Approved")[0]["ModelPackageArn"] == arn
    assert registration["message"] in unsure.notifications(expected=1)[0]["Message"]
    unsure.wait_until_published(arn)
    assert accepted(unsure, data) > before
    unsure.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    unsure.wait_until_published(was_live)
    assert accepted(unsure, data) == before


def test_a_target_that_the_rows_cannot_show_is_refused_with_the_highest_one(live: Stack) -> None:
    ended = live.run({"action": "threshold", "target_precision": 0.9999})
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    assert "out of reach" in ended["cause"]
    assert ended["cause"] in live.notifications(expected=1)[0]["Message"]


def test_the_command_line_changes_the_target_and_says_what_it_gives(live: Stack) -> None:
    done = live.command("claimflow", "--local", "--stack", live.name, "models", "threshold", "0.6")
    assert "60.0% of the accepted rows right" in done.stdout
    arn = live.packages("Approved")[0]["ModelPackageArn"]
    listed = live.command("claimflow", "--local", "--stack", live.name, "models").stdout
    assert "60.0%, version" in listed
    live.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
