"""What a model was made of: from the bytes that validate reads to the file beside the model's card."""

import gzip
import hashlib

from contract import tuning
from evaluate.handler import handler as evaluate
from tests.unit.functions.stack import PROGRAM, UPLOADS, Stack, State, csv_text, labelled


def made_of(stack: Stack, state: State) -> State:
    """Train on what was validated and return the lineage."""
    state["training"] = stack.trained(state)
    card = evaluate(state, None)["card"]
    return dict(stack.json(card.replace("card.json", "lineage.json")))


def test_it_names_every_file_with_version_and_sha256_in_the_order_of_reading(stack: Stack) -> None:
    old = labelled(20)
    new = gzip.compress(csv_text(["text", "label"], [("noise", "engine")]).encode())
    files = made_of(stack, stack.validated_files(old, new))["files"]
    assert [file["uri"] for file in files] == [f"s3://{UPLOADS}/train/{name}.csv" for name in "ab"]
    assert [file["sha256"] for file in files] == [
        hashlib.sha256(content).hexdigest() for content in (old.encode(), new)
    ]
    assert [file["size"] for file in files] == [len(old), len(new)]
    versions = [stack.s3.head_object(Bucket=UPLOADS, Key=f"train/{name}.csv")["VersionId"] for name in "ab"]
    assert [file["version"] for file in files] == versions


def test_bytes_that_no_row_is_read_from_count_too(stack: Stack) -> None:
    content = labelled(20).encode() + b"\r\n" * 3
    assert made_of(stack, stack.validated("train", content))["files"][0]["sha256"] == (
        hashlib.sha256(content).hexdigest()
    )


def test_it_names_run_program_and_the_whole_configuration(stack: Stack) -> None:
    state = stack.validated("train", labelled(20), {"num_epoch": 3})
    found = made_of(stack, state)
    assert (found["run"], found["job"]) == (state["run"]["name"], state["training"]["job"])
    assert found["program"] == PROGRAM
    read = {k: v for k, v in stack.json(state["run"]["config"]).items() if k not in tuning.KEYS}
    assert found["config"] == read
    assert found["config"]["num_epoch"] == 3


def test_it_says_up_to_when_decisions_are_in_the_last_file(stack: Stack) -> None:
    until = "2026-11-27T01:00:00+00:00"
    uris = [stack.upload("train/a.csv", labelled(20)), stack.upload("train/decided.csv", labelled(2))]
    run = stack.prepare({"action": "train", "data": uris, "decided_until": until})
    state = {"run": run, "validation": stack.validate({"run": run})}
    assert made_of(stack, state)["decisions"] == {"until": until, "file": uris[1]}
    assert made_of(stack, stack.validated("train", labelled(20)))["decisions"] is None


def test_it_names_the_version_that_was_live(stack: Stack) -> None:
    assert made_of(stack, stack.validated("train", labelled(20)))["live_before"] is None
    stack.live()
    state = stack.validated("train", labelled(21))
    assert made_of(stack, state)["live_before"] == 1


def test_a_run_that_an_older_version_began_has_a_lineage_without_digests(stack: Stack) -> None:
    state = stack.validated("train", labelled(20))
    del state["validation"]["train"]["sha256"]
    assert made_of(stack, state)["files"][0]["sha256"] is None
