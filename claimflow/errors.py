"""What can go wrong, told in one sentence that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from model.errors import ModelError
from workflow.account import Account
from workflow.errors import CommandError, told


class ClaimflowError(Exception):
    """What was asked for cannot be done; the text says why and what to do."""


@contextmanager
def one_sentence(account: Account | None = None) -> Iterator[None]:
    """Turn what goes wrong in a model, a command or AWS into a ClaimflowError with its sentence."""
    try:
        yield
    except (CommandError, ModelError) as error:
        raise ClaimflowError(str(error)) from error
    except (BotoCoreError, ClientError, Boto3Error, OSError) as error:
        account = account or Account()
        raise ClaimflowError(str(told(error, account.deploy_command, local=account.local))) from error
