"""The table of docs/security.md: what each role of the stack may do, and what it needs that for.

Tests hold it against what roles did: each action of a function's role is needed by a test of the function
(tests/unit/functions/test_zz_permissions.py), and each of another role by a stack that trains and predicts
(tests/workflow/test_roles.py). `BY_AWS` has the others: what AWS does with a role where no test has AWS.
"""

import re
from itertools import groupby

from docs.policies import Grant, grants, template
from docs.tables import markdown

_ARN, _ACCOUNT_REGION = "arn:${AWS::Partition}:", "${AWS::Region}:${AWS::AccountId}:"


def _all(reason: str, *actions: str) -> dict[str, str]:
    return dict.fromkeys(actions, f"AWS: {reason}")


_FUNCTION = {
    **_all("writes its log", "logs:CreateLogStream", "logs:PutLogEvents"),
    **_all("writes its trace", "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    **_all(
        "with `FunctionsInVpc`, has addresses there",
        *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
        *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
    ),
}
_LAMBDA = {
    **_FUNCTION,
    **_all("keeps the event that the function could not take", "sqs:SendMessage"),
}
_TO_QUEUE = ("StringEquals", "kms:ViaService", "sqs.${AWS::Region}.amazonaws.com")
_NETWORK = _all(
    "with `Network=private`, has addresses there",
    *("ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"),
    *("ec2:DeleteNetworkInterfacePermission", "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces"),
    *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
)
_KEY = _all("with a key (`KmsKeyArn`), encrypts and decrypts", "kms:Decrypt", "kms:GenerateDataKey")
_IMAGE = _all(
    "pulls the image",
    *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage"),
    *("ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"),
)
_UPLOAD = {"s3:AbortMultipartUpload": "an upload in parts that fails"}
_SHARDS = {**_KEY, **_UPLOAD, "s3:ListBucket": "S3 tells that a part is missing only to who may list"}
# By role: the actions that no test sees, with what they are for.
BY_AWS: dict[str, dict[str, str]] = {
    "StateMachineRole": {
        **_KEY,
        **_all("learns that a job has ended", "events:DescribeRule", "events:PutRule", "events:PutTargets"),
        **_all("reads the tags of a training that it waits for", "sagemaker:ListTags"),
        **_all(
            "writes its log",
            *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:GetLogDelivery"),
            *("logs:ListLogDeliveries", "logs:UpdateLogDelivery", "logs:PutResourcePolicy"),
            *("logs:DescribeLogGroups", "logs:DescribeResourcePolicies"),
        ),
        **_all(
            "writes its trace",
            *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
            *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
        ),
    },
    "TrainingRole": {
        **_KEY,
        **_NETWORK,
        **_all("with a key, encrypts the model", "kms:Encrypt"),
        **_all("with a key, gives it to the training's volume", "kms:CreateGrant"),
        **_IMAGE,
        **_UPLOAD,
        **_all(
            "writes the log of the training",
            *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
        ),
        **_all("draws the curves of a training", "cloudwatch:PutMetricData"),
        **_all("deletes the checkpoints that the program deletes", "s3:DeleteObject"),
    },
    "JobRole": _SHARDS,
    "LabelRole": {**_FUNCTION, **_SHARDS},
    "FlowLogsRole": _all(
        "writes the log of a private network",
        *("logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    ),
    "ExecutionRole": {
        **_IMAGE,
        **_all("writes the log of the prediction", "logs:CreateLogStream", "logs:PutLogEvents"),
    },
}


def roles() -> list[str]:
    """Return the roles with policies of the template's own, in its order."""
    return [
        name
        for name, each in template()["Resources"].items()
        if each["Type"] == "AWS::IAM::Role" and "Policies" in each["Properties"]
    ]


def by_aws(role: str) -> dict[str, str]:
    """Return the actions of a role that no test sees, with what they are for."""
    return _LAMBDA if role.endswith("FunctionRole") else BY_AWS.get(role, {})


def needed_by_aws(role: str, grant: Grant) -> str | None:
    """Return what AWS itself needs a grant for; None if it is for the code of the role."""
    if _TO_QUEUE in grant.conditions:
        return _LAMBDA["sqs:SendMessage"]
    return by_aws(role).get(grant.action)


def permissions() -> str:
    """Return what each role may do, on what and for what."""
    named = roles()
    lines = [
        (named.index(role), *_cells(role, grant), grant.action) for role in named for grant in grants(role)
    ]
    rows = [
        [f"`{named[role]}`", "<br>".join(f"`{line[-1]}`" for line in same), on, why]
        for (role, on, why), same in groupby(sorted(lines), key=lambda line: line[:3])
    ]
    return markdown(["role", "may", "on", "needed for"], rows)


def _cells(role: str, grant: Grant) -> tuple[str, str]:
    conditions = "".join(f", if `{key}` is `{_short(value)}`" for _, key, value in grant.conditions)
    return f"`{_short(grant.pattern)}`{conditions}", needed_by_aws(role, grant) or "what it does"


def _short(pattern: str) -> str:
    """Return a pattern without what is the same in all: this account's ARNs, and `${…}` around the names."""
    return re.sub(
        r"\$\{(?:AWS::)?(\w+)(?:\.Arn)?\}", r"\1", pattern.replace(_ACCOUNT_REGION, "").replace(_ARN, "")
    )
