"""Starting and stopping the local AWS."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.local_server import (
    PYTHON,
    REPOSITORY,
    Local,
    local_aws,
    make_function,
    training_request,
    wait_for,
    write_program,
)

BUSY = """
import os, pathlib
def handler(*_):
    pathlib.Path(os.environ["TMPDIR"], "on").touch()
    while True: pass
"""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Local]:
    """A local AWS that is not started yet."""
    with local_aws(tmp_path) as local:
        yield local


def listening_addresses(pid: int) -> set[str]:
    """The local addresses on which a process listens, as /proc tells them (hexadecimal)."""
    sockets = {
        str(path.readlink())[8:-1]
        for path in Path(f"/proc/{pid}/fd").iterdir()
        if str(path.readlink()).startswith("socket:")
    }
    rows = [
        line.split()
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    listen = "0A"
    return {row[1].partition(":")[0] for row in rows if row[9] in sockets and row[3] in (listen, "07")}


def without_data(request: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if key != "InputDataConfig"}


def server_pid(local: Local) -> int:
    return int(json.loads((local.state / "pid").read_text())["pid"])


def alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] not in "ZX"


def processes_of(local: Local) -> list[int]:
    """The ids of all processes that were started for a local AWS: its folder is in their environment."""
    mark = str(local.state).encode()
    return [pid for pid in numbers_in_proc() if mark in of_process(pid, "environ") and alive(pid)]


def numbers_in_proc() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def of_process(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:  # it has just ended
        return b""


def start_training(local: Local, name: str) -> None:
    local.client("sagemaker").create_training_job(**without_data(training_request("data", name, "")))


def start_batch_job(local: Local) -> None:
    batch = local.client("batch")
    batch.create_compute_environment(
        computeEnvironmentName="test", type="MANAGED", computeResources={"type": "FARGATE", "maxvCpus": 4}
    )
    batch.create_job_queue(
        jobQueueName="test", priority=1, computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "test"}]
    )
    batch.register_job_definition(
        jobDefinitionName="test", type="container", containerProperties={"image": "i", "command": ["predict"]}
    )
    batch.submit_job(jobName="test", jobQueue="test", jobDefinition="test")


def test_up_says_where_it_is_and_how_to_stop_it(aws: Local) -> None:
    said = aws.command("up")
    assert said.returncode == 0
    assert "runs already" in said.stdout
    assert aws.endpoint in said.stdout
    assert "claimflow local down" in said.stdout


def test_env_gives_a_shell_what_the_aws_command_line_needs(aws: Local) -> None:
    shown = 'eval "$(cat)"; echo "$AWS_ENDPOINT_URL $AWS_DEFAULT_REGION"; command -v aws'
    said = subprocess.run(
        ["bash", "-c", shown], input=aws.command("env").stdout, text=True, capture_output=True, check=True
    )
    assert said.stdout.splitlines()[0] == f"{aws.endpoint} us-east-1"
    assert said.stdout.splitlines()[1].endswith("/aws")


def test_status_tells_that_it_runs_and_that_it_does_not(aws: Local, fresh: Local) -> None:
    assert aws.command("status").returncode == 0
    assert fresh.command("status").returncode == 3


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc")
def test_it_listens_on_the_loopback_address_only(aws: Local) -> None:
    assert listening_addresses(server_pid(aws)) == {"0100007F"}


def test_two_ups_at_once_start_one_server(fresh: Local) -> None:
    commands = [fresh.start("up"), fresh.start("up")]
    answers = [command.finish() for command in commands]
    assert [answer.returncode for answer in answers] == [0, 0]
    assert sorted("runs already" in answer.stdout for answer in answers) == [False, True]


def test_down_ends_the_server_and_its_jobs_and_down_again_is_fine(fresh: Local) -> None:
    write_program(
        fresh.programs,
        "train",
        '#!/bin/sh\ntrap "" TERM\necho $$ > "$CLAIMFLOW_BASE_DIR/../pid"\nsleep 600 & wait\nsleep 600\n',
    )
    assert fresh.command("up").returncode == 0
    fresh.client("s3").create_bucket(Bucket="data")
    fresh.client("sagemaker").create_training_job(**without_data(training_request("data", "long", "")))
    written = fresh.state / "jobs" / "pid"
    wait_for(lambda: written.exists() and written.read_text().strip())
    job, server = int(written.read_text()), server_pid(fresh)

    assert "stopped" in fresh.command("down").stdout
    assert not alive(server)
    assert not alive(job)
    assert not (fresh.state / "jobs").exists()
    again = fresh.command("down")
    assert again.returncode == 0
    assert "not running" in again.stdout


@pytest.mark.fault(
    where="the local AWS",
    fault="the server is killed while functions and jobs run",
    then="what it had started ends with it",
    reads="",
)
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_nothing_that_was_started_outlives_a_server_that_is_killed(fresh: Local) -> None:
    program = '#!/bin/sh\ntrap "" TERM\nsleep 600 &\necho > "$TMPDIR/../$1on"\nwait\nsleep 600\n'
    write_program(fresh.programs, "train", program)
    write_program(fresh.programs, "predict", program)
    assert fresh.command("up").returncode == 0
    fresh.client("s3").create_bucket(Bucket="data")
    make_function(fresh, "busy", BUSY, Timeout=600)
    fresh.client("lambda").invoke(FunctionName="busy", InvocationType="Event")
    start_training(fresh, "running")
    wait_for(lambda: (fresh.state / "tmp" / "on").exists() and list(fresh.state.glob("jobs/*/on")))
    # What began a moment before is still on its way into being a program of its own.
    start_training(fresh, "beginning")
    start_batch_job(fresh)
    os.kill(server_pid(fresh), signal.SIGKILL)
    wait_for(lambda: not processes_of(fresh))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_job_does_not_outlive_a_server_that_is_killed_together_with_its_warden(fresh: Local) -> None:
    write_program(fresh.programs, "train", '#!/bin/sh\necho > "$TMPDIR/../on"\nexec sleep 600\n')
    assert fresh.command("up").returncode == 0
    fresh.client("s3").create_bucket(Bucket="data")
    start_training(fresh, "running")
    wait_for(lambda: list(fresh.state.glob("jobs/*/on")))
    wardens = [pid for pid in processes_of(fresh) if b"warden.py" in of_process(pid, "cmdline")]
    assert len(wardens) == 1
    for pid in [*wardens, server_pid(fresh)]:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not processes_of(fresh))


def test_up_refuses_a_port_that_another_program_has(fresh: Local) -> None:
    with socket.create_server(("127.0.0.1", fresh.port)):
        refused = fresh.command("up")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"Port {fresh.port}" in refused.stderr
    assert "CLAIMFLOW_LOCAL_PORT" in refused.stderr


def test_down_never_stops_another_process_that_has_got_the_old_number(fresh: Local) -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        fresh.state.mkdir()
        (fresh.state / "pid").write_text(json.dumps({"pid": stranger.pid, "began": "1"}))
        answer = fresh.command("down")
        untouched = stranger.poll() is None
        stranger.kill()
    assert untouched
    assert "not running" in answer.stdout


def test_up_after_a_crash_ignores_the_old_pid_file(fresh: Local) -> None:
    fresh.state.mkdir()
    (fresh.state / "pid").write_text('{"pid": 1, "began": "1"}')
    assert fresh.command("up").returncode == 0


def test_a_bad_port_is_refused_in_one_sentence(fresh: Local) -> None:
    fresh.environment["CLAIMFLOW_LOCAL_PORT"] = "many"
    refused = fresh.command("up")
    assert refused.returncode == 1
    assert refused.stderr.startswith("CLAIMFLOW_LOCAL_PORT is 'many'")


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_folder_that_cannot_be_one_is_told_in_one_sentence(fresh: Local, command: str) -> None:
    plain = fresh.folder / "plain"
    plain.write_text("x")
    fresh.environment["CLAIMFLOW_LOCAL_DIR"] = str(plain)
    refused = fresh.command(command)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"The local AWS cannot use {plain}")
    assert refused.stderr.endswith("set CLAIMFLOW_LOCAL_DIR to another folder.\n")
    assert refused.stderr.count("\n") == 1


def test_a_server_that_cannot_be_remembered_is_not_left_behind(fresh: Local) -> None:
    program = (
        "import pathlib, subprocess, sys\nfrom local import cli, identity\n"
        "def full(process, path):\n"
        "    pathlib.Path(sys.argv[1]).write_text(str(process.pid))\n"
        "    raise OSError(28, 'No space left on device')\n"
        "identity.ProcessIdentity.save = full\nsys.exit(cli.main(['up']))"
    )
    started = fresh.folder / "started"
    refused = subprocess.run(
        [PYTHON, "-c", program, str(started)],
        cwd=REPOSITORY,
        env=fresh.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert refused.returncode == 1
    assert refused.stderr == "The local AWS cannot write: No space left on device.\n"
    assert not alive(int(started.read_text()))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("services.batch", "_DISPATCH"),
        ("services.stepfunctions", "_scaled_sleep"),
        ("services.stepfunctions", "_executions"),
        ("core.lambda_runtime", "Worker"),
        ("services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
        ("services.cloudwatch_logs", "_log_events_lock"),
    ],
)
def test_a_private_part_that_is_gone_stops_the_start_with_one_sentence(
    fresh: Local, module: str, name: str
) -> None:
    remove = f"import sys, ministack.{module} as module; del module.{name}"
    program = f"{remove}\nimport local.server\nsys.exit(local.server.main())"
    ended = subprocess.run(
        [PYTHON, "-c", program],
        cwd=REPOSITORY,
        env=fresh.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1].startswith(f"ministack.{module}.{name} is not what")
    assert "1.5.33" in ended.stdout.splitlines()[-1]
    assert "Traceback" not in ended.stderr
