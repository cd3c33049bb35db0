"""Lambda: the parts of a prediction in, one result for people out."""

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from collect import report, results
from collect.merge import merge, predictions
from collect.missing import partly_done, refuse_too_many
from collect.parts import Parts
from collect.results import Output, Tally
from collect.words import words
from shared import keys, settings, storage
from shared.errors import InvalidData, PredictionFailed, StorageError
from shared.storage import Location, ObjectInfo
from shared.table import Table
from shared.telemetry import Event, lambda_handler, logger

CSV = "text/csv; charset=utf-8"
HTML = "text/html; charset=utf-8"
Manifest = dict[str, Any]


def _handle(event: Event) -> Event:
    run, model = event["run"], event["model"]
    manifest: Manifest = storage.read_json(event["validation"]["predict"]["manifest"])
    folder = keys.prediction_results(run)
    parts = Parts(manifest, model["model_uri"])
    refuse_too_many(parts, parts.absent(), run)
    tally, uris = _write_files(folder, manifest, parts, run)
    name = storage.parse_uri(manifest["source"]["uri"]).name
    about = {
        "file": name,
        "run": keys.run_name(run),
        "model": model["arn"],
        "source": manifest["source"]["uri"],
        "names": {kind: uri.rsplit("/", 1)[-1] for kind, uri in uris.items()},
    }
    page = report.render(tally, about).encode()
    uris["report"] = storage.write_bytes(_place(folder, "report.html"), page, HTML)
    figures = _figures(tally, parts)
    # The last file: who sees it sees everything else complete.
    document = {
        "schema": 1,
        "run": keys.run_name(run),
        "model": model,
        "source": manifest["source"],
        "files": uris,
        "programs": sorted(parts.programs),
        **figures,
    }
    done = storage.write_json(_place(folder, "manifest.json"), document)
    subject, message = words(tally, name, uris, parts)
    logger.info("Collected", extra=figures)
    addresses = {key: uris[key] for key in ("results", "review", "report")}
    partly = {"sentence": partly_done(parts, name)} if parts.missing else {}
    return {**addresses, "manifest": done, **figures, **partly, "subject": subject, "message": message}


def _write_files(
    folder: str, manifest: Manifest, parts: Parts, run: dict[str, Any]
) -> tuple[Tally, dict[str, str]]:
    source = manifest["source"]
    info = ObjectInfo(storage.parse_uri(source["uri"]), source["version"], source["etag"], source["size"])
    with tempfile.TemporaryDirectory() as temporary:
        files = {name: Path(temporary) / f"{name}.csv" for name in ("results", "review")}
        try:
            sheet = manifest.get("reading", {}).get("sheet")
            table = Table(storage.open_object(info), info.location.name, sheet)
            tally = _merge(table, manifest, parts, files)
        except (InvalidData, StorageError) as error:
            raise PredictionFailed(f"The file cannot be read again as it was: {error}") from error
        if tally.rows != manifest["rows"]:
            raise PredictionFailed(
                f"The file has {tally.rows:,} rows, and had {manifest['rows']:,} when it was checked."
            )
        refuse_too_many(parts, list(parts.missing), run)
        uris = {
            kind: storage.upload(_place(folder, keys.result_name(info.location.key, kind)), path, CSV)
            for kind, path in files.items()
        }
    return tally, {**uris, "rejected": manifest["rejected_uri"]}


def _merge(table: Table, manifest: Manifest, parts: Parts, files: dict[str, Path]) -> Tally:
    label, explain = manifest["label_column"], manifest.get("explain", False)
    output = Output(
        header=table.header,
        label=None if label is None else table.header.index(label),
        byte_order_mark=table.has_byte_order_mark,
        explain=explain,
    )
    merged = merge(table, _rejected(manifest["rejected_uri"]), predictions(parts, explain=explain))
    return results.write(merged, output, files["results"], files["review"])


def _rejected(uri: str) -> Iterator[tuple[int, str]]:
    with _text(uri) as file:
        for row in csv.DictReader(file):
            yield int(row["line"]), row["reason"]


def _text(uri: str) -> TextIO:
    return io.TextIOWrapper(storage.open_uri(uri), encoding="utf-8", newline="")


def _place(folder: str, name: str) -> Location:
    return Location(settings.results_bucket(), f"{folder}/{name}")


def _figures(tally: Tally, parts: Parts) -> dict[str, Any]:
    accuracy = {} if tally.accuracy is None else {"accuracy": tally.accuracy}
    return {
        "rows": tally.rows,
        "predicted": tally.predicted,
        "rejected": tally.rejected.total(),
        "accepted": tally.accepted,
        "review_rows": tally.review_rows,
        "missing_rows": tally.missing,
        "missing_shards": len(parts.missing),
        **accuracy,
    }


handler = lambda_handler(_handle)
