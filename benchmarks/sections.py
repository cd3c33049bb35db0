"""The parts of the page docs/benchmarks.md that answer a buyer: what is accepted, and how sure that is."""

from collections.abc import Sequence

from benchmarks.cells import NOTHING, again, present, shown, table, title
from benchmarks.results import Results
from benchmarks.roster import (
    CHINESE,
    CLAIMS,
    DEVELOPMENT,
    DRAWN,
    FEW,
    FOREIGN,
    NOISY,
    PRECISIONS,
    ROSTER,
    TWO_LANGUAGES,
    Contender,
)
from benchmarks.targets import (
    AUTO,
    BEFORE,
    NGRAM_AUTO,
    OF_CLAIMS,
    PROMISED,
    PROTECTED,
    Promise,
    promises,
)
from contract.text import count
from model.config import Config

ASIDE = {BEFORE, PROTECTED}  # not among those whose figures are compared
TITLES = {contender.name: contender.title for contender in ROSTER}
HEADS = [f"at {target:.0%}" for target in PRECISIONS]

ACCEPTANCE = """## Rows that need no person

The share of the test rows that is accepted at a target, behind the @ how many of these are right,
and the most that the model's own ranking could accept at that precision if the labels were known. Where a
tenth of the labels is wrong, no rows show a precision of 90%, and nothing is accepted."""
PROMISES = """## Promises

Each round trains on nine rows in ten, others each time, and labels the whole test split. The table
has the share of the accepted rows that are right in each round; where it is below the target, which
breaks the promise, it is bold, with (!) where luck hardly explains it: the target is above the one-sided
95% interval of the precision. A test split that is harder than the training rows breaks promises more
often: nothing in these tells."""
FOREIGN_ROWS = """## Rows of no category

Trained on Banking77, given the test rows of other data: the share that is accepted. None should be."""
PROTECTED_ROWS = """## Protected categories

Banking77 with every tenth category protected (`protect`): the share of their test rows that is labelled
right or looked at by a person, and what that costs. What is done for categories with few rows is measured
by `python -m benchmarks.thresholds` and told in [decisions.md](decisions.md)."""
CLAIMS_ROWS = """## A training from end to end

The demo's 8,000 claims, n-grams and sentences, on two cores: the folds, the report and the list of suspects
included."""
SUSPECTS = """## Finding wrong labels

Banking77, with a wrong label on every tenth row, taken at random: the list of suspects."""
OTHERS = """## Accuracy on other data

On the test splits, settings as everywhere; the best one is bold."""
LANGUAGES = """## Other languages

Reviews in Chinese, which puts no spaces between words, and a file in which English and Chinese reviews
are mixed. Settings as everywhere: no word list, no segmentation, nothing that knows the language; the
sentence encoder has learned from English texts."""
FEW_ROWS = """## Few rows, and wrong labels

Banking77 with some rows of each of its 77 categories, and with a wrong label on every tenth row.
Each round draws others. Claimflow holds a tenth of the rows out to check itself and does not learn from
them, which costs most where rows are few; fastText's ten epochs are for whole files."""


def answer(made: Results) -> str:
    """Return in a sentence how many rows need no person at the default target."""
    target = Config().target_precision
    said = [
        f"{accepted:.0%} of {text} need no person, and {right:.1%} of these are right"
        for dataset, text in (("banking77", "Banking77's customer messages"), ("imdb", "IMDb's film reviews"))
        for accepted, right in [_median_acceptance(made, dataset, AUTO, target)]
        if accepted and right
    ]
    return f"At the default target of {target:.0%}, {'; '.join(said)}." if said else ""


def accuracies(made: Results) -> str:
    """Return the accuracy of everyone on the development sets, and on few rows and wrong labels."""
    parts = [
        _matrix(made, ("banking77", *DEVELOPMENT), OTHERS),
        _matrix(made, (CHINESE, TWO_LANGUAGES), LANGUAGES),
        _matrix(made, (*FEW, NOISY), FEW_ROWS),
    ]
    return "\n\n".join(filter(None, parts))


def _matrix(made: Results, datasets: Sequence[str], text: str) -> str:
    """Return a table of accuracies, a data set a column."""
    columns = [name for name in datasets if any(each.dataset == name for each in made.measurements)]
    if not columns:
        return ""
    there = {each.contender for each in made.measurements if each.dataset in columns}
    contenders = [each for each in ROSTER if each.name in there and each.name not in ASIDE]
    best = {
        name: max(made.median(name, each.name, "accuracy") or 0 for each in contenders) for name in columns
    }
    lines = [
        (
            title(contender),
            *(
                _best(shown(made.spread(name, contender.name, "accuracy"), "{:.1%}"), found == best[name])
                for name in columns
                for found in [made.median(name, contender.name, "accuracy")]
            ),
        )
        for contender in contenders
    ]
    command = again(f"run --datasets {','.join(columns)}")
    return f"{text} Again: {command}.\n\n" + table(("", *columns), lines, figures=len(columns))


def _best(cell: str, is_best: bool) -> str:
    return f"**{cell}**" if is_best else cell


def acceptance(made: Results) -> str:
    """Return how many rows need no person at which precision, on rows that training never saw."""
    lines = [
        (
            dataset,
            contender.title,
            *(
                cell
                for target in PRECISIONS
                for cell in (
                    _accepted(made, dataset, contender, target),
                    _oracle(made, dataset, contender, target),
                )
            ),
        )
        for dataset in ("banking77", "imdb", *DEVELOPMENT, CHINESE, TWO_LANGUAGES, *FEW, NOISY)
        for contender in present(made, dataset)
        if contender.name in (AUTO, NGRAM_AUTO)
        and made.median(dataset, contender.name, f"accepted_{PRECISIONS[0]}") is not None
    ]
    heads = [head for target in PRECISIONS for head in (f"at {target:.0%}", "possible")]
    command = again(f"run --datasets banking77 --contenders {AUTO}")
    text = f"{ACCEPTANCE} Again: {command}, and so on.\n\n"
    return text + table(("data", "", *heads), lines, figures=6, first=2) if lines else ""


def _accepted(made: Results, dataset: str, contender: Contender, target: float) -> str:
    accepted, right = _median_acceptance(made, dataset, contender.name, target)
    if not accepted or right is None:
        return "0%"
    said = f"{accepted:.1%} @ {right:.1%}"
    return said if right >= target else f"{said} (!)"


def _median_acceptance(
    made: Results, dataset: str, contender: str, target: float
) -> tuple[float | None, float | None]:
    accepted, right = (
        made.median(dataset, contender, f"{name}_{target}") for name in ("accepted", "precision")
    )
    return accepted, right


def _oracle(made: Results, dataset: str, contender: Contender, target: float) -> str:
    found = made.median(dataset, contender.name, f"oracle_{target}")
    return NOTHING if found is None else f"{found:.1%}"


def promised(made: Results) -> str:
    """Return how often fewer of the accepted rows were right than the target promised."""
    every = promises(made)
    if not every:
        return ""
    kinds = sorted({(each.dataset, each.contender) for each in every})
    lines = [
        (
            dataset,
            TITLES[name],
            *(
                _kept(
                    [
                        each
                        for each in every
                        if (each.dataset, each.contender, each.target) == (dataset, name, target)
                    ]
                )
                for target in PRECISIONS
            ),
        )
        for dataset, name in kinds
    ]
    drawn = {each.dataset for each in every}
    broken, surely = sum(each.broken for each in every), sum(each.surely_broken for each in every)
    text = (
        f"{PROMISES} Of {len(every)} promises, on {count(len(drawn), 'data set')} of {len(DRAWN)}, {broken} "
        f"were broken ({broken / len(every):.1%}), {surely} of them by more than luck. Again: "
        f"{again(PROMISED)}.\n\n"
    )
    return text + table(("data", "", *HEADS), lines, figures=3, first=2)


def _kept(some: Sequence[Promise]) -> str:
    cells = [
        _best(f"{each.precision:.1%}", each.broken) + (" (!)" if each.surely_broken else "") for each in some
    ]
    return ", ".join(cells) or "nothing accepted"


def foreign(made: Results) -> str:
    """Return how many rows of other data are accepted, which belong to none of the categories."""
    lines = [
        (
            other,
            contender.title,
            *(_share(made.median(dataset, contender.name, f"accepted_{target}")) for target in PRECISIONS),
            again(f"run --datasets {dataset} --contenders {contender.name}"),
        )
        for other, dataset in FOREIGN.items()
        for contender in present(made, dataset)
    ]
    header = ("rows of", "", *HEADS, "again")
    return f"{FOREIGN_ROWS}\n\n" + table(header, lines, figures=3, first=2) if lines else ""


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1%}"


def protected(made: Results) -> str:
    """Return how many rows of protected categories are right or looked at, and how many rows are accepted."""
    lines = [
        (text, *(_share(made.median("banking77", name, f"{figure}_{target}")) for target in PRECISIONS))
        for text, name, figure in (
            ("right or looked at, of the protected categories", PROTECTED, "protected"),
            ("accepted, of all rows", PROTECTED, "accepted"),
            ("accepted, of all rows, where no category is protected", AUTO, "accepted"),
        )
    ]
    if made.median("banking77", PROTECTED, "accuracy") is None:
        return ""
    command = again(f"run --datasets banking77 --contenders {PROTECTED},{AUTO}")
    return f"{PROTECTED_ROWS} Again: {command}.\n\n" + table(("", *HEADS), lines, figures=3)


def claims(made: Results) -> str:
    """Return the time and the memory of a whole training."""
    figures = (
        ("train_seconds", "{:,.0f}"),
        ("train_cpu_seconds", "{:,.0f}"),
        ("train_peak_mib", "{:,.0f}"),
        ("documents_per_second", "{:,.0f}"),
    )
    found = [shown(made.spread(CLAIMS, OF_CLAIMS, name), form) for name, form in figures]
    if NOTHING in found:
        return ""
    header = ("training, s", "CPU s", "memory, MiB", "documents/s", "again")
    command = again(f"run --datasets {CLAIMS} --contenders {OF_CLAIMS}")
    return f"{CLAIMS_ROWS}\n\n" + table(header, [(*found, command)], figures=4, first=0)


def suspects(made: Results) -> str:
    """Return how many of the rows that are listed as probably mislabelled are so."""
    lines = [
        (
            str(each.draw + 1),
            f"{each.wrong:,} of {each.rows:,}",
            f"{each.first_wrong:,} of {min(each.first, each.listed):,}",
            f"{each.found:,} of {each.listed:,}",
            again("suspects"),
        )
        for each in made.suspects
    ]
    heads = ("draw", "wrong labels", "wrong among the first", "wrong among all that are listed", "again")
    return f"{SUSPECTS}\n\n" + table(heads, lines, figures=3) if lines else ""


def calibrations(made: Results) -> str:
    """Return what Claimflow's confidence is worth on rows that it never saw."""
    lines = [
        (
            dataset,
            contender.title,
            shown(made.spread(dataset, contender.name, "ece"), "{:.3f}"),
            again(f"run --datasets {dataset} --contenders {contender.name}"),
        )
        for dataset in made.datasets
        if dataset not in {*DRAWN.values(), *FOREIGN.values(), CLAIMS}
        for contender in present(made, dataset)
        if contender.ours and contender.name not in ASIDE
    ]
    text = "## Confidence\n\nThe expected calibration error (ten bins) on the test split.\n\n"
    return (
        text + table(("data", "", "calibration error", "again"), lines, figures=1, first=2) if lines else ""
    )
