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

    EXPANSION = 1

    @staticmethod
    def shapes(inputs: int, outputs: int, stride: int) -> list[tuple[int, int, int, int]]:
        """Of the convolutions: inputs, outputs, kernel and stride."""
        return [(inputs, outputs, 3, stride), (outputs, outputs, 3, 1)]

    def __init__(self, inputs: int, outputs: int, stride: int, layers: Layers) -> None:
        super().__init__()
        self.branch: list[str] = []
        for number, shape in enumerate(self.shapes(inputs, outputs, stride), 1):
            for kind, module in zip(("conv", "bn", "sn"), fires(*shape, layers)):
                self.add_module(f"{kind}{number}", module)
                self.branch.append(f"{kind}{number}")
        self.downsample = nn.Sequential()
        if (inputs, stride) != (outputs, 1):
            self.downsample.extend(fires(inputs, outputs, 1, stride, layers))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for name in self.branch:
            y = self.get_submodule(name)(y)
        return y + self.downsample(x)


class SpikeElementWiseBottleneck(SpikeElementWiseBlock):
    """The same of three convolutions, 1x1, 3x3 and 1x1, of which the last has four times the channels."""

    EXPANSION = 4

    @staticmethod
    def shapes(inputs: int, outputs: int, stride: int) -> list[tuple[int, int, int, int]]:
        inner = outputs // SpikeElementWiseBottleneck.EXPANSION
        return [(inputs, inner, 1, 1), (inner, inner, 3, stride), (inner, outputs, 1, 1)]


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

    BLOCK = SpikeElementWiseBlock

    def __init__(self, case: Case, layers: Layers) -> None:
        super().__init__()
        kernel, stride, pooling = STEMS[case.stem]
        self.conv1, self.bn1, self.sn1 = fires(case.channels, case.width, kernel, stride, layers)
        self.maxpool = pooling()
        channels = self.add_residual_stages(
            case, case.width, lambda *shape: self.BLOCK(*shape, layers), self.BLOCK.EXPANSION)
        self.fc = nn.Linear(channels, case.classes)

    def stem(self, frame: Tensor) -> Tensor:
        return self.maxpool(self.sn1(self.bn1(self.conv1(frame))))

    def head(self, x: Tensor) -> Tensor:
        return self.fc(x.mean((2, 3)))


class SpikeElementWiseBottleneckResNet(SpikeElementWiseResNet):
    """With the blocks of ResNet-50."""

    BLOCK = SpikeElementWiseBottleneck
