"""Bringing an image from this machine into the stack's repository, and the stack to it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.workflow.fakes import OUTPUTS, FakeCloudFormation
from workflow import deployment, programs
from workflow import image as images
from workflow.account import Account
from workflow.errors import CommandError
from workflow.image import LocalImage

ID = "c0ffee" + "0" * 58
REPOSITORY = OUTPUTS["RepositoryUri"]
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": f"sha256:{ID}"},
        "layers": [],
    }
)
IMAGE = LocalImage("podman", "claimflow", "0123456789ab-c0ffee000000")


class Engine:
    """A podman that has one image, and puts what it pushes into the account's repository."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.asked: list[list[str]] = []
        self.passwords: list[str] = []
        self.labels: dict[str, str] | None = {images.REVISION: "0123456789ab"}
        self.fails = ""

    def __call__(self, command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
        asked = list(command[1:])
        self.asked.append(asked)
        if asked[0] == self.fails:
            return subprocess.CompletedProcess(asked, 125, "", "Error: first\nError: no space left\n")
        if asked[0] == "login":
            self.passwords.append(text)
        if asked[0] == "push":
            repository, tag = asked[1].split("/", 1)[1].split(":")
            self.account.ecr.put_image(repositoryName=repository, imageManifest=MANIFEST, imageTag=tag)
        if asked[:2] == ["image", "inspect"] and asked[2] != "claimflow":
            return subprocess.CompletedProcess(asked, 125, "", "no such image")
        described = [{"Id": ID, "Config": {"Labels": self.labels}}]
        return subprocess.CompletedProcess(asked, 0, json.dumps(described), "")


@pytest.fixture
def engine(account: Account, monkeypatch: pytest.MonkeyPatch) -> Engine:
    account.ecr.create_repository(repositoryName="claimflow", imageTagMutability="IMMUTABLE")
    made = Engine(account)
    monkeypatch.setattr(images, "_asked", made)
    monkeypatch.setattr(images.shutil, "which", lambda name: f"/usr/bin/{name}" if name == "podman" else None)
    return made


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Return the parameters of each deployment."""
    made: list[dict[str, str]] = []

    def deploy(*_: object, parameters: dict[str, str] | None = None) -> None:
        made.append(parameters or {})

    monkeypatch.setattr(programs, "build_and_deploy", deploy)
    return made


def test_a_tag_names_the_commit_and_the_image(engine: Engine) -> None:
    assert images.find("claimflow") == IMAGE


def test_an_image_without_a_commit_has_a_tag_too(engine: Engine) -> None:
    engine.labels = None
    assert images.find("claimflow").tag == "unknown-c0ffee000000"


def test_an_image_that_is_not_there_is_told(engine: Engine) -> None:
    with pytest.raises(
        CommandError, match=r"There is no image other on this machine: `make image` builds it\."
    ):
        images.find("other")


def test_without_podman_and_docker_there_is_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images.shutil, "which", lambda _: None)
    with pytest.raises(CommandError, match="Neither podman nor docker is installed"):
        images.find("claimflow")


def test_a_pushed_image_is_named_by_the_digest_that_the_repository_gives(
    account: Account, engine: Engine
) -> None:
    digest = images.push(account, IMAGE, REPOSITORY, lambda _: None)
    (found,) = account.ecr.describe_images(repositoryName="claimflow")["imageDetails"]
    assert digest == found["imageDigest"]
    assert found["imageTags"] == [IMAGE.tag]


def test_the_registrys_password_goes_through_the_standard_input(account: Account, engine: Engine) -> None:
    images.push(account, IMAGE, REPOSITORY, lambda _: None)
    assert len(engine.passwords[0]) > 0
    assert not any(engine.passwords[0] in word for command in engine.asked for word in command)


def test_an_image_that_is_in_the_repository_is_not_pushed_again(account: Account, engine: Engine) -> None:
    first = images.push(account, IMAGE, REPOSITORY, lambda _: None)
    engine.asked.clear()
    assert images.push(account, IMAGE, REPOSITORY, lambda _: None) == first
    assert engine.asked == []


@pytest.mark.parametrize("step", ["login", "tag", "push"])
def test_a_push_that_fails_says_why(account: Account, engine: Engine, step: str) -> None:
    engine.fails = step
    with pytest.raises(CommandError, match=rf"^`podman {step}` failed: Error: no space left\.$"):
        images.push(account, IMAGE, REPOSITORY, lambda _: None)


def test_the_local_aws_is_pushed_to_at_its_own_address() -> None:
    assert images._reached(Account(local=True), REPOSITORY) == "127.0.0.1:4566/claimflow"
    assert images._reached(Account(), REPOSITORY) == REPOSITORY


def test_a_stack_takes_the_image_and_everything_else_in_one_deployment(
    account: Account, engine: Engine, deployed: list[dict[str, str]]
) -> None:
    deployment.deploy(account, "dev", IMAGE, lambda _: None)
    (image,) = account.ecr.describe_images(repositoryName="claimflow")["imageDetails"]
    assert deployed == [{"ImageDigest": image["imageDigest"]}]


def test_a_stack_that_is_not_there_makes_its_repository_first(
    account: Account,
    engine: Engine,
    deployed: list[dict[str, str]],
    cloudformation: FakeCloudFormation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del cloudformation.stacks["claimflow"]

    def deploy(*_: object, parameters: dict[str, str] | None = None) -> None:
        deployed.append(parameters or {})
        cloudformation.stacks["claimflow"] = OUTPUTS

    monkeypatch.setattr(programs, "build_and_deploy", deploy)
    deployment.deploy(account, "dev", IMAGE, lambda _: None)
    assert [sorted(each) for each in deployed] == [[], ["ImageDigest"]]


def test_without_an_image_the_stack_keeps_the_one_that_it_has(
    account: Account, deployed: list[dict[str, str]]
) -> None:
    deployment.deploy(account, "dev", None, lambda _: None)
    assert deployed == [{}]


def test_the_parameter_is_one_of_the_template() -> None:
    template = (Path(programs.ROOT) / "template.yaml").read_text(encoding="utf-8")
    assert f"  {images.PARAMETER}:\n    Type: String" in template
