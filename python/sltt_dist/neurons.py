"""Layers of spiking neurons with surrogate gradients.

A layer is called once a time step and keeps its state between calls; `reset` ends a sample.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

# The most common width of each surrogate gradient, and the derivative that it stands in with, from the
# distance z of the potential from the threshold and the width a. Of the rectangle see slope_of, too.
SURROGATES: dict[str, tuple[float, Callable[[Tensor, float], Tensor]]] = {
    "triangle": (1, lambda z, a: z.abs().mul_(-a * a).add_(a).clamp_min_(0)),
    "rectangle": (1, lambda z, a: (z.abs() <= a / 2).to(z.dtype).div_(a)),
    "sigmoid": (4, lambda z, a: a * torch.sigmoid(a * z) * torch.sigmoid(-a * z)),
    "arctan": (2, lambda z, a: a / (2 + 2 * (math.pi / 2 * a * z) ** 2)),
}

# The potential that fires the first spike, as a share of the threshold.
FIRST_LEVELS = {"floor": 1.0, "round": 0.5}

# Values of the keys that name something.
CHOICES = {
    "kind": ["lif", "if", "plif", "clif"],
    "threshold_rule": ["fixed", "stabilized"],
    "reset": ["soft", "hard"],
    "firing": FIRST_LEVELS,
    "surrogate": SURROGATES,
}


@dataclass(frozen=True)
class NeuronSettings:
    """The section `neuron` of a configuration; keys and defaults are the program's."""

    kind: str = "lif"
    tau: float = 1.1
    threshold: float = 1.0
    threshold_rule: str = "fixed"
    reset: str = "soft"
    detach_reset: bool = False
    levels: int = 1
    firing: str = "floor"
    surrogate: str = "triangle"
    surrogate_width: float | None = None

    def __post_init__(self) -> None:
        for key, names in CHOICES.items():
            if getattr(self, key) not in names:
                raise ValueError(f"this version knows no neuron.{key} '{getattr(self, key)}'")


class Fire(torch.autograd.Function):
    """u = decay v + x, s = number of levels with u >= threshold (o + k), v' = u - threshold s or, with a
    hard reset, u (1 - s); returns s and v'.

    The potential is float32 under autocast too, while spikes, which are exact in any format, have the type
    of x. Backward needs u, which after a soft reset is v' + threshold s; both are alive anyway, as the
    neuron's state and as the input of the next convolution, so nothing is kept for it. Without
    `through_time`, v and v' have no gradient.
    """

    @staticmethod
    def forward(ctx, x, v, decay, threshold, settings, through_time):
        u = x.float() if v is None else torch.add(x, v, alpha=decay)
        first = FIRST_LEVELS[settings.firing]
        s = (u >= threshold * first).to(x.dtype)
        for level in range(1, settings.levels):
            s += u >= threshold * (first + level)
        is_soft = settings.reset == "soft"
        potential = torch.sub(u, s, alpha=threshold) if is_soft else u * (1 - s)
        ctx.save_for_backward(potential if is_soft else u, s)
        ctx.decay, ctx.threshold, ctx.settings = decay, threshold, settings
        ctx.has_past = v is not None and through_time
        ctx.set_materialize_grads(False)
        if not through_time:
            ctx.mark_non_differentiable(potential)
        return s, potential

    @staticmethod
    def backward(ctx, gs, gv):
        saved, s = ctx.saved_tensors
        threshold, settings = ctx.threshold, ctx.settings
        is_soft = settings.reset == "soft"
        z = torch.add(saved, s, alpha=threshold) if is_soft else saved.clone()
        slope = slope_of(z.sub_(threshold * FIRST_LEVELS[settings.firing]), settings)
        for _ in range(1, settings.levels):
            slope += slope_of(z.sub_(threshold), settings, is_above=True)
        if gv is None:
            g = slope.mul_(gs)
        else:  # v' depends on u directly and, by the reset, through s.
            if not settings.detach_reset:
                by_reset = gv * (-threshold if is_soft else -saved)
                gs = by_reset if gs is None else gs + by_reset
            direct = gv if is_soft else gv * (1 - s)
            g = direct if gs is None else slope.mul_(gs).add_(direct)
        return g.to(s.dtype), g * ctx.decay if ctx.has_past else None, None, None, None, None


def slope_of(z: Tensor, settings: NeuronSettings, is_above: bool = False) -> Tensor:
    """What stands in for the derivative of a spike. An edge between the rectangles of two levels belongs to
    the lower one, not to the one that `is_above` it."""
    default, derivative = SURROGATES[settings.surrogate]
    width = settings.surrogate_width or default
    slope = derivative(z, width)
    if is_above and settings.surrogate == "rectangle":
        slope *= z > -width / 2
    return slope


class Neuron(nn.Module):
    """A layer of neurons of any kind, reset and threshold that the program has.

    Args:
        input_scale: multiplies the input.
        amplitude: what a spike stands for in the output.
        through_time: whether gradients flow through the membrane potential to earlier time steps.
    """

    def __init__(
        self, settings: NeuronSettings, input_scale: float = 1.0, amplitude: float = 1.0,
        through_time: bool = True,
    ):  # fmt: skip
        super().__init__()
        self.settings = settings
        self.input_scale, self.amplitude = input_scale, amplitude
        self.through_time = through_time
        if settings.kind == "plif":
            self.w = nn.Parameter(torch.tensor(-math.log(settings.tau - 1)))
        self.reset()

    def reset(self) -> None:
        self.v: Tensor | None = None
        # Of CLIF, what the spikes so far add to the reset.
        self.m: Tensor | None = None
        # Of a stabilized threshold, its distance from the first mean potential in deviations.
        self.ratio: float | None = None

    @property
    def decay(self) -> float | Tensor:
        """What the potential keeps of the time step before."""
        if self.settings.kind == "plif":
            return 1 - torch.sigmoid(self.w)
        return 1.0 if self.settings.kind == "if" else 1 - 1 / self.settings.tau

    def forward(self, x: Tensor) -> Tensor:
        if self.input_scale != 1:
            x = x * self.input_scale
        v, decay, threshold = self.v, self.decay, self.settings.threshold
        is_stabilized = self.settings.threshold_rule == "stabilized"
        if v is not None and (is_stabilized or isinstance(decay, Tensor)):
            x, v = x + decay * v, None
        if is_stabilized:
            threshold = self.stabilized_threshold(x.detach())
        s, v = Fire.apply(x, v, decay, threshold, self.settings, self.through_time)
        self.v = self.complemented(s, v) if self.settings.kind == "clif" else v
        return s if self.amplitude == 1 else s * self.amplitude

    def stabilized_threshold(self, u: Tensor) -> float:
        """As many deviations above the mean potential as at the first time step (OTS: Zhu et al., ICLR
        2024). It depends on all samples of a batch."""
        mean, deviation = u.mean().item(), u.std().item()
        if self.ratio is None:
            # Equal potentials have no deviation to be measured in.
            if deviation > 0:
                self.ratio = (self.settings.threshold - mean) / deviation
            return self.settings.threshold
        return mean + deviation * self.ratio

    def complemented(self, s: Tensor, v: Tensor) -> Tensor:
        """The potential after a reset that grows with the spikes so far (CLIF: Huang et al., ICML 2024)."""
        threshold = self.settings.threshold
        if not self.through_time:
            s = s.detach()
        m = s
        if self.m is not None:
            m = s + torch.sigmoid((v + threshold * s) / self.settings.tau) * self.m
        self.m = m
        return v - threshold * s * torch.sigmoid(m)

    def extra_repr(self) -> str:
        scales = f", input_scale={self.input_scale:.4g}, amplitude={self.amplitude:.4g}"
        return str(self.settings) + scales
