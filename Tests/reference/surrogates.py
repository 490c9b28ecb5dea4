"""Spikes, and the surrogate gradients that stand in for their derivative.

A neuron fires a spike for each of its L levels that its potential reaches; they are 1 apart. Above
its first level by z, and with the step function H(z) = 1 where z >= 0, else 0, it fires

    s = H(z) + H(z - 1) + … + H(z - L + 1)

spikes. L = 1 is the binary spike; more are those of LM-HT (Hao et al., NeurIPS 2024) and I-LIF (Luo
et al., ECCV 2024). The H of every level has the same surrogate.
"""

from math import pi
from typing import Callable

import torch
from torch import Tensor

from case import Table
from gradients import with_gradient_of

# ds/dz, from z and L.
Surrogate = Callable[[Tensor, int], Tensor]


def sum_over_levels(surrogate: Callable[[Tensor], Tensor]) -> Surrogate:
    return lambda z, levels: sum(surrogate(z - level) for level in range(levels))


@sum_over_levels
def triangle(z: Tensor) -> Tensor:
    """max(0, 1 - |z|), as in SLTT (Meng et al., ICCV 2023)."""
    return (1 - z.abs()).clamp(min=0)


def rectangle(z: Tensor, levels: int) -> Tensor:
    """1 where |z| <= 1/2, else 0 (STBP, Wu et al., Frontiers in Neuroscience 2018).

    Those of several levels join to one. Where two meet, only one counts.
    """
    return ((z >= -0.5) & (z <= levels - 0.5)).to(z)


@sum_over_levels
def sigmoid(z: Tensor) -> Tensor:
    """The derivative of σ(4 z): 4 σ(4 z) σ(-4 z)."""
    return 4 * torch.sigmoid(4 * z) * torch.sigmoid(-4 * z)


@sum_over_levels
def arctan(z: Tensor) -> Tensor:
    """1 / (1 + (π z)²), the default of SpikingJelly (Fang et al., ICCV 2021)."""
    return 1 / (1 + (pi * z) ** 2)


SURROGATES: Table[Surrogate] = Table(
    "surrogate gradient",
    {"triangle": triangle, "rectangle": rectangle, "sigmoid": sigmoid, "arctan": arctan})


def fire(z: Tensor, surrogate: Surrogate, levels: int = 1) -> Tensor:
    """The spikes s, whose derivative by z is the surrogate."""
    spikes = sum((z >= level).to(z) for level in range(levels))
    return with_gradient_of(surrogate(z.detach(), levels) * z, spikes)


def jumps(surrogate: Surrogate, levels: int) -> list[float]:
    """The values of z where the surrogate is not continuous."""
    return [-0.5, levels - 0.5] if surrogate is rectangle else []
