"""Every combination of network, key, accelerator, zones and functions: nothing names what is not there."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from docs import variants

Data = dict[str, Any]

ARN = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NETWORKS: dict[str, Data] = {
    "public": {},
    "private": {"Network": "private"},
    "private with functions": {"Network": "private", "FunctionsInVpc": "true"},
    "given": {"VpcId": "vpc-01234567", "SubnetIds": "subnet-01234567"},
    "given and private": {
        "Network": "private",
        "FunctionsInVpc": "true",
        "VpcId": "vpc-01234567",
        "SubnetIds": "subnet-01234567,subnet-01234568",
    },
}
MATRIX = [
    pytest.param(
        variants.chosen(
            **network,
            KmsKeyArn=key,
            Accelerator=accelerator,
            Zones=zones,
            Alarms=alarms,
            TrainingInstanceCount=hosts,
        ),
        id=f"{name}-{key[:6] or 'no key'}-{accelerator}-{zones}-{alarms}-{hosts}",
    )
    for (name, network), key, accelerator, zones, alarms, hosts in itertools.product(
        NETWORKS.items(), ("", "create", ARN), ("cpu", "gpu"), (1, 3), ("true", "false"), (1, 2)
    )
]
# What SAM makes of a function's event or of the machine's alias.
MADE_BY_SAM = {
    "StateMachineAliaslive",
    "StartFunctionUpload",
    "PublishFunctionModelChange",
    "StoppedFunctionQueueBlocked",
}


@pytest.mark.parametrize("values", MATRIX)
def test_nothing_names_what_this_stack_does_not_have(template: Data, values: Data) -> None:
    assert variants.refused(values) == []
    resources, outputs = variants.resources(values), variants.outputs(values)
    glob = variants.value(template["Globals"], values)
    named = {name for name in variants.names([resources, outputs, glob]) if not name.startswith("AWS::")}
    assert named - set(resources) - set(template["Parameters"]) <= MADE_BY_SAM
    assert not _left(resources), "every condition is decided"


def test_the_resolver_sees_a_resource_that_is_not_there(template: Data) -> None:
    """The test above could pass for want of looking: it names the gateway of a public network here."""
    private = variants.resources(variants.chosen(Network="private"))
    route = variants.value(template["Resources"]["InternetRoute"], variants.chosen(Network="private"))
    assert "InternetGateway" in set(variants.names(route)) - set(private)


def test_the_names_that_sam_makes_are_of_events_and_of_the_alias(template: Data) -> None:
    resources = template["Resources"]
    made = {f"StateMachineAlias{resources['StateMachine']['Properties']['AutoPublishAlias']}"} | {
        f"{name}{event}"
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function"
        for event in each["Properties"].get("Events", {})
    }
    assert made >= MADE_BY_SAM


def test_every_condition_is_used_and_makes_a_difference(template: Data) -> None:
    """Of all that the matrix and the defaults do not turn, the parameter is named."""
    turned = {
        name: {variants.holds(name, each.values[0]) for each in MATRIX} for name in template["Conditions"]
    }
    same = {name for name, values in turned.items() if len(values) == 1}
    assert same <= {
        *(
            "WithImage",
            "TrainingTypeGiven",
            "BatchTypesGiven",
            "OnSpot",
            "WithEmail",
            "WithBudget",
            "WithAlarmEmail",
        ),
        *("UploadsExpire", "ResultsExpire", "ProtectsDecisions", "WithStudio", "WithAccessLog"),
        *("WithSmall", "AlarmsOfSmall"),  # test_small.py turns them
    }


def _left(node: Any) -> bool:
    if isinstance(node, dict):
        return "Fn::If" in node or node == {"Ref": "AWS::NoValue"} or any(map(_left, node.values()))
    return isinstance(node, list) and any(map(_left, node))
