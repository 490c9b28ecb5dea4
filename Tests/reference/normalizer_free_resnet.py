"""The spiking NF-ResNets of SLTT (Meng et al., ICCV 2023)."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from case import Case
from staged_network import Layers, StagedNetwork


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

    of two 3x3 convolutions or, as a bottleneck, of 1x1, 3x3 and 1x1, the last of which has
    `expansion` times the channels. The shortcut is x or, where shapes differ, downsample(s). beta²
    is the variance that x is expected to have.
    """

    SPIKE_GAIN = 2.74
    """Gives spikes unit variance again."""
    BRANCH_GAIN = 0.2

    def __init__(
        self, inputs: int, outputs: int, stride: int, expansion: int, beta: float, layers: Layers
    ) -> None:
        super().__init__()
        self.beta = beta
        self.sn1, self.sn2 = layers.neuron(), layers.neuron()
        self.is_bottleneck = expansion > 1
        if self.is_bottleneck:
            planes = outputs // expansion
            self.conv1 = ScaledWSConv2d(inputs, planes, 1)
            self.conv2 = ScaledWSConv2d(planes, planes, 3, stride)
            self.sn3, self.conv3 = layers.neuron(), ScaledWSConv2d(planes, outputs, 1)
        else:
            self.conv1 = ScaledWSConv2d(inputs, outputs, 3, stride)
            self.conv2 = ScaledWSConv2d(outputs, outputs, 3)
        self.downsample = None
        if (inputs, stride) != (outputs, 1):
            self.downsample = ScaledWSConv2d(inputs, outputs, 1, stride)
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

    READ_NO_SPIKES = ("conv1", "fc")
    EXPANSION = 1
    """How many times more channels leave a block than its 3x3 convolution has."""

    def __init__(self, case: Case, layers: Layers) -> None:
        super().__init__()
        variance = 1.0

        def block(inputs: int, outputs: int, stride: int) -> NormalizerFreeBlock:
            nonlocal variance
            made = NormalizerFreeBlock(
                inputs, outputs, stride, self.EXPANSION, sqrt(variance), layers)
            variance = 1.0 if made.downsample is not None else variance
            variance += NormalizerFreeBlock.BRANCH_GAIN**2
            return made

        self.conv1 = ScaledWSConv2d(case.channels, case.width, 7, stride=2)
        channels = self.add_residual_stages(case, case.width, block, self.EXPANSION)
        self.fc = nn.Linear(channels, case.classes)

    def stem(self, frame: Tensor) -> Tensor:
        # The padding counts as zeros in the average.
        return F.avg_pool2d(self.conv1(frame), 3, stride=2, padding=1)

    def head(self, x: Tensor) -> Tensor:
        return self.fc(x.mean((2, 3)))


class NormalizerFreeBottleneckResNet(NormalizerFreeResNet):
    """NF-ResNet of bottleneck blocks."""

    EXPANSION = 4
