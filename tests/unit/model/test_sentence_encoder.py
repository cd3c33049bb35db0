"""The sentence encoder: the numbers of the article, whatever stands beside a text, and its errors."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import sentence_encoder
from model.errors import SentenceModelError
from model.sentence_encoder import KNOWN, SentenceEncoder

from . import bert

TEXTS = ["The drum leaks", "", "brake squeals again and again", "water", "🙂 unknown", "the " * 40]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return bert.write(tmp_path / "model")


@pytest.fixture(params=["few texts, by NumPy", "many texts, by MXNet"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test's texts be read in each of the two ways."""
    monkeypatch.setattr(sentence_encoder, "FEW_TOKENS", 10_000 if request.param.startswith("few") else -1)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_the_vectors_are_those_of_the_formulas(mean: bool, activation: str, tmp_path: Path) -> None:
    folder = bert.write(tmp_path / "model", bert.MEAN if mean else bert.FIRST, hidden_act=activation)
    config = bert.SHAPE | {"hidden_act": activation}
    cut = bert.tokenizer()
    cut.enable_truncation(16)
    expected = [bert.forward(cut.encode(text).ids, bert.weights(config), config, mean) for text in TEXTS]
    np.testing.assert_allclose(SentenceEncoder.load(str(folder)).encode(TEXTS), expected, atol=1e-5)


@pytest.mark.usefixtures("either_way")
def test_a_vector_has_the_length_1_and_does_not_depend_on_the_texts_beside_it(folder: Path) -> None:
    encoder = SentenceEncoder.load(str(folder))
    together = encoder.encode(TEXTS)
    assert together.shape == (len(TEXTS), encoder.size)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1])[::-1], together, atol=1e-5)


def test_many_texts_give_the_numbers_that_each_of_them_gives_alone(folder: Path) -> None:
    encoder = SentenceEncoder.load(str(folder))
    many = TEXTS * 200
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    together = encoder.encode(many)
    np.testing.assert_allclose(together, np.tile(alone, (200, 1)), atol=2e-6)


def test_few_texts_are_read_without_loading_mxnet(folder: Path) -> None:
    program = (
        "import sys; from model.sentence_encoder import SentenceEncoder; "
        f"SentenceEncoder.load({str(folder)!r}).encode(['the drum leaks']); print('mxnet' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_no_text_has_no_vector(folder: Path) -> None:
    assert SentenceEncoder.load(str(folder)).encode([]).shape == (0, 8)


def test_many_texts_come_in_blocks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = SentenceEncoder.load(str(folder))
    whole = encoder.encode(TEXTS)
    monkeypatch.setattr(sentence_encoder, "CHUNK", 4)
    assert [len(block) for block in encoder.encoded(TEXTS)] == [4, 2]
    np.testing.assert_allclose(encoder.encode(TEXTS), whole, atol=1e-5)


def test_no_more_is_read_of_a_text_than_the_model_was_made_for(folder: Path) -> None:
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 4}', encoding="utf-8")
    encoder = SentenceEncoder.load(str(folder))
    assert encoder.window == 4
    np.testing.assert_allclose(*encoder.encode(["the drum", "the drum leaks water"]), atol=1e-5)


def test_weights_with_the_name_of_their_model_before_them_are_read(folder: Path) -> None:
    plain = SentenceEncoder.load(str(folder)).encode(TEXTS)
    named = {f"bert.{name}": array for name, array in bert.weights(bert.SHAPE).items()}
    bert.save_file(named, folder / "model.safetensors")
    np.testing.assert_allclose(SentenceEncoder.load(str(folder)).encode(TEXTS), plain, atol=1e-6)


def test_the_digest_tells_one_model_from_another(folder: Path) -> None:
    before = SentenceEncoder.load(str(folder)).digest
    assert SentenceEncoder.load(str(folder)).digest == before
    bert.save_file(bert.weights(bert.SHAPE) | {"more": np.zeros(1)}, folder / "model.safetensors")
    assert SentenceEncoder.load(str(folder)).digest != before


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str = "tiny_sentences") -> Path:
    """Install a package whose code must not run; returns its folder."""
    place = tmp_path / "site" / name
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("raise SystemExit('this code was run')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return place


def test_a_package_that_has_its_model_packed_is_read_and_not_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = package(tmp_path, monkeypatch)
    with zipfile.ZipFile(place / "model.zip", "w") as packed:
        for file in folder.rglob("*"):
            packed.write(file, file.relative_to(folder))
    encoder = SentenceEncoder.load("tiny_sentences")
    assert "tiny_sentences" not in sys.modules
    np.testing.assert_allclose(
        encoder.encode(TEXTS), SentenceEncoder.load(str(folder)).encode(TEXTS), atol=1e-6
    )


def test_the_default_model_is_installed_and_is_the_one_that_was_published() -> None:
    assert SentenceEncoder.load("all_minilm_l6_v2").size == 384


def refused(name: str | Path) -> str:
    with pytest.raises(SentenceModelError) as error:
        SentenceEncoder.load(str(name)).encode(["the drum"])
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("name", ["no_such_package", "no/such/folder", "a.b", "json"])
def test_a_model_that_is_not_there_is_told(name: str) -> None:
    assert refused(name).startswith(f"The sentence model {name!r}, which sentence_model names, ")


@pytest.mark.parametrize(
    "file", ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"]
)
def test_a_file_that_is_missing_or_damaged_is_told(file: str, folder: Path) -> None:
    content = (folder / file).read_bytes()
    (folder / file).unlink()
    assert f"lacks the file {file};" in refused(folder)
    (folder / file).write_bytes(content[: len(content) // 2])
    assert f"The file {file} of the sentence model" in refused(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_type": "roberta"}, "its model_type is 'roberta', and only 'bert' is read"),
        ({"hidden_act": "tanh"}, "its hidden_act is 'tanh', and only 'gelu' and 'relu' are read"),
        ({"position_embedding_type": "relative_key"}, "its positions are not absolute"),
    ],
)
def test_a_model_of_another_kind_is_refused(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    assert reason in refused(bert.write(tmp_path / "model", **changes))


def test_another_pooling_and_other_modules_are_refused(tmp_path: Path) -> None:
    both = bert.MEAN | {"pooling_mode_max_tokens": True}
    assert "its pooling is pooling_mode_max_tokens, pooling_mode_mean" in refused(
        bert.write(tmp_path / "a", both)
    )
    folder = bert.write(tmp_path / "b")
    (folder / "modules.json").write_text(json.dumps([{"type": "x.models.Dense"}]), encoding="utf-8")
    assert "it has a module of the type 'x.models.Dense'" in refused(folder)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("modules.json", "{"),
        ("modules.json", '[{"idx": 0}]'),
        ("sentence_bert_config.json", "{"),
    ],
)
def test_a_file_of_another_form_is_told(file: str, content: str, folder: Path) -> None:
    (folder / file).write_text(content, encoding="utf-8")
    assert f"The file {file} of the sentence model" in refused(folder)


@pytest.mark.parametrize("file", ["config.json", "1_Pooling/config.json", "sentence_bert_config.json"])
def test_a_file_that_holds_no_object_is_told(file: str, folder: Path) -> None:
    (folder / file).write_text("[]", encoding="utf-8")
    assert f"its {file} holds no JSON object" in refused(folder)


@pytest.mark.parametrize(
    "key",
    ["hidden_size", "num_attention_heads", "num_hidden_layers", "vocab_size", "max_position_embeddings"],
)
def test_a_size_that_is_missing_is_told(key: str, folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(bert.SHAPE | {key: None}), encoding="utf-8")
    assert f"{key} in its config.json is None" in refused(folder)


@pytest.mark.parametrize("epsilon", [None, "x", 0, 2.0])
def test_an_epsilon_that_is_none_is_told(epsilon: object, tmp_path: Path) -> None:
    folder = bert.write(tmp_path / "model", layer_norm_eps=epsilon)
    assert f"layer_norm_eps in its config.json is {epsilon!r}" in refused(folder)


def test_a_window_that_is_no_number_is_told(folder: Path) -> None:
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": "x"}', encoding="utf-8")
    assert "max_seq_length in its sentence_bert_config.json is 'x'" in refused(folder)


def test_weights_that_are_no_numbers_are_told(folder: Path) -> None:
    weights = bert.weights(bert.SHAPE)
    weights["embeddings.LayerNorm.bias"][0] = np.nan
    bert.save_file(weights, folder / "model.safetensors")
    assert "model.safetensors" in refused(folder)
    assert "holds a weight that is no finite number" in refused(folder)


def test_a_tokenizer_of_a_larger_vocabulary_is_refused(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    content["model"]["vocab"]["more"] = len(bert.WORDS)
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    assert "its tokenizer.json has more tokens than its config.json says" in refused(folder)


def test_a_text_without_a_token_has_a_vector(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    (folder / "tokenizer.json").write_text(json.dumps(content | {"post_processor": None}), encoding="utf-8")
    vectors = SentenceEncoder.load(str(folder)).encode(["", "the drum"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_packed_model_that_is_damaged_is_told(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "packed"
    place.mkdir()
    with zipfile.ZipFile(place / "model.zip", "w") as packed:
        for file in folder.rglob("*"):
            packed.write(file, file.relative_to(folder))
    content = (place / "model.zip").read_bytes()
    (place / "model.zip").write_bytes(content.replace(b"hidden_act", b"hidden_axt", 1))
    assert "The file config.json of the sentence model" in refused(place)


def test_sizes_that_do_not_fit_the_weights_are_told(tmp_path: Path) -> None:
    folder = bert.write(tmp_path / "model")
    (folder / "config.json").write_text(json.dumps(bert.SHAPE | {"hidden_size": 16}), encoding="utf-8")
    assert "The file model.safetensors of the sentence model" in refused(folder)


def test_a_known_model_whose_file_is_another_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KNOWN, str(folder), {"model.safetensors": "0" * 64})
    assert "model.safetensors" in refused(folder)
    assert "is not the one that was published; install the package again." in refused(folder)
