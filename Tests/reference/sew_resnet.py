"""The spike-element-wise ResNet (Fang et al., NeurIPS 2021), with the names of SpikingJelly."""

from typing import Callable

from torch import Tensor, nn

from case import Case, Table
from staged_network import Layers, StagedNetwork


def fires(inputs: int, outputs: int, kernel: int, stride: int, layers: Layers) -> list[nn.Module]:
    """A convolution, its normalisation and its neurons."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return [convolution, layers.norm(outputs), layers.neuron()]


class SpikeElementWiseBlock(nn.Module):
    """A residual block that fires, then adds spikes:

        y = neuron(bn2(conv2(neuron(bn1(conv1(x)))))) + shortcut(x)

    The shortcut is x or, where shapes differ, neuron(bn(conv(x))). So x and y are small integers.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, layers: Layers) -> None:
        super().__init__()
        self.conv1, self.bn1, self.sn1 = fires(inputs, outputs, 3, stride, layers)
        self.conv2, self.bn2, self.sn2 = fires(outputs, outputs, 3, 1, layers)
        self.downsample = nn.Sequential()
        if (inputs, stride) != (outputs, 1):
            self.downsample.extend(fires(inputs, outputs, 1, stride, layers))

    def forward(self, x: Tensor) -> Tensor:
        y = self.sn1(self.bn1(self.conv1(x)))
        y = self.sn2(self.bn2(self.conv2(y)))
        return y + self.downsample(x)


class SpikeElementWiseBottleneck(nn.Module):
    """The same of three convolutions, 1x1, 3x3 and 1x1, of which the last has four times the channels."""

    EXPANSION = 4

    def __init__(self, inputs: int, outputs: int, stride: int, layers: Layers) -> None:
        super().__init__()
        inner = outputs // self.EXPANSION
        self.conv1, self.bn1, self.sn1 = fires(inputs, inner, 1, 1, layers)
        self.conv2, self.bn2, self.sn2 = fires(inner, inner, 3, stride, layers)
        self.conv3, self.bn3, self.sn3 = fires(inner, outputs, 1, 1, layers)
        self.downsample = nn.Sequential()
        if (inputs, stride) != (outputs, 1):
            self.downsample.extend(fires(inputs, outputs, 1, stride, layers))

    def forward(self, x: Tensor) -> Tensor:
        y = self.sn1(self.bn1(self.conv1(x)))
        y = self.sn2(self.bn2(self.conv2(y)))
        y = self.sn3(self.bn3(self.conv3(y)))
        return y + self.downsample(x)


# The kernel and stride of the first convolution, and the pooling of its spikes. Where several of a
# window's spikes are 1, the gradient goes to the first, row by row.
STEMS: Table[tuple[int, int, Callable[[], nn.Module]]] = Table(
    "stem",
    {
        "cifar": (3, 1, nn.Identity),
        "imagenet": (7, 2, lambda: nn.MaxPool2d(3, stride=2, padding=1)),
    })


class SpikeElementWiseResNet(StagedNetwork):
    """SEW-ResNet whose blocks add spikes (ADD in the paper), as ResNet-18 has them."""

    BLOCK, EXPANSION = SpikeElementWiseBlock, 1

    def __init__(self, case: Case, layers: Layers) -> None:
        super().__init__()
        kernel, stride, pooling = STEMS[case.stem]
        self.conv1, self.bn1, self.sn1 = fires(case.channels, case.width, kernel, stride, layers)
        self.maxpool = pooling()
        channels = self.add_residual_stages(
            case, case.width, lambda *shape: self.BLOCK(*shape, layers), self.EXPANSION)
        self.fc = nn.Linear(channels, case.classes)

    def stem(self, frame: Tensor) -> Tensor:
        return self.maxpool(self.sn1(self.bn1(self.conv1(frame))))

    def head(self, x: Tensor) -> Tensor:
        return self.fc(x.mean((2, 3)))


class SpikeElementWiseBottleneckResNet(SpikeElementWiseResNet):
    """With the blocks of ResNet-50."""

    BLOCK, EXPANSION = SpikeElementWiseBottleneck, SpikeElementWiseBottleneck.EXPANSION
