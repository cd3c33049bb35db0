"""The function for small files: where it is, what it may do, and that Batch stands behind it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from docs import variants
from docs.policies import grants

Data = dict[str, Any]

DIGEST = f"sha256:{'a' * 64}"
ARN = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WITH = variants.chosen(ImageDigest=DIGEST)
OURS = {"LabelFunction", "LabelErrors", "LabelThrottles"}


@pytest.mark.parametrize(
    ("digest", "accelerator", "rows", "alarms"),
    list(itertools.product(("", DIGEST), ("cpu", "gpu"), (0, 1, 5000), ("true", "false"))),
)
def test_there_is_a_function_where_there_is_an_image_without_gpus_and_small_files(
    template: Data, digest: str, accelerator: str, rows: int, alarms: str
) -> None:
    values = variants.chosen(ImageDigest=digest, Accelerator=accelerator, SmallRows=rows, Alarms=alarms)
    resources = variants.resources(values)
    there = bool(digest and accelerator == "cpu" and rows)
    assert ("LabelFunction" in resources) is there
    assert ("LabelErrors" in resources) is (there and alarms == "true")
    given = resources["PrepareFunction"]["Properties"]["Environment"]["Variables"]
    assert bool(given["CLAIMFLOW_SMALL_FUNCTION"]) is there
    named = {name for name in variants.names([resources, variants.outputs(values)]) if name in OURS}
    assert named <= set(resources)


def test_its_image_is_that_of_the_jobs_by_its_digest() -> None:
    resources = variants.resources(WITH)
    function = resources["LabelFunction"]["Properties"]
    job = resources["JobDefinition"]["Properties"]["ContainerProperties"]
    assert function["Code"]["ImageUri"] == job["Image"]
    assert function["Environment"]["Variables"]["CLAIMFLOW_IMAGE"] == job["Image"]
    assert function["ImageConfig"]["Command"] == ["container.label.handler"]


def test_its_role_may_do_what_a_job_may_and_write_its_log_and_trace() -> None:
    own = {(each.action, each.pattern) for each in grants("LabelRole")}
    assert own >= {(each.action, each.pattern) for each in grants("JobRole")}
    more = {action for action, _ in own} - {each.action for each in grants("JobRole")}
    assert {action.split(":")[0] for action in more} == {"ec2", "logs", "xray"}
    assert all(pattern == "${LabelLogs.Arn}" for action, pattern in own if action.startswith("logs:"))


@pytest.mark.parametrize("given", ["create", ARN])
def test_its_variables_are_encrypted_with_the_key_and_it_is_where_the_functions_are(
    template: Data, given: str
) -> None:
    values = variants.chosen(ImageDigest=DIGEST, KmsKeyArn=given, Network="private", FunctionsInVpc="true")
    function = variants.resources(values)["LabelFunction"]["Properties"]
    everywhere = variants.value(template["Globals"]["Function"], values)
    assert function["KmsKeyArn"] == everywhere["KmsKeyArn"]
    assert function["VpcConfig"] == everywhere["VpcConfig"]
    assert {"KmsKeyArn", "VpcConfig"} & set(variants.resources(WITH)["LabelFunction"]["Properties"]) == set()


def test_lambda_reads_images_for_functions_of_this_stack_only(resources: Data) -> None:
    policy = resources["ImageRepository"]["Properties"]["RepositoryPolicyText"]
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert "function:${AWS::StackName}-*" in json.dumps(statement["Condition"]["ArnLike"])


def test_whatever_fails_batch_labels_the_file(states: Data) -> None:
    calls = states["Predict at once"]
    assert calls["Catch"] == [
        {
            "ErrorEquals": ["States.ALL"],
            "ResultPath": "$.validation.predict.fallback",
            "Next": "Only one shard?",
        }
    ]
    assert calls["Next"] == "Collect"


def test_a_call_is_waited_for_until_it_has_ended_and_lambdas_own_faults_are_tried_again(
    states: Data, resources: Data
) -> None:
    (call,) = states["Predict at once"]["Iterator"]["States"].values()
    assert call["TimeoutSeconds"] > resources["LabelFunction"]["Properties"]["Timeout"]
    assert call["Retry"][0]["ErrorEquals"] == states["Validate"]["Retry"][0]["ErrorEquals"]
