"""What can go wrong for a person at the command line, each told in one sentence that says what to do.

CommandError            any of these; its text is the sentence
├── StackMissingError        nothing is deployed under the stack's name
└── ExecutionUnknownError    no run has that name
"""

from collections.abc import Sequence

from boto3.exceptions import Boto3Error
from botocore import exceptions as boto

SIGN_IN = (
    "The AWS credentials have expired: sign in again (for example `aws sso login`), then repeat the command."
)
NO_CREDENTIALS = (
    "No AWS credentials were found: run `aws configure`, name a profile with --profile, "
    "or put --local after `claimflow` to use the local AWS."
)
REFUSED = "AWS does not accept these credentials: check the keys or the profile that you use."
NO_REGION = "No AWS region is set: add --region, for example `claimflow --region eu-west-1 …`."
SLOW_DOWN = "AWS is taking fewer requests just now: wait a minute, then repeat the command."
NOT_RUNNING = (
    "The local AWS is not running: start it with `claimflow local up`, "
    "and deploy with `{deploy}` if nothing is deployed yet."
)
SENTENCES = {
    **dict.fromkeys(
        ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"], SIGN_IN
    ),
    **dict.fromkeys(
        [
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
        ],
        REFUSED,
    ),
    **dict.fromkeys(["Throttling", "ThrottlingException", "SlowDown", "TooManyRequestsException"], SLOW_DOWN),
    "NoSuchBucket": "A bucket of the stack is gone: run `{deploy}` to make it again.",
    "StateMachineDoesNotExist": "The state machine is gone: run `{deploy}` to make it again.",
}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
UNREACHABLE = (boto.HTTPClientError, boto.ConnectionError)
SETTINGS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((boto.NoCredentialsError, boto.PartialCredentialsError), NO_CREDENTIALS),
    ((boto.NoRegionError, boto.InvalidRegionError), NO_REGION),
    ((boto.CredentialRetrievalError, boto.LoginError, boto.SSOError, boto.TokenRetrievalError), SIGN_IN),
)


class CommandError(Exception):
    """A command cannot go on; the text says why and what to do."""


class StackMissingError(CommandError):
    """Nothing is deployed under the stack's name."""

    def __init__(self, stack: str, deploy: str, others: Sequence[str] = ()) -> None:
        there = f"name one of those here ({', '.join(others)})" if others else "name another"
        super().__init__(f"There is no stack '{stack}' here: run `{deploy}` first, or {there} with --stack.")


class ExecutionUnknownError(CommandError):
    """No run has that name."""

    def __init__(self, name: str, command: str) -> None:
        super().__init__(f"There is no run '{name}': `{command} runs` lists those there are.")


def told(error: Exception, deploy: str, local: bool) -> CommandError:
    """Return the sentence for an error of boto3 or of the operating system.

    `deploy` is the command that deploys the stack, `local` whether the local AWS was asked.
    """
    if isinstance(error, Boto3Error) and isinstance(error.__context__, boto.ClientError | boto.BotoCoreError):
        error = error.__context__  # a transfer's error wraps the one that says what happened
    if isinstance(error, boto.ClientError):
        return CommandError(_refusal(error, deploy))
    if isinstance(error, UNREACHABLE):
        return CommandError(_unreachable(error, deploy, local))
    if isinstance(error, boto.ProfileNotFound):
        return CommandError(f"{_one_line(str(error))}: `aws configure list-profiles` shows those there are.")
    for kinds, sentence in SETTINGS:
        if isinstance(error, kinds):
            return CommandError(sentence)
    return CommandError(_otherwise(error))


def _otherwise(error: Exception) -> str:
    if not isinstance(error, OSError):
        return f"Working with AWS failed: {_one_line(str(error))}."
    reason = error.strerror or _one_line(str(error))
    if error.filename is None:
        return f"The output cannot be written: {reason}."
    return f"{error.filename} cannot be used: {reason}."


def _refusal(error: boto.ClientError, deploy: str) -> str:
    code = error.response.get("Error", {}).get("Code", "")
    if code in SENTENCES:
        return SENTENCES[code].format(deploy=deploy)
    if code in DENIED:
        return (
            f"You are not allowed to call {error.operation_name}: "
            "ask whoever runs the AWS account for that permission."
        )
    message = error.response.get("Error", {}).get("Message", "no reason given")
    return f"AWS refused {error.operation_name} ({code}): {_one_line(message)}."


def _unreachable(error: Exception, deploy: str, local: bool) -> str:
    if local:
        return NOT_RUNNING.format(deploy=deploy)
    return f"AWS cannot be reached: check the network and the region ({_one_line(str(error))})."


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
