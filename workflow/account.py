"""Where the commands work: an AWS account, or the local AWS with keys that open nothing else."""

import getpass
import os
import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from workflow.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_stepfunctions import SFNClient

DEFAULT_STACK = "claimflow"
LOCAL_KEY = "test"
LOCAL_REGION = "us-east-1"
CONNECTIONS = 40  # at most, to each service: as many as the desk has threads

# With these in place of its own, botocore reads neither the user's profiles nor their keys.
NO_USER_SETTINGS: dict[str, tuple[None, None, str | None, None]] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


class _Options(TypedDict):
    config: Config
    endpoint_url: str | None


@dataclass(frozen=True)
class Account:
    """An AWS account (or the local AWS) and the stack in it that the commands mean."""

    stack: str = DEFAULT_STACK
    local: bool = False
    region: str | None = None
    profile: str | None = None

    @property
    def endpoint(self) -> str | None:
        """The address of the local AWS; None for an AWS account; raises CommandError."""
        if not self.local:
            return None
        port = os.environ.get("CLAIMFLOW_LOCAL_PORT") or "4566"
        if not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise CommandError(f"CLAIMFLOW_LOCAL_PORT is {port!r}; it must be a port number from 1 to 65535.")
        return f"http://127.0.0.1:{port}"

    @property
    def command(self) -> str:
        """How to write `claimflow` for this account, for sentences that tell what to type next."""
        parts = ["claimflow"]
        if self.local:
            parts.append("--local")
        if self.stack != os.environ.get("CLAIMFLOW_STACK", DEFAULT_STACK):
            parts += ["--stack", self.stack]
        elsewhere = {} if self.local else {"--region": self.region, "--profile": self.profile}
        for option, value in elsewhere.items():
            parts += [option, value] if value else []
        return shlex.join(parts)

    @property
    def deploy_command(self) -> str:
        """How to write the command that deploys this stack; in AWS a stage's own counts without a name."""
        named = "" if self.local or "--stack" in self.command else f" --stack {shlex.quote(self.stack)}"
        return f"{self.command}{named} deploy"

    @property
    def caller(self) -> str | None:
        """Who gives the commands: the AWS identity, or on the local AWS the user of this machine."""
        try:
            if self.local:
                return getpass.getuser()
            identity = self.sts.get_caller_identity()["Arn"].split(":", 5)[-1]
        except (
            KeyError,
            OSError,
            BotoCoreError,
            ClientError,
        ):  # only to be told; a run starts without it too
            return None
        return re.sub("^(user|assumed-role)/", "", identity)

    @cached_property
    def session(self) -> boto3.Session:
        """The boto3 session; for the local AWS one that does not know the user's credentials."""
        if not self.local:
            return boto3.Session(profile_name=self.profile, region_name=self.region)
        return boto3.Session(
            aws_access_key_id=LOCAL_KEY,
            aws_secret_access_key=LOCAL_KEY,
            region_name=LOCAL_REGION,
            botocore_session=botocore.session.Session(session_vars=NO_USER_SETTINGS),
        )

    def environment(self) -> dict[str, str]:
        """Return the environment for programs that a command starts, with the same account in it."""
        if not self.local:
            variables = {
                "AWS_PROFILE": self.profile,
                "AWS_REGION": self.region,
                "AWS_DEFAULT_REGION": self.region,
            }
            return {**os.environ, **{key: value for key, value in variables.items() if value}}
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
            "AWS_ACCESS_KEY_ID": LOCAL_KEY,
            "AWS_SECRET_ACCESS_KEY": LOCAL_KEY,
            "AWS_REGION": LOCAL_REGION,
            "AWS_DEFAULT_REGION": LOCAL_REGION,
            "AWS_ENDPOINT_URL": str(self.endpoint),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"])),
        }

    @cached_property
    def s3(self) -> "S3Client":
        """Amazon S3."""
        return self.session.client("s3", **self._options())

    @cached_property
    def step_functions(self) -> "SFNClient":
        """AWS Step Functions."""
        return self.session.client("stepfunctions", **self._options())

    @cached_property
    def sagemaker(self) -> "SageMakerClient":
        """Amazon SageMaker."""
        return self.session.client("sagemaker", **self._options())

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """AWS CloudFormation."""
        return self.session.client("cloudformation", **self._options())

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """Amazon DynamoDB."""
        return self.session.client("dynamodb", **self._options())

    @cached_property
    def sts(self) -> Any:  # noqa: ANN401 - its types are not installed, for one call
        """AWS Security Token Service."""
        return self.session.client("sts", **self._options())

    @cached_property
    def kms(self) -> Any:  # noqa: ANN401 - its types are not installed, for two calls
        """AWS Key Management Service."""
        return self.session.client("kms", **self._options())

    @cached_property
    def ecr(self) -> Any:  # noqa: ANN401 - its types are not installed, for two calls
        """Amazon ECR."""
        return self.session.client("ecr", **self._options())

    @cached_property
    def batch(self) -> Any:  # noqa: ANN401 - its types are not installed, for two calls
        """AWS Batch."""
        return self.session.client("batch", **self._options())

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """Amazon CloudWatch Logs."""
        return self.session.client("logs", **self._options())

    def _options(self) -> _Options:
        if not self.local:
            return {
                "config": Config(
                    retries={"mode": "standard", "total_max_attempts": 5},
                    max_pool_connections=CONNECTIONS,
                ),
                "endpoint_url": None,
            }
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            connect_timeout=5,
            max_pool_connections=CONNECTIONS,
            proxies={},
            s3={"addressing_style": "path"},
        )
        return {"config": config, "endpoint_url": self.endpoint}
