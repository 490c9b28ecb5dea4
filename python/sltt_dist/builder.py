"""Networks of configurations: modules that their sections `model` and `neuron` describe.

Parameter names and shapes are those of the published models, and of the program's checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import nn

from sltt_dist.configuration import Configuration, choice
from sltt_dist.families import ARCHITECTURES, Part, family_layers
from sltt_dist.layers import Dropout, Linear, OnlineNorm, ScaledWSConv2d
from sltt_dist.network import Group, Network, Residual, Steps
from sltt_dist.neurons import Neuron, NeuronSettings

# A part without parameters may be its name alone.
Parts = Sequence["Part | str"]

NORMS: dict[str, type[nn.BatchNorm2d]] = {"batch": nn.BatchNorm2d, "online": OnlineNorm}


def build(
    configuration: Configuration, classes: int, channels: int, through_time: bool = True
) -> Network:
    """The network that a configuration describes, with PyTorch's initial weights.

    Args:
        channels: of the input.
        through_time: whether gradients flow through the membrane potential to earlier time steps.

    Raises:
        ValueError: where the configuration has what this version does not know.
    """
    model = configuration.get("model", {})
    size = configuration.get("data", {}).get("image_size", 28)
    builder = Builder(
        neuron=neuron_settings(configuration.get("neuron", {})),
        norm=choice(NORMS, "model.normalization", model.get("normalization", "batch")),
        dropout=model.get("dropout", 0),
        classes=classes,
        through_time=through_time,
        place=Place(channels, size),
    )
    network = Network()
    network.steps = builder.steps(layers(model, size), network)
    return network


def layers(model: dict[str, Any], image_size: int) -> Parts:
    """The layers of the section `model`."""
    if model.get("layers"):
        return model["layers"]
    if model.get("architecture"):
        family, blocks = choice(ARCHITECTURES, "model.architecture", model["architecture"])
    else:
        family, blocks = model.get("family", "resnet"), model.get("blocks", [1, 1, 1])
    stem = model.get("stem") or ("cifar" if image_size <= 64 else "imagenet")
    return family_layers(family, blocks, model.get("width", 16), stem)


def neuron_settings(section: dict[str, Any]) -> NeuronSettings:
    section = dict(section)
    if section.pop("learnable_tau", False):  # As earlier versions said it.
        section["kind"] = "plif"
    unknown = section.keys() - {field.name for field in fields(NeuronSettings)}
    if unknown:
        raise ValueError(f"this version knows no neuron.{min(unknown)}")
    return NeuronSettings(**section)


@dataclass(frozen=True)
class Place:
    """What flows between two layers."""

    channels: int
    size: int
    """Height and width."""
    amplitude: float = 1
    """What a spike stands for that is still 1, since the next layer takes this factor into its weights."""


@dataclass
class Builder:
    """Makes modules of the parts of `model.layers`. The parameters of its methods are those of a part,
    with the program's defaults; initial values, which it is not concerned with, are ignored."""

    neuron: NeuronSettings
    norm: type[nn.BatchNorm2d]
    dropout: float
    classes: int
    through_time: bool
    place: Place
    latest: ScaledWSConv2d = field(init=False)
    """The convolution with standardized weights that was made last."""

    def steps(self, parts: Parts, group: Group) -> Steps:
        """Puts the modules of the parts into the group."""
        steps: list[str | Residual] = []
        pairs = [kind_and_parameters(part) for part in parts]
        for (kind, parameters), following in zip(pairs, [*pairs[1:], None]):
            if kind == "residual":
                steps.append(self.residual(group, **parameters))
                continue
            if kind == "repeat":
                steps += self.repeat(group, **parameters)
                continue
            make = choice(LAYERS, "layer", kind)
            name = parameters.pop("name", None)
            if kind == "neuron" and following is not None and takes_factors(*following):
                self.place = replace(self.place, amplitude=parameters.pop("amplitude", 1))
            module = make(self, **parameters)
            step = group.put(name, module)
            if module is not None:
                steps.append(step)
        return tuple(steps)

    def sequence(self, layers: Parts) -> Group:
        group = Group()
        group.steps = self.steps(layers, group)
        return group

    def repeat(self, group: Group, times: int, layers: Parts, name: Any = None) -> Steps:
        if name is None:
            return [group.put(None, self.sequence(layers)) for _ in range(times)]
        inner = Group()
        inner.steps = self.repeat(inner, times, layers)
        return [group.put(name, inner)]

    def residual(
        self, group: Group, branch: Parts, shortcut: Any = (), skip_init: float | None = None
    ) -> Residual:
        before = self.place
        branch_steps = self.steps(branch, group)
        if skip_init is not None:
            group.skipinit_gain = nn.Parameter(torch.zeros(()))
            self.latest.output_gain = group.skipinit_gain, skip_init
        after, self.place = self.place, before
        shortcut_steps = self.steps(listed(shortcut), group)
        self.place = after
        return Residual(branch_steps, shortcut_steps)

    def neurons(self, input_scale: float = 1, amplitude: float = 1, **changes: Any) -> Neuron:
        learns_tau = changes.pop("learnable_tau", None)  # As earlier versions said it.
        if learns_tau is not None:
            changes["kind"] = "plif" if learns_tau else "lif"
        if "surrogate" in changes:
            changes.setdefault("surrogate_width", None)
        settings = replace(self.neuron, **changes)
        return Neuron(settings, input_scale, amplitude, self.through_time)

    def convolution(
        self, channels: int, kernel: int, stride: int = 1, padding: int | None = None,
        standardized: bool = False, bias: str = "uniform",
    ) -> nn.Module:  # fmt: skip
        padding = (kernel - 1) // 2 if padding is None else padding
        arguments = self.place.channels, channels, kernel, stride, padding
        amplitude = self.place.amplitude
        self.slide(kernel, stride, padding, channels)
        if not standardized:
            return nn.Conv2d(*arguments, bias=bias != "none")
        self.latest = ScaledWSConv2d(*arguments, input_gain=amplitude)
        return self.latest

    def slide(self, kernel: int, stride: int, padding: int, channels: int | None = None) -> None:
        """Passes a sliding window."""
        size = (self.place.size + 2 * padding - kernel) // stride + 1
        self.place = Place(channels or self.place.channels, size)

    def batch_norm(self) -> nn.Module:
        return self.norm(self.place.channels)

    def average_pool(self, kernel: int, stride: int | None = None, padding: int = 0) -> nn.Module:
        self.slide(kernel, stride or kernel, padding)
        return nn.AvgPool2d(kernel, stride, padding)

    def max_pool(self, kernel: int, stride: int | None = None, padding: int = 0) -> nn.Module:
        self.slide(kernel, stride or kernel, padding)
        return nn.MaxPool2d(kernel, stride, padding)

    def adaptive_pool(self, size: int) -> nn.Module:
        self.place = replace(self.place, size=size)
        return nn.AdaptiveAvgPool2d(size)

    def drop(self, probability: float | None = None) -> nn.Module | None:
        probability = self.dropout if probability is None else probability
        return Dropout(probability) if probability > 0 else None

    def linear(self, outputs: str | int = "classes", weight: str = "", bias: str = "") -> nn.Module:
        features = self.place.channels * self.place.size**2
        count = self.classes if outputs == "classes" else int(outputs)
        self.place = Place(count, 1)
        return Linear(features, count)


LAYERS: dict[str, Callable[..., nn.Module | None]] = {
    "sequence": Builder.sequence,
    "neuron": Builder.neurons,
    "convolution": Builder.convolution,
    "batch_norm": Builder.batch_norm,
    "average_pool": Builder.average_pool,
    "max_pool": Builder.max_pool,
    "adaptive_pool": Builder.adaptive_pool,
    "dropout": Builder.drop,
    "linear": Builder.linear,
}


def kind_and_parameters(part: Part | str) -> tuple[str, dict[str, Any]]:
    if isinstance(part, str):
        return part, {}
    kind, parameters = next(iter(part.items()))
    return kind, dict(parameters or {})


def listed(shortcut: Any) -> Parts:
    """A shortcut may be written as the parameters of its only convolution."""
    return [{"convolution": shortcut}] if isinstance(shortcut, dict) else list(shortcut)


def takes_factors(kind: str, parameters: dict[str, Any]) -> bool:
    """Whether all that reads the input of a part are convolutions with standardized weights, into which a
    factor of the input can be taken."""
    if kind == "residual":
        ways = parameters["branch"], listed(parameters.get("shortcut", ()))
        return all(way and takes_factors(*kind_and_parameters(way[0])) for way in ways)
    return kind == "convolution" and parameters.get("standardized", False)
