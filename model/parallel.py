"""Data-parallel training: an all-reduce over devices and hosts, by MXNet's key-value store.

Every worker (a device of a host) has a copy of the weights and computes the gradients of its share of a
batch. The all-reduce gives each the same sum, with which each makes the same update of its copy. The servers
of `dist_sync` have no optimizer: they add up what the hosts push, and the hosts pull the sum.

All workers walk the same batches, so they train what one would, but for the rounding of sums. `Alone` is that
one, which has nothing to share.
"""

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from model.data import Floats, Numbers
from model.errors import HostLostError
from model.hosts import ALONE, Hosts
from model.network import Device, mx

Array: TypeAlias = Any  # mxnet.nd.NDArray
Parameter: TypeAlias = Any  # mxnet.gluon.Parameter
Workers: TypeAlias = "Alone | AllReduce"
Sums: TypeAlias = npt.NDArray[np.float64]

CLOSING_SECONDS = 30


def connect(hosts: Hosts, devices: Sequence[Device]) -> Workers:
    """Connect all devices of all hosts. Raises HostLostError when a host does not answer."""
    return AllReduce(hosts, devices) if hosts.several or len(devices) > 1 else Alone()


class Alone:
    """One device of one host: it has all rows, and its gradients are the sum."""

    hosts = ALONE

    def share(self, group: Numbers, _: int) -> Numbers:
        """Return the whole batch."""
        return group

    def add_gradients(self, _: Sequence[Parameter], ids: Floats) -> None:
        """Leave the gradients as they are."""

    def sums(self, *values: float) -> Sums:
        """Return the numbers."""
        return np.array(values, dtype=np.float64)

    def gather(self, value: float) -> list[float]:
        """Return the number of this one host."""
        return [value]

    def close(self) -> None:
        """Part from nobody."""


class AllReduce:
    """Adds up arrays over the devices of this host and, if there are several hosts, over those."""

    def __init__(self, hosts: Hosts, devices: Sequence[Device]) -> None:
        """Connect to the other hosts. Raises HostLostError when one of them does not answer."""
        self.hosts, self.devices = hosts, devices
        self.workers = len(hosts.names) * len(devices)
        # MXNet works on the arrays in its own time; these are to be waited for.
        self._waiting: list[Array] = []
        self._lost = False  # a host
        self._known: set[str] = set()
        self._thread = ThreadPoolExecutor(1)
        kind = "dist_sync" if hosts.several else "device"
        self._store: Any = self._in_time(lambda: mx.kv.create(kind), hosts.wait_seconds)

    def share(self, group: Numbers, device: int) -> Numbers:
        """Return the part of a batch that one device of this host works on; it may be empty."""
        return group[self.hosts.rank * len(self.devices) + device :: self.workers]

    def add_gradients(self, parameters: Sequence[Parameter], ids: Floats) -> None:
        """Replace the gradients on each device by the sum over all devices and hosts.

        `ids`, shape (rows, words), are those of the whole batch, whose vectors a sparse gradient is of.
        """
        rows = np.unique(ids).astype(np.int64)
        for index, parameter in enumerate(parameters):
            gradients = [parameter.grad(device) for device in self.devices]
            if gradients[0].stype == "row_sparse":
                self.add_rows(str(index), gradients, rows)
            else:
                self.add(str(index), gradients)
        self.wait()

    def add(self, key: str, arrays: Sequence[Array]) -> None:
        """Replace dense arrays of one shape, one on each device, by the sum over all devices and hosts.

        The sum is there after the next `wait`.
        """
        if key not in self._known:
            zeros = mx.nd.zeros(arrays[0].shape, dtype=arrays[0].dtype)
            self._in_time(lambda: self._store.init(key, zeros), self.hosts.wait_seconds)
            self._known.add(key)
        self._store.pushpull(key, list(arrays), out=list(arrays))
        self._waiting.extend(arrays)

    def add_rows(self, key: str, gradients: Sequence[Array], rows: Numbers) -> None:
        """Do as `add` with row-sparse gradients, and wait; `rows` are those of all workers, in order.

        `dist_sync` sums dense arrays only. The sum names all of `rows`, as the gradient of one worker for the
        whole batch would, also those that are zero: a lazy optimizer decays what is named.
        """
        dense = [gradient.tostype("default") for gradient in gradients]
        self.add(key, dense)
        self.wait()
        for gradient, array in zip(gradients, dense, strict=True):
            places = mx.nd.array(rows, ctx=array.context, dtype="int64")
            gradient[:] = mx.nd.sparse.row_sparse_array(
                (array.take(places), places), shape=array.shape, ctx=array.context
            )

    def sums(self, *values: float) -> Sums:
        """Wait for all that was added, and return the sums of these numbers over the hosts."""
        array = mx.nd.array(np.array(values, dtype=np.float64), dtype=np.float64)
        self.add(f"numbers.{len(values)}", [array])
        self.wait()
        sums: Sums = array.asnumpy()
        return sums

    def gather(self, value: float) -> list[float]:
        """Return a number of each host, by rank."""
        mine = np.zeros(len(self.hosts.names))
        mine[self.hosts.rank] = value
        return [float(each) for each in self.sums(*mine)]

    def wait(self) -> None:
        """Wait for all that was added. Raises HostLostError when a host does not answer in time."""
        arrays, self._waiting = self._waiting, []
        self._in_time(lambda: [array.wait_to_read() for array in arrays], self.hosts.wait_seconds)

    def close(self) -> None:
        """Part from the other hosts, once every host has come to this; the servers end with it."""
        handle, self._store.handle = self._store.handle, None  # freed here, or never if a host is lost
        if not self._lost:
            # Nothing is needed of the others any more, so it is no failure if they do not part.
            with contextlib.suppress(HostLostError):
                self._in_time(lambda: mx.base._LIB.MXKVStoreFree(handle), CLOSING_SECONDS)
        self._thread.shutdown(wait=False)

    def _in_time(self, work: Callable[[], Any], seconds: float) -> Any:  # noqa: ANN401  what the work gives
        """Do what may wait for other hosts in a thread: MXNet's own waiting has no end, nor hears signals."""
        if not self.hosts.several:
            return work()
        try:
            return self._thread.submit(work).result(timeout=seconds)
        except TooLate:
            self._lost = True
            raise HostLostError(
                f"The host {self.hosts.current} got no answer from the others for {seconds:g} seconds "
                f"(the hosts are {', '.join(self.hosts.names)}): see in the log of each which one failed, "
                "and start the same request again; it goes on from its checkpoint."
            ) from None
