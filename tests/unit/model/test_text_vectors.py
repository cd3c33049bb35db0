"""Vectors of many texts are computed once, and a computation that was interrupted goes on."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model import sentence_encoder
from model.data import Floats
from model.errors import TrainingStopped
from model.sentence_encoder import SentenceEncoder
from model.text_vectors import STATE, VECTORS, text_vectors
from model.training import Session

from . import bert

TEXTS = [f"the drum leaks {'again ' * (number % 5)}" for number in range(50)]


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SentenceEncoder:
    monkeypatch.setattr(sentence_encoder, "CHUNK", 8)
    return SentenceEncoder.load(str(bert.write(tmp_path / "model")))


def computed(encoder: SentenceEncoder, folder: Path, texts: list[str] = TEXTS, stop_at: int = -1) -> Floats:
    asked: Iterator[int] = itertools.count()
    session = Session(folder, lambda: next(asked) == stop_at, say=lambda _: None)
    return np.array(text_vectors(encoder, lambda: iter(texts), len(texts), folder, session))


def test_the_vectors_are_those_of_the_encoder_in_order(encoder: SentenceEncoder, tmp_path: Path) -> None:
    np.testing.assert_allclose(computed(encoder, tmp_path / "c"), encoder.encode(TEXTS), atol=1e-6)


def test_what_was_computed_before_it_was_stopped_is_not_computed_again(
    encoder: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        TrainingStopped, match=r"when 24 of 50 texts were read; a restart goes on from there\.$"
    ):
        computed(encoder, tmp_path / "c", stop_at=2)
    expected, read = encoder.encode(TEXTS), []
    encode = SentenceEncoder._encode
    monkeypatch.setattr(
        SentenceEncoder, "_encode", lambda self, texts: read.extend(texts) or encode(self, texts)
    )
    np.testing.assert_allclose(computed(encoder, tmp_path / "c"), expected, atol=1e-6)
    assert read == TEXTS[24:]


@pytest.mark.parametrize("damage", ["other texts", "half a state", "no state", "half the vectors"])
def test_vectors_that_are_not_whole_or_of_other_texts_are_computed_anew(
    damage: str, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    computed(encoder, folder, TEXTS if damage != "other texts" else TEXTS[::-1])
    (folder / VECTORS).write_bytes(b"\1" * (folder / VECTORS).stat().st_size)
    if damage == "half a state":
        (folder / STATE).write_text('{"fingerprint": "', encoding="utf-8")
    if damage == "no state":
        (folder / STATE).unlink()
    if damage == "half the vectors":
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        (folder / STATE).write_text(json.dumps(state | {"done": 10**6}), encoding="utf-8")
        (folder / VECTORS).write_bytes(b"\1" * 16)
    np.testing.assert_allclose(computed(encoder, folder), encoder.encode(TEXTS), atol=1e-6)
