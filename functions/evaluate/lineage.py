"""Tells what a model was made of; knows nothing of AWS."""

import json

from contract.lineage import SCHEMA, Decisions, LearnedFile, Lineage, Program, Tuned
from contract.state import EvaluateEvent, InputFile, Run, labelled_files


def lineage(state: EvaluateEvent, program: Program | None) -> Lineage:
    """Return what a trained model was made of; `program` is what its training told of itself."""
    run, files = state["run"], labelled_files(state["run"])
    live = run["live_model"]
    sha256: list[str | None] = [*state["validation"]["train"].get("sha256", [None] * len(files))]
    made: Lineage = {
        "schema": SCHEMA,
        "run": run["name"],
        "job": state["training"]["job"],
        "files": [_learned(file, digest) for file, digest in zip(files, sha256, strict=True)],
        "decisions": _decisions(run, files[-1]),
        "live_before": live["version"] if live else None,
        "program": program,
        "config": {key: json.loads(text) for key, text in run["hyperparameters"].items()},
    }
    if tuned := _tuned(run):
        made["tuned"] = tuned
    return made


def _tuned(run: Run) -> Tuned | None:
    best = run["tuning"].get("best") if "tuning" in run else None
    if not best:
        return None
    chosen = {key: json.loads(text) for key, text in best["chosen"].items()}
    return {"job": best["job"], "trial": best["trial"], "trials": best["trials"], "chosen": chosen}


def _learned(file: InputFile, sha256: str | None) -> LearnedFile:
    return {
        "uri": file["uri"],
        "version": file["version"],
        "etag": file["etag"],
        "size": file["size"],
        "sha256": sha256,
    }


def _decisions(run: Run, last: InputFile) -> Decisions | None:
    until = run.get("decided_until")
    return {"until": until, "file": last["uri"]} if until else None
