"""The worked examples of CONTRIBUTING.md hold: they apply, name real places, and the new part learns."""

import importlib.util
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from model.config import Config
from model.parts.part import Part, Rows
from model.training import Session

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DIFFS = re.findall(r"^```diff\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PLACES = re.findall(r"^\| `([\w./]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
TEXTS = ["oil leaks from the engine", "engine lost its oil", "screen is black", "the screen flickers"] * 3


@pytest.mark.parametrize("diff", DIFFS, ids=lambda diff: diff.split("b/")[1].split("\n")[0])
def test_an_example_applies_to_the_code(diff: str) -> None:
    command = ["git", "apply", "--check", "-"]
    done = subprocess.run(command, cwd=ROOT, input=diff, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_there_are_examples_of_a_key_a_column_and_a_kind_of_network() -> None:
    files = {name for diff in DIFFS for name in re.findall(r"^\+\+\+ b/(.+)$", diff, re.MULTILINE)}
    assert files == {"model/config.py", "contract/part.py", "model/prediction.py", "model/parts/__init__.py"}


@pytest.mark.parametrize(("path", "thing"), PLACES)
def test_a_place_that_is_named_has_the_thing(path: str, thing: str) -> None:
    assert thing in (ROOT / path).read_text(encoding="utf-8")


def test_every_path_that_is_named_is_there() -> None:
    paths = set(re.findall(r"`((?:\w+/)+[\w.]*|[\w.]+\.ya?ml)`", PAGE)) - {"tests/unit/FOLDER"}
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_the_example_of_a_part_learns_explains_and_is_saved(tmp_path: Path) -> None:
    kind = _part(tmp_path)
    labels = np.array([0, 0, 1, 1] * 3)
    rows = Rows(lambda: iter(TEXTS), labels, TEXTS, labels, classes=2, characters=1000)
    config = Config(vocab_size=1000)
    part = kind.fit(rows, config, Session()).part
    scores = part.score([*TEXTS, ""])
    assert scores.logits.argmax(axis=1)[:-1].tolist() == labels.tolist()
    phrases, shares = part.evidence("oil on the screen")
    assert dict(zip(phrases, shares.argmax(axis=1).tolist(), strict=True))["oil"] == 0
    again = kind.load(part.described(), part.arrays(), config, 2)
    assert np.array_equal(again.score([*TEXTS, ""]).logits, scores.logits)


def _part(folder: Path) -> type[Part]:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (folder / "bayes.py").write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("bayes", folder / "bayes.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kind: type[Part] = module.BayesPart
    return kind


@pytest.mark.parametrize("folder", re.findall(r"^\| `(tests/\w+)/` \|", PAGE, re.MULTILINE))
def test_the_readme_of_a_folder_of_tests_says_what_it_proves_and_needs(folder: str) -> None:
    text = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    points = re.findall(r"^- \*\*(.+?)\*\*: \S", text, re.MULTILINE)
    assert points == ["What it proves", "What it needs", "How to run", "How long"]


def test_every_folder_of_tests_is_listed() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if list(path.rglob("test_*.py"))}
    assert folders == set(re.findall(r"^\| `tests/(\w+)/` \|", PAGE, re.MULTILINE))
