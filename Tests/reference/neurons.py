"""Surrogate gradients and spiking neurons.

H is the step function: H(z) = 1 where z >= 0, else 0.
"""

from typing import Callable

import torch
from torch import Tensor, nn

from cases import Case, Table


def triangle(z: Tensor, a: float = 1.0) -> Tensor:
    """max(0, a - a² |z|), as in SLTT (Meng et al., ICCV 2023)."""
    return (a - a**2 * z.abs()).clamp(min=0)


def rectangle(z: Tensor, a: float = 1.0) -> Tensor:
    """1/a where |z| <= a/2, else 0 (STBP, Wu et al., Frontiers in Neuroscience 2018)."""
    return torch.where(z.abs() <= a / 2, 1 / a, 0.0).to(z)


def sigmoid(z: Tensor, a: float = 4.0) -> Tensor:
    """The derivative of σ(a z): a σ(a z) σ(-a z)."""
    return a * torch.sigmoid(a * z) * torch.sigmoid(-a * z)


# What stands in for the derivative of H.
SURROGATES: Table[Callable[[Tensor], Tensor]] = Table(
    "surrogate gradient", {"triangle": triangle, "rectangle": rectangle, "sigmoid": sigmoid})


def fire(z: Tensor, surrogate: Callable[[Tensor], Tensor]) -> Tensor:
    """H(z), whose derivative is surrogate(z)."""
    fired = (z >= 0).to(z)
    # The second term is 0; its derivative by z is the surrogate.
    return fired + surrogate(z.detach()) * (z - z.detach())


# What a layer of neurons hands on to its next time step; empty at rest, before the first one.
State = tuple[Tensor, ...]


class Neuron(nn.Module):
    """A layer of neurons, called once a time step. Subclasses give the equations, in `step`."""

    state: State
    spikes: float
    """So far."""
    neuron_steps: int
    """Neurons times time steps so far."""
    margin: float
    """The least distance of any neuron from its threshold so far."""

    def __init__(self) -> None:
        super().__init__()
        self.rest()

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State, Tensor]:
        """One time step.

        Returns the spikes, the state after the step, and how far each neuron was from its
        threshold.
        """
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        spikes, self.state, distance = self.step(x, self.state)
        self.spikes += float(spikes.detach().sum())
        self.neuron_steps += spikes.numel()
        self.margin = min(self.margin, float(distance.detach().abs().min()))
        return spikes

    def rest(self) -> None:
        """Forgets the state, and begins to count anew."""
        self.state = ()
        self.spikes, self.neuron_steps, self.margin = 0.0, 0, float("inf")

    def cut(self) -> None:
        """Makes the state a constant: no gradient goes back to the steps before."""
        self.state = tuple(tensor.detach() for tensor in self.state)


class LIF(Neuron):
    """Leaky integrate-and-fire neurons with soft reset (SLTT, section 3.1), of threshold 1:

        u[t] = (1 - 1/tau) v[t-1] + x[t]
        s[t] = H(u[t] - 1)
        v[t] = u[t] - s[t]

    The gradient of v[t] goes through the reset as well.
    """

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.decay = 1 - 1 / case.tau
        self.surrogate = SURROGATES[case.surrogate]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State, Tensor]:
        (v,) = state or (torch.zeros_like(x),)
        u = self.decay * v + x
        z = u - 1
        s = fire(z, self.surrogate)
        return s, (u - s,), z


NEURONS: Table[Callable[[Case], Neuron]] = Table("neuron", {"lif": LIF})


def neurons_of(network: nn.Module) -> list[Neuron]:
    """The network's layers of neurons."""
    return [module for module in network.modules() if isinstance(module, Neuron)]
