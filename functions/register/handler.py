"""Lambda: a model that passed the Gate in, its version in the registry out."""

import json

from register import package, publish
from shared import aws, settings
from shared.keys import LIVE_KEYS
from shared.telemetry import Event, lambda_handler, logger


def _handle(event: Event) -> Event:
    live = settings.choice("CLAIMFLOW_APPROVAL", "automatic", "manual") == "automatic"
    model_uri = event["training"]["model_uri"]
    publish.check(model_uri)
    arn = _register(event, live=live)
    version = int(arn.rsplit("/", 1)[-1])
    if live:
        hyperparameters = event["run"]["hyperparameters"]
        publish.publish(model_uri, {key: json.loads(hyperparameters[key]) for key in LIVE_KEYS})
    subject, message = package.words(event, version, settings.model_group(), live=live)
    logger.info("Registered", extra={"version": version, "live": live})
    return {"arn": arn, "version": version, "live": live, "subject": subject, "message": message}


def _register(event: Event, *, live: bool) -> str:
    parameters = package.package(event, settings.model_group(), settings.text("CLAIMFLOW_IMAGE"), live=live)
    return aws.sagemaker().create_model_package(**parameters)["ModelPackageArn"]


handler = lambda_handler(_handle)
