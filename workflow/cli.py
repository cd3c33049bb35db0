"""The command line `claimflow`: the same commands for an AWS account and, with --local, for the local AWS."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from contract import tuning
from contract.evaluation import LEAST_TARGET
from contract.state import THRESHOLD, Action, Request, ThresholdRequest
from contract.text import count
from workflow import (
    audit,
    classification,
    comparison,
    deployment,
    display,
    final,
    lineage,
    lists,
    local_model,
    models,
    outcome,
    programs,
    promotion,
    records,
    results,
    retraining,
    review,
    runs,
    submission,
    training_log,
)
from workflow import image as images
from workflow import stack as stacks
from workflow.account import DEFAULT_STACK, Account
from workflow.decisions import Person
from workflow.errors import CommandError, StackMissingError, told
from workflow.forgetting import erasure, words
from workflow.forgetting.claims import Claim
from workflow.queue import QueueReader

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import ModelApprovalStatusType

EXIT_INTERRUPTED = 130
DESK_PORT = 8642
SERVE_PORT = 8080  # as in a container of SageMaker


class Commands(TyperGroup):
    """The commands; whatever they raise becomes one sentence and an exit code."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command that was asked for."""
        with display.plain_errors(lambda: ctx.obj if isinstance(ctx.obj, Account) else Account()):
            return super().invoke(ctx)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Warranty claims in, categories out: train a classifier on your own CSV and label files with it.",
    epilog="Begin with: claimflow local up; claimflow --local deploy; claimflow --local train FILE.",
)
models_app = typer.Typer(
    help="List the model versions; approve or reject one, or change the live one's target.",
    invoke_without_command=True,
    no_args_is_help=False,
)
app.add_typer(models_app, name="models")

CsvFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="A CSV file, Excel workbook or the like, with a header line.")
]
LabelledFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="A labelled file, or several, the oldest first: a text in several counts as in the last.",
    ),
]
NoWait = Annotated[bool, typer.Option("--no-wait", metavar="", help="Start the run and return at once.")]
Config = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The configuration, a JSON file with the keys to change.")
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="As JSON, for programs.")]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain", metavar="", help="Name the words that decided each labelled row, in a column `because`."
    ),
]
Version = Annotated[
    int, typer.Argument(metavar="VERSION", help="The version's number, as `models` shows it.")
]
Target = Annotated[
    float,
    typer.Argument(metavar="TARGET", help="The share of the accepted rows that must be right: 0.95, say."),
]
RunName = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]", help="A run's name, how it begins, or its folder; without one, the newest."
    ),
]


def main() -> None:
    """Run the command line."""
    try:
        app(prog_name="claimflow")
    except OSError as error:  # of the help, which no command writes
        display.give_up_output()
        display.complain(str(told(error, Account().deploy_command, local=False)))
        raise SystemExit(outcome.EXIT_FAILED) from None


@app.callback()
def options(
    ctx: typer.Context,
    local: Annotated[
        bool, typer.Option("--local", metavar="", help="Use the local AWS on this machine.")
    ] = False,
    stack_name: Annotated[
        str, typer.Option("--stack", metavar="NAME", envvar="CLAIMFLOW_STACK", help="The stack's name.")
    ] = DEFAULT_STACK,
    region: Annotated[str | None, typer.Option(metavar="NAME", help="The AWS region.")] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="The AWS profile with the credentials.")
    ] = None,
) -> None:
    """Remember which account and stack the command is for."""
    ctx.obj = Account(stack=stack_name, local=local, region=region, profile=profile)


@app.command()
def deploy(
    ctx: typer.Context,
    stage: Annotated[
        str, typer.Option(metavar="STAGE", help="Which settings of samconfig.toml, in AWS.")
    ] = "dev",
    image: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="An image of this machine to push, for the stack to run."),
    ] = None,
) -> None:
    """Build and deploy the stack, or bring it up to date; with --image, the image that it runs too."""
    account = deploys_to(ctx, stage)
    local_image = images.find(image) if image else None
    stacks.check_reachable(account)
    with display.working(f"Building and deploying the stack {account.stack}") as tell:
        deployment.deploy(account, stage, local_image, tell)
    stack = stacks.read_stack(account)
    display.say("Deployed.", "green")
    display.pairs(stacks.addresses(stack))
    display.say(f"Next: {account.command} train FILE")


@app.command()
def train(  # noqa: PLR0913, PLR0917  the options of the command
    ctx: typer.Context,
    files: LabelledFiles,
    config: Config = None,
    predict: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file to label with the new model.")
    ] = None,
    explain: Explain = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="The new model may lack categories of the live one.")
    ] = False,
    no_wait: NoWait = False,
) -> None:
    """Train a model on a labelled CSV, or several; it goes live if it is good enough."""
    submit(ctx.obj, "train", files, predict, config, explain=explain, no_wait=no_wait, replace=replace)


@app.command()
def tune(  # noqa: PLR0913, PLR0917  the options of the command
    ctx: typer.Context,
    files: LabelledFiles,
    config: Config = None,
    trials: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            min=1,
            max=tuning.MOST_TRIALS,
            help="How many settings to try, with those before.",
        ),
    ] = tuning.TRIALS,
    max_minutes: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            min=tuning.LEAST_MINUTES,
            max=tuning.MOST_MINUTES,
            help="How long the trials may take together.",
        ),
    ] = tuning.MINUTES,
    replace: Annotated[
        bool, typer.Option("--replace", help="The new model may lack categories of the live one.")
    ] = False,
    no_wait: NoWait = False,
) -> None:
    """Try settings on a part of the training rows, and train with the best (docs/tuning.md)."""
    limits = submission.Limits(trials, max_minutes)
    submit(
        ctx.obj, "tune", files, None, config, explain=False, no_wait=no_wait, replace=replace, limits=limits
    )


@app.command()
def retrain(ctx: typer.Context, no_wait: NoWait = False) -> None:
    """Train anew from the live model's files and what people decided since; live if it is good enough."""
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    planned = retraining.plan(account, stack)
    display.say(retraining.sentence(account, planned))
    follow_on(account, retraining.start(account, stack, planned), no_wait)


@app.command()
def predict(
    ctx: typer.Context,
    file: CsvFile,
    config: Config = None,
    explain: Explain = False,
    no_wait: NoWait = False,
) -> None:
    """Label a CSV with the live model."""
    submit(ctx.obj, "predict", [file], None, config, explain=explain, no_wait=no_wait)


@app.command()
def classify(
    ctx: typer.Context,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT]", help="The text, in quotes; without it, the standard input, one a line."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", metavar="", help="Name the words that decided.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="As JSON, an object a line, for programs.")
    ] = False,
) -> None:
    """Label a text with the live model, on this machine."""
    texts = classification.given(text)
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    model = models.read_live(account, stack)
    with classification.loads_quickly(text):
        classifier = local_model.load(account, stack, model).classifier
    typed = classification.is_typed(text)
    if typed:
        display.note("Type a text and Enter; Ctrl-D ends.")
    show = classification.show_json if as_json else classification.show
    for each, prediction in classification.labelled(classifier, texts, explain=explain, one_by_one=typed):
        show(each, prediction, model.version)


@app.command()
def status(
    ctx: typer.Context,
    run: RunName = None,
    keep_on: Annotated[
        bool, typer.Option("--follow", "-f", metavar="", help="Go on until the run has ended.")
    ] = False,
) -> None:
    """Show how far a run has come, state by state."""
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    arn = runs.find(account, stack, run)
    if keep_on:
        watch(account, arn)
    found = runs.read_run(account, arn)
    display.run(found, account)
    if found.running and (line := training_log.last_line(account, found.steps)):
        display.say(line)
    if alarm := audit.alarm_of_live(account, stack):
        display.say(alarm, "red")


@app.command(name="runs")
def list_runs(
    ctx: typer.Context,
    limit: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, max=1000, help="How many, the newest first.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest runs, with file, date, figures and who started them."""
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    listed = [each["executionArn"] for each in runs.recent(account, stack, limit)]
    listed_runs = [records.record(run, stack.results) for run in runs.glances(account, listed)]
    if as_json:
        lists.as_json([records.document(each) for each in listed_runs])
    elif not listed_runs:
        raise CommandError(f"Nothing has run yet: start with `{account.command} train FILE`.")
    else:
        lists.show_runs(listed_runs)


@app.command()
def stop(ctx: typer.Context, run: RunName = None) -> None:
    """Stop a run and its jobs."""
    account: Account = ctx.obj
    arn = runs.find_running(account, stacks.read_stack(account), run)
    name = arn.rsplit(":", 1)[-1]
    runs.stop(account, arn)
    display.say(f"Run {name}: stopped.")


@app.command()
def redrive(ctx: typer.Context, run: RunName = None, no_wait: NoWait = False) -> None:
    """Go on with a run that failed, from the step that failed."""
    account: Account = ctx.obj
    arn = runs.find(account, stacks.read_stack(account), run)
    runs.redrive(account, arn)
    follow_on(account, arn, no_wait)


@app.command(name="results")
def fetch_results(
    ctx: typer.Context,
    run: RunName = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to put them; ./out/RUN without it.")
    ] = None,
) -> None:
    """Download a run's results, list for review and reports."""
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    folder, found_run = results.choose(account, stack, run)
    which = "Run" if run else "The newest run,"
    if found_run:
        display.whose(found_run, which)
    for path in results.download(account, stack, folder, to or Path("out") / folder):
        display.say(str(path))


@app.command(name="review")
def review_rows(ctx: typer.Context, run: RunName = None) -> None:
    """Decide the rows of a run that people look at, one at a time."""
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    folder = folder_of(account, stack, run)
    reader = QueueReader.of_run(account, stack, folder)
    person = Person(account.caller or "somebody", uuid.uuid4().hex)
    display.say(f"{reader.left:,} of {count(reader.rows, 'row')} of {reader.index['file']} are left.")
    turn = review.Review(reader, person, answered, display.say)
    decided = turn.run()
    display.say(f"{count(decided, 'row')} decided, {reader.left:,} left.")
    display.say(f"The file with all decisions: {account.command} final {folder}")


@app.command(name="final")
def final_file(
    ctx: typer.Context,
    run: RunName = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to put it; ./out/RUN without it.")
    ] = None,
) -> None:
    """Write a run's final file: all rows, with the category of the model or of the person who decided."""
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    folder = folder_of(account, stack, run)
    path, counts = final.write(account, stack, folder, to or Path("out") / folder)
    display.say(final.sentence(counts))
    display.say(str(path))


@app.command(name="audit")
def audit_promise(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Say whether the promised precision still holds, by the accepted rows that people looked at."""
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    versions = models.list_models(account, stack)
    found, live = audit.of_stack(account, stack, versions), models.live(versions)
    shown = audit.headline(found, live)
    if as_json:
        lists.as_json([lists.audited_document(each) for each in found])
    elif shown is None:
        raise CommandError(
            "Nobody has decided an accepted row yet: the queue of each labelled file has some of them."
        )
    else:
        lists.show_audits(found)
        display.say(audit.in_words(shown, live), "red" if shown.broken else "")


@app.command(name="serve")
def serve_model(
    ctx: typer.Context,
    version: Annotated[
        int | None, typer.Option("--version", metavar="NUMBER", help="Of the model; else the live one.")
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="NUMBER", min=1024, max=65535, help="Of the loopback address.")
    ] = SERVE_PORT,
) -> None:
    """Answer programs on this machine with a model, as a SageMaker endpoint does (docs/serving.md)."""
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    model = (
        models.find(models.list_models(account, stack), version)
        if version
        else models.read_live(account, stack)
    )
    from container import endpoint, failure  # noqa: PLC0415  the other commands do not wait for the web server

    classifier = local_model.load(account, stack, model).classifier
    try:
        with endpoint.listening("127.0.0.1", port) as at:
            display.say(
                f"Version {model.version} of the model answers at http://127.0.0.1:{port}/invocations; "
                "Ctrl-C ends it.",
                "bold",
            )
            code = endpoint.serve(classifier, at, {"x-claimflow-model": str(model.version)})
    except failure.UsageError as error:
        raise CommandError(str(error)) from None
    raise typer.Exit(code)


@app.command(name="desk")
def open_desk(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option(metavar="NUMBER", min=1024, max=65535, help="Of the loopback address.")
    ] = DESK_PORT,
    open_browser: Annotated[bool, typer.Option("--open", metavar="", help="Open it in the browser.")] = False,
) -> None:
    """Serve the desk on this machine: the web pages to label, review and train."""
    from desk import server  # noqa: PLC0415  the other commands do not wait for the web server

    account: Account = ctx.obj
    server.serve(account, stacks.read_stack(account), port, open_browser=open_browser)


@models_app.callback()
def list_models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the model versions; approve or reject one, or change the live one's target."""
    if ctx.invoked_subcommand:
        return
    account: Account = ctx.obj
    versions = models.list_models(account, stacks.read_stack(account))
    live = models.live(versions)
    if as_json:
        lists.as_json([{**records.document(each), "state": each.state(each == live)} for each in versions])
    elif not versions:
        raise CommandError(models.no_model(account.command))
    else:
        lists.show_models(versions, live)
        if live is None:
            display.say(models.none_live(versions, account.command), "yellow")


@models_app.command(name="show")
def show_model(ctx: typer.Context, version: Version, as_json: AsJson = False) -> None:
    """Show what a version was made of: files, decisions, code, image, configuration."""
    account: Account = ctx.obj
    versions = models.list_models(account, stacks.read_stack(account))
    model = models.find(versions, version)
    state, made_of = model.state(model == models.live(versions)), lineage.read(account, model)
    if as_json:
        lists.as_json({**records.document(model), "state": state, "lineage": made_of})
    else:
        display.pairs(lineage.pairs(model, state, made_of))


@models_app.command()
def compare(  # noqa: PLR0913, PLR0917  the options of the command
    ctx: typer.Context,
    first: Version,
    second: Version,
    on: Annotated[
        Path | None,
        typer.Option("--on", metavar="FILE", help="The rows, best with categories, new to both."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="In place of a file: what people decided of a run."),
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of the text.")] = None,
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of the category.")] = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write the rows that differ; out/compare-6-7.csv, say."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions on a file or a run: where they differ, and which is right."""
    if (on is None) == (run is None) or (run and (text or label)):
        raise CommandError(
            "Name the rows: --on FILE, with --text and --label where the columns need names, or --run RUN "
            "for a run's file and what people decided of it."
        )
    account: Account = ctx.obj
    stack = stacks.read_stack(account)
    rows = (
        comparison.of_file(on, text, label)
        if on
        else comparison.of_run(account, stack, folder_of(account, stack, run))
    )
    made, targets = comparison.run(account, stack, (first, second), rows)
    path = to or Path("out") / f"compare-{first}-{second}.csv"
    comparison.write(made, path)
    if as_json:
        lists.as_json(comparison.document(made, targets))
    else:
        comparison.show(made, targets, path, rows.remark)


@models_app.command()
def approve(ctx: typer.Context, version: Version) -> None:
    """Approve a version; the newest approved one is live."""
    set_status(ctx.obj, version, models.APPROVED)


@models_app.command()
def reject(ctx: typer.Context, version: Version) -> None:
    """Reject a version; if it was live, the approved one before it is live again."""
    set_status(ctx.obj, version, models.REJECTED)


@models_app.command()
def promote(
    ctx: typer.Context,
    version: Version,
    to: Annotated[
        str, typer.Option(metavar="PROFILE/STACK", help="The other stack, of AWS with its profile.")
    ],
    to_region: Annotated[
        str | None, typer.Option(metavar="REGION", help="Of the other stack, if it is another.")
    ] = None,
) -> None:
    """Take a version to another stack, where it waits for approval."""
    account: Account = ctx.obj
    other = promotion.destination(account, to, to_region)
    source = promotion.Side(account, stacks.read_stack(account))
    target = promotion.Side(other, stacks.read_stack(other))
    made = promotion.promote(source, target, version)
    for remark in made.remarks:
        display.say(remark, "yellow")
    if not made.is_new:
        display.say(f"Version {version} is in {target.name} already, as its version {made.version}.")
        return
    display.say(f"Version {version} is version {made.version} of {target.name} now, and waits for approval.")
    display.say(f"Next: {other.command} models approve {made.version}")


@models_app.command()
def threshold(ctx: typer.Context, target: Target, no_wait: NoWait = False) -> None:
    """Let the live model accept more rows, or fewer, without a new training."""
    if not LEAST_TARGET <= target < 1:
        raise CommandError(
            f"{target:g} is no target: it must be a share of at least 0.5 and below 1: 0.95, say."
        )
    account: Account = ctx.obj
    made: ThresholdRequest = {"action": THRESHOLD, "target_precision": target}
    begin(account, stacks.read_stack(account), made, no_wait)


@app.command()
def forget(
    ctx: typer.Context,
    column: Annotated[str, typer.Option(metavar="NAME", help="The column that names a claim.")],
    value: Annotated[
        list[str], typer.Option(metavar="VALUE", help="What stands there; may be given several times.")
    ],
    yes: Annotated[bool, typer.Option("--yes", metavar="", help="Delete; without it only say what.")] = False,
) -> None:
    """Delete a claim's rows from all files in all versions, and say which models have learned from them."""
    account: Account = ctx.obj
    claim = Claim(column, frozenset(each.strip() for each in value))
    if "" in claim.values:
        raise CommandError("--value is empty: name the claim to forget.")
    stack = stacks.read_stack(account)
    with display.working("Searching all files" if not yes else "Forgetting") as tell:
        made = erasure.erase(account, stack, claim, tell, do=yes)
    words.say(account, claim, made, done=yes)
    if made.unread:
        raise typer.Exit(outcome.EXIT_FAILED)


@app.command()
def delete(
    ctx: typer.Context,
    everything: Annotated[
        bool,
        typer.Option("--everything", metavar="", help="Files, results, models and decisions too, for good."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", metavar="", help="Do not ask for the stack's name.")] = False,
) -> None:
    """Delete the stack, and say what is left; with --everything also what it keeps, even afterwards."""
    account: Account = ctx.obj
    there = _is_there(account, everything=everything)
    if not yes:
        lost = (
            "and every file, result, model and decision in it"
            if everything
            else "and the entries of its model registry; files, results and decisions stay"
        )
        display.say(f"This deletes the stack {account.stack} {lost}, for good.")
        if typer.prompt("Type the stack's name to go on") != account.stack:
            raise CommandError("That is not its name: nothing was deleted.")
    if there:
        for step in stacks.delete(account):
            display.say(step)
    left = stacks.kept(account)
    if everything:
        for step in stacks.delete_kept(account, left):
            display.say(step)
    display.say(f"The stack {account.stack} is deleted.", "green")
    if left and not everything:
        if named := (*left.buckets, *left.tables):
            display.say(
                f"It leaves {', '.join(named)}: files, results, models and what people decided. "
                f"`{account.command} delete --everything` deletes them too."
            )
        for key in left.keys:
            display.say(
                f"It leaves the key {key}, without which nobody reads what it encrypted. "
                f"`{account.command} delete --everything` deletes it with the rest, "
                f"`aws kms schedule-key-deletion --key-id {key}` alone."
            )


@app.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    options_metavar="up|down|status|env|logs …",
)
def local(ctx: typer.Context) -> None:
    """Start, stop or look into the local AWS: up, down, reset, status, env, logs."""
    raise typer.Exit(programs.local_aws(ctx.args or ["--help"]))


def folder_of(account: Account, stack: stacks.Stack, run: str | None) -> str:
    """Return the folder of a run's files; without a name that of the newest run, which is then told."""
    folder, found_run = results.choose(account, stack, run)
    if found_run and not run:
        display.whose(found_run, "The newest run,")
    return folder


def answered() -> str:
    """Return what a person types; the end of the input, or Ctrl-C, ends a review."""
    try:
        return input("> ")
    except (EOFError, KeyboardInterrupt):
        return review.QUIT


def deploys_to(ctx: typer.Context, stage: str) -> Account:
    """Return the account with the stack to deploy: the one named, else the stage's own."""
    account: Account = ctx.obj
    source = ctx.parent.get_parameter_source("stack_name") if ctx.parent else None
    if account.local or (source and source.name != "DEFAULT"):
        return account
    return replace(account, stack=programs.stage_stack(stage))


def send(account: Account, stack: stacks.Stack, file: Path) -> submission.Uploaded:
    """Upload a file, showing a big one on its way."""
    with display.uploading(file) as progress:
        return submission.upload(account, stack, file, progress)


def submit(  # noqa: PLR0913  what the options say
    account: Account,
    action: Action,
    files: list[Path],
    predict: Path | None,
    config: Path | None,
    *,
    explain: bool,
    no_wait: bool,
    replace: bool = False,
    limits: submission.Limits | None = None,
) -> None:
    """Upload what a command names, start a run with it and, unless told not to wait, follow it to its end."""
    settings = submission.read_config(config) if config else None
    for each in filter(None, (*files, predict)):
        submission.check_file(each)
    stack = stacks.read_stack(account)
    if explain:
        settings = submission.explained(account, stack, settings)
    data, *more = [send(account, stack, file) for file in files]
    also = send(account, stack, predict) if predict else None
    made = submission.request(action, data, also, settings, more=more, replace=replace, limits=limits)
    begin(account, stack, made, no_wait)


def begin(account: Account, stack: stacks.Stack, request: Request | ThresholdRequest, no_wait: bool) -> None:
    """Start a run and, unless told not to wait, follow it to its end; exits with what it came to."""
    follow_on(account, submission.start(account, stack, request), no_wait)


def follow_on(account: Account, arn: str, no_wait: bool) -> None:
    """Name a run that goes on now and, unless told not to wait, follow it to its end."""
    name = arn.rsplit(":", 1)[-1]
    display.say(f"Run {name}")
    if no_wait:
        display.say(f"Follow it with: {account.command} status {name} --follow")
        return
    watch(account, arn)


def watch(account: Account, arn: str) -> None:
    """Follow a run to its end and exit with what it came to; Ctrl-C ends only the watching."""
    try:
        ended = follow(account, arn)
    except KeyboardInterrupt:
        name = arn.rsplit(":", 1)[-1]
        display.say(f"The run goes on. Watch it again with: {account.command} status {name} --follow")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    display.summary(ended, account)
    if ended.status == "SUCCEEDED" and "run" in ended.data:
        display.say(f"Download: {account.command} results {ended.name}")
    raise typer.Exit(outcome.exit_code(ended))


def follow(account: Account, arn: str) -> runs.Run:
    """Show a run until it has ended; returns it as it ended."""
    return display.watch(runs.follow(account, arn), lambda run: training_log.last_line(account, run.steps))


def set_status(account: Account, version: int, status: "ModelApprovalStatusType") -> None:
    """Approve or reject a version and say which is live then."""
    versions = models.set_status(account, stacks.read_stack(account), version, status)
    live = models.live(versions)
    display.say(f"Version {version}: {status.lower()}.")
    display.say(f"Live: version {live.version}." if live else models.none_live(versions, account.command))
    if status == models.APPROVED and live and live.version > version:
        display.say(
            f"Version {version} is older, so it is not live: `{account.command} models reject "
            f"{live.version}` brings it back."
        )


if __name__ == "__main__":
    main()


def _is_there(account: Account, *, everything: bool) -> bool:
    """Return whether the stack is there; without it, only what it left can be deleted."""
    try:
        stacks.describe(account)
    except StackMissingError:
        if not everything or not stacks.kept(account):
            raise
        return False
    return True
