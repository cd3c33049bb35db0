"""What CloudFormation can only set when it creates something: another value replaces the resource.

The new one is made before the old one is deleted. Where the name is fixed, that fails; where data lies, it
goes with the old one. The properties are those that the resource schemas of CloudFormation call create-only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

Data = dict[str, Any]

REGION = "us-east-1"
MADE_BY_SAM = {
    "AWS::Serverless::Function": "AWS::Lambda::Function",
    "AWS::Serverless::StateMachine": "AWS::StepFunctions::StateMachine",
}
HOLDS_DATA = {
    "AWS::DynamoDB::Table": "what people decided",
    "AWS::ECR::Repository": "images that model versions name",
    "AWS::Logs::LogGroup": "logs",
    "AWS::S3::Bucket": "files, models and results",
    "AWS::SNS::Topic": "subscriptions that people have confirmed",
    "AWS::SQS::Queue": "events that nobody has looked at yet",
    "AWS::SageMaker::ModelPackageGroup": "the versions of the model",
}
# What stays, and why it may.
EXPLAINED = {
    ("AWS::Batch::JobDefinition", "JobDefinitionName"): "permissions and the state machine name it",
    ("AWS::DynamoDB::Table", "KeySchema"): "a table has keys; they are what a decision is found by",
    ("AWS::Logs::LogGroup", "LogGroupName"): "people find a log by it, and a permission names it",
    ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupName"): "a group has no other identity",
}


@pytest.fixture(scope="module")
def create_only(resources: Data) -> list[tuple[str, str, str, Any]]:
    """Return the create-only properties that are given: resource, its type, property, value."""
    found = list(_create_only(resources))
    assert len(found) > 40
    return found


@pytest.fixture(scope="module")
def kept(resources: Data, create_only: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Return those of resources that have fixed names or hold data."""
    fixed = {name for name, kind, *_ in create_only if _is_named(resources[name], kind)}
    assert {"ModelGroup", "JobDefinition", "StateMachineLogs"} <= fixed
    return [each for each in create_only if each[0] in fixed or each[1] in HOLDS_DATA]


def test_what_an_update_would_replace_is_explained(kept: list[tuple[str, str, str, Any]]) -> None:
    assert {(kind, key) for _, kind, key, _ in kept} == set(EXPLAINED)


def test_no_parameter_replaces_what_has_a_fixed_name_or_holds_data(
    kept: list[tuple[str, str, str, Any]],
) -> None:
    changing = [(name, key) for name, _, key, value in kept if _read(value) - {"AWS::StackName"}]
    assert changing == []


def test_every_kind_that_holds_data_is_there(resources: Data) -> None:
    assert set(HOLDS_DATA) <= {each["Type"] for each in resources.values()}


def _create_only(resources: Data) -> Iterator[tuple[str, str, str, Any]]:
    for name, resource in resources.items():
        kind = MADE_BY_SAM.get(resource["Type"], resource["Type"])
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
        pointers = schema.get("createOnlyProperties", []) + schema.get("conditionalCreateOnlyProperties", [])
        for pointer in pointers:
            key = pointer.removeprefix("/properties/")
            value = _value(resource.get("Properties", {}), key.split("/"))
            if value is not None:
                yield name, kind, key, value


def _value(properties: Any, keys: list[str]) -> Any:
    for key in keys:
        if key == "*":
            break
        if not isinstance(properties, dict) or key not in properties:
            return None
        properties = properties[key]
    return properties


def _is_named(resource: Data, kind: str) -> bool:
    """Say whether the template gives the resource its name."""
    return kind.rsplit("::", 1)[1] + "Name" in resource["Properties"]


def _read(value: Any) -> set[str]:
    """Return the parameters, pseudo parameters and resources that a value depends on."""
    text = json.dumps(value)
    return {*re.findall(r"\$\{([\w:.]+)\}", text), *re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"([\w:]+)"', text)}
