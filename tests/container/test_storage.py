"""Files by address, on S3 and on this machine: read again, put over what was found only, told if refused."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from container import storage
from container.storage import Found, StorageError

ADDRESS = "s3://artifacts/parts/part-00000.csv"
PLACE = {"Bucket": "artifacts", "Key": "parts/part-00000.csv"}


class BrokenOff(io.RawIOBase):
    def read(self, _: int = -1) -> bytes:
        raise ResponseStreamingError(error="the connection was reset")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Answers in the place of S3, in order: a request that is not expected fails."""
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    storage._client.cache_clear()
    with Stubber(storage._client()) as stub:
        yield stub
        stub.assert_no_pending_responses()
    storage._client.cache_clear()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "part.csv"
    path.write_bytes(b"row,prediction\n")
    return path


def test_a_body_that_breaks_off_is_read_again(s3: Stubber) -> None:
    s3.add_response("get_object", {"Body": BrokenOff()}, PLACE)
    s3.add_response("get_object", {"Body": StreamingBody(io.BytesIO(b"whole"), 5)}, PLACE)
    assert storage.read(ADDRESS) == b"whole"


def test_a_body_that_breaks_off_each_time_is_told(s3: Stubber) -> None:
    for _ in range(storage.READS):
        s3.add_response("get_object", {"Body": BrokenOff()}, PLACE)
    with pytest.raises(StorageError, match=f"{ADDRESS} cannot be read: .*the connection was reset"):
        storage.read(ADDRESS)


@pytest.mark.parametrize("code", ["404", "NoSuchKey", "NotFound"])
def test_a_file_that_is_not_there_is_none(s3: Stubber, tmp_path: Path, code: str) -> None:
    s3.add_client_error("head_object", code, http_status_code=404)
    assert storage.find(ADDRESS) is None
    assert storage.find(str(tmp_path / "part-00000.csv")) is None


def test_a_file_that_may_not_be_looked_at_is_not_taken_for_missing(s3: Stubber) -> None:
    s3.add_client_error("head_object", "403", "Forbidden", http_status_code=403)
    with pytest.raises(StorageError, match=f"{ADDRESS} cannot be read"):
        storage.find(ADDRESS)


def test_a_file_is_found_with_the_facts_it_was_committed_with(source: Path, tmp_path: Path) -> None:
    target, tag = tmp_path / "parts" / "part-00000.csv", hashlib.sha256(source.read_bytes()).hexdigest()
    assert storage.commit(source, str(target), {"sha256": tag, "rows": "0"}, None)
    assert storage.find(str(target)) == Found(tag, {"sha256": tag, "rows": "0"})
    assert list(target.parent.iterdir()) == [target], "nothing unfinished is left"


@pytest.mark.parametrize(
    ("before", "condition"), [(None, {"IfNoneMatch": "*"}), (Found("etag", {}), {"IfMatch": "etag"})]
)
def test_a_commit_puts_its_file_and_facts_over_what_was_found_only(
    s3: Stubber, source: Path, before: Found | None, condition: dict[str, str]
) -> None:
    expected: dict[str, Any] = {**PLACE, "Body": ANY, "Metadata": {"sha256": "1"}, **condition}
    s3.add_response("put_object", {}, expected)
    assert storage.commit(source, ADDRESS, {"sha256": "1"}, before)


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"])
def test_a_commit_that_another_overtook_changes_nothing(s3: Stubber, source: Path, code: str) -> None:
    s3.add_client_error("put_object", code)
    assert not storage.commit(source, ADDRESS, {}, Found("etag", {}))


def test_a_commit_on_this_machine_replaces_only_what_was_found(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "parts" / "part-00000.csv"
    assert storage.commit(source, str(target), {"sha256": "1"}, None)
    assert not storage.commit(source, str(target), {"sha256": "1"}, None), "there is one already"
    found = storage.find(str(target))
    target.write_bytes(b"another's")
    assert not storage.commit(source, str(target), {"sha256": "1"}, found), "it was changed meanwhile"
    assert target.read_bytes() == b"another's"
    assert storage.commit(source, str(target), {"sha256": "1"}, storage.find(str(target)))
    assert target.read_bytes() == source.read_bytes()


def test_what_may_not_be_written_or_removed_is_told_with_its_address(s3: Stubber, source: Path) -> None:
    for operation in ("put_object", "put_object", "delete_object"):
        s3.add_client_error(operation, "AccessDenied", "no permission", http_status_code=403)
    with pytest.raises(StorageError, match=f"{ADDRESS} cannot be written: .*no permission"):
        storage.commit(source, ADDRESS, {}, None)
    with pytest.raises(StorageError, match=f"{ADDRESS} cannot be written: .*no permission"):
        storage.write(b"a sentence", ADDRESS)
    with pytest.raises(StorageError, match=f"{ADDRESS} cannot be removed: .*no permission"):
        storage.remove(ADDRESS)


def test_removing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    storage.remove(str(tmp_path / "failure-00000.txt"))
