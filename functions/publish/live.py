"""Makes what lies below `live/` in the artifacts bucket the files of one model version, or nothing."""

from contract import strict_json
from contract.errors import TrainingFailed
from contract.keys import CONFIG_BYTES, LIVE_KEYS, LIVE_PREFIX
from contract.state import LiveModel
from contract.strict_json import JsonError
from shared import artifact, storage
from shared.storage import Location

VERSION = "model-package"  # the metadata of a published file: the ARN of the version that it is of
CONTENT_TYPES = {
    artifact.WEIGHTS: "application/octet-stream",
    artifact.ENCODER: "application/json",
    artifact.CONFIG: "application/json",
}


def publish(model: LiveModel, bucket: str) -> bool:
    """Write the model's files to the addresses that its own configuration names, and remove all others.

    Returns:
        whether there was anything to do

    Raises:
        TrainingFailed: its artifact is not whole; no file has changed then

    """
    places = _places(bucket)
    if len(places) == len(LIVE_KEYS) and {_version(place) for place in places} == {model["arn"]}:
        return False
    artifact.check(model["model_uri"])
    with artifact.readable(model["model_uri"]):
        addresses = _addresses(model["model_uri"], bucket)
        for key, content in artifact.live_files(model["model_uri"]):
            storage.upload_stream(addresses[key], content, CONTENT_TYPES[key], {VERSION: model["arn"]})
    storage.delete(place for place in places if place not in addresses.values())
    return True


def withdraw(bucket: str) -> bool:
    """Remove every file; returns whether there was one."""
    places = _places(bucket)
    storage.delete(places)
    return bool(places)


def _places(bucket: str) -> list[Location]:
    return [info.location for info in storage.list_objects(Location(bucket, LIVE_PREFIX))]


def _version(place: Location) -> str | None:
    return storage.metadata(place).get(VERSION)


def _addresses(model_uri: str, bucket: str) -> dict[str, Location]:
    """Return where each file goes; a model that was configured without an address takes the usual one."""
    files = artifact.live_files(model_uri)
    config = _config(next(content.read() for key, content in files if key == artifact.CONFIG), model_uri)
    named = {key: config.get(key) or f"s3://{bucket}/{usual}" for key, usual in LIVE_KEYS.items()}
    return {key: _below_live(address, bucket, model_uri) for key, address in named.items()}


def _config(content: bytes, model_uri: str) -> dict[str, object]:
    try:
        return strict_json.parse_object(content, CONFIG_BYTES)
    except JsonError as error:
        raise TrainingFailed(f"The config.json of the model artifact {model_uri} {error}.") from error


def _below_live(address: object, bucket: str, model_uri: str) -> Location:
    """Return the place. Prepare lets no configuration name another, but anybody may register an artifact.

    One that was promoted from another stack names that stack's bucket: it has the same place in this one.
    """
    try:
        place = storage.parse_uri(str(address))
    except ValueError:
        place = Location("", "")
    if not place.key.startswith(LIVE_PREFIX):
        raise TrainingFailed(
            f"The model artifact {model_uri} names an address outside s3://{bucket}/{LIVE_PREFIX}."
        )
    return Location(bucket, place.key)
