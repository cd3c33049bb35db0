"""How many of the rows that a training lists as probably mislabelled are so: random labels are exchanged."""

from benchmarks import data, rows, run
from benchmarks.results import Suspected
from benchmarks.roster import NOISY

FIRST = 500


def measure(plan: run.Plan, draw: int) -> Suspected:
    """Let the plan's contender list suspects where a tenth of the labels is wrong; `draw` says which."""
    noisy, contender = data.DATASETS[NOISY], plan.contenders[0]
    run.check(plan.contenders)
    clean = data.shuffled(data.read(noisy, "train", plan.source))[: plan.limit]
    prepared = run.prepare(plan, noisy, draw)
    _, labels = rows.read(prepared.train)
    wrong = {number for number, (_, label) in enumerate(clean) if label != labels[number]}
    order = run.training_order(contender, plan, prepared, plan.work)
    listed = run.child(contender, order | {"action": "suspects"}, plan.work)["rows"]
    return Suspected(
        draw=draw,
        rows=len(labels),
        wrong=len(wrong),
        listed=len(listed),
        found=len(wrong.intersection(listed)),
        first=FIRST,
        first_wrong=len(wrong.intersection(listed[:FIRST])),
    )
