"""What the local AWS holds outlasts its server, however that ends."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.local.local_server import (
    Json,
    Local,
    described_job,
    ended_execution,
    events,
    local_aws,
    make_function,
    start_machine,
    training_request,
    wait_for,
    write_program,
)

TEMPLATE = {
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": {"source": ["aws.s3"]}, "State": "ENABLED"},
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "decisions",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": "run", "AttributeType": "S"},
                    {"AttributeName": "number", "AttributeType": "N"},
                ],
                "KeySchema": [
                    {"AttributeName": "run", "KeyType": "HASH"},
                    {"AttributeName": "number", "KeyType": "RANGE"},
                ],
            },
        },
    }
}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Local]:
    """A local AWS that has just been started."""
    with local_aws(tmp_path) as local:
        assert local.command("up").returncode == 0
        yield local


def kill(local: Local) -> None:
    os.kill(json.loads((local.state / "pid").read_text())["pid"], signal.SIGKILL)


def start_again(local: Local) -> None:
    started = local.command("up")
    assert started.returncode == 0, started.stderr


def make_things(aws: Local) -> None:
    s3, registry = aws.client("s3"), aws.client("sagemaker")
    s3.create_bucket(Bucket="files")
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second"):
        s3.put_object(Bucket="files", Key="train/a b.csv", Body=body, ContentType="text/csv")
    s3.put_object(Bucket="files", Key="gone", Body=b"x")
    s3.delete_object(Bucket="files", Key="gone")
    registry.create_model_package_group(ModelPackageGroupName="models")
    registry.create_model_package(
        ModelPackageGroupName="models", ModelApprovalStatus="Approved", ClientToken="one"
    )
    make_function(aws, "greets", "def handler(*_): return 'Hello'")
    make_stack(aws)
    for number in (10, 2):
        item = {"run": {"S": "one"}, "number": {"N": str(number)}, "category": {"S": "brakes"}}
        aws.client("dynamodb").put_item(TableName="decisions", Item=item)
    definition = {
        "StartAt": "Ask",
        "States": {"Ask": {"Type": "Task", "Resource": function(aws), "End": True}},
    }
    ended_execution(aws, start_machine(aws, "asks", definition, name="asked"))


def make_stack(aws: Local) -> None:
    aws.client("cloudformation").create_stack(StackName="made", TemplateBody=json.dumps(TEMPLATE))
    wait_for(lambda: stack_status(aws) == "CREATE_COMPLETE")


def stack_status(aws: Local) -> str:
    return str(aws.client("cloudformation").describe_stacks(StackName="made")["Stacks"][0]["StackStatus"])


def function(aws: Local) -> str:
    found = aws.client("lambda").get_function(FunctionName="greets")
    return str(found["Configuration"]["FunctionArn"])


def what_it_holds(aws: Local) -> Json:
    s3, states = aws.client("s3"), aws.client("stepfunctions")
    listed = s3.list_object_versions(Bucket="files")
    models = aws.client("sagemaker").list_model_packages(ModelPackageGroupName="models")
    resources = aws.client("cloudformation").list_stack_resources(StackName="made")
    machine = states.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    run = states.list_executions(stateMachineArn=machine)["executions"][0]["executionArn"]
    return {
        "versions": [
            (item["Key"], item["VersionId"], item["ETag"], body(aws, item["Key"], item["VersionId"]))
            for item in listed["Versions"]
        ],
        "deleted": [item["Key"] for item in listed["DeleteMarkers"]],
        "type": s3.head_object(Bucket="files", Key="train/a b.csv")["ContentType"],
        "models": models["ModelPackageSummaryList"],
        "says": aws.client("lambda").invoke(FunctionName="greets")["Payload"].read(),
        "stack": stack_status(aws),
        "resources": resources["StackResourceSummaries"],
        "items": aws.client("dynamodb").scan(TableName="decisions")["Items"],
        "topics": aws.client("sns").list_topics()["Topics"],
        "rules": [rule["Name"] for rule in aws.client("events").list_rules()["Rules"]],
        "run": {**states.describe_execution(executionArn=run), "ResponseMetadata": None},
        "history": events(aws, run),
    }  # fmt: skip


def body(aws: Local, key: str, version: str) -> bytes:
    return bytes(aws.client("s3").get_object(Bucket="files", Key=key, VersionId=version)["Body"].read())


@pytest.mark.fault(
    where="the local AWS",
    fault="the server is killed (kill -9), or stopped, and started again",
    then="it holds what it held: every version of every file, models, stacks, functions, decisions, runs",
    reads="",
)
def test_what_it_holds_outlasts_a_kill_and_a_stop(kept: Local) -> None:
    make_things(kept)
    held = what_it_holds(kept)
    kill(kept)
    start_again(kept)
    assert what_it_holds(kept) == held
    assert "keeps its stacks, files, models and runs" in kept.command("down").stdout
    start_again(kept)
    assert what_it_holds(kept) == held
    registry = kept.client("sagemaker")
    again = registry.create_model_package(ModelPackageGroupName="models", ClientToken="one")
    following = registry.create_model_package(ModelPackageGroupName="models")
    assert [arn["ModelPackageArn"].rpartition("/")[2] for arn in (again, following)] == ["1", "2"]


def test_a_table_that_nobody_has_written_to_outlasts_a_kill_too(kept: Local) -> None:
    make_stack(kept)
    kill(kept)
    start_again(kept)
    assert kept.client("dynamodb").scan(TableName="decisions")["Items"] == []


def test_reset_forgets_what_it_holds(kept: Local) -> None:
    kept.client("s3").create_bucket(Bucket="files")
    assert "claimflow local reset" in kept.command("status").stdout
    assert kept.command("reset").stdout == "The local AWS is stopped, and all it held is forgotten.\n"
    assert "keeps" not in kept.command("status").stdout
    start_again(kept)
    assert kept.client("s3").list_buckets()["Buckets"] == []


def test_what_ran_when_the_server_was_killed_has_failed_and_can_be_redriven(kept: Local) -> None:
    write_program(kept.programs, "train", '#!/bin/sh\necho > "$TMPDIR/../on"\nexec sleep 600\n')
    kept.client("s3").create_bucket(Bucket="data")
    request = training_request("data", "long", "")
    del request["InputDataConfig"]
    task = "arn:aws:states:::sagemaker:createTrainingJob.sync"
    request["TrainingJobName.$"] = "States.Format('long-{}', $$.Execution.RedriveCount)"
    del request["TrainingJobName"]
    states = {"Train": {"Type": "Task", "Resource": task, "Parameters": request, "End": True}}
    arn = start_machine(kept, "trains", {"StartAt": "Train", "States": states})
    job_id = waiting_job(kept)
    wait_for(lambda: list(kept.state.glob("jobs/training-*/on")))
    kill(kept)
    start_again(kept)
    execution = kept.client("stepfunctions").describe_execution(executionArn=arn)
    assert (execution["status"], execution["redriveStatus"]) == ("FAILED", "REDRIVABLE")
    assert execution["cause"] == "The local AWS ended during this run; start the run again."
    job = kept.client("sagemaker").describe_training_job(TrainingJobName="long-0")
    assert (job["TrainingJobStatus"], job["FailureReason"]) == (
        "Failed", "InternalServerError: The local AWS ended during the job.",
    )  # fmt: skip
    assert described_job(kept, job_id)["statusReason"] == "The local AWS ended during the job."
    write_program(kept.programs, "train", "#!/bin/sh\n")
    kept.client("stepfunctions").redrive_execution(executionArn=arn)
    assert ended_execution(kept, arn)["status"] == "SUCCEEDED"


def waiting_job(aws: Local) -> str:
    batch = aws.client("batch")
    batch.create_compute_environment(
        computeEnvironmentName="test", type="MANAGED", computeResources={"type": "FARGATE", "maxvCpus": 4}
    )
    batch.create_job_queue(
        jobQueueName="test", priority=1, computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "test"}]
    )
    batch.register_job_definition(
        jobDefinitionName="test", type="container", containerProperties={"image": "i", "command": ["train"]}
    )
    return str(batch.submit_job(jobName="test", jobQueue="test", jobDefinition="test")["jobId"])


def test_an_object_is_whole_whenever_the_server_was_killed(kept: Local) -> None:
    s3 = kept.client("s3")
    for bucket, versioning in (("plain", "Suspended"), ("versioned", "Enabled")):
        s3.create_bucket(Bucket=bucket)
        if versioning == "Enabled":
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": versioning})
    stored: dict[str, int] = {"plain": 0, "versioned": 0}

    def store(bucket: str) -> None:
        for number in range(1, 10_000):
            try:
                s3.put_object(Bucket=bucket, Key="a", Body=str(number).encode() * (1 + number % 7))
            except (BotoCoreError, ClientError):
                return
            stored[bucket] = number

    writers = [threading.Thread(target=store, args=[bucket]) for bucket in stored]
    for writer in writers:
        writer.start()
    wait_for(lambda: min(stored.values()) >= 5)
    kill(kept)
    for writer in writers:
        writer.join()
    start_again(kept)
    for bucket, number in stored.items():
        found = s3.get_object(Bucket=bucket, Key="a")
        read = found["Body"].read()
        assert read in [str(n).encode() * (1 + n % 7) for n in (number, number + 1)]
        assert found["ContentLength"] == len(read)
    kept_versions = s3.list_object_versions(Bucket="versioned")["Versions"]
    assert len(kept_versions) in (stored["versioned"], stored["versioned"] + 1)


def test_bytes_that_are_newer_than_their_description_are_described_anew_or_taken_back(kept: Local) -> None:
    s3 = kept.client("s3")
    for bucket in ("plain", "versioned"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    for bucket in ("plain", "versioned"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"old")
    kept.command("down")
    store = kept.state / "kept" / "s3"
    versions = store / ".versions" / "000000000000" / "versioned"
    described = json.loads((store / "000000000000" / "versioned" / "a.meta.json").read_text())
    old = versions / described["version_id"] / "a"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")  # ministack puts the version before aside first
    for bucket in ("plain", "versioned"):
        (store / "000000000000" / bucket / "a").write_bytes(b"newer")
        (store / "000000000000" / bucket / "b").write_bytes(b"not described yet")
        (store / "000000000000" / bucket / "c.tmp").write_bytes(b"half of i")
    start_again(kept)
    read = {bucket: s3.get_object(Bucket=bucket, Key="a") for bucket in ("plain", "versioned")}
    assert {bucket: item["Body"].read() for bucket, item in read.items()} == {
        "plain": b"newer",
        "versioned": b"old",
    }
    assert read["plain"]["ETag"] == s3.put_object(Bucket="plain", Key="again", Body=b"newer")["ETag"]
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="versioned")["Contents"]] == ["a"]


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("format.json", '{"format": 1, "ministack": "0.1"}', "was written by another version of it"),
        ("services/iam.json", '{"__ministack_format__": 2, "payl', "is damaged"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused_with_the_way_out(
    tmp_path: Path, file: str, content: str, told: str
) -> None:
    with local_aws(tmp_path) as local:
        path = local.state / "kept" / file
        path.parent.mkdir(parents=True)
        path.write_text(content)
        refused = local.command("up")
        assert refused.returncode == 1
        assert told in refused.stderr
        assert "`claimflow local reset` forgets it" in refused.stderr
        assert refused.stderr.count("\n") == 1
        assert path.read_text() == content
        local.command("reset")
        start_again(local)


def test_a_stack_that_was_being_deployed_can_be_deployed_again(kept: Local) -> None:
    make_things(kept)
    kept.command("down")
    path = kept.state / "kept" / "services" / "cloudformation.json"
    saved = json.loads(path.read_text())
    for stack in saved["payload"]["stacks"]["data"].values():
        stack["StackStatus"] = "UPDATE_IN_PROGRESS"
        del stack["_resources"]["Rule"]
    path.write_text(json.dumps(saved))
    start_again(kept)
    kept.client("cloudformation").update_stack(StackName="made", TemplateBody=json.dumps(TEMPLATE))
    wait_for(lambda: stack_status(kept) == "UPDATE_COMPLETE")
    resources = kept.client("cloudformation").list_stack_resources(StackName="made")["StackResourceSummaries"]
    assert {item["LogicalResourceId"] for item in resources} == {"Topic", "Rule", "Table"}


def test_changes_of_items_outlast_kills_before_and_after_all_tables_are_written(kept: Local) -> None:
    make_stack(kept)
    expected: dict[str, str] = {}
    for turn in range(3):
        change_items(kept, turn, expected)
        if turn == 1:  # which writes all tables
            kept.client("dynamodb").tag_resource(
                ResourceArn=table_arn(kept), Tags=[{"Key": "a", "Value": "b"}]
            )
            change_items(kept, 7, expected)
        kill(kept)
        start_again(kept)
        items = kept.client("dynamodb").scan(TableName="decisions")["Items"]
        assert {item["number"]["N"]: item["category"]["S"] for item in items} == expected


def change_items(aws: Local, turn: int, expected: dict[str, str]) -> None:
    """Put, change and delete items, and try what is refused."""
    table = aws.client("dynamodb")
    for number in map(str, range(turn, turn + 4)):
        table.put_item(TableName="decisions", Item=decision(number, f"put {turn}"))
        expected[number] = f"put {turn}"
    changed, deleted = str(turn + 1), str(turn + 2)
    key = {name: decision(changed, "")[name] for name in ("run", "number")}
    change = {
        "UpdateExpression": "SET category = :c",
        "ExpressionAttributeValues": {":c": {"S": f"set {turn}"}},
    }
    table.update_item(TableName="decisions", Key=key, **change)
    expected[changed] = f"set {turn}"
    with pytest.raises(ClientError):
        table.update_item(
            TableName="decisions", Key=key, ConditionExpression="attribute_not_exists(category)", **change
        )
    table.delete_item(TableName="decisions", Key=key | {"number": {"N": deleted}})
    del expected[deleted]


def decision(number: str, category: str) -> Json:
    return {"run": {"S": "one"}, "number": {"N": number}, "category": {"S": category}}


def table_arn(aws: Local) -> str:
    return str(aws.client("dynamodb").describe_table(TableName="decisions")["Table"]["TableArn"])


def test_a_line_of_the_journal_that_was_not_written_to_its_end_is_left_out(kept: Local) -> None:
    make_stack(kept)
    kept.client("dynamodb").put_item(TableName="decisions", Item=decision("1", "brakes"))
    kill(kept)
    (journal,) = kept.state.rglob("dynamodb.journal")
    with journal.open("a") as file:
        file.write('{"table": ["0')
    start_again(kept)
    items = kept.client("dynamodb").scan(TableName="decisions")["Items"]
    assert [item["category"]["S"] for item in items] == ["brakes"]
    kept.client("dynamodb").put_item(TableName="decisions", Item=decision("2", "engine"))
    kill(kept)
    start_again(kept)
    assert len(kept.client("dynamodb").scan(TableName="decisions")["Items"]) == 2
