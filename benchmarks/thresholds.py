"""Compares tests of the threshold, and measures what watching a rare category does, on a public data set.

    python -m benchmarks.thresholds [DATASET]

N-grams learn the training rows in five folds. Of the out-of-fold rows, some are dealt to each test many
times, and the threshold that it finds is judged on all of them. Then categories are thinned out to a few
training rows, each of them is protected in turn, and its test rows are followed. Takes about ten minutes.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks import data
from benchmarks.__main__ import working_folder
from model import calibration, cross_fitting
from model.acceptance import CalibrationRows, Rule, Wishes, rule
from model.calibration import Array, Flags, Truths, probabilities
from model.classifier import Decision, Watched
from model.config import Config
from model.data import read_file
from model.parts import kind
from model.parts.part import Rows
from model.precision_test import RISK, STARTS, fewest_rows, lowest_threshold, luck
from model.review import review_reasons
from model.texts import hash_texts
from model.training import Session

CONFIG = Config.parse(
    {
        "ngram_words": 2, "ngram_skip": 0, "ngram_chars": [2, 4], "ngram_end": 0, "ngram_repeats": False,
        "ngram_scale": "idf", "ngram_norm": "sqrt", "ngram_optimizer": "adam", "ngram_epochs": 8,
    }
)  # fmt: skip
FOLDS, DEALS = 5, 100
DEALT, TARGETS = (300, 1_000, 3_000), (0.95, 0.98)
RARE_ROWS, RARE_CATEGORIES, DRAWS = 20, 8, 3

Labelled: TypeAlias = tuple[list[str], Truths]  # texts, the number of the label of each
Find: TypeAlias = Callable[[Array, Flags, float], float]


@dataclass(frozen=True)
class Fitted:
    """Out-of-fold rows, and the test rows as the model of all training rows sees them."""

    rows: CalibrationRows
    test: CalibrationRows


def main(dataset: str) -> None:
    """Print both tables."""
    with working_folder() as work:
        train, test, labels = _labelled(dataset, work)
    whole = fit(train, test, len(labels))
    print("| rows | target | test | accepted | nothing | broken |\n| --- | --- | --- | --- | --- | --- |")
    for line in compared(whole.rows):
        print(line, flush=True)
    print("| target | watched | right or looked at | accepted |\n| --- | --- | --- | --- |")
    for line in rare(train, test, labels):
        print(line)


def compared(rows: CalibrationRows) -> Iterator[str]:
    """Yield what each test accepts of all rows, how often nothing, and how often too many are wrong."""
    guesses, confidences = calibration.guesses(rows.logits, rows.temperature)
    correct = guesses == rows.truths
    for dealt in DEALT:
        deals = [np.random.default_rng(seed).integers(0, len(correct), dealt) for seed in range(DEALS)]
        for target in TARGETS:
            for name, find in TESTS.items():
                thresholds = [find(confidences[deal], correct[deal], target) for deal in deals]
                accepted = [confidences >= threshold for threshold in thresholds]
                broken = [bool(each.any() and correct[each].mean() < target) for each in accepted]
                share, none = np.mean(accepted), np.mean([not each.any() for each in accepted])
                yield (
                    f"| {dealt:,} | {target} | {name} | {share:.1%} | {none:.0%} | {np.mean(broken):.0%} |"
                )


def rare(train: Labelled, test: Labelled, labels: Sequence[str]) -> Iterator[str]:
    """Yield, for each target, the share of the rare categories' test rows that are right or looked at."""
    kept: dict[tuple[float, str], list[tuple[float, float]]] = {}
    for draw in range(DRAWS):
        chance = np.random.default_rng(draw)
        thinned = chance.permutation(len(labels))[:RARE_CATEGORIES]
        fitted = fit(_thinned(train, thinned, chance), test, len(labels))
        for category in thinned.tolist():
            unasked = rule(fitted.rows, labels, Wishes(TARGETS[0]))
            asked = rule(fitted.rows, labels, Wishes(TARGETS[0], [labels[category]]))
            unwatched = replace(unasked, watched=[])
            for name, found in (("not", unwatched), ("as few rows", unasked), ("as protected", asked)):
                for target, outcome in _followed(found, fitted.test, labels, category):
                    kept.setdefault((target, name), []).append(outcome)
    for (target, name), outcomes in sorted(kept.items()):
        looked_at, accepted = np.mean(outcomes, axis=0)
        yield f"| {target} | {name} | {looked_at:.1%} | {accepted:.1%} |"


def fit(train: Labelled, test: Labelled, classes: int) -> Fitted:
    """Learn n-grams in folds and from all rows; a few training rows stand where validation rows would."""
    texts, truths = train
    rows = Rows(
        texts=lambda: iter(texts),
        labels=truths,
        validation_texts=texts[:100],
        validation_labels=truths[:100],
        classes=classes,
        characters=sum(map(len, texts)),
        folds=cross_fitting.folds(hash_texts(texts), FOLDS),
    )
    fitted = cross_fitting.fit(kind("ngram"), rows, CONFIG, Session(say=lambda _: None))
    if fitted.out_of_fold is None:
        raise ValueError("the part was not cross-fitted")
    logits, of_test = fitted.out_of_fold.logits, fitted.part.score(test[0]).logits
    temperature = calibration.temperature(logits, truths)
    return Fitted(
        CalibrationRows(logits, temperature, truths, np.zeros(len(truths), dtype=bool)),
        CalibrationRows(of_test, temperature, test[1], np.zeros(len(test[1]), dtype=bool)),
    )


def bonferroni(confidences: Array, correct: Flags, target: float) -> float:
    """Try 5%, 10%, … of the rows, each at a twentieth of the risk."""
    return _sequences(confidences, correct, target, dict.fromkeys(_steps(len(correct), 20), RISK / 20))


def one_sequence(confidences: Array, correct: Flags, target: float) -> float:
    """Try the fewest rows that can pass, then 1%, 2%, … at the whole risk, until one fails."""
    first = fewest_rows(target, RISK)
    return _sequences(confidences, correct, target, {first: RISK} if first <= len(correct) else {})


def even_starts(confidences: Array, correct: Flags, target: float) -> float:
    """Start sequences at 20%, 40%, 60% and 80% of the rows, each at a quarter of the risk."""
    starts = _steps(len(correct), STARTS + 1)[:STARTS]
    return _sequences(confidences, correct, target, dict.fromkeys(starts, RISK / STARTS))


TESTS: Mapping[str, Find] = {
    "Bonferroni, 20 tries": bonferroni,
    "one sequence": one_sequence,
    "four sequences, even starts": even_starts,
    "four sequences, from the fewest rows": lowest_threshold,
}


def _sequences(confidences: Array, correct: Flags, target: float, risks: Mapping[int, float]) -> float:
    order = np.argsort(-confidences, kind="stable")
    wrong = np.cumsum(~correct[order])
    found, risk = math.inf, 0.0
    for rows in sorted({*risks, *_steps(len(order), 100)}):
        risk = max(risk, risks.get(rows, 0.0))
        if risk and luck(int(wrong[rows - 1]), rows, target) <= risk:
            found = float(confidences[order[rows - 1]])
        else:
            risk = 0.0
    return found


def _steps(rows: int, count: int) -> list[int]:
    return [max(rows * step // count, 1) for step in range(1, count + 1)]


def _labelled(dataset: str, work: Path) -> tuple[Labelled, Labelled, list[str]]:
    """Return the training and the test rows, and the names of the labels."""
    prepared = data.prepare(data.DATASETS[dataset], data.data_folder(), work / dataset, None)
    splits = [list(read_file(path)) for path in (prepared.train, prepared.test)]
    labels = sorted({row.label for row in splits[0]})
    numbers = {label: number for number, label in enumerate(labels)}
    train, test = (
        ([row.text for row in split], np.array([numbers[row.label] for row in split])) for split in splits
    )
    return train, test, labels


def _thinned(train: Labelled, categories: Truths, chance: np.random.Generator) -> Labelled:
    """Leave RARE_ROWS of each of the categories."""
    texts, truths = train
    left = [chance.permutation(np.flatnonzero(truths == category))[:RARE_ROWS] for category in categories]
    rows = np.sort(np.concatenate([np.flatnonzero(~np.isin(truths, categories)), *left]))
    return [texts[row] for row in rows], truths[rows]


def _followed(
    found: Rule, test: CalibrationRows, labels: Sequence[str], category: int
) -> Iterator[tuple[float, tuple[float, float]]]:
    """Yield, by target, the share of a category's test rows right or looked at, and that of all accepted."""
    chances = probabilities(test.logits, test.temperature)
    numbers = {label: number for number, label in enumerate(labels)}
    for step in found.targets:
        if step["target_precision"] not in TARGETS:
            continue
        watched = tuple(
            Watched(tuple(numbers[label] for label in group["labels"]), limit)
            for group, limit in zip(found.watched, step["chances"], strict=False)
        )
        decision = Decision(test.temperature, step["threshold"], watched=watched)
        accepted = np.array([not reason for reason in review_reasons(decision, chances, test.unlike, labels)])
        silent = accepted & (chances.argmax(axis=1) != test.truths)
        kept = 1 - silent[test.truths == category].mean()
        yield step["target_precision"], (float(kept), float(accepted.mean()))


if __name__ == "__main__":
    main(*sys.argv[1:] or ["banking77"])
