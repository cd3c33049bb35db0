"""Lambda: the parts of a prediction in, one result for people out."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from collect import background, job_cost, measured, promise, report, results, silent
from collect.merge import merge, predictions
from collect.missing import partly_done, refuse_too_many
from collect.parts import Parts
from collect.queue import AUDIT_SHARE, QueueFiles
from collect.report import About
from collect.results import Output
from collect.tally import Tally
from collect.words import words
from contract import keys
from contract.columns import LINE, NEEDS_REVIEW, PREDICTION, REASON
from contract.errors import InvalidData, PredictionFailed, StorageError
from contract.evaluation import Acceptance, Card, at_target
from contract.manifest import Manifest
from contract.queue import SCHEMA, Queue
from contract.state import CollectEvent, Model, ResultCounts, Results, Run
from shared import metrics, settings, storage
from shared.parts import read_manifest
from shared.reading.reading import Reading
from shared.storage import Location, ObjectInfo
from shared.table import Table
from shared.telemetry import lambda_handler, logger
from shared.workbook import TooLarge
from shared.writing import Form, form_of

HTML = "text/html; charset=utf-8"
JSON_LINES = "application/x-ndjson"


@dataclass(frozen=True)
class _Job:
    """What the files are made of."""

    run: Run
    manifest: Manifest
    parts: Parts
    card: Card | None
    model: Model


def _handle(event: CollectEvent) -> Results:
    run, model = event["run"], event["model"]
    manifest = read_manifest(event["validation"]["predict"]["manifest"])
    folder = keys.prediction_results(run)
    parts = Parts(manifest, model["model_uri"], silent.reasons(event["prediction"]))
    refuse_too_many(parts, parts.absent(), run)
    card = background.card(model["model_uri"])
    tally, uris, notes = _write_files(_Job(run, manifest, parts, card, model))
    acceptance = _acceptance(card, manifest)
    broken = promise.broken(model["version"], acceptance and acceptance["target_precision"])
    notes += filter(None, [broken])
    about = About(
        file=storage.parse_uri(manifest.source.uri).name,
        date=background.date(event["validation"]["predict"]["manifest"]),
        run=run["name"],
        model=str(model["version"]),
        names={kind: uri.rsplit("/", 1)[-1] for kind, uri in uris.items() if kind in keys.RESULT_KINDS},
        read_as=manifest.reading.described,
        warnings=[*event["validation"]["predict"]["warnings"], *notes],
        acceptance=acceptance,
    )
    page = report.render(tally, about).encode()
    uris["report"] = storage.write_bytes(_place(folder, keys.REPORT), page, HTML)
    figures, spent = _figures(tally, parts), job_cost.read(event["prediction"])
    # The last file: who sees it sees everything else complete.
    document = {
        "schema": 1,
        "run": about.run,
        "date": about.date,
        "model": {"version": about.model, **model, "approval": _approval(run, model)},
        "started_by": run["started_by"],
        "source": asdict(manifest.source),
        "files": uris,
        "programs": sorted(parts.programs),
        **figures,
        "by_category": dict(tally.categories),
        "labelled_by": _labelled_by(event),
        "cost": spent,
    }
    done = storage.write_json(_place(folder, keys.RESULTS_MANIFEST), document)
    subject, message = words(tally, about, uris, parts, spent)
    logger.info("Collected", extra=dict(figures) | {"labelled_by": document["labelled_by"]})
    metrics.write(settings.model_group(), measured.figures(tally, is_broken=bool(broken)))
    return {
        **figures,
        "results": uris["results"],
        "review": uris["review"],
        "report": uris["report"],
        "manifest": done,
        "warnings": notes,
        "advice": about.why_so_few(tally) or None,
        "sentence": partly_done(parts, about.file) if parts.missing else None,
        "cost": spent,
        "subject": subject,
        "message": message,
    }


def _labelled_by(event: CollectEvent) -> dict[str, str]:
    """Return whether the function for small files or jobs of Batch labelled the file, and why."""
    checked = event["validation"]["predict"]
    if "calls" in event["prediction"]:
        return {"service": "lambda", "why": checked.get("way", "")}
    if failed := checked.get("fallback"):
        error = failed.get("Error", "an error without a name")
        return {"service": "batch", "why": f"The function for small files failed: {error}."}
    return {"service": "batch", "why": checked.get("way", "")}


def _approval(run: Run, model: Model) -> str | None:
    """Return who or what approved the model; None: it is not told, or the run itself made the model live."""
    live = run["live_model"]
    return live.get("approval") if live and live["arn"] == model["arn"] else None


def _acceptance(card: Card | None, manifest: Manifest) -> Acceptance | None:
    """Return what the model's card says of acceptance, at the target that it had for this file."""
    acceptance, target = card.get("acceptance") if card else None, manifest.target_precision
    return at_target(acceptance, target) if acceptance and target is not None else acceptance


def _write_files(job: _Job) -> tuple[Tally, dict[str, str], list[str]]:
    """Write results and rows to review; returns the counts, the URIs, and what there is to say about them."""
    form = form_of(Reading.of_json(asdict(job.manifest.reading)), job.run["output"])
    try:
        return (*_write_as(form, job), [])
    except TooLarge as error:
        plain = Form(byte_order_mark=True)
        return (*_write_as(plain, job), [f"The results are CSV files, as {error}."])


def _write_as(form: Form, job: _Job) -> tuple[Tally, dict[str, str]]:
    """Write the files in a form. Raises TooLarge for what that form cannot hold."""
    run, manifest, parts = job.run, job.manifest, job.parts
    source = manifest.source
    info = ObjectInfo(storage.parse_uri(source.uri), source.version, source.etag, source.size)
    name = info.location.name
    with tempfile.TemporaryDirectory() as temporary:
        files = {kind: Path(temporary) / kind for kind in ("results", "review")}
        queue = QueueFiles(Path(temporary), run.get("audit_share", AUDIT_SHARE), run["name"])
        try:
            table = Table(storage.open_object(info), name, manifest.reading.sheet)
            merged = merge(
                table,
                _rejected(manifest.rejected_rows),
                predictions(parts, explain=manifest.explain),
            )
            output = _output(table.header, form, job)
            with queue:
                tally = results.write(merged, output, files["results"], files["review"], queue)
        except (InvalidData, StorageError) as error:
            raise PredictionFailed(f"The file cannot be read again as it was: {error}") from error
        if tally.rows != manifest.rows:
            raise PredictionFailed(
                f"The file has {tally.rows:,} rows, and had {manifest.rows:,} when it was checked."
            )
        refuse_too_many(parts, list(parts.missing), run)
        names = {kind: keys.result_name(name, kind, form.extension(name)) for kind in files}
        folder = keys.prediction_results(run)
        uris = {
            kind: storage.upload(_place(folder, names[kind]), path, form.content_type)
            for kind, path in files.items()
        }
        for path in files.values():
            path.unlink()  # their place on the disk is the queue's
        rows = Path(temporary) / "rows"
        uris["queue"], tally.in_queue = _write_queue(job, queue, rows, output, uris["results"])
    return tally, {**uris, "rejected": manifest.rejected_uri}


def _write_queue(
    job: _Job, files: QueueFiles, path: Path, output: Output, results_uri: str
) -> tuple[str, int]:
    """Write the rows of the queue and, last, its index; returns the index's address and how many rows."""
    written = files.write(path)
    folder = keys.prediction_results(job.run)
    rows = storage.upload(_place(folder, keys.QUEUE_ROWS), path, JSON_LINES)
    categories = sorted({*(job.card["labels"] if job.card else ()), *written.by_category})
    index: Queue = {
        "schema": SCHEMA,
        "run": job.run["name"],
        "file": storage.parse_uri(job.manifest.source.uri).name,
        "model": job.model["version"],
        "columns": output.header,
        "text": output.text,
        "label": output.label,
        "categories": categories,
        "rows": rows,
        "to_review": written.to_review,
        "audits": written.audits,
        "left_out": written.left_out,
        "groups": dict(written.groups),
        "by_category": dict(written.by_category),
        "order": written.order(categories),
        "pages": written.pages,
        "results": {
            "uri": results_uri,
            "format": output.form.format,
            "delimiter": output.form.delimiter,
            "columns": output.columns,
            "category_column": output.place(PREDICTION),
            "review_column": output.place(NEEDS_REVIEW),
        },
    }
    return storage.write_json(_place(folder, keys.QUEUE_INDEX), index), len(written.rows)


def _output(header: list[str], form: Form, job: _Job) -> Output:
    label = job.manifest.label_column
    acceptance = job.card.get("acceptance") if job.card else None
    return Output(
        header=header,
        label=None if label is None else header.index(label),
        text=header.index(job.manifest.text_column),
        form=form,
        explain=job.manifest.explain,
        categories=frozenset(job.card["labels"] if job.card else ()),
        model_version=str(job.model["version"]),
        mask=json.loads(job.run["hyperparameters"].get("mask", "false")),
        levels=len(acceptance.get("levels", [])) if acceptance else 0,
    )


def _rejected(uri: str) -> Iterator[tuple[int, str]]:
    with _text(uri) as file:
        for row in csv.DictReader(file):
            yield int(row[LINE]), row[REASON]


def _text(uri: str) -> TextIO:
    return io.TextIOWrapper(storage.open_uri(uri), encoding="utf-8", newline="")


def _place(folder: str, name: str) -> Location:
    return Location(settings.results_bucket(), f"{folder}/{name}")


def _figures(tally: Tally, parts: Parts) -> ResultCounts:
    counts: ResultCounts = {
        "rows": tally.rows,
        "predicted": tally.predicted,
        "rejected": tally.rejected.total(),
        "accepted": tally.accepted,
        "review_rows": tally.review_rows,
        "categories": len(tally.categories),
        "missing_rows": tally.missing,
        "missing_shards": len(parts.missing),
        "unlike_rows": tally.unlike,
        "queue_rows": tally.in_queue,
    }
    if tally.mean_confidence is not None:
        counts["mean_confidence"] = round(tally.mean_confidence, 4)
    return counts if tally.accuracy is None else {**counts, "accuracy": tally.accuracy}


handler = lambda_handler(_handle)
