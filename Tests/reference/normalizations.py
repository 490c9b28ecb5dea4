"""Normalisation of channels, whose inputs are [N, C, H, W] at each time step."""

from typing import Callable

import torch
from torch import Tensor, nn

from case import Table
from gradients import with_gradient_of


def per_channel(values: Tensor) -> Tensor:
    """[C] to [C, 1, 1], which goes with [N, C, H, W]."""
    return values[:, None, None]


def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance [C, 1, 1] of each channel of [N, C, H, W] or [T, N, C, H, W]."""
    values = x.transpose(-3, 0).flatten(1)
    mean = values.mean(1)
    variance = (values - mean[:, None]).square().mean(1)
    return per_channel(mean), per_channel(variance)


class OnlineNorm(nn.BatchNorm2d):
    """Online spiking renormalization (OSR; Zhu et al., ICLR 2024):

        y = weight (x - M) / sqrt(V + 1e-4) + bias

    The running statistics M and V are of whole iterations, over samples, space and time steps. So
    no sample's output depends on the others of its batch. But for the gradient of x, mean and
    variance are those of the step, μ and σ², and change with x as in batch norm:

        x̂ = (x - μ) / sqrt(σ² + 1e-4)
        dy = weight a dx̂,   a = sqrt(σ² + 1e-4) / sqrt(V + 1e-4)

    where a counts as a constant. If in any channel M and V are so far off that a is above 20 or
    below 1/20, then in the whole layer y = weight x̂ + bias; the gradient of x is as before.
    """

    LARGEST_RATIO = 20

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-4, momentum=0.1)
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach())
        mean, variance = statistics(x)
        deviation = torch.sqrt(variance + self.eps)
        running_deviation = torch.sqrt(per_channel(self.running_var) + self.eps)
        by_step = (x - mean) / deviation
        value = (x - per_channel(self.running_mean)) / running_deviation
        ratio = (deviation / running_deviation).detach()
        if torch.maximum(ratio, 1 / ratio).max() > self.LARGEST_RATIO:
            value = by_step
        normalized = with_gradient_of(ratio * by_step, value)
        return per_channel(self.weight) * normalized + per_channel(self.bias)

    def end_iteration(self) -> None:
        """Moves the running statistics towards those of the iteration's inputs."""
        mean, variance = statistics(torch.stack(self.seen))
        self.running_mean.lerp_(mean.flatten(), self.momentum)
        self.running_var.lerp_(variance.flatten(), self.momentum)
        self.seen.clear()


# From the number of channels.
NORMALIZATIONS: Table[Callable[[int], nn.BatchNorm2d]] = Table(
    "normalization", {"batch": nn.BatchNorm2d, "online": OnlineNorm})
