"""A saved model: complete, without pickle, and refused in one sentence when it was changed."""

import dataclasses
import io
import json
import pickletools
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model import array_file
from model.artifact import load, save, unpack
from model.checkpoint import digest
from model.classifier import Classifier
from model.errors import ArtifactError
from model.ngram_buckets import Grams
from model.ngram_sums import NgramSums
from model.ngrams import NgramEncoder
from model.parts.ngram import NgramPart

FILES = {
    "model.params",
    "encoder.json",
    "learned.npy",
    "config.json",
    "evaluation.json",
    "report.html",
    "manifest.json",
}


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=".")
    return archive


def refusal(source: Path) -> str:
    with pytest.raises(ArtifactError) as refused:
        load(source)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_the_folder_holds_the_files_of_the_contract_and_a_manifest_of_them(any_saved: Path) -> None:
    manifest = json.loads((any_saved / "manifest.json").read_text(encoding="utf-8"))
    assert {path.name for path in any_saved.iterdir()} == FILES
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    assert manifest["schema"] == 2
    assert set(manifest["versions"]) == {"claimflow", "python", "numpy", "framework"}


def test_no_file_holds_a_pickle(any_saved: Path) -> None:
    for path in any_saved.iterdir():
        with pytest.raises(ValueError):  # noqa: PT011  pickletools knows no narrower one
            list(pickletools.genops(path.read_bytes()))


def test_a_packed_model_judges_like_the_folder(any_saved: Path, tmp_path: Path) -> None:
    texts = ["brake disc squeal", "oil and smoke", ""]
    folder, packed = load(any_saved), load(pack(any_saved, tmp_path / "model.tar.gz"))
    assert np.array_equal(
        packed.predict_proba(texts).probabilities, folder.predict_proba(texts).probabilities
    )
    assert np.array_equal(
        packed.predict_proba(texts).in_vocabulary_ratios, folder.predict_proba(texts).in_vocabulary_ratios
    )
    assert (packed.decision, packed.config) == (folder.decision, folder.config)
    assert (packed.labels, packed.mixture) == (folder.labels, folder.mixture)


def arrays(classifier: Classifier) -> dict[str, np.ndarray]:
    return {
        f"{number}.{name}": found
        for number, part in enumerate(classifier.parts)
        for name, found in part.arrays().items()
    }


def test_a_model_that_is_saved_again_is_the_same(any_saved: Path, tmp_path: Path) -> None:
    evaluation = json.loads((any_saved / "evaluation.json").read_text(encoding="utf-8"))
    classifier = load(any_saved)
    save(tmp_path / "again", classifier, evaluation, "a report")
    again = load(tmp_path / "again")
    for name in ("encoder.json", "config.json", "evaluation.json"):
        assert (tmp_path / "again" / name).read_bytes() == (any_saved / name).read_bytes()
    assert {name: found.tolist() for name, found in arrays(again).items()} == {
        name: found.tolist() for name, found in arrays(classifier).items()
    }


def with_grams(classifier: Classifier, grams: Grams, texts: list[str]) -> Classifier:
    """The classifier with n-grams learned from other texts, and as many weights."""
    encoder, _ = NgramEncoder.fit(texts, grams, 7, 1000)
    chance = np.random.default_rng(0)
    weights = chance.normal(0, 1, (encoder.size, 3)).astype(np.float32)
    part = NgramPart(encoder, NgramSums(weights, np.zeros(3, dtype=np.float32), "none"))
    return dataclasses.replace(classifier, parts=(part,))


@pytest.mark.parametrize(
    ("grams", "texts"),
    [
        (Grams(3, 2, (1, 4), 20), ["größe 👍 größe 👍", 'a "b" größe 👍', 'a "b"']),
        (Grams(1, 0, None, 0), ["x x", "x"]),
        (Grams(2, 0, None, 0), ["no word", "in two texts"]),
    ],
)
def test_every_sort_of_n_grams_stays_the_same(
    grams: Grams, texts: list[str], saved: Path, tmp_path: Path
) -> None:
    classifier = with_grams(load(saved), grams, texts)
    evaluation = json.loads((saved / "evaluation.json").read_text(encoding="utf-8"))
    save(tmp_path / "model", classifier, evaluation, "")
    again = load(tmp_path / "model")
    assert again.parts[0].encoder.grams == grams  # type: ignore[attr-defined]
    asked = [*texts, "unheard", ""]
    assert np.array_equal(
        again.predict_proba(asked).probabilities, classifier.predict_proba(asked).probabilities
    )


def test_a_folder_that_holds_model_tar_gz_is_a_model(saved: Path, tmp_path: Path) -> None:
    pack(saved, tmp_path / "model.tar.gz")
    assert load(tmp_path).labels == ("brakes", "engine", "seats")


@pytest.mark.parametrize("name", sorted(FILES - {"manifest.json"}))
def test_a_changed_file_is_refused_by_name(name: str, copy: Path) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    assert name in refusal(copy)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_refused_by_name(name: str, copy: Path) -> None:
    (copy / name).unlink()
    assert name in refusal(copy)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"schema": 1}', '{"schema": 1, "files": 3, "weights": "x"}']
)
def test_a_broken_manifest_is_refused(content: str, copy: Path) -> None:
    (copy / "manifest.json").write_text(content, encoding="utf-8")
    assert "manifest.json" in refusal(copy)


def edit_manifest(folder: Path, change: Callable[[dict], None]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize("version", [1, 3])
def test_an_older_or_newer_schema_is_refused_with_both_versions(version: int, copy: Path) -> None:
    edit_manifest(copy, lambda manifest: manifest.update(schema=version))
    sentence = refusal(copy)
    assert f"schema version {version}" in sentence
    assert "reads version 2" in sentence


def edit(folder: Path, name: str, change: Callable[[dict], object]) -> None:
    """Change a JSON file of a model, and its digest with it."""
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    change(content)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    edit_manifest(folder, lambda manifest: manifest["files"].update({name: digest(folder / name)}))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("encoder.json", lambda content: content.pop("labels")),
        ("encoder.json", lambda content: content["parts"].clear()),
        ("encoder.json", lambda content: content["parts"].update(bert={})),
        ("encoder.json", lambda content: content["parts"]["ngram"].pop("words")),
        ("config.json", lambda content: content.update(architecture="textcnn")),
        ("config.json", lambda content: content.update(architecture="cnn")),
        ("config.json", lambda content: content.update(no_such_key=1)),
        ("evaluation.json", lambda content: content.pop("training")),
        ("evaluation.json", lambda content: content["acceptance"].pop("threshold")),
    ],
    ids=range(9),
)
def test_a_model_of_another_version_with_right_digests_is_refused(
    name: str, change: Callable[[dict], object], copy: Path
) -> None:
    edit(copy, name, change)
    assert "made by another version of this program" in refusal(copy)


def test_a_model_without_one_of_its_arrays_is_refused(copy: Path) -> None:
    held = array_file.read(copy / "model.params")
    for missing in sorted(held):
        array_file.write(copy / "model.params", {name: held[name] for name in held if name != missing})
        edit_manifest(
            copy, lambda manifest: manifest["files"].update({"model.params": digest(copy / "model.params")})
        )
        assert "made by another version of this program" in refusal(copy)


def test_a_manifest_cannot_name_a_file_outside(copy: Path) -> None:
    shutil.copy(copy / "model.params", copy.parent / "model.params")
    edit_manifest(copy, lambda manifest: manifest.update(weights="../model.params"))
    assert "../model.params" in refusal(copy)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_an_archive_that_was_cut_short_is_refused(share: float, saved: Path, tmp_path: Path) -> None:
    archive = pack(saved, tmp_path / "model.tar.gz")
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    assert "damaged or cut short" in refusal(archive)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    "evil",
    [
        member("../escape"),
        member("/etc/escape"),
        member("folder/escape"),
        member(".."),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.LNKTYPE, "../escape"),
        member("pipe", tarfile.FIFOTYPE),
        member("device", tarfile.CHRTYPE),
        member("folder", tarfile.DIRTYPE),
    ],
    ids=lambda info: f"{info.name}-{info.type.decode()}",
)
def test_an_archive_with_anything_but_plain_files_is_refused_and_writes_nothing_outside(
    evil: tarfile.TarInfo, tmp_path: Path
) -> None:
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(evil, io.BytesIO())
    (tmp_path / "inside").mkdir()
    with pytest.raises(ArtifactError, match="not a plain file at its top"):
        unpack(archive, tmp_path / "inside")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inside", "model.tar.gz"]
