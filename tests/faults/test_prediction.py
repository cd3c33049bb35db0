"""What befalls the program `predict`: signals at every named point, S3 too busy, forbidden or broken off."""

from __future__ import annotations

import csv
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from container import prediction, storage
from contract.manifest import Shard
from tests.container.conftest import rows, write_csv
from tests.faults.clients import faults
from tests.faults.programs import run, run_until
from tests.faults.rules import BROKEN, CUT, DENIED, PASSING, RESET, THROTTLED, UNANSWERED, Rule
from tests.manifests import manifest_text

WHERE = "predict"
ROWS = 1_500  # more than the program tells of at once
BUCKET = "artifacts"

#: The named points, in the order in which the program comes by: what it calls next, and how often before.
POINTS = {
    "before it reads its part of the file": ("container.storage:download", 1),
    "before it reads the model": ("model.artifact:load", 1),
    "in the middle of its rows": ("builtins:print", 1),
    "before it stores what it wrote": ("container.storage:commit", 1),
    "after it stored what it wrote": ("builtins:print", 2),
}


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Return a manifest of one shard."""
    content = [(row, text) for row, text, _ in rows(ROWS, seed=5)]
    uri = write_csv(tmp_path / "shard-00000.csv", ["row", "text"], content)
    path = tmp_path / "manifest.json"
    path.write_text(manifest_text(str(tmp_path / "parts"), [Shard(str(uri), ROWS)]), encoding="utf-8")
    return path


def asked(shard: Path, undisturbed: Path) -> dict[str, str]:
    return {"CLAIMFLOW_MANIFEST": str(shard), "CLAIMFLOW_MODEL": str(undisturbed / "model.tar.gz")}


def numbers(part: Path) -> list[int]:
    with part.open(newline="", encoding="utf-8") as file:
        return [int(line["row"]) for line in csv.DictReader(file)]


def none_or_whole(shard: Path) -> None:
    part = shard.parent / "parts" / "part-00000.csv"
    assert not part.exists() or numbers(part) == list(range(ROWS))


def once_and_whole(shard: Path) -> None:
    """There is one part with every row once, and no note of a failure."""
    parts = shard.parent / "parts"
    assert [path.name for path in parts.iterdir()] == ["part-00000.csv"]
    assert numbers(parts / "part-00000.csv") == list(range(ROWS))


def note(shard: Path) -> str:
    said = (shard.parent / "parts" / "failure-00000.txt").read_text(encoding="utf-8")
    assert "\n" not in said
    return said


@pytest.mark.parametrize("name", ["KILL", "TERM"])
@pytest.mark.fault(
    where=WHERE,
    fault=f"kill -9 or SIGTERM {', '.join(POINTS)}",
    then="no part, or a whole one, and no process that goes on; started again, every row is there once",
    reads="Shard 0 was not labelled: The process was",
)
def test_a_shard_that_is_killed_anywhere_is_labelled_once_when_started_again(
    name: str, shard: Path, undisturbed: Path, reads: str
) -> None:
    for point, count in POINTS.values():
        done = run_until("predict", point, count, name, **asked(shard, undisturbed))
        assert done.returncode == 128 + (signal.SIGKILL if name == "KILL" else signal.SIGTERM)
        assert note(shard).startswith(reads)
        assert reads in done.stdout
        none_or_whole(shard)
    done = run("predict", **asked(shard, undisturbed))
    assert done.returncode == 0
    assert "were labelled before" in done.stdout
    once_and_whole(shard)


@pytest.mark.fault(
    where=WHERE,
    fault="the machine of a shard is gone before it stores what it wrote",
    then="nothing is left of it; started again, every row is there once",
    reads="",
)
def test_a_shard_whose_machine_is_gone_is_labelled_when_started_again(shard: Path, undisturbed: Path) -> None:
    point, count = POINTS["before it stores what it wrote"]
    done = run_until("predict", point, count, "HOST", **asked(shard, undisturbed))
    assert done.returncode == -signal.SIGKILL
    assert not (shard.parent / "parts").exists()
    assert run("predict", **asked(shard, undisturbed)).returncode == 0
    once_and_whole(shard)


@pytest.fixture
def bucket(shard: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Yield S3 with the same job in it, and set the environment to it."""
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    manifest = manifest_text(f"s3://{BUCKET}/parts", [Shard(f"s3://{BUCKET}/shard.csv", ROWS)])
    with mock_aws():
        storage._client.cache_clear()
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="manifest.json", Body=manifest.encode())
        client.upload_file(str(shard.parent / "shard-00000.csv"), BUCKET, "shard.csv")
        client.upload_file(str(undisturbed / "model.tar.gz"), BUCKET, "model.tar.gz")
        monkeypatch.setenv("CLAIMFLOW_MANIFEST", f"s3://{BUCKET}/manifest.json")
        monkeypatch.setenv("CLAIMFLOW_MODEL", f"s3://{BUCKET}/model.tar.gz")
        yield client
    storage._client.cache_clear()


def stored(bucket: Any) -> dict[str, str]:
    listed = bucket.list_objects_v2(Bucket=BUCKET, Prefix="parts/").get("Contents", [])
    return {
        one["Key"]: bucket.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read().decode() for one in listed
    }


def whole_on_s3(bucket: Any) -> None:
    ((key, content),) = stored(bucket).items()
    assert key == "parts/part-00000.csv"
    assert [int(row["row"]) for row in csv.DictReader(content.splitlines())] == list(range(ROWS))


PASSING_ROWS = {
    THROTTLED: "every call of `predict` is throttled twice",
    BROKEN: "every call of `predict` is answered by 500 twice",
    UNANSWERED: "the answer to every call of `predict` is lost or too late, twice",
    RESET: "every connection of `predict` breaks off twice",
    CUT: "the file's rows and the model end in the middle when they are read, twice",
}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind,
            marks=pytest.mark.fault(
                where=WHERE, fault=PASSING_ROWS[kind], then="asked again; every row once", reads=""
            ),
            id=kind,
        )
        for kind in PASSING
    ],
)
def test_a_shard_is_labelled_once_although_s3_is_not_well(kind: str, bucket: Any) -> None:
    operation = "GetObject" if kind == CUT else "*"
    with faults([storage._client()], Rule(kind, operation=operation, times=2, each=True)) as active:
        assert prediction.main() == 0
    assert len(active.requests) > 9
    whole_on_s3(bucket)


LASTING = {
    "s3 is too busy to give the manifest": (THROTTLED, "GetObject", "*/manifest.json"),
    "s3 is too busy to give the rows": (BROKEN, "*Object", "*/shard.csv"),
    "the model never comes whole": (CUT, "GetObject", "*/model.tar.gz"),
    "the model may not be read": (DENIED, "*Object", "*/model.tar.gz"),
    "the rows may not be read": (DENIED, "*Object", "*/shard.csv"),
    "the part may not be written": (DENIED, "PutObject", "*/part-00000.csv"),
    "s3 does not take the part": (BROKEN, "PutObject", "*/part-00000.csv"),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=pytest.mark.fault(
                where=WHERE,
                fault=name.replace("s3", "S3"),
                then="the shard fails, the others go on; started again, only this one is labelled",
                reads="cannot be written:" if "part" in name else "cannot be read:",
            ),
            id=name,
        )
        for name in LASTING
    ],
)
def test_a_shard_that_s3_fails_says_so_and_is_labelled_later(
    name: str, bucket: Any, reads: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, operation, target = LASTING[name]
    with faults([storage._client()], Rule(kind, operation=operation, target=target, times=None)):
        assert prediction.main() == 1
    said = capsys.readouterr()
    (sentence,) = [line for line in said.out.splitlines() if "cannot be" in line]
    assert reads in sentence
    assert "Traceback" not in said.err
    assert "/tmp/" not in sentence  # noqa: S108
    told = stored(bucket)
    assert list(told) == ([] if "manifest" in name else ["parts/failure-00000.txt"])
    assert prediction.main() == 0
    whole_on_s3(bucket)


@pytest.mark.fault(
    where=WHERE,
    fault="nothing may be written or removed beside the parts",
    then="the shard fails with its sentence in the log; with the permission, it is labelled",
    reads="cannot be",
)
def test_a_shard_that_may_write_nothing_at_all_says_so_in_its_log(
    bucket: Any, reads: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with faults([storage._client()], Rule(DENIED, target="*/parts/*", times=None)):
        assert prediction.main() == 1
    said = capsys.readouterr()
    assert reads in said.out
    assert "Traceback" not in said.err
    assert prediction.main() == 0
    whole_on_s3(bucket)


@pytest.mark.parametrize("damage", [lambda body: body[:1000], lambda body: body[:1000] + b"?" + body[1001:]])
@pytest.mark.fault(
    where=WHERE,
    fault="the model is cut off, or damaged in its middle",
    then="the shards fail; with a whole model, they are labelled",
    reads="The model",
)
def test_a_damaged_model_is_told(damage: Callable[[bytes], bytes], bucket: Any, reads: str) -> None:
    whole = bucket.get_object(Bucket=BUCKET, Key="model.tar.gz")["Body"].read()
    bucket.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=damage(whole))
    assert prediction.main() == 1
    ((_, sentence),) = stored(bucket).items()
    assert sentence.startswith(f"Shard 0 was not labelled: {reads}")
    assert "\n" not in sentence
    bucket.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=whole)
    assert prediction.main() == 0
    whole_on_s3(bucket)
