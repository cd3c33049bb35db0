"""register: a model that passed becomes a version in the registry, once."""

import json
import time
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from contract.errors import AnotherGoesLive, InvalidRequest, TrainingFailed
from contract.served import SERVED_TYPES
from evaluate.handler import handler as evaluate
from register import lock, package
from register.handler import handler as register
from shared import aws, storage
from shared.storage import Location
from tests.unit.functions.stack import ARTIFACTS, GROUP, Stack, champion, labelled, tar_gz


def passed(stack: Stack, config: dict[str, Any] | None = None, **evaluation: object) -> dict[str, Any]:
    state = stack.validated("train", labelled(20), config)
    state["training"] = stack.trained(state, **evaluation)
    state["evaluation"] = evaluate(state, None)
    return state


def versions(stack: Stack) -> dict[int, str]:
    """Return the status of every version."""
    found = stack.sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]
    return {one["ModelPackageVersion"]: one["ModelApprovalStatus"] for one in found}


def compared_again(
    stack: Stack, state: dict[str, Any], registered: dict[str, Any], **evaluation: object
) -> dict[str, Any]:
    """Take a state from `Compare again` through its job and Evaluate, as the machine does."""
    again = {"request": state["request"], **registered["again"]}
    again["training"] = stack.trained(again, **evaluation)
    again["evaluation"] = evaluate(again, None)
    return again


def channels(state: dict[str, Any]) -> dict[str, str]:
    made = state["validation"]["train"]["channels"]
    return {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in made}


@pytest.mark.parametrize("live_before", [True, False])
def test_of_two_that_overlap_the_later_one_is_compared_with_the_one_that_went_live(
    stack: Stack, live_before: bool
) -> None:
    if live_before:
        stack.live()
    first, second = (passed(stack, {"seed": seed}, champion=champion(9, 9)) for seed in (1, 2))
    winner = register(first, None)
    overtaken = register(second, None)
    assert (overtaken["live"], "version" in overtaken) == (False, False)
    assert len(versions(stack)) == winner["version"]
    again = overtaken["again"]
    assert again["run"]["live_model"]["arn"] == winner["arn"]
    assert again["run"]["round"] == 1
    assert again["run"]["job_name"] == second["run"]["job_name"] + "-1"
    made = channels(again)
    assert set(made) == {"train", "validation", "champion", "champion_validation", "challenger"}
    assert second["training"]["model_uri"] == made["challenger"] + "model.tar.gz"
    assert first["training"]["model_uri"] == made["champion"] + "model.tar.gz"
    assert made["champion_validation"].endswith(f"/runs/{first['run']['id']}/validation/")


def test_who_is_better_then_goes_live_after_all(stack: Stack) -> None:
    first, second = passed(stack, {"seed": 1}), passed(stack, {"seed": 2})
    register(first, None)
    again = compared_again(stack, second, register(second, None), champion=champion(10, 9))
    found = register(again, None)
    assert (found["live"], found["version"]) == (True, 2)
    assert "Version 1 went live while this model was trained" in found["message"]


def test_who_is_worse_then_is_told_so(stack: Stack) -> None:
    first, second = passed(stack, {"seed": 1}), passed(stack, {"seed": 2})
    register(first, None)
    again = compared_again(stack, second, register(second, None), champion=champion(8, 9))
    assert "Version 1 went live while this model was trained" in again["evaluation"]["message"]
    assert register(again, None) == {"live": False, "rejected": True}
    assert list(versions(stack)) == [1]


@pytest.mark.fault(
    where="what is live",
    fault="a person approves another version in mid-run",
    then="the two are compared before either is live",
    reads="",
)
def test_a_version_that_a_person_approved_meanwhile_is_compared_first(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_APPROVAL", "manual")
    waiting = register(passed(stack, {"seed": 1}), None)
    monkeypatch.setenv("CLAIMFLOW_APPROVAL", "automatic")
    state = passed(stack, {"seed": 2})
    stack.sagemaker.update_model_package(ModelPackageArn=waiting["arn"], ModelApprovalStatus="Approved")
    assert register(state, None)["again"]["run"]["live_model"]["version"] == waiting["version"]


@pytest.mark.fault(
    where="what is live",
    fault="the live model is rolled back in mid-run",
    then="the new one is compared with the one that is live by then",
    reads="",
)
def test_a_model_that_was_rolled_back_meanwhile_is_not_the_one_to_beat(stack: Stack) -> None:
    before = stack.live()["registration"]
    newest = stack.live(accuracy=0.95)["registration"]
    state = passed(stack, {"seed": 3}, champion=champion(9, 9))
    stack.sagemaker.update_model_package(ModelPackageArn=newest["arn"], ModelApprovalStatus="Rejected")
    again = register(state, None)["again"]
    assert again["run"]["live_model"]["arn"] == before["arn"]
    stack.sagemaker.update_model_package(ModelPackageArn=before["arn"], ModelApprovalStatus="Rejected")
    again = register(state, None)["again"]
    assert again["run"]["live_model"] is None
    assert "champion" not in channels(again)


def test_who_lost_to_a_model_that_was_rolled_back_meanwhile_has_another_chance(stack: Stack) -> None:
    before = stack.live()["registration"]
    newest = stack.live(accuracy=0.95)["registration"]
    lost = passed(stack, {"seed": 3}, champion=champion(8, 9))
    assert register(lost, None)["rejected"] is True
    stack.sagemaker.update_model_package(ModelPackageArn=newest["arn"], ModelApprovalStatus="Rejected")
    assert register(lost, None)["again"]["run"]["live_model"]["arn"] == before["arn"]


@pytest.mark.parametrize(("significance", "goes_live"), [(None, False), (0.05, True)])
def test_a_model_that_is_less_accurate_by_chance_goes_live_only_if_the_configuration_lets_it(
    stack: Stack, significance: float | None, goes_live: bool
) -> None:
    stack.live()
    state = passed(stack, {"live_significance": significance}, champion=champion(8, 9))
    assert register(state, None)["live"] is goes_live


def test_an_older_evaluate_left_the_figures_of_the_comparison_only(stack: Stack) -> None:
    stack.live()
    state = passed(stack, {"seed": 1}, champion=champion(8, 9))
    del state["evaluation"]["worse_than_live"]
    assert register(state, None) == {"live": False, "rejected": True}


def test_after_three_rounds_a_person_decides(stack: Stack) -> None:
    state = passed(stack, {"seed": 2})
    stack.live()
    state["run"]["round"] = 3
    found = register(state, None)
    assert (found["live"], found["version"]) == (False, 2)
    assert found["reason"] == (
        "Other models went live 3 times while it was compared, and version 1 is live now."
    )


def test_a_run_that_began_before_the_stack_was_updated_is_told_to_start_again(stack: Stack) -> None:
    """It was redriven, with a state in which an older version left out what is read now."""
    state = passed(stack)
    del state["run"]["data"]["etag"]
    with pytest.raises(InvalidRequest, match=r"has no 'run\.data\.etag': start the same request again\.$"):
        register(state, None)
    assert versions(stack) == {}


def test_what_is_missing_makes_the_version_wait_and_is_told(stack: Stack) -> None:
    state = passed(stack)
    state["evaluation"]["reason"] = "Only 1 row\u200b judged it."
    found = register(state, None)
    assert (found["live"], found["reason"]) == (False, state["evaluation"]["reason"])
    assert versions(stack) == {1: "PendingManualApproval"}
    described = stack.sagemaker.describe_model_package(ModelPackageName=found["arn"])
    assert described["ModelPackageDescription"].endswith("accuracy 90.0%. Only 1 row judged it.")
    assert "waits for a person, for this reason: Only 1 row" in found["message"]


@pytest.mark.fault(
    where="what is live",
    fault="a run is interrupted between registering a model and making it live",
    then="the model before stays live; taken again, it goes on",
    reads="",
)
def test_what_is_interrupted_between_registering_and_approving_changes_nothing_and_goes_on(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stack.live()
    state = passed(stack, {"seed": 2}, champion=champion(9, 9))
    with monkeypatch.context() as broken:
        broken.setattr(aws.sagemaker(), "update_model_package", Mock(side_effect=RuntimeError("lost")))
        with pytest.raises(RuntimeError):
            register(state, None)
    assert stack.prepare(before["request"])["live_model"]["version"] == 1
    assert versions(stack) == {1: "Approved", 2: "PendingManualApproval"}
    assert register(state, None)["live"] is True
    assert versions(stack) == {1: "Approved", 2: "Approved"}


def test_a_version_that_a_person_rejected_in_between_stays_rejected(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = passed(stack)
    with monkeypatch.context() as broken:
        broken.setattr(aws.sagemaker(), "update_model_package", Mock(side_effect=RuntimeError("lost")))
        with pytest.raises(RuntimeError):
            register(state, None)
    (one,) = stack.sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]
    arn = one["ModelPackageArn"]
    stack.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    assert register(state, None)["reason"] == "A person rejected it while it was going live."
    assert versions(stack) == {1: "Rejected"}


LOCK = {"Bucket": ARTIFACTS, "Key": "locks/going-live.json"}


def test_one_run_waits_for_another_that_goes_live(stack: Stack) -> None:
    state = passed(stack)
    stack.s3.put_object(**LOCK, Body=json.dumps({"holder": "x", "expires": time.time() + 600}))
    with pytest.raises(AnotherGoesLive, match="Another run is making its model live at this moment"):
        register(state, None)
    assert versions(stack) == {}


@pytest.mark.fault(
    where="what is live",
    fault="the run that decides what is live is lost while the others wait",
    then="one of them takes over as soon as the lost one cannot go on",
    reads="",
)
def test_a_lock_whose_holder_was_lost_is_taken_over(stack: Stack) -> None:
    state = passed(stack)
    stack.s3.put_object(**LOCK, Body=json.dumps({"holder": "x", "expires": time.time() - 1}))
    assert register(state, None)["live"] is True
    assert LOCK["Key"] not in stack.keys(ARTIFACTS)


@pytest.mark.fault(
    where="what is live",
    fault="the run that decides what is live is lost while the others wait",
    then="one of them takes over as soon as the lost one cannot go on",
    reads="",
)
def test_of_two_that_take_over_a_lock_one_gets_it(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Location(LOCK["Bucket"], LOCK["Key"])
    stack.s3.put_object(**LOCK, Body=json.dumps({"holder": "x", "expires": 0}))
    write = storage.write_if

    def late(place: Location, content: bytes, **condition: str) -> bool:
        if "IfMatch" in condition:  # the other one is faster
            stack.s3.put_object(**LOCK, Body=json.dumps({"holder": "y", "expires": time.time() + 600}))
        return write(place, content, **condition)

    monkeypatch.setattr(storage, "write_if", late)
    with pytest.raises(AnotherGoesLive), lock.held(place, 600):
        raise AssertionError("it was held twice")


def test_a_lock_whose_answer_was_lost_is_held_all_the_same(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Location(LOCK["Bucket"], LOCK["Key"])
    write = storage.write_if

    def twice(place: Location, content: bytes, **condition: str) -> bool:
        write(place, content, **condition)
        return write(place, content, **condition)

    monkeypatch.setattr(storage, "write_if", twice)
    with lock.held(place, 600):
        assert stack.keys(ARTIFACTS) == [LOCK["Key"]]
    assert stack.keys(ARTIFACTS) == []


def test_an_approved_model_is_live_with_its_metrics_and_origin(stack: Stack) -> None:
    state = passed(stack, accuracy=0.93)
    found = register(state, None)
    package = stack.sagemaker.describe_model_package(ModelPackageName=found["arn"])
    assert (found["live"], found["version"], package["ModelApprovalStatus"]) == (True, 1, "Approved")
    container = package["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == state["training"]["model_uri"]
    assert container["Image"] == state["run"]["image"], "what trained it, whatever the stack runs by now"
    assert package["InferenceSpecification"]["SupportedContentTypes"] == list(SERVED_TYPES)
    metrics = package["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert metrics == {"ContentType": "application/json", "S3Uri": state["evaluation"]["evaluation"]}
    about = package["CustomerMetadataProperties"]
    assert (about["run"], about["accuracy"]) == (state["run"]["name"], "0.93")
    assert (about["rows"], about["categories"], about["accuracy_interval"]) == ("40", "2", "0.85 0.94")
    assert "started_by" not in about
    assert "waits_for" not in about
    assert package["ApprovalDescription"] == f"Approved by the gate, in the run {state['run']['name']}"
    assert about["data_version"] == state["run"]["data"]["version"]


def test_a_stack_that_asks_for_a_person_leaves_the_live_model_alone(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_APPROVAL", "manual")
    found = register(passed(stack), None)
    package = stack.sagemaker.describe_model_package(ModelPackageName=found["arn"])
    assert (found["live"], package["ModelApprovalStatus"]) == (False, "PendingManualApproval")
    assert "waits for approval" in found["subject"]


def test_a_second_call_gives_the_same_version(stack: Stack) -> None:
    state = passed(stack)
    first, before = register(state, None), stack.everything()
    assert register(state, None) == first
    assert stack.everything() == before
    assert len(versions(stack)) == 1
    assert 1 <= len(package.token(state["run"]["id"], state["training"]["job"])) <= 36


def test_metadata_counts_the_files_beside_the_first(stack: Stack) -> None:
    several = stack.made_live(stack.validated_files(labelled(20), "text,category\nnoise,engine\n"))
    about = package.metadata(several, None)
    assert about["data"] == "s3://uploads-bucket/train/a.csv"
    assert about["more_files"] == "1"
    assert "more_files" not in package.metadata(stack.live(), None)


def test_metadata_says_why_a_version_was_left_to_a_person(stack: Stack) -> None:
    assert package.metadata(passed(stack), "Too few rows.")["waits_for"] == "Too few rows."


def test_another_job_has_another_token() -> None:
    assert package.token("run", "job-0") != package.token("run", "job-1")


def test_metadata_holds_only_what_sagemaker_takes(stack: Stack) -> None:
    state = passed(stack)
    state["run"]["data"]["uri"] = "s3://uploads/train/" + "größe (1)\n,;" * 40
    about = package.metadata(state, None)
    assert len(about["data"]) == 256
    assert not set(about["data"]) & set("(),;\n")


@pytest.mark.parametrize(
    "files",
    [
        {"encoder.json": "", "config.json": ""},
        {"a.params": "", "b.params": "", "encoder.json": "", "config.json": ""},
        {"a.params": "", "config.json": ""},
    ],
)
def test_a_model_without_its_files_is_not_registered(stack: Stack, files: dict[str, str | bytes]) -> None:
    state = passed(stack)
    stack.write(state["training"]["model_uri"], tar_gz(files))
    with pytest.raises(TrainingFailed, match=r"must hold one \*.params file"):
        register(state, None)
    assert stack.sagemaker.list_model_packages()["ModelPackageSummaryList"] == []


def test_a_broken_model_archive_is_a_failed_training(stack: Stack) -> None:
    state = passed(stack)
    stack.write(state["training"]["model_uri"], b"broken")
    with pytest.raises(TrainingFailed, match="cannot be read"):
        register(state, None)


def test_a_denied_call_is_raised_as_it_is(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    state = passed(stack)
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateModelPackage")
    monkeypatch.setattr(aws.sagemaker(), "create_model_package", Mock(side_effect=denied))
    with pytest.raises(ClientError, match="AccessDenied"):
        register(state, None)


def test_the_message_names_the_version_and_the_figures(stack: Stack) -> None:
    found = register(passed(stack, accuracy=0.93), None)
    assert found["subject"] == "Claimflow: model version 1 is live (93.0%)"
    assert "93.0% of 200 rows" in found["message"]


def test_the_message_of_a_live_model_says_what_to_do_where_little_is_accepted(stack: Stack) -> None:
    state = passed(stack)
    state["evaluation"]["advice"] = "Decide the suspects first, then train again."
    assert "Decide the suspects first, then train again." in register(state, None)["message"]


def test_a_file_that_waits_for_the_approval_is_told_with_what_to_do(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_APPROVAL", "manual")
    state = passed(stack)
    assert "not labelled" not in register(state, None)["message"]
    state["run"]["predict"] = state["run"]["data"] | {"uri": "s3://uploads/requests/new.csv"}
    said = register(state, None)["message"]
    assert "s3://uploads/requests/new.csv was not labelled: approve the version first, then predict" in said
    assert "`claimflow models approve " in said
