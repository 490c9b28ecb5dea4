"""A fixture's inputs, drawn at random: a batch, and what the network has before the iteration."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from case import Case
from networks import build, float_tensors

Tensors = dict[str, Tensor]


def prefixed(prefix: str, tensors: Tensors) -> Tensors:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def with_floats_in(dtype: torch.dtype, tensors: Tensors) -> Tensors:
    """Integers stay."""
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in tensors.items()}


def in_float32(tensor: Tensor) -> Tensor:
    """Rounded, so that a float32 implementation begins with the same numbers."""
    return tensor.float().double()


def draw_frames(case: Case, generator: torch.Generator) -> Tensor:
    """[1, N, C, H, W] of a static image, else [T, N, C, H, W] with counts of events."""
    shape = (1 if case.static else case.timesteps, case.batch, case.channels, case.size, case.size)
    if not case.static:
        events_a_pixel = torch.full(shape, 0.4, dtype=torch.float64)
        return torch.poisson(events_a_pixel, generator=generator)
    # Coarse structure beside noise: neighbouring pixels of photographs are alike.
    coarse = normal((case.batch, case.channels, 6, 6), generator)
    coarse = F.interpolate(coarse, size=shape[3:], mode="bilinear")
    return in_float32(1.5 * coarse + 0.5 * normal(shape, generator))


def draw_parameter(
    name: str, shape: torch.Size, norm_gain: float, generator: torch.Generator
) -> Tensor:
    """Values that leave no parameter without an effect: biases are not 0, nor gains 1."""
    noise = normal(shape, generator)
    if name.endswith("skipinit_gain"):
        return in_float32(torch.full_like(noise, 0.7))
    if name.endswith(".w"):  # of neurons that learn tau, which is then about 2
        return in_float32(0.5 * noise)
    if name.endswith("bias"):
        return in_float32(0.1 * noise)
    if name.endswith("gain"):  # of standardised weights
        return in_float32(1 + 0.1 * noise)
    if len(shape) == 1:  # of normalisations
        return in_float32(norm_gain * (1 + 0.1 * noise))
    # He's initialization, by the number of connections that leave an input.
    fan_out = math.prod(shape) / shape[1]
    return in_float32(math.sqrt(2 / fan_out) * noise)


def draw_statistics(case: Case, network: nn.Module, generator: torch.Generator) -> Tensors:
    """Means and variances about 0 and 1 where outputs depend on them, else what they begin with."""
    drawn = float_tensors(network.named_buffers())
    if case.normalization == "online":
        for name, begin in drawn.items():
            noise = normal(begin.shape, generator)
            drawn[name] = in_float32(
                (0.4 * noise).exp() if name.endswith("running_var") else 0.2 * noise)
    if case.outlying_variance:
        last = [name for name in drawn if name.endswith("running_var")][-1]
        drawn[last][0] = 4096
    return drawn


def normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def draw_inputs(case: Case, seed: int) -> Tensors:
    """Frames, labels, parameters and running statistics, named as in a file."""
    generator = torch.Generator().manual_seed(seed)
    network = build(case)
    parameters = {
        name: draw_parameter(name, p.shape, case.norm_gain, generator)
        for name, p in network.named_parameters()
    }
    return (
        {
            "frames": draw_frames(case, generator),
            "labels": torch.randint(case.classes, (case.batch,), generator=generator),
        }
        | prefixed("param.", parameters)
        | prefixed("buffer_before.", draw_statistics(case, network, generator)))


def frames_of(inputs: Tensors, case: Case) -> Tensor:
    """[T, N, C, H, W]"""
    frames = inputs["frames"]
    return frames.expand(case.timesteps, *frames.shape[1:])
