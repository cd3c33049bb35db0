"""What the architecture `auto` takes: n-grams, and the part `sentence` where that is worth its time."""

import time
from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np

from contract.text import duration
from model.calibration import Flags, cross_entropy, temperature
from model.config import Config
from model.cores import available_cores
from model.cross_fitting import fit
from model.data import Floats, Numbers
from model.errors import ModelError
from model.mixture import fit_mixture, mix_logits
from model.parts import kind
from model.parts.part import Fitted, Rows
from model.training import Session

ADDED = "sentence"
WARM_UP_ROWS = 16
LOOK_ROWS = 400  # which tell how long all rows would take
AFFORDABLE_SECONDS = 120.0  # that the part may take without proof
LEAST_GAIN = 0.02  # of the loss, by which the part must lower it,
GAIN_A_MINUTE = 0.0025  # or by so much for every minute that it takes, where that is more,
MOST_GAIN = 0.2  # up to this


@dataclass(frozen=True)
class Choice:
    """Whether the part is taken, fitted to all rows, and why, in one sentence."""

    added: Fitted | None
    reason: str


def choose(rows: Rows, first: Fitted, config: Config, session: Session) -> Choice:
    """Return the second part, if what it adds to the first one's out-of-fold loss is worth its time.

    Where all rows would take more than AFFORDABLE_SECONDS, as many rows as fit into that tell first. They
    show less than all would, as the part has learned from fewer rows than the first one, so little is asked
    for. A loss is the mean cross-entropy at the best temperature. Raises what fitting raises.
    """
    alone = config.alone(ADDED)
    try:
        part = kind(ADDED)
        part.check(alone)
    except ModelError as missing:
        return _told(session, Choice(None, f"`auto` took n-grams alone: {missing}"))
    seconds = _seconds_a_row(rows, alone, session) * (len(rows.labels) + len(rows.validation_labels))
    if seconds > AFFORDABLE_SECONDS:
        some = _sample(rows, AFFORDABLE_SECONDS / seconds, config.seed)
        seen = first.out_of_fold and first.out_of_fold.only(some)
        losses = _losses(rows.only(some), replace(first, out_of_fold=seen), _look(rows, some, alone, session))
        if not _is_worth(losses, seconds):
            return _told(session, Choice(None, _reason(losses, seconds)))
    added = fit(part, rows, alone, session)
    losses = _losses(rows, first, added)
    taken = added if _is_worth(losses, seconds) else None
    return _told(session, Choice(taken, _reason(losses, seconds)))


@dataclass(frozen=True)
class _Losses:
    alone: float
    together: float

    @property
    def gain(self) -> float:
        return 1 - self.together / self.alone if self.alone else 0.0


def _seconds_a_row(rows: Rows, alone: Config, session: Session) -> float:
    """Return how long a row takes, once the part has read what it needs."""
    for count in (WARM_UP_ROWS, LOOK_ROWS):
        some = _sample(rows, count / len(rows.labels), alone.seed)
        started = _worked()
        looked_at = _look(rows, some, alone, session)
    return (_worked() - started) / (int(some.sum()) + len(looked_at.validation.logits))


def _worked() -> float:
    """Return for how many seconds this process has worked, as if it had its cores for itself.

    Beside other work the time that passes would be longer, and the choice, with it the model, another one. Of
    a GPU only the time that passes is known.
    """
    if import_module(
        "model.network"
    ).has_gpu():  # MXNet is there by now, and takes long where it is not needed
        return time.monotonic()
    return time.process_time() / available_cores()


def _look(rows: Rows, some: Flags, alone: Config, session: Session) -> Fitted:
    """Return the part fitted to some rows, aside. Where folds judge it, it reads no validation row."""
    given = rows.only(some)
    if rows.folds is not None:
        given = replace(given, validation_texts=(), validation_labels=rows.validation_labels[:0])
    return fit(kind(ADDED), given, alone, replace(session, checkpoints=None, say=lambda _: None))


def _sample(rows: Rows, share: float, seed: int) -> Flags:
    """Return which training rows are looked at: the first, and about this share at random."""
    chosen: Flags = np.random.default_rng(seed).random(len(rows.labels)) < share
    chosen[:1] = True
    return chosen


def _losses(rows: Rows, first: Fitted, added: Fitted) -> _Losses:
    """Return the losses without and with the second part, on rows that neither has learned from."""
    truths = rows.validation_labels if rows.folds is None else rows.labels
    logits = [(part.out_of_fold or part.validation).logits for part in (first, added)]
    together = mix_logits(logits, fit_mixture(logits, truths))
    return _Losses(_loss(logits[0], truths), _loss(together, truths))


def _loss(logits: Floats, truths: Numbers) -> float:
    return cross_entropy(logits, truths, temperature(logits, truths))


def _is_worth(losses: _Losses, seconds: float) -> bool:
    return losses.gain >= min(max(LEAST_GAIN, GAIN_A_MINUTE * seconds / 60), MOST_GAIN)


def _reason(losses: _Losses, seconds: float) -> str:
    taken = "n-grams and sentences" if _is_worth(losses, seconds) else "n-grams alone"
    return (
        f"`auto` took {taken}: sentences change the loss from {losses.alone:.3f} to {losses.together:.3f} "
        f"({-losses.gain:+.1%}) and take {duration(seconds)}."
    )


def _told(session: Session, choice: Choice) -> Choice:
    session.say(choice.reason)
    return choice
