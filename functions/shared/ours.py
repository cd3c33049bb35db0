"""How a file of Claimflow's own is known again, and what columns are called that are added to a file."""

from contract.columns import ALWAYS, REJECTED
from contract.plain import plain


def is_ours(header: list[str]) -> bool:
    """Return whether the header is one of a file that Claimflow wrote: results, rows to review, or rejected.

    A text cell of such a CSV file may carry the guard of `contract.spreadsheet.harmless`; its workbooks carry
    none.
    """
    names = [plain(name) for name in header]
    return set(names) >= ALWAYS or names == list(REJECTED)


def free_name(name: str, taken: set[str]) -> str:
    """Return the name under which a column is added: `taken` holds the plain forms of those that are there.

    The first that is free of `prediction`, `claimflow_prediction`, `claimflow_prediction_2`, …
    """
    candidate, number = name, 1
    while plain(candidate) in taken:
        candidate = f"claimflow_{name}" if number == 1 else f"claimflow_{name}_{number}"
        number += 1
    return candidate


def unique(header: list[str]) -> list[str]:
    """Return the header with no name twice: the second `note` becomes `note_2`, another empty one `column_7`.

    A name that stands there once stays as it is.
    """
    names: list[str] = []
    taken: set[str] = set(header)
    for position, name in enumerate(header, start=1):
        if name not in names:
            names.append(name)
            continue
        base, number = (name, 2) if name.strip() else ("column", position)
        while f"{base}_{number}" in taken:
            number += 1
        names.append(f"{base}_{number}")
        taken.add(names[-1])
    return names
