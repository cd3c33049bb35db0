"""The hosts that train one model together, and which of them this is. Knows no framework."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Hosts:
    """The names of all hosts, in an order that every host finds, and the name of this one."""

    names: tuple[str, ...] = ("localhost",)
    current: str = "localhost"
    wait_seconds: float = 900  # the longest that a host waits for what the others have to add

    @property
    def rank(self) -> int:
        """The place of this host among all, from 0."""
        return self.names.index(self.current)

    @property
    def first(self) -> bool:
        """Whether this host is the one that writes: checkpoints, the model and the figures."""
        return self.rank == 0

    @property
    def several(self) -> bool:
        """Whether there are other hosts."""
        return len(self.names) > 1


ALONE = Hosts()
