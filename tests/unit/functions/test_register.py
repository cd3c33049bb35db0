"""register: a model that passed becomes a version in the registry, once."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from evaluate.handler import handler as evaluate
from register import package
from register.handler import handler as register
from shared import aws, keys
from shared.errors import TrainingFailed
from tests.unit.functions.stack import ARTIFACTS, Stack, labelled, tar_gz


def passed(stack: Stack, config: dict[str, Any] | None = None, **evaluation: object) -> dict[str, Any]:
    state = stack.validated("train", labelled(20), config)
    state["training"] = stack.trained(state, **evaluation)
    state["evaluation"] = evaluate(state, None)
    return state


def test_an_approved_model_is_live_with_its_metrics_and_origin(stack: Stack) -> None:
    state = passed(stack, accuracy=0.93)
    found = register(state, None)
    package = stack.sagemaker.describe_model_package(ModelPackageName=found["arn"])
    assert (found["live"], found["version"], package["ModelApprovalStatus"]) == (True, 1, "Approved")
    container = package["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == state["training"]["model_uri"]
    metrics = package["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert metrics == {"ContentType": "application/json", "S3Uri": state["evaluation"]["evaluation"]}
    about = package["CustomerMetadataProperties"]
    assert (about["run"], about["accuracy"]) == (keys.run_name(state["run"]), "0.93")
    assert (about["rows"], about["categories"], about["accuracy_interval"]) == ("40", "2", "0.85 0.94")
    assert "started_by" not in about
    assert about["data_version"] == state["run"]["data"]["version"]


def test_weights_encoder_and_configuration_are_published(stack: Stack) -> None:
    state = passed(stack)
    files = {"manifest.json": "{}", "best.params": b"\0" * 100_000, "encoder.json": "E", "config.json": "C"}
    stack.write(state["training"]["model_uri"], tar_gz(files))
    register(state, None)
    live = f"s3://{ARTIFACTS}/live"
    assert stack.read(f"{live}/model.params") == b"\0" * 100_000
    assert (stack.read(f"{live}/encoder.json"), stack.read(f"{live}/config.json")) == (b"E", b"C")


def test_the_configuration_says_where_they_are_published(stack: Stack) -> None:
    address = f"s3://{ARTIFACTS}/live/2026/weights.bin"
    register(passed(stack, {"MODELPARAMSURL": address}), None)
    assert stack.read(address) == b"weights"


def test_a_stack_that_asks_for_a_person_leaves_the_live_model_alone(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_APPROVAL", "manual")
    found = register(passed(stack), None)
    package = stack.sagemaker.describe_model_package(ModelPackageName=found["arn"])
    assert (found["live"], package["ModelApprovalStatus"]) == (False, "PendingManualApproval")
    assert "waits for approval" in found["subject"]
    assert not [key for key in stack.keys(ARTIFACTS) if key.startswith("live/")]


def test_a_second_call_has_the_same_token_so_that_sagemaker_makes_one_version(stack: Stack) -> None:
    state = passed(stack)
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/claimflow-models/7"
    token = package.token(state["run"]["id"], state["training"]["job"])
    expected = dict.fromkeys(package.package(state, "g", "i", live=True), ANY) | {"ClientToken": token}
    with Stubber(aws.sagemaker()) as stub:
        for _ in range(2):
            stub.add_response("create_model_package", {"ModelPackageArn": arn}, expected)
        first, before = register(state, None), stack.everything()
        assert register(state, None) == first
    assert stack.everything() == before
    assert first["version"] == 7
    assert 1 <= len(token) <= 36


def test_another_job_has_another_token() -> None:
    assert package.token("run", "job-0") != package.token("run", "job-1")


def test_metadata_holds_only_what_sagemaker_takes(stack: Stack) -> None:
    state = passed(stack)
    state["run"]["data"]["uri"] = "s3://uploads/train/" + "größe (1)\n,;" * 40
    about = package.metadata(state)
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


def test_a_denied_call_is_raised_as_it_is(stack: Stack) -> None:
    state = passed(stack)
    with Stubber(aws.sagemaker()) as stub:
        stub.add_client_error("create_model_package", "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDenied"):
            register(state, None)


def test_the_message_names_the_version_and_the_figures(stack: Stack) -> None:
    found = register(passed(stack, accuracy=0.93), None)
    assert found["subject"] == "Claimflow: model version 1 is live (93.0%)"
    assert "93.0% of 200 rows" in found["message"]


def test_a_file_that_waits_for_the_approval_is_told_with_what_to_do(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_APPROVAL", "manual")
    state = passed(stack)
    assert "not labelled" not in register(state, None)["message"]
    state["run"]["predict"] = {"uri": "s3://uploads/requests/new.csv"}
    said = register(state, None)["message"]
    assert "s3://uploads/requests/new.csv was not labelled: approve the version first, then predict" in said
    assert "`claimflow models approve " in said
