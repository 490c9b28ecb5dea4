"""The families of networks, with the names and shapes that parameters have in the published models.

A network is called once a time step: frames [N, C, H, W] to logits [N, classes]. The spiking forms
are those of SLTT (Meng et al., ICCV 2023).
"""

from math import ceil, sqrt
from typing import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases import Case, Table
from neurons import NEURONS, Neuron

NewNeuron = Callable[[], Neuron]


class StagedNetwork(nn.Module):
    """A stem, stages `layer1`, `layer2`, … and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stage_names: list[str] = []

    def add_stage(self, modules: Iterable[nn.Module]) -> None:
        name = f"layer{len(self.stage_names) + 1}"
        self.stage_names.append(name)
        self.add_module(name, nn.Sequential(*modules))

    def stem(self, frame: Tensor) -> Tensor:
        return frame

    def head(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, frame: Tensor) -> Tensor:
        x = self.stem(frame)
        for name in self.stage_names:
            x = self.get_submodule(name)(x)
        return self.head(x)


class PreActivationBlock(nn.Module):
    """A residual block that normalises and fires before each convolution:

        s = neuron(bn1(x))
        y = conv2(neuron(bn2(conv1(s)))) + shortcut(s)

    Where shapes agree, the shortcut is the spikes themselves.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, neuron: NewNeuron) -> None:
        super().__init__()
        self.bn1, self.sn1 = nn.BatchNorm2d(inputs), neuron()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
        self.bn2, self.sn2 = nn.BatchNorm2d(outputs), neuron()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut: nn.Module = nn.Identity()
        if (inputs, stride) != (outputs, 1):
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        s = self.sn1(self.bn1(x))
        branch = self.conv2(self.sn2(self.bn2(self.conv1(s))))
        return branch + self.shortcut(s)


class PreActivationResNet(StagedNetwork):
    """ResNet of pre-activation blocks (He et al., ECCV 2016), with a 3x3 stem for small images."""

    def __init__(self, case: Case, neuron: NewNeuron) -> None:
        super().__init__()
        channels, side = case.width, case.size
        self.conv1 = nn.Conv2d(case.channels, channels, 3, padding=1, bias=False)
        for stage, count in enumerate(case.blocks):
            inputs, channels = channels, case.width * 2**stage
            stride = 1 if stage == 0 else 2
            side = ceil(side / stride)
            first = PreActivationBlock(inputs, channels, stride, neuron)
            others = (PreActivationBlock(channels, channels, 1, neuron) for _ in range(count - 1))
            self.add_stage([first, *others])
        self.bn1, self.sn1 = nn.BatchNorm2d(channels), neuron()
        self.linear = nn.Linear(channels * (side // 4) ** 2, case.classes)

    def stem(self, frame: Tensor) -> Tensor:
        return self.conv1(frame)

    def head(self, x: Tensor) -> Tensor:
        pooled = F.avg_pool2d(self.sn1(self.bn1(x)), 4)
        return self.linear(pooled.flatten(start_dim=1))


class ScaledWSConv2d(nn.Conv2d):
    """A convolution with scaled weight standardisation (Brock et al., ICLR 2021, section 2):

        w' = gain (w - mean) / sqrt(variance n + 1e-4)

    Mean, unbiased variance and the count n are of an output channel's weights.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding=kernel // 2)
        self.gain = nn.Parameter(torch.ones(outputs, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        n = self.weight[0].numel()
        centered = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        variance = centered.square().sum((1, 2, 3), keepdim=True) / (n - 1)
        weight = self.gain * centered / torch.sqrt(variance * n + 1e-4)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


class NormalizerFreeBlock(nn.Module):
    """A residual block without normalisation:

        s = 2.74 neuron(x / beta)
        y = 0.2 skipinit_gain conv(2.74 neuron(… conv1(s))) + shortcut

    of two 3x3 convolutions or, as a bottleneck, of 1x1, 3x3 and 1x1. The shortcut is downsample(s)
    where there is such a convolution, else x. beta² is the variance that x is expected to have.
    """

    SPIKE_GAIN = 2.74
    """Gives spikes unit variance again."""
    BRANCH_GAIN = 0.2

    def __init__(
        self, inputs: int, planes: int, outputs: int, stride: int, downsamples: bool, beta: float,
        neuron: NewNeuron,
    ) -> None:
        super().__init__()
        self.beta = beta
        self.sn1, self.sn2 = neuron(), neuron()
        self.is_bottleneck = planes != outputs
        if self.is_bottleneck:
            self.conv1 = ScaledWSConv2d(inputs, planes, 1)
            self.conv2 = ScaledWSConv2d(planes, planes, 3, stride)
            self.sn3, self.conv3 = neuron(), ScaledWSConv2d(planes, outputs, 1)
        else:
            self.conv1 = ScaledWSConv2d(inputs, outputs, 3, stride)
            self.conv2 = ScaledWSConv2d(outputs, outputs, 3)
        self.downsample = ScaledWSConv2d(inputs, outputs, 1, stride) if downsamples else None
        self.skipinit_gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        s = self.SPIKE_GAIN * self.sn1(x / self.beta)
        y = self.conv2(self.SPIKE_GAIN * self.sn2(self.conv1(s)))
        if self.is_bottleneck:
            y = self.conv3(self.SPIKE_GAIN * self.sn3(y))
        shortcut = self.downsample(s) if self.downsample is not None else x
        return self.BRANCH_GAIN * self.skipinit_gain * y + shortcut


class NormalizerFreeResNet(StagedNetwork):
    """NF-ResNet (Brock et al., ICLR 2021) with a 7x7 stem and an average pool after it.

    The variance of the residual stream is expected to be 1 in the beginning and after each shortcut
    convolution, and to grow by BRANCH_GAIN² with each block.
    """

    EXPANSION = 1
    """How many times more channels leave a block than its 3x3 convolution has."""

    def __init__(self, case: Case, neuron: NewNeuron) -> None:
        super().__init__()
        channels, variance = case.width, 1.0
        self.conv1 = ScaledWSConv2d(case.channels, channels, 7, stride=2)
        for stage, count in enumerate(case.blocks):
            planes = case.width * 2**stage
            outputs = self.EXPANSION * planes
            blocks = []
            for index in range(count):
                stride = 2 if index == 0 and stage > 0 else 1
                downsamples = (channels, stride) != (outputs, 1)
                blocks.append(
                    NormalizerFreeBlock(
                        channels, planes, outputs, stride, downsamples, sqrt(variance), neuron))
                variance = (1 if downsamples else variance) + NormalizerFreeBlock.BRANCH_GAIN**2
                channels = outputs
            self.add_stage(blocks)
        self.fc = nn.Linear(channels, case.classes)

    def stem(self, frame: Tensor) -> Tensor:
        # The padding counts as zeros in the average.
        return F.avg_pool2d(self.conv1(frame), 3, stride=2, padding=1)

    def head(self, x: Tensor) -> Tensor:
        return self.fc(x.mean((2, 3)))


class NormalizerFreeBottleneckResNet(NormalizerFreeResNet):
    """NF-ResNet of bottleneck blocks."""

    EXPANSION = 4


class VGG(StagedNetwork):
    """VGG (Simonyan and Zisserman, ICLR 2015): stages of `neuron(bn(conv(x)))`, each with 2x2
    average pooling in the end, then pooling to 7x7 and one linear layer."""

    def __init__(self, case: Case, neuron: NewNeuron) -> None:
        super().__init__()
        inputs = case.channels
        for stage, count in enumerate(case.blocks):
            outputs = case.width * 2 ** min(stage, 3)
            modules: list[nn.Module] = []
            for _ in range(count):
                convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
                # The published models have a dropout last, which counts in the modules' names.
                modules += [convolution, nn.BatchNorm2d(outputs), neuron(), nn.Identity()]
                inputs = outputs
            self.add_stage([*modules, nn.AvgPool2d(2)])
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(inputs * 7 * 7, case.classes))

    def head(self, x: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(x, 7))


FAMILIES: Table[Callable[[Case, NewNeuron], nn.Module]] = Table(
    "family",
    {
        "resnet": PreActivationResNet,
        "nfresnet": NormalizerFreeResNet,
        "nfresnet-bottleneck": NormalizerFreeBottleneckResNet,
        "vgg11": VGG,
    })


def build(case: Case) -> nn.Module:
    """The case's network in training mode, in float64, with PyTorch's initial values."""
    network = FAMILIES[case.family](case, lambda: NEURONS[case.neuron](case))
    return network.double().train()


def float_tensors(named: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Copies of parameters or buffers; without what batch norm counts in integers."""
    return {name: t.detach().clone() for name, t in named if t.is_floating_point()}
