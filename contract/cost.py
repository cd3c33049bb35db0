"""What the machines of a step cost, in words: in messages, and on the command line."""

from contract.state import Cost
from contract.text import percent


def words(cost: Cost) -> str:
    """Return what machines cost, or that it is not known.

    >>> words({"seconds": 212, "machines": ["ml.m5.xlarge"], "dollars": 0.0135, "at_most": False})
    '$0.0135: 212 s of ml.m5.xlarge'
    >>> words({"seconds": 45, "machines": ["c6i.xlarge", "m6i.xlarge"], "dollars": None, "at_most": True})
    'unknown, as InstancePrices does not price every machine: 45 s of c6i.xlarge or m6i.xlarge'
    """
    saved = cost.get("saved")
    spot = f"; Spot saved {percent(saved, 0)}" if saved else ""
    return f"{_dollars(cost)}: {cost['seconds']:,} s of {' or '.join(cost['machines'])}{spot}"


def _dollars(cost: Cost) -> str:
    dollars = cost["dollars"]
    if dollars is None:
        return "unknown, as InstancePrices does not price every machine"
    # Of less than a dollar, cents alone would say nothing.
    shown = f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.4f}"
    return f"at most {shown}" if cost["at_most"] else shown
