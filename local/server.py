"""The server process: ministack with this project's extensions, on the loopback address only.

ministack reads its settings from the environment when it is imported, so they are set first.
"""

import asyncio
import logging
import os
import signal
import sys
from typing import Any

from local import kept
from local.patches import PINNED_VERSION, PatchError
from local.settings import HOST, REGION, Settings, read_settings


def main() -> int:
    """Serve until SIGTERM or SIGINT, then stop every job; returns the exit status."""
    settings = read_settings()
    _forget_own_settings()
    os.environ.update(_ministack_environment(settings))
    try:
        kept.prepare(settings)
        _extend(settings)
    except (PatchError, kept.KeptError) as error:
        print(error, flush=True)
        return 1
    status = _serve_to_the_end(settings)
    # Threads of executions that wait would hold the interpreter back.
    os._exit(status)


def _ministack_environment(settings: Settings) -> dict[str, str]:
    """Tell ministack: one port, loopback, where to keep what it holds, and none of what reaches outside."""
    return {
        "GATEWAY_PORT": str(settings.port),
        "BIND_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "AWS_REGION": REGION,
        **settings.client_environment(),
        "AWS_SESSION_TOKEN": "",
        "AUTH": "true" if settings.roles else "false",
        "SFN_WAIT_SCALE": str(settings.wait_scale),
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{settings.folder}/no-docker.sock",  # leave a Docker that happens to run alone
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(kept.services(settings)),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(kept.objects(settings)),
        "NO_PROXY": "*",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _forget_own_settings() -> None:
    """Lambda functions inherit the server's environment; they have settings of the same kind of name."""
    for name in [name for name in os.environ if name.startswith("CLAIMFLOW_")]:
        del os.environ[name]


def _extend(settings: Settings) -> None:
    """Put every extension in its place. The imports wait for the environment above."""
    from local import (  # noqa: PLC0415
        batch,
        cloudformation,
        history,
        integrations,
        keeper,
        lambda_code,
        lambda_errors,
        log_queries,
        networks,
        redrive,
        roles,
        sagemaker,
        step_functions,
        upload_events,
    )
    from local.patches import replace  # noqa: PLC0415

    # Scripts in system folders that other emulators run at their start are none of ours.
    replace("app", "_collect_scripts", lambda _: lambda *arguments: [])
    sagemaker.install(settings)
    batch.install(settings)
    for extension in (
        cloudformation, history, integrations, lambda_code, lambda_errors, log_queries, networks,
        redrive,
        step_functions, upload_events,
    ):  # fmt: skip
        extension.install()
    roles.install(settings)
    keeper.install(settings)
    _warn_of_other_version()


def _warn_of_other_version() -> None:
    from importlib.metadata import version  # noqa: PLC0415

    if version("ministack") != PINNED_VERSION:
        logging.getLogger("local").warning(
            "ministack %s runs where %s is expected", version("ministack"), PINNED_VERSION
        )


def _serve_to_the_end(settings: Settings) -> int:
    """Serve, and leave nothing that runs, not after an error either."""
    from local import processes  # noqa: PLC0415

    warden = processes.watch_over(settings.pids)
    try:
        asyncio.run(_serve(settings))
    except OSError as error:
        print(f"The local AWS cannot use {settings.endpoint}: {error}.", flush=True)
        return 1
    except Exception:
        logging.getLogger("local").exception("The local AWS ends")
        return 1
    finally:
        _stop_everything()
        warden.poll()  # it must be kept until here; it ends after this process, and by itself
    return 0


async def _serve(settings: Settings) -> None:
    from hypercorn.asyncio import serve  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415
    from hypercorn.config import Config  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415
    from ministack.app import app  # noqa: PLC0415

    config = Config()
    config.bind = [f"{HOST}:{settings.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    config.accesslog = None
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    served: Any = app
    await serve(served, config, shutdown_trigger=ending.wait)


def _stop_everything() -> None:
    """Leave no process behind: jobs get a moment to end, Lambda workers end with their pipe."""
    from ministack.core import lambda_runtime  # noqa: PLC0415

    from local import keeper, processes  # noqa: PLC0415

    processes.stop_all(grace_seconds=2.0)
    lambda_runtime.reset()
    keeper.flush()
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
