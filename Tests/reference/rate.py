"""Rate-based back-propagation (Yu et al., NeurIPS 2024).

T time steps forward, without a gradient, give averages over time. Then one pass takes the mean
frame through the network and back, in which the layers of neurons and of batch norm compute with
averages. The loss is that of the mean logits.
"""

from functools import partial
from typing import Callable

import torch
from torch import Tensor, nn

from case import Case
from gradients import with_gradient_of
from losses import Loss
from neurons import Neuron
from normalizations import per_channel, statistics
from replacement import Forward, replaced


def averaged_neurons(neurons: Neuron, inputs: Tensor) -> Forward:
    """A layer of neurons over time, from its inputs [T, …]:

        y = mean s[t]
        dy/dx = mean s'[t] e[t],   e[t] = 1 + decay dv[t-1]/du[t-1] e[t-1]

    where s' is the surrogate and dv/du that of BPTT, reset included. This is the derivative of y by
    an input that is added in every time step, and is computed so.
    """
    neurons.rest()
    added = torch.zeros_like(inputs[0], requires_grad=True)
    mean_spikes = torch.stack([neurons(x + added) for x in inputs]).mean(0)
    # No neuron sees another's input.
    (gain,) = torch.autograd.grad(mean_spikes.sum(), added)
    return lambda x: with_gradient_of(gain * x, mean_spikes)


def averaged_norm(norm: nn.BatchNorm2d, inputs: Tensor) -> Forward:
    """Batch norm over time, from its inputs [T, N, C, H, W]:

        y = weight (x - μ) / sqrt(σ² + ε) + bias

    with the mean μ of x. The value of σ² + ε is the harmonic mean of what it was in the steps; its
    gradient is that of the variance of x.
    """
    precision = torch.stack([1 / (statistics(x)[1] + norm.eps) for x in inputs]).mean(0)

    def forward(x: Tensor) -> Tensor:
        mean, variance = statistics(x)
        spread = with_gradient_of(variance, 1 / precision)
        normalized = (x - mean) / torch.sqrt(spread)
        return per_channel(norm.weight) * normalized + per_channel(norm.bias)

    return forward


# What layers compute with averages, by their class.
AVERAGES: dict[type, Callable[[nn.Module, Tensor], Forward]] = {
    Neuron: averaged_neurons,
    nn.BatchNorm2d: averaged_norm,
}


def rate(network: nn.Module, frames: Tensor, loss: Loss, case: Case) -> tuple[Tensor, float]:
    """Time steps forward, then one pass of averages forward and back."""
    averages = {
        layer: average
        for layer in network.modules()
        for kind, average in AVERAGES.items()
        if isinstance(layer, kind)
    }
    inputs: dict[nn.Module, list[Tensor]] = {layer: [] for layer in averages}

    def record(forward: Forward, seen: list[Tensor], x: Tensor) -> Tensor:
        seen.append(x)
        return forward(x)

    with torch.no_grad(), replaced(
        {layer: partial(record, layer.forward, seen) for layer, seen in inputs.items()}
    ):
        logits = torch.stack([network(frame) for frame in frames])
    averaged = {
        layer: average(layer, torch.stack(inputs[layer])) for layer, average in averages.items()
    }
    with replaced(averaged):
        mean_logits = with_gradient_of(network(frames.mean(0)), logits.mean(0))
    value = loss(mean_logits)
    value.backward()
    return logits, float(value.detach())
