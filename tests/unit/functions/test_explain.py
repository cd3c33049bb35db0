"""explain: every failure becomes one sentence, and explain itself never fails."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from explain.ending import goes_on_at
from explain.handler import handler
from shared import aws
from tests.unit.functions.enforcement import answered
from tests.unit.functions.stack import EXECUTION, Stack, csv_text

EVENTS = Path(__file__).parents[2] / "events"


def cause(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text()


def explain(error: str, cause: str, **state: Any) -> dict[str, str]:
    whole = {"request": {"action": "train", "data": "s3://b/train/claims.csv"}, **state}
    whole["error"] = {"Error": error, "Cause": cause}
    return dict(handler({"state": whole, "execution": EXECUTION, "redrives": 0}, None))


TRAINING = {"run": {"id": "train-claims-1", "action": "train"}, "validation": {"train": {}, "predict": None}}


def test_what_a_function_said_is_the_sentence() -> None:
    found = explain("InvalidData", cause("lambda_failed"))
    assert found["error"] == "InvalidData"
    assert found["sentence"] == "claims.csv, line 7: the cell whose quote opens here is never closed."
    assert found["subject"] == "Claimflow: claims.csv failed: InvalidData"
    assert found["sentence"] in found["message"]
    assert EXECUTION in found["message"]
    assert "https://eu-west-1.console.aws.amazon.com/states/" in found["message"]


@pytest.mark.parametrize(
    ("seconds", "said"), [("900.00", "its limit of 900 seconds"), ("3.05", "its limit of 3 seconds")]
)
def test_a_lambda_that_took_too_long_timed_out(seconds: str, said: str) -> None:
    message = json.dumps(
        {"errorMessage": f"2026-11-22T00:00:00Z c5f2 Task timed out after {seconds} seconds"}
    )
    found = explain("Lambda.Unknown", message, run={"id": "r"})
    assert found["error"] == "TimedOut"
    assert "The step validate took longer than " + said in found["sentence"]


def test_a_lambda_without_memory_says_so() -> None:
    said = "RequestId: c5f2 Error: Runtime exited with error: signal: killed"
    killed = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": said})
    for error, text in (("Runtime.OutOfMemory", "{}"), ("MemoryError", "{}")):
        assert "ran out of memory" in explain(error, text, run={"id": "r"})["sentence"]
    said = explain("Runtime.ExitError", killed, run={"id": "r"})["sentence"]
    assert "The step validate was killed, most often for want of memory" in said


def test_a_full_disk_says_so() -> None:
    full = json.dumps({"errorType": "OSError", "errorMessage": "[Errno 28] No space left on device"})
    assert "ran out of disk space" in explain("OSError", full)["sentence"]


def test_a_failed_training_says_what_its_program_said() -> None:
    found = explain("States.TaskFailed", cause("training_failed"), **TRAINING)
    assert found["error"] == "TrainingFailed"
    job = "claimflow-claims-28649577b4a47e72-0"
    assert found["sentence"] == f"The training job {job} failed: The class 'brakes' has no rows."


def test_a_cause_that_was_cut_off_still_tells_the_reason() -> None:
    whole = cause("training_failed").replace('"AlgorithmSpecification"', '"Filler": "' + "x" * 40_000)
    found = explain("States.TaskFailed", whole[:32_768], **TRAINING)
    assert "The class 'brakes' has no rows" in found["sentence"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("MaxRuntimeExceeded", "it reached the longest training time that the stack allows"),
        ("MaxWaitTimeExceeded", "wait for Spot capacity"),
    ],
)
def test_a_training_that_was_stopped_by_its_limit_timed_out(status: str, said: str) -> None:
    document = {"TrainingJobName": "j", "TrainingJobStatus": "Stopped", "SecondaryStatus": status}
    found = explain("States.TaskFailed", json.dumps(document), **TRAINING)
    assert found["error"] == "TimedOut"
    assert said in found["sentence"]


def test_a_training_that_gives_no_reason_says_where_to_look() -> None:
    document = {"TrainingJobName": "j", "TrainingJobStatus": "Failed"}
    assert "ended as Failed and gave no reason; see its log" in explain("x", json.dumps(document))["sentence"]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "CapacityError: Unable to provision requested ML compute capacity. Please retry using another "
            "ML instance type.",
            "AWS had no machine of its kind to give; start it again later, or choose another Training",
        ),
        (
            "ClientError: Cannot pull algorithm container. Either the image does not exist or its "
            "permissions are incorrect.",
            "its image could not be pulled",
        ),
        (
            "InternalServerError: We encountered an internal error. Please try again.",
            "SageMaker itself failed",
        ),
        (
            "AlgorithmError: , exit code: 139",
            "its program ended with exit code 139 and gave no reason; see its log",
        ),
        ("AlgorithmError: Cannot pull the image, exit code: 1", "failed: Cannot pull the image"),
    ],
)
def test_a_training_that_sagemaker_could_not_run_says_so(reason: str, said: str) -> None:
    document = {"TrainingJobName": "j", "TrainingJobStatus": "Failed", "FailureReason": reason}
    found = explain("States.TaskFailed", json.dumps(document), **TRAINING)
    assert found["error"] == "TrainingFailed"
    assert said in found["sentence"]
    assert "memory" not in found["sentence"]


def test_a_training_that_somebody_stopped_says_so() -> None:
    document = {"TrainingJobName": "j", "TrainingJobStatus": "Stopped", "SecondaryStatus": "Stopped"}
    said = explain("States.TaskFailed", json.dumps(document), **TRAINING)["sentence"]
    assert said == "The training job j was stopped before its end; start it again."


@pytest.fixture
def failed_shards(stack: Stack) -> dict[str, Any]:
    """Three shards: the first succeeded at once, the second at its second attempt, the third failed."""
    stack.live()
    content = csv_text(["text"], [(f"t{n}",) for n in range(3)])
    state = stack.validated("predict", content, {"rows_per_shard": 1})
    stack.predicted(state)
    output = stack.json(state["validation"]["predict"]["manifest"])["output"]
    bucket, key = output.removeprefix("s3://").split("/", 1)
    stack.s3.delete_object(Bucket=bucket, Key=f"{key}/part-00002.csv")
    stack.write(f"{output}/failure-00001.txt", b"A passing fault.\n")
    stack.write(f"{output}/failure-00002.txt", b"The model artifact is damaged:\nmanifest.json is missing.\n")
    return state


def test_a_failed_prediction_says_what_its_shards_said(failed_shards: dict[str, Any]) -> None:
    found = explain("States.TaskFailed", cause("batch_failed"), **failed_shards)
    assert found["error"] == "PredictionFailed"
    assert found["sentence"] == (
        "The prediction claimflow-predict failed: 1 of its 3 shards failed. "
        "Shard 2: The model artifact is damaged: manifest.json is missing."
    )


def test_batchs_own_spelling_is_understood_too(failed_shards: dict[str, Any]) -> None:
    lower = {key[0].lower() + key[1:]: value for key, value in json.loads(cause("batch_failed")).items()}
    assert "Shard 2: The model artifact" in explain("Batch", json.dumps(lower), **failed_shards)["sentence"]


def test_a_prediction_whose_shards_cannot_be_read_is_still_told(stack: Stack) -> None:
    state = {"validation": {"predict": {"manifest": "s3://artifacts-bucket/runs/none/manifest.json"}}}
    found = explain("States.TaskFailed", cause("batch_failed"), **state)
    assert found["sentence"] == "The prediction claimflow-predict failed: 1 of its 3 shards failed."


def test_a_prediction_that_took_too_long_timed_out(stack: Stack) -> None:
    document = json.loads(cause("batch_failed"))
    document.update(ArrayProperties={}, StatusReason="Job attempt duration exceeded timeout")
    assert explain("States.TaskFailed", json.dumps(document))["error"] == "TimedOut"


def test_a_timeout_of_the_state_machine_names_the_step() -> None:
    found = explain("States.Timeout", "", **TRAINING)
    assert found["error"] == "TimedOut"
    assert "The step Train took longer than it may" in found["sentence"]


@pytest.mark.parametrize(
    ("error", "text", "said"),
    [
        (
            "SageMaker.AmazonSageMakerException",
            "Rate exceeded (Service: SageMaker; ThrottlingException)",
            "too busy",
        ),
        ("Lambda.TooManyRequestsException", "Rate Exceeded.", "too busy"),
        (
            "SageMaker.ResourceLimitExceededException",
            "The account-level service limit is 0",
            "Service Quotas",
        ),
        (
            "States.TaskFailed",
            "User is not authorized to perform: sagemaker:CreateTrainingJob",
            "lacks a permission",
        ),
        ("States.DataLimitExceeded", "too big", "grew beyond"),
    ],
)
def test_faults_of_aws_are_said_plainly(error: str, text: str, said: str) -> None:
    found = explain(error, text, **TRAINING)
    assert found["error"] == "Unexpected"
    assert said in found["sentence"]


def test_an_unknown_error_says_what_is_known_and_where_to_look() -> None:
    found = explain(
        "KeyError", json.dumps({"errorMessage": "'columns'", "errorType": "KeyError"}), run={"id": "r"}
    )
    assert found["error"] == "Unexpected"
    assert found["sentence"].startswith("The step validate failed with KeyError: 'columns'")


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ({}, "prepare"),
        ({"run": {"action": "train"}}, "validate"),
        ({**TRAINING, "training": {}}, "evaluate"),
        ({**TRAINING, "training": {}, "evaluation": {}}, "register"),
        ({**TRAINING, "training": {}, "evaluation": {}, "registration": {}}, "notify"),
        ({"run": {"action": "predict"}, "validation": {"predict": {"manifest": "m"}}}, "predict"),
    ],
)
def test_the_step_is_the_first_that_left_nothing(state: dict[str, Any], step: str) -> None:
    assert f"The step {step} took" in explain("States.Timeout", "", **state)["sentence"]


NAMES = [
    "error",
    "Error",
    "Cause",
    "run",
    "validation",
    "JobId",
    "JobQueue",
    "TrainingJobName",
    "request",
    "data",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, JSON, st.text())
def test_explain_never_fails(state: Any, document: Any, text: str) -> None:
    for whole in (
        state,
        {"error": {"Error": text, "Cause": json.dumps(document)}},
        {"error": {"Cause": text}},
    ):
        found = handler({"state": whole, "execution": text, "redrives": 0}, None)
        assert found["sentence"]
        assert len(found["subject"]) <= 100


def test_a_long_reason_is_cut() -> None:
    found = explain("X", json.dumps({"errorMessage": "long " * 20_000, "errorType": "InvalidData"}))
    assert len(found["sentence"]) <= 4000


@pytest.fixture
def batch() -> Iterator[Callable[..., None]]:
    """Yield what sets the shards that Batch tells of when it is asked for the failed shards of the job."""
    told: list[tuple[int, int | None, str, str]] = []

    def list_jobs(**asked: Any) -> dict[str, Any]:
        assert (asked["arrayJobId"], asked["jobStatus"]) == ("876da822", "FAILED")
        return {"jobSummaryList": [summary(*shard) for shard in told]}

    with answered("batch", "ListJobs", list_jobs):
        yield lambda *shards: told.extend(shards)


def summary(index: int, exit_code: int | None, reason: str, status: str) -> dict[str, Any]:
    container = ({"reason": reason} if reason else {}) | ({"exitCode": exit_code} if exit_code else {})
    return {"arrayProperties": {"index": index}, "container": container, "statusReason": status}


def of_failed(count: int) -> str:
    document = json.loads(cause("batch_failed"))
    document["ArrayProperties"]["StatusSummary"]["FAILED"] = count
    return json.dumps(document)


ENDED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"
CAPACITY = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for instance "
    "type [m5.large]"
)
PULL = "CannotPullContainerError: Error response from daemon: manifest for x/claimflow:1 not found"


@pytest.mark.parametrize(
    ("job", "said", "unsaid"),
    [
        (
            (137, "OutOfMemoryError: Container killed due to memory usage", ENDED),
            "it ran out of memory.",
            "(",
        ),
        ((137, "", ENDED), "it was killed, most often for want of memory.", "ran out"),
        ((1, "", ENDED), "its program ended with exit code 1 and gave no reason; see its log.", "memory"),
        ((None, PULL, "Task failed to start"), f"its image could not be pulled ({PULL}).", "memory"),
        (
            (None, "", "Host EC2 (instance i-0abc) terminated."),
            "the machine that it ran on was taken away (Host EC2 (instance i-0abc) terminated).",
            "memory",
        ),
        ((137, "", TIMED_OUT), "it took longer than the stack allows.", "memory"),
        ((None, "", CAPACITY), f"no machine came for it, as AWS had none to give ({CAPACITY}).", "memory"),
        (
            (None, "", "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - cannot meet the capacity"),
            "than the stack may use at a time (MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
            "none to give",
        ),
        (
            (None, "DockerTimeoutError: Could not transition to created", "Task failed to start"),
            "started (D",
            "long",
        ),
        ((None, "", "Stopped by the night shift."), "AWS Batch says: Stopped by the night shift.", "memory"),
        ((None, "", ""), "no reason was given.", "memory"),
    ],
    ids=[
        "memory",
        "killed",
        "exit",
        "image",
        "host",
        "time",
        "capacity",
        "size",
        "docker",
        "stopped",
        "none",
    ],
)
def test_a_job_that_left_no_sentence_is_told_by_what_batch_says_of_it(
    job: tuple[int | None, str, str],
    said: str,
    unsaid: str,
    failed_shards: dict[str, Any],
    batch: Callable[..., None],
) -> None:
    batch((1, *job))
    shard = explain("States.TaskFailed", of_failed(2), **failed_shards)["sentence"]
    last = shard.split("manifest.json is missing. ")[-1]
    assert last.startswith("1 shard: ")
    exit_code, reason, status = job
    single = json.loads(of_failed(1)) | {"ArrayProperties": {}, "StatusReason": status}
    single["Container"] = {"ExitCode": exit_code, "Reason": reason}
    alone = explain("States.TaskFailed", json.dumps(single))["sentence"]
    assert alone.startswith("The prediction claimflow-predict failed: ")
    for sentence in (last, alone):
        assert said in sentence
        assert unsaid not in sentence.replace(said, "").replace("JobMemoryMiB", "")


def test_shards_of_one_reason_are_told_together_and_those_told_already_are_not_told_again(
    failed_shards: dict[str, Any], batch: Callable[..., None]
) -> None:
    shards = [(0, None, PULL, ""), (1, None, PULL, ""), (2, 1, "", ENDED)]
    batch(*shards)
    said = explain("States.TaskFailed", of_failed(3), **failed_shards)["sentence"]
    assert "Shard 2: The model artifact is damaged: manifest.json is missing. 2 shards: its image" in said
    assert "exit code" not in said


def test_a_prediction_all_of_whose_shards_took_too_long_timed_out(
    stack: Stack, failed_shards: dict[str, Any], batch: Callable[..., None]
) -> None:
    output = stack.json(failed_shards["validation"]["predict"]["manifest"])["output"]
    bucket, key = output.removeprefix("s3://").split("/", 1)
    for name in ("failure-00001.txt", "failure-00002.txt"):
        stack.s3.delete_object(Bucket=bucket, Key=f"{key}/{name}")
    batch((1, 137, "", TIMED_OUT), (2, 137, "", TIMED_OUT))
    found = explain("States.TaskFailed", of_failed(2), **failed_shards)
    assert found["error"] == "TimedOut"
    assert (
        "2 shards: it took longer than the stack allows. Give the stack more MaxShardSeconds, or start"
        in (found["sentence"])
    )


def test_when_batch_cannot_be_asked_no_cause_is_invented(
    failed_shards: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.aws.batch", lambda: None)
    said = explain("States.TaskFailed", of_failed(3), **failed_shards)["sentence"]
    assert said.endswith("manifest.json is missing. The failed shards gave no reason; see their log.")


def test_of_very_many_sentences_none_is_missed_by_guess(
    failed_shards: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explain.shards.LOOKED_AT", 0)
    assert "no reason" not in explain("x", of_failed(3), **failed_shards)["sentence"]


def test_a_shards_own_number_is_said_once(stack: Stack, failed_shards: dict[str, Any]) -> None:
    output = stack.json(failed_shards["validation"]["predict"]["manifest"])["output"]
    stack.write(f"{output}/failure-00002.txt", b"Shard 2 was not labelled: The disk is full.")
    said = explain("x", cause("batch_failed"), **failed_shards)["sentence"]
    assert said.endswith("1 of its 3 shards failed. Shard 2 was not labelled: The disk is full.")


def test_a_killed_training_says_so_and_that_it_goes_on() -> None:
    document = {"TrainingJobName": "j", "FailureReason": "AlgorithmError: , exit code: 137"}
    said = explain("States.TaskFailed", json.dumps(document), **TRAINING)["sentence"]
    assert "it was killed, most often for want of memory" in said
    assert "goes on from its checkpoint" in said


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "The step prepare ran out of disk space; free disk space, or enlarge it, and start again."),
        ({"run": {"id": "r"}}, "The step validate ran out of disk space; the file may be too large"),
        (
            {"run": {"action": "predict"}, "validation": {"predict": {}}},
            "The step notify ran out of disk space; free disk space",
        ),
        (
            {"run": {"action": "predict"}, "validation": {"predict": {"manifest": "m"}}},
            "The step predict ran out of disk space; the file may be too large",
        ),
    ],
)
def test_only_a_step_that_reads_the_file_advises_to_cut_it_up(state: dict[str, Any], said: str) -> None:
    full = json.dumps({"errorType": "OSError", "errorMessage": "[Errno 28] No space left on device"})
    assert said in explain("OSError", full, **state)["sentence"]


PREDICTING = {"run": {"action": "predict"}, "validation": {"predict": {"manifest": "m"}}}


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ({}, "Prepare"),
        ({"request": {"action": "threshold"}}, "Threshold"),
        ({"run": {"action": "train"}}, "Validate"),
        ({"run": {"action": "train"}, "validation": {"predict": None}}, "Train"),
        (PREDICTING, "Predict"),
        (PREDICTING | {"prediction": {}}, "Predict"),
        (PREDICTING | {"prediction": {"Error": "States.TaskFailed", "Cause": "{}"}}, "Predict"),
        (PREDICTING | {"prediction": {"succeeded": True}}, "Collect"),
        (PREDICTING | {"prediction": {"succeeded": True}, "results": {"missing_rows": 3}}, "Collect"),
    ],
)
def test_a_failed_end_that_is_redriven_leads_back_to_the_step_that_failed(
    state: dict[str, Any], step: str
) -> None:
    failure = {"error": "TimedOut", "sentence": "It took too long.", "redrives": 0}
    with Stubber(aws.step_functions()) as stub:
        stub.add_response("send_task_success", {}, {"taskToken": "t", "output": json.dumps({"step": step})})
        assert end(state, failure, redrives=1) == {"step": step}


def test_a_change_of_the_target_that_took_too_long_names_its_step() -> None:
    found = explain("States.Timeout", "", request={"action": "threshold", "target_precision": 0.9})
    assert found["sentence"].startswith("The step threshold took longer than it may.")
    assert found["subject"] == "Claimflow: a run failed: TimedOut"


def end(state: dict[str, Any], failure: dict[str, Any], redrives: int) -> dict[str, Any]:
    return dict(handler({"state": state, "end": failure, "redrives": redrives, "token": "t"}, None))


def test_a_partly_done_end_that_is_redriven_leads_back_to_the_shards() -> None:
    state: Any = PREDICTING | {"prediction": {"succeeded": True}, "results": {"missing_rows": 3}}
    failure: Any = {"error": "PartlyDone", "sentence": "3 rows are missing.", "redrives": 2}
    assert goes_on_at(failure, 3, state) == "Predict"


def test_an_end_fails_with_the_errors_name_and_the_sentence_as_it_is() -> None:
    failure = {"error": "PartlyDone", "sentence": "The disk is full.", "redrives": 1}
    told = {"taskToken": "t", "error": "PartlyDone", "cause": "The disk is full."}
    with Stubber(aws.step_functions()) as stub:
        stub.add_response("send_task_failure", {}, told)
        assert end({}, failure, redrives=1) == {"step": None}


@pytest.mark.parametrize(
    ("error", "again"), [("InvalidData", False), ("NoLiveModel", False), ("StackMisconfigured", True)]
)
def test_only_what_another_try_can_mend_is_tried_again(error: str, again: bool) -> None:
    told = json.dumps({"errorType": error, "errorMessage": "It is so."})
    assert explain(error, told)["again"] is again


def test_a_prediction_that_may_not_be_partial_says_why_nothing_is_delivered(
    failed_shards: dict[str, Any],
) -> None:
    bound = "3 rows of 9 were not labelled (33.3%), and allow_partial in the configuration is false."
    refused = json.dumps({"errorType": "PredictionFailed", "errorMessage": f"{bound} Shard 2 left no part."})
    prediction = {"Error": "States.TaskFailed", "Cause": cause("batch_failed")}
    found = explain("PredictionFailed", refused, prediction=prediction, **failed_shards)
    assert found["sentence"].startswith(f"{bound} The prediction claimflow-predict failed: 1 of its 3")


def test_the_local_aws_has_no_console_to_link_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    message = explain("InvalidData", "x")["message"]
    assert "console.aws" not in message


def test_shards_that_failed_are_the_reason_when_nothing_could_be_collected(
    failed_shards: dict[str, Any],
) -> None:
    collect = json.dumps({"errorType": "PredictionFailed", "errorMessage": "9 rows were not labelled."})
    prediction = {"Error": "States.TaskFailed", "Cause": cause("batch_failed")}
    found = explain("PredictionFailed", collect, prediction=prediction, **failed_shards)
    assert found["sentence"].startswith("The prediction claimflow-predict failed: 1 of its 3 shards failed.")
    found = explain("PredictionFailed", collect, prediction={"succeeded": True}, **failed_shards)
    assert found["sentence"] == "9 rows were not labelled."


def test_the_command_that_goes_on_is_for_this_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_MODEL_GROUP", "claimflow-prod")
    state = {"error": {"Error": "States.Timeout", "Cause": ""}}
    found = handler({"state": state, "execution": "a:b:predict-1", "redrives": 0}, None)
    assert "`claimflow --stack claimflow-prod redrive predict-1`" in found["message"]
