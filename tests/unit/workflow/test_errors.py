import pytest
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as boto

from workflow.errors import NOT_RUNNING, told

DEPLOY, LOCAL_DEPLOY = "claimflow deploy", "claimflow --local deploy"


def client_error(code: str) -> boto.ClientError:
    return boto.ClientError({"Error": {"Code": code, "Message": "a b\nc."}}, "StartExecution")


def uploading(cause: Exception) -> S3UploadFailedError:
    error = S3UploadFailedError("it did not\narrive")
    error.__context__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (boto.NoCredentialsError(), "No AWS credentials were found"),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), "No AWS credentials were found"),
        (boto.NoRegionError(), "No AWS region is set"),
        (boto.ProfileNotFound(profile="mine"), "The config profile (mine) could not be found"),
        (client_error("ExpiredToken"), "credentials have expired: sign in again"),
        (client_error("ExpiredTokenException"), "credentials have expired: sign in again"),
        (boto.UnauthorizedSSOTokenError(), "credentials have expired: sign in again"),
        (boto.TokenRetrievalError(provider="sso", error_msg="x"), "credentials have expired: sign in again"),
        (client_error("AccessDeniedException"), "not allowed to call StartExecution: ask"),
        (client_error("AccessDenied"), "not allowed to call StartExecution: ask"),
        (client_error("403"), "not allowed to call StartExecution: ask"),
        (client_error("InvalidClientTokenId"), "does not accept these credentials"),
        (client_error("SignatureDoesNotMatch"), "does not accept these credentials"),
        (client_error("ThrottlingException"), "wait a minute"),
        (client_error("NoSuchBucket"), "run `claimflow deploy`"),
        (client_error("StateMachineDoesNotExist"), "run `claimflow deploy`"),
        (client_error("Odd"), "AWS refused StartExecution (Odd): a b c."),
        (boto.EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached: check the network"),
        (boto.ConnectTimeoutError(endpoint_url="https://x"), "AWS cannot be reached: check the network"),
        (boto.ReadTimeoutError(endpoint_url="https://x"), "AWS cannot be reached: check the network"),
        (boto.ProxyConnectionError(proxy_url="http://x"), "AWS cannot be reached: check the network"),
        (uploading(client_error("AccessDenied")), "not allowed to call StartExecution: ask"),
        (uploading(ValueError()), "Working with AWS failed: it did not arrive."),
        (NotADirectoryError(20, "Not a directory", "out/x"), "out/x cannot be used: Not a directory."),
        (OSError(28, "No space left on device"), "The output cannot be written: No space left on device."),
        (boto.DataNotFoundError(data_path="x"), "Working with AWS failed"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_of_aws_is_told_in_one_sentence_with_what_to_do(error: Exception, sentence: str) -> None:
    text = str(told(error, DEPLOY, local=False))
    assert sentence in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "error",
    [
        boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"),
        boto.ConnectionClosedError(endpoint_url="http://127.0.0.1:4566"),
        boto.ConnectTimeoutError(endpoint_url="http://127.0.0.1:4566"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_local_aws_that_does_not_answer_is_to_be_started(error: Exception) -> None:
    assert str(told(error, LOCAL_DEPLOY, local=True)) == NOT_RUNNING.format(deploy=LOCAL_DEPLOY)


def test_a_local_aws_that_is_started_again_needs_no_new_deployment() -> None:
    assert "`claimflow local up`, and deploy with `{deploy}` if nothing is deployed yet" in NOT_RUNNING


def test_a_sentence_names_the_command_for_the_local_aws() -> None:
    assert "run `claimflow --local deploy`" in str(
        told(client_error("NoSuchBucket"), LOCAL_DEPLOY, local=True)
    )
