"""What a model version was made of: lineage.json, which lies beside its card, and what the registry adds."""

import json
from typing import cast

from contract import keys
from contract.lineage import LearnedFile, Lineage
from workflow import display, objects
from workflow.account import Account
from workflow.models import Model

NOT_TOLD = "not known"


def read(account: Account, model: Model) -> Lineage | None:
    """Return what a version was made of; None: an older Claimflow, or somebody else, made it."""
    if model.model_uri is None:
        return None
    return cast("Lineage | None", objects.read_json(account, keys.lineage(model.model_uri)))


def pairs(model: Model, state: str, made_of: Lineage | None) -> list[tuple[str, str]]:
    """Return what a version is and was made of, as names and texts; `state` is how it stands."""
    return [
        ("Version", f"{model.version}, {state}"),
        ("Created", display.moment(model.created)),
        ("Accuracy", model.figures or NOT_TOLD),
        ("Target", model.changed_target or "that of its configuration"),
        ("Run", model.run or NOT_TOLD),
        ("Started by", model.started_by or NOT_TOLD),
        ("Decided", _decision(model)),
        *_made_of(made_of),
        ("Image", model.image or NOT_TOLD),
        ("Image digest", model.image_digest or NOT_TOLD),
        ("Model", model.model_uri or NOT_TOLD),
    ]


def _decision(model: Model) -> str:
    if not model.decision:
        return NOT_TOLD
    return f"{model.decision} ({display.moment(model.decided)})" if model.decided else model.decision


def _made_of(made_of: Lineage | None) -> list[tuple[str, str]]:
    if made_of is None:
        return [("Made of", f"{NOT_TOLD}: an older version of Claimflow made it")]
    decisions, program = made_of["decisions"], made_of["program"]
    config = json.dumps(made_of["config"], ensure_ascii=False)
    return [
        *(pair for file in made_of["files"] for pair in _file(file)),
        ("Decisions", f"up to {decisions['until']}, in the last file" if decisions else "none"),
        ("Code", (program["revision"] if program else None) or NOT_TOLD),
        ("Program", program["digest"] if program else NOT_TOLD),
        ("Configuration", config),
    ]


def _file(file: LearnedFile) -> list[tuple[str, str]]:
    return [
        ("File", file["uri"]),
        ("", f"version {file['version'] or NOT_TOLD}"),
        ("", f"sha256 {file['sha256'] or NOT_TOLD}"),
    ]
