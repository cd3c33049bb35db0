"""The commands: up, down, reset, status, env, logs."""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from local import job_logs, kept, lifecycle
from local.settings import Settings, SettingsError, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0 done, 1 not possible, with one sentence why)."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(read_settings(), options))
    except (SettingsError, lifecycle.LifecycleError) as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 130
    except OSError as error:
        print(_told(error), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="claimflow local", description="An AWS of your own on this machine: no account, no Docker."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start it, and wait until it answers")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="stop it and every job it runs; it keeps what it holds")
    down.set_defaults(run=_down)
    reset = commands.add_parser("reset", help="stop it and forget all it holds: stacks, files, models, runs")
    reset.set_defaults(run=_reset)
    status = commands.add_parser("status", help="say whether it runs (exit status 0) or not (3)")
    status.set_defaults(run=_status)
    environment = commands.add_parser("env", help='print what a shell needs: eval "$(claimflow local env)"')
    environment.set_defaults(run=_env)
    logs = commands.add_parser("logs", help="show what jobs and functions have written")
    logs.add_argument(
        "--job", metavar="NAME", help="only streams with this in their name (a job's name or id)"
    )
    logs.add_argument("--follow", "-f", action="store_true", help="go on until interrupted")
    logs.add_argument("--server", action="store_true", help="the server's own log instead")
    logs.set_defaults(run=_logs)
    return parser


def _up(settings: Settings, _: argparse.Namespace) -> int:
    print(f"Starting the local AWS on port {settings.port} …", flush=True)
    began = time.monotonic()
    if lifecycle.start(settings):
        print(f"It answers after {time.monotonic() - began:.1f} s.")
    else:
        settings = _as_running(settings)
        print(f"It runs already, on port {settings.port}.")
    print(_directions(settings))
    return 0


def _down(settings: Settings, _: argparse.Namespace) -> int:
    stopped = lifecycle.stop(settings)
    print("The local AWS is stopped." if stopped else "The local AWS is not running.")
    _tell_kept(settings)
    return 0


def _reset(settings: Settings, _: argparse.Namespace) -> int:
    lifecycle.reset(settings)
    print("The local AWS is stopped, and all it held is forgotten.")
    return 0


def _status(settings: Settings, _: argparse.Namespace) -> int:
    server = lifecycle.running(settings)
    if server is None:
        print("The local AWS is not running; start it with: claimflow local up")
        _tell_kept(settings)
        return 3
    settings = _as_running(settings)
    answers = "answers" if lifecycle.healthy(settings.port) else "does not answer"
    print(f"The local AWS runs (process {server.pid}) and {answers} at {settings.endpoint}")
    _tell_kept(settings)
    return 0


def _tell_kept(settings: Settings) -> None:
    """Say what outlasts the server, and how it is forgotten."""
    if settings.kept.exists():
        megabytes = kept.size(settings) / 1e6
        print(
            f"It keeps its stacks, files, models and runs ({megabytes:.0f} MB in {settings.kept}); "
            "to forget them: claimflow local reset"
        )


def _env(settings: Settings, _: argparse.Namespace) -> int:
    programs = [str(settings.repository / ".venv" / name / "bin") for name in ("app", "sam", "local")]
    print(_exports(_as_running(settings)))
    print(f'export PATH="$PATH":{shlex.quote(":".join(programs))}')
    return 0


def _logs(settings: Settings, options: argparse.Namespace) -> int:
    if options.server:
        return job_logs.show_server_log(settings, follow=options.follow)
    if lifecycle.running(settings) is None:
        print("The local AWS is not running; start it with: claimflow local up", file=sys.stderr)
        return 1
    return job_logs.show_job_logs(_as_running(settings), job=options.job, follow=options.follow)


def _told(error: OSError) -> str:
    reason = error.strerror or str(error)
    if not error.filename:
        return f"The local AWS cannot write: {reason}."
    return f"The local AWS cannot use {error.filename} ({reason}): set CLAIMFLOW_LOCAL_DIR to another folder."


def _as_running(settings: Settings) -> Settings:
    return replace(settings, port=lifecycle.running_port(settings))


def _directions(settings: Settings) -> str:
    return (
        f"Endpoint: {settings.endpoint}\n"
        "In a shell in which aws, sam and the SDKs should use it:\n"
        '  eval "$(claimflow local env)"\n'
        "Stop it with: claimflow local down"
    )


def _exports(settings: Settings) -> str:
    return "\n".join(f"export {name}={value}" for name, value in settings.client_environment().items())
