"""What befalls the functions: AWS too busy, failing or forbidden, connections that break, a full disk."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared import aws
from tests.faults.clients import faults
from tests.faults.rules import BROKEN, CUT, DENIED, PASSING, RESET, THROTTLED, UNANSWERED, Rule
from tests.faults.steps import STEPS, StepFailed, take
from tests.unit.functions.stack import ARTIFACTS, GROUP, RESULTS, UPLOADS, Stack

WHERE = "functions"
MAKE_A_VERSION = {"register", "threshold"}


def clients() -> list[Any]:
    return [aws.s3(), aws.sagemaker(), aws.dynamodb()]


def one_sentence(failed: StepFailed) -> None:
    """What people read is no traceback and no list."""
    assert "\n" not in failed.sentence
    assert "Traceback" not in failed.message
    assert "<" not in failed.sentence
    assert "/tmp/" not in failed.sentence  # noqa: S108


def versions(account: Stack) -> int:
    return len(account.sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"])


PASSING_ROWS = {
    THROTTLED: "every call of a function is throttled twice",
    BROKEN: "every call of a function is answered by 500 twice",
    UNANSWERED: "the answer to every call of a function is lost or too late, twice",
    RESET: "every connection of a function breaks off twice",
    CUT: "every file that a function reads ends in the middle, twice",
}


def passing() -> list[Any]:
    """Each kind of fault that passes, with its row."""
    return [
        pytest.param(
            kind,
            marks=pytest.mark.fault(
                where=WHERE, fault=PASSING_ROWS[kind], then="asked again; the same files as without", reads=""
            ),
            id=kind,
        )
        for kind in PASSING
    ]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("kind", passing())
def test_a_step_asks_again_and_writes_the_same_files(kind: str, name: str, account: Stack) -> None:
    step = STEPS[name]
    state = step.before(account)
    before = versions(account)
    operation = "GetObject" if kind == CUT else "*"
    with faults(clients(), Rule(kind, operation=operation, times=2, each=True)) as active:
        given = take(step, state)
    assert active.requests
    written = account.everything()
    assert versions(account) == before + (name in MAKE_A_VERSION)
    if name not in MAKE_A_VERSION:
        assert take(step, state) == given
        assert account.everything() == written


LASTING_ROWS = {
    THROTTLED: "AWS stays too busy for a function",
    BROKEN: "a service of AWS fails and goes on failing",
    UNANSWERED: "a service of AWS does not answer at all",
}


def lasting() -> list[Any]:
    return [
        pytest.param(
            kind,
            marks=pytest.mark.fault(
                where=WHERE,
                fault=LASTING_ROWS[kind],
                then="the step is tried six times, then the run fails; started again later, it is whole",
                reads="and trying again did not help. Start it again",
            ),
            id=kind,
        )
        for kind in LASTING_ROWS
    ]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("kind", lasting())
def test_a_step_that_cannot_reach_a_service_says_so_and_can_be_taken_again(
    kind: str, name: str, account: Stack, reads: str
) -> None:
    step = STEPS[name]
    state = step.before(account)
    before = versions(account)
    with faults(clients(), Rule(kind, times=None)), pytest.raises(StepFailed) as failed:
        take(step, state)
    assert failed.value.error == "AwsUnavailable"
    assert reads in failed.value.sentence
    one_sentence(failed.value)
    assert versions(account) == before
    assert take(step, state)


WRITTEN = {
    "prepare": (ARTIFACTS, "PutObject"),
    "validate to train": (ARTIFACTS, "PutObject"),
    "validate to predict": (RESULTS, "PutObject"),
    "evaluate": (RESULTS, "PutObject"),
    "register": (ARTIFACTS, "PutObject"),
    "collect": (RESULTS, "PutObject"),
}


@pytest.mark.fault(
    where=WHERE,
    fault="a function may not write to a bucket",
    then="the run fails at once; with the permission, started again, it is whole",
    reads="The stack lacks a permission",
)
@pytest.mark.parametrize("name", WRITTEN)
def test_a_bucket_that_may_not_be_written_is_told(name: str, account: Stack, reads: str) -> None:
    step = STEPS[name]
    state = step.before(account)
    bucket, operation = WRITTEN[name]
    with (
        faults(clients(), Rule(DENIED, "s3", operation, f"{bucket}/*", times=None)) as active,
        pytest.raises(StepFailed) as failed,
    ):
        take(step, state)
    assert reads in failed.value.sentence
    assert bucket in failed.value.sentence
    one_sentence(failed.value)
    assert [request.operation for request in active.requests].count(operation) >= 1
    assert take(step, state)


READ = {
    "prepare": UPLOADS,
    "validate to train": UPLOADS,
    "validate to predict": UPLOADS,
    "evaluate": ARTIFACTS,
    "register": ARTIFACTS,
    "collect": ARTIFACTS,
}


@pytest.mark.fault(
    where=WHERE,
    fault="a function may not read from a bucket",
    then="the run fails at once; with the permission, started again, it is whole",
    reads="this stack may not read it",
)
@pytest.mark.parametrize("name", READ)
def test_a_bucket_that_may_not_be_read_is_told(name: str, account: Stack, reads: str) -> None:
    step = STEPS[name]
    state = step.before(account)
    reading = (
        Rule(DENIED, "s3", operation, f"{READ[name]}/*", times=None)
        for operation in ("GetObject", "HeadObject")
    )
    with faults(clients(), *reading), pytest.raises(StepFailed) as failed:
        take(step, state)
    assert reads in failed.value.sentence
    one_sentence(failed.value)
    assert take(step, state)


@pytest.mark.fault(
    where=WHERE,
    fault="the model registry may not be used",
    then="the run fails at once, nothing becomes live; with the permission, started again, it is whole",
    reads="The stack lacks a permission",
)
@pytest.mark.parametrize("name", ["prepare", "register"])
def test_a_registry_that_may_not_be_used_is_told(name: str, account: Stack, reads: str) -> None:
    step = STEPS[name]
    state = step.before(account)
    with faults(clients(), Rule(DENIED, "sagemaker", times=None)), pytest.raises(StepFailed) as failed:
        take(step, state)
    assert reads in failed.value.sentence
    one_sentence(failed.value)
    assert take(step, state)


@pytest.mark.fault(
    where=WHERE,
    fault="the disk of a function is full",
    then="the run fails; nothing is half written",
    reads="ran out of disk space; the file may be too large for one run: cut it up.",
)
@pytest.mark.parametrize("name", ["validate to train", "validate to predict", "collect"])
def test_a_full_disk_is_told(name: str, account: Stack, reads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step = STEPS[name]
    state = step.before(account)
    written = account.keys(RESULTS)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", full)
        with pytest.raises(StepFailed) as failed:
            take(step, state)
    assert failed.value.sentence.endswith(reads)
    one_sentence(failed.value)
    assert account.keys(RESULTS) == written
    assert take(step, state)


def parts(account: Stack) -> list[str]:
    return [key for key in account.keys(ARTIFACTS) if "/predict/parts/part-" in key]


def damaged(body: bytes) -> bytes:
    return body[: len(body) // 2]


def of_another_file(body: bytes) -> bytes:
    return body.replace(b"brakes", b"engine")


@pytest.mark.parametrize("change", [damaged, of_another_file])
@pytest.mark.fault(
    where=WHERE,
    fault="a part is half written, or not the one that was made",
    then="its rows say so and the others are delivered; started again, only this part is made again",
    reads="not labelled: ",
)
def test_a_part_that_is_not_whole_costs_its_own_rows(
    change: Callable[[bytes], bytes], account: Stack, reads: str
) -> None:
    state = STEPS["collect"].before(account)
    whole = account.table(take(STEPS["collect"], state)["results"])
    key = parts(account)[1]
    stored = account.s3.get_object(Bucket=ARTIFACTS, Key=key)
    body = stored["Body"].read()
    facts = stored["Metadata"]
    account.s3.put_object(Bucket=ARTIFACTS, Key=key, Body=change(body), Metadata=facts)
    results = take(STEPS["collect"], state)
    table = account.table(results["results"])
    missing = [row for row in table if row["error"].startswith(reads)]
    assert len(missing) == results["missing_rows"] == body.count(b"brakes")
    assert [row for row in table if row not in missing] == [
        row for row, left in zip(whole, table, strict=True) if left not in missing
    ]
    account.s3.put_object(Bucket=ARTIFACTS, Key=key, Body=body, Metadata=facts)
    assert account.table(take(STEPS["collect"], state)["results"]) == whole


@pytest.mark.fault(
    where=WHERE,
    fault="the results are put together twice, and a part comes again in between",
    then="the same files; every row once",
    reads="",
)
def test_collecting_twice_gives_the_same_files(account: Stack) -> None:
    state = STEPS["collect"].before(account)
    first = take(STEPS["collect"], state)
    written = account.everything()
    key = parts(account)[0]
    again = account.s3.get_object(Bucket=ARTIFACTS, Key=key)
    account.s3.put_object(Bucket=ARTIFACTS, Key=key, Body=again["Body"].read(), Metadata=again["Metadata"])
    assert take(STEPS["collect"], state) == first
    assert account.everything() == written
    assert [row["id"] for row in account.table(first["results"])] == [str(number) for number in range(30)]
