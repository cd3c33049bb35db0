"""Who may do what: every statement of every policy of the template."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from importlib import resources as package_files
from typing import Any, NamedTuple

import pytest

from docs.policies import in_some_stack

Data = dict[str, Any]

# The actions of which AWS knows no resource, with what they are for.
WITHOUT_RESOURCE = {
    "batch:DescribeJobs": "Step Functions looks how a job goes; collect asks how long it took",
    "batch:ListJobs": "collect and explain ask why shards failed",
    "cloudwatch:PutMetricData": "SageMaker draws the curves of a training; narrowed by a condition",
    "ec2:DescribeDhcpOptions": "SageMaker looks at the private network",
    "ec2:DescribeNetworkInterfaces": "SageMaker and Lambda look at the private network",
    "ec2:DescribeSecurityGroups": "SageMaker looks at the private network",
    "ec2:DescribeSubnets": "SageMaker and Lambda look at the private network",
    "ec2:DescribeVpcs": "SageMaker looks at the private network",
    "ecr:GetAuthorizationToken": "SageMaker and Batch log in to the registry",
    "logs:CreateLogDelivery": "Step Functions writes its log",
    "logs:DeleteLogDelivery": "Step Functions writes its log",
    "logs:DescribeLogGroups": "Step Functions and the network's flow log write their logs",
    "logs:DescribeResourcePolicies": "Step Functions writes its log",
    "logs:GetLogDelivery": "Step Functions writes its log",
    "logs:ListLogDeliveries": "Step Functions writes its log",
    "logs:PutResourcePolicy": "Step Functions writes its log",
    "logs:UpdateLogDelivery": "Step Functions writes its log",
    "xray:GetSamplingRules": "Step Functions writes its trace",
    "xray:GetSamplingTargets": "Step Functions writes its trace",
    "sagemaker:ListHyperParameterTuningJobs": "what was tried before; as below",
    "sagemaker:ListTrainingJobsForHyperParameterTuningJob": "what the trials came to",
    "sagemaker:ListModelPackages": "what is live is looked up; SageMaker's List calls know no resources",
    "xray:PutTelemetryRecords": "functions and Step Functions write their traces",
    "xray:PutTraceSegments": "functions and Step Functions write their traces",
}
MANAGED_POLICIES = {"AmazonEC2ContainerServiceforEC2Role"}


class Statement(NamedTuple):
    """A statement and the resource in which it stands."""

    owner: str
    document: Data

    @property
    def actions(self) -> list[str]:
        return _as_list(self.document["Action"])

    @property
    def resources(self) -> list[Any]:
        return _as_list(self.document["Resource"])


@pytest.fixture(scope="session")
def statements(resources: Data) -> list[Statement]:
    found = list(_statements(resources))
    assert len(found) > 40
    return found


@pytest.fixture(scope="session")
def allowed(statements: list[Statement]) -> list[Statement]:
    return [each for each in statements if each.document["Effect"] == "Allow"]


def test_no_action_is_a_wildcard(allowed: list[Statement]) -> None:
    assert [each for each in allowed if any("*" in action for action in each.actions)] == []


def test_every_action_exists(allowed: list[Statement]) -> None:
    file = package_files.files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json"
    known = json.loads(file.read_text(encoding="utf-8"))
    unknown = [
        action
        for each in allowed
        for action in each.actions
        if action.split(":")[1].lower() not in known[action.split(":")[0]]["Actions"]
    ]
    assert unknown == []


def test_only_actions_without_resources_are_allowed_on_everything(allowed: list[Statement]) -> None:
    on_everything = {action for each in allowed if "*" in each.resources for action in each.actions}
    assert on_everything == set(WITHOUT_RESOURCE)


def test_an_action_without_resources_shares_no_statement_with_one_that_has_them(
    allowed: list[Statement],
) -> None:
    for each in allowed:
        if "*" in each.resources:
            assert each.resources == ["*"], each.owner
            assert set(each.actions) <= set(WITHOUT_RESOURCE), each.owner


def test_metrics_may_be_written_into_sagemakers_namespace_only(allowed: list[Statement]) -> None:
    (metrics,) = [each for each in allowed if "cloudwatch:PutMetricData" in each.actions]
    assert metrics.document["Condition"] == {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}}


def test_every_resource_names_its_account_or_comes_from_the_stack(allowed: list[Statement]) -> None:
    loose = [
        (each.owner, resource)
        for each in allowed
        for resource in each.resources
        if resource != "*" and not _belongs_to_stack(resource)
    ]
    assert loose == []


def test_a_role_is_passed_to_sagemaker_only(allowed: list[Statement]) -> None:
    passing = [each for each in allowed if "iam:PassRole" in each.actions]
    assert [(each.owner, each.document["Condition"]) for each in passing] == [
        ("StateMachineRole", {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}})
    ]


def test_only_parts_checkpoints_a_lock_and_published_files_may_be_deleted(allowed: list[Statement]) -> None:
    deleting = [
        each for each in allowed if any("Delete" in action and "s3" in action for action in each.actions)
    ]
    assert {each.owner: each.resources for each in deleting} == {
        "TrainingRole": [{"Fn::Sub": "${ArtifactsBucket.Arn}/runs/*/checkpoints/*"}],
        "JobRole": [{"Fn::Sub": "${ArtifactsBucket.Arn}/runs/*/predict/parts/*"}],
        "LabelRole": [{"Fn::Sub": "${ArtifactsBucket.Arn}/runs/*/predict/parts/*"}],
        "RegisterFunctionRole": [{"Fn::Sub": "${ArtifactsBucket.Arn}/locks/*"}],
        "PublishFunctionRole": [{"Fn::Sub": "${ArtifactsBucket.Arn}/live/*"}],
    }


@pytest.mark.parametrize("bucket", ["UploadsBucket", "ArtifactsBucket", "ResultsBucket"])
def test_every_bucket_refuses_unencrypted_connections(resources: Data, bucket: str) -> None:
    statement, *_ = resources[f"{bucket}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [{"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]


def test_nobody_writes_uploads(allowed: list[Statement]) -> None:
    writing = [
        each.owner
        for each in allowed
        if "s3:PutObject" in each.actions and "UploadsBucket" in str(each.resources)
    ]
    assert writing == []


def test_who_reads_an_object_is_told_when_there_is_none(allowed: list[Statement]) -> None:
    """S3 answers 403 for a missing object to somebody who may not list the bucket."""
    for bucket in ("UploadsBucket", "ArtifactsBucket", "ResultsBucket"):
        reading = {
            each.owner for each in allowed if "s3:GetObject" in each.actions and bucket in str(each.resources)
        }
        listing = {
            each.owner
            for each in allowed
            if "s3:ListBucket" in each.actions and bucket in str(each.resources)
        }
        assert reading == listing


def test_roles_of_services_are_for_this_account(resources: Data) -> None:
    """Lambda and EC2 take a role only for what this account made, and name no account when they do."""
    for name, role in _of_type(resources, "AWS::IAM::Role"):
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        if trust["Principal"]["Service"] not in {"ec2.amazonaws.com", "lambda.amazonaws.com"}:
            assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}, (
                name
            )


def test_only_the_agents_policy_is_managed_by_aws(resources: Data) -> None:
    managed = [
        arn for _, role in _of_type(resources, "AWS::IAM::Role") for arn in role.get("ManagedPolicyArns", [])
    ]
    assert {arn["Fn::Sub"].rsplit("/", 1)[1] for arn in managed} == MANAGED_POLICIES


def test_every_function_has_a_role_of_its_own(resources: Data) -> None:
    """Named by the template: one that SAM makes may write every log of the account."""
    for name, function in _of_type(resources, "AWS::Serverless::Function"):
        assert function["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}, name
        (trust,) = resources[f"{name}Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}, name


def test_every_function_writes_its_own_log_and_its_trace(resources: Data, allowed: list[Statement]) -> None:
    for name, _ in _of_type(resources, "AWS::Serverless::Function"):
        own = [each for each in allowed if each.owner == f"{name}Role"]
        logs = {"Fn::GetAtt": [name.replace("Function", "Logs"), "Arn"]}
        writing = {action: each.resources for each in own for action in each.actions if "logs:" in action}
        assert writing == {"logs:CreateLogStream": [logs], "logs:PutLogEvents": [logs]}, name
        assert any("xray:PutTraceSegments" in each.actions for each in own), name


def test_a_function_may_write_to_its_dead_letter_queue(resources: Data, allowed: list[Statement]) -> None:
    queues = {
        f"{name}Role": [function["DeadLetterQueue"]["TargetArn"]]
        for name, function in _of_type(resources, "AWS::Serverless::Function")
        if "DeadLetterQueue" in function
    }
    assert {
        each.owner: each.resources
        for each in allowed
        if "sqs:SendMessage" in each.actions and "Principal" not in each.document
    } == queues


def test_only_jobs_with_the_tag_of_this_stack_are_ended_and_every_job_has_it(
    allowed: list[Statement], machine: Data
) -> None:
    stack = {"Ref": "AWS::StackName"}
    tagged = {"aws:RequestTag/claimflow:stack": stack}, {"aws:ResourceTag/claimflow:stack": stack}
    for action, condition in zip(("batch:TagResource", "batch:TerminateJob"), tagged, strict=True):
        (statement,) = [each for each in allowed if action in each.actions]
        assert statement.document["Condition"] == {"StringEquals": condition}
    submitting = [state for state in machine["States"].values() if "batch:" in state.get("Resource", "")]
    assert len(submitting) == 2
    assert {state["Parameters"]["Tags"]["claimflow:stack"] for state in submitting} == {"${StackName}"}


def _statements(resources: Data) -> Iterator[Statement]:
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        documents = [in_some_stack(policy)["PolicyDocument"] for policy in properties.get("Policies", [])]
        # An endpoint allows nobody anything: it lets through what a role may do; test_network.py.
        if "PolicyDocument" in properties and resource["Type"] != "AWS::EC2::VPCEndpoint":
            documents.append(properties["PolicyDocument"])
        for document in documents:
            for statement in document["Statement"]:
                yield Statement(name, in_some_stack(statement))


def _of_type(resources: Data, wanted: str) -> list[tuple[str, Data]]:
    found = [(name, each["Properties"]) for name, each in resources.items() if each["Type"] == wanted]
    assert found
    return found


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _belongs_to_stack(resource: Data) -> bool:
    if "Fn::If" in resource:
        return all(_belongs_to_stack(each) for each in resource["Fn::If"][1:])
    if set(resource) & {"Ref", "Fn::GetAtt"}:
        return True
    text = resource["Fn::Sub"]
    return fnmatch.fnmatch(text, "arn:${AWS::Partition}:*:${AWS::Region}:${AWS::AccountId}:?*") or any(
        fnmatch.fnmatch(text, own) for own in ("${*Bucket.Arn}/*", "${Decisions.Arn}/index/Audits")
    )
