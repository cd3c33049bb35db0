"""The local AWS in place of an account, for all AWS SDKs of a process."""

import os

from claimflow.errors import one_sentence
from workflow import stack as stacks
from workflow.account import Account


def use_local_aws() -> None:
    """Let every AWS SDK in this process use the local AWS, with keys that open nothing else.

    Clients and sessions that were made before keep what they have, so call it first.

    Raises:
        ClaimflowError: the local AWS is not running

    """
    account = Account(local=True)
    with one_sentence(account):
        stacks.check_reachable(account)
        wanted = account.environment()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(wanted)
