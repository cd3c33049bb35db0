"""The optimizer: MXNet's, one copy for each device, which all make the same updates of their weights."""

from collections.abc import Sequence
from typing import Any

from model.config import Config
from model.data import Floats
from model.network import Network, mx

SPECIFIC: dict[str, dict[str, Any]] = {
    "adam": {"lazy_update": True},
    "sgd": {"momentum": 0.9},
    "nag": {"momentum": 0.9},
}


class Optimizer:
    """Updates the weights of a network, on each of its devices, by the gradients that lie there."""

    def __init__(self, network: Network, config: Config, step: int, states: Sequence[list[Floats]]) -> None:
        """Go on after `step` updates with what `states` gave; with none, begin."""
        self._network = network
        self._updaters = [mx.optimizer.get_updater(_create(config, step)) for _ in network.devices]
        if states:
            self._restore(states)

    def set_learning_rate(self, rate: float) -> None:
        """Make all further updates with this rate."""
        for updater in self._updaters:
            updater.optimizer.set_learning_rate(rate)

    def update(self, divisor: float) -> None:
        """Update all weights; the gradients are sums, which are divided by `divisor`."""
        for device, updater in zip(self._network.devices, self._updaters, strict=True):
            updater.optimizer.rescale_grad = 1 / divisor
            for index, parameter in enumerate(self._network.parameters):
                updater(index, parameter.grad(device), parameter.data(device))

    def states(self) -> list[list[Floats]]:
        """Return copies of what it keeps of each parameter; nothing before the first update."""
        kept = self._updaters[0].states
        return [[array.asnumpy() for array in _arrays(kept[index])] for index in sorted(kept)]

    def _restore(self, states: Sequence[list[Floats]]) -> None:
        for device, updater in zip(self._network.devices, self._updaters, strict=True):
            for index, parameter in enumerate(self._network.parameters):
                state = updater.optimizer.create_state_multi_precision(index, parameter.data(device))
                saved = states[index]  # nothing if the checkpoint is older than the first update
                for array, values in zip(_arrays(state), saved, strict=bool(saved)):
                    array[:] = mx.nd.array(values, ctx=device)
                updater.states[index] = state
                updater.states_synced[index] = True


def _create(config: Config, step: int) -> Any:  # noqa: ANN401  mxnet.optimizer.Optimizer
    return mx.optimizer.create(
        config.optimizer,
        learning_rate=config.learning_rate,
        wd=config.wd,
        clip_gradient=config.clip_gradient,
        begin_num_update=step,
        **SPECIFIC.get(config.optimizer, {}),
    )


def _arrays(state: Any) -> list[Any]:  # noqa: ANN401  an optimizer keeps nothing, one array or several
    if state is None:
        return []
    return [array for array in state if array is not None] if isinstance(state, tuple | list) else [state]
