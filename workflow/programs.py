"""The other programs that commands run: SAM to deploy, and the local AWS. Both need the checkout."""

import os
import shlex
import shutil
import subprocess
import tomllib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from workflow.account import DEFAULT_STACK, Account
from workflow.errors import CommandError

ROOT = Path(__file__).resolve().parent.parent
STAGES = "samconfig.toml"
BUILT = Path(".aws-sam", "build", "template.yaml")
KEPT_LINES = 25

Tell = Callable[[str], None]


class ProgramFailedError(CommandError):
    """A program ended badly; `lines` is the last that it wrote."""

    def __init__(self, sentence: str, lines: Sequence[str]) -> None:
        super().__init__(sentence)
        self.lines = list(lines)


def build_and_deploy(
    account: Account,
    stage: str,
    tell: Tell,
    root: Path = ROOT,
    parameters: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Build the functions and deploy the stack, `tell`ing each line that SAM writes.

    `parameters` of the template go before the stage's; what neither says stays as it is deployed.
    Raises ProgramFailedError, or CommandError if SAM, the template or the stage's settings are missing.
    """
    sam = str(find_sam(root))
    if not (root / "template.yaml").exists():
        raise CommandError(f"There is no template.yaml in {root}: deploy from a checkout of Claimflow.")
    stage = "local" if account.local else stage
    settings = _deploy_settings(stage, root)
    folder = _build_folder(account, stage, root)
    run([sam, *build_arguments(stage, root)], folder, account.environment(), tell)
    # What plain `sam build` made is older now: plain `sam deploy` must not bring it back.
    (root / BUILT).unlink(missing_ok=True)
    start = run_in_terminal if settings.get("confirm_changeset") else run
    start([sam, *deploy_arguments(account, stage, root, parameters)], folder, account.environment(), tell)


def stage_stack(stage: str, root: Path = ROOT) -> str:
    """Return the name of a stage's stack; raises CommandError if samconfig.toml has no such stage."""
    return str(_deploy_settings(stage, root).get("stack_name", DEFAULT_STACK))


def build_arguments(stage: str, root: Path) -> list[str]:
    """Return the arguments of `sam build`."""
    return ["build", *_stage_arguments(stage, root), "--template-file", str(root / "template.yaml")]


def deploy_arguments(
    account: Account, stage: str, root: Path, parameters: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """Return the arguments of `sam deploy` for the account and what was built in the same folder."""
    overrides = _overrides(stage, root, parameters) if parameters else []
    region = ["--region", account.region] if account.region and not account.local else []
    return [
        "deploy", *_stage_arguments(stage, root), "--template-file", str(BUILT),
        "--stack-name", account.stack, "--no-fail-on-empty-changeset", *region, *overrides,
    ]  # fmt: skip


def find_sam(root: Path = ROOT) -> Path:
    """Return the path of the SAM CLI: the project's own, else the one on PATH."""
    own = root / ".venv" / "sam" / "bin" / "sam"
    path = str(own) if own.exists() else shutil.which("sam")
    if path is None:
        raise CommandError("The SAM CLI is not installed: run `make setup` in the checkout.")
    return Path(path)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], tell: Tell) -> None:
    """Run a program to its end, `tell`ing each line it writes.

    Raises ProgramFailedError if its exit code is not 0.
    """
    lines: deque[str] = deque(maxlen=KEPT_LINES)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            if line.strip():
                lines.append(line.rstrip())
                tell(line.rstrip())
    if process.returncode:
        raise ProgramFailedError(_failed(command, process.returncode), lines)


def run_in_terminal(command: Sequence[str], folder: Path, environment: Mapping[str, str], tell: Tell) -> None:
    """Run a program that may ask questions; raises ProgramFailedError if its exit code is not 0."""
    tell("It shows the changes and asks before it makes them.")
    code = subprocess.run(command, cwd=folder, env=dict(environment), check=False).returncode
    if code:
        raise ProgramFailedError(_failed(command, code), [])


def local_aws(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Run a command of the local AWS in this terminal; returns its exit code."""
    return subprocess.run(_local_command(arguments, root), cwd=root, check=False).returncode


def start_local_aws(tell: Tell, root: Path = ROOT) -> None:
    """Start the local AWS unless it runs, `tell`ing each line it writes; raises ProgramFailedError."""
    run(_local_command(["up"], root), root, os.environ, tell)


def _local_command(arguments: Sequence[str], root: Path) -> list[str]:
    python = root / ".venv" / "local" / "bin" / "python"
    if not python.exists():
        raise CommandError("The local AWS is not installed: run `make setup` in the checkout.")
    return [str(python), "-m", "local", *arguments]


def _build_folder(account: Account, stage: str, root: Path) -> Path:
    """Return each place that is deployed to a folder in which SAM runs and builds.

    SAM keeps what it installed beside its work, and two at once in one folder take it away from each other.
    """
    place = f"local-{urlsplit(account.endpoint).port}" if account.endpoint else stage
    folder = root / ".claimflow" / "build" / place
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _stage_arguments(stage: str, root: Path) -> list[str]:
    return ["--config-file", str(root / STAGES), "--config-env", stage]


def _deploy_settings(stage: str, root: Path) -> dict[str, Any]:
    stages = tomllib.loads((root / STAGES).read_text(encoding="utf-8"))
    if not isinstance(stages.get(stage), dict):
        names = ", ".join(name for name in stages if isinstance(stages[name], dict))
        raise CommandError(f"There is no stage {stage} in {STAGES}: name one of {names}, or write it there.")
    tables = [stages[stage].get(command, {}).get("parameters", {}) for command in ("global", "deploy")]
    return {key: value for table in tables for key, value in table.items()}


def _overrides(stage: str, root: Path, parameters: Mapping[str, str]) -> list[str]:
    """Return the argument that gives parameters: SAM takes it in place of all that the stage has."""
    given = _deploy_settings(stage, root).get("parameter_overrides", [])
    pairs = [pair.split("=", 1) for pair in (shlex.split(given) if isinstance(given, str) else given)]
    merged = {**dict(pairs), **parameters}
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in merged.items())]


def _failed(command: Sequence[str], code: int) -> str:
    what = " ".join([Path(command[0]).name, *command[1:2]]) if command[1] != "-m" else "claimflow local up"
    return f"`{what}` failed with exit code {code}: the lines above say why."
