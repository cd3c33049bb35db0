"""SageMaker training jobs."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_server import (
    Local,
    ended_training,
    finished_training,
    messages,
    training_request,
    wait_for,
)


def with_script(request: dict[str, Any], script: str) -> dict[str, Any]:
    return request | {"Environment": {"SCRIPT": script}}


def archive_names(aws: Local, bucket: str, key: str) -> list[str]:
    body = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return sorted(archive.getnames())


def test_the_program_finds_its_files_and_leaves_its_model(
    aws: Local, training: dict[str, Any], bucket: str, name: str
) -> None:
    script = (
        "cat input/config/hyperparameters.json input/data/train/part-00000.csv > model/seen\n"
        "cp input/config/resourceconfig.json output/data/\necho $TRAINING_JOB_NAME; echo accuracy=0.75"
    )
    training["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"}
    ]
    job = finished_training(aws, with_script(training, script))
    assert job["TrainingJobStatus"] == "Completed"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{bucket}/out/{name}/output/model.tar.gz"
    assert archive_names(aws, bucket, f"out/{name}/output/model.tar.gz") == ["seen"]
    assert archive_names(aws, bucket, f"out/{name}/output/output.tar.gz") == ["resourceconfig.json"]
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [
        ("accuracy", 0.75)
    ]
    assert messages(aws, "/aws/sagemaker/TrainingJobs", f"{name}/algo-1-") == [name, "accuracy=0.75"]


def test_a_prefix_is_a_beginning_of_keys_not_a_folder(
    aws: Local, training: dict[str, Any], bucket: str
) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="data/training-notes/x.txt", Body=b"x")
    job = finished_training(
        aws, with_script(training, "find input/data -type f | sort > output/failure; exit 1")
    )
    assert "input/data/train/training-notes/x.txt" in job["FailureReason"]


def test_a_failing_program_tells_why(aws: Local, training: dict[str, Any]) -> None:
    job = finished_training(
        aws, with_script(training, "echo 'The file has no labels.' > output/failure; exit 3")
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: The file has no labels., exit code: 3"


def test_a_long_failure_is_cut_at_1024_characters(aws: Local, training: dict[str, Any]) -> None:
    job = finished_training(
        aws, with_script(training, "head -c 5000 /dev/zero | tr '\\0' x > output/failure; exit 1")
    )
    assert len(job["FailureReason"]) == 1024
    assert job["FailureReason"].endswith(", exit code: 1")


def test_an_empty_channel_is_a_client_error(aws: Local, training: dict[str, Any], bucket: str) -> None:
    training["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{bucket}/nothing"
    job = finished_training(aws, training)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "ClientError: Data download failed:No S3 objects found under S3 URL"
    )


def test_a_name_is_never_taken_twice(aws: Local, training: dict[str, Any]) -> None:
    finished_training(aws, training)
    with pytest.raises(aws.client("sagemaker").exceptions.ResourceInUse, match="must be unique"):
        aws.client("sagemaker").create_training_job(**training)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"TrainingJobName": "-no"}, "regular expression"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}},
            "MaxWaitTimeInSeconds",
        ),
        ({"OutputDataConfig": {"S3OutputPath": "out"}}, "not an S3 URI"),
    ],
)
def test_what_aws_refuses_is_refused(
    aws: Local, training: dict[str, Any], change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ClientError, match=complaint):
        aws.client("sagemaker").create_training_job(**training | change)


def test_stopping_ends_the_process_and_keeps_checkpoints_and_model(
    aws: Local, training: dict[str, Any], bucket: str, name: str
) -> None:
    script = (
        "trap 'echo late > checkpoints/late; echo m > model/m; exit 0' TERM\n"
        "echo 1 > checkpoints/epoch\necho $$\nsleep 600 & wait"
    )
    checkpoints = {"S3Uri": f"s3://{bucket}/checkpoints/", "LocalPath": "/opt/ml/checkpoints"}
    aws.client("sagemaker").create_training_job(**with_script(training, script), CheckpointConfig=checkpoints)
    pid = int(wait_for(lambda: messages(aws, "/aws/sagemaker/TrainingJobs", name))[0])
    aws.client("sagemaker").stop_training_job(TrainingJobName=name)
    job = ended_training(aws, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert not Path(f"/proc/{pid}").exists()
    stored = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="checkpoints/")["Contents"]
    assert [item["Key"] for item in stored] == ["checkpoints/epoch", "checkpoints/late"]
    assert archive_names(aws, bucket, f"out/{name}/output/model.tar.gz") == ["m"]

    resumed = finished_training(
        aws,
        with_script(training, "ls checkpoints > output/failure; exit 1")
        | {"TrainingJobName": f"{name}-1", "CheckpointConfig": checkpoints},
    )
    assert "epoch\nlate" in resumed["FailureReason"]


def test_a_program_that_does_not_listen_is_killed(aws: Local, training: dict[str, Any], name: str) -> None:
    aws.client("sagemaker").create_training_job(
        **with_script(training, "trap '' TERM\necho on\nsleep 600 & wait\nsleep 600")
    )
    wait_for(lambda: messages(aws, "/aws/sagemaker/TrainingJobs", name))
    aws.client("sagemaker").stop_training_job(TrainingJobName=name)
    assert ended_training(aws, name)["TrainingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="in status Stopped"):
        aws.client("sagemaker").stop_training_job(TrainingJobName=name)


def test_the_time_limit_stops_a_job(aws: Local, training: dict[str, Any]) -> None:
    job = finished_training(
        aws, with_script(training, "exec sleep 600") | {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}
    )
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_an_isolated_program_gets_no_credentials_and_no_endpoint(
    aws: Local, training: dict[str, Any]
) -> None:
    script = 'env | grep -E "^AWS_(ENDPOINT|ACCESS|SECRET)" | cut -d= -f1 > output/failure; exit 1'
    isolated = finished_training(aws, with_script(training, script) | {"EnableNetworkIsolation": True})
    assert isolated["FailureReason"] == "AlgorithmError: , exit code: 1"


def test_other_programs_reach_the_local_aws(aws: Local, training: dict[str, Any]) -> None:
    job = finished_training(aws, with_script(training, 'echo "$AWS_ENDPOINT_URL" > output/failure; exit 1'))
    assert aws.endpoint in job["FailureReason"]


def test_jobs_are_listed_newest_first(aws: Local, training: dict[str, Any], bucket: str, name: str) -> None:
    for number in range(3):
        finished_training(aws, training_request(bucket, f"{name}-{number}", "true"))
    pages = (
        aws.client("sagemaker")
        .get_paginator("list_training_jobs")
        .paginate(NameContains=f"{name}-", StatusEquals="Completed", PaginationConfig={"PageSize": 2})
    )
    listed = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
    assert listed == [f"{name}-2", f"{name}-1", f"{name}-0"]


def test_the_logs_command_shows_what_a_job_wrote(aws: Local, training: dict[str, Any], name: str) -> None:
    finished_training(aws, with_script(training, f"echo from {name}"))
    assert f"from {name}" in aws.command("logs", "--job", name).stdout
    assert "Ready" in aws.command("logs", "--server").stdout


def test_tags_are_kept(aws: Local, training: dict[str, Any]) -> None:
    arn = aws.client("sagemaker").create_training_job(**training, Tags=[{"Key": "run", "Value": "1"}])[
        "TrainingJobArn"
    ]
    aws.client("sagemaker").add_tags(ResourceArn=arn, Tags=[{"Key": "more", "Value": "2"}])
    assert json.dumps(aws.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]) == json.dumps(
        [{"Key": "run", "Value": "1"}, {"Key": "more", "Value": "2"}]
    )
