"""Understands evaluation.json, and puts it into words; knows nothing of AWS."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from contract import bars, strict_json
from contract.binomial import as_good
from contract.errors import TrainingFailed
from contract.evaluation import READ_SCHEMAS, Champion, Evaluation, Lost
from contract.state import EvaluateEvent, Run, Suspects
from contract.strict_json import JsonError
from contract.text import count, percent
from shared.messages import file_address, message, noticed, subject, trained_from


@dataclass(frozen=True)
class Comparison:
    """The new and the live model on the same rows, which neither has learned from."""

    rows: int
    rows_of_live: int  # held out for the live model only
    accuracy: float
    live_accuracy: float
    lost: int = 0  # categories of the live model that the new one does not know
    lost_labels: tuple[str, ...] = ()  # the first of them
    only_new: int = 0  # rows that the new one alone has right
    only_live: int = 0
    significance: float | None = None  # level at which a less accurate one is worse; None: always

    @property
    def p_value(self) -> float:
        """Of the new one being at least as good as the live one: McNemar's exact test, one-sided."""
        return as_good(self.only_new, self.only_live)

    @property
    def worse(self) -> bool:
        """Whether the new one counts as worse than the live one."""
        less = self.accuracy < self.live_accuracy
        return less and (self.significance is None or self.p_value < self.significance)


@dataclass(frozen=True)
class Figures:
    """What the Gate compares. `compared` is None when no model is live, or it could not be measured."""

    accuracy: float
    low: float  # the lower end of its 95% interval
    high: float
    bar: float
    validation_rows: int
    compared: Comparison | None
    below: tuple[str, ...] = ()  # the other bars that it does not reach, a sentence each
    unjudged: tuple[str, ...] = ()  # those that the rows cannot judge, a sentence each

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the model."""
        return self.beats_bar and not self.below and self.beats_live

    @property
    def beats_bar(self) -> bool:
        """Whether the model reaches the bar."""
        return self.accuracy >= self.bar

    @property
    def beats_live(self) -> bool:
        """Whether the model is not worse than the live one, if there is one."""
        return self.compared is None or not self.compared.worse


def parse(text: bytes) -> Evaluation:
    """Read evaluation.json. Raises TrainingFailed when it is not what it should be."""
    try:
        document = strict_json.parse_object(text)
        usable = (
            document["schema"] in READ_SCHEMAS
            and 0 <= document["accuracy"] <= 1
            and document["validation_rows"] > 0
            and bool(document["labels"])
        )
    except JsonError as error:
        raise TrainingFailed(f"The training's evaluation.json {error}.") from error
    except (KeyError, TypeError) as error:
        raise TrainingFailed(f"The training's evaluation.json cannot be read: {error!r}.") from error
    if not usable:
        raise TrainingFailed("The training's evaluation.json has another schema or impossible figures.")
    return cast("Evaluation", document)


def figures(document: Evaluation, run: Run) -> Figures:
    """Return the figures of an evaluation.json.

    If the request lets categories go (`replace`), rows of those that the new model lacks do not count.
    """
    champion, gate = document["champion"] if run["live_model"] else None, run.get("gate")
    low, high = document["accuracy_interval"]
    return Figures(
        accuracy=document["accuracy"],
        low=low,
        high=high,
        bar=run["accuracy_bar"],
        validation_rows=document["validation_rows"],
        compared=_comparison(champion, document, run) if champion else None,
        below=tuple(bars.below(document, gate)) if gate else (),
        unjudged=tuple(bars.unjudged(document, gate)) if gate else (),
    )


def _comparison(champion: Champion, document: Evaluation, run: Run) -> Comparison:
    none_lost: Lost = {"labels": [], "count": 0, "rows": 0, "live_right": 0}
    lost = champion.get("lost") or none_lost
    gone = lost if run["replace"] else none_lost
    # An older training image counts no rows: it compared on the new file's.
    rows = champion.get("rows", document["validation_rows"]) - gone["rows"]
    both, only_new = champion["both_right"], champion["only_new_right"]
    only_live = champion["only_live_right"] - gone["live_right"]
    gate = run.get("gate")
    return Comparison(
        rows=rows,
        rows_of_live=champion.get("rows_of_live", 0) - gone["rows"],
        accuracy=(both + only_new) / max(rows, 1),
        live_accuracy=(both + only_live) / max(rows, 1),
        lost=lost["count"],
        lost_labels=tuple(lost["labels"]),
        only_new=only_new,
        only_live=only_live,
        significance=gate["live_significance"] if gate else None,
    )


def words(
    figures: Figures, state: EvaluateEvent, missing: list[str], report: str, advice: list[str]
) -> tuple[str, str]:
    """Return the subject and the message for people; `advice` are sentences on how the model gets better."""
    run = state["run"]
    passed = figures.passed
    name = run["data"]["uri"].rsplit("/", 1)[-1]
    verdict = (
        "was not good enough" if not passed else "has too little to show" if missing else "is good enough"
    )
    head = f"Claimflow: the model from {name} {verdict} ({percent(figures.accuracy)})"
    lines = [
        f"A model was trained from {trained_from(run)}.",
        f"It gives the right category for {percent(figures.accuracy)} of "
        f"{count(figures.validation_rows, 'row')} that it had not seen "
        f"(95% interval: {percent(figures.low)} to {percent(figures.high)}).",
        f"The bar is {percent(figures.bar)}: {'reached' if figures.beats_bar else 'not reached'}.",
        *figures.below,
        *against_live(figures.compared, run),
        "" if passed else _not_registered(run),
        *missing,
        *advice,
        noticed(state["validation"]["train"]["warnings"]),
        f"Report: {file_address(report)}",
    ]
    return subject(head), message(lines)


def by_level(document: Evaluation) -> str:
    """Return how right the upper levels of a hierarchy are, in a sentence; empty without one."""
    told = [
        f"{percent(each['accuracy'])} at level {number} "
        f"({count(each['categories'], 'category', 'categories')})"
        for number, each in enumerate(document.get("levels", []), 1)
    ]
    return f"Of the validation rows, the upper levels have right: {', '.join(told)}." if told else ""


def suspicious(suspects: Suspects | None) -> str:
    """Return where the rows lie whose labels are probably wrong; empty without any."""
    if suspects is None:
        return ""
    rows = count(suspects["count"], "row")
    return f"{rows} of the file may have a wrong category: {file_address(suspects['file'])}"


def verdict(figures: Figures, run: Run, missing: list[str]) -> str:
    """Return why the model was refused or waits for a person; empty for one that is good enough."""
    if not figures.beats_bar:
        return (
            f"This model was refused: {percent(figures.accuracy)} is below the bar of "
            f"{percent(figures.bar)}. It was not registered and predicts nothing."
        )
    if figures.below:
        why = " ".join(figures.below)
        return f"This model was refused: {why} It was not registered and predicts nothing."
    if not figures.beats_live:
        why = " ".join(against_live(figures.compared, run))
        return f"This model was refused: {why} It was not registered and predicts nothing."
    if missing:
        return f"This model did not go live by itself: a person has to approve it. {' '.join(missing)}"
    return ""


def against_live(compared: Comparison | None, run: Run) -> Iterator[str]:
    """Return how the model compares with the live one, as paragraphs."""
    live = run["live_model"]
    if live and run.get("round"):
        yield f"Version {live['version']} went live while this model was trained, so the two were compared."
    elif run.get("round"):
        yield "The model that was live when this training began is not live any more."
    if not live:
        yield "No model was live to compare it with."
    elif compared and compared.rows:
        theirs = (
            f", {compared.rows_of_live:,} of them held out for the live one" if compared.rows_of_live else ""
        )
        yield (
            f"On {count(compared.rows, 'row')} that neither had seen{theirs}, it gives the right category "
            f"for {percent(compared.accuracy)}, and the live model (version {live['version']}) for "
            f"{percent(compared.live_accuracy)}: "
            f"{_outcome(compared)}."
        )


def _outcome(compared: Comparison) -> str:
    if compared.accuracy >= compared.live_accuracy:
        return "the new one is at least as good"
    if compared.significance is None:
        return "the live one is better"
    chance = (
        f"McNemar's exact test, one-sided: p = {compared.p_value:.2g}, and live_significance is "
        f"{compared.significance:g}"
    )
    if compared.worse:
        return f"the live one is better beyond chance ({chance})"
    return f"the new one is not worse beyond chance ({chance})"


def _not_registered(run: Run) -> str:
    live = run["live_model"]
    # Another run may have made its model live in the meantime, so nothing is said of what is live by now.
    said = "It was not registered." + (" The live model stays as it is." if live else "")
    if run["predict"]:
        said += f" {run['predict']['uri']} was not labelled" + (
            ": predict it by itself to label it with the live model." if live else "."
        )
    return said
