"""Lambda: a run in, its checked and cut-up rows out."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

from contract import keys
from contract.errors import InvalidData, StorageError
from contract.evaluation import Notes
from contract.manifest import Manifest, Reading, Source
from contract.state import (
    ColumnNames,
    FileToLabel,
    InputFile,
    LabelledFile,
    LabelledRows,
    RowsToLabel,
    Run,
    ValidateEvent,
    Validation,
    labelled_files,
)
from shared import settings, storage
from shared.channels import channels, trial_channels
from shared.messages import bounded, trained_from
from shared.storage import Hashed, Location, ObjectInfo
from shared.table import Table
from shared.telemetry import lambda_handler, logger
from shared.writing import for_people, form_of
from validate import columns, sharding, training, way
from validate.columns import Columns
from validate.learned import Given, Learned
from validate.training import LabelledTable
from validate.warnings import guesses, lower_bar, unused_sheet

CSV = "text/csv; charset=utf-8"
Report = dict[str, Any]  # a part of validation.json


def _handle(event: ValidateEvent) -> Validation:
    run = event["run"]
    labelled = labelled_files(run) if run["action"] != "predict" else []
    unlabelled = run["data"] if run["action"] == "predict" else run["predict"]
    report: Report = {"schema": 1, "run": run["name"], "train": None, "predict": None}
    train, predict = None, None
    if labelled:
        train, report["train"] = _train(run, labelled)
    if unlabelled:
        learned = _learned(run, train, report["train"])
        predict, report["predict"] = _predict(run, unlabelled, learned)
    logger.info("Validated", extra={"train": _counts(train), "predict": _counts(predict)})
    place = Location(settings.results_bucket(), f"{run['name']}/{keys.CHECKS}")
    return {"train": train, "predict": predict, "report": storage.write_json(place, report)}


def _train(run: Run, files: list[InputFile]) -> tuple[LabelledFile, Report]:
    streams = [Hashed(_stream(file)) for file in files]
    sources = [
        _source(run, file, stream, several=len(files) > 1)
        for file, stream in zip(files, streams, strict=True)
    ]
    tables, found = [source.table for source in sources], sources[0].columns
    wanted = training.Wanted(
        json.loads(run["hyperparameters"].get("n_classes", "null")),
        run["gate"]["recall_floor_categories"] if "gate" in run else [],
        json.loads(run["hyperparameters"].get("hierarchy_separator", "null")),
    )
    with tempfile.TemporaryDirectory() as folder:
        made = training.make_channels(sources, Path(folder), run["validation_fraction"], wanted)
        for name, path in ((keys.TRAIN, made.train), (keys.VALIDATION, made.validation)):
            storage.upload(
                Location(settings.artifacts_bucket(), keys.channel_part(run["id"], name)), path, CSV
            )
        rejected = _give_rejected(run, run["name"], tables[0], made.rejected)
        if run["action"] == "tune":
            _give_trial_channels(run, made)
    counts: LabelledRows = {
        "rows": made.rows,
        "rejected": made.rejected_rows,
        "train_rows": made.train_rows,
        "validation_rows": made.validation_rows,
        "validation_texts": made.validation_texts,
        "classes": made.classes,
    }
    ignored = [*lower_bar(run), *unused_sheet(run["sheet"], *tables)]
    read_as = [warning for table in tables for warning in table.warnings]
    warnings = bounded([*ignored, *read_as, *made.report["warnings"]])
    notes: Notes = {
        "schema": 1,
        "file": trained_from(run),
        "rows": made.rows,
        "rejected": made.rejected_rows,
        "warnings": warnings,
    }
    storage.write_json(Location(settings.artifacts_bucket(), keys.notes(run["id"])), notes)
    details = {**made.report, "rejected_uri": rejected, "warnings": warnings}
    first, *more = map(_about, files, tables, (source.columns for source in sources))
    report = {**first, "more_files": more, **counts, **details}
    checked: LabelledFile = {
        **counts,
        "columns": _names(found),
        "warnings": warnings,
        "channels": channels(run),
        "reading": tables[0].reading.described,
        "trial_channels": trial_channels(run) if run["action"] == "tune" else [],
        "sha256": [stream.sha256() for stream in streams],
    }
    return checked, report


def _give_trial_channels(run: Run, made: training.Channels) -> None:
    """Cut the training rows up for the trials, so that no trial sees the rows that judge the model."""
    sides = training.make_trial_channels(made, run["validation_fraction"])
    for name, path in zip((keys.TRIAL_TRAIN, keys.TRIAL_VALIDATION), sides, strict=True):
        storage.upload(Location(settings.artifacts_bucket(), keys.channel_part(run["id"], name)), path, CSV)


def _source(run: Run, file: InputFile, stream: Hashed, *, several: bool) -> LabelledTable:
    table = _open(file, cast("BinaryIO", stream), run["sheet"])
    found = columns.choose(table, run["columns"], labelled=True)
    masks = json.loads(run["hyperparameters"].get("mask", "false"))
    return LabelledTable(table, found, table.name if several else "", masks)


def _learned(run: Run, checked: LabelledFile | None, report: Report | None) -> Learned:
    """Return what the model that will predict has learned from: the one of this run, else the live one.

    Of a model that was registered before there were cards, nothing is known.
    """
    if checked and report:
        return Learned(**checked["columns"], labels=tuple(report["categories"]))
    card = run["live_model"]["card"] if run["live_model"] else None
    try:
        return Learned.of(storage.read_json(card)) if card else Learned()
    except StorageError as error:
        return Learned(
            problem=f"What the model learned from is not known, as its card cannot be read: {error}."
        )


def _target(run: Run) -> float | None:
    """Return the target that the model that will predict got after its training; None: its own."""
    live = run["live_model"] if run["action"] == "predict" else None
    return live.get("target_precision") if live else None


def _predict(run: Run, file: InputFile, learned: Learned) -> tuple[FileToLabel, Report]:
    table = _open(file, _stream(file), run["sheet"])
    found = columns.choose(table, run["columns"], labelled=False, learned=learned.columns)
    given = Given(found, learned.labels)
    bucket = settings.artifacts_bucket()

    def save(index: int, path: Path) -> str:
        return storage.upload(Location(bucket, keys.shard(run["id"], index)), path, CSV)

    with tempfile.TemporaryDirectory() as folder:
        seconds = settings.whole_number("CLAIMFLOW_COLLECT_SECONDS")
        size = run["rows_per_shard"]
        made = sharding.make_shards(table, given, Path(folder), size, save, collect_seconds=seconds)
        results = keys.prediction_results(run)
        rejected = _give_rejected(run, results, table, made.rejected)
        rejected_rows = storage.upload(Location(bucket, keys.rejected_rows(run["id"])), made.rejected, CSV)
    used = given.columns
    manifest = Manifest(
        run=run["id"],
        output=f"s3://{bucket}/{keys.parts(run['id'], run['action'], run['job_name'])}",
        source=Source(file["uri"], file["version"], file["etag"], file["size"]),
        shards=tuple(made.shards),
        columns=tuple(table.header),
        text_column=used.text.name,
        label_column=used.label.name if used.label else None,
        rows=made.rows,
        rejected=made.rejected_rows,
        rejected_uri=rejected,
        rejected_rows=rejected_rows,
        explain=run["explain"],
        target_precision=_target(run),
        reading=Reading(**table.reading.as_json()),
    )
    uri = storage.write_bytes(
        Location(bucket, keys.shard_manifest(run["id"])), manifest.text().encode(), "application/json"
    )
    shards = len(made.shards)
    counts: RowsToLabel = {
        "shards": shards,
        "rows": made.rows,
        "rejected": made.rejected_rows,
        "single": shards == 1,
    }
    guessed = learned.other_columns(used) if learned.text_column else guesses(used, table.header)
    problem = [learned.problem] * bool(learned.problem) + unused_sheet(run["sheet"], table)
    warnings = bounded([*problem, *guessed, *made.report["warnings"], *table.warnings])
    details = {**made.report, "rejected_uri": rejected, "warnings": warnings}
    report = {**_about(file, table, used), **counts, **details}
    chosen = way.choose(run, made.rows - made.rejected_rows, shards)
    logger.info("Chose who labels", extra=asdict(chosen))
    checked: FileToLabel = {
        "shards": counts["shards"],
        "rows": counts["rows"],
        "rejected": counts["rejected"],
        "single": counts["single"],
        "manifest": uri,
        "warnings": warnings,
        "reading": table.reading.described,
        "way": chosen.why,
    }
    if chosen.by_function:
        checked["at_once"] = list(range(shards))
    return checked, report


def _stream(file: InputFile) -> BinaryIO:
    """Return the version of the file that prepare saw; nothing of it is read yet."""
    location = Location(file["bucket"], file["key"])
    return storage.open_object(ObjectInfo(location, file["version"], file["etag"], file["size"]))


def _open(file: InputFile, stream: BinaryIO, sheet: str | None) -> Table:
    try:
        return Table(stream, Location(file["bucket"], file["key"]).name, sheet)
    except StorageError as error:
        raise InvalidData(f"The file is gone since the run began: {error}.") from error


def _give_rejected(run: Run, folder: str, table: Table, rejected: Path) -> str:
    """Put the rejected rows where people find them, and give the URI."""
    path, form = for_people(rejected, form_of(table.reading, run["output"]))
    name = keys.result_name(table.name, "rejected", form.extension(table.name))
    return storage.upload(Location(settings.results_bucket(), f"{folder}/{name}"), path, form.content_type)


def _names(pair: Columns) -> ColumnNames:
    return {"text_column": pair.text.name, "label_column": pair.label.name if pair.label else None}


def _about(file: InputFile, table: Table, pair: Columns) -> Report:
    used = {"text": vars(pair.text), "label": vars(pair.label) if pair.label else None}
    return {"file": file["uri"], "reading": table.reading.as_json(), "columns": used}


def _counts(validation: LabelledFile | FileToLabel | None) -> dict[str, object] | None:
    if validation is None:
        return None
    return {key: value for key, value in validation.items() if isinstance(value, int)}


handler = lambda_handler(_handle)
