"""What is compiled is compiled once, anew when its source changes, and gives what Python would."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCE = """
from model.compiled import compiled

@compiled
def double(number):
    return number * 2

if __name__ != "__main__":
    print(double(21), sum(double.stats.cache_hits.values()), sum(double.stats.cache_misses.values()))
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module with a compiled function that tells its result, and whether it was found or compiled."""
    path = tmp_path / "doubling.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def told(module: Path) -> str:
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(module.parent)!r}]; import doubling"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_second_process_finds_what_the_first_has_compiled(module: Path) -> None:
    assert [told(module), told(module)] == ["42 0 1", "42 1 0"]


def test_a_change_of_the_source_is_compiled_anew(module: Path) -> None:
    told(module)
    module.write_text(SOURCE.replace("number * 2", "number * 3"), encoding="utf-8")
    assert told(module) == "63 0 1"


def test_where_nothing_can_be_kept_it_is_compiled_each_time(module: Path) -> None:
    (module.parent / "__pycache__").write_text("in the way", encoding="utf-8")
    assert [told(module), told(module)] == ["42 0 1", "42 0 1"]


# What a model of n-grams does with texts, in the bytes of all numbers that come out.
LABELS = """
import contextlib, hashlib, sys

from model import compiled
with compiled.interpreted() if sys.argv[1] == "interpreted" else contextlib.nullcontext():
    import numpy as np
    from model.ngram_buckets import BUCKETS, Grams
    from model.ngram_sums import NgramSums
    from model.ngrams import NgramEncoder

text = "It leaks 2.5 litres, doesn't it? <br /> \u00c7a va: Stra\u00dfe \ufb01n \u4e2d\u6587 it leaks, leaks"
made = []
for grams in (Grams(2, 4, (1, 4), 20), Grams(3, 0, None, 0, "log"), Grams(1, 0, (2, 6), 5, True)):
    encoder = NgramEncoder(grams, np.arange(BUCKETS, dtype=np.int32)[::4], 60)
    read = encoder.encode([text, "", text[20:]])
    weights = np.sqrt(np.arange(encoder.size, dtype=np.float32))[:, None]
    logits = NgramSums(weights, weights[0], "sqrt").logits(read.texts)
    assert len(read.texts.numbers) > 10, grams
    made += [read.texts.numbers.tobytes(), read.in_vocabulary_ratios.tobytes(), logits.tobytes()]
    made.append(repr(encoder.phrases(text)).encode())
print(len(made), hashlib.sha256(b"".join(made)).hexdigest(), "numba" in sys.modules)
"""


def test_what_is_interpreted_gives_the_same_numbers_and_loads_no_numba() -> None:
    interpreted, machine_code = (
        subprocess.run(
            [sys.executable, "-W", "error", "-c", LABELS, how],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for how in ("interpreted", "compiled")
    )
    assert interpreted[:2] == machine_code[:2]
    assert interpreted[0] == "12"
    assert (interpreted[2], machine_code[2]) == ("False", "True")
