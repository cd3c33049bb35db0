"""The models: versions with their figures and reports, which of them is live, its target, training again."""

from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.evaluation import LEAST_TARGET, Acceptance, at_target
from contract.state import THRESHOLD, ThresholdRequest
from desk.desk import NotFoundError
from desk.pages import Posted, desk_of, page, takes
from desk.wording import for_page
from workflow import lineage, models, retraining, submission
from workflow.errors import CommandError

MENU = (0.90, 0.95, 0.98, 0.99)  # targets that the page offers


class Verdict(Posted):
    """Approves or rejects a version."""

    version: Annotated[int, Field(ge=1)]
    verdict: Literal["approve", "reject"]


class NewTarget(Posted):
    """Sets another target for the live model."""

    target: Annotated[float, Field(ge=LEAST_TARGET, lt=1)]


class Retrain(Posted):
    """Trains again from the live model's files and all decisions."""


def show(request: Request) -> Response:
    """Answer with all versions, newest first, and what the live one gives at other targets."""
    desk = desk_of(request)
    versions = models.list_models(desk.account, desk.stack)
    live = models.live(versions)
    card = models.card(desk.account, live) if live else None
    acceptance = card["acceptance"] if card else None
    return page(
        request,
        "models.html",
        versions=versions,
        live=live,
        target=live and (live.target or models.promised(card)),
        menu=_menu(acceptance) if acceptance else [],
        none_live="" if live or not versions else for_page(models.none_live(versions, desk.account.command)),
    )


def show_one(request: Request) -> Response:
    """Answer with what a version is and was made of."""
    desk = desk_of(request)
    versions = models.list_models(desk.account, desk.stack)
    number = request.path_params["version"]
    model = next((each for each in versions if each.version == number), None)
    if model is None:
        raise NotFoundError("There is no such version: the page of the models lists them.")
    pairs = lineage.pairs(
        model, model.state(model == models.live(versions)), lineage.read(desk.account, model)
    )
    return page(request, "version.html", version=number, pairs=pairs)


def compare(request: Request) -> Response:
    """Answer with the reports of two versions side by side."""
    desk = desk_of(request)
    found = {str(each.version): each for each in models.list_models(desk.account, desk.stack)}
    chosen = [found.get(request.query_params.get(name, "")) for name in ("one", "other")]
    if None in chosen:
        raise CommandError("There is no such version: the page of the models lists them.")
    return page(request, "compare.html", versions=chosen)


def decide(request: Request, sent: Verdict) -> Response:
    """Approve or reject a version; answer with the version that is live then."""
    desk = desk_of(request)
    status = models.APPROVED if sent.verdict == "approve" else models.REJECTED
    live = models.live(models.set_status(desk.account, desk.stack, sent.version, status))
    return JSONResponse({"live": live and live.version})


def set_target(request: Request, sent: NewTarget) -> Response:
    """Start a run that sets another target; answer with its name."""
    desk = desk_of(request)
    made: ThresholdRequest = {"action": THRESHOLD, "target_precision": sent.target}
    arn = submission.start(desk.account, desk.stack, made)
    return JSONResponse({"run": arn.rsplit(":", 1)[-1]})


def retrain(request: Request, sent: Retrain) -> Response:
    """Start a training with what people decided; answer with the run's name and what it learns from."""
    desk = desk_of(request)
    with desk.one_training:
        planned = retraining.plan(desk.account, desk.stack)
        arn = retraining.start(desk.account, desk.stack, planned)
    said = for_page(retraining.sentence(desk.account, planned))
    return JSONResponse({"run": arn.rsplit(":", 1)[-1], "said": said})


def _menu(acceptance: Acceptance) -> list[dict[str, Any]]:
    """Return what each target would give on the rows that the model was measured on."""
    steps = ((target, at_target(acceptance, target)) for target in MENU)
    return [
        {"target": target, "accepted": step["coverage"], "right": step["precision"]}
        for target, step in steps
        if step
    ]


ROUTES = [
    Route("/models", show),
    Route("/models/compare", compare),
    Route("/models/{version:int}", show_one),
    Route("/api/models/retrain", takes(Retrain, retrain), methods=["POST"]),
    Route("/api/models", takes(Verdict, decide), methods=["POST"]),
    Route("/api/models/target", takes(NewTarget, set_target), methods=["POST"]),
]
