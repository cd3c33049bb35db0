"""Whatever stands in a file, it comes back as it was; see README.md."""

import csv
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from openpyxl.utils.escape import unescape

from collect.handler import handler as collect
from container.part import write_part
from contract import keys
from contract.errors import InvalidData
from contract.part import Prediction, origin
from contract.spreadsheet import original
from contract.state import ColumnNames
from model.data import Row, read_file
from shared import aws
from shared.table import Table
from tests.fuzz.files import CATEGORIES, File, files, is_usable
from tests.fuzz.memory import MemoryS3
from tests.predictions import prediction
from tests.unit.functions.stack import SETTINGS
from validate import columns, training
from validate.handler import handler as validate

FILES = int(os.environ.get("CLAIMFLOW_FUZZ", "500"))
MODEL = "s3://artifacts-bucket/models/train-x/JOB/output/model.tar.gz"
DOUBTS = ["", "low confidence", "unlike the training texts"]
# What a file may be refused for that can be read in two ways; the sentence says what to do.
IN_DOUBT = ["could separate the columns", "the lines look like rows of their own"]


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> MemoryS3:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    s3 = MemoryS3()
    monkeypatch.setattr(aws, "s3", lambda: s3)
    keep_model(s3)
    return s3


def keep_model(memory: MemoryS3) -> None:
    card = {"labels": CATEGORIES, "text_column": "text", "label_column": "category"}
    memory.put(MODEL, b"a model")
    memory.put(keys.card(MODEL), json.dumps(card).encode())


@given(file=files())
@settings(
    max_examples=FILES,
    deadline=None,
    derandomize="CLAIMFLOW_FUZZ" not in os.environ,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
def test_every_cell_of_a_random_file_comes_back(memory: MemoryS3, tmp_path: Path, file: File) -> None:
    goes_the_whole_way(memory, tmp_path, file)


def goes_the_whole_way(memory: MemoryS3, tmp_path: Path, file: File) -> None:
    if not any(is_usable(cells[file.header.index("text")]) for cells in file.rows):
        return
    try:
        name, content = predicted(memory, tmp_path, file, file.name, file.content())
    except InvalidData as error:
        if not any(words in str(error) for words in IN_DOUBT):
            raise
        return
    trained(tmp_path, file, name, content)
    predicted(memory, tmp_path, file, name, content)


def predicted(memory: MemoryS3, tmp_path: Path, file: File, name: str, content: bytes) -> tuple[str, bytes]:
    """Predict a file that holds the cells of `file`, look at all that is written, and give the results."""
    uri = f"s3://uploads-bucket/predict/{name}"
    memory.put(uri, content)
    run = run_of(memory, file, uri)
    state: dict[str, Any] = {"run": run, "model": MODEL_USED, "prediction": {"succeeded": True}}
    state["validation"] = validate(state, None)
    label_all(memory, tmp_path, state)
    found = collect(state, None)
    assert found["rows"] == len(file.rows)
    width = len(file.header)
    header, *rows = read(memory, found["results"])
    assert [row[:width] for row in rows] == file.rows
    assert_names(file.header, header)
    review_header, *review = read(memory, found["review"])
    assert_names(file.header, review_header)
    marked = [row[:width] for row in rows if row[header.index(last(header, "needs_review"))] == "true"]
    assert [row[:width] for row in review] == marked
    rejected = memory_json(memory, state["validation"]["predict"]["manifest"])["rejected_uri"]
    assert read(memory, rejected)[0] == ["line", "reason", "raw"]
    assert len(read(memory, rejected)) - 1 == found["rejected"]
    return found["results"].rsplit("/", 1)[-1], memory.get(found["results"])


def test_cells_of_a_million_characters_come_back(memory: MemoryS3, tmp_path: Path) -> None:
    csv.field_size_limit(2_000_000)
    long = ('x "y",\r\n' * 120_000)[:1_000_000]
    rows = [["r0", "short", "=1", long], ["r1", long, "-", "=1"], ["r2", "short too", "=1", ""]]
    goes_the_whole_way(memory, tmp_path, File(["id", "text", "category", "note"], rows, output="xlsx"))


MODEL_USED = {"arn": "arn:…/7", "version": 7, "model_uri": MODEL}


def run_of(memory: MemoryS3, file: File, uri: str) -> dict[str, Any]:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    size, etag = len(memory.get(uri)), memory.etag(uri)
    label = "category" if "category" in file.header else None
    return {
        "id": "predict-claims-1",
        "action": "predict",
        "job_name": "claimflow-claims-1",
        "name": "predict-claims-1",
        "data": {"uri": uri, "bucket": bucket, "key": key, "version": None, "etag": etag, "size": size},
        "predict": None,
        "columns": {"text_column": "text", "label_column": label},
        "live_model": MODEL_USED | {"card": keys.card(MODEL), "job": "claimflow-model-1"},
        "started_by": None,
        "predict_wanted": True,
        "replace": False,
        "config": "s3://artifacts-bucket/runs/predict-claims-1/config.json",
        "validation_fraction": 0.1,
        "allow_partial": True,
        "max_missing_share": 0.5,
        "accuracy_bar": 0.8,
        "hyperparameters": {},
        "resource_config": {},
        "stopping_condition": {},
        "use_spot": False,
        "output_config": {"S3OutputPath": "s3://artifacts-bucket/models/predict-claims-1"},
        "checkpoints": "s3://artifacts-bucket/runs/predict-claims-1/checkpoints",
        "image": SETTINGS["CLAIMFLOW_IMAGE"],
        "job_definition": SETTINGS["CLAIMFLOW_JOB_DEFINITION"],
        "sheet": None,
        "output": file.output,
        "explain": file.explain,
        "rows_per_shard": file.rows_per_shard,
    }


def label_all(memory: MemoryS3, tmp_path: Path, state: dict[str, Any]) -> None:
    """Do what the program does with each shard, but for the model."""
    manifest = memory_json(memory, state["validation"]["predict"]["manifest"])
    for number, shard in enumerate(manifest["shards"]):
        path, part = tmp_path / "shard.csv", tmp_path / "part.csv"
        path.write_bytes(memory.get(shard["uri"]))
        labelled = (said(row) for row in read_file(path))
        write_part(part, labelled, shard["rows"], explain=manifest["explain"])
        made_of = origin(shard["sha256"], memory.etag(MODEL), shard["rows"], explain=manifest["explain"])
        metadata = made_of.metadata("program", hashlib.sha256(part.read_bytes()).hexdigest())
        memory.put(f"{manifest['output']}/part-{number:05}.csv", part.read_bytes(), metadata)


def said(row: Row) -> Prediction:
    """Return a prediction that follows from the text, with the oddest categories."""
    number = sum(map(ord, row.text))
    label, other = CATEGORIES[number % len(CATEGORIES)], CATEGORIES[(number + 1) % len(CATEGORIES)]
    doubt = DOUBTS[number % len(DOUBTS)]
    return prediction(row.number, label, 0.93, other, doubt, f"={row.text} (+1.0)\r{other} (-0.5)")


def trained(tmp_path: Path, file: File, name: str, content: bytes) -> None:
    """Train on the results of a labelled file: its texts and categories are those of the file."""
    if "category" not in file.header:
        return
    wanted: ColumnNames = {"text_column": "text", "label_column": "category"}
    text, label = file.header.index("text"), file.header.index("category")
    given = [
        (row[text], row[label].strip()) for row in file.rows if is_usable(row[text]) and row[label].strip()
    ]
    counts = {category: sum(1 for _, other in given if other == category) for _, category in given}
    kept = sorted((said, category) for said, category in given if counts[category] > 1)
    if len({category for _, category in kept}) < 2 or len({said for said, _ in kept}) < 4:
        return
    table = Table(io.BytesIO(content), name)
    folder = tmp_path / "channels"
    folder.mkdir(exist_ok=True)
    found = columns.choose(table, wanted, labelled=True)
    made = training.make_channels([training.LabelledTable(table, found)], folder, 0.3, training.Wanted())
    sides = [row for path in (made.train, made.validation) for row in read_file(path)]
    assert sorted((row.text, row.label) for row in sides) == kept


def read(memory: MemoryS3, uri: str) -> list[list[str]]:
    """Return the cells of a file that was written, which every reader finds."""
    content = memory.get(uri)
    name = uri.rsplit("/", 1)[-1]
    rows = sheet(content) if name.endswith(".xlsx") else separated(content)
    assert len({len(row) for row in rows}) == 1
    table = Table(io.BytesIO(content), name)
    ours = [row.cells for row in table]
    assert [table.header, *ours] == rows
    assert table.ours
    return rows


def separated(content: bytes) -> list[list[str]]:
    mark = Table(io.BytesIO(content), "a.csv").reading.delimiter
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    rows = list(csv.reader(text, delimiter=mark, strict=True))
    frame = pd.read_csv(
        io.BytesIO(content), sep=mark, dtype=str, keep_default_na=False, encoding="utf-8-sig", engine="c"
    )
    assert [list(row) for row in frame.itertuples(index=False, name=None)] == rows[1:]
    return [[original(cell) for cell in row] for row in rows]


def sheet(content: bytes) -> list[list[str]]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    rows = [[shown(cell.value) for cell in row] for row in book.worksheets[0].iter_rows()]
    book.close()
    width = max(map(len, rows))
    return [row + [""] * (width - len(row)) for row in rows]


def shown(value: object) -> str:
    """Return a cell as text: our confidences are numbers."""
    return f"{value:.4f}" if isinstance(value, float) else unescape(value or "")


def assert_names(header: list[str], written: list[str]) -> None:
    """Look whether no name stands there twice, and whether those of the input stay where they can."""
    assert len(set(written)) == len(written)
    once = [name for name in header if header.count(name) == 1]
    assert [name for name in written[: len(header)] if name in once] == once


def last(header: list[str], name: str) -> str:
    return [
        other
        for other in header
        if other in {name, f"claimflow_{name}"} or other.startswith(f"claimflow_{name}_")
    ][-1]


def memory_json(memory: MemoryS3, uri: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(memory.get(uri))
    return found
