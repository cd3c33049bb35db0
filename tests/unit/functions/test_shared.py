"""What several functions use: messages and storage."""

import io

import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import ObjectMissing
from shared import aws, messages, storage
from shared.storage import Location, ObjectInfo
from tests.unit.functions.stack import Stack


@given(st.text(max_size=300))
def test_a_subject_is_what_sns_takes(text: str) -> None:
    subject = messages.subject(text)
    assert len(subject) <= 100
    assert subject.isascii()
    assert subject.isprintable()


def test_a_subject_keeps_what_it_can() -> None:
    assert messages.subject("Größe\n\n 3") == "Groe 3"
    assert messages.subject("x" * 200) == "x" * 97 + "..."


def test_control_characters_of_a_name_are_written_out() -> None:
    said = messages.message(["a\x1b[31m\x07b\r\u202efdp.csv\x85", "gr\u00f6\u00dfe\tC\ud800", "\U0001f600"])
    assert said == "a\\x1b[31m\\x07b\\r\\u202efdp.csv\n\ngr\u00f6\u00dfe\tC\\ud800\n\n\U0001f600\n"


@pytest.mark.parametrize("uri", ["s3://bkt/k", "s3://bkt/a/b//c", "s3://bkt/k with ? and # and %20"])
def test_an_address_goes_round(uri: str) -> None:
    assert storage.parse_uri(uri).uri == uri


def test_a_large_object_is_read_range_by_range(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "RANGE_BYTES", 1000)
    content = bytes(range(256)) * 50
    info = storage.head(storage.parse_uri(stack.upload("train/a.bin", content)))
    assert storage.open_object(info).read() == content


def test_an_empty_object_is_read_without_asking_for_a_range(stack: Stack) -> None:
    assert storage.open_uri(stack.upload("train/a.csv", "")).read() == b""


class _Broken(io.RawIOBase):
    def read(self, *_: object, **__: object) -> bytes:
        raise ResponseStreamingError(error="the connection was reset")


def test_a_connection_that_breaks_off_is_asked_again() -> None:
    info = ObjectInfo(Location("bkt", "k"), "v", "e", 5)
    parameters = {"Bucket": "bkt", "Key": "k", "Range": "bytes=0-4", "VersionId": "v"}
    with Stubber(aws.s3()) as stub:
        stub.add_response("get_object", {"Body": _Broken()}, parameters)
        stub.add_response("get_object", {"Body": StreamingBody(io.BytesIO(b"hello"), 5)}, parameters)
        assert storage.open_object(info).read() == b"hello"


def test_an_object_without_versions_is_pinned_by_its_etag() -> None:
    info = ObjectInfo(Location("bkt", "k"), None, "e", 5)
    with Stubber(aws.s3()) as stub:
        stub.add_client_error("get_object", "PreconditionFailed", http_status_code=412)
        with pytest.raises(ObjectMissing, match="was changed while it was being read"):
            storage.open_object(info).read()


def test_no_row_text_is_logged(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    state = stack.live()
    content = "text,label\r\nsecret words,secret label\r\n,x\r\nsecret,words,three\r\n"
    state = stack.validated("predict", content)
    state["model"] = stack.predicted(state)
    stack.collect(state)
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert "Collected" in logged
    assert "secret" not in logged
    assert "failed in case" not in logged
