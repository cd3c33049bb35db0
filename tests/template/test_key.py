"""With a key of one's own, everything that is kept is encrypted with it, and only these roles may use it."""

from __future__ import annotations

import gzip
import json
from importlib import resources as package_files
from typing import Any

import botocore.session
import pytest

from docs import variants
from docs.permission_table import roles
from docs.policies import Grant, grants
from prepare.capacity import has_own_disks

Data = dict[str, Any]

ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MADE = {"Fn::GetAtt": ["Key", "Arn"]}
KEYS = {"create": MADE, ARN: ARN}
# Where a kind of resource names its key. What is not here keeps nothing, or docs/security.md tells of it.
PLACES = {
    "AWS::DynamoDB::Table": "SSESpecification/KMSMasterKeyId",
    "AWS::EC2::LaunchTemplate": "LaunchTemplateData/BlockDeviceMappings/0/Ebs/KmsKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::S3::Bucket": "BucketEncryption/ServerSideEncryptionConfiguration/0/"
    "ServerSideEncryptionByDefault/KMSMasterKeyID",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
}
# Who may do what with the key, through which service; grants of the key have another condition.
USE = {
    "StartFunctionRole": {"sns": "GD", "sqs": "GD"},
    "PrepareFunctionRole": {"s3": "GD"},
    "ValidateFunctionRole": {"s3": "GD"},
    "TuneFunctionRole": {"s3": "G"},
    "EvaluateFunctionRole": {"s3": "GD"},
    "RegisterFunctionRole": {"s3": "GD"},
    "CollectFunctionRole": {"s3": "GD", "dynamodb": "D"},
    "ExplainFunctionRole": {"s3": "D"},
    "StoppedFunctionRole": {"sns": "GD"},
    "PublishFunctionRole": {"s3": "GD", "sns": "GD", "sqs": "GD"},
    "StateMachineRole": {"sns": "GD"},
    "TrainingRole": {"s3": "GD"},
    "JobRole": {"s3": "GD"},
    "LabelRole": {"s3": "GD"},
}
NAMES = {"kms:GenerateDataKey": "G", "kms:Decrypt": "D"}


@pytest.mark.parametrize("given", KEYS)
def test_whatever_keeps_data_is_encrypted_with_the_key(given: str) -> None:
    resources = variants.resources(variants.chosen(KmsKeyArn=given, MonthlyBudget=10))
    kept = {name: each for name, each in resources.items() if each["Type"] in PLACES}
    assert {each["Type"] for each in kept.values()} == set(PLACES)
    for name, each in kept.items():
        assert _at(each["Properties"], PLACES[each["Type"]]) == KEYS[given], name
    for name, each in resources.items():
        if each["Type"] == "AWS::S3::Bucket":
            assert name != "AccessLogBucket", "S3 writes no log into a bucket with a key"
            (rule,) = each["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            assert rule["BucketKeyEnabled"] is True, name
        if each["Type"] == "AWS::SQS::Queue":
            assert each["Properties"]["SqsManagedSseEnabled"] is False, "a queue takes one of the two"


@pytest.mark.parametrize("given", KEYS)
def test_the_variables_of_every_function_are_encrypted_with_the_key(given: str, template: Data) -> None:
    values = variants.chosen(KmsKeyArn=given)
    assert variants.value(template["Globals"]["Function"], values)["KmsKeyArn"] == KEYS[given]
    functions = [
        each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"
    ]
    assert not any("KmsKeyArn" in each["Properties"] for each in functions)


def test_without_a_key_nothing_names_one(template: Data) -> None:
    values = variants.chosen()
    resources = variants.resources(values)
    assert "Key" not in resources
    assert "kms" not in json.dumps(variants.value(template["Globals"], values)).lower()
    naming = {name for name, each in resources.items() if "kms:" in json.dumps(each)}
    assert naming == set()
    assert (
        variants.resources(values)["PrepareFunction"]["Properties"]["Environment"]["Variables"][
            "CLAIMFLOW_KMS_KEY"
        ]
        == ""
    )


def test_a_given_key_makes_no_other_one() -> None:
    assert "Key" not in variants.resources(variants.chosen(KmsKeyArn=ARN))
    key = variants.resources(variants.chosen(KmsKeyArn="create"))["Key"]
    assert key["Properties"]["EnableKeyRotation"] is True


def test_exactly_these_roles_use_the_key_and_only_through_the_services_of_their_work() -> None:
    found = {role: _use(grants(role)) for role in roles()}
    assert {role: use for role, use in found.items() if use} == USE


def test_only_a_training_gives_the_key_on_and_only_to_services_of_aws() -> None:
    rest = {
        (role, each.action, each.conditions)
        for role in roles()
        for each in grants(role)
        if "kms:" in each.action and not any(key == "kms:ViaService" for _, key, _ in each.conditions)
    }
    assert rest == {
        ("TrainingRole", "kms:CreateGrant", (("Bool", "kms:GrantIsForAWSResource", "true"),)),
        ("TrainingRole", "kms:Encrypt", ()),
    }


def test_no_right_to_the_key_is_of_other_keys_too() -> None:
    of_keys = [each for role in roles() for each in grants(role) if "kms:" in each.action]
    assert {each.pattern for each in of_keys} == {"${KmsKeyArn}"}


def test_the_policy_of_the_made_key_lets_nobody_decrypt_but_through_a_service(resources: Data) -> None:
    for statement in _key_policy(resources):
        assert statement["Effect"] == "Allow"
        if "kms:Decrypt" in statement["Action"] and "AWS" in statement["Principal"]:
            assert "kms:ViaService" in statement["Condition"]["StringEquals"], statement["Sid"]


def test_every_service_uses_the_made_key_for_what_is_of_this_stack_only(resources: Data) -> None:
    services = [each for each in _key_policy(resources) if "Service" in each["Principal"]]
    assert len(services) == 3
    for statement in services:
        (context,) = statement["Condition"]["ArnLike"].items()
        assert context[0].startswith("kms:EncryptionContext:aws:")
        for arn in context[1] if isinstance(context[1], list) else [context[1]]:
            assert "${AWS::AccountId}" in arn["Fn::Sub"], statement["Sid"]
            assert "${AWS::StackName}" in arn["Fn::Sub"], statement["Sid"]


def test_the_made_key_opens_every_log_group_of_the_stack(resources: Data) -> None:
    (logs,) = [each for each in _key_policy(resources) if "logs." in str(each["Principal"])]
    context = logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    patterns = [arn["Fn::Sub"].partition(":log-group:")[2] for arn in context]
    groups = [each for each in resources.values() if each["Type"] == "AWS::Logs::LogGroup"]
    for group in groups:
        name = group["Properties"]["LogGroupName"]["Fn::Sub"]
        assert any(name == each or (each[-1] == "*" and name.startswith(each[:-1])) for each in patterns), (
            name
        )


def test_anybody_of_the_account_means_only_the_role_that_starts_machines(resources: Data) -> None:
    (anybody,) = [each for each in _key_policy(resources) if each["Principal"] == {"AWS": "*"}]
    condition = anybody["Condition"]
    assert condition["StringEquals"]["kms:CallerAccount"] == {"Ref": "AWS::AccountId"}
    assert condition["StringEquals"]["kms:ViaService"] == {"Fn::Sub": "ec2.${AWS::Region}.amazonaws.com"}
    (arn,) = condition["ArnLike"].values()
    assert arn["Fn::Sub"].endswith(":role/aws-service-role/autoscaling.amazonaws.com/*")


def test_the_policy_of_the_made_key_has_no_wildcard_in_its_actions(resources: Data) -> None:
    actions = [action for each in _key_policy(resources) for action in _as_list(each["Action"])]
    assert len(actions) > 20
    assert not [action for action in actions if "*" in action]


@pytest.mark.parametrize("given", KEYS)
def test_no_bucket_takes_an_object_that_names_another_key(given: str) -> None:
    resources = variants.resources(variants.chosen(KmsKeyArn=given))
    for bucket in ("Uploads", "Artifacts", "Results"):
        statements = resources[f"{bucket}BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        (denied,) = [each for each in statements if each["Sid"] == "NoOtherKey"]
        named = "s3:x-amz-server-side-encryption-aws-kms-key-id"
        assert denied["Effect"] == "Deny"
        # Without the second, who names no key at all would be denied too.
        assert denied["Condition"] == {"StringNotEquals": {named: KEYS[given]}, "Null": {named: "false"}}


def test_every_kind_of_instance_with_disks_of_its_own_is_known() -> None:
    """SageMaker refuses a key for the volume of such an instance."""
    file = package_files.files("moto") / "ec2" / "resources" / "instance_types.json.gz"
    known: dict[str, Data] = json.loads(gzip.decompress(file.read_bytes()))
    service = botocore.session.get_session().get_service_model("sagemaker")
    types = [name for name in service.shape_for("TrainingInstanceType").enum if name[3:] in known]
    assert len(types) > 200
    wrong = [name for name in types if has_own_disks(name) != known[name[3:]]["InstanceStorageSupported"]]
    assert wrong == []


def _use(of: tuple[Grant, ...]) -> dict[str, str]:
    """Return what grants allow with the key: by service, the letters of NAMES in their order."""
    found: dict[str, set[str]] = {}
    for each in of:
        for _, key, service in each.conditions:
            if key == "kms:ViaService":
                found.setdefault(service.partition(".")[0], set()).add(NAMES[each.action])
    return {service: "".join(sorted(letters, reverse=True)) for service, letters in found.items()}


def _key_policy(resources: Data) -> list[Data]:
    return list(resources["Key"]["Properties"]["KeyPolicy"]["Statement"])


def _at(properties: Any, path: str) -> Any:
    for part in path.split("/"):
        properties = properties[int(part)] if part.isdigit() else properties[part]
    return properties


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
