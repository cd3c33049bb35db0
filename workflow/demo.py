"""`make demo`: the whole of Claimflow on this machine, from nothing to a list of rows to look at.

    python -m workflow.demo [--train FILE] [--predict FILE] [--desk]

It may be run again and again; what is up or deployed already stays.
"""

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from contract import keys
from contract.columns import PREDICTION, REASON
from contract.state import Action
from contract.text import duration
from workflow import cli, display, outcome, programs, results, submission
from workflow import stack as stacks
from workflow.account import Account
from workflow.errors import CommandError
from workflow.runs import Run

EXAMPLES = programs.ROOT / "examples"
FOLDER = Path("out") / "demo"
DESK = ".venv/app/bin/claimflow --local desk --open"
ENVIRONMENT = ".venv/app/bin/claimflow local env"


def demo(
    train: Annotated[Path, typer.Option(metavar="FILE", help="A labelled CSV to train on.")] = EXAMPLES
    / "claims_train.csv",
    predict: Annotated[Path, typer.Option(metavar="FILE", help="A CSV to label.")] = EXAMPLES
    / "claims_predict.csv",
    desk: Annotated[bool, typer.Option("--desk", help="Serve the desk at the end, and open it.")] = False,
) -> None:
    """Train and predict on the local AWS and show what came out."""
    account = Account(local=True)
    for file in (train, predict):
        submission.check_file(file)
    with step("Starting the local AWS, unless it runs") as tell:
        programs.start_local_aws(tell)
    with step("Building and deploying the stack") as tell:
        programs.build_and_deploy(account, "local", tell)
        stack = stacks.read_stack(account)
    with followed(f"Training on {train.name}"):
        trained = run(account, stack, "train", train)
    accept(trained)
    with followed(f"Labelling {predict.name}"):
        predicted = run(account, stack, "predict", predict)
    if outcome.state_of(predicted) not in {outcome.DONE, outcome.PARTLY}:
        raise CommandError(outcome.sentence(predicted))
    with step(f"Fetching the results to {FOLDER}"):
        files = fetch(account, stack, trained, predicted)
    report(trained, predicted, files)
    display.say()
    display.say("Try next", "bold")
    display.pairs(next_steps(stack, predict))
    display.say()
    if not desk:
        display.say(f"Decide the rows for review in your browser, in the desk: {DESK}", "bold")
    else:
        from desk import server  # noqa: PLC0415  only where it is wanted

        server.serve(account, stack, cli.DESK_PORT, open_browser=True)


@contextmanager
def step(what: str) -> Iterator[programs.Tell]:
    """Print a heading and, at the end, how long it took; returns what to call with each line of a program."""
    with _timed(), display.working(what) as tell:
        yield tell


@contextmanager
def followed(what: str) -> Iterator[None]:
    """Do the same for a run, which shows itself: two such displays at once would write over each other."""
    with _timed():
        display.say(what, "bold")
        yield


@contextmanager
def _timed() -> Iterator[None]:
    display.say()
    began = time.monotonic()
    yield
    display.say(f"  {duration(time.monotonic() - began)}", "dim")


def run(account: Account, stack: stacks.Stack, action: Action, file: Path) -> Run:
    """Upload a file, start a run with it and follow it to its end."""
    request = submission.request(action, cli.send(account, stack, file))
    return cli.follow(account, submission.start(account, stack, request))


def accept(trained: Run) -> None:
    """Go on if a model is live, be it the new one or the one before; else raise CommandError."""
    state = outcome.state_of(trained)
    if state == outcome.DONE:
        return
    display.say(outcome.sentence(trained), "yellow")
    if state not in {outcome.REJECTED, outcome.WAITING}:
        raise CommandError("The training failed, so there is nothing to predict with.")
    if not trained.data["run"]["live_model"]:
        raise CommandError("No model is live, so there is nothing to predict with.")
    display.say("The live model stays, and labels the file now.", "yellow")


def fetch(account: Account, stack: stacks.Stack, trained: Run, predicted: Run) -> dict[str, Path]:
    """Download both runs' files; returns their paths by `training` or `prediction` and what they are."""
    paths: dict[str, Path] = {}
    for part, each in (("training", trained), ("prediction", predicted)):
        for path in results.download(account, stack, each.folder, FOLDER / part, replace=True):
            paths[f"{part}/{keys.kind(path.name)}"] = path
    return paths


def report(trained: Run, predicted: Run, files: dict[str, Path]) -> None:
    """Print the figures, where everything is, and a taste of the rows for review."""
    display.say()
    display.say("What came out", "bold")
    display.pairs(outcome.figures(trained, local=True) + outcome.figures(predicted, local=True))
    for each in (trained, predicted):
        file = each.data["run"]["data"]["uri"].rsplit("/", 1)[-1]
        for warning in outcome.warnings(each):
            display.say(f"  {file}: {warning}", "yellow")
    display.say()
    display.pairs([(name, str(files[key])) for key, name in FILES.items() if key in files])
    review(files.get("prediction/review.csv"))


def review(path: Path | None) -> None:
    """Print the first rows that a person should look at, as a taste."""
    if path is None:
        return
    with path.open(newline="", encoding="utf-8-sig") as file:
        mark = max(",;\t|", key=file.readline().count)  # the review is separated as the file was that came
        file.seek(0)
        rows = [row for _, row in zip(range(3), csv.DictReader(file, delimiter=mark), strict=False)]
    if rows:
        display.say()
        display.say("The first rows for review", "bold")
    for row in rows:
        display.say(f"  {first_lines(row)}")


def first_lines(row: dict[str, Any]) -> str:
    """Return a review row in short: what it says, what the model says, and why a person should look."""
    text = max((str(value) for value in row.values() if value), key=len)
    return f"“{' '.join(text.split())[:40]}…” → {row.get(PREDICTION)} ({row.get(REASON)})"


FILES = {
    "prediction/results.csv": "Labelled rows",
    "prediction/review.csv": "Rows for review",
    "prediction/report.html": "Prediction report",
    "training/report.html": "Training report",
    "training/suspects.csv": "Suspect labels",
}


def next_steps(stack: stacks.Stack, predict: Path) -> list[tuple[str, str]]:
    """Return what a person may type next."""
    file = predict.relative_to(Path.cwd()) if predict.is_relative_to(Path.cwd()) else predict
    return [
        ("First, in your shell", f'eval "$({ENVIRONMENT})"'),
        ("Look at the states", "claimflow --local status"),
        ("Label another file", f"claimflow --local predict {file}"),
        (
            "Or only upload one",
            f"aws s3 cp {file} s3://{stack.uploads}/{keys.PREDICT_PREFIX}",
        ),
        ("Models and rolling back", "claimflow --local models"),
        ("Stop the local AWS", "claimflow local down"),
    ]


def main() -> None:
    """Run the demo from the command line."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(display.plain_errors(lambda: Account(local=True))(demo))
    app(prog_name="python -m workflow.demo")


if __name__ == "__main__":
    main()
