"""The first deployment in docs/operations.md: what its commands say, done on a local AWS from nothing.

`tests/workflow/test_first_deployment.py` runs them, leaves what they said in out/first_deployment.md, and
fails where the page says something else. `make transcript` does that and takes it into the page.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "operations.md"
MADE = ROOT / "out" / "first_deployment.md"
STACK = "claimflow"
LABELLED_ROWS, OPEN_ROWS = 2000, 200
HANGING_SECONDS = 900  # after which a command counts as hanging

BEGIN, END = "<!-- transcript begins -->\n", "<!-- transcript ends -->"
DEPLOYED = "Deployed."
_PROGRESS = re.compile(r"\d\d:\d\d:\d\d ")
_TOLD = 3  # words of a line that say what it is about
_BLOCK = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A part of the first day: what is done and what to look at, and its commands."""

    title: str
    text: str
    commands: tuple[str, ...] = ()
    exit_codes: tuple[int, ...] = ()
    """Of the commands, where one is not 0."""


STEPS = (
    Step(
        "Before: ask for quotas",
        """A new account may start few machines. Ask under Service Quotas, a day ahead, for *ml.m5.xlarge
for training job usage* (SageMaker; *… for spot training job usage* with `UseSpotTraining=true`), *All
Standard Spot Instance Requests* (EC2, in vCPUs, as many as `MaxvCpus`; *Running On-Demand Standard
instances* with `BatchSpot=false`), and *Concurrent executions* (Lambda). Nothing here needs a GPU.""",
    ),
    Step(
        "First hour: the stack",
        """On AWS: `make image image-test`, then `claimflow deploy --stage prod --image claimflow`, and
each command below with `--stack claimflow-prod` in place of `--local`. The local AWS runs the programs of
the checkout, so it needs no image.""",
        ("claimflow --local deploy",),
    ),
    Step(
        "Who is told",
        """Give `NotificationEmail` when you deploy: AWS sends two mails, each with a link to confirm,
for what runs say and for the alarms. Others subscribe as below, and confirm. Each alarm has an entry
[above](#what-the-stack-tells-by-itself).""",
        (
            "aws sns subscribe --topic-arn NotificationTopic --protocol email --notification-endpoint "
            "claims@example.org --query SubscriptionArn",
            f"aws cloudwatch describe-alarms --alarm-name-prefix {STACK} --query length(MetricAlarms)",
        ),
    ),
    Step(
        "Before there is a model",
        "Nothing can be labelled yet, and the command says so in a sentence (its exit status is 1).",
        ("claimflow --local models",),
        (1,),
    ),
    Step(
        "Second hour: the first training",
        f"""Of a labelled file, here the first {LABELLED_ROWS:,} sample claims, with n-grams alone. Look
at *Accuracy*, at the bar, and at the report.""",
        ("claimflow --local train labelled.csv --config config.json", "claimflow --local models"),
    ),
    Step(
        "The first prediction",
        f"""Of {OPEN_ROWS} other claims. Look at how many rows are for review, and at the sentence on
what would let fewer be.""",
        ("claimflow --local predict open.csv", "claimflow --local runs"),
    ),
    Step(
        "Third hour: try what you will need at night",
        "Roll a model back and forth. Then look that nothing waits in [the two queues](#undelivereduploads).",
        (
            "claimflow --local models reject 1",
            "claimflow --local models approve 1",
        ),
    ),
    Step(
        "And away again",
        "`--everything` deletes the data too: only where it was a trial.",
        ("claimflow --local delete --yes --everything",),
    ),
)


def transcript(folder: Path, environment: Mapping[str, str]) -> str:
    """Run every command in a folder and return the transcript as Markdown.

    Raises RuntimeError for a command that ends otherwise than it should.
    """
    _files(folder)
    parts = []
    outputs: dict[str, str] = {}
    for step in STEPS:
        parts += [f"### {step.title}", step.text]
        said = []
        for command, code in zip(step.commands, step.exit_codes or (0,) * len(step.commands), strict=True):
            if command.startswith("aws") and not outputs:
                outputs = _outputs(folder, environment)
            lines = _said(command, code, outputs, folder, environment)
            if DEPLOYED in lines:  # what SAM says before differs with its pace
                lines = ["…", *lines[lines.index(DEPLOYED) :]]
            said += [f"$ {command}", *(_steady(line, folder) for line in lines)]
        if said:
            parts.append("\n".join(["```text", *said, "```"]))
    return "\n\n".join(parts) + "\n"


def into(page: str, made: str) -> str:
    """Return a page with another transcript between its two marks."""
    return _BLOCK.sub(lambda _: f"{BEGIN}\n{made}\n{END}", page)


def of(page: str) -> str:
    """Return the transcript that stands in a page."""
    found = _BLOCK.search(page)
    return found[0].removeprefix(BEGIN).removesuffix(END).strip() + "\n" if found else ""


def shape(made: str) -> list[str]:
    """Return how the lines of a transcript begin, without what differs each time: figures and progress."""
    lines = [line.split() for line in made.splitlines() if line.strip() and not _PROGRESS.match(line)]
    return [re.sub(r"\d[\d,.]*", "0", " ".join(words[:_TOLD])) for words in lines]


def main() -> int:
    """Take what the test left into the page; returns the exit code."""
    if not MADE.exists():
        print(f"There is no {MADE.relative_to(ROOT)}: run `make transcript`.", file=sys.stderr)
        return 1
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(into(page, MADE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def _files(folder: Path) -> None:
    for source, name, rows in (
        ("claims_train.csv", "labelled.csv", LABELLED_ROWS),
        ("claims_predict.csv", "open.csv", OPEN_ROWS),
    ):
        with (ROOT / "examples" / source).open(encoding="utf-8", newline="") as file:
            (folder / name).write_text("".join(islice(file, rows + 1)), encoding="utf-8", newline="")
    (folder / "config.json").write_text('{"architecture": "ngram"}\n', encoding="utf-8")


def _said(
    command: str, code: int, outputs: Mapping[str, str], folder: Path, environment: Mapping[str, str]
) -> list[str]:
    """Run a command, outputs of the stack in place of their names; return the lines that it wrote."""
    done = subprocess.run(
        [outputs.get(word, word) for word in command.split()],
        cwd=folder,
        env={**environment, "COLUMNS": "110"},
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGING_SECONDS,
    )
    if done.returncode != code:
        raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return [line.rstrip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]


def _steady(line: str, folder: Path) -> str:
    """Return a line without what AWS or this machine makes up: ends of names, folders."""
    line = line.replace(f"{folder}{os.sep}", "").replace(str(ROOT), "~/claimflow")
    line = re.sub(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "…", line)
    line = re.sub(
        rf"\b({STACK}-[a-z]+(?:bucket|table|repository)?)-[0-9a-z]{{8,}}\b",
        r"\1-…",
        line,
        flags=re.IGNORECASE,
    )
    line = re.sub(r"-\d{6}-\d{6}-[0-9a-f]{4}\b", "-…", line)
    return re.sub(r"-[0-9a-f]{12,16}\b", "-…", line)


def _outputs(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    query = "Stacks[0].Outputs[].[OutputKey,OutputValue]"
    listed = _said(
        f"aws cloudformation describe-stacks --stack-name {STACK} --output text --query {query}",
        0, {}, folder, environment,
    )  # fmt: skip
    return dict(line.split("\t", 1) for line in listed)


if __name__ == "__main__":
    sys.exit(main())
