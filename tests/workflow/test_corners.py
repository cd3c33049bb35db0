"""The corners of network and key, deployed one after the other to one stack, which trains in the last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import policies, variants
from tests.workflow.claims import FAST, as_csv, rows
from tests.workflow.fixtures import NO_IMAGE, deploy_command, local_stack
from tests.workflow.stack import Stack, output_of

# Every parameter of which a later corner differs: what a deployment does not name stays as it was.
PUBLIC = {"Network": "public", "FunctionsInVpc": "false", "Accelerator": "cpu"}
CORNERS: dict[str, dict[str, str]] = {
    "private, one zone, GPU": {**PUBLIC, "Network": "private", "Accelerator": "gpu", "Zones": "1"},
    "public, three zones, a key": {**PUBLIC, "KmsKeyArn": "create", "Zones": "3"},
    "private, three zones, a key, functions": {
        **PUBLIC,
        "Network": "private",
        "FunctionsInVpc": "true",
        "KmsKeyArn": "create",
        "Zones": "3",
        "TrainingInstanceCount": "2",
        "KeepAccessLogDays": "30",
    },
}


@pytest.fixture(scope="module")
def cornered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path]]:
    """Yield a stack of its own, and where it was built."""
    folder = tmp_path_factory.mktemp("corners")
    with local_stack(folder) as stack:
        yield stack, folder


@pytest.mark.parametrize("corner", CORNERS)
def test_a_corner_is_deployed_and_has_exactly_its_resources(
    cornered: tuple[Stack, Path], corner: str
) -> None:
    stack, folder = cornered
    given = CORNERS[corner]
    stack.command(*deploy_command(stack, folder), *(f"{key}={value}" for key, value in given.items()))
    listed = stack.client("cloudformation").describe_stack_resources(StackName=stack.name)["StackResources"]
    there = {each["LogicalResourceId"] for each in listed}
    wanted = set(variants.resources(variants.chosen(**given, ImageDigest=NO_IMAGE)))
    assert wanted
    assert there & set(policies.template()["Resources"]) == wanted


def test_a_training_in_the_last_corner_has_its_key_and_its_network(cornered: tuple[Stack, Path]) -> None:
    stack, _ = cornered
    described = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]
    stack.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    data = stack.upload("requests/first.csv", as_csv(rows(240)))
    ended = stack.run({"action": "train", "data": data, "config": FAST})
    training = output_of(ended)["training"]
    assert "Train in the VPC" in stack.states(ended["executionArn"])
    request = stack.client("sagemaker").describe_training_job(TrainingJobName=training["job"])
    key = stack.outputs["KmsKeyArn"]
    assert len(request["VpcConfig"]["Subnets"]) == 3
    assert (request["ResourceConfig"]["VolumeKmsKeyId"], request["OutputDataConfig"]["KmsKeyId"]) == (
        key,
        key,
    )
    queue = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["UndeliveredUploadsUrl"], AttributeNames=["KmsMasterKeyId"]
    )
    assert queue["Attributes"]["KmsMasterKeyId"] == key
    (group,) = stack.client("logs").describe_log_groups(
        logGroupNamePrefix=f"/claimflow/{stack.name}/network"
    )["logGroups"]
    assert group["kmsKeyId"] == key
