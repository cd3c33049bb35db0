"""Where things lie in the buckets, and how files for people are named."""

from pathlib import Path

import pytest

from contract import keys

RUN = {"name": "train-claims-1", "action": "train"}
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("train/claims_2025.csv.gz", "claims_2025.results.csv"),
        ("requests/1a/Grün & co (1).xlsx", "Grün & co (1).results.csv"),
        ("predict/.csv", "file.results.csv"),
        ("predict/a:b?.tsv", "a-b-.results.csv"),
        ("predict/" + "x" * 300, "x" * 60 + ".results.csv"),
        ("predict/claims.results.csv", "claims.results.results.csv"),
    ],
)
def test_a_result_file_is_named_after_the_input_and_tells_its_kind(key: str, name: str) -> None:
    assert keys.result_name(key, "results") == name
    assert keys.kind(name) == "results.csv"


@pytest.mark.parametrize(
    "name", ["report.html", "results.csv", "claims.csv", "a.others.csv", "manifest.json"]
)
def test_a_file_that_is_not_named_after_the_input_is_its_own_kind(name: str) -> None:
    assert keys.kind(name) == name


@pytest.mark.parametrize(
    ("key", "stem"),
    [
        ("train/claims 2025.CSV.gz", "claims-2025"),
        ("predict/" + "a" * 40 + ".xlsx", "a" * 32),
        ("s3://b/predict/--.csv", "file"),
        ("train/archive.parquet", "archive-parquet"),
    ],
)
def test_a_name_of_a_job_takes_letters_digits_and_hyphens_of_a_file_s_name(key: str, stem: str) -> None:
    assert keys.stem(key) == stem


def test_a_table_is_known_by_its_extension_packed_or_not() -> None:
    assert all(map(keys.is_table, ["a.csv", "a.TSV.GZ", "a.b.jsonl", ".csv"]))
    assert not any(map(keys.is_table, ["a", "a.gz", "a.parquet", "csv"]))


def test_the_work_of_a_run_lies_in_its_folder() -> None:
    of_run = [
        keys.config("r"),
        keys.channel("r", keys.TRAIN),
        keys.notes("r"),
        keys.checkpoints("r"),
        keys.shard("r", 7),
        keys.shard_manifest("r"),
        keys.rejected_rows("r"),
        keys.parts("r", "predict", "job"),
    ]
    assert of_run == [
        "runs/r/config.json",
        "runs/r/train/",
        "runs/r/validation/notes.json",
        "runs/r/checkpoints",
        "runs/r/predict/shard-00007.csv",
        "runs/r/predict/manifest.json",
        "runs/r/predict/rejected.csv",
        "runs/r/predict/parts",
    ]


def test_models_lie_apart_from_the_work_that_expires() -> None:
    assert keys.training_output("r") == "models/r"
    assert not keys.training_output("r").startswith(keys.RUNS_PREFIX)


def test_two_executions_of_a_run_that_trains_first_do_not_share_their_parts() -> None:
    assert keys.parts("r", "train", "job") == "runs/r/predict/parts/job"


def test_the_prediction_of_a_run_that_trains_lies_apart_from_its_training() -> None:
    assert keys.prediction_results(RUN) == "train-claims-1/predict"
    assert keys.prediction_results(RUN | {"action": "predict"}) == "train-claims-1"


def test_a_card_lies_in_the_folder_of_the_training_job() -> None:
    assert (
        keys.card(f"s3://b/{keys.training_output('r')}/job/output/model.tar.gz")
        == "s3://b/models/r/job/card.json"
    )


@pytest.mark.parametrize(
    "prefix", [keys.RUNS_PREFIX, keys.MODELS_PREFIX, keys.LIVE_PREFIX, keys.TRAIN_PREFIX, keys.PREDICT_PREFIX]
)
def test_the_template_writes_the_same_prefixes(prefix: str) -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert f"/{prefix}" in template or f" {prefix}" in template
