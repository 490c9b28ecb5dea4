"""A network of layers, called once a time step.

Neurons and dropout keep their state between calls; `reset` ends a sample. Frames are [N, C, H, W], in
either memory format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from sltt_dist.layers import Dropout
from sltt_dist.neurons import Neuron


@dataclass(frozen=True)
class Residual:
    """A sum of two ways through a group. A shortcut without steps is the input itself."""

    branch: Steps
    shortcut: Steps


# Names of a group's modules, in the order of the forward pass.
Steps = Sequence["str | Residual"]


class Group(nn.Module):
    """Layers one after the other. Those of residuals belong to the group around them, as the names of
    parameters want it."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: Steps = ()
        self._position = 0

    def put(self, name: Any, module: nn.Module | None) -> str:
        """Gives a module its name: its own, or its number in the group. None has a number, too."""
        name = str(self._position if name is None else name)
        self._position += 1
        if module is not None:
            self.add_module(name, module)
        return name

    def forward(self, x: Tensor) -> Tensor:
        return self._run(self.steps, x)

    def _run(self, steps: Steps, x: Tensor) -> Tensor:
        for step in steps:
            if isinstance(step, Residual):
                x = self._run(step.branch, x) + self._run(step.shortcut, x)
            else:
                x = getattr(self, step)(x)
        return x

    def extra_repr(self) -> str:
        residuals = [str(step) for step in self.steps if isinstance(step, Residual)]
        return "\n".join(residuals)


class Network(Group):
    """A whole network: frames [N, C, H, W] to logits [N, classes]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).flatten(1)


def reset(network: nn.Module) -> None:
    """Ends a sample."""
    for module in network.modules():
        if isinstance(module, (Neuron, Dropout)):
            module.reset()
