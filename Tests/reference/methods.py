"""The loss, and one training iteration under each learning rule, by automatic differentiation."""

from dataclasses import dataclass
from typing import Callable, Container

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases import Case, Table
from neurons import neurons_of

# The loss of one time step's logits [N, classes].
StepLoss = Callable[[Tensor], Tensor]


# What the squared error compares logits with.
TARGETS: Table[Callable[[Tensor, Tensor, Case], Tensor]] = Table(
    "target of the squared error",
    {
        "constant": lambda logits, labels, case: torch.full_like(logits, case.mse_mean),
        "one-hot": lambda logits, labels, case: F.one_hot(labels, case.classes).to(logits),
    })


def step_loss(logits: Tensor, labels: Tensor, case: Case) -> Tensor:
    """The loss of time step t (SLTT, section 4.1; TET, Deng et al., ICLR 2022):

        L[t] = ((1 - λ) crossEntropy(logits[t], label) + λ mean (logits[t] - target)²) / T

    averaged over the batch; the iteration's loss is the sum over the trained time steps.
    """
    cross_entropy = -logits.log_softmax(1).gather(1, labels[:, None]).mean()
    target = TARGETS[case.mse_target](logits, labels, case)
    squared_error = (logits - target).square().mean()
    λ = case.mse_weight
    return ((1 - λ) * cross_entropy + λ * squared_error) / case.timesteps


def within_steps(
    network: nn.Module, frames: Tensor, loss: StepLoss, trained: Container[int]
) -> tuple[Tensor, float]:
    """Differentiates each trained time step by itself: what neurons have kept of earlier ones is a
    constant."""
    logits, total = [], 0.0
    for t, frame in enumerate(frames):
        for neuron in neurons_of(network):
            neuron.cut()
        with torch.set_grad_enabled(t in trained):
            logits.append(network(frame))
        if t in trained:
            value = loss(logits[t])
            value.backward()
            total += float(value.detach())
    return torch.stack(logits).detach(), total


def sltt(network: nn.Module, frames: Tensor, loss: StepLoss, case: Case) -> tuple[Tensor, float]:
    """Spatial learning through time (Meng et al., ICCV 2023, algorithm 1)."""
    return within_steps(network, frames, loss, range(case.timesteps))


def sltt_k(network: nn.Module, frames: Tensor, loss: StepLoss, case: Case) -> tuple[Tensor, float]:
    """SLTT at K chosen time steps only; the others run forward (SLTT, section 4.3)."""
    return within_steps(network, frames, loss, case.chosen_timesteps)


def bptt(network: nn.Module, frames: Tensor, loss: StepLoss, case: Case) -> tuple[Tensor, float]:
    """Back-propagation through time, the reset included."""
    logits = torch.stack([network(frame) for frame in frames])
    value = torch.stack([loss(step) for step in logits]).sum()
    value.backward()
    return logits.detach(), float(value.detach())


# The learning rules. Each adds the gradients of one iteration up in the parameters, and returns the
# logits [T, N, classes] and the loss.
METHODS: Table[Callable[[nn.Module, Tensor, StepLoss, Case], tuple[Tensor, float]]] = Table(
    "method", {"sltt": sltt, "sltt-k": sltt_k, "bptt": bptt})


@dataclass(frozen=True)
class Iteration:
    """What one iteration shows, but for the gradients, which are in the parameters."""

    logits: Tensor
    """[T, N, classes]"""
    loss: float
    firing_rate: float
    """Spikes for each neuron and time step."""
    margin: float
    """The least distance of any neuron from its threshold at any time step."""


def iterate(network: nn.Module, frames: Tensor, labels: Tensor, case: Case) -> Iteration:
    """One iteration from rest, on frames [T, N, C, H, W]. Replaces the gradients of before."""
    neurons = neurons_of(network)
    for neuron in neurons:
        neuron.rest()
    network.zero_grad()
    rule = METHODS[case.method]
    logits, loss = rule(network, frames, lambda step: step_loss(step, labels, case), case)
    return Iteration(
        logits,
        loss,
        sum(neuron.spikes for neuron in neurons) / sum(neuron.neuron_steps for neuron in neurons),
        min(neuron.margin for neuron in neurons))
