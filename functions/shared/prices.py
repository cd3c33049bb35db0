"""The price table that the stack is given: US dollars for an hour of a machine."""

from collections.abc import Collection
from dataclasses import dataclass

HOUR = 3600  # seconds


@dataclass(frozen=True)
class Prices:
    """US dollars an hour by instance type. What is not in it is unknown."""

    by_type: dict[str, float]

    def dollars(self, seconds: float, types: Collection[str]) -> float | None:
        """Return what the seconds cost on the dearest of these machines; None: one of them has no price."""
        if not types or not self.by_type.keys() >= set(types):
            return None
        return round(seconds / HOUR * max(self.by_type[each] for each in types), 6)
