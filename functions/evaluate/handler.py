"""Lambda: a finished training in, its figures out."""

import html
import json
import tarfile
import tempfile
import zlib
from pathlib import Path

from contract import cost, keys, state
from contract.errors import StorageError, TimedOut, TrainingFailed
from contract.evaluation import Evaluation
from contract.metrics import ACCURACY, BILLABLE_SECONDS, TRAINING_SECONDS, Metric
from contract.state import EvaluateEvent, Run, Training
from evaluate import evaluation, evidence, job_time
from evaluate.card import card
from evaluate.lineage import lineage
from shared import metrics, settings, storage, training
from shared.archive import members
from shared.prices import Prices
from shared.storage import Location
from shared.telemetry import lambda_handler, logger
from shared.writing import Form, for_people

SIZE_LIMIT = 64 * 1024 * 1024
FILES = {keys.EVALUATION: "application/json", keys.REPORT: "text/html; charset=utf-8"}
SOUGHT = {*FILES, keys.SUSPECTS, keys.PROGRAM}  # an older training image leaves the last two out

VERDICT = "<!-- verdict -->"  # in model/report.html: where the page says that the model was refused


def _handle(event: EvaluateEvent) -> state.Evaluation:
    run, job = event["run"], event["training"]
    if job["status"] != "Completed":
        ended = training.ending(job["job"], job["status"], job["detail"], "")
        raise (TimedOut if ended.timed_out else TrainingFailed)(ended.sentence)
    contents = _read(job)
    document = evaluation.parse(contents[keys.EVALUATION])
    found = evaluation.figures(document, run)
    missing = list(evidence.missing(found, document, event, _needed()))
    said = evaluation.verdict(found, run, missing)
    contents[keys.REPORT] = _with_verdict(contents[keys.REPORT], said)
    uris = {name: _copy(run["name"], name, contents[name]) for name in FILES}
    advice = (document.get("acceptance") or {}).get("advice")
    suspects = _give_suspects(run, document, contents.get(keys.SUSPECTS))
    took = job_time.read(job["job"])
    spent = job_time.cost(took, Prices(settings.instance_prices())) if took else None
    remarks = [evaluation.by_level(document), advice or "", evaluation.suspicious(suspects), _cost(spent)]
    subject, message = evaluation.words(found, event, missing, uris[keys.REPORT], remarks)
    logger.info("Evaluated", extra={"accuracy": found.accuracy, "bar": found.bar, "missing": len(missing)})
    metrics.write(settings.model_group(), _measured(found.accuracy, took))
    checked = event["validation"]["train"]
    made: state.Evaluation = {
        "accuracy": found.accuracy,
        "bar": found.bar,
        "accuracy_interval": document["accuracy_interval"],
        "validation_rows": found.validation_rows,
        "rows": checked["train_rows"] + checked["validation_rows"],
        "categories": len(document["labels"]),
        "worse_than_live": not found.beats_live,
        "advice": advice,
        "against_live": " ".join(evaluation.against_live(found.compared, run)),
        "evaluation": uris[keys.EVALUATION],
        "report": uris[keys.REPORT],
        "card": _write_card(event, document, contents.get(keys.PROGRAM)),
        "subject": subject,
        "message": message,
    }
    if suspects:
        made["suspects"] = suspects
    if spent:
        made["cost"] = spent
    if found.below:
        made["below"] = " ".join(found.below)
    if missing:
        made["reason"] = " ".join(missing)
    if found.compared and found.compared.rows:
        made["compared_rows"] = found.compared.rows
        made["compared_accuracy"] = found.compared.accuracy
        made["live_accuracy"] = found.compared.live_accuracy
    return made


def _measured(accuracy: float, took: job_time.JobTime | None) -> dict[Metric, float]:
    seconds: dict[Metric, float] = (
        {TRAINING_SECONDS: took.training, BILLABLE_SECONDS: took.billable} if took else {}
    )
    return {ACCURACY: 100 * accuracy, **seconds}


def _cost(spent: state.Cost | None) -> str:
    return f"Cost of the training: {cost.words(spent)}." if spent else ""


def _needed() -> evidence.Needed:
    return evidence.Needed(
        rows=settings.whole_number("CLAIMFLOW_LEAST_HELD_OUT_ROWS"),
        per_category=settings.whole_number("CLAIMFLOW_LEAST_HELD_OUT_ROWS_PER_CATEGORY"),
        lower_bound=settings.flag("CLAIMFLOW_BAR_BY_LOWER_BOUND"),
    )


def _read(job: Training) -> dict[str, bytes]:
    """Return the contents of the two files, by name. Raises TrainingFailed: one is missing or too large."""
    try:
        found = {
            name: content.read(SIZE_LIMIT + 1)
            for name, content in members(storage.open_uri(job["output_uri"]))
            if name in SOUGHT
        }
    except (StorageError, tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise TrainingFailed(f"What the training job {job['job']} wrote cannot be read: {error}.") from error
    missing = [name for name in FILES if name not in found]
    if missing:
        raise TrainingFailed(f"The training job {job['job']} wrote no {' and no '.join(missing)}.")
    if any(len(content) > SIZE_LIMIT for content in found.values()):
        raise TrainingFailed(f"What the training job {job['job']} wrote is larger than {SIZE_LIMIT:,} bytes.")
    return found


def _with_verdict(page: bytes, sentence: str) -> bytes:
    """Let the page begin with the verdict; one of an older training image has no place for it."""
    banner = f'<p class="note warned"><b>{html.escape(sentence)}</b></p>' if sentence else ""
    return page.replace(VERDICT.encode(), banner.encode(), 1)


def _write_card(event: EvaluateEvent, document: Evaluation, program: bytes | None) -> str:
    """Write what the model was made of and its card, both beside it; returns the address of the card."""
    training = storage.parse_uri(event["training"]["model_uri"])
    held_out = Location(training.bucket, keys.channel(event["run"]["id"], keys.VALIDATION))
    made_of = lineage(event, json.loads(program) if program else None)
    storage.write_json(storage.parse_uri(keys.lineage(training.uri)), made_of)
    return storage.write_json(storage.parse_uri(keys.card(training.uri)), card(event, document, held_out.uri))


def _give_suspects(run: Run, document: Evaluation, rows: bytes | None) -> state.Suspects | None:
    """Put the rows whose labels are probably wrong where people find them; None: there are none."""
    found = document.get("suspects")
    if not found or not found["count"] or rows is None:
        return None
    asked = Form("xlsx") if run["output"] == "xlsx" else Form(byte_order_mark=True)
    with tempfile.TemporaryDirectory() as folder:
        left = Path(folder) / keys.SUSPECTS
        left.write_bytes(rows)
        path, form = for_people(left, asked)
        name = keys.result_name(run["data"]["uri"], "suspects", form.format)
        place = Location(settings.results_bucket(), f"{run['name']}/{name}")
        return {"count": found["count"], "file": storage.upload(place, path, form.content_type)}


def _copy(run: str, name: str, content: bytes) -> str:
    place = Location(settings.results_bucket(), f"{run}/{name}")
    return storage.write_bytes(place, content, FILES[name])


handler = lambda_handler(_handle)
