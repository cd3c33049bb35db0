"""Lambda: a finished training in, its figures out."""

import tarfile
import zlib
from typing import Any

from evaluate import evaluation
from evaluate.card import card
from shared import keys, settings, storage, training
from shared.archive import members
from shared.errors import StorageError, TimedOut, TrainingFailed
from shared.storage import Location
from shared.telemetry import Event, lambda_handler, logger

SIZE_LIMIT = 64 * 1024 * 1024
FILES = {"evaluation.json": "application/json", "report.html": "text/html; charset=utf-8"}


def _handle(event: Event) -> Event:
    run, job = event["run"], event["training"]
    if job["status"] != "Completed":
        ended = training.ending(job["job"], job["status"], job.get("detail", ""), "")
        raise (TimedOut if ended.timed_out else TrainingFailed)(ended.sentence)
    contents = _read(job)
    document = evaluation.parse(contents["evaluation.json"])
    found = evaluation.figures(document, run)
    uris = {name: _copy(keys.run_name(run), name, content) for name, content in contents.items()}
    subject, message = evaluation.words(found, run, uris["report.html"])
    logger.info(
        "Evaluated", extra={"accuracy": found.accuracy, "bar": found.bar, "live": found.live_accuracy}
    )
    live: dict[str, Any] = {} if found.live_accuracy is None else {"live_accuracy": found.live_accuracy}
    return {
        "accuracy": found.accuracy,
        "bar": found.bar,
        "accuracy_interval": document["accuracy_interval"],
        "validation_rows": found.validation_rows,
        "rows": event["validation"]["train"]["train_rows"] + event["validation"]["train"]["validation_rows"],
        "categories": len(document["labels"]),
        "beats_bar": found.beats_bar,
        **live,
        "beats_live": found.beats_live,
        "evaluation": uris["evaluation.json"],
        "report": uris["report.html"],
        "card": _write_card(event, document),
        "subject": subject,
        "message": message,
    }


def _read(job: dict[str, Any]) -> dict[str, bytes]:
    """Give the contents of the two files, by name. Raises TrainingFailed: one is missing or too large."""
    try:
        found = {
            name: content.read(SIZE_LIMIT + 1)
            for name, content in members(storage.open_uri(job["output_uri"]))
            if name in FILES
        }
    except (StorageError, tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise TrainingFailed(f"What the training job {job['job']} wrote cannot be read: {error}.") from error
    missing = [name for name in FILES if name not in found]
    if missing:
        raise TrainingFailed(f"The training job {job['job']} wrote no {' and no '.join(missing)}.")
    if any(len(content) > SIZE_LIMIT for content in found.values()):
        raise TrainingFailed(f"What the training job {job['job']} wrote is larger than {SIZE_LIMIT:,} bytes.")
    return found


def _write_card(event: Event, document: dict[str, Any]) -> str:
    training = storage.parse_uri(event["training"]["model_uri"])
    held_out = Location(training.bucket, keys.channel(event["run"]["id"], "validation"))
    return storage.write_json(storage.parse_uri(keys.card(training.uri)), card(event, document, held_out.uri))


def _copy(run: str, name: str, content: bytes) -> str:
    place = Location(settings.results_bucket(), f"{run}/{name}")
    return storage.write_bytes(place, content, FILES[name])


handler = lambda_handler(_handle)
