"""Runs, as Step Functions knows them: finding one, reading it, following it to its end."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from workflow.account import Account
from workflow.errors import CommandError, ExecutionUnknownError
from workflow.executions import Step, data_of, steps
from workflow.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

SEARCHED = 1000  # runs that an abbreviated name is looked for in
LOCAL_PAUSE, AWS_PAUSE, LONGEST_PAUSE = 1.0, 5.0, 20.0


@dataclass(frozen=True)
class Run:
    """A run at one moment."""

    arn: str
    name: str
    status: str
    started: datetime
    ended: datetime | None
    error: str | None
    cause: str | None
    steps: list[Step] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.status == "RUNNING"

    @property
    def rejected(self) -> bool:
        """Whether it ended because the new model was not good enough."""
        return self.error == "ModelRejected"


def read_run(account: Account, arn: str) -> Run:
    """Read a run's state and history; raises ExecutionUnknownError."""
    client = account.step_functions
    try:
        described = client.describe_execution(executionArn=arn)
    except (client.exceptions.ExecutionDoesNotExist, client.exceptions.InvalidArn):
        raise ExecutionUnknownError(arn.rsplit(":", 1)[-1], account.command) from None
    pages = client.get_paginator("get_execution_history").paginate(
        executionArn=arn, PaginationConfig={"PageSize": 1000}
    )
    events = [event for page in pages for event in page["events"]]
    return Run(
        arn=arn,
        name=described["name"],
        status=described["status"],
        started=described["startDate"],
        ended=described.get("stopDate"),
        error=described.get("error"),
        cause=described.get("cause"),
        steps=steps(events),
        data=data_of(described, events),
    )


def follow(account: Account, arn: str) -> Iterator[Run]:
    """Give the run again and again until it has ended; the last one given is the end."""
    pause = LOCAL_PAUSE if account.local else AWS_PAUSE
    while True:
        run = read_run(account, arn)
        yield run
        if not run.running:
            return
        time.sleep(pause)
        pause = pause if account.local else min(pause * 1.05, LONGEST_PAUSE)


def recent(account: Account, stack: Stack, limit: int) -> "list[ExecutionListItemTypeDef]":
    """Give the newest runs, newest first."""
    pages = account.step_functions.get_paginator("list_executions").paginate(
        stateMachineArn=stack.state_machine,
        PaginationConfig={"MaxItems": limit, "PageSize": min(limit, 1000)},
    )
    found = [each for page in pages for each in page["executions"]]
    return sorted(found, key=lambda each: each["startDate"], reverse=True)


def find(account: Account, stack: Stack, name: str | None) -> str:
    """Give the ARN of the run with this ARN, name or beginning of a name; without a name of the newest.

    Raises ExecutionUnknownError, or CommandError for several that begin so.
    """
    if name is None:
        return _newest(account, stack)
    if name.startswith("arn:"):
        return name
    arn = f"{stack.state_machine.replace(':stateMachine:', ':execution:')}:{name}"
    return arn if _exists(account, arn) else _by_beginning(account, stack, name)


def now() -> datetime:
    """Give the time, with its zone, as boto3 does."""
    return datetime.now(UTC)


def _newest(account: Account, stack: Stack) -> str:
    found = recent(account, stack, 1)
    if not found:
        raise CommandError(f"Nothing has run yet: start with `{account.command} train FILE`.")
    return found[0]["executionArn"]


def _exists(account: Account, arn: str) -> bool:
    try:
        account.step_functions.describe_execution(executionArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ExecutionDoesNotExist", "InvalidArn"}:
            return False
        raise
    return True


def _by_beginning(account: Account, stack: Stack, name: str) -> str:
    found = [each for each in recent(account, stack, SEARCHED) if each["name"].startswith(name)]
    if not found:
        raise ExecutionUnknownError(name, account.command)
    if len(found) > 1:
        names = ", ".join(each["name"] for each in found[:3])
        more = " and others" if len(found) > 3 else ""
        raise CommandError(f"'{name}' may be {names}{more}: write more of the name.")
    return found[0]["executionArn"]
