"""Labelling single texts on this machine. Texts go nowhere but to the model: no log, no file, no service."""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from contract.columns import BECAUSE, CONFIDENCE, PREDICTION, REASON, RUNNER_UP
from contract.part import Prediction, cell, level_values
from contract.text import is_text, percent, shorten
from workflow import display
from workflow.errors import CommandError

if TYPE_CHECKING:  # NumPy and Numba, which the other commands do not wait for
    from model.classifier import Classifier

STANDARD_INPUT = "-"
ACCEPTED = "accepted"
PERSON = "a person should look"
LONGEST_SHOWN = 100  # characters of a text above its prediction
MOST_INTERPRETED = 2_000  # characters, which are labelled before the compiled loops would be loaded


class Text(NamedTuple):
    """A text to label, with its line of the standard input from 1; 0: it was typed as an argument."""

    line: int
    text: str


def given(text: str | None) -> Iterator[Text]:
    """Return the texts to label: the one that was typed, or the lines of the standard input that have any.

    Raises CommandError when there is none, or one is not UTF-8.
    """
    if text is None or text == STANDARD_INPUT:
        return _lines(sys.stdin.buffer if sys.stdin else [])
    if not text.strip():
        raise CommandError("The text is empty: type it in quotes, or give one a line on the standard input.")
    if not is_text(text):
        raise CommandError("The text is not UTF-8: type it again, or set the terminal to UTF-8.")
    return iter([Text(0, text)])


@contextmanager
def loads_quickly(text: str | None) -> Iterator[None]:
    """Let a model be loaded without compiled loops, if it is for one short text."""
    if text in {None, STANDARD_INPUT} or len(text) > MOST_INTERPRETED:
        yield
        return
    from model.compiled import interpreted  # noqa: PLC0415  as above

    with interpreted():
        yield


def is_typed(text: str | None) -> bool:
    """Return whether a person types the texts now, line by line, and waits for each answer."""
    return text in {None, STANDARD_INPUT} and sys.stdin is not None and sys.stdin.isatty()


def labelled(
    classifier: "Classifier", texts: Iterator[Text], *, explain: bool, one_by_one: bool
) -> Iterator[tuple[Text, Prediction]]:
    """Yield each text with its prediction, in their order.

    `one_by_one` labels a text before the next one is read; else many are labelled together, which is faster.
    """
    groups = ([text] for text in texts) if one_by_one else [texts]
    return itertools.chain.from_iterable(_together(classifier, group, explain) for group in groups)


def show(text: Text, prediction: Prediction, version: int) -> None:
    """Print a prediction by the model's version for a person."""
    if text.line:
        display.say(f"{text.line}  {shorten(text.text, LONGEST_SHOWN)}", "dim")
    display.say(heading(prediction), "yellow" if prediction.doubt else "green")
    display.pairs(facts(prediction, version))


def show_json(text: Text, prediction: Prediction, version: int) -> None:
    """Print a prediction as a line of JSON."""
    typer.echo(json.dumps(document(text, prediction, version), ensure_ascii=False))


def heading(prediction: Prediction) -> str:
    """Return the category, and whether it is accepted or why a person should look."""
    return f"{prediction.prediction}: {f'{PERSON}, {prediction.doubt}' if prediction.doubt else ACCEPTED}"


def facts(prediction: Prediction, version: int) -> list[tuple[str, str]]:
    """Return the rest of a prediction as pairs of a name and a text; `version` is that of the model."""
    pairs = [
        ("confidence", percent(float(cell(prediction.confidence)), 2)),
        ("next likeliest", prediction.runner_up),
        (BECAUSE, prediction.because),
        *((name, _in_words(value)) for name, value in level_values(prediction).items()),
        ("model", f"version {version}"),
    ]
    return [(name, text) for name, text in pairs if text]


def document(text: Text, prediction: Prediction, version: int) -> dict[str, Any]:
    """Return a prediction as JSON takes it, by the names of the results' columns; without the text."""
    line = {"line": text.line} if text.line else {}
    because = {BECAUSE: prediction.because} if prediction.because else {}
    return {
        **line,
        PREDICTION: prediction.prediction,
        CONFIDENCE: float(cell(prediction.confidence)),
        REASON: prediction.doubt or None,
        RUNNER_UP: prediction.runner_up,
        **because,
        **level_values(prediction),
        "model": version,
    }


def _in_words(value: str | float) -> str:
    return value if isinstance(value, str) else percent(value, 2)


def _together(
    classifier: "Classifier", texts: Iterable[Text], explain: bool
) -> Iterator[tuple[Text, Prediction]]:
    from model.data import Row  # noqa: PLC0415  as above
    from model.prediction import predict  # noqa: PLC0415  as above

    shown, read = itertools.tee(texts)
    rows = (Row(each.line, each.text) for each in read)
    return zip(shown, predict(classifier, rows, explain), strict=True)


def _lines(source: Iterable[bytes]) -> Iterator[Text]:
    """Yield the lines that have a text."""
    found = False
    for number, line in enumerate(source, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            raise CommandError(
                f"Line {number} of the standard input is not UTF-8 text: save it as UTF-8."
            ) from None
        if text:
            found = True
            yield Text(number, text)
    if not found:
        raise CommandError("The standard input has no text: give one a line.")
