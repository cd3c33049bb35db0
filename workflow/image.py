"""The image that trains and predicts: from this machine into the stack's repository, named by its digest.

A push changes nothing that runs: the stack names its image by digest, and takes another when it is deployed.
"""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from workflow.account import Account
from workflow.errors import CommandError
from workflow.programs import Tell

PARAMETER = "ImageDigest"  # of the template
REVISION = "org.opencontainers.image.revision"
ENGINES = ("podman", "docker")


@dataclass(frozen=True)
class LocalImage:
    """An image of this machine, and the tag that is its alone: its commit, and the beginning of its id."""

    engine: str
    name: str
    tag: str


def find(name: str) -> LocalImage:
    """Return an image of this machine by its name; raises CommandError if it or its engine is missing."""
    engine = next(filter(shutil.which, ENGINES), None)
    if engine is None:
        raise CommandError("Neither podman nor docker is installed: install one of them to push an image.")
    done = _asked([engine, "image", "inspect", name])
    if done.returncode:
        raise CommandError(f"There is no image {name} on this machine: `make image` builds it.")
    described = json.loads(done.stdout)[0]
    revision = (described.get("Config", {}).get("Labels") or {}).get(REVISION) or "unknown"
    named = f"{revision}-{described['Id'].removeprefix('sha256:')[:12]}"
    return LocalImage(engine, name, re.sub(r"[^\w.-]", "-", named)[:128])


def push(account: Account, image: LocalImage, repository: str, tell: Tell) -> str:
    """Push an image to a repository, unless it is there; returns its digest.

    Raises CommandError if it cannot be pushed.
    """
    name = repository.split("/", 1)[1]
    digest = _digest(account, name, image.tag)
    if digest:
        tell(f"{image.tag} is in the repository already")
        return digest
    where = f"{_reached(account, repository)}:{image.tag}"
    # Docker knows by itself that a registry of this machine speaks no HTTPS.
    plain = ["--tls-verify=false"] if account.local and image.engine == "podman" else []
    _log_in(account, [image.engine, "login", *plain], where.split("/", 1)[0])
    for arguments in (["tag", image.name, where], ["push", *plain, where]):
        tell(f"{image.engine} {' '.join(arguments)}")
        done = _asked([image.engine, *arguments])
        if done.returncode:
            raise _failed([image.engine, *arguments], done)
    digest = _digest(account, name, image.tag)
    if digest is None:
        raise CommandError(f"{image.tag} was pushed and is not in {repository}: deploy again.")
    return digest


def _digest(account: Account, repository: str, tag: str) -> str | None:
    try:
        found = account.ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except account.ecr.exceptions.ImageNotFoundException:
        return None
    return next((str(each["imageDigest"]) for each in found["imageDetails"]), None)


def _reached(account: Account, repository: str) -> str:
    """Return where a repository is reached: the local AWS answers for all registries itself."""
    if account.endpoint is None:
        return repository
    return f"{urlsplit(account.endpoint).netloc}/{repository.split('/', 1)[1]}"


def _log_in(account: Account, login: Sequence[str], registry: str) -> None:
    """Log in to the registry, for twelve hours; the password goes through the standard input."""
    (given,) = account.ecr.get_authorization_token()["authorizationData"]
    user, password = base64.b64decode(given["authorizationToken"]).decode().split(":", 1)
    done = _asked([*login, "--username", user, "--password-stdin", registry], password)
    if done.returncode:
        raise _failed(login, done)


def _failed(command: Sequence[str], done: "subprocess.CompletedProcess[str]") -> CommandError:
    last = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
    return CommandError(f"`{' '.join(command[:2])}` failed: {last.rstrip('.')}.")


def _asked(command: Sequence[str], text: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(list(command), input=text, capture_output=True, text=True, check=False)
