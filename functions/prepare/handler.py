"""Lambda: a request in, the description of its run out."""

from typing import Any

from contract import keys, strict_json
from contract.errors import InvalidConfig, InvalidRequest, ObjectMissing, StackMisconfigured, StorageError
from contract.keys import CONFIG_BYTES
from contract.state import PrepareEvent, Run
from contract.strict_json import JsonError
from prepare import capacity, configuration, request, run
from shared import registry, settings, storage
from shared.messages import command
from shared.storage import Location, ObjectInfo
from shared.telemetry import lambda_handler, logger


def _handle(event: PrepareEvent) -> Run:
    run_request = request.parse(event["request"])
    stack = _stack()
    wanted = zip(run_request.data, run_request.versions, strict=True)
    data = [_find(location, "data", version) for location, version in wanted]
    predict = _find(run_request.predict, "predict") if run_request.predict else None
    capacity.check(run_request.action, data, predict, _disks())
    config = _config(run_request.config, stack)
    if run_request.action != "predict":
        capacity.check_checkpoints(config, data, stack.instance_type, stack.volume_gb)
    live_model = registry.live_model(settings.model_group())
    waiting, rejected = (None, None) if live_model else registry.not_live(settings.model_group())
    inputs = run.Inputs(
        action=run_request.action,
        data=data[0],
        more_data=tuple(data[1:]),
        predict=predict,
        config=config,
        live_model=live_model,
        waiting=waiting,
        rejected=rejected,
        started_by=run_request.started_by,
        replace=run_request.replace,
        decided_until=run_request.decided_until,
        trials=run_request.trials,
        max_minutes=run_request.max_minutes,
    )
    described = run.describe(inputs, stack, event["execution"])
    storage.write_json(storage.parse_uri(described["config"]), config)
    logger.append_keys(run=described["name"])
    logger.info("Prepared")
    return described


def _find(location: Location, key: str, version: str | None = None) -> ObjectInfo:
    try:
        return storage.head(location, version)
    except StorageError as error:
        raise InvalidRequest(f"The request's '{key}' cannot be read: {error}.") from error


def _config(given: dict[str, Any] | Location | None, stack: run.Stack) -> dict[str, Any]:
    """Take the request's configuration, else the one in the uploads bucket, else the defaults."""
    if isinstance(given, dict):
        return configuration.complete(given, "The request's configuration", stack.artifacts)
    location = given or Location(stack.uploads, keys.CONFIG_KEY)
    source = f"The configuration {location.uri}"
    try:
        strict_json.check_size(storage.head(location).size, CONFIG_BYTES)
        document = strict_json.parse_object(storage.read_bytes(location), CONFIG_BYTES)
    except JsonError as error:
        raise InvalidConfig(f"{source} {error}.") from error
    except StorageError as error:
        if given or not isinstance(error, ObjectMissing):
            raise InvalidConfig(f"The configuration cannot be read: {error}.") from error
        document = {}
    return configuration.complete(document, source, stack.artifacts)


def _image() -> str:
    """Return what trains, by its digest. A stack is made before there is an image in its repository."""
    image = settings.optional("CLAIMFLOW_IMAGE")
    if image is None:
        raise StackMisconfigured(
            "This stack has no image yet that trains and predicts: whoever runs it brings one with "
            f"`{command(settings.model_group())} deploy --image`; then start it again."
        )
    return image


def _disks() -> capacity.Disks:
    return capacity.Disks(
        validate=settings.whole_number("CLAIMFLOW_VALIDATE_DISK_MB"),
        collect=settings.whole_number("CLAIMFLOW_COLLECT_DISK_MB"),
    )


def _stack() -> run.Stack:
    return run.Stack(
        name=settings.model_group(),
        uploads=settings.uploads_bucket(),
        artifacts=settings.artifacts_bucket(),
        results=settings.results_bucket(),
        image=_image(),
        job_definition=settings.text("CLAIMFLOW_JOB_DEFINITION"),
        accuracy_bar=settings.number("CLAIMFLOW_ACCURACY_BAR"),
        instance_type=settings.text("CLAIMFLOW_INSTANCE_TYPE"),
        instance_count=settings.whole_number("CLAIMFLOW_INSTANCE_COUNT"),
        volume_gb=settings.whole_number("CLAIMFLOW_VOLUME_GB"),
        kms_key=settings.optional("CLAIMFLOW_KMS_KEY"),
        subnets=tuple(filter(None, (settings.optional("CLAIMFLOW_SUBNETS") or "").split(","))),
        security_group=settings.optional("CLAIMFLOW_SECURITY_GROUP"),
        max_training_seconds=settings.whole_number("CLAIMFLOW_MAX_TRAINING_SECONDS"),
        small_function=settings.optional("CLAIMFLOW_SMALL_FUNCTION"),
        small_rows=settings.whole_number("CLAIMFLOW_SMALL_ROWS"),
        use_spot=settings.choice("CLAIMFLOW_USE_SPOT", "true", "false") == "true",
    )


handler = lambda_handler(_handle)
