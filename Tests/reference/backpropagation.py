"""Back-propagation through time, and what is left of it within the time steps.

The iteration's loss is the sum of L(logits[t]) / T over the time steps t that are trained.
"""

from typing import Container

import torch
from torch import Tensor, nn

from case import Case
from losses import Loss
from neurons import neurons_of


def bptt(network: nn.Module, frames: Tensor, loss: Loss, case: Case) -> tuple[Tensor, float]:
    """Back-propagation through time."""
    logits = torch.stack([network(frame) for frame in frames])
    value = torch.stack([loss(step) for step in logits]).mean()
    value.backward()
    return logits.detach(), float(value.detach())


def within_steps(
    network: nn.Module, frames: Tensor, loss: Loss, trained: Container[int]
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
            value = loss(logits[t]) / len(frames)
            value.backward()
            total += float(value.detach())
    return torch.stack(logits).detach(), total


def sltt(network: nn.Module, frames: Tensor, loss: Loss, case: Case) -> tuple[Tensor, float]:
    """Spatial learning through time (Meng et al., ICCV 2023, algorithm 1)."""
    return within_steps(network, frames, loss, range(len(frames)))


def sltt_k(network: nn.Module, frames: Tensor, loss: Loss, case: Case) -> tuple[Tensor, float]:
    """SLTT at K chosen time steps only; the others run forward (SLTT, section 4.3)."""
    return within_steps(network, frames, loss, case.chosen_timesteps)
