"""The function labels a small file as Batch would, byte for byte; if it fails, Batch labels the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.workflow.claims import as_csv, rows
from tests.workflow.stack import Stack, output_of


def function_of(stack: Stack, name: str) -> str:
    resource = stack.client("cloudformation").describe_stack_resource(
        StackName=stack.name, LogicalResourceId=name
    )
    return str(resource["StackResourceDetail"]["PhysicalResourceId"])


@contextmanager
def variable(stack: Stack, function: str, name: str, value: str) -> Iterator[None]:
    """Let a function have another value of a variable for a while."""
    client, called = stack.client("lambda"), function_of(stack, function)
    before = client.get_function_configuration(FunctionName=called)["Environment"]["Variables"]
    changed = {"Variables": {**before, name: value}}
    client.update_function_configuration(FunctionName=called, Environment=changed)
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=called, Environment={"Variables": before})


def labelled(stack: Stack, data: str, rows: int) -> tuple[list[str], dict[str, Any], dict[str, bytes]]:
    """Label a file as a stack with such SmallRows does: the states, the results manifest, parts and results.

    The parts are removed then, as what is there already is not made again.
    """
    with variable(stack, "PrepareFunction", "CLAIMFLOW_SMALL_ROWS", str(rows)):
        arn = stack.start({"action": "predict", "data": data, "config": {"rows_per_shard": 400}})
        output = output_of(stack.wait(arn))
    manifest = json.loads(stack.read(output["results"]["manifest"]))
    made = {kind: stack.read(manifest["files"][kind]) for kind in ("results", "review", "rejected")}
    folder = json.loads(stack.read(output["validation"]["predict"]["manifest"]))["output"]
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    s3 = stack.client("s3")
    for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        name = each["Key"].rsplit("/", 1)[-1]
        made[name] = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        s3.delete_object(Bucket=bucket, Key=each["Key"])
    return stack.states(arn), manifest, made


def test_a_thousand_rows_are_the_same_with_and_without_the_function(live: Stack) -> None:
    data = live.upload("requests/small.csv", as_csv(rows(1000, seed=70)))
    states, manifest, at_once = labelled(live, data, 1000)
    in_batch_states, in_batch_manifest, in_batch = labelled(live, data, 0)
    assert "Predict at once" in states
    assert not {"Predict", "Predict in parallel"} & set(states)
    assert "Predict in parallel" in in_batch_states
    assert at_once == in_batch
    assert len(at_once) == 6, "three parts, and what people open"
    assert (manifest["labelled_by"]["service"], manifest["cost"]["machines"]) == ("lambda", ["lambda-gb"])
    assert in_batch_manifest["labelled_by"]["service"] == "batch"
    assert manifest["programs"] == in_batch_manifest["programs"]


@pytest.mark.fault(
    where="a whole run",
    fault="the function for small files fails",
    then="Batch labels the file; what other calls of the function made stays",
    reads="",
)
def test_batch_labels_a_file_that_the_function_did_not(live: Stack) -> None:
    data = live.upload("requests/fallback.csv", as_csv(rows(1, seed=71)))
    with variable(live, "LabelFunction", "CLAIMFLOW_IMAGE", "another"):
        arn = live.start({"action": "predict", "data": data})
        output = output_of(live.wait(arn))
    entered = [name for name in live.states(arn) if name.startswith("Predict")]
    assert entered == ["Predict at once", "Predict"]
    told = json.loads(live.read(output["results"]["manifest"]))["labelled_by"]
    assert told == {"service": "batch", "why": "The function for small files failed: AnotherImageError."}
    assert output["results"]["predicted"] == 1
