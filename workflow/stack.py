"""The deployed stack: what it is made of, and how all of it is deleted."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, WaiterError

from contract.keys import PREDICT_PREFIX, TRAIN_PREFIX
from workflow.account import Account
from workflow.errors import CommandError, StackMissingError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef
    from mypy_boto3_sagemaker.literals import TrainingJobStatusType

PAGE = 1000  # the most that S3 lists, and deletes, at once
TOLD_EVERY = 5 * PAGE


@dataclass(frozen=True)
class Stack:
    """The names and ARNs that the stack gives out."""

    uploads: str
    artifacts: str
    results: str
    decisions: str
    state_machine: str
    starts: str
    """The alias that names the newest version of the state machine."""
    model_group: str
    topic: str
    repository: str


OUTPUTS = {
    "uploads": "UploadsBucket",
    "artifacts": "ArtifactsBucket",
    "results": "ResultsBucket",
    "decisions": "DecisionsTable",
    "state_machine": "StateMachineArn",
    "starts": "StateMachineAliasArn",
    "model_group": "ModelPackageGroup",
    "topic": "NotificationTopic",
    "repository": "RepositoryUri",
}


def read_stack(account: Account) -> Stack:
    """Read the stack's outputs.

    Raises StackMissingError, or CommandError for a stack that is not ready or not one of Claimflow's.
    """
    described = describe(account)
    status = described["StackStatus"]
    if status.endswith("_IN_PROGRESS") and not status.startswith("UPDATE_COMPLETE"):
        raise CommandError(
            f"The stack '{account.stack}' is being changed ({status}): wait until that is done."
        )
    outputs = outputs_of(described)
    missing = [name for name in OUTPUTS.values() if name not in outputs]
    if missing:
        raise CommandError(
            f"The stack '{account.stack}' ({status}) does not give out {', '.join(missing)}: "
            "deploy Claimflow again, or name its stack with --stack."
        )
    return Stack(**{field: outputs[name] for field, name in OUTPUTS.items()})


def check_reachable(account: Account) -> None:
    """Raise an error of boto3 if the account cannot be reached, before a long program finds out."""
    account.cloudformation.list_stacks()


def addresses(stack: Stack) -> list[tuple[str, str]]:
    """Return what a person needs of a deployed stack, as pairs of a name and a text."""
    return [
        ("Labelled files", f"s3://{stack.uploads}/{TRAIN_PREFIX}"),
        ("Files to label", f"s3://{stack.uploads}/{PREDICT_PREFIX}"),
        ("Results", f"s3://{stack.results}/"),
        ("State machine", stack.state_machine),
        ("Notifications", stack.topic),
        ("Image", stack.repository),
    ]


def describe(account: Account) -> "StackTypeDef":
    """Return the stack as CloudFormation describes it; raises StackMissingError."""
    try:
        return account.cloudformation.describe_stacks(StackName=account.stack)["Stacks"][0]
    except ClientError as error:
        # CloudFormation has no code of its own for a stack that is not there.
        if error.response["Error"]["Code"] == "ValidationError":
            raise StackMissingError(account.stack, account.deploy_command, _others(account)) from None
        raise


def _others(account: Account) -> list[str]:
    """Return the names of the other stacks of Claimflow, as far as they may be listed."""
    wanted = set(OUTPUTS.values())
    try:
        pages = account.cloudformation.get_paginator("describe_stacks").paginate()
        return sorted(
            each["StackName"]
            for page in pages
            for each in page["Stacks"]
            if wanted <= outputs_of(each).keys()
        )
    except ClientError:
        return []


def outputs_of(described: "StackTypeDef") -> dict[str, str]:
    """Return the outputs of a described stack by their names."""
    return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}


@dataclass(frozen=True)
class Kept:
    """What CloudFormation left of deleted stacks, as their template asks for it: what holds people's data."""

    buckets: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """Of KMS, by their ids."""

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.buckets or self.tables or self.keys)


KEPT_KINDS = {"AWS::S3::Bucket": "buckets", "AWS::DynamoDB::Table": "tables", "AWS::KMS::Key": "keys"}
"""What the template lets CloudFormation keep, by the field that names it; a policy goes with its bucket."""
KEY_WAITS_DAYS = 7  # the least that KMS lets a key wait before it is gone


def delete(account: Account) -> Iterator[str]:
    """Delete the stack but what it keeps; returns a line about each step as it begins.

    CloudFormation does not delete a model package group that holds versions, so those go first; their files
    stay. Raises StackMissingError, or CommandError if CloudFormation fails.
    """
    described = describe(account)
    outputs = outputs_of(described)
    if machine := outputs.get(OUTPUTS["state_machine"]):
        yield from _stop_runs(account, machine, outputs[OUTPUTS["artifacts"]])
    if group := outputs.get(OUTPUTS["model_group"]):
        yield "Deleting the entries of the model registry"
        _delete_models(account, group)
    yield f"Deleting the stack {account.stack}"
    _delete_stack(account, described["StackId"])
    if definition := outputs.get("JobDefinitionName"):
        _deregister(account, definition)


def kept(account: Account) -> Kept:
    """Return what is left of the deleted stacks of this name; CloudFormation knows it for 90 days.

    Whatever somebody has deleted since is not among it.
    """
    pages = account.cloudformation.get_paginator("list_stacks").paginate(
        StackStatusFilter=["DELETE_COMPLETE"]
    )
    ids = [
        each["StackId"]
        for page in pages
        for each in page["StackSummaries"]
        if each["StackName"] == account.stack
    ]
    skipped = [
        (event["ResourceType"], event["PhysicalResourceId"])
        for stack in ids
        for event in _events(account, stack)
        if event.get("ResourceStatus") == "DELETE_SKIPPED"
    ]
    buckets = {each["Name"] for each in account.s3.list_buckets()["Buckets"]}
    is_there: dict[str, Callable[[str], bool]] = {
        "buckets": lambda name: name in buckets,
        "tables": lambda name: _is_table(account, name),
        "keys": lambda name: _is_key(account, name),
    }
    found = {field: {name for kind, name in skipped if KEPT_KINDS.get(kind) == field} for field in is_there}
    return Kept(**{field: tuple(sorted(filter(is_there[field], names))) for field, names in found.items()})


def delete_kept(account: Account, left: Kept) -> Iterator[str]:
    """Delete what a deleted stack left, for good; returns a line about each step as it begins."""
    for bucket in left.buckets:
        yield f"Emptying {bucket}"
        for deleted in empty_bucket(account, bucket):
            if deleted % TOLD_EVERY == 0:
                yield f"Emptying {bucket}: {deleted:,} objects and versions are gone"
        yield f"Deleting {bucket}"
        account.s3.delete_bucket(Bucket=bucket)
    for table in left.tables:
        yield f"Deleting {table}"
        account.dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        account.dynamodb.delete_table(TableName=table)
    for key in left.keys:  # last: without it nobody reads what it encrypted
        yield f"Deleting the key {key} in {KEY_WAITS_DAYS} days; `aws kms cancel-key-deletion` keeps it"
        account.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_WAITS_DAYS)


def _is_table(account: Account, name: str) -> bool:
    try:
        account.dynamodb.describe_table(TableName=name)
    except account.dynamodb.exceptions.ResourceNotFoundException:
        return False
    return True


def _is_key(account: Account, name: str) -> bool:
    try:
        described = account.kms.describe_key(KeyId=name)["KeyMetadata"]
    except account.kms.exceptions.NotFoundException:
        return False
    return bool(described["KeyState"] != "PendingDeletion")


def _stop_runs(account: Account, machine: str, artifacts: str) -> Iterator[str]:
    """Stop what runs: a state machine is not deleted before, and jobs would write into the buckets again."""
    pages = account.step_functions.get_paginator("list_executions")
    listed = pages.paginate(stateMachineArn=machine, statusFilter="RUNNING")
    arns = [each["executionArn"] for page in listed for each in page["executions"]]
    for arn in arns:
        yield f"Stopping the run {arn.rsplit(':', 1)[-1]}"
        account.step_functions.stop_execution(executionArn=arn, cause="The stack is being deleted.")
    for job in _trainings_under_way(account, artifacts) if arns else []:
        yield f"Waiting for the training job {job} to stop"
        with contextlib.suppress(WaiterError):  # a job that failed is over too
            waiter = account.sagemaker.get_waiter("training_job_completed_or_stopped")
            waiter.wait(TrainingJobName=job, WaiterConfig={"Delay": 2, "MaxAttempts": 150})


def _trainings_under_way(account: Account, artifacts: str) -> list[str]:
    """Return the names of the jobs that write into this stack's bucket; other stacks have such names too."""
    wanted: list[TrainingJobStatusType] = ["InProgress", "Stopping"]
    pages = account.sagemaker.get_paginator("list_training_jobs")
    listed = [
        page for status in wanted for page in pages.paginate(NameContains="claimflow-", StatusEquals=status)
    ]
    names = [each["TrainingJobName"] for page in listed for each in page["TrainingJobSummaries"]]
    jobs = [account.sagemaker.describe_training_job(TrainingJobName=name) for name in names]
    return [
        job["TrainingJobName"]
        for job in jobs
        if job["OutputDataConfig"]["S3OutputPath"].startswith(f"s3://{artifacts}/")
    ]


def empty_bucket(account: Account, bucket: str) -> Iterator[int]:
    """Delete every version of every object; returns how many so far after each page.

    The first page is asked for again and again: a page's end is a version that is then deleted, and one key
    may have more versions than a page takes.
    """
    deleted = 0
    while versions := _first_versions(account, bucket):
        _delete_objects(account, bucket, versions)
        deleted += len(versions)
        yield deleted


def _first_versions(account: Account, bucket: str) -> "list[ObjectIdentifierTypeDef]":
    page = account.s3.list_object_versions(Bucket=bucket, MaxKeys=PAGE)
    versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]


def _delete_objects(account: Account, bucket: str, objects: "list[ObjectIdentifierTypeDef]") -> None:
    answer = account.s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    for error in answer.get("Errors", []):
        raise CommandError(
            f"{error.get('Key')} in {bucket} cannot be deleted ({error.get('Message')}): "
            "allow it, then delete again."
        )


def _delete_models(account: Account, group: str) -> None:
    pages = account.sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    arns = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    for arn in arns:
        account.sagemaker.delete_model_package(ModelPackageName=arn)


def _deregister(account: Account, definition: str) -> None:
    """Deregister what updates of the stack have left of a job definition for the runs under way."""
    pages = account.batch.get_paginator("describe_job_definitions")
    for page in pages.paginate(jobDefinitionName=definition, status="ACTIVE"):
        for revision in page["jobDefinitions"]:
            account.batch.deregister_job_definition(jobDefinition=revision["jobDefinitionArn"])


def _delete_stack(account: Account, stack_id: str) -> None:
    account.cloudformation.delete_stack(StackName=account.stack)
    delay = 1 if account.local else 10
    try:
        account.cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=stack_id, WaiterConfig={"Delay": delay, "MaxAttempts": 3600 // delay}
        )
    except WaiterError as error:
        raise CommandError(
            f"The stack '{account.stack}' could not be deleted: {_first_failure(account, stack_id)}."
        ) from error


def _first_failure(account: Account, stack_id: str) -> str:
    failed = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in _events(account, stack_id)
        if event.get("ResourceStatus") == "DELETE_FAILED"
    ]
    return failed[-1].rstrip(".") if failed else "see its events in the CloudFormation console"


def _events(account: Account, stack_id: str) -> "Iterator[StackEventTypeDef]":
    pages = account.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    return (event for page in pages for event in page["StackEvents"])
