"""Erasure on the local AWS: a claim is gone from every version of every file, and the model goes on."""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
from collections.abc import Iterator

from tests.workflow.claims import FAST, rows
from tests.workflow.stack import Stack, output_of

CLAIM, WORD = "forget-25-", "case170x25"  # of one claim, and in no other


def file_of(claims: list[tuple[str, str]], *, labelled: bool = True) -> str:
    """Return a CSV of claims, numbered as those of no other test."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["claim_id", "description", *["category"] * labelled])
    for number, (text, label) in enumerate(claims):
        writer.writerow([f"forget-{number}-", text, *[label] * labelled])
    return out.getvalue()


def everything(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Yield all versions of all files of the stack's three buckets, what is packed unpacked."""
    s3 = stack.client("s3")
    for bucket in (stack.outputs[name] for name in ("UploadsBucket", "ArtifactsBucket", "ResultsBucket")):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for each in page.get("Versions", []):
                found = s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
                yield from unpacked(f"{bucket}/{each['Key']}", found["Body"].read())


def unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if name.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            for member in tar.getmembers():
                file = tar.extractfile(member)
                yield f"{name}:{member.name}", file.read() if file else b""
    else:
        yield name, gzip.decompress(content) if name.endswith(".gz") else content


def those_with(stack: Stack, *words: str) -> set[str]:
    """Return the names of the files that hold one of the words."""
    sought = [word.encode() for word in words]
    return {name for name, content in everything(stack) if any(word in content for word in sought)}


def test_a_forgotten_claim_is_in_no_version_of_any_file_and_its_model_labels_as_before(
    trained: Stack,
) -> None:
    stack = trained
    stack.no_live_model()
    claims = rows(240, seed=170)
    stack.upload("requests/forgotten.csv", file_of(claims[:100]))
    data = stack.upload("requests/forgotten.csv", file_of(claims))  # over the first, whose version stays
    learned = output_of(stack.run({"action": "train", "data": data, "config": FAST}))
    assert learned["registration"]["live"] is True
    asked = stack.upload("requests/to_label.csv", file_of(claims[:40], labelled=False))
    before = stack.table(output_of(stack.run({"action": "predict", "data": asked}))["results"]["results"])
    there = those_with(stack, CLAIM, WORD)
    for part in ("forgotten.csv", "to_label.csv", "results.csv", "part-00000.csv", "rows.jsonl"):
        assert any(part in name for name in there), part

    done = stack.command(
        *("claimflow", "--local", "--stack", stack.name, "forget"),
        *("--column", "claim_id", "--value", CLAIM, "--yes"),
        check=False,  # it ends with 1, as other tests leave files that nobody can read
    )

    assert f"version {learned['registration']['version']}" in done.stdout
    assert those_with(stack, CLAIM, WORD) == set()
    # An upload lies at another address now, as what is written to its own might start a run.
    (now,) = {name for name, _ in everything(stack) if name.endswith("/to_label.csv")}
    assert f"s3://{now}" in done.stdout.replace("\n", "")
    rest = [row for row in before if row["claim_id"] != CLAIM]
    assert [row["claim_id"] for row in stack.table(f"s3://{now}")] == [row["claim_id"] for row in rest]
    again = output_of(stack.run({"action": "predict", "data": f"s3://{now}"}))
    assert stack.table(again["results"]["results"]) == rest
    assert stack.live_model_uri() == learned["training"]["model_uri"]
