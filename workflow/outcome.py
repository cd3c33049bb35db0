"""What a run came to: its state and exit code, its figures and its sentence, from the state data."""

from urllib.parse import quote

from contract import cost
from contract.errors import ModelRejected, PartlyDone
from contract.state import Best, Evaluation, FileToLabel, InputFile, LabelledFile, NewTarget, State
from contract.text import percent
from workflow import objects
from workflow.runs import FINAL, Run

EXIT_DONE, EXIT_FAILED, EXIT_REJECTED, EXIT_PARTLY = 0, 1, 3, 4
DONE, FAILED, REJECTED, PARTLY = "done", "failed", "rejected", "partly done"
STOPPED, RUNNING, WAITING = "stopped", "running", "waiting for approval"
EXIT_CODES = {DONE: EXIT_DONE, WAITING: EXIT_DONE, REJECTED: EXIT_REJECTED, PARTLY: EXIT_PARTLY}
ENDS = {ModelRejected.__name__: REJECTED, PartlyDone.__name__: PARTLY}
FINE = "Done."
SENTENCES = {
    "ABORTED": "It was stopped.",
    "TIMED_OUT": "It took longer than a run may take.",
}

Figure = tuple[str, str]


def state_of(run: Run) -> str:
    """Return in a word or two how a run stands: a rejected model is no failure, nor is one that waits."""
    if run.running:
        return RUNNING
    if run.status == "ABORTED":
        return STOPPED
    if run.status == "SUCCEEDED":
        return WAITING if _waiting(run.data) is not None else DONE
    return ENDS.get(run.error or "", FAILED)


def exit_code(run: Run) -> int:
    """Return 0 for done, 3 for a model that is not good enough, 4 for partly done, else 1.

    A model with too little evidence is, for a script, one that is not good enough: it is not live. One that
    waits because the stack wants a person's approval is done.
    """
    if _reason(run.data):
        return EXIT_REJECTED
    return EXIT_CODES.get(state_of(run), EXIT_FAILED)


def sentence(run: Run) -> str:
    """Return what happened to a run that ended, in one sentence."""
    if run.status == "SUCCEEDED":
        return _reason(run.data) or FINE
    if run.rejected:
        return _rejection(run.data)
    return run.cause or SENTENCES.get(run.status) or f"It failed ({run.error or run.status})."


def hints(run: Run, command: str) -> list[str]:
    """Return what is left to do after a run, a sentence each; `command` is how to write `claimflow`."""
    if not run.running and run.status != "SUCCEEDED" and run.error not in FINAL:
        return [f"To go on from there, without what is done already: `{command} redrive {run.name}`."]
    version = _waiting(run.data)
    if version is None and not run.rejected:
        return []
    waits = f"Model version {version} waits for a person: `{command} models approve {version}` makes it live."
    sentences = [waits] if version is not None else []
    waiting = run.data["run"].get("predict") if "run" in run.data else None
    if waiting:
        sentences.append(f"{waiting['uri']} was not labelled: {_then(run, command)}.")
    return sentences


def warnings(run: Run) -> list[str]:
    """Return what a person should know of the file and of the model: what was guessed, what would help.

    Of a run with two files what is said of each stands below a line that names the file.
    """
    validation, results = run.data.get("validation", {}), run.data.get("results", {})
    train, predict = validation.get("train"), validation.get("predict")
    labelled = _noticed(train, [], run.data.get("evaluation", {}).get("advice"))
    other = _noticed(predict, results.get("warnings", []), results.get("advice"))
    if train and predict:
        labelled = _below("the labelled file", run.data["run"]["data"], labelled)
        other = _below("the file to label", run.data["run"]["predict"], other)
    return [*labelled, *other]


def _noticed(checked: LabelledFile | FileToLabel | None, later: list[str], advice: str | None) -> list[str]:
    """Return what was noticed of one file: as it was checked, and in what came of it."""
    sentences = [*(checked.get("warnings", []) if checked else []), *later]
    reading = checked.get("reading") if checked else None
    how = f"was read as {reading}." if reading else ""
    read = "" if any(how in warning for warning in sentences) else f"The file {how}"
    return list(dict.fromkeys(filter(None, [read if how else "", *sentences, advice])))


def _below(which: str, file: InputFile | None, sentences: list[str]) -> list[str]:
    name = file["uri"].rsplit("/", 1)[-1] if file else ""
    return [f"About {which} {name}".rstrip() + ":", *sentences] if sentences else []


def figures(run: Run, *, local: bool = False) -> list[Figure]:
    """Return the figures of a run as pairs of a name and a text; those it did not come to are left out.

    On the local AWS nobody is billed for machines, and none is of the type that AWS would take.
    """
    return [*_training(run.data), *_prediction(run.data), *([] if local else _costs(run.data))]


def addresses(run: Run, *, links: bool) -> list[Figure]:
    """Return where the results and reports of a run lie; with `links` also the pages that open them."""
    evaluation, results = run.data.get("evaluation", {}), run.data.get("results", {})
    validation = run.data.get("validation", {})
    best = _best(run.data)
    found = [
        ("Trials", best["table"] if best else None),
        ("Report of the trials", best.get("report") if best else None),
        ("Training report", evaluation.get("report")),
        ("Suspect labels", evaluation.get("suspects", {}).get("file")),
        ("Results", results.get("results")),
        ("Rows for review", results.get("review")),
        ("Prediction report", results.get("report")),
        ("Checks of the file", validation.get("report") if run.error and not run.rejected else None),
    ]
    pairs = [(name, str(uri)) for name, uri in found if uri]
    region = run.arn.split(":")[3] if run.arn.count(":") > 3 else ""
    if not links or not region:
        return pairs
    return [each for name, uri in pairs for each in ((name, uri), ("", _page(uri, region)))]


def _page(uri: str, region: str) -> str:
    """Return the page of AWS's console that opens an object."""
    bucket, key = objects.place(uri)
    console = f"https://{region}.console.aws.amazon.com/s3/object/{bucket}"
    return f"{console}?region={region}&prefix={quote(key)}"


def _then(run: Run, command: str) -> str:
    again = f"`{command} predict FILE`"
    if not run.rejected:
        return f"approve the version, then label the file with {again}"
    if _has_live(run.data):
        return f"label the file with the live model ({again}), or train on more rows and try again"
    return "train on more rows and try again"


def _waiting(data: State) -> int | None:
    registration = data.get("registration")
    # Without a version it is still to be compared with a model that went live in the meantime.
    return registration.get("version") if registration and not registration.get("live") else None


def _reason(data: State) -> str | None:
    """Return why a registered model is not live, if it is for want of evidence."""
    registration = data.get("registration", {})
    return None if registration.get("live") else registration.get("reason")


def _has_live(data: State) -> bool:
    return bool(data.get("run", {}).get("live_model"))


def _rejection(data: State) -> str:
    evaluation = data["evaluation"]
    other = evaluation.get("below")
    if evaluation["accuracy"] < evaluation["bar"]:
        below, why = "the bar", other or ""
    elif other:
        below, why = "a bar of its configuration", other
    else:
        below, why = "the live model", evaluation["against_live"]
    live = "the live model stays as it is" if _has_live(data) else "no model was live to compare it with"
    verdict = f"The new model is below {below} and was not registered; {live}."
    return " ".join(filter(None, [verdict, why, evaluation.get("reason")]))


def _compared(before: float, evaluation: Evaluation) -> str:
    rows = evaluation.get("compared_rows")
    if rows is None:  # a run of before
        return f"{percent(before)} of the same rows"
    new = percent(evaluation["compared_accuracy"])
    return f"{percent(before)} of {rows:,} rows that neither had seen (the new one: {new})"


def _training(data: State) -> list[Figure]:
    evaluation, registration = data.get("evaluation"), data.get("registration")
    pairs: list[Figure] = []
    if best := _best(data):
        pairs.append(("Trials", f"{best['trials']:,}, {best['completed']:,} of them to their end"))
        pairs.append(("Best settings", ", ".join(f"{key} {text}" for key, text in best["chosen"].items())))
    if evaluation:
        pairs.append(
            (
                "Accuracy",
                f"{percent(evaluation['accuracy'])} of {evaluation['validation_rows']:,} held-out rows",
            )
        )
        pairs.append(("Bar", percent(evaluation["bar"])))
        before = evaluation.get("live_accuracy")
        pairs.append(("Live model before", "none" if before is None else _compared(before, evaluation)))
        if "suspects" in evaluation:
            pairs.append(("Suspect labels", f"{evaluation['suspects']['count']:,} rows to look at"))
    if registration and not registration.get("rejected"):
        state = "live" if registration.get("live") else "waits for approval"
        version = registration.get("version")
        pairs.append(("Model", f"version {version}, {state}" if version else "not decided yet"))
        if target := registration.get("target"):
            pairs.extend(_target(target, version))
    return pairs


def _best(data: State) -> Best | None:
    """Return the trial that a tuning chose; None: it has not, or nothing was tuned."""
    run = data.get("run")
    return run["tuning"].get("best") if run and "tuning" in run else None


def _target(target: NewTarget, version: int | None) -> list[Figure]:
    """Return what a model gives at the target that was set, on the rows that it was measured on."""
    same = [("Same model as", f"version {target['of']}")] if target["of"] != version else []
    right = "" if target["precision"] is None else f", {percent(target['precision'])} of them right"
    return [
        *same,
        ("Target", f"{percent(target['target_precision'])} of the accepted rows right"),
        ("Accepts when measured", f"{percent(target['coverage'])} of the rows{right}"),
    ]


def _prediction(data: State) -> list[Figure]:
    results = data.get("results")
    if not results:
        return []
    rows = results["rows"]
    pairs = [
        ("Rows", f"{rows:,}"),
        ("Accepted automatically", _part(results["accepted"], rows)),
        ("For review", _part(results["review_rows"], rows)),
        ("Rejected", _part(results["rejected"], rows)),
    ]
    if results.get("missing_rows"):
        pairs.append(("Not labelled", _part(results["missing_rows"], rows)))
    if results.get("accuracy") is not None:
        pairs.append(("Agrees with the given labels", percent(results["accuracy"])))
    return pairs


def _costs(data: State) -> list[Figure]:
    trained, labelled = data.get("evaluation", {}).get("cost"), data.get("results", {}).get("cost")
    found = [("Cost of the training", trained), ("Cost of the prediction", labelled)]
    return [(name, cost.words(spent)) for name, spent in found if spent]


def _part(count: int, whole: int) -> str:
    return f"{count:,} ({percent(count / whole)})" if whole else f"{count:,}"
