"""Where the local AWS lies and how it is reached, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
HOST = "127.0.0.1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

_INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "TZ", "USER")
_REPOSITORY = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A setting cannot be used; the message says which and what is allowed."""


@dataclass(frozen=True)
class Settings:
    """What the commands and the server need to know.

    `roles` lets everything in a stack do only what its role allows.
    `grace_seconds` is how long a job that is told to stop may take (SageMaker gives 120 s, Batch 30 s).
    `wait_scale` shortens Wait states and the pauses between retries.
    """

    repository: Path
    folder: Path
    port: int
    programs: Path
    grace_seconds: float
    wait_scale: float
    roles: bool

    @property
    def endpoint(self) -> str:
        """The address of every service."""
        return f"http://{HOST}:{self.port}"

    @property
    def jobs(self) -> Path:
        """One folder a running or failed job."""
        return self.folder / "jobs"

    @property
    def pids(self) -> Path:
        """One file a running job process, so that `down` finds them even after the server died."""
        return self.folder / "pids"

    @property
    def temporary(self) -> Path:
        """Scratch space of the server, unpacked Lambda code above all."""
        return self.folder / "tmp"

    @property
    def kept(self) -> Path:
        """What outlasts the server, see `kept`."""
        return self.folder / "kept"

    @property
    def server_log(self) -> Path:
        """What the server itself writes."""
        return self.folder / "server.log"

    @property
    def path(self) -> str:
        """PATH of jobs: the container programs, then the project's own environment."""
        parts = (self.programs, self.repository / ".venv" / "app" / "bin")
        return os.pathsep.join([*map(str, parts), os.environ.get("PATH", os.defpath)])

    def client_environment(self) -> dict[str, str]:
        """Return the variables with which any AWS SDK or CLI talks to this server and to nothing else."""
        return {"AWS_ENDPOINT_URL": self.endpoint, **CREDENTIALS, "AWS_DEFAULT_REGION": REGION}


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of this environment.

    Raises:
        SettingsError: a number is not one.

    """
    folder = environment.get("CLAIMFLOW_LOCAL_DIR")
    programs = environment.get("CLAIMFLOW_PROGRAMS")
    return Settings(
        repository=_REPOSITORY,
        folder=Path(folder).absolute() if folder else _REPOSITORY / ".claimflow" / "local",
        port=_port(environment.get("CLAIMFLOW_LOCAL_PORT") or "4566"),
        programs=Path(programs).absolute() if programs else _REPOSITORY / "container",
        grace_seconds=_seconds(environment, "CLAIMFLOW_LOCAL_GRACE_SECONDS", "10"),
        wait_scale=_seconds(environment, "CLAIMFLOW_LOCAL_WAIT_SCALE", "0.02"),
        roles=environment.get("CLAIMFLOW_LOCAL_ROLES") == "1",
    )


def inherited_environment() -> dict[str, str]:
    """Return the few variables that a server or job inherits: no AWS, proxy or Python settings."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise SettingsError(f"CLAIMFLOW_LOCAL_PORT is {text!r}; it must be a port number from 1 to 65535.")
    return int(text)


def _seconds(environment: Mapping[str, str], name: str, default: str) -> float:
    text = environment.get(name) or default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise SettingsError(f"{name} is {text!r}; it must be a number that is not negative.")
    return value
