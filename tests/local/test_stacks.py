"""CloudFormation: the resource types that ministack lacks."""

import json
from typing import Any

import pytest

from tests.local.local_server import Json, Local, wait_for

DEFINITION = {
    "Type": "AWS::Batch::JobDefinition",
    "Properties": {
        "Type": "container",
        "Parameters": {"Word": "Hello"},
        "Timeout": {"AttemptDurationSeconds": "600"},
        "RetryStrategy": {"Attempts": 2, "EvaluateOnExit": [{"Action": "EXIT", "OnReason": "*"}]},
        "ContainerProperties": {
            "Image": "image",
            "Command": ["predict", "Ref::Word"],
            "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "group"}},
            "ResourceRequirements": [{"Type": "VCPU", "Value": "1"}],
        },
    },
}


def template() -> dict[str, Any]:
    return {
        "Resources": {
            "Environment": {
                "Type": "AWS::Batch::ComputeEnvironment",
                "Properties": {
                    "Type": "MANAGED",
                    "ComputeResources": {"Type": "FARGATE", "MaxvCpus": 4, "Subnets": ["subnet-1"]},
                },
            },
            "Queue": {
                "Type": "AWS::Batch::JobQueue",
                "Properties": {
                    "Priority": 1,
                    "ComputeEnvironmentOrder": [{"Order": 1, "ComputeEnvironment": {"Ref": "Environment"}}],
                },
            },
            "Definition": json.loads(json.dumps(DEFINITION)),
            "Models": {
                "Type": "AWS::SageMaker::ModelPackageGroup",
                "Properties": {"ModelPackageGroupName": "stack-models"},
            },
            "Bucket": {"Type": "AWS::S3::Bucket"},
        },
        "Outputs": {
            "Queue": {"Value": {"Ref": "Queue"}},
            "Definition": {"Value": {"Ref": "Definition"}},
            "Models": {"Value": {"Fn::GetAtt": ["Models", "ModelPackageGroupArn"]}},
            "Bucket": {"Value": {"Ref": "Bucket"}},
        },
    }


def settled(aws: Local, stack: str) -> dict[str, Any]:
    def look() -> Json:
        found = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found

    found: dict[str, Any] = wait_for(look)
    return found


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture
def stack(aws: Local, name: str) -> str:
    return str(
        aws.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template()))[
            "StackId"
        ]
    )


def test_a_stack_is_made_changed_and_removed_without_a_trace(aws: Local, stack: str) -> None:
    made = settled(aws, stack)
    assert made["StackStatus"] == "CREATE_COMPLETE", made
    first = outputs(made)
    assert first["Definition"].endswith(":1")
    definition = aws.client("batch").describe_job_definitions(jobDefinitions=[first["Definition"]])[
        "jobDefinitions"
    ][0]
    assert definition["parameters"] == {"Word": "Hello"}
    assert definition["timeout"] == {"attemptDurationSeconds": 600}
    assert definition["containerProperties"]["logConfiguration"]["options"] == {"awslogs-group": "group"}

    changed = template()
    changed["Resources"]["Definition"]["Properties"]["Timeout"]["AttemptDurationSeconds"] = 60
    changed["Resources"]["Environment"]["Properties"]["ComputeResources"]["MaxvCpus"] = 2
    aws.client("cloudformation").update_stack(StackName=stack, TemplateBody=json.dumps(changed))
    second = outputs(settled(aws, stack))
    assert second == {**first, "Definition": first["Definition"][:-1] + "2"}
    assert active_revisions(aws, first["Definition"].rpartition("/")[2].partition(":")[0]) == [2]

    aws.client("s3").put_object(Bucket=first["Bucket"], Key="a", Body=b"1")
    aws.client("cloudformation").delete_stack(StackName=stack)
    refused = settled(aws, stack)
    assert refused["StackStatus"] == "DELETE_FAILED"
    assert "Bucket" in refused["StackStatusReason"]

    aws.client("s3").delete_object(Bucket=first["Bucket"], Key="a")
    aws.client("cloudformation").delete_stack(StackName=stack)
    assert settled(aws, stack)["StackStatus"] == "DELETE_COMPLETE"
    assert aws.client("batch").describe_job_queues(jobQueues=[first["Queue"]])["jobQueues"] == []
    groups = aws.client("sagemaker").list_model_package_groups(NameContains="stack-models")
    assert groups["ModelPackageGroupSummaryList"] == []


def test_a_revision_that_an_update_is_to_keep_stays_until_the_stack_is_deleted(aws: Local, name: str) -> None:
    made = {"Resources": {"Definition": json.loads(json.dumps(DEFINITION))}}
    properties = made["Resources"]["Definition"]["Properties"]
    properties |= {"JobDefinitionName": name, "ResourceRetentionPolicy": {"SkipDeregisterOnUpdate": True}}
    cloudformation = aws.client("cloudformation")
    stack = cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(made))["StackId"]
    settled(aws, stack)
    properties["Timeout"] = {"AttemptDurationSeconds": 60}
    cloudformation.update_stack(StackName=name, TemplateBody=json.dumps(made))
    assert settled(aws, stack)["StackStatus"] == "UPDATE_COMPLETE"
    assert active_revisions(aws, name) == [1, 2]
    cloudformation.delete_stack(StackName=stack)
    assert settled(aws, stack)["StackStatus"] == "DELETE_COMPLETE"
    assert active_revisions(aws, name) == [1]


def test_an_alias_follows_the_machine_and_older_versions_stay(aws: Local, name: str) -> None:
    cloudformation, states = aws.client("cloudformation"), aws.client("stepfunctions")
    stack = cloudformation.create_stack(StackName=name, TemplateBody=versioned("first"))["StackId"]
    made = settled(aws, stack)
    assert made["StackStatus"] == "CREATE_COMPLETE", made
    first = outputs(made)
    assert first["Alias"] == f"{first['Machine']}:live"
    cloudformation.update_stack(StackName=name, TemplateBody=versioned("second"))
    changed = settled(aws, stack)
    assert changed["StackStatus"] == "UPDATE_COMPLETE", changed
    second = outputs(changed)
    assert second["Alias"] == first["Alias"]
    alias = states.describe_state_machine_alias(stateMachineAliasArn=second["Alias"])
    assert [each["stateMachineVersionArn"] for each in alias["routingConfiguration"]] == [second["Version"]]
    versions = states.list_state_machine_versions(stateMachineArn=first["Machine"])["stateMachineVersions"]
    listed = {each["stateMachineVersionArn"] for each in versions}
    assert listed == {first["Version"], second["Version"]}
    cloudformation.delete_stack(StackName=stack)
    assert settled(aws, stack)["StackStatus"] == "DELETE_COMPLETE"


def versioned(comment: str) -> str:
    """Return a template as SAM makes it of a state machine with AutoPublishAlias."""
    definition = {"Comment": comment, "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    machine = {"Ref": "Machine"}
    resources = {
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionString": json.dumps(definition),
                "RoleArn": "arn:aws:iam::000000000000:role/any",
            },
        },
        "Version": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "StateMachineArn": machine,
                "StateMachineRevisionId": {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]},
            },
        },
        "Alias": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "DeploymentPreference": {
                    "StateMachineVersionArn": {"Fn::GetAtt": ["Version", "Arn"]},
                    "Type": "ALL_AT_ONCE",
                },
            },
        },
    }
    return json.dumps(
        {"Resources": resources, "Outputs": {each: {"Value": {"Ref": each}} for each in resources}}
    )


def active_revisions(aws: Local, name: str) -> list[int]:
    found = aws.client("batch").describe_job_definitions(jobDefinitionName=name, status="ACTIVE")
    return [each["revision"] for each in found["jobDefinitions"]]


def test_a_functions_variable_that_the_template_gives_as_a_number_is_text(aws: Local, name: str) -> None:
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": name,
            "Runtime": "python3.11",
            "Handler": "index.handler",
            "Role": "arn:aws:iam::000000000000:role/any",
            "Code": {"ZipFile": "def handler(event, context): return __import__('os').environ['LIMIT']\n"},
            "Environment": {"Variables": {"LIMIT": 4096}},
        },
    }
    body = json.dumps({"Resources": {"Function": function}})
    settled(aws, aws.client("cloudformation").create_stack(StackName=name, TemplateBody=body)["StackId"])
    answer = aws.client("lambda").invoke(FunctionName=name)
    assert json.loads(answer["Payload"].read()) == "4096"
