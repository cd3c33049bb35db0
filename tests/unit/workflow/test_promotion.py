"""A model version goes to another stack: its files, its entry and what judged it, and it waits there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from contract import keys
from tests.unit.workflow.fakes import OUTPUTS, FakeCloudFormation, add_model
from workflow import cli, display, models, promotion
from workflow.account import Account
from workflow.errors import CommandError
from workflow.promotion import Promoted, Side
from workflow.stack import read_stack

PROD = {
    "UploadsBucket": "prod-uploads",
    "ArtifactsBucket": "prod-artifacts",
    "ResultsBucket": "prod-results",
    "ModelPackageGroup": "claimflow-prod",
    "RepositoryUri": "111111111111.dkr.ecr.us-east-1.amazonaws.com/prod",
}
DIGEST = f"sha256:{'1' * 64}"
ARCHIVE = "s3://artifacts/models/train-x/job-0/output/model.tar.gz"
REPORT = "s3://results/train-x/report.html"
CARD: dict[str, Any] = {
    "job": "job-0",
    "accuracy": 0.93,
    "labels": ["brakes", "engine"],
    "data": {"uri": "s3://uploads/train/claims.csv", "version": "1", "etag": "e"},
    "held_out": "s3://artifacts/runs/train-x/validation/",
    "acceptance": None,
}


@pytest.fixture
def two(account: Account, cloudformation: FakeCloudFormation) -> tuple[Side, Side]:
    """Return a stack with one live version, and another stack without any."""
    cloudformation.stacks["claimflow-prod"] = OUTPUTS | PROD
    cloudformation.parameters = {"AccuracyBar": "0.9", "ImageDigest": DIGEST}
    for name in ("UploadsBucket", "ArtifactsBucket", "ResultsBucket"):
        account.s3.create_bucket(Bucket=PROD[name])
    account.sagemaker.create_model_package_group(ModelPackageGroupName="claimflow-prod")
    for uri, content in (
        (ARCHIVE, "weights"),
        (REPORT, "report"),
        ("s3://results/train-x/evaluation.json", "{}"),
        (keys.card(ARCHIVE), json.dumps(CARD)),
        (keys.lineage(ARCHIVE), '{"run": "train-x"}'),
        (f"{CARD['held_out']}part-00000.csv", "row,text,label,line\n"),
    ):
        put(account, uri, content)
    add_model(account, 0.93, archive=ARCHIVE, card=keys.card(ARCHIVE), report=REPORT, started_by="ana")
    other = Account("claimflow-prod")
    return Side(account, read_stack(account)), Side(other, read_stack(other))


def put(account: Account, uri: str, content: str) -> None:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    account.s3.put_object(Bucket=bucket, Key=key, Body=content.encode())


def read(side: Side, uri: str) -> str:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return side.account.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def everything(side: Side) -> set[str]:
    names = [PROD["ArtifactsBucket"], PROD["ResultsBucket"]]
    listed = [side.account.s3.list_objects_v2(Bucket=name).get("Contents", []) for name in names]
    return {each["Key"] for found in listed for each in found}


def made_live(side: Side, **card: Any) -> None:
    """Give the other stack a live version with this card."""
    archive = "s3://prod-artifacts/models/own/job/output/model.tar.gz"
    put(side.account, keys.card(archive), json.dumps(CARD | card))
    side.account.sagemaker.create_model_package(
        ModelPackageGroupName="claimflow-prod",
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties={"card": keys.card(archive), "accuracy": "0.9"},
    )


def test_the_version_waits_in_the_other_stack_with_all_that_it_was_made_of(two: tuple[Side, Side]) -> None:
    source, target = two
    assert promotion.promote(source, target, 1) == Promoted(1, is_new=True, remarks=[REMARK])
    (made,) = models.list_models(target.account, target.stack)
    assert (made.status, made.accuracy) == ("PendingManualApproval", 0.93)
    assert made.image == f"{PROD['RepositoryUri']}@{DIGEST}"
    assert made.model_uri
    assert made.card == keys.card(made.model_uri)
    assert read(target, made.model_uri) == "weights"
    assert read(target, keys.lineage(made.model_uri)) == '{"run": "train-x"}'
    card = json.loads(read(target, made.card))
    assert card["held_out"].startswith("s3://prod-artifacts/runs/promoted-")
    assert read(target, f"{card['held_out']}part-00000.csv") == "row,text,label,line\n"
    about = target.account.sagemaker.describe_model_package(ModelPackageName=made.arn)
    assert read(target, about["CustomerMetadataProperties"]["report"]) == "report"
    assert about["CustomerMetadataProperties"]["promoted_from"].endswith("/claimflow-models/1")


REMARK = (
    f"It was trained by the image claimflow:1, and is served there by {DIGEST}: label a file for a "
    "test before you approve it."
)


def test_the_second_time_nothing_changes(two: tuple[Side, Side]) -> None:
    first = promotion.promote(*two, 1)
    before = everything(two[1])
    assert promotion.promote(*two, 1) == Promoted(first.version, is_new=False, remarks=[])
    assert everything(two[1]) == before
    assert len(models.list_models(two[1].account, two[1].stack)) == 1


def test_a_version_below_the_other_bar_is_refused_and_nothing_is_copied(
    two: tuple[Side, Side], cloudformation: FakeCloudFormation
) -> None:
    cloudformation.parameters["AccuracyBar"] = "0.95"
    with pytest.raises(CommandError, match=r"below the bar of claimflow-prod: 93\.0% .* 95\.0% are asked"):
        promotion.promote(*two, 1)
    assert not everything(two[1])


EVALUATION = {
    "macro_f1": 0.8,
    "per_class": [
        {"label": "brakes", "recall": 0.6, "support": 100},
        {"label": "engine", "recall": 1.0, "support": 100},
    ],
}


def configured(two: tuple[Side, Side], evaluation: dict[str, Any] | None, **config: Any) -> None:
    source, target = two
    put(target.account, f"s3://prod-uploads/{keys.CONFIG_KEY}", json.dumps(config))
    source.account.s3.delete_object(Bucket="results", Key="train-x/evaluation.json")
    if evaluation is not None:
        put(source.account, "s3://results/train-x/evaluation.json", json.dumps(evaluation))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"accuracy_bar": 0.95}, r"93\.0% of the held-out rows right, and 95\.0% are asked for"),
        ({"macro_f1_bar": 0.85}, r"The macro F1 is 80\.0%, below macro_f1_bar, 85\.0%"),
        ({"recall_floor": 0.9}, r"'brakes' 60\.0% \(60 of 100 rows\)"),
        ({"recall_floor": 0.9, "recall_floor_categories": ["brakes"]}, r"recall of 1 category is below"),
    ],
)
def test_a_version_below_a_bar_of_the_other_configuration_is_refused_and_nothing_is_copied(
    two: tuple[Side, Side], config: dict[str, Any], sentence: str
) -> None:
    configured(two, EVALUATION, **config)
    with pytest.raises(CommandError, match=rf"{sentence}.* Nothing was copied\."):
        promotion.promote(*two, 1)
    assert not everything(two[1])


def test_a_version_that_reaches_every_bar_of_the_other_configuration_is_promoted(
    two: tuple[Side, Side],
) -> None:
    bars = {"accuracy_bar": 0.93, "macro_f1_bar": 0.8, "recall_floor": 0.9}
    configured(two, EVALUATION, **bars, recall_floor_categories=["engine"])
    assert promotion.promote(*two, 1).remarks == [REMARK]


def test_what_the_other_bars_cannot_judge_is_said(two: tuple[Side, Side]) -> None:
    configured(two, None, macro_f1_bar=0.8)
    first, *_ = promotion.promote(*two, 1).remarks
    assert first.startswith("Its evaluation is not there any more, to hold against macro_f1_bar")


def test_bars_that_the_rows_are_too_few_for_are_said(two: tuple[Side, Side]) -> None:
    few = {**EVALUATION, "per_class": [{"label": "brakes", "recall": 0.5, "support": 2}]}
    configured(two, few, recall_floor=0.6)
    first, *_ = promotion.promote(*two, 1).remarks
    assert first.startswith("The rows are too few to hold the recall of 1 category against recall_floor")


def test_a_version_worse_than_the_live_one_on_the_same_file_is_refused(two: tuple[Side, Side]) -> None:
    made_live(two[1], accuracy=0.95)
    with pytest.raises(
        CommandError, match=r"worse than the live version 1 of claimflow-prod: 93.0% and 95.0%"
    ):
        promotion.promote(*two, 1)


def test_a_live_one_that_other_rows_judged_is_said_to_be_uncompared(two: tuple[Side, Side]) -> None:
    made_live(two[1], accuracy=0.95, data={"uri": "s3://x/y", "version": None, "etag": "other"})
    made = promotion.promote(*two, 1)
    assert made.version == 2
    assert made.remarks[0].startswith("It was not compared with the live version 1: the two were judged on")


def test_a_version_that_lacks_a_category_of_the_live_one_is_refused(two: tuple[Side, Side]) -> None:
    made_live(two[1], labels=["brakes", "engine", "noise"])
    with pytest.raises(
        CommandError, match="lacks categories of the live version 1 of claimflow-prod: 'noise'"
    ):
        promotion.promote(*two, 1)


def test_only_an_approved_version_can_go(two: tuple[Side, Side]) -> None:
    models.set_status(two[0].account, two[0].stack, 1, "Rejected")
    with pytest.raises(
        CommandError, match=r"is rejected in claimflow: approve it there first, with `claimflow"
    ):
        promotion.promote(*two, 1)


def test_a_version_without_a_card_cannot_be_judged(two: tuple[Side, Side]) -> None:
    add_model(two[0].account, 0.99)
    with pytest.raises(CommandError, match="Version 2 of claimflow has no card to judge it by"):
        promotion.promote(*two, 2)


def test_a_stack_without_an_image_is_told_how_to_get_one(
    two: tuple[Side, Side], cloudformation: FakeCloudFormation
) -> None:
    cloudformation.parameters["ImageDigest"] = ""
    with pytest.raises(CommandError, match=r"claimflow-prod has no image yet .*deploy --image NAME"):
        promotion.promote(*two, 1)


def test_an_archive_that_is_gone_is_told(two: tuple[Side, Side]) -> None:
    two[0].account.s3.delete_object(Bucket="artifacts", Key=ARCHIVE.removeprefix("s3://artifacts/"))
    with pytest.raises(CommandError, match=r"model.tar.gz is not there any more, so the model cannot"):
        promotion.promote(*two, 1)
    assert not models.list_models(two[1].account, two[1].stack)


def test_the_same_stack_is_no_other(two: tuple[Side, Side]) -> None:
    with pytest.raises(CommandError, match="That is the same stack"):
        promotion.promote(two[0], two[0], 1)


def test_the_command_says_where_the_version_is_and_what_comes_next(
    two: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display.console, "_file", None)
    command = ["models", "promote", "1", "--to", "claimflow-prod"]
    said = " ".join(CliRunner().invoke(cli.app, command).output.split())
    assert "Version 1 is version 1 of claimflow-prod now, and waits for approval." in said
    assert said.endswith("Next: claimflow --stack claimflow-prod models approve 1")
    again = " ".join(CliRunner().invoke(cli.app, command).output.split())
    assert again == "Version 1 is in claimflow-prod already, as its version 1."


def test_profile_and_stack_are_told_apart() -> None:
    here = Account("claimflow-dev", region="eu-west-1", profile="dev")
    there = promotion.destination(here, "prod/claimflow-prod", None)
    assert (there.profile, there.stack, there.region) == ("prod", "claimflow-prod", "eu-west-1")
    beside = promotion.destination(here, "claimflow-prod", "us-east-1")
    assert (beside.profile, beside.stack, beside.region) == ("dev", "claimflow-prod", "us-east-1")
    for wrong in ("prod/", ""):
        with pytest.raises(CommandError, match="names no stack"):
            promotion.destination(here, wrong, None)
