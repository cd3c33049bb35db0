"""Prediction: every row comes back once, in order, labelled by the live model."""

from __future__ import annotations

import json

import pytest

from tests.workflow.claims import FAST, as_csv, rows
from tests.workflow.stack import Stack, output_of, packed, wait_for_end_of, wait_for_job


@pytest.mark.aws
def test_an_uploaded_file_comes_back_labelled(live: Stack) -> None:
    pairs = rows(60, seed=40)
    data = live.upload("predict/claims.csv", as_csv(pairs))
    arn = live.execution_of(data)
    results = output_of(live.wait(arn))["results"]
    assert "Predict" in live.states(arn)
    assert results["results"].rsplit("/", 2)[1] == arn.rsplit(":", 1)[-1], "the folder has the run's name"
    table = live.table(results["results"])
    assert list(table[0]) == [
        *("claim_id", "description", "category"),
        *("prediction", "confidence", "runner_up", "needs_review", "agrees", "model_version", "error"),
    ]
    assert [row["claim_id"] for row in table] == [f"C{number:05}" for number in range(60)]
    assert [row["description"] for row in table] == [text for text, _ in pairs]
    right = sum(row["prediction"] == label for row, (_, label) in zip(table, pairs, strict=True))
    assert right / 60 == results["accuracy"] > 0.9
    assert {row["agrees"] for row in table} <= {"true", "false"}
    assert len(live.table(results["review"])) == results["review_rows"]
    assert b"<html" in live.read(results["report"])
    manifest = json.loads(live.read(results["manifest"]))
    assert manifest["cost"]["machines"] == ["c6i.xlarge", "c6a.xlarge", "m6i.xlarge"]
    (told,) = live.notifications(expected=1)
    assert results["message"] in told["Message"]


@pytest.mark.aws
def test_many_shards_give_the_same_answer_as_one(live: Stack) -> None:
    text = as_csv(rows(95, seed=41), labelled=False)
    data = live.upload("requests/shards.csv", text)
    one, many = (
        live.start({"action": "predict", "data": data}),
        live.start({"action": "predict", "data": data, "config": {"rows_per_shard": 10}}),
    )
    tables = [live.table(output_of(live.wait(arn))["results"]["results"]) for arn in (one, many)]
    assert ("Predict" in live.states(one), "Predict in parallel" in live.states(many)) == (True, True)
    assert tables[0] == tables[1]
    assert len(tables[0]) == 95


def test_rejected_rows_are_in_the_results_with_their_error(live: Stack) -> None:
    text = 'id,text\n1,the battery drains\n2,\n3,one,too many\n4,"the screen\nflickers"\n5\n'
    output = output_of(live.run({"action": "predict", "data": live.upload("requests/some_bad.csv", text)}))
    table = live.table(output["results"]["results"])
    assert [row["id"] for row in table] == ["1", "2", "3", "4", "5"]
    assert [bool(row["error"]) for row in table] == [False, True, True, False, True]
    assert [bool(row["prediction"]) for row in table] == [True, False, False, True, False]
    assert table[3]["text"] == "the screen\nflickers"


def test_a_gzipped_file_is_read_like_a_plain_one(live: Stack) -> None:
    data = live.upload("requests/packed.csv.gz", packed(as_csv(rows(12, seed=42))))
    assert output_of(live.run({"action": "predict", "data": data}))["results"]["rows"] == 12


@pytest.mark.fault(
    where="uploads",
    fault="the event of an upload comes again after its run has ended",
    then="no second run",
    reads="",
)
def test_the_same_upload_event_twice_starts_one_execution(live: Stack) -> None:
    key, bucket = "predict/twice.csv", live.outputs["UploadsBucket"]
    data = live.upload(key, as_csv(rows(12, seed=43)))
    live.wait(live.execution_of(data))
    head = live.client("s3").head_object(Bucket=bucket, Key=key)
    event = {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": bucket},
            "object": {
                "key": key,
                "size": head["ContentLength"],
                "etag": head["ETag"].strip('"'),
                "version-id": head["VersionId"],
            },
        },
    }
    functions = live.client("lambda").list_functions()["Functions"]
    start = next(function["FunctionName"] for function in functions if "Start" in function["FunctionName"])
    answer = live.client("lambda").invoke(FunctionName=start, Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert len(live.executions_of(data)) == 1


@pytest.mark.aws
def test_a_prediction_before_any_model_is_live_says_what_to_do(trained: Stack) -> None:
    trained.no_live_model()
    ended = trained.run({"action": "predict", "data": trained.upload("requests/early.csv", as_csv(rows(3)))})
    assert (ended["status"], ended["error"]) == ("FAILED", "NoLiveModel")
    assert "train" in ended["cause"]


@pytest.mark.fault(
    where="a whole run",
    fault="the live model is cut off, so that every shard fails",
    then="the run fails; with a whole model, started again, it is whole",
    reads="The model",
)
def test_a_failing_shard_fails_the_run_with_the_shards_own_sentence(live: Stack, reads: str) -> None:
    uri = live.live_model_uri()
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    whole = live.read(uri)
    live.client("s3").put_object(Bucket=bucket, Key=key, Body=whole[: len(whole) // 2])
    try:
        data = live.upload("requests/broken_model.csv", as_csv(rows(30, seed=44)))
        ended = live.run({"action": "predict", "data": data, "config": {"rows_per_shard": 10}})
    finally:
        live.client("s3").put_object(Bucket=bucket, Key=key, Body=whole)
    assert (ended["status"], ended["error"]) == ("FAILED", "PredictionFailed")
    assert reads in ended["cause"]
    assert "Traceback" not in ended["cause"]
    assert ended["cause"] in live.notifications()[0]["Message"]


@pytest.mark.aws
def test_rejecting_the_newest_version_brings_the_one_before_back_and_publishes_its_files(live: Stack) -> None:
    again = live.upload("requests/newer.csv", as_csv(rows(240, seed=47)))
    output_of(live.run({"action": "train", "data": again, "config": FAST}))
    newest, before = live.packages()[0]["ModelPackageArn"], live.first_model
    set_status(live, newest, "Rejected")
    files = live.wait_until_published(before)
    set_status(live, newest, "Approved")
    assert live.wait_until_published(newest) != files
    set_status(live, newest, "Rejected")
    assert live.wait_until_published(before) == files
    data = live.upload("requests/rolled_back.csv", as_csv(rows(12, seed=45)))
    assert output_of(live.run({"action": "predict", "data": data}))["model"]["arn"] == before


def set_status(stack: Stack, package: str, status: str) -> None:
    stack.client("sagemaker").update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)


@pytest.mark.fault(
    where="a whole run",
    fault="a run is stopped",
    then="its job is stopped too, nothing goes on",
    reads="was stopped",
)
def test_stopping_an_execution_stops_its_job_and_tells_so(live: Stack, reads: str) -> None:
    data = live.upload("requests/stopped.csv", as_csv(rows(240, seed=46)))
    arn = live.start(
        {"action": "train", "data": data, "config": {"cnn": True, "num_epoch": 500, "seq_len": 512}}
    )
    job = wait_for_job(live)
    live.client("stepfunctions").stop_execution(executionArn=arn)
    assert live.wait(arn)["status"] == "ABORTED"
    assert wait_for_end_of(live, job) == "Stopped"
    (told,) = live.notifications(expected=1)
    assert reads in told["Message"]
    assert "stopped.csv" in told["Subject"]
