"""A saved model: complete, without pickle, and refused in one sentence when it was changed."""

import io
import json
import pickletools
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.artifact import load, unpack
from model.classifier import Classifier
from model.errors import ArtifactError

FILES = {"model.params", "encoder.json", "config.json", "evaluation.json", "report.html", "manifest.json"}


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


def test_the_folder_holds_the_files_of_the_contract_and_a_manifest_of_them(saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text(encoding="utf-8"))
    assert {path.name for path in saved.iterdir()} == FILES
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    assert manifest["schema"] == 1
    assert set(manifest["versions"]) == {"claimflow", "python", "numpy", "framework"}


def test_no_file_holds_a_pickle(saved: Path) -> None:
    for path in saved.iterdir():
        with pytest.raises(ValueError):  # noqa: PT011  pickletools knows no narrower one
            list(pickletools.genops(path.read_bytes()))


def test_a_loaded_model_judges_like_the_saved_one(
    saved: Path, classifier: Classifier, tmp_path: Path
) -> None:
    texts = ["brake disc squeal", "oil and smoke", ""]
    packed = load(pack(saved, tmp_path / "model.tar.gz"))
    assert np.array_equal(packed.logits(texts), classifier.logits(texts))
    assert packed.decision == classifier.decision
    assert packed.config == classifier.config


def test_a_folder_that_holds_model_tar_gz_is_a_model(saved: Path, tmp_path: Path) -> None:
    pack(saved, tmp_path / "model.tar.gz")
    assert load(tmp_path).encoder.labels == ("brakes", "engine", "seats")


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


def test_a_newer_schema_is_refused_with_both_versions(copy: Path) -> None:
    edit_manifest(copy, lambda manifest: manifest.update(schema=2))
    sentence = refusal(copy)
    assert "version 2" in sentence
    assert "version 1" in sentence


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
