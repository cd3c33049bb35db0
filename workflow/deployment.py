"""Deploying the stack, and the image that it runs, in one go."""

from workflow import image as images
from workflow import programs
from workflow.account import Account
from workflow.errors import StackMissingError
from workflow.image import LocalImage
from workflow.programs import Tell
from workflow.stack import OUTPUTS, describe, outputs_of


def deploy(account: Account, stage: str, image: LocalImage | None, tell: Tell) -> None:
    """Build and deploy the stack; with an image, push it first and let the stack take it with all else.

    A stack that is not there yet is deployed twice, as it makes the repository that the image is pushed to.
    """
    if image is None:
        programs.build_and_deploy(account, stage, tell)
        return
    repository = _repository(account)
    if repository is None:
        programs.build_and_deploy(account, stage, tell)
        repository = outputs_of(describe(account))[OUTPUTS["repository"]]
    digest = images.push(account, image, repository, tell)
    programs.build_and_deploy(account, stage, tell, parameters={images.PARAMETER: digest})


def _repository(account: Account) -> str | None:
    try:
        return outputs_of(describe(account)).get(OUTPUTS["repository"])
    except StackMissingError:
        return None
