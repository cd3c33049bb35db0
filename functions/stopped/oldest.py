"""How long the oldest run has been going on: Step Functions itself tells of a run only when it has ended."""

from datetime import datetime

from shared import aws

DETAIL_TYPE = "Scheduled Event"


def seconds(state_machine: str, now: datetime) -> float:
    """Return since when the oldest run goes on, or was redriven, in seconds; 0 without a run."""
    pages = (
        aws.step_functions()
        .get_paginator("list_executions")
        .paginate(stateMachineArn=state_machine, statusFilter="RUNNING")
    )
    begins = [run.get("redriveDate", run["startDate"]) for page in pages for run in page["executions"]]
    return max(((now - begin).total_seconds() for begin in begins), default=0.0)
