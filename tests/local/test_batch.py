"""AWS Batch jobs."""

import pytest
from botocore.exceptions import ClientError

from tests.local.local_server import (
    Local,
    described_job,
    ended_job,
    finished_job,
    messages,
    submit,
    wait_for,
)

RETRY_42 = {
    "attempts": 3,
    "evaluateOnExit": [
        {"onExitCode": "42", "action": "RETRY"},
        {"onStatusReason": "Host EC2*", "action": "RETRY"},
        {"onReason": "*", "action": "EXIT"},
    ],
}


def test_a_job_runs_and_its_log_and_exit_code_are_known(
    aws: Local, job_queue: str, job_definition: str, name: str
) -> None:
    job = finished_job(
        aws, job_queue, job_definition, "echo $AWS_BATCH_JOB_ATTEMPT $AWS_BATCH_JOB_ARRAY_INDEX."
    )
    assert (job["status"], job["container"]["exitCode"]) == ("SUCCEEDED", 0)
    assert job["container"]["logStreamName"].startswith("predict/default/")
    assert messages(aws, f"/test/{name}", job["container"]["logStreamName"]) == ["1 ."]


def test_parameters_stand_in_the_command(aws: Local, job_queue: str, job_definition: str, name: str) -> None:
    overrides = {"command": ["say", "Ref::word", "Ref::name"]}
    job = finished_job(
        aws, job_queue, job_definition, "", containerOverrides=overrides, parameters={"name": "you"}
    )
    assert messages(aws, f"/test/{name}", job["container"]["logStreamName"]) == ["hello you"]


def test_a_command_that_is_not_there_fails_the_job(aws: Local, job_queue: str, job_definition: str) -> None:
    job = finished_job(
        aws, job_queue, job_definition, "", containerOverrides={"command": ["nothing-like-it"]}
    )
    assert (job["status"], job["container"]["exitCode"]) == ("FAILED", 127)
    assert job["statusReason"].startswith("CannotStartContainerError")


def test_one_failing_child_fails_the_array(aws: Local, job_queue: str, job_definition: str) -> None:
    parent = finished_job(
        aws, job_queue, job_definition, 'test "$AWS_BATCH_JOB_ARRAY_INDEX" != 1', arrayProperties={"size": 3}
    )
    assert parent["status"] == "FAILED"
    assert parent["arrayProperties"]["size"] == 3
    assert parent["arrayProperties"]["statusSummary"]["FAILED"] == 1
    assert parent["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 2
    child = described_job(aws, f"{parent['jobId']}:1")
    assert (child["status"], child["arrayProperties"]["index"]) == ("FAILED", 1)
    failed = aws.client("batch").list_jobs(arrayJobId=parent["jobId"], jobStatus="FAILED")["jobSummaryList"]
    assert [job["jobId"] for job in failed] == [f"{parent['jobId']}:1"]
    assert failed[0]["container"]["exitCode"] == 1


@pytest.mark.parametrize(("code", "attempts"), [(42, 3), (7, 1)])
def test_only_the_exit_codes_of_the_rules_are_tried_again(
    aws: Local, job_queue: str, job_definition: str, code: int, attempts: int
) -> None:
    job = finished_job(aws, job_queue, job_definition, f"exit {code}", retryStrategy=RETRY_42)
    assert job["status"] == "FAILED"
    assert [attempt["container"]["exitCode"] for attempt in job["attempts"]] == [code] * attempts


def test_an_exit_that_no_rule_matches_is_tried_again(aws: Local, job_queue: str, job_definition: str) -> None:
    rules = {"attempts": 2, "evaluateOnExit": [{"onExitCode": "42", "action": "EXIT"}]}
    job = finished_job(
        aws, job_queue, job_definition, 'test "$AWS_BATCH_JOB_ATTEMPT" = 2', retryStrategy=rules
    )
    assert (job["status"], len(job["attempts"])) == ("SUCCEEDED", 2)


def test_the_time_limit_ends_an_attempt_and_is_not_tried_again(
    aws: Local, job_queue: str, job_definition: str
) -> None:
    definition = aws.client("batch").register_job_definition(
        jobDefinitionName="slow", type="container", timeout={"attemptDurationSeconds": 60},
        containerProperties={"image": "image", "command": ["predict"]},
    )["jobDefinitionArn"]  # fmt: skip
    job = finished_job(
        aws,
        job_queue,
        definition,
        "exec sleep 600",
        timeout={"attemptDurationSeconds": 1},
        retryStrategy={"attempts": 3},
    )
    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)
    assert job["statusReason"] == "Job attempt duration exceeded timeout"


def test_terminating_ends_running_and_waiting_children(
    aws: Local, job_queue: str, job_definition: str
) -> None:
    job_id = submit(aws, job_queue, job_definition, "exec sleep 600", arrayProperties={"size": 40})
    wait_for(lambda: aws.client("batch").list_jobs(arrayJobId=job_id, jobStatus="RUNNING")["jobSummaryList"])
    aws.client("batch").terminate_job(jobId=job_id, reason="enough")
    parent = ended_job(aws, job_id)
    assert parent["arrayProperties"]["statusSummary"]["FAILED"] == 40
    assert described_job(aws, f"{job_id}:0")["statusReason"] == "enough"


def test_cancelling_spares_a_running_job(aws: Local, job_queue: str, job_definition: str) -> None:
    job_id = submit(aws, job_queue, job_definition, "sleep 0.5")
    wait_for(lambda: described_job(aws, job_id)["status"] != "RUNNABLE")
    aws.client("batch").cancel_job(jobId=job_id, reason="changed my mind")
    assert ended_job(aws, job_id)["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"arrayProperties": {"size": 1}}, "between 2 and 10000"),
        ({"jobDefinition": "nobody"}, "does not exist"),
        ({"jobQueue": "nobody"}, "does not exist"),
        ({"jobName": "a b"}, "jobName"),
        ({"containerOverrides": {"environment": [{"name": "LONG", "value": "x" * 8200}]}}, "at most 8192"),
    ],
)
def test_what_aws_refuses_is_refused(
    aws: Local, job_queue: str, job_definition: str, change: dict[str, object], complaint: str
) -> None:
    request = {"jobName": "job", "jobQueue": job_queue, "jobDefinition": job_definition}
    with pytest.raises(ClientError, match=complaint):
        aws.client("batch").submit_job(**request | change)
