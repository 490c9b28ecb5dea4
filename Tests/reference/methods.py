"""The learning rules, and one training iteration under them, by automatic differentiation."""

from dataclasses import dataclass
from typing import Callable

from torch import Tensor

from backpropagation import bptt, sltt, sltt_k
from case import Case, Table
from losses import Loss, loss_of
from neurons import neurons_of
from normalizations import OnlineNorm
from ottt import ottt
from rate import rate
from staged_network import StagedNetwork

# Each rule adds the gradients of one iteration up in the parameters, and returns the logits
# [T, N, classes] and the iteration's loss. Frames are [T, N, C, H, W].
METHODS: Table[Callable[[StagedNetwork, Tensor, Loss, Case], tuple[Tensor, float]]] = Table(
    "method", {"sltt": sltt, "sltt-k": sltt_k, "bptt": bptt, "ottt": ottt, "rate": rate})


@dataclass(frozen=True)
class Iteration:
    """What one iteration shows, but for the gradients, which are in the parameters."""

    logits: Tensor
    """[T, N, classes]"""
    loss: float
    firing_rate: float
    """Spikes for each neuron and time step."""
    quietest_layer: float
    """The lowest firing rate of a layer."""
    margin: float
    """The least distance of any neuron from one of its levels."""
    jump_margin: float
    """The least distance from a jump of the surrogate."""

    @property
    def clearance(self) -> float:
        """The least distance from where spikes or gradients change."""
        return min(self.margin, self.jump_margin)


def iterate(network: StagedNetwork, frames: Tensor, labels: Tensor, case: Case) -> Iteration:
    """One iteration from rest, on frames [T, N, C, H, W]. Replaces the gradients of before."""
    neurons = neurons_of(network)
    for neuron in neurons:
        neuron.rest()
    network.zero_grad()
    logits, loss = METHODS[case.method](network, frames, loss_of(labels, case), case)
    for module in network.modules():
        if isinstance(module, OnlineNorm):
            module.end_iteration()
    return Iteration(
        logits,
        loss,
        sum(neuron.spikes for neuron in neurons) / sum(neuron.neuron_steps for neuron in neurons),
        min(neuron.firing_rate for neuron in neurons),
        min(neuron.margin for neuron in neurons),
        min(neuron.jump_margin for neuron in neurons))
