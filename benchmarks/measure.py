"""One measurement, in a process of its own: it trains, or loads and predicts, and prints the figures as JSON.

`benchmarks.run` starts it with the interpreter that has the contender's library; so this module and
the contenders need the standard library and that library only. A contender is a module with

    train(csv, options, scratch) -> model    from the file on disk; may write below `scratch`
    prepare(csv, options, scratch)           optional, not timed: what comes before a training
    save(model, folder), load(folder) -> model
    predict(model, csv) -> labels            from the file on disk, in the order of its rows
    figures(model, csv) -> figures           optional: what else is to be known about a model, not timed
    stream(model, csv, part) -> rows         optional: labels a file to a file
    suspects(csv, options, scratch) -> rows  optional: trains, and lists the rows that seem mislabelled

Imports are in nobody's time. Peak memory is the kernel's VmHWM of this process; ru_maxrss would also count
what the process that started this one had in memory. With two cores a training may start processes of its
own: then the sum over all of them is looked at every quarter of a second, pages that they share counted once.
"""

import importlib
import json
import os
import re
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks import rows

Contender: TypeAlias = Any  # a module with the functions above

LEAST_SECONDS = 1.0  # a file that is predicted faster is predicted again, and the median pass counts
MOST_PASSES = 20
LOOK_SECONDS = 0.25  # between two looks at the memory of all processes


def main() -> None:
    """Do what the order on standard input says; the contender's own output goes to standard error."""
    order = json.load(sys.stdin)
    os.sched_setaffinity(0, order["cores"])
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    contender = importlib.import_module(f"benchmarks.contenders.{order['module']}")
    with answer:
        json.dump(ACTIONS[order["action"]](contender, order), answer)


def train(contender: Contender, order: dict[str, Any]) -> dict[str, float]:
    """Train from the file on disk, then save what came out; saving is not timed."""
    scratch = Path(order["scratch"])
    scratch.mkdir(parents=True)
    arguments = (Path(order["train"]), order["options"], scratch)
    if hasattr(contender, "prepare"):
        contender.prepare(*arguments)
    with most_of_all(len(order["cores"]) > 1) as most:
        model, wall, cpu = timed(lambda: contender.train(*arguments))
    peak = max(peak_mib(), *most)
    folder = Path(order["model"])
    folder.mkdir(parents=True)
    contender.save(model, folder)
    return {"train_seconds": wall, "train_cpu_seconds": cpu, "train_peak_mib": peak}


def predict(contender: Contender, order: dict[str, Any]) -> dict[str, Any]:
    """Label the test rows, from the file on disk to the labels, with the model in memory."""
    test, model = Path(order["test"]), contender.load(Path(order["model"]))
    contender.predict(model, Path(order["warm_up"]))
    labels, wall, cpu = passes(lambda: list(contender.predict(model, test)))
    peak = peak_mib()
    _, truths = rows.read(test)
    right = sum(label == truth for label, truth in zip(labels, truths, strict=True))
    figures = contender.figures(model, test) if hasattr(contender, "figures") else {}
    return {
        "predict_seconds": wall,
        "predict_cpu_seconds": cpu,
        "predict_peak_mib": peak,
        "documents_per_second": len(truths) / wall,
        "accuracy": right / len(truths),
        "figures": figures,
    }


def stream(contender: Contender, order: dict[str, Any]) -> dict[str, float]:
    """Label a file to a file, as the product does, and tell the peak memory of that."""
    model = contender.load(Path(order["model"]))
    written, wall, _ = timed(lambda: contender.stream(model, Path(order["test"]), Path(order["part"])))
    return {"rows": written, "seconds": wall, "peak_mib": peak_mib()}


def suspects(contender: Contender, order: dict[str, Any]) -> dict[str, list[int]]:
    """Train, and tell which rows are listed as probably mislabelled, the likeliest first."""
    scratch = Path(order["scratch"])
    scratch.mkdir(parents=True)
    return {"rows": contender.suspects(Path(order["train"]), order["options"], scratch)}


ACTIONS = {"train": train, "predict": predict, "stream": stream, "suspects": suspects}


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what the work gives, its seconds, and the CPU seconds of this process and its children."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    result = work()
    return result, time.perf_counter() - wall, cpu_seconds() - cpu


def passes(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what the work gives and the seconds of the median pass; one pass is enough if it is long."""
    walls: list[float] = []
    cpus: list[float] = []
    while sum(walls) < LEAST_SECONDS and len(walls) < MOST_PASSES:
        result, wall, cpu = timed(work)
        walls.append(wall)
        cpus.append(cpu)
    return result, statistics.median(walls), statistics.median(cpus)


def cpu_seconds() -> float:
    """Return the CPU seconds so far, of all threads and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_mib() -> float:
    """Return the most memory that this process ever had resident, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def most_of_all(watch: bool) -> Iterator[list[float]]:
    """Yield a list that gets the memory of this process and its children, in MiB, while the block runs."""
    sizes, done = [0.0], threading.Event()

    def look() -> None:
        while watch and not done.wait(LOOK_SECONDS):
            sizes.append(tree_mib())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield sizes
    finally:
        done.set()
        watcher.join()


def tree_mib() -> float:
    """Return the memory of this process and its children in MiB, pages that they share counted once."""
    lists = Path("/proc/self/task").glob("*/children")
    children = [pid for each in lists for pid in each.read_text(encoding="ascii").split()]
    return sum(map(proportional_mib, ["self", *children]))


def proportional_mib(pid: str) -> float:
    """Return a process's share of the memory that it has resident, in MiB; 0 once it has ended."""
    try:
        memory = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"^Pss: +(\d+) kB", memory, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0


if __name__ == "__main__":
    main()
