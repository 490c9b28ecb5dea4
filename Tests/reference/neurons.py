"""Spiking neurons: their reset, their threshold, and the equations of one time step."""

from math import inf, log
from typing import Callable, Iterable

import torch
from torch import Tensor, nn

from case import Case, Table
from surrogates import SURROGATES, fire, jumps

# What a layer of neurons hands on to its next time step; empty at rest, before the first one.
State = tuple[Tensor, ...]


def distance(z: Tensor, values: Iterable[float]) -> float:
    """The least distance of any z from any of the values."""
    return min((float((z.detach() - value).abs().min()) for value in values), default=inf)


class Neuron(nn.Module):
    """A layer of neurons, called once a time step. Subclasses give the equations, in `step`."""

    state: State
    spikes: float
    """So far."""
    neuron_steps: int
    """Neurons times time steps so far."""
    margin: float
    """The least distance of any neuron from one of its levels so far."""
    jump_margin: float
    """The least distance from a jump of the surrogate so far."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.decay: float | Tensor = 1 - 1 / case.tau
        """What the potential keeps of the step before."""
        self.surrogate = SURROGATES[case.surrogate]
        self.levels = case.levels
        self.rest()

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State, Tensor]:
        """One time step.

        Returns the spikes, the state after the step, and how far each neuron's potential is above
        its first level.
        """
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        spikes, self.state, z = self.step(x, self.state)
        self.spikes += float(spikes.detach().sum())
        self.neuron_steps += spikes.numel()
        self.margin = min(self.margin, distance(z, range(self.levels)))
        self.jump_margin = min(self.jump_margin, distance(z, jumps(self.surrogate, self.levels)))
        return spikes

    def rest(self) -> None:
        """Forgets the state, and begins to count anew."""
        self.state = ()
        self.spikes, self.neuron_steps = 0.0, 0
        self.margin, self.jump_margin = inf, inf

    def cut(self) -> None:
        """Makes the state a constant: no gradient goes back to the steps before."""
        self.state = tuple(tensor.detach() for tensor in self.state)

    @property
    def firing_rate(self) -> float:
        """Spikes for each neuron and time step."""
        return self.spikes / self.neuron_steps


# v[t] after the spikes s[t], from u[t], s[t] and θ[t]: soft resets as in SLTT, hard ones to 0 as in
# SpikingJelly.
RESETS: Table[Callable[[Tensor, Tensor, Tensor], Tensor]] = Table(
    "reset",
    {
        "soft": lambda u, s, threshold: u - threshold * s,
        "hard": lambda u, s, threshold: u * (1 - s),
    })

# The potential that fires the first spike, as a share of θ. Where θ is 1, the number of spikes is u
# rounded down, as in LM-HT, or to the nearest whole number, halves upwards, as in I-LIF.
FIRST_LEVELS: Table[float] = Table("firing", {"floor": 1.0, "round": 0.5})


def fixed_threshold(u: Tensor, first: Tensor) -> Tensor:
    return torch.ones_like(u)


def stabilized_threshold(u: Tensor, first: Tensor) -> Tensor:
    """Online threshold stabilization (OTS; Zhu et al., ICLR 2024):

        θ[t] = mean u[t] + std u[t] (1 - mean u[0]) / std u[0]

    as many standard deviations above the mean as 1 is in the first step. Mean and unbiased
    deviation are the layer's, over samples, channels and space, and constants to gradients.
    """
    u, first = u.detach(), first.detach()
    return u.mean() + u.std() * (1 - first.mean()) / first.std()


# θ[t] from u[t] and u[0].
THRESHOLDS: Table[Callable[[Tensor, Tensor], Tensor]] = Table(
    "threshold", {"fixed": fixed_threshold, "stabilized": stabilized_threshold})


class LIF(Neuron):
    """Leaky integrate-and-fire neurons (SLTT, section 3.1) with a choice of reset, threshold θ and
    levels, the first of which is θ or θ/2:

        u[t] = (1 - 1/tau) v[t-1] + x[t]
        s[t] = how many of its L levels u[t] reaches
        v[t] = reset(u[t], s[t])

    By default the gradient of v[t] goes through the spikes of the reset as well.
    """

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.reset = RESETS[case.reset]
        self.detaches_reset = case.detach_reset
        self.threshold = THRESHOLDS[case.threshold]
        self.first_level = FIRST_LEVELS[case.firing]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State, Tensor]:
        # At rest, u[0] is x.
        v, first = state or (torch.zeros_like(x), x)
        u = self.decay * v + x
        threshold = self.threshold(u, first)
        z = u - self.first_level * threshold
        s = fire(z, self.surrogate, self.levels)
        v = self.reset(u, s.detach() if self.detaches_reset else s, threshold)
        return s, (v, first), z


class IF(LIF):
    """Integrate-and-fire neurons: those that do not leak, u[t] = v[t-1] + x[t]."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.decay = 1.0


class PLIF(LIF):
    """LIF neurons whose layer learns its tau, as w (PLIF; Fang et al., ICCV 2021): 1/tau = σ(w)."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.w = nn.Parameter(torch.tensor(-log(case.tau - 1)))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State, Tensor]:
        self.decay = 1 - torch.sigmoid(self.w)
        return super().step(x, state)


class CLIF(Neuron):
    """Complementary leaky integrate-and-fire neurons (Huang et al., ICML 2024) of threshold 1: the
    more a neuron has fired of late, the lower its reset takes it.

        u[t] = (1 - 1/tau) v[t-1] + x[t]
        s[t] = H(u[t] - 1)
        m[t] = σ(u[t] / tau) m[t-1] + s[t]
        v[t] = u[t] - (1 + σ(m[t])) s[t]

    Gradients go through all of it.
    """

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.tau = case.tau

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State, Tensor]:
        v, m = state or (torch.zeros_like(x), torch.zeros_like(x))
        u = self.decay * v + x
        z = u - 1
        s = fire(z, self.surrogate)
        m = torch.sigmoid(u / self.tau) * m + s
        return s, (u - (1 + torch.sigmoid(m)) * s, m), z


NEURONS: Table[Callable[[Case], Neuron]] = Table(
    "neuron", {"lif": LIF, "if": IF, "plif": PLIF, "clif": CLIF})


def neurons_of(network: nn.Module) -> list[Neuron]:
    """The network's layers of neurons."""
    return [module for module in network.modules() if isinstance(module, Neuron)]
