"""The shard manifest: written and read again, and what is told of one that cannot be read."""

import json
from typing import Any

import pytest

from contract.manifest import Manifest, ManifestError, Reading, Shard, Source, read

MANIFEST = Manifest(
    run="predict-claims-1",
    output="s3://artifacts/runs/predict-claims-1/predict/parts",
    source=Source("s3://uploads/predict/claims.csv", "v1", "etag", 99),
    shards=(Shard("s3://artifacts/a.csv", 3, "ab"), Shard("s3://artifacts/b.csv", 2, "cd")),
    columns=("id", "Größe", "text"),
    text_column="text",
    label_column=None,
    rows=6,
    rejected=1,
    rejected_uri="s3://results/predict-claims-1/claims.rejected.csv",
    rejected_rows="s3://artifacts/runs/predict-claims-1/predict/rejected.csv",
    reading=Reading("xlsx", "utf-8", ",", byte_order_mark=False, sheet="Tabelle1", described="a workbook"),
    explain=True,
)
DOCUMENT: dict[str, Any] = json.loads(MANIFEST.text())


def changed(**changes: object) -> str:
    return json.dumps(DOCUMENT | changes)


def test_a_manifest_comes_back_from_its_json() -> None:
    assert read(MANIFEST.text(), "m") == MANIFEST
    assert read(MANIFEST.text().encode(), "m").text() == MANIFEST.text()


def test_keys_of_a_later_version_are_passed_over() -> None:
    assert read(changed(later=1, source=DOCUMENT["source"] | {"later": 2}), "m") == MANIFEST


def test_a_manifest_of_an_early_version_says_nothing_of_explanations_and_digests() -> None:
    early = {key: value for key, value in DOCUMENT.items() if key != "explain"}
    early["shards"] = [{"uri": "s3://artifacts/a.csv", "rows": 3}]
    manifest = read(json.dumps(early), "m")
    assert (manifest.explain, manifest.shards) == (False, (Shard("s3://artifacts/a.csv", 3),))


def test_a_manifest_of_another_schema_says_what_to_do() -> None:
    with pytest.raises(ManifestError, match=r"^s3://b/m has schema version 2, and this program reads 1: b"):
        read(changed(schema=2), "s3://b/m")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "it is no JSON object with a schema"),
        ("{", "it is no JSON object with a schema"),
        ("[1]", "it is no JSON object with a schema"),
        ("{}", "it is no JSON object with a schema"),
        ('"schema"', "it is no JSON object with a schema"),
        ("[" * 100_000, "it is no JSON object with a schema"),
        ('{"schema": 1}', "it has no run"),
        (changed(rows="six"), 'its rows is "six"'),
        (changed(label_column=3), "its label_column is 3"),
        (changed(source=None), "its source is null"),
        (changed(source={"uri": "x"}), "it has no source.version"),
        (changed(shards="ab"), 'its shards is "ab"'),
        (changed(shards=[{"uri": "x", "rows": 1}, {"uri": "y"}]), r"it has no shards\[1\].rows"),
        (changed(columns=["a", 1]), r"its columns\[1\] is 1"),
    ],
    ids=range(14),
)
def test_a_damaged_manifest_is_told_in_one_sentence_with_the_place(content: str, problem: str) -> None:
    with pytest.raises(ManifestError, match=f"^m is not a shard manifest: {problem}.$"):
        read(content, "m")
