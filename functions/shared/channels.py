"""The channels of a training job: where SageMaker finds what it reads."""

from typing import cast

from contract import keys
from contract.errors import StorageError
from contract.evaluation import Card
from contract.state import Channel, Run
from shared import settings, storage


def channels(run: Run, challenger: str | None = None) -> list[Channel]:
    """Return the InputDataConfig of a run's training.

    Args:
        run: the `run` of the state
        challenger: the address of its model.tar.gz, if it was trained already and is only to be compared

    """
    artifacts, live = settings.artifacts_bucket(), run["live_model"]
    inputs = [
        _channel(name, f"s3://{artifacts}/{keys.channel(run['id'], name)}", "text/csv")
        for name in (keys.TRAIN, keys.VALIDATION)
    ]
    if live:
        inputs.append(_model(keys.CHAMPION, live["model_uri"]))
        if held_out := _held_out(live["card"]):
            inputs.append(_channel(keys.CHAMPION_VALIDATION, held_out, "text/csv"))
    if challenger:
        inputs.append(_model(keys.CHALLENGER, challenger))
    return inputs


def trial_channels(run: Run) -> list[Channel]:
    """Return the InputDataConfig of a trial: training rows to learn from, and others that judge it."""
    artifacts = settings.artifacts_bucket()
    names = {keys.TRAIN: keys.TRIAL_TRAIN, keys.VALIDATION: keys.TRIAL_VALIDATION}
    return [
        _channel(name, f"s3://{artifacts}/{keys.channel(run['id'], folder)}", "text/csv")
        for name, folder in names.items()
    ]


def _held_out(card: str | None) -> str | None:
    """Return where the rows lie that judged a model; a channel without an object fails the training."""
    if card is None:
        return None
    try:
        folder = cast("Card", storage.read_json(card))["held_out"]
    except (StorageError, KeyError, ValueError):
        return None
    location = storage.parse_uri(folder)
    return folder if next(storage.list_objects(location), None) else None


def _model(name: str, model_uri: str) -> Channel:
    # The folder of model.tar.gz: a channel takes a prefix, and gives the files below it.
    return _channel(name, model_uri.rsplit("/", 1)[0] + "/", "application/x-tar")


def _channel(name: str, prefix: str, content_type: str) -> Channel:
    source = {"S3DataType": "S3Prefix", "S3Uri": prefix, "S3DataDistributionType": "FullyReplicated"}
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "ContentType": content_type,
        "InputMode": "File",
    }
