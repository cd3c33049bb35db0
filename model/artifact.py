"""A trained model as a folder or a model.tar.gz: plain arrays and JSON, and a manifest with every digest."""

import json
import platform
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np

from contract.evaluation import Evaluation
from model import __version__, array_file
from model.checkpoint import digest
from model.classifier import Classifier
from model.config import Config
from model.data import Arrays
from model.errors import ArtifactError, ConfigError
from model.evaluation import decision
from model.framework import framework
from model.parts import kind
from model.parts.part import Part
from model.texts import Hashes

SCHEMA = 2  # 1 had one network and its words
LEARNED = "learned.npy"
MANIFEST, CONFIG, ENCODER, EVALUATION, REPORT = (
    "manifest.json",
    "config.json",
    "encoder.json",
    "evaluation.json",
    "report.html",
)


def save(
    folder: Path,
    classifier: Classifier,
    evaluation: Evaluation,
    report: str,
    learned: Hashes | None = None,
) -> None:
    """Write the model into `folder`, the manifest last; `learned` are the hashes of its training texts."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{classifier.config.save_name}.params"
    array_file.write(weights, _arrays(classifier))
    write_json(folder / ENCODER, _described(classifier))
    write_json(folder / CONFIG, classifier.config.model_dump())
    write_json(folder / EVALUATION, evaluation)
    (folder / REPORT).write_text(report, encoding="utf-8")
    names = [weights.name, ENCODER, CONFIG, EVALUATION, REPORT]
    if learned is not None:
        np.save(folder / LEARNED, learned, allow_pickle=False)
        names.append(LEARNED)
    versions = {"claimflow": __version__, "python": platform.python_version()}
    versions |= {"numpy": np.__version__, "framework": framework()}
    files = {name: digest(folder / name) for name in names}
    write_json(
        folder / MANIFEST, {"schema": SCHEMA, "files": files, "weights": weights.name, "versions": versions}
    )


def load(source: Path, target_precision: float | None = None) -> Classifier:
    """Read a model from its folder, or from model.tar.gz, or from a folder that holds model.tar.gz.

    `target_precision` is the one that it got after its training; None: its own. Raises ArtifactError, in one
    sentence, when anything is missing, altered or of another version.
    """
    with unpacked(source) as folder:
        return _load_folder(folder, target_precision)


def learned(folder: Path) -> Hashes | None:
    """Return the hashes of the texts that a model in a folder learned from, if it has them."""
    path = folder / LEARNED
    if not path.exists():
        return None
    try:
        hashes: Hashes = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise ArtifactError(f"The model's file {LEARNED!r} is no array ({error}).") from error
    return hashes


def evaluation(folder: Path) -> Evaluation:
    """Return evaluation.json of a model in a folder."""
    return cast("Evaluation", _json(folder / EVALUATION))


@contextmanager
def unpacked(source: Path) -> Iterator[Path]:
    """Yield the folder of a model's files, from where `load` reads; it is gone afterwards if it was packed.

    Raises ArtifactError.
    """
    packed = source / "model.tar.gz" if (source / "model.tar.gz").exists() else source
    if packed.is_dir():
        yield packed
        return
    with tempfile.TemporaryDirectory() as folder:
        unpack(packed, Path(folder))
        yield Path(folder)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a model.tar.gz. Raises ArtifactError at anything in it but plain files without a folder."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if not (member.isdir() and member.name == "."):
                    _copy(tar, member, folder / _plain_name(member))
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise ArtifactError(
            f"The model archive cannot be unpacked; it is damaged or cut short ({error})."
        ) from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that a person can read too."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain_name(member: tarfile.TarInfo) -> str:
    name = member.name.removeprefix("./")
    if not member.isfile() or "/" in name or "\\" in name or name in {"", ".", ".."}:
        raise ArtifactError(f"The model archive holds {member.name!r}, which is not a plain file at its top.")
    return name


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Write a member's content, nothing else of it (tarfile's own filters came after Python 3.11.2)."""
    content = tar.extractfile(member)
    if content is None:
        raise ArtifactError(f"The model archive holds {member.name!r}, which has no content.")
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _arrays(classifier: Classifier) -> Arrays:
    """Return all that is learned in numbers, by PART.NAME."""
    return {
        f"{kind_name}.{name}": array
        for kind_name, part in zip(classifier.config.parts, classifier.parts, strict=True)
        for name, array in part.arrays().items()
    }


def _described(classifier: Classifier) -> dict[str, Any]:
    """Return the labels, and the rest of each part, as JSON."""
    parts = zip(classifier.config.parts, classifier.parts, strict=True)
    return {"labels": classifier.labels, "parts": {name: part.described() for name, part in parts}}


def _load_folder(folder: Path, target_precision: float | None) -> Classifier:
    weights = _checked_weights(folder)
    try:
        config = Config.parse(_json(folder / CONFIG))
        encoder, evaluation = _json(folder / ENCODER), cast("Evaluation", _json(folder / EVALUATION))
        arrays, labels, described = array_file.read(weights), tuple(encoder["labels"]), encoder["parts"]
        _check_kinds(described, config)
        parts = tuple(_part(name, described[name], arrays, config, len(labels)) for name in config.parts)
        mixture = evaluation["training"]["mixture"]
        shares = tuple(mixture[name] for name in config.parts) if mixture else (1.0,)
        return Classifier(config, labels, parts, shares, decision(evaluation, target_precision))
    except (ConfigError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"The model was made by another version of this program ({error}).") from error


def _check_kinds(described: dict[str, Any], config: Config) -> None:
    if described.keys() != set(config.parts):
        told = [", ".join(sorted(names)) for names in (described, config.parts)]
        raise ConfigError(["its parts are {}, those of its configuration {}".format(*told)])


def _part(name: str, described: dict[str, Any], arrays: Arrays, config: Config, classes: int) -> Part:
    own = {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}
    return kind(name).load(described, own, config.alone(name), classes)


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _checked_weights(folder: Path) -> Path:
    """Return the weights file of a folder whose every file is the one that its manifest names."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        schema, files, weights = manifest["schema"], dict(manifest["files"]), str(manifest["weights"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"The model has no readable {MANIFEST}, so it is not a finished model."
        ) from error
    if schema != SCHEMA:
        raise ArtifactError(
            f"The model has schema version {schema}, and this program reads version {SCHEMA}."
        )
    for name in [*files, weights, CONFIG, ENCODER, EVALUATION]:
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise ArtifactError(f"The model lacks the file {name!r}.")
        if digest(path) != files.get(name):
            raise ArtifactError(
                f"The model's file {name!r} is not the one that was saved; its sha256 differs."
            )
    return folder / weights
