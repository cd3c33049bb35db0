"""The commands: up, down, status, env, logs."""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from local import job_logs, lifecycle
from local.settings import Settings, SettingsError, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status (0 done, 1 not possible, with one sentence why)."""
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
    down = commands.add_parser("down", help="stop it and every job it runs; what it holds is gone")
    down.set_defaults(run=_down)
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
    print("The local AWS is stopped; what it held is gone." if stopped else "The local AWS is not running.")
    return 0


def _status(settings: Settings, _: argparse.Namespace) -> int:
    server = lifecycle.running(settings)
    if server is None:
        print("The local AWS is not running; start it with: claimflow local up")
        return 3
    settings = _as_running(settings)
    answers = "answers" if lifecycle.healthy(settings.port) else "does not answer"
    print(f"The local AWS runs (process {server.pid}) and {answers} at {settings.endpoint}")
    return 0


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
