"""The program `predict`: the Batch contract, through the program itself and against S3."""

import csv
import errno
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest
from moto import mock_aws

from container import prediction, storage
from contract.part import Prediction
from contract.part import columns as columns_of_a_part
from model.classifier import Classifier
from model.data import Row
from tests.predictions import prediction as prediction_of

from .conftest import ROOT, TELLING, Run, rows, write_csv

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Main: TypeAlias = Callable[..., int]

HEADER = list(columns_of_a_part(explain=False))
BUCKET = "artifacts"


def part(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def change(manifest: Path, **changes: object) -> None:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**content, **changes}), encoding="utf-8")


@pytest.mark.parametrize("index", [0, 1])
def test_each_shard_has_one_part_with_a_line_for_every_row_in_order(
    index: int, run: Run, shards: Path, trained: Path
) -> None:
    model = str(trained / "model.tar.gz")
    done = run(
        "predict", CLAIMFLOW_MANIFEST=str(shards), CLAIMFLOW_MODEL=model, AWS_BATCH_JOB_ARRAY_INDEX=str(index)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    labelled = part(shards.parent / "parts" / f"part-{index:05}.csv")
    assert list(labelled[0]) == HEADER
    truths = [label for _, _, label in rows(40, seed=index + 10)]
    assert [int(line["row"]) for line in labelled] == list(range(40))
    assert sum(line["prediction"] == truth for line, truth in zip(labelled, truths, strict=True)) > 36
    assert all(len(line["confidence"]) == 6 for line in labelled)
    assert [path.name for path in (shards.parent / "parts").iterdir()] == [f"part-{index:05}.csv"]


WITHOUT_MXNET = """
import sys
from container.prediction import main
assert main() == 0
assert "mxnet" not in sys.modules
"""


def test_a_shard_is_labelled_by_n_grams_without_mxnet(shards: Path, trained: Path) -> None:
    variables = {"CLAIMFLOW_MANIFEST": str(shards), "CLAIMFLOW_MODEL": str(trained / "model.tar.gz")}
    subprocess.run(
        [sys.executable, "-c", WITHOUT_MXNET], cwd=ROOT, env={**os.environ, **variables}, check=True
    )
    assert len(part(shards.parent / "parts" / "part-00000.csv")) == 40


def test_without_an_index_the_first_shard_is_labelled(run: Run, shards: Path, trained: Path) -> None:
    run("predict", CLAIMFLOW_MANIFEST=str(shards), CLAIMFLOW_MODEL=str(trained / "model.tar.gz"))
    assert [path.name for path in (shards.parent / "parts").iterdir()] == ["part-00000.csv"]


def test_a_setting_that_is_missing_is_told(run: Run, shards: Path) -> None:
    done = run("predict", CLAIMFLOW_MANIFEST=str(shards))
    assert done.returncode == 1
    assert "CLAIMFLOW_MODEL is not set" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, shards: Path, trained: Path) -> Main:
    """Runs the program in this process; keyword arguments change its environment."""

    def program(**variables: str) -> int:
        given = {
            "CLAIMFLOW_MANIFEST": str(shards),
            "CLAIMFLOW_MODEL": str(trained / "model.tar.gz"),
            **variables,
        }
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        return prediction.main()

    return program


def note(shards: Path) -> str:
    """The sentence next to the parts; there is no part beside it."""
    (path,) = (shards.parent / "parts").iterdir()
    assert path.name == "failure-00000.txt"
    sentence = path.read_text(encoding="utf-8")
    assert "\n" not in sentence
    return sentence


def test_a_model_that_cannot_be_read_leaves_a_sentence(main: Main, shards: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.tar.gz").write_bytes(b"not a model")
    assert main(CLAIMFLOW_MODEL=str(tmp_path / "bad.tar.gz")) == 1
    assert "Shard 0 was not labelled: The model archive cannot be unpacked" in note(shards)


def test_a_model_that_is_not_there_leaves_a_sentence(main: Main, shards: Path, tmp_path: Path) -> None:
    assert main(CLAIMFLOW_MODEL=str(tmp_path / "none.tar.gz")) == 1
    assert "none.tar.gz cannot be read" in note(shards)


def test_a_shard_with_other_rows_than_the_manifest_says_leaves_no_part(main: Main, shards: Path) -> None:
    content = json.loads(shards.read_text(encoding="utf-8"))
    change(shards, shards=[{**content["shards"][0], "rows": 41}])
    assert main() == 1
    assert "the manifest says 41 rows, but the shard has 40" in note(shards)


def test_an_unexpected_error_leaves_a_sentence_and_a_traceback(
    main: Main, shards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shards.parent / "shard-00000.csv").write_text("row,text\nseven,oil\n", encoding="utf-8")
    assert main() == 1
    assert "unexpected ValueError" in note(shards)
    assert "Traceback" in capsys.readouterr().err


def test_a_failure_of_an_attempt_before_is_removed(main: Main, shards: Path) -> None:
    assert main(CLAIMFLOW_MODEL="/nowhere") == 1
    assert main() == 0
    assert [path.name for path in (shards.parent / "parts").iterdir()] == ["part-00000.csv"]


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "2"}, "has 2 shard(s), so there is no shard 2"),
        ({"CLAIMFLOW_MANIFEST": "/nowhere.json"}, "/nowhere.json cannot be read"),
    ],
)
def test_a_job_without_a_shard_is_told(
    variables: dict[str, str], told: str, main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(**variables) == 1
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_manifest_that_is_none_is_told(
    content: str, main: Main, shards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards.write_text(content, encoding="utf-8")
    assert main() == 1
    assert "is not a shard manifest" in capsys.readouterr().out


def test_a_manifest_of_another_schema_is_told(
    main: Main, shards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(shards, schema=2)
    assert main() == 1
    assert "has schema version 2, and this program reads 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "columns"),
    [({}, HEADER), ({"explain": False}, HEADER), ({"explain": True}, [*HEADER, "because"])],
)
def test_the_model_explains_its_predictions_when_the_manifest_says_so(
    said: dict[str, bool], columns: list[str], shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def predict(_model: object, found: Iterable[Row], *, explain: bool = False) -> Iterator[Prediction]:
        asked.append(explain)
        for row in found:
            yield prediction_of(row.number, "a", 0.9, "b", "", 'not "worth" (+2.1), loved (-0.9)')

    monkeypatch.setattr("model.artifact.load", lambda *_: None)
    monkeypatch.setattr("model.prediction.predict", predict)
    monkeypatch.setenv("CLAIMFLOW_MANIFEST", str(shards))
    monkeypatch.setenv("CLAIMFLOW_MODEL", str(shards))
    change(shards, **said)
    assert prediction.main() == 0
    labelled = part(shards.parent / "parts" / "part-00000.csv")
    assert asked == ["because" in columns]
    assert [list(line) for line in labelled] == [columns] * 40
    assert {line.get("because", "") for line in labelled} == {
        'not "worth" (+2.1), loved (-0.9)' if said.get("explain") else ""
    }


def test_the_model_has_the_target_that_the_manifest_says(
    main: Main, shards: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thresholds = []

    def predict(model: Classifier, found: Iterable[Row], *, explain: bool) -> Iterator[Prediction]:
        thresholds.append(model.decision.threshold)
        return (prediction_of(row.number, "a", 0.9, "b", "") for row in found)

    monkeypatch.setattr("model.prediction.predict", predict)
    acceptance = json.loads((trained / "model" / "evaluation.json").read_text(encoding="utf-8"))["acceptance"]
    (step,) = [each for each in acceptance["targets"] if each["target_precision"] == 0.5]
    for target in (None, 0.5):
        change(shards, target_precision=target)
        assert main() == 0
    assert thresholds == [acceptance["threshold"], step["threshold"]]


def test_a_target_that_the_model_has_no_rule_for_is_told(
    main: Main, shards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(shards, target_precision=0.9999)
    assert main() == 1
    assert "it has no rule for the target 0.9999" in capsys.readouterr().out


def test_every_row_of_a_real_model_says_because_of_which_words(run: Run, shards: Path, trained: Path) -> None:
    change(shards, explain=True)
    model = str(trained / "model.tar.gz")
    done = run("predict", CLAIMFLOW_MANIFEST=str(shards), CLAIMFLOW_MODEL=model)
    assert done.returncode == 0, done.stdout + done.stderr
    labelled = part(shards.parent / "parts" / "part-00000.csv")
    assert list(labelled[0]) == [*HEADER, "because"]
    for line in labelled:
        assert re.search(r"\(\+\d+\.\d\)", line["because"])
        assert any(word in line["because"] for word in TELLING[line["prediction"]])


def test_labels_and_texts_with_commas_quotes_and_line_breaks_stay_whole(tmp_path: Path) -> None:
    labels = ['a,"b"\nc', "größe"]
    found = iter([prediction_of(5, labels[0], 1.0, labels[1])])
    assert prediction.write_part(tmp_path / "part.csv", found, 1) == 1
    (line,) = part(tmp_path / "part.csv")
    said = {"row": "5", "prediction": labels[0], "confidence": "1.0000", "runner_up": labels[1], "doubt": ""}
    assert line.items() >= said.items()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> "Iterator[S3Client]":
    """An empty S3 bucket."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        storage._client.cache_clear()
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client
    storage._client.cache_clear()


def on_s3(bucket: "S3Client", shards: Path, model: Path) -> dict[str, str]:
    """The same job with everything on S3; returns its environment."""
    change(
        shards,
        output=f"s3://{BUCKET}/runs/x/predict/parts",
        shards=[{"uri": f"s3://{BUCKET}/runs/x/predict/shard-00000.csv", "rows": 40}],
    )
    bucket.upload_file(str(shards), BUCKET, "runs/x/predict/manifest.json")
    bucket.upload_file(str(shards.parent / "shard-00000.csv"), BUCKET, "runs/x/predict/shard-00000.csv")
    bucket.upload_file(str(model), BUCKET, "model.tar.gz")
    manifest = f"s3://{BUCKET}/runs/x/predict/manifest.json"
    return {"CLAIMFLOW_MANIFEST": manifest, "CLAIMFLOW_MODEL": f"s3://{BUCKET}/model.tar.gz"}


def parts(bucket: "S3Client") -> dict[str, str]:
    found = bucket.list_objects_v2(Bucket=BUCKET, Prefix="runs/x/predict/parts/").get("Contents", [])
    return {
        entry["Key"].rsplit("/", 1)[1]: bucket.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"]
        .read()
        .decode()
        for entry in found
    }


def test_a_job_on_s3_writes_its_part_and_removes_a_stale_failure(
    main: Main, bucket: "S3Client", shards: Path, trained: Path
) -> None:
    variables = on_s3(bucket, shards, trained / "model.tar.gz")
    bucket.put_object(Bucket=BUCKET, Key="runs/x/predict/parts/failure-00000.txt", Body=b"before")
    assert main(**variables) == 0
    (content,) = parts(bucket).values()
    assert len(content.splitlines()) == 41


def test_a_failure_on_s3_is_told_next_to_the_parts(
    main: Main, bucket: "S3Client", shards: Path, trained: Path
) -> None:
    variables = on_s3(bucket, shards, trained / "model.tar.gz")
    bucket.delete_object(Bucket=BUCKET, Key="model.tar.gz")
    assert main(**variables) == 1
    assert "s3://artifacts/model.tar.gz cannot be read" in parts(bucket)["failure-00000.txt"]


def test_a_bucket_that_is_not_there_is_told(
    main: Main, bucket: "S3Client", capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(CLAIMFLOW_MANIFEST="s3://no-such-bucket/manifest.json") == 1
    assert "s3://no-such-bucket/manifest.json cannot be read" in capsys.readouterr().out


def disk_is_full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.fault(
    where="predict",
    fault="the disk is full",
    then="the shard fails, the others go on; started again, only this one is labelled",
    reads="The disk is full",
)
@pytest.mark.parametrize("place", ["shutil.copyfile", "container.prediction.write_part", "tempfile.mkdtemp"])
def test_a_full_disk_is_told_once_and_blames_nothing_else(
    place: str, main: Main, shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, disk_is_full)
    assert main() == 1
    assert note(shards) == f"Shard 0 was not labelled: {prediction.WORDING.disk_full}"


def test_a_disk_that_fills_up_during_a_download_from_s3_is_told(
    main: Main, bucket: "S3Client", shards: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = on_s3(bucket, shards, trained / "model.tar.gz")
    monkeypatch.setattr(storage._client(), "download_file", disk_is_full)
    assert main(**variables) == 1
    assert parts(bucket)["failure-00000.txt"] == f"Shard 0 was not labelled: {prediction.WORDING.disk_full}"


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces the model by one that is quick; returns the texts that it was asked about."""
    asked: list[str] = []

    def predict(_model: object, found: Iterable[Row], *, explain: bool = False) -> Iterator[Prediction]:
        for row in found:
            asked.append(row.text)
            yield prediction_of(row.number, "a", 0.9, "b", "", "x (+1.0)" if explain else "")

    monkeypatch.setattr("model.artifact.load", lambda *_: None)
    monkeypatch.setattr("model.prediction.predict", predict)
    return asked


def test_a_part_that_is_there_is_not_made_again(main: Main, shards: Path, labels: list[str]) -> None:
    assert (main(), len(labels)) == (0, 40)
    before = (shards.parent / "parts" / "part-00000.csv").stat()
    assert (main(), len(labels)) == (0, 40)
    assert (shards.parent / "parts" / "part-00000.csv").stat() == before


def another_shard(shards: Path, _: pytest.MonkeyPatch) -> None:
    write_csv(shards.parent / "shard-00000.csv", ["row", "text"], [(n, "new") for n in range(40)])


def another_model(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shards.parent / "new.tar.gz").write_bytes(b"new")
    monkeypatch.setenv("CLAIMFLOW_MODEL", str(shards.parent / "new.tar.gz"))


def another_program(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("container.program.version", lambda: "new")


def asked_to_explain(shards: Path, _: pytest.MonkeyPatch) -> None:
    change(shards, explain=True)


def another_target(shards: Path, _: pytest.MonkeyPatch) -> None:
    change(shards, target_precision=0.6)


def half_written(shards: Path, _: pytest.MonkeyPatch) -> None:
    file = shards.parent / "parts" / "part-00000.csv"
    file.write_bytes(file.read_bytes()[:500])


def without_facts(shards: Path, _: pytest.MonkeyPatch) -> None:
    shutil.rmtree(shards.parent / "parts.facts")


@pytest.mark.fault(
    where="predict",
    fault="a part lies there that is half written, or of other rows, another model or another program",
    then="it is made again",
    reads="",
)
@pytest.mark.parametrize(
    "changed",
    [
        another_shard,
        another_model,
        another_program,
        asked_to_explain,
        another_target,
        half_written,
        without_facts,
    ],
)
def test_a_part_of_something_else_or_that_is_not_whole_is_made_again(
    changed: Callable[[Path, pytest.MonkeyPatch], None],
    main: Main,
    shards: Path,
    labels: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert main() == 0
    changed(shards, monkeypatch)
    assert prediction.main() == 0
    assert len(labels) == 80
    assert prediction.main() == 0
    assert len(labels) == 80
    assert len(part(shards.parent / "parts" / "part-00000.csv")) == 40


def test_a_part_on_s3_is_not_made_again_unless_it_is_half_written(
    main: Main, bucket: "S3Client", shards: Path, labels: list[str]
) -> None:
    variables = on_s3(bucket, shards, shards)
    assert (main(**variables), main(**variables), len(labels)) == (0, 0, 40)
    (whole,) = parts(bucket).values()
    bucket.put_object(Bucket=BUCKET, Key="runs/x/predict/parts/part-00000.csv", Body=whole[:500].encode())
    assert (main(**variables), len(labels)) == (0, 80)
    assert list(parts(bucket).values()) == [whole]


@pytest.mark.fault(
    where="predict",
    fault="two attempts at one shard at once, or one that comes late",
    then="the part that is stored first stays; every row once",
    reads="",
)
def test_of_two_attempts_at_once_the_first_to_be_ready_stays(
    main: Main, bucket: "S3Client", shards: Path, labels: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = on_s3(bucket, shards, shards)
    slow = prediction._label

    def overtaken(job: prediction.Job, scratch: Path) -> Path:
        monkeypatch.setattr(prediction, "_label", slow)
        assert prediction.main() == 0
        made = slow(job, scratch)
        made.write_text(made.read_text(encoding="utf-8").replace("0.9000", "0.9001"), encoding="utf-8")
        return made

    monkeypatch.setattr(prediction, "_label", overtaken)
    assert (main(**variables), len(labels)) == (0, 80)
    assert "0.9001" not in parts(bucket)["part-00000.csv"]


KILLED_AFTER = [
    (storage, "find", 1),
    (storage, "find", 3),
    (storage, "download", 2),
    (prediction, "write_part", 1),
    (storage.shutil, "copyfile", 3),
    (storage.Path, "replace", 1),
    (storage.os, "link", 1),
    (storage.Path, "unlink", 2),
    (storage, "commit", 1),
]


@pytest.mark.fault(
    where="predict",
    fault="kill -9 at any point of storing a part in a folder",
    then="no part, or a whole one; started again, every row is there once",
    reads="",
)
@pytest.mark.parametrize("point", KILLED_AFTER)
@pytest.mark.usefixtures("labels")
def test_killed_at_any_point_there_is_no_part_or_a_whole_one(
    point: tuple[Any, str, int], main: Main, shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name, times = point
    child = os.fork()
    if child == 0:
        real, calls = getattr(owner, name), itertools.count(1)

        def deadly(*given: Any, **named: Any) -> Any:
            found = real(*given, **named)
            if next(calls) == times:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        monkeypatch.setattr(owner, name, deadly)
        main()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    file = shards.parent / "parts" / "part-00000.csv"
    assert not file.exists() or len(part(file)) == 40
    assert main() == 0
    assert len(part(file)) == 40
